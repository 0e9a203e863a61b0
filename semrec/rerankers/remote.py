"""Rerankers behind an HTTP endpoint: a chat model that ranks a list, or a rerank service.

    request, texts → one POST with the time that is left → a bounded answer → scores

A key is read from the environment when it is sent and stands nowhere else: not in an object, an
error or a trace. Redirects aren't followed, so that it goes to no other host.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from semrec.deadline import Deadline
from semrec.errors import ConfigError, ModelError
from semrec.prompting import Prompt
from semrec.rerankers.parsing import MAX_REQUEST_CHARS, clean, listed_prompt, parse_ranking
from semrec.types import RerankScores

MAX_BYTES = 1_000_000
MAX_S = 30.0  # for an answer, whatever the deadline
MAX_LISTED = 50
MAX_SCORE = 1e30  # still a float32


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address to ask; its connections are kept. One request at a time.

    Attributes:
        url: The whole address, such as ``http://localhost:8000/v1/rerank``.
        key_variable: Name of the environment variable with the key; empty: none is sent.
    """

    url: str
    key_variable: str = ""
    # The client is asynchronous because only then one timeout holds for all of it: finding and
    # reaching the host, and an answer that comes byte by byte.
    _client: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=None), repr=False, compare=False
    )
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner, repr=False, compare=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("a reranker's url is no http(s) address with a host")
        if parts.username or parts.password or parts.query:
            raise ConfigError(
                f"the reranker's url at {parts.hostname} holds a user, a password or a query; put "
                "the key into an environment variable and name that"
            )

    def post(self, payload: Mapping[str, Any], deadline: Deadline) -> Any | None:  # noqa: ANN401
        """The endpoint's answer, from JSON; None if the time is up first.

        Raises:
            ModelError: If it can't be reached, answers with another status than 200, with more
                than a megabyte, or not in JSON; or if the key isn't set.
        """
        if not self._turn.acquire(timeout=min(deadline.left_ms / 1000, MAX_S)):
            return None
        try:
            left_s = min(deadline.left_ms / 1000, MAX_S)
            return json.loads(self._runner.run(self._ask(payload, left_s)))
        except TimeoutError:
            return None
        except ModelError:
            raise
        except Exception as error:
            # Not its message: that may quote a header, and so the key.
            raise ModelError(f"reranker at {self._host}: {type(error).__name__}") from None
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._client.aclose())
        self._runner.close()

    async def _ask(self, payload: Mapping[str, Any], left_s: float) -> bytes:
        headers = {"accept-encoding": "identity"}  # else the bound would be on the packed answer
        if self.key_variable:
            key = os.environ.get(self.key_variable, "").strip()
            if not key:
                raise ModelError(f"reranker at {self._host}: {self.key_variable} isn't set")
            headers["authorization"] = f"Bearer {key}"
        body = bytearray()
        async with (
            asyncio.timeout(left_s),
            self._client.stream("POST", self.url, json=payload, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ModelError(f"reranker at {self._host} answered {response.status_code}")
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_BYTES:
                    raise ModelError(f"reranker at {self._host} answers over {MAX_BYTES:,} bytes")
        return bytes(body)

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, kw_only=True)
class ChatReranker:
    """A chat model behind an OpenAI-compatible ``/chat/completions`` that ranks a list.

    Attributes:
        endpoint: Where.
        model: The name that the endpoint knows it by.
        prompt: Of kind ``rerank_listwise``.
    """

    endpoint: Endpoint
    model: str
    prompt: Prompt

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """One chunk with the first candidates, `MAX_LISTED` at most."""
        labels = [str(number) for number in range(1, min(len(texts), MAX_LISTED) + 1)]
        if not labels:
            return
        content = listed_prompt(self.prompt, request, labels, texts)
        payload = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
        }
        answer = self.endpoint.post(payload, deadline)
        if answer is not None:
            yield parse_ranking(_content(answer), len(labels))


@dataclass(frozen=True, kw_only=True)
class ServiceReranker:
    """A rerank service as Jina's and Cohere's are; vLLM and llama.cpp's server offer the same.

    Attributes:
        endpoint: Where.
        model: The name that the service knows its model by.
    """

    endpoint: Endpoint
    model: str

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """One chunk with all candidates."""
        if not texts:
            return
        payload = {
            "model": self.model,
            "query": clean(request[-MAX_REQUEST_CHARS:]),
            "documents": [clean(text) for text in texts],
            "top_n": len(texts),
        }
        answer = self.endpoint.post(payload, deadline)
        if answer is not None:
            yield _relevances(answer, len(texts))


def _content(answer: Any) -> str:  # noqa: ANN401
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise ModelError("a chat reranker answered without choices[0].message.content") from None
    return content if isinstance(content, str) else ""


def _relevances(answer: Any, n: int) -> RerankScores:  # noqa: ANN401
    """Results such as ``{"index": 2, "relevance_score": 0.7}``; all others are invented."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        raise ModelError("a rerank service answered without a list of results")
    scores: dict[int, float] = {}
    doubled = invented = 0
    for result in results:
        entry: dict[str, Any] = result if isinstance(result, dict) else {}
        index, score = entry.get("index"), entry.get("relevance_score", "")
        real = type(score) in (int, float) and abs(score) <= MAX_SCORE
        if type(index) is not int or not 0 <= index < n or not real:
            invented += 1
        elif index in scores:
            doubled += 1
        else:
            scores[index] = score
    return RerankScores(
        positions=np.array(list(scores), dtype=np.int64),
        scores=np.array(list(scores.values()), dtype=np.float32),
        missing=n - len(scores),
        doubled=doubled,
        invented=invented,
    )
