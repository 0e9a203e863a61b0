"""Watches drift while the service answers: gauges at `/metrics`, from the log's last full hours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from semrec.errors import ArtifactError
from semrec.monitor.overview import Overview, make_overview
from semrec.monitor.reference import Reference, popularity_by, read_reference
from semrec.recommender import Recommender
from semrec.serve.metrics import Metrics
from semrec.sessions.log import Log

HOUR_S = 3_600.0
RECENT_WINDOWS = 3  # what an alarm may go by


class DriftWatch:
    """Looks at the log, compared with the reference of the artifact that answers.

    Args:
        log: Of the service.
        metrics: Whose gauges are set.
        clock: Unix seconds.
    """

    def __init__(self, log: Log, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        self._log, self._metrics, self._clock = log, metrics, clock
        self._lock = threading.Lock()
        self._reference: tuple[str, Reference | None] = ("", None)

    def overview(self, recommender: Recommender, n_hours: int) -> Overview | None:
        """The overview of the last full hours; None if the artifact has no reference.

        Args:
            recommender: Whose artifact is compared with.
            n_hours: How many hours are looked at.

        Raises:
            StateError: If the log can't be read.
        """
        reference = self._reference_of(recommender)
        if reference is None:
            return None
        popularity_of = popularity_by(recommender.catalog, recommender.interactions.counts)
        until_s = self._clock() // HOUR_S * HOUR_S
        return make_overview(self._log, reference, popularity_of, HOUR_S, n_hours, until_s)

    def look(self, recommender: Recommender) -> None:
        """Set the gauges.

        Raises:
            StateError: If the log can't be read.
        """
        overview = self.overview(recommender, RECENT_WINDOWS)
        if overview is None or not overview.windows:
            return
        alarmed = {alarm.signal for alarm in overview.alarms}
        last = overview.windows[-1].drift
        for signal in {name for window in overview.windows for name in window.drift}:
            self._metrics.drift.labels(signal).set(last.get(signal, float("nan")))
            self._metrics.alarm.labels(signal).set(signal in alarmed)
        for quality in overview.quality:  # the newest day is the last
            if quality.version == recommender.version:
                self._metrics.quality.labels("hit@10").set(quality.hit.mean)
                self._metrics.quality.labels("mrr@10").set(quality.mrr.mean)

    def _reference_of(self, recommender: Recommender) -> Reference | None:
        """The reference of an artifact, read once."""
        with self._lock:
            version, reference = self._reference
            if version != recommender.version or not version:
                try:
                    reference = read_reference(recommender.path) if recommender.path else None
                except ArtifactError:  # of before; `semrec monitor` says so
                    reference = None
                self._reference = (recommender.version, reference)
            return reference
