"""The drift in a service's log: whether a run is due, and from when on its requests count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semrec.errors import DataError
from semrec.monitor.alarms import Alarm, current_alarms
from semrec.monitor.reference import load_reference
from semrec.monitor.windows import read_windows
from semrec.sessions.log import open_log

N_WINDOWS = 24  # that are looked at, as by `semrec monitor`


@dataclass(frozen=True, kw_only=True)
class LogState:
    """A log beside the artifact that serves.

    Attributes:
        newest_s: Unix seconds of the newest list.
        alarms: Those that stand; None: no artifact to compare with.
    """

    newest_s: float
    alarms: Sequence[Alarm] | None

    @property
    def is_quiet(self) -> bool:
        """True if there is something to compare with, and no alarm."""
        return self.alarms is not None and not self.alarms

    def since_s(self, recent_s: float) -> float:
        """The Unix second from which on requests count: the drift's, else the newest `recent_s`.

        Examples:
            >>> alarm = Alarm(signal="scores", since_s=3_600.0, drift=2.0)
            >>> LogState(newest_s=9_000.0, alarms=[alarm]).since_s(60.0)
            3600.0
            >>> LogState(newest_s=9_000.0, alarms=None).since_s(60.0)
            8940.0
        """
        if self.alarms:
            return min(alarm.since_s for alarm in self.alarms)
        return self.newest_s - recent_s


def read_log_state(log_folder: Path, link: Path | None, window_s: float) -> LogState:
    """The state of a log, compared with the artifact behind a link.

    Args:
        log_folder: A service's ``--state``.
        link: What serves; None, or a link that isn't there yet: nothing to compare with.
        window_s: Seconds of a window.

    Raises:
        ArtifactError: If the artifact has nothing to compare with.
        DataError: If nothing was served yet.
        StateError: If there is no log.
    """
    log = open_log(log_folder)
    try:
        span_s = log.span_s()
        if span_s is None:
            raise DataError(f"{log_folder}: nothing was served yet, there is nothing to learn from")
        alarms = None
        if link is not None and link.exists():
            reference, popularity_of = load_reference(link.resolve())
            windows = read_windows(log, reference, popularity_of, window_s, N_WINDOWS)
            alarms = current_alarms(windows)
        return LogState(newest_s=span_s[1], alarms=alarms)
    finally:
        log.close()
