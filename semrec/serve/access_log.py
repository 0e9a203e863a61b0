"""Around every request: its id, its line in the log, its place in the metrics."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semrec.serve.metrics import Metrics
from semrec.serve.problems import problem

logger = logging.getLogger("semrec.requests")

HEADER = b"x-request-id"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
# What a client may name its request: a UUID and the like, nothing that could be a secret.
_ID = re.compile(rb"[0-9a-fA-F-]{8,64}")


class AccessLog:
    """ASGI middleware. What handlers put into ``request.state.logged`` joins the line."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = dict(scope["headers"]).get(HEADER, b"")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex.encode()
        logged: dict[str, Any] = {}
        scope.setdefault("state", {})["logged"] = logged
        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        try:
            await self._app(scope, receive, answered)
        except Exception:  # ours: whoever asked is told where to look, and nothing of what it was
            logger.exception("failed", extra={"request_id": request_id.decode()})
            if status:
                raise  # the answer had begun
            detail = f"it was logged under {request_id.decode()}"
            await problem(500, "An error of ours", detail)(scope, receive, answered)
        finally:
            seconds = time.perf_counter() - started
            # A route's own path: one as it was asked could hold anything.
            endpoint = getattr(scope.get("route"), "path_format", "")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.requests.labels(method, endpoint, status).observe(seconds)
            logger.info(
                "answered",
                extra={
                    "request_id": request_id.decode(),
                    "method": method,
                    "endpoint": endpoint,
                    "status": status,
                    "ms": round(seconds * 1000, 2),
                    **logged,
                },
            )
