"""A few threads, a bounded queue before them, and requests that wait answered together.

Knows no HTTP. A request whose client is gone, or whose budget passed while it waited, never
reaches the recommender. A query that is reranked is answered alone: nobody waits for its reranker.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from semrec.deadline import NEVER, Deadline
from semrec.errors import SemrecError
from semrec.recommender import Recommender
from semrec.types import Query, Recommendations

T = TypeVar("T")


class BusyError(Exception):
    """There is no room in the queue."""

    def __init__(self) -> None:
        super().__init__("too many requests wait already")


class ExpiredError(Exception):
    """The budget passed while the request waited."""

    def __init__(self) -> None:
        super().__init__("its budget passed while the request waited")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A list, who made it, and how long it had waited for that."""

    recommendations: Recommendations
    recommender: Recommender
    waited_ms: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    """A piece of work: an answer to `query`, or else `work`."""

    query: Query | None = None
    work: Callable[[Recommender], Any] | None = None
    deadline: Deadline = NEVER
    queued: bool  # every thread was taken when it came
    future: Future[Any] = field(default_factory=Future)
    entered_s: float = field(default_factory=time.monotonic)

    def joins(self, recommender: Recommender) -> bool:
        """True if it may be answered together with others.

        Where the recommender has a reranker or an encoder elsewhere it isn't: that may take seconds
        for a query without a budget, and one with 50 ms must not wait for it.
        """
        if self.query is None or recommender.waits:
            return False
        return self.query.rerank is False or recommender.reranking is None

    def begins(self) -> bool:
        """True if it is still wanted; if not, whoever waits for it is told.

        Where a thread was free no budget is too small: then there is a list, just not more.
        """
        if not self.future.set_running_or_notify_cancel():
            return False
        if self.queued and self.deadline.passed:
            self.future.set_exception(ExpiredError())
            return False
        return True


class Engine:
    """Threads that answer.

    Args:
        current: Gives the recommender that answers now; asked once per batch, so that no batch
            mixes two.
        threads: How many compute at a time.
        max_queue: How many requests may wait.
        max_batch: How many are answered together.
        on_depth: Told whenever the number of waiting requests changes.
    """

    def __init__(
        self,
        current: Callable[[], Recommender],
        *,
        threads: int,
        max_queue: int,
        max_batch: int,
        on_depth: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._current, self._on_depth = current, on_depth
        self._max_queue, self._max_batch = max_queue, max_batch
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._idle = 0  # threads that wait for a job
        self._threads = [
            threading.Thread(target=self._loop, name=f"engine-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def full(self) -> bool:
        """True if one more request would be refused."""
        return len(self._waiting) >= self._max_queue

    async def recommend(self, query: Query, deadline: Deadline) -> Answer:
        """The answer to a query.

        Raises:
            BusyError: If the queue is full.
            ExpiredError: If `deadline` passed while it waited.
            QueryError: As `Recommender.recommend`.
        """
        answer: Answer = await self._submit(query=query, deadline=deadline)
        return answer

    async def run(self, work: Callable[[Recommender], T], deadline: Deadline = NEVER) -> T:
        """The result of `work` on the recommender that answers now.

        Raises:
            BusyError: If the queue is full. And whatever `work` raises.
            ExpiredError: If `deadline` passed while it waited.
        """
        result: T = await self._submit(work=work, deadline=deadline)
        return result

    def close(self) -> None:
        """Finish what waits, then end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _submit(
        self,
        query: Query | None = None,
        work: Callable[[Recommender], Any] | None = None,
        deadline: Deadline = NEVER,
    ) -> asyncio.Future[Any]:
        with self._changed:
            if self._closed or self.full:
                raise BusyError
            queued = len(self._waiting) >= self._idle
            job = _Job(query=query, work=work, deadline=deadline, queued=queued)
            self._waiting.append(job)
            self._on_depth(len(self._waiting))
            self._changed.notify()
        job.future.add_done_callback(lambda _: self._drop(job))
        return asyncio.wrap_future(job.future)

    def _drop(self, job: _Job) -> None:
        """Make room at once if a job that waits was cancelled."""
        if not job.future.cancelled():
            return
        with self._changed, suppress(ValueError):  # a thread may have it by now
            self._waiting.remove(job)
            self._on_depth(len(self._waiting))

    def _loop(self) -> None:
        while jobs := self._take():
            now_s = time.monotonic()
            wanted = [job for job in jobs if job.begins()]
            if wanted:
                _compute(wanted, self._current(), now_s)
            del jobs, wanted  # an idle thread holds on to no answer

    def _take(self) -> list[_Job]:
        """The job that waits longest, with queries behind it for a batch; none: it's over.

        A thread takes no more than its share, so that none is idle while others have batches.
        """
        with self._changed:
            self._idle += 1
            while not self._waiting and not self._closed:
                self._changed.wait()
            self._idle -= 1
            share = -(-len(self._waiting) // len(self._threads))
            current = self._current()
            jobs: list[_Job] = []
            while self._waiting and len(jobs) < min(self._max_batch, max(share, 1)):
                if jobs and not all(job.joins(current) for job in (jobs[0], self._waiting[0])):
                    break
                jobs.append(self._waiting.popleft())
            if jobs:
                self._on_depth(len(self._waiting))
            return jobs


def _compute(jobs: list[_Job], recommender: Recommender, now_s: float) -> None:
    """Answer jobs whose futures are running; whatever is raised goes to who waits for it."""
    work = jobs[0].work
    try:
        if work is not None:
            jobs[0].future.set_result(work(recommender))
            return
        lists = recommender.recommend_many([_in_time(job) for job in jobs])
    except Exception as error:
        if len(jobs) > 1 and isinstance(error, SemrecError):  # one of them is wrong, not all
            for job in jobs:
                _compute([job], recommender, now_s)
        else:
            for job in jobs:
                job.future.set_exception(error)
        return
    for job, ranked in zip(jobs, lists, strict=True):
        ms = (now_s - job.entered_s) * 1000
        job.future.set_result(Answer(recommendations=ranked, recommender=recommender, waited_ms=ms))


def _in_time(job: _Job) -> Query:
    """The query with what is left of its budget."""
    assert job.query is not None
    if job.query.budget_ms is None:
        return job.query
    return replace(job.query, budget_ms=job.deadline.left_ms)
