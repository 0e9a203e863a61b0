"""`POST /v1/recommend`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.problems import BODY
from semrec.serve.service import LoggedOf, Service, ServiceOf
from semrec.serve.wire import RecommendRequest, RecommendResponse, to_response

router = APIRouter(route_class=JsonRoute, tags=["recommend"])


@router.post("/v1/recommend", responses=BODY)
async def recommend(
    body: RecommendRequest, request: Request, service: ServiceOf, logged: LoggedOf
) -> RecommendResponse:
    """The best items for what is asked and what was done before."""
    return await unless_gone(request, recommended(body, service, logged))


async def recommended(
    body: RecommendRequest, service: Service, logged: dict[str, Any]
) -> RecommendResponse:
    """The answer on the wire; what the log says of it joins `logged`.

    Raises:
        QueryError, BusyError, ExpiredError, StateError: As `Service.recommend`.
    """
    logged["intent_chars"] = len(body.intent)
    if service.settings.log_intents:
        logged["intent"] = body.intent
    served = await service.recommend(body.to_query(), body.session_id)
    if body.explain:
        served = await service.explain(served)
    logged["recommendation_id"] = served.recommendation_id
    logged["version"] = served.recommendations.trace.version
    return to_response(served, trace=body.trace)
