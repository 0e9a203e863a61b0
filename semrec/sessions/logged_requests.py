"""Requests of a service's log with what their sessions liked: to learn from, or to compare on.

Observational: an item can only be liked where it was shown or found otherwise, and what stands
first is shown most. So the labels favour whoever served the lists, and never a newcomer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from semrec.data.intents import fold_of
from semrec.sessions.log import Log, ServedList
from semrec.types import Case, Query

MAX_LISTS = 50_000  # the newest: more would fill the memory
COMPARED_OF = 5  # of so many users the requests of one are compared on, and nothing is learned
LABELS = frozenset({"like", "play", "buy"})  # a view may be a mistake
HORIZON_S = 30 * 60.0  # how long after a list an event counts for its request


@dataclass(frozen=True, kw_only=True)
class LoggedRequests:
    """The requests of a log.

    Attributes:
        learned: In words, with what was liked next; of users that may be learned from.
        compared: The same of the other users, who are never learned from.
        traffic: (unit, query) of every list.
        held_out: Sessions whose events nothing may be learned from.
    """

    learned: Sequence[Case]
    compared: Sequence[Case]
    traffic: Sequence[tuple[str, Query]]
    held_out: frozenset[str]


def read_requests(log: Log, since_s: float, known: Collection[str] = ()) -> LoggedRequests:
    """The requests of a log from a Unix second on, divided by user.

    A hash of the user decides: the query's ``user_id``, else the session. It decides alike in
    every run, so that a champion of before hasn't learned from what a candidate is compared on.

    Args:
        log: A service's.
        since_s: Of lists, the newest `MAX_LISTS`; users are divided whenever they came.
        known: Users whose events are learned from already: they can't be compared on any more.
    """
    user_of = log.users()
    lists = log.served_since(since_s, MAX_LISTS)
    liked: dict[str, list[tuple[float, str]]] = defaultdict(list)
    sessions = {served.session_id for served in lists if served.session_id is not None}
    for logged in log.events():
        sessions.add(logged.session_id)
        if logged.event.type in LABELS:
            liked[logged.session_id].append((logged.timestamp, logged.event.item_id))
    for times in liked.values():
        times.sort()
    held_out = frozenset(
        name
        for name in sessions
        if name not in known
        and (user := user_of.get(name, name)) not in known
        and fold_of(user, COMPARED_OF) == 0
    )
    learned, compared = list[Case](), list[Case]()
    for served in lists:
        name = served.session_id
        if name is None or not served.query.intent.strip():
            continue
        side = compared if name in held_out else learned
        relevant = _liked_next(served, liked.get(name, []))
        if relevant:
            # Not by the list's name, which is drawn: the same log makes the same files.
            case_id = f"{name} {served.timestamp:.3f} {len(side)}"
            unit = user_of.get(name, name)
            side.append(Case(case_id=case_id, query=served.query, relevant=relevant, unit=unit))
    traffic = [(of.session_id or f"list {n}", of.query) for n, of in enumerate(lists)]
    return LoggedRequests(learned=learned, compared=compared, traffic=traffic, held_out=held_out)


def _liked_next(served: ServedList, liked: Sequence[tuple[float, str]]) -> tuple[str, ...]:
    """Items that a list's session liked next, on it or elsewhere, and hadn't touched before."""
    start, stop = (
        bisect_right(liked, served.timestamp + after_s, key=lambda pair: pair[0])
        for after_s in (0.0, HORIZON_S)
    )
    seen = {event.item_id for event in served.query.events}
    return tuple(dict.fromkeys(item for _, item in liked[start:stop] if item not in seen))
