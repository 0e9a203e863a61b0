"""Sessions in one SQLite file: for the workers of one machine, and still there after a restart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from semrec.protocols import KEPT_EVENTS
from semrec.sessions.database import Database, erase_events
from semrec.types import Event

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    place INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    type TEXT NOT NULL,
    timestamp REAL,
    UNIQUE (session_id, event_id)
);
CREATE TABLE IF NOT EXISTS conversations (session_id TEXT PRIMARY KEY, conversation TEXT NOT NULL);
"""


class SqliteSessions:
    """A `SessionStore` in a file; an acknowledged event is on the disk.

    Args:
        path: The file; made if it isn't there.

    Raises:
        StateError: From here and from every method, if the file can't be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path, SCHEMA)

    def get(self, session_id: str) -> tuple[Event, ...]:
        """The events of a session, oldest first; empty for an unknown one."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT item_id, type, timestamp, event_id FROM events WHERE session_id = ? "
                "ORDER BY place DESC LIMIT ?",
                (session_id, KEPT_EVENTS),
            ).fetchall()
        return tuple(Event(*row) for row in reversed(rows))

    def append(self, events: Mapping[str, Sequence[Event]]) -> int:
        """Add events by session id, in one transaction; how many were new."""
        rows = [
            (session_id, event.event_id, event.item_id, event.type, event.timestamp)
            for session_id, added in events.items()
            for event in added
        ]
        with self._database.writing() as connection:
            return connection.executemany(
                "INSERT OR IGNORE INTO events (session_id, event_id, item_id, type, timestamp) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            ).rowcount

    def conversation(self, session_id: str) -> str:
        """The text that was kept last; ``""`` if nothing was."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT conversation FROM conversations WHERE session_id = ?", (session_id,)
            ).fetchone()
        return str(row[0]) if row else ""

    def keep(self, session_id: str, conversation: str) -> None:
        """Keep what a conversation has come to."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?)", (session_id, conversation)
            )

    def erase(self, session_id: str, event_ids: Collection[str] | None = None) -> int:
        """Forget some events of a session, or all of it and its conversation; how many events.

        What is erased is overwritten in the file too.
        """
        with self._database.writing() as connection:
            if event_ids is None:
                connection.execute("DELETE FROM conversations WHERE session_id = ?", (session_id,))
            erased = erase_events(connection, session_id, event_ids)
        self._database.checkpoint()
        return erased

    def close(self) -> None:
        """Close the file."""
        self._database.close()
