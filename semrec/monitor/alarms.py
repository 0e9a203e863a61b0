"""Alarms: a signal that drifts in two of three windows, or far in the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FAR = 5.0  # critical values: so far, one window is enough
RECENT, ENOUGH = 3, 2  # windows that are looked at, and those of them that must have drifted


@dataclass(frozen=True, kw_only=True)
class WindowDrift:
    """Drift in one window.

    Attributes:
        from_s: Unix seconds.
        until_s: Unix seconds, not in it any more.
        n_lists: Lists that were looked at.
        versions: Artifacts that made them.
        drift: By signal, the statistic over its critical value; without those that have too few.
    """

    from_s: float
    until_s: float
    n_lists: int = 0
    versions: tuple[str, ...] = ()
    drift: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A signal that drifts now.

    Attributes:
        signal: Its name.
        since_s: Unix seconds at which its first drifting window began.
        drift: Of its last window.
    """

    signal: str
    since_s: float
    drift: float


def current_alarms(windows: Sequence[WindowDrift]) -> list[Alarm]:
    """The alarms after the last of some windows, the furthest drift first.

    Args:
        windows: In the order of their times. One that says nothing of a signal isn't counted.

    Examples:
        >>> drifts = (0.4, 1.3, 0.9, 1.2)
        >>> windows = [
        ...     WindowDrift(from_s=hour * 3600, until_s=(hour + 1) * 3600, drift={"scores": drift})
        ...     for hour, drift in enumerate(drifts)
        ... ]
        >>> current_alarms(windows)
        [Alarm(signal='scores', since_s=3600, drift=1.2)]
        >>> current_alarms(windows[:3])
        []
    """
    alarms = []
    for signal in dict.fromkeys(name for window in windows for name in window.drift):
        known = [window for window in windows if signal in window.drift]
        since_s = _since_s([window.from_s for window in known], [w.drift[signal] for w in known])
        if since_s is not None:
            alarms.append(Alarm(signal=signal, since_s=since_s, drift=known[-1].drift[signal]))
    return sorted(alarms, key=lambda alarm: -alarm.drift)


def _since_s(starts_s: Sequence[float], drifts: Sequence[float]) -> float | None:
    """The start of the first drifting window of the alarm that stands now; None: none stands."""
    first: float | None = None
    for end in range(1, len(drifts) + 1):
        begin = max(0, end - RECENT)
        beyond = [index for index in range(begin, end) if drifts[index] > 1]
        if len(beyond) >= ENOUGH or drifts[end - 1] > FAR:
            first = starts_s[beyond[0]] if first is None else first
        else:
            first = None
    return first
