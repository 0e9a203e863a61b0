"""A worker's service: made of its settings, looked after while it answers, closed at the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from threadpoolctl import threadpool_limits

from semrec.artifact.sessions import make_sessions
from semrec.artifact.stored import load
from semrec.chat.llm_replies import ReplyWriter
from semrec.endpoint import Address, Endpoint
from semrec.recommender import Recommender
from semrec.serve.arms import Experiments, load_experiments
from semrec.serve.deployment import Deployment
from semrec.serve.drift_watch import DriftWatch
from semrec.serve.engine import Engine
from semrec.serve.live_items import LiveItems
from semrec.serve.metrics import Metrics
from semrec.serve.service import Service
from semrec.serve.settings import Settings
from semrec.sessions.item_journal import ItemJournal
from semrec.sessions.log import Log

logger = logging.getLogger(__name__)

LOOK_S = 0.25  # between looks for another artifact, and for items of other workers
TIDY_S = 3600.0
DRIFT_S = 900.0

Load = Callable[[Path], Recommender]
Clock = Callable[[], float]
"""Gives Unix seconds."""


@asynccontextmanager
async def running(
    settings: Settings,
    metrics: Metrics,
    load_artifact: Load | None = None,
    clock: Clock = time.time,
) -> AsyncIterator[Service]:
    """The service of a worker, until the block ends; what was accepted is finished then.

    Args:
        settings: How it serves, and what.
        metrics: Counts what it does.
        load_artifact: Loads an artifact; None: as `semrec.load` does.
        clock: The time that its log goes by.

    Raises:
        ArtifactError: If the artifact, or one of an experiment's, can't be loaded.
        ConfigError: If the file of experiments is wrong.
        StateError: If its state can't be opened.
    """
    service = await run_in_threadpool(_start, settings, metrics, load_artifact, clock)
    tasks = [
        asyncio.create_task(_every(LOOK_S, service.deployment.look)),
        asyncio.create_task(_every(LOOK_S, service.catch_up)),
        asyncio.create_task(_every(TIDY_S, service.tidy)),
        asyncio.create_task(_every(DRIFT_S, service.look_at_drift)),
    ]
    try:
        yield service
    finally:
        for task in tasks:
            task.cancel()
        await run_in_threadpool(service.close)


def _start(
    settings: Settings, metrics: Metrics, load_artifact: Load | None, clock: Clock
) -> Service:
    # Requests are what runs in parallel here; many threads in each would only wait for one another.
    threadpool_limits(1, user_api="blas")

    def load_checked(folder: Path) -> Recommender:
        return load(folder, verify=settings.verify, addresses=settings.addresses)

    sessions = make_sessions(settings.sessions, settings.state)
    log = Log(settings.state)
    items = LiveItems(ItemJournal(settings.state))

    def load_current(folder: Path) -> Recommender:
        recommender = (load_artifact or load_checked)(folder)
        items.catch_up(recommender)
        return recommender

    deployment = Deployment(settings.artifact, settings.state, load_current)
    experiments = (
        Experiments()
        if settings.experiments is None
        else load_experiments(
            settings.experiments, settings.state, deployment.current, load=load_current
        )
    )
    engine = Engine(
        lambda: deployment.current,
        threads=settings.engine_threads,
        max_queue=settings.max_queue,
        max_batch=settings.max_batch,
        on_depth=metrics.queue.set,
    )
    return Service(
        settings=settings,
        deployment=deployment,
        engine=engine,
        sessions=sessions,
        log=log,
        metrics=metrics,
        items=items,
        drift_watch=DriftWatch(log, metrics, clock),
        experiments=experiments,
        reply_writer=make_reply_writer(settings),
        clock=clock,
    )


def make_reply_writer(settings: Settings) -> ReplyWriter | None:
    """The language model that words replies, if the operator configured one.

    Raises:
        ConfigError: If its address is none, or holds a key.
    """
    if settings.chat_reply != "llm":
        return None
    address = Address(url=settings.chat_reply_url, key_variable=settings.chat_reply_key_variable)
    endpoint = Endpoint(address=address, what="chat_reply model")
    model, budget_ms = settings.chat_reply_model, settings.chat_reply_budget_ms
    return ReplyWriter(endpoint=endpoint, model=model, budget_ms=budget_ms)


async def _every(seconds: float, do: Callable[[], object]) -> None:
    while True:
        try:
            await run_in_threadpool(do)
        except Exception:  # whatever it is, requests go on, and it is tried again
            logger.exception("failed beside the requests")
        await asyncio.sleep(seconds)
