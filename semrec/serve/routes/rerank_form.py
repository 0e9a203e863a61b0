"""`/v1/rerank` and `/v2/rerank`: Jina's, Cohere's and Voyage's form."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field, field_validator, model_validator

from semrec.deadline import NEVER
from semrec.errors import preview
from semrec.recommender import Recommender
from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.forms import MODEL, Form, ignored_header, inert, takes_nothing
from semrec.serve.problems import BODY
from semrec.serve.routes.openai import Usage, answering, encoder_of, usage_of
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Closed, Text
from semrec.types import FloatArray

MAX_DOCUMENTS = 1_000

router = APIRouter(route_class=JsonRoute, tags=["models"])


class RerankRequest(Form):
    """Documents, and what they are to be sorted by."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL,
                    "query": "a bank robbery",
                    "documents": ["a wedding in June", {"text": "three men and a safe", "id": 7}],
                    "top_n": 1,
                    "return_documents": True,
                }
            ]
        }
    )

    query: Text = Field(description="What they are sorted by; not empty")
    documents: list[Text | dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_DOCUMENTS,
        description="Texts, or objects with `text` and any other fields",
    )
    model: str = Field(default=MODEL, description="Any: the artifact's reranker or encoder answers")
    top_n: int | None = Field(default=None, ge=1, description="How many come back; null: all")
    top_k: int | None = Field(default=None, ge=1, description="As `top_n`; the smaller counts")
    return_documents: bool = Field(default=False, description="Give the documents back too")
    rank_fields: list[str] = Field(
        default=[], description="Fields of the objects that are read, in place of `text`"
    )
    max_tokens_per_doc: int | None = Field(
        default=None, ge=1, description="Words of each document that are read; null: all"
    )
    max_chunks_per_doc: int | None = inert()
    priority: int | None = inert()
    relevant_spans: Any = inert()
    truncation: bool | None = inert()
    user: str | None = inert()
    return_embeddings: bool | None = Field(default=None, description="There are none: false")

    @field_validator("return_embeddings")
    @classmethod
    def _no_embeddings(cls, value: Any) -> Any:  # noqa: ANN401
        return takes_nothing(value, "no embeddings come with a ranking; ask /v1/embeddings")

    @field_validator("query")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("found no words, expected what the documents are sorted by")
        return value

    @model_validator(mode="after")
    def _has_texts(self) -> RerankRequest:
        for index, document in enumerate(self.documents):
            if isinstance(document, dict) and self._text(document) is None:
                expected = f"one of {preview(self.rank_fields)}" if self.rank_fields else "`text`"
                fields = preview(sorted(document))
                raise ValueError(
                    f"documents.{index}: found the fields {fields}, expected {expected}, a text; "
                    "`rank_fields` names others"
                )
        return self

    @property
    def texts(self) -> list[str]:
        """The words that are read of each document."""
        texts = [
            document if isinstance(document, str) else self._text(document) or ""
            for document in self.documents
        ]
        if self.max_tokens_per_doc is None:
            return texts
        return [" ".join(text.split()[: self.max_tokens_per_doc]) for text in texts]

    @property
    def n_results(self) -> int | None:
        """The most documents that come back; None: all."""
        return min((n for n in (self.top_n, self.top_k) if n is not None), default=None)

    def _text(self, document: dict[str, Any]) -> str | None:
        fields = self.rank_fields or ["text"]
        texts = [document[name] for name in fields if isinstance(document.get(name), str)]
        return "\n".join(texts) if texts else None


class RerankResult(Closed):
    """One document."""

    index: int = Field(description="Its place among those that were given, from 0")
    relevance_score: float = Field(description="Higher fits better; comparable in one answer alone")
    document: dict[str, Any] | None = Field(default=None, description="Only if asked for")


class RerankResponse(Closed):
    """Documents, best first; those without words last."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "2f1e0c4d9b8a47e6a5d3c2b1a0f9e8d7",
                    "model": MODEL,
                    "results": [
                        {
                            "index": 1,
                            "relevance_score": 0.41,
                            "document": {"text": "three men and a safe", "id": 7},
                        }
                    ],
                    "usage": {"prompt_tokens": 12, "total_tokens": 12},
                }
            ]
        }
    )

    id: str = Field(description="Of this answer")
    model: str = Field(description="The one that was asked for, or the encoder's own name")
    results: list[RerankResult] = Field(description="Best first")
    usage: Usage = Field(description="Words, counted between spaces")


@router.post("/v1/rerank", responses=BODY)
@router.post("/v2/rerank", responses=BODY)
async def rerank(
    body: RerankRequest, request: Request, response: Response, service: ServiceOf
) -> RerankResponse:
    """Documents sorted by the artifact's reranker; without one by cosine with the query."""
    texts = body.texts
    worded = [index for index, text in enumerate(texts) if text.strip()]

    def score(recommender: Recommender) -> tuple[str, FloatArray]:
        scores = np.zeros(len(texts), dtype=np.float32)
        if worded:
            scores[worded] = _scores(recommender, body.query, [texts[index] for index in worded])
            # What has no words fits nothing: behind all others, whatever an encoder makes of it.
            blank = np.setdiff1d(np.arange(len(texts)), worded)
            scores[blank] = min(0.0, float(scores[worded].min()))
        return answering(body.model, recommender), scores

    model, scores = await unless_gone(request, service.compute(score))
    response.headers.update(
        ignored_header([*(["model"] if model != body.model else []), *body.ignored()])
    )
    is_blank = ~np.isin(np.arange(len(texts)), worded)
    best = np.lexsort((-scores, is_blank))[: body.n_results]
    return RerankResponse(
        id=uuid.uuid4().hex,
        model=model,
        results=[
            RerankResult(
                index=int(index),
                relevance_score=float(scores[index]),
                document=_object(body.documents[index]) if body.return_documents else None,
            )
            for index in best
        ],
        usage=usage_of([body.query, *texts]),
    )


def _scores(recommender: Recommender, query: str, texts: list[str]) -> FloatArray:
    """(n,) float32: the reranker's scores; without one, or where it fails, cosines."""
    encoder, reranking = encoder_of(recommender), recommender.reranking
    if reranking is not None and not reranking.complaint:
        scores = reranking.worker.rerank_within(query, texts, NEVER).scores
        if np.isfinite(scores).all():
            return scores
    vector = encoder.encode_queries([query])[0]
    return np.asarray(encoder.encode_items(texts) @ vector, dtype=np.float32)


def _object(document: str | dict[str, Any]) -> dict[str, Any]:
    return {"text": document} if isinstance(document, str) else document
