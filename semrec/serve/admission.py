"""Before a request's body is read: who may ask, how often, how much, and whether there is room."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from semrec.serve.engine import BusyError
from semrec.serve.metrics import Metrics
from semrec.serve.problems import problem, unavailable
from semrec.serve.settings import Settings

# What needs the engine, by the start of its path.
COMPUTED = ("/v1/recommend", "/v1/chat", "/v1/rerank", "/v2/rerank", "/v1/embeddings", "/v1/items")
GUARDED = ("/v1/", "/v2/", "/admin/", "/mcp")
MAX_BUCKETS = 10_000
BURST_S = 2.0  # so many seconds' worth of requests may come at once


class AdmissionControl:
    """ASGI middleware for /v1, /v2, /admin and /mcp.

    Args:
        app: What is guarded.
        settings: Keys and limits.
        metrics: Counts what is refused.
        full: Whether the queue has no room.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, full: Callable[[], bool]
    ) -> None:
        self._app, self._settings, self._metrics, self._full = app, settings, metrics, full
        self._keys = [_hashed(key.get_secret_value()) for key in settings.api_keys]
        admin = settings.admin_key
        self._admin = [_hashed(admin.get_secret_value())] if admin else []
        self._rates = Rates(settings.rate_per_s / settings.workers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            why, answer = refused
            self._metrics.refused.labels(why).inc()
            await answer(scope, receive, send)
            return
        await self._app(scope, _limited(receive, self._settings.max_body_bytes), send)

    def _refusal(self, scope: Scope) -> tuple[str, Response] | None:
        """The reason that a request isn't passed on, and the answer; None: it is."""
        headers = dict(scope["headers"])
        path: str = scope["path"]
        if scope["method"] == "OPTIONS":
            return None
        given = _key_of(headers)
        if path.startswith("/admin/"):
            if not self._admin and self._keys:
                return "key", problem(403, "Not with this key", "SEMREC_ADMIN_KEY isn't set here")
            if self._admin and not _among(given, self._admin):
                return "key", _unknown_key()
        elif self._keys and not _among(given, self._keys):
            return "key", _unknown_key()
        client = scope.get("client")
        who = given if self._keys else client[0].encode() if client else b""
        if wait_s := self._rates.wait_s(_hashed(who)):
            after = {"retry-after": str(int(wait_s) + 1)}
            limit = f"at most {self._settings.rate_per_s:g} requests a second"
            return "rate", problem(429, "Too many requests", limit, after)
        if _length(headers) > self._settings.max_body_bytes:
            most = f"at most {self._settings.max_body_bytes} bytes"
            return "body", problem(413, "The body is too large", most)
        if self._full() and path.startswith(COMPUTED):
            return "queue", unavailable(str(BusyError()))
        return None


class Rates:
    """A token bucket for each who asks; those idle for longest are forgotten when many ask.

    Args:
        per_s: How many requests a second are let through in the long run; 0: all.
        clock: Gives the present moment, in seconds.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._clock = per_s, clock
        self._most = max(1.0, per_s * BURST_S)
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def wait_s(self, who: bytes) -> float:
        """Seconds to wait before the next request; 0: this one is let through, and counted."""
        if not self._per_s:
            return 0.0
        now = self._clock()
        left, then = self._buckets.get(who, (self._most, now))
        left = min(self._most, left + (now - then) * self._per_s)
        passes = left >= 1
        self._buckets[who] = (left - passes, now)
        self._buckets.move_to_end(who)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0 if passes else (1 - left) / self._per_s


def _key_of(headers: dict[bytes, bytes]) -> bytes:
    """The key that a request brings, ``b""`` if none."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    return value.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"")


def _hashed(key: str | bytes) -> bytes:
    return hashlib.sha256(key if isinstance(key, bytes) else key.encode()).digest()


def _among(given: bytes, known: Sequence[bytes]) -> bool:
    """True if a key is one of those; it takes as long whichever it is, and if it is none."""
    hashed = _hashed(given)
    return sum([hmac.compare_digest(hashed, key) for key in known]) > 0


def _unknown_key() -> Response:
    detail = "expected a known key in `Authorization: Bearer …` or `X-API-Key`"
    return problem(401, "No such API key", detail, {"www-authenticate": "Bearer"})


def _length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _limited(receive: Receive, most: int) -> Receive:
    """`receive`, ending in a 413 when more comes than was announced (a chunked body has no end)."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            raise HTTPException(413, f"the body is too large: at most {most} bytes")
        return message

    return limited
