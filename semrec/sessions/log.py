"""The log of a service: every event and every list that was served, in one SQLite file.

It outlives sessions: `importing` turns it into interactions for the next build, and a list can be
made again from what is written here. Erasing a session takes it out of here too.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semrec.errors import StateError
from semrec.sessions.database import Database, erase_events
from semrec.sessions.list_stats import ListStats, MonitoredList
from semrec.types import Event, Item, Query

FILE = "log.sqlite"
MAX_COUNTED = 10_000  # lists whose items a summary counts
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    place INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    type TEXT NOT NULL,
    timestamp REAL NOT NULL,
    UNIQUE (session_id, event_id)
);
CREATE TABLE IF NOT EXISTS served (
    recommendation_id TEXT PRIMARY KEY,
    session_id TEXT,
    timestamp REAL NOT NULL,
    version TEXT NOT NULL,
    artifact TEXT NOT NULL,
    query TEXT NOT NULL,
    items TEXT NOT NULL,
    experiment TEXT,
    arm TEXT,
    placements TEXT,
    stats TEXT,
    vector BLOB,
    unit TEXT
);
CREATE INDEX IF NOT EXISTS served_by_session ON served (session_id);
CREATE INDEX IF NOT EXISTS served_by_time ON served (timestamp);
"""
COLUMNS = (
    "recommendation_id, session_id, timestamp, version, artifact, query, items, "
    "experiment, arm, placements, unit"
)
# Of columns that a file of before gets first. An analysis counts by it without reading lists.
BY_EXPERIMENT = (
    "CREATE INDEX IF NOT EXISTS served_by_experiment ON served "
    "(experiment, unit, arm, session_id, timestamp) WHERE experiment IS NOT NULL"
)
# Columns that files of before lack.
ADDED = {
    "experiment": "TEXT",
    "arm": "TEXT",
    "placements": "TEXT",
    "stats": "TEXT",
    "vector": "BLOB",
    "unit": "TEXT",
}


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The position that an item was shown at, and how it came to be there.

    Attributes:
        item_id: The item.
        position: From 1.
        team: In an interleaved list, the arm that it was drawn from.
        propensity: How probable it was that it is shown there; None: it was certain.
    """

    item_id: str
    position: int
    team: str | None = None
    propensity: float | None = None


@dataclass(frozen=True, kw_only=True)
class ServedList:
    """A list as it was served, and all that it takes to make it again.

    Attributes:
        recommendation_id: Its name.
        session_id: Whose it was, if that was said.
        timestamp: Unix seconds.
        version: The artifact's.
        artifact: The artifact's folder at that time.
        query: What was asked, stored events included.
        items: (item id, score) in the order of their positions.
        experiment: The experiment that the list was part of, if there was one.
        arm: The arm of it that made the list: ``a`` or ``b``; of an interleaved list both, the one
            that picked first before the other; ``explore`` where the order was drawn.
        placements: Item by item; empty for lists of files of before.
        unit: The session or user whose hash chose the arm.
    """

    recommendation_id: str
    session_id: str | None
    timestamp: float
    version: str
    artifact: str
    query: Query
    items: tuple[tuple[str, float], ...]
    experiment: str | None = None
    arm: str | None = None
    placements: tuple[Placement, ...] = ()
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class LoggedEvent:
    """One event, whose session stands for its user."""

    session_id: str
    event: Event
    timestamp: float


@dataclass(frozen=True, kw_only=True)
class ServedSummary:
    """Counts of the lists served since a moment, without whose they were or what was asked.

    Attributes:
        n_lists: All lists.
        n_sessions: Different sessions among them.
        items: (item id, lists that it was in), most first, of the newest `MAX_COUNTED` lists.
    """

    n_lists: int
    n_sessions: int
    items: tuple[tuple[str, int], ...]


class Log:
    """Appends events and served lists; safe from several threads and processes.

    Args:
        folder: Where the service keeps its state.

    Raises:
        StateError: From here and from every method, if the file can't be read or written.
    """

    def __init__(self, folder: Path) -> None:
        # After a power failure the last moment may be missing here; sessions have their own file.
        self._database = Database(folder / FILE, SCHEMA, synchronous="normal")
        with self._database.writing() as connection:  # one process at a time
            present = {row[1] for row in connection.execute("PRAGMA table_info(served)")}
            for name, kind in ADDED.items():
                if name not in present:
                    connection.execute(f"ALTER TABLE served ADD COLUMN {name} {kind}")
            connection.execute(BY_EXPERIMENT)

    def add_events(self, events: Mapping[str, Sequence[Event]]) -> None:
        """Append events by session id; those that are here already are left as they are."""
        now = time.time()
        rows = [
            (
                session_id,
                event.event_id,
                event.item_id,
                event.type,
                now if event.timestamp is None else event.timestamp,
            )
            for session_id, added in events.items()
            for event in added
        ]
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO events (session_id, event_id, item_id, type, timestamp) "
                "VALUES (?, ?, ?, ?, ?)",
                rows,
            )

    def add_served(self, served: ServedList, stats: ListStats | None = None) -> None:
        """Append one list, with its statistics for monitoring."""
        row = (
            served.recommendation_id,
            served.session_id,
            served.timestamp,
            served.version,
            served.artifact,
            json.dumps(asdict(served.query), ensure_ascii=False),
            json.dumps(served.items, ensure_ascii=False),
            served.experiment,
            served.arm,
            json.dumps([asdict(placement) for placement in served.placements], ensure_ascii=False),
            served.unit,
            None if stats is None else stats.to_json(),
            None if stats is None else stats.vector,
        )
        with self._database.writing() as connection:
            connection.execute(
                f"INSERT INTO served ({COLUMNS}, stats, vector) VALUES (?{', ?' * 12})", row
            )

    def served(self, recommendation_id: str) -> ServedList | None:
        """A list by its name; None if it isn't here."""
        with self._database.reading() as connection:
            row = connection.execute(
                f"SELECT {COLUMNS} FROM served WHERE recommendation_id = ?", (recommendation_id,)
            ).fetchone()
        return None if row is None else _served(row)

    def served_since(self, since_s: float, limit: int) -> list[ServedList]:
        """The newest `limit` lists of those served from a Unix second on, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM served WHERE timestamp >= ? "
                "ORDER BY timestamp DESC, rowid DESC LIMIT ?",
                (since_s, limit),
            ).fetchall()
        return [_served(row) for row in reversed(rows)]

    def users(self) -> dict[str, str]:
        """Session → the user whom its newest list was for, of those that say so."""
        with self._database.reading() as connection:
            return dict(
                connection.execute(
                    "SELECT session_id, json_extract(query, '$.user_id') AS user FROM served "
                    "WHERE session_id IS NOT NULL AND user IS NOT NULL ORDER BY timestamp"
                ).fetchall()
            )

    def summary(self, since_s: float, n_items: int) -> ServedSummary:
        """Count what was served since a Unix second, with the `n_items` items served most."""
        with self._database.reading() as connection:
            n_lists, n_sessions = connection.execute(
                "SELECT count(*), count(DISTINCT session_id) FROM served WHERE timestamp >= ?",
                (since_s,),
            ).fetchone()
            items = connection.execute(
                "SELECT json_extract(value, '$[0]') AS item_id, count(*) FROM (SELECT items FROM "
                "served WHERE timestamp >= ? ORDER BY timestamp DESC LIMIT ?) AS newest, "
                "json_each(newest.items) GROUP BY item_id ORDER BY 2 DESC, 1 LIMIT ?",
                (since_s, MAX_COUNTED, n_items),
            ).fetchall()
        return ServedSummary(n_lists=n_lists, n_sessions=n_sessions, items=tuple(items))

    def monitored(self, from_s: float, until_s: float, limit: int) -> list[MonitoredList]:
        """The lists with statistics that were served in [`from_s`, `until_s`), oldest first.

        Args:
            from_s: Unix seconds.
            until_s: Unix seconds.
            limit: At most so many: those with a vector first, then the newest.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT recommendation_id, session_id, timestamp, version, items, stats, vector "
                "FROM served WHERE timestamp >= ? AND timestamp < ? AND stats IS NOT NULL "
                "ORDER BY vector IS NULL, timestamp DESC LIMIT ?",
                (from_s, until_s, limit),
            ).fetchall()
        lists = [
            MonitoredList(
                recommendation_id=recommendation_id,
                session_id=session_id,
                timestamp=timestamp,
                version=version,
                items=tuple((item_id, score) for item_id, score in json.loads(items)),
                stats=ListStats.from_json(stats, vector),
            )
            for recommendation_id, session_id, timestamp, version, items, stats, vector in rows
        ]
        return sorted(lists, key=lambda served: served.timestamp)

    def span_s(self) -> tuple[float, float] | None:
        """Unix seconds of the oldest and of the newest list; None if there is none."""
        with self._database.reading() as connection:
            oldest, newest = connection.execute(
                "SELECT min(timestamp), max(timestamp) FROM served"
            ).fetchone()
        return None if oldest is None else (oldest, newest)

    def events(self, since_s: float = 0.0) -> Iterator[LoggedEvent]:
        """Every event since a Unix second, in the order they came in."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT session_id, item_id, type, timestamp, event_id FROM events "
                "WHERE timestamp >= ? ORDER BY place",
                (since_s,),
            ).fetchall()
        for session_id, item_id, kind, timestamp, event_id in rows:
            event = Event(item_id, kind, timestamp, event_id)
            yield LoggedEvent(session_id=session_id, event=event, timestamp=timestamp)

    def erase(self, session_id: str, event_ids: Collection[str] | None = None) -> tuple[int, int]:
        """Take some events of a session, or all of it, out of the file; how many of each."""
        lists = 0
        with self._database.writing() as connection:
            events = erase_events(connection, session_id, event_ids)
            if event_ids is None:
                lists = connection.execute(
                    "DELETE FROM served WHERE session_id = ?", (session_id,)
                ).rowcount
        self._database.checkpoint()
        return events, lists

    def forget_served(self, before_s: float) -> int:
        """Remove the lists served before a Unix second; how many. Events stay."""
        with self._database.writing() as connection:
            return connection.execute(
                "DELETE FROM served WHERE timestamp < ?", (before_s,)
            ).rowcount

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection to read with, for what analyses all of it."""
        return self._database.reading()

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def open_log(folder: Path) -> Log:
    """The log of a service that was here before.

    Raises:
        StateError: If there is none.
    """
    if not (folder / FILE).is_file():
        raise StateError(f"{folder}: no {FILE} in it, expected the --state of `semrec serve`")
    return Log(folder)


