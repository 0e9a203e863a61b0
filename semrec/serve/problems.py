"""Errors on the wire: problem JSON (RFC 9457), also for what is refused before it is read."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from semrec.errors import ModelError, QueryError, StateError, nearest
from semrec.serve.engine import BusyError, ExpiredError
from semrec.serve.field_errors import FieldError, field_errors
from semrec.serve.wire import ErrorObject, Problem, WireFieldError

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 1
MEDIA_TYPE = "application/problem+json"
MAX_TOLD = 3  # errors of one request that its `detail` names; `errors` has more
TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
ERROR_CODES = {
    401: "invalid_api_key",
    404: "not_found",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "rate_limit_exceeded",
    503: "overloaded",
}
DESCRIPTIONS = {
    400: "Not readable as JSON",
    401: "No such API key",
    403: "Not with this key",
    404: "No such thing",
    409: "Not now, or not possible; the answer says why",
    413: "The body is too large",
    415: "Not JSON; the answer names the header to send",
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
BODY = documented(400, 415, 422)  # of what has a body


def problem(
    status: int,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    fields: Sequence[FieldError] = (),
) -> Response:
    """An answer that says what is wrong; OpenAI's clients read its `error`.

    Args:
        status: Of HTTP.
        title: The same for all of a kind.
        detail: What was found, what was expected.
        headers: Beside the usual ones.
        fields: What is wrong with which field of the request, the first that is named.
    """
    first = next(iter(fields), None)
    content = Problem(
        title=title,
        status=status,
        detail=detail,
        error=ErrorObject(
            message=detail,
            type=TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
            param=first.field.removeprefix("body.") if first else None,
            code=first.code if first else ERROR_CODES.get(status),
        ),
        errors=[WireFieldError(pointer=error.pointer, detail=error.detail) for error in fields],
    )
    # Half a surrogate pair isn't JSON.
    text = json.dumps(content.model_dump(), ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def unavailable(detail: str) -> Response:
    """A 503 that says when to come again."""
    headers = {"retry-after": str(RETRY_AFTER_S)}
    return problem(503, "The service can't answer this now", detail, headers)


def add_handlers(app: FastAPI) -> None:
    """Make every error a problem."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(QueryError, _refused)
    app.add_exception_handler(ModelError, _refused)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(BusyError, _late)
    app.add_exception_handler(ExpiredError, _late)
    app.add_exception_handler(StateError, _unreachable)
    app.add_exception_handler(HTTPException, _http)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body_field = getattr(request.scope.get("route"), "body_field", None)
    model = None if body_field is None else body_field.field_info.annotation
    fields = field_errors(error.errors(), error.body, model)
    detail = "; ".join(f"{error.field}: {error.detail}" for error in fields[:MAX_TOLD])
    return problem(422, "The request doesn't have the expected form", detail, fields=fields)


def _refused(_request: Request, error: Exception) -> Response:
    return problem(422, "The request can't be answered", str(error))


def _too_deep(_request: Request, _error: Exception) -> Response:
    return problem(422, "The request can't be answered", "it is nested too deeply")


def _late(_request: Request, error: Exception) -> Response:
    return unavailable(str(error))


def _unreachable(_request: Request, error: Exception) -> Response:
    logger.error("state can't be reached", extra={"error": str(error)})
    return unavailable(str(error))


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail, path = str(error.detail), request.url.path
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{request.method} isn't taken at {path}, expected {allowed}"
    elif request.scope.get("endpoint") is None and error.status_code == 404:
        paths = request.app.openapi()["paths"]
        detail = f"nothing is at {path!r:.100}{nearest(path, paths, listed=False)}"
    return problem(error.status_code, "The request failed", detail, error.headers)
