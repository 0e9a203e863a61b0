"""Items that came and went while a service ran, in the order in which that was accepted.

One SQLite file for all workers of a service; it outlives them, so that a restart loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semrec.sessions.database import Database

FILE = "items.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    added TEXT,
    removed TEXT
);
"""


@dataclass(frozen=True, kw_only=True)
class ItemChange:
    """One change of the catalogue.

    Attributes:
        added: The item's columns; empty: none was added.
        removed: The item's id; empty: none was removed.
    """

    added: Mapping[str, Any] = field(default_factory=dict)
    removed: str = ""


class ItemJournal:
    """The changes of a service's catalogue.

    Args:
        state: The service's folder.

    Raises:
        StateError: If the file can't be opened.
    """

    def __init__(self, state: Path) -> None:
        self._database = Database(state / FILE, SCHEMA)

    def since(self, position: int) -> tuple[list[ItemChange], int]:
        """The changes after a position, oldest first, and the position of the last there is.

        Raises:
            StateError: If the file can't be read.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT position, added, removed FROM changes WHERE position > ? ORDER BY position",
                (position,),
            ).fetchall()
        changes = [
            ItemChange(added=json.loads(added) if added else {}, removed=removed or "")
            for _, added, removed in rows
        ]
        return changes, rows[-1][0] if rows else position

    @contextmanager
    def writing(self) -> Iterator[Callable[[Sequence[ItemChange]], None]]:
        """Gives what adds changes; no other worker adds any meanwhile.

        They count when the block ends; none does if an error is raised inside.

        Raises:
            StateError: If the file can't be written.
        """
        with self._database.writing() as connection:

            def add(changes: Sequence[ItemChange]) -> None:
                connection.executemany(
                    "INSERT INTO changes (added, removed) VALUES (?, ?)",
                    [
                        (json.dumps(change.added) if change.added else None, change.removed or None)
                        for change in changes
                    ],
                )

            yield add

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._database.close()