def served_list(
    recommendation_id: str,
    session_id: str | None,
    query: Query,
    items: Sequence[Item],
    *,
    version: str,
    artifact: str,
    at_s: float | None = None,
) -> ServedList:
    """The log's record of a list that is served at a Unix second; None: now."""
    return ServedList(
        recommendation_id=recommendation_id,
        session_id=session_id,
        timestamp=time.time() if at_s is None else at_s,
        version=version,
        artifact=artifact,
        query=query,
        items=tuple((item.item_id, item.score) for item in items),
        placements=tuple(Placement(item_id=item.item_id, position=item.rank) for item in items),
    )


def _served(row: Sequence[Any]) -> ServedList:
    """A list from its row, in the order of `COLUMNS`."""
    recommendation_id, session_id, timestamp, version, artifact, query, items, *added = row
    experiment, arm, placements, unit = added
    return ServedList(
        recommendation_id=recommendation_id,
        session_id=session_id,
        timestamp=timestamp,
        version=version,
        artifact=artifact,
        query=Query(**json.loads(query)),
        items=tuple((item_id, score) for item_id, score in json.loads(items)),
        experiment=experiment,
        arm=arm,
        placements=tuple(Placement(**fields) for fields in json.loads(placements or "[]")),
        unit=unit,
    )
