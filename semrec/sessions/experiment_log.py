"""The lists of an experiment in a service's log, and the events that came after them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic_core import from_json

from semrec.sessions.log import Log

SESSIONS_AT_ONCE = 500  # of a statement: each costs some ten microseconds


class ShownList(NamedTuple):
    """A list of an experiment: a tuple, since a report makes a million of them.

    Attributes:
        timestamp: Unix seconds.
        unit: Whose it was: a session or a user.
        arm: As logged.
        scored: (item id, score) in the order of positions; empty unless they were wanted.
        placements: As logged: item_id, position, team, propensity.
    """

    timestamp: float
    unit: str
    arm: str
    scored: Sequence[tuple[str, float]]
    placements: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """A unit's part of an experiment.

    Attributes:
        unit: A session or a user.
        arm: Of its lists.
        n_lists: Lists.
    """

    unit: str
    arm: str
    n_lists: int


def units_of(log: Log, experiment: str) -> list[UnitCounts]:
    """Units of an experiment, one for each arm whose lists they got.

    Raises:
        StateError: If the log can't be read.
    """
    with log.reading() as connection:
        rows = connection.execute(
            "SELECT unit, arm, count(*) FROM served WHERE experiment = ? AND unit IS NOT NULL "
            "GROUP BY unit, arm",
            (experiment,),
        ).fetchall()
    return [UnitCounts(*row) for row in rows]


def events_before(log: Log, experiment: str) -> dict[str, int]:
    """Events of a unit's sessions before its first list, by unit: a covariate that no arm moves.

    Units without any aren't in it.

    Raises:
        StateError: If the log can't be read.
    """
    with log.reading() as connection:
        return dict(
            connection.execute(
                "WITH sessions AS (SELECT unit, session_id FROM served WHERE experiment = ?1 "
                "AND unit IS NOT NULL GROUP BY unit, session_id), "
                "firsts AS (SELECT unit, min(timestamp) AS first FROM served WHERE experiment = ?1 "
                "AND unit IS NOT NULL GROUP BY unit) "
                "SELECT unit, count(*) FROM firsts JOIN sessions USING (unit) "
                "CROSS JOIN events USING (session_id) WHERE events.timestamp < first GROUP BY unit",
                (experiment,),
            ).fetchall()
        )


def sessions_of(
    log: Log, experiment: str, types: Sequence[str], *, silent: bool
) -> Iterator[tuple[list[ShownList], list[tuple[float, str]]]]:
    """Session by session its lists, and its (time, item id) of events that count, oldest first.

    Args:
        log: The service's.
        experiment: Its name.
        types: Of the events that count.
        silent: All lists, with their scores; else only those that have an item of an event.

    Raises:
        StateError: If the log can't be read.
    """
    events_of = (
        "SELECT session_id, timestamp, item_id FROM events WHERE session_id IN {} AND type IN {} "
        "ORDER BY session_id, timestamp, place"
    )
    lists_of = (
        f"SELECT session_id, timestamp, unit, arm, placements, {'items' if silent else 'NULL'} "
        "FROM served INDEXED BY served_by_session WHERE session_id IN {} "
        "AND experiment = ? AND unit IS NOT NULL ORDER BY session_id, timestamp, rowid"
    )
    with log.reading() as connection:
        sessions = connection.execute(
            "SELECT DISTINCT session_id FROM served WHERE experiment = ? AND unit IS NOT NULL",
            (experiment,),
        ).fetchall()
        for start in range(0, len(sessions), SESSIONS_AT_ONCE):
            ids = [session_id for (session_id,) in sessions[start : start + SESSIONS_AT_ONCE]]
            statement = events_of.format(_marks(ids), _marks(types))
            events = _by_session(connection.execute(statement, (*ids, *types)))
            ids = [session_id for session_id in ids if silent or session_id in events]
            rows = connection.execute(lists_of.format(_marks(ids)), (*ids, experiment))
            lists = _by_session(rows)
            for session_id in ids:
                listed, of_session = lists.get(session_id, []), events.get(session_id, [])
                if not silent:
                    # Texts are searched in less time than they are parsed.
                    texts = {json.dumps(item_id, ensure_ascii=False) for _, item_id in of_session}
                    listed = [of for of in listed if any(text in (of[3] or "") for text in texts)]
                yield [_shown(row) for row in listed], of_session


def _marks(values: Sequence[str]) -> str:
    return f"({', '.join('?' * len(values))})"


def _by_session(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """Rows by their first column, without it."""
    by_session: dict[str, list[Any]] = {}
    for row in rows:
        by_session.setdefault(row[0], []).append(row[1:])
    return by_session


def _shown(row: Sequence[Any]) -> ShownList:
    timestamp, unit, arm, placements, items = row
    scored = from_json(items, cache_strings="keys") if items else ()
    placed = from_json(placements or "[]", cache_strings="keys")
    return ShownList(timestamp, unit, arm, scored, placed)
