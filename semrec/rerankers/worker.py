"""One reranker at work for many requests, none of which it can make late.

    rerank_within: breaker → how many fit → wait for the turn → a thread scores, the caller waits
                   until the deadline → what was scored by then

A thread can't be killed, so the caller doesn't wait for it: it takes what was scored and leaves.
Requests wait for their turn in their callers, so a request whose caller has left never reaches the
model. While a thread hangs, or after failures in a row, nobody is sent to the reranker.
"""

from __future__ import annotations

import _thread
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from semrec.deadline import Deadline
from semrec.protocols import Reranker
from semrec.rerankers.score_collector import ScoreCollector
from semrec.rerankers.throughput import ThroughputEstimator
from semrec.types import FloatArray, RerankStatus

MAX_REASON = 200


@dataclass(frozen=True, kw_only=True)
class Reranked:
    """The outcome of reranking a list.

    Attributes:
        scores: (n,) float32 in the list's former order, NaN where nothing was scored.
        status: ``complete``: all were scored; ``partial``: some; ``timeout``: none in time;
            ``error``: it failed (what it had scored before still counts); ``skipped``: not asked.
        reason: Why it was skipped, or how it failed.
        missing: Texts that it was asked about and didn't answer.
        doubled: Answers about texts that were answered before.
        invented: Answers about texts that there are none of.
    """

    scores: FloatArray
    status: RerankStatus
    reason: str = ""
    missing: int = 0
    doubled: int = 0
    invented: int = 0


@dataclass(kw_only=True)
class _Job:
    request: str
    texts: Sequence[str]
    deadline: Deadline
    collector: ScoreCollector
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: threading.Event = field(default_factory=threading.Event)
    left: bool = False  # its caller has
    late: bool = False  # counted as hanging
    failure: str = ""


class RerankWorker:
    """Asks a reranker, one request at a time, and leaves at the deadline.

    Attributes:
        hangs: How often it was still at work long after a deadline.
    """

    def __init__(
        self,
        reranker: Reranker,
        *,
        longest_s: float = 10.0,
        grace_s: float = 1.0,
        rest_s: float = 30.0,
        failures: int = 3,
    ) -> None:
        """Starts nothing yet.

        Args:
            reranker: The one that is put to work.
            longest_s: For one request, also where the deadline is later or there is none.
            grace_s: How long after a deadline a reranker may go on before it counts as hanging.
            rest_s: How long nobody is sent to it after a hang or failures in a row.
            failures: How many in a row.
        """
        self._reranker = reranker
        self._longest_s, self._grace_s, self._rest_s = longest_s, grace_s, rest_s
        self._most_failures = failures
        self.hangs = 0
        self._throughput = ThroughputEstimator()
        self._turn = threading.Lock()  # taken by a caller, given back by its thread
        self._running: _Job | None = None
        self._state = threading.Lock()
        self._failures = 0
        self._closed_until_s = -math.inf

    @property
    def each_ms(self) -> float | None:
        """Milliseconds per candidate, as last estimated; None: not known yet."""
        return self._throughput.each_ms

    def rerank_within(self, request: str, texts: Sequence[str], deadline: Deadline) -> Reranked:
        """Scores of a list by the deadline; never later, and never an error.

        Args:
            request: What is wanted, in words.
            texts: The candidates in words, the likeliest first.
            deadline: When to come back; all deadlines are on the same clock.
        """
        if not len(texts):
            return Reranked(scores=np.zeros(0, np.float32), status="complete")
        latest_s = deadline.clock() + self._longest_s
        deadline = replace(deadline, at_s=min(deadline.at_s, latest_s))
        reason = self._refusal(len(texts), deadline)
        if reason:
            return _skipped(texts, reason)
        if not self._turn.acquire(timeout=deadline.left_ms / 1000):
            return _skipped(texts, "other requests were being reranked")
        n_fit = self._throughput.fitting(len(texts), deadline.left_ms)
        if not n_fit:
            self._turn.release()
            return _skipped(texts, "too little time was left")
        job = _Job(
            request=request,
            texts=texts[:n_fit],
            deadline=deadline,
            collector=ScoreCollector.of(len(texts)),
        )
        self._running = job
        try:
            # Not threading.Thread: its start waits until the thread runs, for however long.
            _thread.start_new_thread(self._work, (job,))
        except RuntimeError as error:  # the process may start no more threads
            self._running = None
            self._turn.release()
            return _skipped(texts, str(error))
        job.ended.wait(deadline.left_ms / 1000)
        with job.lock:
            job.left = True
            return _outcome(job)

    def _refusal(self, n: int, deadline: Deadline) -> str:
        """A reason not to ask now; empty: ask."""
        with self._state:
            running = self._running
            if running is not None and self._is_late(running):
                return "the reranker hangs"
            if deadline.clock() < self._closed_until_s:
                return "the reranker rests after it hung or failed"
        return "" if self._throughput.fitting(n, deadline.left_ms) else "too little time was left"

    def _work(self, job: _Job) -> None:
        try:
            self._score(job)
        except BaseException as error:  # whatever it is, the next request finds the turn free
            job.failure = f"{type(error).__name__}: {error}"[:MAX_REASON]
        with self._state:
            self._is_late(job)
            self._failures = self._failures + 1 if job.failure else 0
            if self._failures >= self._most_failures:
                self._closed_until_s = job.deadline.clock() + self._rest_s
            self._running = None
        job.ended.set()
        self._turn.release()

    def _score(self, job: _Job) -> None:
        clock = job.deadline.clock
        start = last = clock()
        measure = self._throughput.first
        for scored in self._reranker.rerank(job.request, job.texts, job.deadline):
            with job.lock:  # what comes when the caller has left teaches how long it takes
                before = job.collector.n_scored
                job.collector.add(scored)
                n_new = job.collector.n_scored - before
            measure(n_new, 1000 * (clock() - last))
            measure, last = self._throughput.next, clock()
            if job.left or job.deadline.passed:
                return
            further = job.collector.n_scored < len(job.texts)
            if further and not self._throughput.goes_on(n_new, job.deadline.left_ms):
                return  # what comes too late only takes the processor from who answers then
        if not job.collector.n_scored:
            if job.deadline.passed:
                self._throughput.nothing(1000 * (clock() - start))
            elif job.texts:
                job.failure = "it scored nothing"

    def _is_late(self, job: _Job) -> bool:
        """True if a job outstayed its deadline by far; counts it the first time."""
        now = job.deadline.clock()
        if now <= job.deadline.at_s + self._grace_s:
            return False
        if not job.late:
            job.late = True
            self.hangs += 1
            self._closed_until_s = now + self._rest_s
        return True


def _skipped(texts: Sequence[str], reason: str) -> Reranked:
    return Reranked(scores=ScoreCollector.of(len(texts)).scores, status="skipped", reason=reason)


def _outcome(job: _Job) -> Reranked:
    collector = job.collector
    status: RerankStatus = "timeout"
    if job.failure:
        status = "error"
    elif collector.n_scored:
        status = "complete" if collector.n_scored == len(collector.scores) else "partial"
    return Reranked(
        scores=collector.scores.copy(),
        status=status,
        reason=job.failure,
        missing=collector.missing,
        doubled=collector.doubled,
        invented=collector.invented,
    )
