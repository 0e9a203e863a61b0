"""Rerankers behind an HTTP endpoint: a chat model that ranks a list, or a rerank service.

    request, texts → one question with the time that is left → scores

Rerank services are asked in one of three forms: Jina's, which Cohere, vLLM and llama.cpp's server
have too, text-embeddings-inference's (TEI), and vLLM's ``/score``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from semrec.deadline import Deadline
from semrec.endpoint import Endpoint
from semrec.errors import ModelError
from semrec.prompting import Prompt
from semrec.rerankers.parsing import MAX_REQUEST_CHARS, clean, listed_prompt, parse_ranking
from semrec.types import RerankScores

Form = Literal["jina", "tei", "score"]

MAX_LISTED = 50
MAX_SCORE = 1e30  # still a float32


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
    """A service that scores texts for a request.

    Attributes:
        endpoint: Where.
        model: The name that the service knows its model by.
        form: How it is asked.
    """

    endpoint: Endpoint
    model: str
    form: Form = "jina"

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """One chunk with all candidates."""
        if not texts:
            return
        query, documents = clean(request[-MAX_REQUEST_CHARS:]), [clean(text) for text in texts]
        payload: dict[str, Any]
        match self.form:
            case "jina":
                payload = {"query": query, "documents": documents, "top_n": len(documents)}
            case "tei":
                payload = {"query": query, "texts": documents, "truncate": True}
            case "score":
                payload = {"text_1": query, "text_2": documents}
        answer = self.endpoint.post({"model": self.model, **payload}, deadline)
        if answer is not None:
            yield _relevances(answer, len(texts))


@dataclass(frozen=True, kw_only=True)
class Nowhere:
    """A reranker that is served elsewhere, and nobody said where.

    Attributes:
        model: Its name.
    """

    model: str

    def rerank(
        self,
        request: str,  # noqa: ARG002
        texts: Sequence[str],  # noqa: ARG002
        deadline: Deadline,  # noqa: ARG002
    ) -> Iterator[RerankScores]:
        """Nothing: it can't be asked.

        Raises:
            ModelError: With what to say.
        """
        raise ModelError(
            f"nothing says where {self.model!r} is: serve --rerank-url URL, or SEMREC_RERANK_URL"
        )


def _content(answer: Any) -> str:  # noqa: ANN401
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise ModelError("a chat reranker answered without choices[0].message.content") from None
    return content if isinstance(content, str) else ""


def _relevances(answer: Any, n: int) -> RerankScores:  # noqa: ANN401
    """Results such as ``{"index": 2, "relevance_score": 0.7}``; all others are invented.

    In Jina's form they are `results`, in vLLM's `data`, in TEI's the answer itself; the latter two
    say `score`.
    """
    results = answer.get("results", answer.get("data")) if isinstance(answer, dict) else answer
    if not isinstance(results, list):
        raise ModelError("a rerank service answered without a list of results")
    scores: dict[int, float] = {}
    doubled = invented = 0
    for result in results:
        entry: dict[str, Any] = result if isinstance(result, dict) else {}
        index, score = entry.get("index"), entry.get("relevance_score", entry.get("score", ""))
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
