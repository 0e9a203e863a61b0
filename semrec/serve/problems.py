"""Errors on the wire: problem JSON (RFC 9457), also for what is refused before it is read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from semrec.errors import ModelError, QueryError, StateError
from semrec.serve.engine import BusyError, ExpiredError
from semrec.serve.wire import Problem

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1
MEDIA_TYPE = "application/problem+json"
DESCRIPTIONS = {
    400: "Not readable as JSON",
    401: "No such API key",
    403: "Not with this key",
    404: "No such thing",
    409: "Not now, or not possible; the answer says why",
    413: "The body is too large",
    422: "The request can't be understood",
    429: "Too many requests of this key",
    503: "Too busy, or what it needs can't be reached; Retry-After says when to come again",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses for the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": DESCRIPTIONS[status],
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


GUARDED = documented(401, 413, 429, 503)  # what `guarding` answers under /v1
BODY = documented(400, 422)  # of what has a body


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An answer that says what is wrong."""
    detail = detail.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair isn't JSON
    content = Problem(title=title, status=status, detail=detail).model_dump()
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def unavailable(detail: str) -> JSONResponse:
    """A 503 that says when to come again."""
    headers = {"retry-after": str(RETRY_AFTER_S)}
    return problem(503, "The service can't answer this now", detail, headers)


def add_handlers(app: FastAPI) -> None:
    """Make every error a problem."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(QueryError, _refused)
    app.add_exception_handler(ModelError, _refused)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(ExpiredError, _expired)
    app.add_exception_handler(StateError, _unreachable)
    app.add_exception_handler(HTTPException, _http)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(422, "The request doesn't have the expected form", f"{where}: {first['msg']}")


def _refused(_request: Request, error: Exception) -> JSONResponse:
    return problem(422, "The request can't be answered", str(error))


def _too_deep(_request: Request, _error: Exception) -> JSONResponse:
    return problem(422, "The request can't be answered", "it is nested too deeply")


def _busy(_request: Request, _error: Exception) -> JSONResponse:
    return unavailable("too many requests wait already")


def _expired(_request: Request, _error: Exception) -> JSONResponse:
    return unavailable("its budget passed while the request waited")


def _unreachable(_request: Request, error: Exception) -> JSONResponse:
    logger.error("state can't be reached", extra={"error": str(error)})
    return unavailable(str(error))


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "The request failed", str(error.detail), error.headers)
