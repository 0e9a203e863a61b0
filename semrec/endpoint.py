"""Models that are served elsewhere: where they are, and one bounded question to them.

    payload → one POST with the time that is left → a bounded answer, from JSON

Where they are only the operator says, in a build's configuration, in serve's settings, or in the
environment; never an artifact, a dataset or a request. A key is read from the environment when it
is sent and stands nowhere else: not in an object, an error or a trace. Redirects aren't followed,
so that it goes to no other host.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx

from semrec.deadline import Deadline
from semrec.errors import ConfigError, ModelError

T = TypeVar("T")

INDEX_TOKEN = "MILVUS_TOKEN"
MAX_BYTES = 1_000_000
MAX_S = 30.0  # for an answer, whatever the deadline


class EndpointError(ModelError):
    """An endpoint that fails.

    Attributes:
        status: The HTTP status that it answered with; None: it gave no usable answer.
        too_long: Whether its answer was over the bound.
    """

    def __init__(self, message: str, *, status: int | None = None, too_long: bool = False) -> None:
        super().__init__(message)
        self.status, self.too_long = status, too_long


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of a model that is served elsewhere.

    Attributes:
        url: The whole address, such as ``http://localhost:8000/v1/rerank``; empty: nowhere.
        key_variable: Name of the environment variable with the key; empty: none is sent.
    """

    url: str = ""
    key_variable: str = ""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The operator's addresses, for whatever an artifact leaves to models served elsewhere.

    Attributes:
        encoder: An OpenAI-shaped ``/v1/embeddings``.
        rerank: A chat model's ``/v1/chat/completions``, or a service's ``/v1/rerank``.
        intent: A chat model's ``/v1/chat/completions``, which reads requests.
        index: A vector database, such as ``milvus+http://localhost:19530``.
    """

    encoder: Address = Address()
    rerank: Address = Address()
    intent: Address = Address()
    index: Address = Address()

    @classmethod
    def from_environment(cls) -> Addresses:
        """Those of ``SEMREC_ENCODER_URL``, ``…_RERANK_URL``, ``…_INTENT_URL``, ``…_KEY_VARIABLE``.

        The index is at ``SEMREC_INDEX``, its token in ``MILVUS_TOKEN``.
        """
        return cls(
            encoder=_from_environment("SEMREC_ENCODER"),
            rerank=_from_environment("SEMREC_RERANK"),
            intent=_from_environment("SEMREC_INTENT"),
            index=index_at(os.environ.get("SEMREC_INDEX", "")),
        )


def index_at(url: str) -> Address:
    """The address of an index; its token is in ``MILVUS_TOKEN``."""
    return Address(url=url, key_variable=INDEX_TOKEN)


def _from_environment(prefix: str) -> Address:
    url, key = os.environ.get(f"{prefix}_URL", ""), os.environ.get(f"{prefix}_KEY_VARIABLE", "")
    return Address(url=url, key_variable=key)


class Listener(Protocol):
    """Counts questions: a service's metrics."""

    def record(self, what: str, outcome: str, seconds: float) -> None:
        """One question to `what` was `answered`, `late` or `failed`, after so long."""
        ...


listeners: weakref.WeakSet[Listener] = weakref.WeakSet()
"""Those who hear of every question of this process, as long as they live."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address to ask, by any number of threads; its connections are kept.

    Attributes:
        address: Where.
        what: Who is asked, for messages: ``encoder``.
        max_bytes: Of an answer.
    """

    address: Address
    what: str
    max_bytes: int = MAX_BYTES
    _connections: _Connections = field(
        default_factory=lambda: _Connections(), repr=False, compare=False
    )

    def __post_init__(self) -> None:
        parts = urlsplit(self.address.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"the {self.what}'s url is no http(s) address with a host")
        if parts.username or parts.password or parts.query:
            raise ConfigError(
                f"the {self.what}'s url at {parts.hostname} holds a user, a password or a query; "
                "put the key into an environment variable and name that"
            )

    @property
    def host(self) -> str:
        """With its port."""
        return urlsplit(self.address.url).netloc

    def post(self, payload: Mapping[str, Any], deadline: Deadline) -> Any | None:  # noqa: ANN401
        """The endpoint's answer, from JSON; None if the time is up first.

        Raises:
            EndpointError: If it can't be reached, answers with another status than 200, with more
                than `max_bytes`, or not in JSON; or if the key isn't set.
        """
        started, outcome = time.perf_counter(), "failed"
        try:
            answer = self._post(payload, min(deadline.left_ms / 1000, MAX_S))
            outcome = "answered"
        except TimeoutError:
            outcome, answer = "late", None
        finally:
            for listener in list(listeners):
                listener.record(self.what, outcome, time.perf_counter() - started)
        return answer

    def _post(self, payload: Mapping[str, Any], left_s: float) -> Any:  # noqa: ANN401
        try:
            answer = self._connections.run(lambda client: self._ask(client, payload, left_s))
        except (TimeoutError, EndpointError):
            raise
        except Exception as error:
            # Not its message: that may quote a header, and so the key.
            raise self._failed(type(error).__name__) from None
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise self._failed(type(error).__name__, status=200) from None

    def close(self) -> None:
        """Close the connections; the next question opens others."""
        self._connections.close()

    async def _ask(
        self, client: httpx.AsyncClient, payload: Mapping[str, Any], left_s: float
    ) -> bytes:
        headers = {"accept-encoding": "identity"}  # else the bound would be on the packed answer
        if self.address.key_variable:
            key = os.environ.get(self.address.key_variable, "").strip()
            if not key:
                raise self._failed(f"{self.address.key_variable} isn't set")
            headers["authorization"] = f"Bearer {key}"
        body = bytearray()
        async with (
            asyncio.timeout(left_s),
            client.stream("POST", self.address.url, json=payload, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                status = response.status_code
                raise self._failed(f"answered {status}", status=status)
            async for part in response.aiter_raw():
                body += part
                if len(body) > self.max_bytes:
                    raise self._failed(f"answers over {self.max_bytes:,} bytes", too_long=True)
        return bytes(body)

    def _failed(self, reason: str, **why: Any) -> EndpointError:  # noqa: ANN401
        return EndpointError(f"{self.what} at {self.host}: {reason}", **why)


class _Connections:
    """One client on a thread of its own, from the first question on.

    It is asynchronous because only then one timeout holds for all of a question: finding and
    reaching the host, and an answer that comes byte by byte.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    def run(self, ask: Callable[[httpx.AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """The result of `ask`; any number of threads may wait for theirs."""
        with self._lock:
            loop, client = self._running = self._running or self._started()
        return asyncio.run_coroutine_threadsafe(ask(client), loop).result()

    def close(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            _stop(running[0])

    def _started(self) -> tuple[asyncio.AbstractEventLoop, httpx.AsyncClient]:
        loop, client = asyncio.new_event_loop(), httpx.AsyncClient(timeout=None)
        threading.Thread(target=_serve, args=(loop, client), name="endpoint", daemon=True).start()
        weakref.finalize(self, _stop, loop)  # an artifact that was swapped leaves no thread
        return loop, client


def _serve(loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient) -> None:
    loop.run_forever()
    loop.run_until_complete(client.aclose())
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(loop.stop)
