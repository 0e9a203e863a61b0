"""One SQLite file for several threads and processes: readers never wait for a writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from semrec.errors import StateError

BUSY_S = 5.0  # how long a writer waits for another process's


class Database:
    """A file in WAL mode: what was committed survives the end of any process.

    Args:
        path: The file; made with its folder if it isn't there.
        schema: Statements that make its tables unless they are there.
        synchronous: ``full`` commits survive a power failure too, at a disk's flush each.

    Raises:
        StateError: If it can't be opened.
    """

    def __init__(
        self, path: Path, schema: str, *, synchronous: Literal["full", "normal"] = "full"
    ) -> None:
        self.path = path
        self._reading, self._writing = threading.Lock(), threading.Lock()
        with self._state_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._reader, self._writer = (
                sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
                for _ in range(2)
            )
            self._writer.execute("PRAGMA journal_mode = wal")
            self._writer.execute(f"PRAGMA synchronous = {synchronous}")
            self._writer.execute("PRAGMA secure_delete = on")  # what is erased is overwritten
            self._writer.executescript(schema)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with.

        Raises:
            StateError: If the file can't be read.
        """
        with self._reading, self._state_errors():
            yield self._reader

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it, or nothing if an error is raised inside.

        Raises:
            StateError: If the file can't be written.
        """
        with self._writing, self._state_errors():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def checkpoint(self) -> None:
        """Move what was written into the file itself, and empty the log beside it."""
        with self._writing, self._state_errors():
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._reading, self._writing:
            self._reader.close()
            self._writer.close()

    @contextmanager
    def _state_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"{self.path}: {error}; is the disk full, or another's?") from error


def erase_events(
    connection: sqlite3.Connection, session_id: str, event_ids: Collection[str] | None
) -> int:
    """Delete a session's events from the table ``events``, or some of them; how many."""
    if event_ids is None:
        return connection.execute("DELETE FROM events WHERE session_id = ?", (session_id,)).rowcount
    return connection.executemany(
        "DELETE FROM events WHERE session_id = ? AND event_id = ?",
        [(session_id, event_id) for event_id in event_ids],
    ).rowcount
