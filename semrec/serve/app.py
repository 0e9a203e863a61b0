"""The HTTP service: routes, what stands around them, and what is made and closed with them.

Knows FastAPI; what an answer is, `service` knows. Handlers run on the event loop and wait for the
engine's threads; whatever reads or writes state does so on a thread too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline
from pydantic.json_schema import models_json_schema
from starlette.concurrency import run_in_threadpool
from threadpoolctl import threadpool_limits

from semrec import __version__
from semrec.artifact.sessions import make_sessions
from semrec.artifact.stored import load
from semrec.chat.llm_replies import ReplyWriter
from semrec.endpoint import Address, Endpoint
from semrec.recommender import Recommender
from semrec.serve.access_log import AccessLog
from semrec.serve.admission import AdmissionControl
from semrec.serve.deployment import Deployment
from semrec.serve.engine import Engine
from semrec.serve.forms import IGNORED_HEADER
from semrec.serve.live_items import LiveItems
from semrec.serve.metrics import Metrics
from semrec.serve.problems import GUARDED, add_handlers
from semrec.serve.routes import (
    admin,
    admin_items,
    chat,
    completions,
    events,
    health,
    items,
    openai,
    page,
    recommend,
    rerank_form,
)
from semrec.serve.service import Service
from semrec.serve.settings import Settings, make_settings
from semrec.serve.wire import Problem
from semrec.sessions.item_journal import ItemJournal
from semrec.sessions.log import Log

logger = logging.getLogger(__name__)

LOOK_S = 0.25  # between looks for another artifact, and for items of other workers
TIDY_S = 3600.0

GUARDED_ROUTES = (
    recommend,
    chat,
    completions,
    events,
    items,
    openai,
    rerank_form,
    admin,
    admin_items,
)

Load = Callable[[Path], Recommender]


def create_app() -> FastAPI:
    """The application with the settings of this process's environment: what a worker runs."""
    return make_app(make_settings())


def make_app(settings: Settings, load_artifact: Load | None = None) -> FastAPI:
    """The application.

    Args:
        settings: How it serves, and what.
        load_artifact: Loads an artifact; None: as `semrec.load` does.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = await run_in_threadpool(_start, settings, metrics, load_artifact)
        app.state.service = service
        tasks = [
            asyncio.create_task(_every(LOOK_S, service.deployment.look)),
            asyncio.create_task(_every(LOOK_S, service.catch_up)),
            asyncio.create_task(_every(TIDY_S, service.tidy)),
        ]
        yield
        for task in tasks:
            task.cancel()
        await run_in_threadpool(service.close)

    # Swagger's files come from the package: the page works without internet.
    app = FastAPIOffline(
        redoc_url=None,
        static_url="/docs/files",
        title="semrec",
        version=__version__,
        summary="Recommendations from what a person asks for and what people do",
        lifespan=lifespan,
        redirect_slashes=False,
    )
    add_handlers(app)
    for routes in GUARDED_ROUTES:
        app.include_router(routes.router, responses=GUARDED)
    for routes in (health, page):
        app.include_router(routes.router)
    app.add_middleware(
        AdmissionControl,
        settings=settings,
        metrics=metrics,
        full=lambda: app.state.service.engine.full,
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
            expose_headers=[IGNORED_HEADER, "x-request-id", "retry-after"],
        )
    app.add_middleware(AccessLog, metrics=metrics)
    _document_problems(app)
    return app


def _start(settings: Settings, metrics: Metrics, load_artifact: Load | None) -> Service:
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
        reply_writer=make_reply_writer(settings),
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


def _document_problems(app: FastAPI) -> None:
    """Put the form of problems into the document, which names it in every endpoint's errors."""
    made = app.openapi

    def with_problems() -> dict[str, Any]:
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        template = "#/components/schemas/{model}"
        _, definitions = models_json_schema([(Problem, "serialization")], ref_template=template)
        schemas.update(definitions["$defs"])
        return document

    app.openapi = with_problems  # type: ignore[method-assign]
