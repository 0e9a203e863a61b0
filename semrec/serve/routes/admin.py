"""`/admin/…`: another artifact in all workers, or back to the one before; what was served."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from semrec.errors import StateError
from semrec.serve.bodies import JsonRoute
from semrec.serve.deployment import Action, Worker
from semrec.serve.problems import BODY, documented
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Body, Closed

PATIENCE_S = 300.0
HOUR_S, DAY_H, MAX_HOURS, MAX_ITEMS = 3600.0, 24, 24 * 366, 10
MAX_DRIFT_H, MAX_DRIFT = 24 * 7, 1e6
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


class WireTimes(Closed):
    """An endpoint's answers since the service began."""

    endpoint: str = Field(description="Method and path")
    answers: int = Field(description="How many it gave")
    p50_ms: float = Field(description="Half of them took no longer")
    p99_ms: float = Field(description="All but one in a hundred took no longer")


class WireServedItem(Closed):
    """An item, and in how many lists it was."""

    item_id: str = Field(description="Its id in the catalogue")
    title: str = Field(description="Its title; empty if it isn't in the catalogue any more")
    lists: int = Field(description="How many lists it was in")


class ServedResponse(Closed):
    """Counts of what was served: nobody's words, nobody's session."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hours": 24,
                    "lists": 120,
                    "sessions": 17,
                    "items": [{"item_id": "2571", "title": "The Matrix", "lists": 31}],
                    "endpoints": [
                        {"endpoint": "POST /v1/chat", "answers": 97, "p50_ms": 11, "p99_ms": 48}
                    ],
                }
            ]
        }
    )

    hours: int = Field(description="As asked")
    lists: int = Field(description="Lists that were served in that time, of all workers")
    sessions: int = Field(description="Sessions that they were served to")
    items: list[WireServedItem] = Field(description="What was served most, most first")
    endpoints: list[WireTimes] = Field(description="How long answers took; the most asked first")


class WireAlarm(Closed):
    """A signal that drifts."""

    signal: str = Field(description="Its name")
    since: str = Field(description="Begin of its first drifting hour, UTC, ISO 8601")
    drift: float = Field(description="Of the last hour; 1 in 200 clean ones is above 1")
    examples: list[str] = Field(description="Requests of that hour; they go with their session")


class WireQuality(Closed):
    """Quality of a version's lists on a day, by what their sessions touched within 30 minutes."""

    day: str = Field(description="UTC")
    version: str = Field(description="The artifact's")
    lists: int = Field(description="Lists that an event followed")
    hit: list[float] = Field(description="hit@10: mean, and its 95 % interval over sessions")
    mrr: list[float] = Field(description="MRR@10: the same")


class DriftResponse(Closed):
    """Drift in the last full hours, and the lists' quality, which is observational."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "hours": 24,
                    "reference": True,
                    "drift": {"request vectors": 2.1},
                    "alarms": [
                        {
                            "signal": "request vectors",
                            "since": "2026-01-31T10:00:00+00:00",
                            "drift": 2.1,
                            "examples": ["a story about chess"],
                        }
                    ],
                    "quality": [
                        {
                            "day": "2026-01-31",
                            "version": "2d60d9eb10b4",
                            "lists": 120,
                            "hit": [0.3, 0.2, 0.4],
                            "mrr": [0.1, 0.05, 0.15],
                        }
                    ],
                }
            ]
        }
    )

    hours: int = Field(description="As asked")
    reference: bool = Field(description="False: the artifact has none; build it again")
    drift: dict[str, float] = Field(description="By signal, in the last hour")
    alarms: list[WireAlarm] = Field(description="The furthest first")
    quality: list[WireQuality] = Field(description="Oldest first")


@router.get("/admin/drift")
async def drift(
    service: ServiceOf,
    hours: Annotated[int, Query(ge=1, le=MAX_DRIFT_H, description="How far back")] = DAY_H,
) -> DriftResponse:
    """Say what drifts, since when, with examples of requests; and how good served lists were."""
    if service.settings.admin_key is None:  # other people's requests
        raise HTTPException(403, "SEMREC_ADMIN_KEY isn't set here")
    watch, recommender = service.drift_watch, service.recommender
    overview = await run_in_threadpool(watch.overview, recommender, hours)
    if overview is None:
        return DriftResponse(hours=hours, reference=False, drift={}, alarms=[], quality=[])
    last = overview.windows[-1].drift if overview.windows else {}
    return DriftResponse(
        hours=hours,
        reference=True,
        drift={signal: _rounded(value) for signal, value in last.items()},
        alarms=[
            WireAlarm(
                signal=alarm.signal,
                since=datetime.fromtimestamp(alarm.since_s, UTC).isoformat(),
                drift=_rounded(alarm.drift),
                examples=list(overview.examples.get(alarm.signal, ())),
            )
            for alarm in overview.alarms
        ],
        quality=[
            WireQuality(
                day=of.day,
                version=of.version,
                lists=of.n_lists,
                hit=[of.hit.mean, of.hit.low, of.hit.high],
                mrr=[of.mrr.mean, of.mrr.low, of.mrr.high],
            )
            for of in overview.quality
        ],
    )


def _rounded(drift: float) -> float:
    return round(min(drift, MAX_DRIFT), 2)  # JSON has no infinity


@router.get("/admin/served")
async def served(
    service: ServiceOf,
    hours: Annotated[int, Query(ge=1, le=MAX_HOURS, description="How far back")] = DAY_H,
) -> ServedResponse:
    """Count what was served, to how many sessions, and how long answers took."""
    if service.settings.admin_key is None:  # other people's lists, even if only counted
        raise HTTPException(403, "SEMREC_ADMIN_KEY isn't set here")
    since_s = time.time() - hours * HOUR_S
    summary = await run_in_threadpool(service.log.summary, since_s, MAX_ITEMS)
    times = await run_in_threadpool(service.metrics.times)
    catalog = service.recommender.catalog
    rows = {item_id: catalog.row(item_id) for item_id, _ in summary.items}
    titles = {item_id: catalog.titles[row] for item_id, row in rows.items() if row is not None}
    return ServedResponse(
        hours=hours,
        lists=summary.n_lists,
        sessions=summary.n_sessions,
        items=[
            WireServedItem(item_id=item_id, title=titles.get(item_id, ""), lists=n_lists)
            for item_id, n_lists in summary.items
        ],
        endpoints=[
            WireTimes(
                endpoint=of.endpoint,
                answers=of.n_answers,
                p50_ms=round(of.p50_ms, 1),
                p99_ms=round(of.p99_ms, 1),
            )
            for of in times
            if " /v" in of.endpoint or of.endpoint.endswith(" /mcp")  # not the page, not health
        ],
    )


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
