"""A few threads that compute answers, and a bounded queue before them.

Knows no HTTP. A request whose client is gone, or whose budget passed while it waited, never
reaches the recommender.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from semrec.deadline import NEVER, Deadline
from semrec.recommender import Recommender
from semrec.types import Query, Recommendations

T = TypeVar("T")


class BusyError(Exception):
    """There is no room in the queue."""


class ExpiredError(Exception):
    """The budget passed while the request waited."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A list, who made it, and how long it had waited for that."""

    found: Recommendations
    recommender: Recommender
    waited_ms: float


class Engine:
    """Threads that answer one request each.

    Args:
        current: Gives the recommender that answers now; asked once for each request.
        threads: How many compute at a time.
        max_queue: How many requests may wait.
        on_depth: Told whenever the number of waiting requests changes.
    """

    def __init__(
        self,
        current: Callable[[], Recommender],
        *,
        threads: int,
        max_queue: int,
        on_depth: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._current, self._on_depth = current, on_depth
        self._threads, self._max_queue = threads, max_queue
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="engine")
        self._lock = threading.Lock()
        self._waiting = self._running = 0
        self._closed = False

    @property
    def full(self) -> bool:
        """True if one more request would be refused."""
        return self._waiting >= self._max_queue

    async def recommend(self, query: Query, deadline: Deadline) -> Answer:
        """The answer to a query.

        Raises:
            BusyError: If the queue is full.
            ExpiredError: If `deadline` passed while it waited.
            QueryError: As `Recommender.recommend`.
        """
        entered_s = time.monotonic()

        def answer(recommender: Recommender) -> Answer:
            waited_ms = (time.monotonic() - entered_s) * 1000
            left_ms = None if query.budget_ms is None else deadline.left_ms
            found = recommender.recommend(replace(query, budget_ms=left_ms))
            return Answer(found=found, recommender=recommender, waited_ms=waited_ms)

        return await self.run(answer, deadline)

    async def run(self, work: Callable[[Recommender], T], deadline: Deadline = NEVER) -> T:
        """The result of `work` on the recommender that answers now.

        Raises:
            BusyError: If the queue is full.
            ExpiredError: If `deadline` passed while it waited. And whatever `work` raises.
        """
        with self._lock:
            if self._closed or self.full:
                raise BusyError
            # Where a thread is free no budget is too small: there is a list, just not more.
            must_begin_by = deadline if self._waiting + self._running >= self._threads else NEVER
            self._moved(waiting=1)
        future = self._pool.submit(self._compute, work, must_begin_by)
        future.add_done_callback(self._forget)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what waits, then end the threads."""
        with self._lock:
            self._closed = True
        self._pool.shutdown()

    def _compute(self, work: Callable[[Recommender], T], must_begin_by: Deadline) -> T:
        with self._lock:
            self._moved(waiting=-1, running=1)
        try:
            if must_begin_by.passed:
                raise ExpiredError
            return work(self._current())
        finally:
            with self._lock:
                self._moved(running=-1)

    def _forget(self, future: Future[T]) -> None:
        if future.cancelled():  # its client is gone; no thread had begun with it
            with self._lock:
                self._moved(waiting=-1)

    def _moved(self, *, waiting: int = 0, running: int = 0) -> None:
        self._waiting += waiting
        self._running += running
        if waiting:
            self._on_depth(self._waiting)
