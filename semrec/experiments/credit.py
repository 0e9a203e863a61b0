"""Credit of events to the lists that showed their items.

An event counts for the newest list of its session that was served before it and has its item among
the first `k`; an item counts once for a list. Whatever was erased from the log counts no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from semrec.experiments.plan import Metric
from semrec.sessions.experiment_log import ShownList, sessions_of
from semrec.sessions.log import Log


class Credited(NamedTuple):
    """A list and what it gets credit for.

    Attributes:
        shown: The list.
        positions: From 1, of the items whose events count for it.
    """

    shown: ShownList
    positions: tuple[int, ...]

    @property
    def by_team(self) -> int:
        """Items that team b picked less those of team a; an item of neither counts for none.

        Examples:
            >>> shown = ShownList(0.0, "ada", "ab", (), ({"team": "a"}, {"team": "b"}, {}))
            >>> Credited(shown, (2, 3)).by_team
            1
        """
        teams = [self.shown.placements[position - 1].get("team") for position in self.positions]
        return teams.count("b") - teams.count("a")


def credited(log: Log, experiment: str, metric: Metric, *, silent: bool) -> Iterator[Credited]:
    """The lists of an experiment with their credit.

    Args:
        log: The service's.
        experiment: Its name.
        metric: Events that count.
        silent: Also lists of sessions without such an event, and scores.

    Raises:
        StateError: If the log can't be read.
    """
    for lists, events in sessions_of(log, experiment, metric.types, silent=silent):
        yield from assign_credit(lists, events, metric.k)


def assign_credit(
    lists: Sequence[ShownList], events: Sequence[tuple[float, str]], k: int
) -> list[Credited]:
    """The credit of a session's lists.

    Args:
        lists: Oldest first.
        events: (Unix seconds, item id), oldest first.
        k: Positions that are looked at.

    Examples:
        >>> lists = [ShownList(t, "ada", "a", (), ({"item_id": "heat"},)) for t in (1.0, 5.0)]
        >>> [list.positions for list in assign_credit(lists, [(2.0, "heat"), (3.0, "ran")], k=10)]
        [(1,), ()]
    """
    if not events:
        return [Credited(shown, ()) for shown in lists]
    wanted = {item_id for _, item_id in events}
    newest: dict[str, tuple[int, int]] = {}
    positions: list[dict[int, None]] = [{} for _ in lists]
    at = 0
    for timestamp, item_id in events:
        while at < len(lists) and lists[at].timestamp <= timestamp:
            ids = [placement["item_id"] for placement in lists[at].placements[:k]]
            for shown_id in wanted.intersection(ids):
                newest[shown_id] = at, ids.index(shown_id) + 1
            at += 1
        if item_id in newest:
            number, position = newest[item_id]
            positions[number][position] = None
    return [Credited(shown, tuple(of)) for shown, of in zip(lists, positions, strict=True)]
