"""Health, readiness, metrics and settings of the service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from semrec.serve.problems import GUARDED
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Health

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live(request: Request) -> Health:
    """The process answers."""
    return Health(status="live", version=request.app.state.service.recommender.version)


@router.get("/health/ready")
async def ready(service: ServiceOf) -> Health:
    """An artifact is loaded and has answered; before that no connection is accepted."""
    return Health(status="ready", version=service.recommender.version)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(service: ServiceOf) -> Response:
    """For Prometheus, of all workers."""
    text = await run_in_threadpool(service.metrics.text)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


CONFIG = {"host": "127.0.0.1", "workers": 1, "sessions": "sqlite", "api_keys": 0}


@router.get(
    "/v1/config",
    responses={**GUARDED, 200: {"content": {"application/json": {"example": CONFIG}}}},
)
async def config(service: ServiceOf) -> dict[str, Any]:
    """The effective settings, without keys, passwords and paths."""
    return service.settings.redacted()
