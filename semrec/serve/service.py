"""The parts of a running service, as handlers are given them, and the one way to an answer.

stored events, then the request's → queue → recommender → log → answer
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from semrec.chat.explanations import explain
from semrec.chat.llm_replies import ReplyWriter
from semrec.deadline import Deadline
from semrec.errors import QueryError, StateError, preview
from semrec.protocols import SessionStore
from semrec.recommender import Recommender
from semrec.serve.arms import Experiments
from semrec.serve.deployment import Deployment
from semrec.serve.drift_watch import DriftWatch
from semrec.serve.engine import Answer, Engine
from semrec.serve.live_items import LiveItems
from semrec.serve.metrics import Metrics
from semrec.serve.settings import Settings
from semrec.sessions.list_stats import list_stats
from semrec.sessions.log import Log, ServedList, served_list
from semrec.types import Event, Item, Query, Recommendations

logger = logging.getLogger(__name__)

DAY_S = 86_400

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A list that was answered and logged.

    Attributes:
        recommendation_id: Its name in the log; `semrec replay` makes it again.
        query: What was asked, stored events included.
        recommendations: The list and its trace.
        timings_ms: By stage, with the wait in the `queue`, and in `total`.
        recommender: Who made it, for whatever else of the answer needs the same catalogue.
    """

    recommendation_id: str
    query: Query
    recommendations: Recommendations
    timings_ms: Mapping[str, float]
    recommender: Recommender


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts of a running service. One per worker; handlers get it as `ServiceOf`."""

    settings: Settings
    deployment: Deployment
    engine: Engine
    sessions: SessionStore
    log: Log
    metrics: Metrics
    items: LiveItems
    drift_watch: DriftWatch
    experiments: Experiments = field(default_factory=Experiments)
    reply_writer: ReplyWriter | None = None
    clock: Callable[[], float] = time.time  # Unix seconds, that lists are logged with

    @property
    def recommender(self) -> Recommender:
        """The one that answers now. Whoever needs it twice keeps it: the next may be another."""
        return self.deployment.current

    async def recommend(self, query: Query, session_id: str | None = None) -> Served:
        """Answer a query, with the events of a session before its own, and log the list.

        Raises:
            QueryError: If the query can't be understood.
            BusyError: If the queue is full.
            ExpiredError: If its budget passed while it waited.
            StateError: If the session can't be read.
        """
        deadline = Deadline.within(query.budget_ms)
        if session_id is not None:
            stored = await run_in_threadpool(self.sessions.get, session_id)
            query = replace(query, session=(*stored, *query.events))
        return await self.answer(query, session_id, deadline)

    async def answer(self, query: Query, session_id: str | None, deadline: Deadline) -> Served:
        """Answer a query as it is, and log the list as one of a session.

        Raises:
            QueryError, BusyError, ExpiredError: As `recommend`.
        """
        recommendation_id = uuid.uuid4().hex
        drawn = await self.experiments.answer(
            self.engine, recommendation_id, query, session_id, deadline
        )
        answer, query = drawn.answer, drawn.query
        self.metrics.observe(answer)
        served = served_list(
            recommendation_id,
            session_id,
            query,
            answer.recommendations.items,
            version=answer.recommender.version,
            artifact=str(answer.recommender.path or ""),
            at_s=self.clock(),
        )
        served = drawn.recorded(served)
        try:
            await run_in_threadpool(self._log_list, served, answer)
        except StateError as error:  # better a list that can't be replayed than none
            self.metrics.unlogged.inc()
            logger.error("list not logged", extra={"error": str(error)})
        timings_ms = dict(answer.recommendations.trace.timings_ms)
        total = timings_ms.pop("total", 0.0) + answer.waited_ms
        return Served(
            recommendation_id=recommendation_id,
            query=query,
            recommendations=answer.recommendations,
            timings_ms={"queue": answer.waited_ms, **timings_ms, "total": total},
            recommender=answer.recommender,
        )

    def _log_list(self, served: ServedList, answer: Answer) -> None:
        """Log a list with its statistics; of every n-th the request's vector too, drawn by name."""
        sampled = int(served.recommendation_id[:8], 16) % self.settings.monitor_every == 0
        catalog = answer.recommender.catalog
        stats = list_stats(served.query, answer.recommendations, catalog, sampled=sampled)
        self.log.add_served(served, stats)

    async def explain(self, served: Served) -> Served:
        """The same with an explanation of each item.

        Raises:
            BusyError: If the queue is full.
        """
        explained = await self.compute(
            lambda _: explain(served.recommender, served.query, served.recommendations)
        )
        return replace(served, recommendations=explained)

    async def explain_logged(self, recommendation_id: str) -> tuple[Item, ...]:
        """The items of a list as it was served, each with an explanation.

        Raises:
            QueryError: If the log has no such list, or another artifact answers now.
            BusyError: If the queue is full.
            StateError: If the log can't be read.
        """
        served = await run_in_threadpool(self.log.served, recommendation_id)
        if served is None:
            raise QueryError(
                f"no list {preview(recommendation_id)} in the log: expected the recommendation_id "
                "of one that was served, and not erased since"
            )

        def explained(recommender: Recommender) -> tuple[Item, ...]:
            recommender = self.experiments.by_version(served.version) or recommender
            if recommender.version != served.version:
                raise QueryError(
                    f"the list was made by artifact {served.version}, now {recommender.version} "
                    "answers; ask for another list"
                )
            catalog = recommender.catalog
            items = tuple(
                Item(item_id, catalog.titles[row], score, rank)
                for rank, (item_id, score) in enumerate(served.items, start=1)
                if (row := catalog.row(item_id)) is not None
            )
            # The reasons stand in the trace, which needs no reranker; the list is as it was served.
            again = recommender.recommend(replace(served.query, rerank=False))
            return explain(recommender, served.query, replace(again, items=items)).items

        return await self.compute(explained)

    async def compute(self, work: Callable[[Recommender], T]) -> T:
        """The result of `work` on the recommender that answers now, on the engine's threads.

        Raises:
            BusyError: If the queue is full. And whatever `work` raises.
        """
        return await self.engine.run(work)

    async def add_events(self, events: Mapping[str, Sequence[Event]]) -> int:
        """Store and log events by session id; how many were new. They have event ids.

        Raises:
            StateError: If they can't be kept; sent again, none counts twice.
        """

        def add() -> int:  # whichever of the two fails, sending again makes it whole
            self.log.add_events(events)
            return self.sessions.append(events)

        accepted = await run_in_threadpool(add)
        self.metrics.events.labels("accepted").inc(accepted)
        sent = sum(len(added) for added in events.values())
        self.metrics.events.labels("duplicate").inc(sent - accepted)
        return accepted

    async def erase_events(self, session_id: str, event_ids: Sequence[str]) -> int:
        """Take some events of a session back, out of the log too; how many there were.

        Raises:
            StateError: If the store or the log can't be reached.
        """

        def erase() -> int:
            logged, _ = self.log.erase(session_id, event_ids)
            return max(logged, self.sessions.erase(session_id, event_ids))

        return await run_in_threadpool(erase)

    def catch_up(self) -> None:
        """Take in the items that other workers added or removed."""
        for recommender in (self.recommender, *self.experiments.recommenders.values()):
            self.items.catch_up(recommender)

    def look_at_drift(self) -> None:
        """Set the gauges of drift."""
        self.drift_watch.look(self.recommender)

    def tidy(self) -> None:
        """Remove the lists from the log that are older than the settings say."""
        self.log.forget_served(self.clock() - self.settings.served_days * DAY_S)

    def close(self) -> None:
        """Finish what was accepted, then let go of everything."""
        self.engine.close()
        self.deployment.close()
        self.sessions.close()
        self.items.close()
        self.log.close()


# Both are coroutines only so that FastAPI doesn't call them on threads of their own.
async def service_of(request: Request) -> Service:
    """The service that answers a request."""
    return cast("Service", request.app.state.service)


async def logged_of(request: Request) -> dict[str, Any]:
    """Fields that join the request's line in the log."""
    return cast("dict[str, Any]", request.state.logged)


ServiceOf = Annotated[Service, Depends(service_of)]
LoggedOf = Annotated[dict[str, Any], Depends(logged_of)]
