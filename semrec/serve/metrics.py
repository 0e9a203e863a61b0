"""Prometheus metrics: counts and times, added up over the workers."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import psutil
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.parser import text_string_to_metric_families

from semrec import endpoint
from semrec.serve.engine import Answer
from semrec.serve.state import METRICS_FOLDER

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, kw_only=True)
class EndpointTimes:
    """Successful answers of an endpoint since the service began, and how long they took.

    Quantiles are read off the histogram's buckets, as Prometheus does it.
    """

    endpoint: str
    n_answers: int
    p50_ms: float
    p99_ms: float


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
        self.trusted = Gauge(
            "semrec_trusted",
            "1 while what is served elsewhere answers as it should, in every worker",
            ("part",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self.drift, self.alarm, self.quality = _drift_gauges(registry)
        self.endpoints = Histogram(
            "semrec_endpoint_seconds",
            "One question to a model that is served elsewhere, by what came of it",
            ("part", "outcome"),
            buckets=SECONDS,
            registry=registry,
        )
        endpoint.listeners.add(self)
        _forget_the_dead()

    def record(self, what: str, outcome: str, seconds: float) -> None:
        """Count one question to a model that is served elsewhere."""
        self.endpoints.labels(what, outcome).observe(seconds)

    def observe(self, answer: Answer) -> None:
        """Count one list and what it took."""
        trace = answer.recommendations.trace
        self.stages.labels("queue").observe(answer.waited_ms / 1000)
        for stage, ms in trace.timings_ms.items():
            self.stages.labels(stage).observe(ms / 1000)
        self.reranks.labels(trace.rerank.status).inc()
        if trace.degraded:
            self.degraded.inc()
        for name, part in answer.recommender.pipeline.watched.items():
            self.trusted.labels(name).set(not part.complaint)

    def text(self) -> bytes:
        """All metrics in Prometheus' text form."""
        if METRICS_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def times(self) -> list[EndpointTimes]:
        """Each endpoint's times, of all workers, the most asked first."""
        buckets: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
        for family in text_string_to_metric_families(self.text().decode()):
            for sample in family.samples:
                of = sample.labels
                if sample.name == "semrec_request_seconds_bucket" and of["status"].startswith("2"):
                    buckets[f"{of['method']} {of['endpoint']}"][float(of["le"])] += sample.value
        times = [_times(endpoint, counts) for endpoint, counts in buckets.items()]
        return sorted(times, key=lambda of: -of.n_answers)


def _drift_gauges(registry: CollectorRegistry) -> tuple[Gauge, Gauge, Gauge]:
    """Drift, alarm and quality; every worker sets them, and the latest counts."""

    def gauge(name: str, text: str, label: str) -> Gauge:
        mode: Literal["livemostrecent"] = "livemostrecent"
        return Gauge(name, text, (label,), multiprocess_mode=mode, registry=registry)

    return (
        gauge(
            "semrec_drift",
            "A signal's distance from validation in the last full hour, over its critical value",
            "signal",
        ),
        gauge(
            "semrec_drift_alarm",
            "1 while a signal drifts: in 2 of 3 hours, or far in the last",
            "signal",
        ),
        gauge(
            "semrec_quality",
            "Of the last hours' lists of the version that answers, by their sessions' next events",
            "metric",
        ),
    )


def _times(endpoint: str, counts: dict[float, float]) -> EndpointTimes:
    """Quantiles of a histogram: answers counted by the upper bound of their bucket, in seconds."""
    bounds = np.array(sorted(counts))
    upto = np.array([counts[bound] for bound in bounds])
    bounds[-1] = bounds[-2]  # beyond the last bound nothing is known
    n_answers = int(upto[-1])
    p50, p99 = np.interp([0.5 * n_answers, 0.99 * n_answers], [0, *upto], [0, *bounds]) * 1000
    return EndpointTimes(
        endpoint=endpoint, n_answers=n_answers, p50_ms=float(p50), p99_ms=float(p99)
    )


def _forget_the_dead() -> None:
    """A worker that was killed leaves its queue's depth behind."""
    if METRICS_FOLDER not in os.environ:
        return
    for path in Path(os.environ[METRICS_FOLDER]).glob("gauge_live*_*.db"):
        match = re.search(r"_(\d+)\.db$", path.name)
        if match and not psutil.pid_exists(int(match[1])):
            mark_process_dead(int(match[1]))  # type: ignore[no-untyped-call]
