"""Windows of a service's log, compared with a reference."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.monitor.alarms import WindowDrift
from semrec.monitor.list_signals import PopularityOf, by_session, signals_of
from semrec.monitor.reference import MIN_UNITS, Reference
from semrec.sessions.list_stats import MonitoredList
from semrec.sessions.log import Log

MAX_LISTS = 1_000  # of a window that are looked at: they take some 50 ms


def drift_of(
    lists: Sequence[MonitoredList], reference: Reference, popularity_of: PopularityOf
) -> dict[str, float]:
    """By signal, the drift of some lists: the statistic over its critical value.

    A session counts once, with the mean of its lists. Of fewer than `MIN_UNITS` sessions nothing is
    said.
    """
    drifts = {}
    for name, signal in signals_of(lists, reference.binning, popularity_of).items():
        rows = by_session(lists, signal)
        if name in reference.baselines and len(rows) >= MIN_UNITS:
            drifts[name] = reference.baselines[name].drift(rows)
    return drifts


def read_windows(
    log: Log,
    reference: Reference,
    popularity_of: PopularityOf,
    window_s: float,
    n: int,
    until_s: float | None = None,
) -> list[WindowDrift]:
    """The newest `n` windows of a log, oldest first; empty if nothing was served.

    Args:
        log: A service's.
        reference: Of the artifact that it serves.
        popularity_of: Of its items.
        window_s: Seconds of a window; windows begin at multiples of it.
        n: How many.
        until_s: Unix seconds at which the last ends; None: it holds the newest list.
    """
    span_s = log.span_s()
    if span_s is None:
        return []
    last = int(span_s[1] // window_s) if until_s is None else int(until_s // window_s) - 1
    first = max(int(span_s[0] // window_s), last - n + 1)
    windows = []
    for number in range(first, last + 1):
        from_s, until_s = number * window_s, (number + 1) * window_s
        lists = log.monitored(from_s, until_s, MAX_LISTS)
        windows.append(
            WindowDrift(
                from_s=from_s,
                until_s=until_s,
                n_lists=len(lists),
                versions=tuple(sorted({served.version for served in lists})),
                drift=drift_of(lists, reference, popularity_of),
            )
        )
    return windows
