"""Quality of served lists: what their sessions touched next, by version and by day.

Observational: what stands first is touched because it stands first, and who touches nothing isn't
counted. It shows change over time; experiments show causes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from semrec.metrics.ranking import hit, mrr, ranks_of
from semrec.metrics.significance import Estimate, bootstrap_means, estimate
from semrec.sessions.list_stats import MonitoredList
from semrec.sessions.log import LoggedEvent

HORIZON_S = 30 * 60
K = 10


@dataclass(frozen=True, kw_only=True)
class ServedQuality:
    """Quality of the lists of a version on a day.

    Attributes:
        version: The artifact's.
        day: In UTC, as 2026-01-31.
        n_lists: Lists that an event followed within `HORIZON_S`.
        n_sessions: Their sessions, which are resampled.
        hit: Share of lists with a next item among the first `K`.
        mrr: Mean of 1 / rank of the first next item among the first `K`.
    """

    version: str
    day: str
    n_lists: int
    n_sessions: int
    hit: Estimate
    mrr: Estimate


def served_quality(
    lists: Iterable[MonitoredList], events: Iterable[LoggedEvent]
) -> list[ServedQuality]:
    """Quality by version and day, oldest first.

    Args:
        lists: Those without a session don't count.
        events: Of the same sessions; a reject is none.

    Examples:
        >>> from semrec.sessions.list_stats import ListStats
        >>> from semrec.types import Event
        >>> served = MonitoredList(
        ...     recommendation_id="r", session_id="s", timestamp=0.0, version="v",
        ...     items=(("heat", 1.0), ("rififi", 0.9)), stats=ListStats(),
        ... )
        >>> liked = LoggedEvent(session_id="s", event=Event("rififi"), timestamp=60.0)
        >>> [quality] = served_quality([served], [liked])
        >>> quality.day, quality.hit.mean, quality.mrr.mean
        ('1970-01-01', 1.0, 0.5)
    """
    touched: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for logged in events:
        if logged.event.type != "reject":
            touched[logged.session_id].append((logged.timestamp, logged.event.item_id))
    for times in touched.values():
        times.sort()
    groups: dict[tuple[str, str], list[tuple[str, float, float]]] = defaultdict(list)
    for served in lists:
        times = touched.get(served.session_id or "", [])
        if wanted := _next_items(times, served.timestamp):
            ranks = ranks_of([item_id for item_id, _ in served.items], wanted)
            day = datetime.fromtimestamp(served.timestamp, UTC).date().isoformat()
            values = (hit(ranks, len(wanted), K), mrr(ranks, len(wanted), K))
            groups[day, served.version].append((str(served.session_id), *values))
    return [_quality(day, version, groups[day, version]) for day, version in sorted(groups)]


def _next_items(times: Sequence[tuple[float, str]], served_s: float) -> list[str]:
    start = bisect_right(times, served_s, key=lambda pair: pair[0])
    stop = bisect_right(times, served_s + HORIZON_S, key=lambda pair: pair[0])
    return list(dict.fromkeys(item_id for _, item_id in times[start:stop]))


def _quality(day: str, version: str, lists: Sequence[tuple[str, float, float]]) -> ServedQuality:
    units = [unit for unit, _, _ in lists]
    values = np.array([of[1:] for of in lists], dtype=np.float64).T
    means = bootstrap_means(values, units, np.random.default_rng(0))
    return ServedQuality(
        version=version,
        day=day,
        n_lists=len(lists),
        n_sessions=len(set(units)),
        hit=estimate(values[0], means[:, 0]),
        mrr=estimate(values[1], means[:, 1]),
    )
