"""Reads a request's body as JSON, whatever content type it names, and refuses what JSON can't mean.

`curl -d` says that it sends a form, and many a script says nothing: what parses as JSON is taken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

MAX_DEPTH = 50
MAX_DIGITS = 20  # of a whole number: as many as 64 bits have
NO_TEXT = "holds half a surrogate pair, which is no text"
Path = tuple[str | int, ...]


class JsonRoute(APIRoute):
    """A route that takes JSON under any content type, and errors that name a field."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind a look at the body."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def handle(request: Request) -> Response:
            body = await request.body()
            if not body:
                return await handler(request)
            value = _parsed(body, request)
            for path, problem in unusable(value):
                raise _refused(path, problem, value)
            # FastAPI looks at the content type, and reads what is there already.
            request.scope["headers"] = [
                *(pair for pair in request.scope["headers"] if pair[0] != b"content-type"),
                (b"content-type", b"application/json"),
            ]
            read = Request(request.scope, request.receive)
            read._body, read._json = body, value
            return await handler(read)

        return handle


class _NoNumber(str):
    """A number of the document that there is no value for; says which."""


class _Repeats(dict[str, Any]):
    """An object in which a key stands twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        keys = [key for key, _ in pairs]
        self.repeated = next(key for key in keys if keys.count(key) > 1)


def _parsed(body: bytes, request: Request) -> Any:  # noqa: ANN401 (any JSON)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if not is_json and "origin" in request.headers:
        # A browser sends such a body for any page, without asking whether that page may.
        raise _no_json(kind, "from a page in a browser")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise HTTPException(415, f"content-encoding {encoding} isn't read here; send it as it is")
    is_meant = is_json or body.lstrip()[:1] in (b"{", b"[")  # as JSON, whatever it is called
    try:
        return json.loads(
            body, parse_constant=_NoNumber, parse_int=_whole, object_pairs_hook=_object
        )
    except RecursionError:
        raise _refused((), f"nested more than {MAX_DEPTH} deep", None) from None
    except UnicodeDecodeError:
        if not is_meant:
            raise _no_json(kind) from None
        raise HTTPException(400, "the body is no text in UTF-8, as JSON is") from None
    except json.JSONDecodeError as error:
        if not is_meant:
            raise _no_json(kind) from None
        where = f"line {error.lineno}, column {error.colno}"
        raise _refused((), f"isn't JSON: {error.msg} at {where}", None) from None


def _no_json(kind: str, where: str = "") -> HTTPException:
    given = f"found content-type {kind}" if kind else "found no content-type"
    return HTTPException(
        415,
        f"{' '.join(filter(None, [given, where]))}, expected JSON; "
        "send it with the header `content-type: application/json`",
    )


def _whole(digits: str) -> int | _NoNumber:
    n_digits = len(digits.lstrip("-"))
    return int(digits) if n_digits <= MAX_DIGITS else _NoNumber(f"a number of {n_digits} digits")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Repeats(pairs)


def unusable(value: Any) -> Iterator[tuple[Path, str]]:  # noqa: ANN401
    """The places of a document that no answer could repeat, and what is wrong there."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            yield path, f"nested more than {MAX_DEPTH} deep"
        elif isinstance(value, dict):
            if isinstance(value, _Repeats):
                yield (*path, value.repeated), "stands twice in the same object"
            for key in value:
                if not _is_text(key):
                    yield (*path, key), f"its name {NO_TEXT}"
            waiting += [((*path, key), member) for key, member in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [((*path, i), value[i]) for i in reversed(range(len(value)))]
        elif problem := _scalar_problem(value):
            yield path, problem


def _scalar_problem(value: object) -> str:
    if isinstance(value, _NoNumber):
        return f"found {value}, expected a finite number of at most {MAX_DIGITS} digits"
    if isinstance(value, float) and not math.isfinite(value):
        return "found a number beyond all that a computer has, expected a smaller one"
    return NO_TEXT if isinstance(value, str) and not _is_text(value) else ""


def _is_text(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refused(path: Path, problem: str, body: Any) -> RequestValidationError:  # noqa: ANN401
    error = {"type": "unusable", "loc": ("body", *path), "msg": problem, "input": None}
    return RequestValidationError([error], body=body)
