"""The overview of a service: what drifts, since when, examples; the lists' quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semrec.monitor.alarms import Alarm, WindowDrift, current_alarms
from semrec.monitor.list_signals import PopularityOf, signals_of
from semrec.monitor.quality import ServedQuality, served_quality
from semrec.monitor.reference import Reference
from semrec.monitor.windows import MAX_LISTS, read_windows
from semrec.sessions.log import Log

N_EXAMPLES = 5
MAX_RATED = 5_000  # lists whose quality is looked at, the newest


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The state of a service by its log.

    Attributes:
        windows: Oldest first.
        alarms: Those that stand after the last window.
        examples: By signal of an alarm, requests of the last window that lie furthest on the
            side that it moved to, in their words; they go with their session.
        quality: By version and day, of the same time; observational.
    """

    windows: Sequence[WindowDrift]
    alarms: Sequence[Alarm]
    examples: Mapping[str, Sequence[str]]
    quality: Sequence[ServedQuality]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def make_overview(
    log: Log,
    reference: Reference,
    popularity_of: PopularityOf,
    window_s: float,
    n_windows: int,
    until_s: float | None = None,
) -> Overview:
    """The overview of the newest windows of a log; empty if nothing was served.

    Args:
        log: A service's.
        reference: Of the artifact that it serves.
        popularity_of: Of its items.
        window_s: Seconds of a window.
        n_windows: How many are looked at.
        until_s: Unix seconds at which the last ends; None: it holds the newest list.
    """
    windows = read_windows(log, reference, popularity_of, window_s, n_windows, until_s)
    alarms = current_alarms(windows)
    if not windows:
        return Overview(windows=(), alarms=(), examples={}, quality=())
    names = [alarm.signal for alarm in alarms]
    from_s, until_s = windows[0].from_s, windows[-1].until_s
    return Overview(
        windows=windows,
        alarms=alarms,
        examples=_examples(log, windows[-1], reference, popularity_of, names) if alarms else {},
        quality=served_quality(
            log.monitored(from_s, until_s, MAX_RATED), log.events(since_s=from_s)
        ),
    )


def _examples(
    log: Log,
    window: WindowDrift,
    reference: Reference,
    popularity_of: PopularityOf,
    names: Sequence[str],
) -> dict[str, list[str]]:
    lists = log.monitored(window.from_s, window.until_s, MAX_LISTS)
    signals = signals_of(lists, reference.binning, popularity_of)
    examples = {}
    for name in names:
        if name not in signals:
            continue
        rows, mean = signals[name].rows, reference.baselines[name].mean
        if rows.shape[1] != len(mean):
            continue
        nearest = np.argsort(-(rows @ (rows.mean(axis=0) - mean)), kind="stable")
        read = (log.served(lists[signals[name].lists[i]].recommendation_id) for i in nearest[:50])
        intents = dict.fromkeys(of.query.intent for of in read if of and of.query.intent.strip())
        examples[name] = list(intents)[:N_EXAMPLES]
    return examples
