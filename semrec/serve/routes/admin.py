"""`POST /admin/reload`: another artifact in all workers, or back to the one before."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException

from semrec.errors import StateError
from semrec.serve.bodies import JsonRoute
from semrec.serve.deployment import Action, Worker
from semrec.serve.problems import BODY, documented
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Body, Closed

PATIENCE_S = 300.0
POLL_S = 0.1

router = APIRouter(
    route_class=JsonRoute, tags=["admin"], responses={**BODY, **documented(403, 409)}
)


class ReloadRequest(Body):
    """The order: load what lies behind the artifact's link now, or go back to the one before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "link"}]})

    to: Literal["link", "previous"] = Field(default="link", description="What to serve")


class WorkerResponse(Closed):
    """The state of one worker."""

    pid: int = Field(description="Its process")
    version: str = Field(description="The artifact that it serves")


class ReloadResponse(Closed):
    """All workers, each with the artifact it serves now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"version": "2d60d9eb10b4", "workers": [{"pid": 1, "version": "2d60d9eb10b4"}]}
            ]
        }
    )

    version: str = Field(description="The artifact's")
    workers: list[WorkerResponse] = Field(description="All that live")


@router.post("/admin/reload")
async def reload(service: ServiceOf, body: ReloadRequest | None = None) -> ReloadResponse:
    """Load, check and warm an artifact beside the old one in every worker, then swap.

    Requests go on meanwhile; each is answered by one artifact. If a worker can't, it keeps what it
    serves, and the answer (409) says why.
    """
    action: Action = "rollback" if body is not None and body.to == "previous" else "reload"
    try:
        with service.deployment.ordering(action) as order:
            workers = await _carried_out(service, order)
    except StateError as error:
        raise HTTPException(409, str(error)) from None
    wrong = next((worker for worker in workers if worker.error), None)
    if wrong is not None:
        raise HTTPException(409, f"{wrong.error}; worker {wrong.pid} serves {wrong.version} still")
    return ReloadResponse(
        version=service.recommender.version,
        workers=[WorkerResponse(pid=worker.pid, version=worker.version) for worker in workers],
    )


async def _carried_out(service: ServiceOf, order: int) -> list[Worker]:
    """The workers' reports once each has done its part."""
    until = time.monotonic() + PATIENCE_S
    while True:
        workers = service.deployment.workers()
        if all(worker.order >= order for worker in workers):
            return workers
        if time.monotonic() > until:
            raise HTTPException(409, f"not all workers have answered within {PATIENCE_S:.0f} s")
        await asyncio.sleep(POLL_S)
