"""Prometheus metrics: counts and times, added up over the workers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from semrec.serve.engine import Answer
from semrec.serve.state import METRICS_FOLDER

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The service's metrics; with METRICS_FOLDER set they are those of all workers."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Histogram(
            "semrec_request_seconds",
            "From a request's first byte to its answer's last, by endpoint and status",
            ("method", "endpoint", "status"),
            buckets=SECONDS,
            registry=registry,
        )
        self.stages = Histogram(
            "semrec_stage_seconds",
            "One request's share of each stage, its wait in the queue included",
            ("stage",),
            buckets=(0.0001, 0.0003, *SECONDS),
            registry=registry,
        )
        self.reranks = Counter(
            "semrec_rerank", "Lists by what the reranker did", ("status",), registry=registry
        )
        self.degraded = Counter(
            "semrec_degraded", "Lists that lack something that was asked for", registry=registry
        )
        self.events = Counter(
            "semrec_events", "Events that came in", ("result",), registry=registry
        )
        self.refused = Counter(
            "semrec_refused", "Requests refused before they were read", ("why",), registry=registry
        )
        self.unlogged = Counter(
            "semrec_unlogged", "Lists that could not be written to the log", registry=registry
        )
        self.queue = Gauge(
            "semrec_queue_depth",
            "Requests that wait",
            multiprocess_mode="livesum",
            registry=registry,
        )
        _forget_the_dead()

    def observe(self, answer: Answer) -> None:
        """Count one list and what it took."""
        trace = answer.found.trace
        self.stages.labels("queue").observe(answer.waited_ms / 1000)
        for stage, ms in trace.timings_ms.items():
            self.stages.labels(stage).observe(ms / 1000)
        self.reranks.labels(trace.rerank.status).inc()
        if trace.degraded:
            self.degraded.inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text form."""
        if METRICS_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _forget_the_dead() -> None:
    """A worker that was killed leaves its queue's depth behind."""
    if METRICS_FOLDER not in os.environ:
        return
    for path in Path(os.environ[METRICS_FOLDER]).glob("gauge_live*_*.db"):
        found = re.search(r"_(\d+)\.db$", path.name)
        if found and not psutil.pid_exists(int(found[1])):
            mark_process_dead(int(found[1]))  # type: ignore[no-untyped-call]
