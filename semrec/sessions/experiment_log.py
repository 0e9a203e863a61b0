"""The lists of an experiment in a service's log, and the events that came after them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from semrec.sessions.log import Log


@dataclass(frozen=True, slots=True)
class ShownList:
    """A list of an experiment.

    Attributes:
        timestamp: Unix seconds.
        unit: Whose it was: a session or a user.
        arm: As logged.
        scores: In the order of positions; empty unless they were wanted.
        placements: As logged: item_id, position, team, propensity.
    """

    timestamp: float
    unit: str
    arm: str
    scores: Sequence[float]
    placements: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """A unit's part of an experiment.

    Attributes:
        unit: A session or a user.
        arm: Of its lists.
        n_lists: Lists.
        n_before: Events of its sessions before its first list: a covariate that no arm moves.
    """

    unit: str
    arm: str
    n_lists: int
    n_before: int


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
        before = dict(
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
    return [UnitCounts(unit, arm, n, before.get(unit, 0)) for unit, arm, n in rows]


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
    marks = ", ".join("?" * len(types))
    events_of = (
        f"SELECT timestamp, item_id FROM events WHERE session_id = ? AND type IN ({marks}) "
        "ORDER BY timestamp, place"
    )
    lists_of = (
        f"SELECT timestamp, unit, arm, placements, {'items' if silent else 'NULL'} FROM served "
        "INDEXED BY served_by_session WHERE session_id = ? AND experiment = ? "
        "AND unit IS NOT NULL ORDER BY timestamp, rowid"
    )
    with log.reading() as connection:
        sessions = connection.execute(
            "SELECT DISTINCT session_id FROM served WHERE experiment = ? AND unit IS NOT NULL",
            (experiment,),
        ).fetchall()
        for (session_id,) in sessions:
            events = connection.execute(events_of, (session_id, *types)).fetchall()
            if events or silent:
                rows = connection.execute(lists_of, (session_id, experiment))
                # Texts are searched in less time than they are parsed.
                ids = {json.dumps(item_id, ensure_ascii=False) for _, item_id in events}
                lists = [
                    _shown(row) for row in rows if silent or any(of in (row[3] or "") for of in ids)
                ]
                yield lists, events


def _shown(row: tuple[float, str, str, str | None, str | None]) -> ShownList:
    timestamp, unit, arm, placements, items = row
    scores = [score for _, score in from_json(items)] if items else []
    return ShownList(timestamp, unit, arm, scores, from_json(placements or "[]"))
