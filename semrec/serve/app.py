"""The HTTP service: routes, what stands around them, and what is made and closed with them.

Knows FastAPI; what an answer is, `service` knows. Handlers run on the event loop and wait for the
engine's threads; whatever reads or writes state does so on a thread too.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline
from pydantic.json_schema import models_json_schema

from semrec import __version__
from semrec.serve.access_log import AccessLog
from semrec.serve.admission import AdmissionControl
from semrec.serve.forms import IGNORED_HEADER
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
from semrec.serve.settings import Settings, make_settings
from semrec.serve.startup import Clock, Load, running
from semrec.serve.wire import Problem

if TYPE_CHECKING:
    from semrec.serve.mcp import McpEndpoint

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

KEY_HEADERS = ("authorization", "x-api-key")
# Of the Model Context Protocol, for clients that are pages.
MCP_HEADERS = ("mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id")


def create_app() -> FastAPI:
    """The application with the settings of this process's environment: what a worker runs."""
    return make_app(make_settings())


def make_app(
    settings: Settings, load_artifact: Load | None = None, clock: Clock = time.time
) -> FastAPI:
    """The application.

    Args:
        settings: How it serves, and what.
        load_artifact: Loads an artifact; None: as `semrec.load` does.
        clock: The time that its log goes by: a simulation's, say.
    """
    metrics = Metrics()
    mcp = _mcp_endpoint(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings, metrics, load_artifact, clock) as service:
            app.state.service = service
            async with nullcontext() if mcp is None else mcp.running(service):
                yield

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
    app.router.routes += [] if mcp is None else [mcp.route]
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
            allow_headers=[
                "authorization",
                "content-type",
                "x-api-key",
                "x-request-id",
                *MCP_HEADERS,
            ],
            expose_headers=[IGNORED_HEADER, "x-request-id", "retry-after"],
        )
    app.add_middleware(AccessLog, metrics=metrics)
    _document_problems(app)
    return app


def _mcp_endpoint(settings: Settings) -> McpEndpoint | None:
    if not settings.mcp:
        return None
    from semrec.serve.mcp import McpEndpoint  # the SDK takes half a second, and is an extra

    return McpEndpoint(settings)


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
