"""The HTTP service: one recommender behind FastAPI.

Knows HTTP; what an answer is, `Recommender` knows. Handlers are plain functions, so FastAPI runs
each in a thread and the event loop stays free.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from semrec import __version__
from semrec.errors import QueryError
from semrec.recommender import Recommender
from semrec.serve.wire import Health, Problem, RecommendRequest, RecommendResponse, to_response

WARM_UP = "a warm-up request"
_PROBLEMS = {422: {"model": Problem, "description": "The request can't be understood"}}


def make_app(load: Callable[[], Recommender]) -> FastAPI:
    """The application.

    Args:
        load: Gives the recommender; called once at start, before the service reports ready.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        recommender = await run_in_threadpool(load)
        await run_in_threadpool(recommender.recommend, intent=WARM_UP)
        app.state.recommender = recommender
        yield

    app = FastAPI(
        title="semrec",
        version=__version__,
        summary="Recommendations from what a person asks for and what people do",
        lifespan=lifespan,
    )
    app.state.recommender = None
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(QueryError, _refused)
    app.add_exception_handler(HTTPException, _http)

    @app.post("/v1/recommend", responses=_PROBLEMS, tags=["recommend"])  # type: ignore[arg-type]
    def recommend(body: RecommendRequest, request: Request) -> RecommendResponse:
        """The best items for what is asked and what was done before."""
        recommender: Recommender = request.app.state.recommender
        found = recommender.recommend(body.to_query())
        return to_response(uuid.uuid4().hex, found, trace=body.trace)

    @app.get("/health/live", tags=["health"])
    def live() -> Health:
        """The process answers."""
        return Health(status="live", version=_version(app))

    @app.get(
        "/health/ready",
        tags=["health"],
        responses={503: {"model": Problem, "description": "Not loaded yet"}},
    )
    def ready() -> Health:
        """The recommender is loaded and has answered a first request."""
        if app.state.recommender is None:
            raise HTTPException(503, "the artifact is still being loaded")
        return Health(status="ready", version=_version(app))

    return app


def _version(app: FastAPI) -> str:
    return "" if app.state.recommender is None else app.state.recommender.version


def _problem(status: int, title: str, detail: str) -> JSONResponse:
    detail = detail.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair isn't JSON
    content = Problem(title=title, status=status, detail=detail).model_dump()
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _problem(422, "The request doesn't have the expected form", f"{where}: {first['msg']}")


def _refused(_request: Request, error: Exception) -> JSONResponse:
    return _problem(422, "The request can't be answered", str(error))


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, "The request failed", str(error.detail))
