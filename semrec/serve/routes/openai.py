"""`/v1/models`, `/v1/embeddings` (OpenAI's form) and `/v1/rerank` (Jina's and Cohere's)."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.exceptions import HTTPException

from semrec.deadline import NEVER
from semrec.errors import QueryError
from semrec.protocols import Encoder
from semrec.recommender import Recommender
from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.problems import BODY, documented
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Body, Closed, Text
from semrec.types import FloatArray

MODEL = "semrec"
MAX_TEXTS = 256

router = APIRouter(route_class=JsonRoute, tags=["models"])


class Usage(Closed):
    """Words read, counted between spaces: not every encoder counts tokens."""

    prompt_tokens: int
    total_tokens: int


class Model(Closed):
    """A value of `model`."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "semrec"


class ModelsResponse(Closed):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[Model]


class EmbeddingsRequest(Body):
    """Texts, as OpenAI has it; `user` is ignored."""

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)]
    model: str = MODEL
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, ge=1)
    user: str | None = None


class Embedding(Closed):
    """One vector of unit length: numbers, or base64 of little-endian float32."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingsResponse(Closed):
    """A vector for each text."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: Usage


class Document(Closed):
    """A document as Jina has it."""

    text: Text


class RerankRequest(Body):
    """Documents, and what they are to be sorted by."""

    query: Text
    documents: list[Text | Document] = Field(min_length=1, max_length=MAX_TEXTS)
    model: str = MODEL
    top_n: int | None = Field(default=None, ge=1)
    return_documents: bool = False


class RerankResult(Closed):
    """One document: its place among those that were given, and how well it fits."""

    index: int
    relevance_score: float
    document: Document | None = None


class RerankResponse(Closed):
    """Documents, best first."""

    id: str
    model: str
    results: list[RerankResult]
    usage: Usage


@router.get("/v1/models")
async def models(service: ServiceOf) -> ModelsResponse:
    """The recommender, and its encoder by its own name."""
    recommender = service.recommender
    created = _created(recommender)
    return ModelsResponse(data=[Model(id=name, created=created) for name in _models(recommender)])


@router.post("/v1/embeddings", responses={**BODY, **documented(404)})
async def embeddings(
    body: EmbeddingsRequest, request: Request, service: ServiceOf
) -> EmbeddingsResponse:
    """Texts as vectors of the artifact's encoder."""
    texts = [body.input] if isinstance(body.input, str) else body.input

    def encode(recommender: Recommender) -> FloatArray:
        encoder = _encoder(recommender, body.model)
        if body.dimensions not in (None, encoder.dim):
            raise QueryError(f"dimensions is {body.dimensions}, this encoder has {encoder.dim}")
        return encoder.encode_items(texts)

    vectors = await unless_gone(request, service.compute(encode))
    return EmbeddingsResponse(
        data=[
            Embedding(index=index, embedding=_embedding(vector, body.encoding_format))
            for index, vector in enumerate(vectors)
        ],
        model=body.model,
        usage=_usage(texts),
    )


@router.post("/v1/rerank", responses={**BODY, **documented(404)})
async def rerank(body: RerankRequest, request: Request, service: ServiceOf) -> RerankResponse:
    """Documents sorted by the artifact's reranker; without one by cosine with the query."""
    texts = [one if isinstance(one, str) else one.text for one in body.documents]

    def score(recommender: Recommender) -> FloatArray:
        encoder, reranking = _encoder(recommender, body.model), recommender.reranking
        if reranking is not None and not reranking.complaint:
            judged = reranking.worker.rerank_within(body.query, texts, NEVER).scores
            if np.isfinite(judged).all():
                return judged
        query = encoder.encode_queries([body.query])[0]
        return np.asarray(encoder.encode_items(texts) @ query, dtype=np.float32)

    scores = await unless_gone(request, service.compute(score))
    best = np.argsort(-scores, kind="stable")[: body.top_n]
    return RerankResponse(
        id=uuid.uuid4().hex,
        model=body.model,
        results=[
            RerankResult(
                index=int(index),
                relevance_score=float(scores[index]),
                document=Document(text=texts[index]) if body.return_documents else None,
            )
            for index in best
        ],
        usage=_usage([body.query, *texts]),
    )


def check_model(name: str, recommender: Recommender) -> None:
    """Refuse a model that isn't here.

    Raises:
        HTTPException: 404, naming those that are.
    """
    if name not in _models(recommender):
        raise HTTPException(404, f"no such model here; known: {', '.join(_models(recommender))}")


def _models(recommender: Recommender) -> list[str]:
    encoder = recommender.encoder
    return [MODEL, *([encoder.name] if encoder is not None else [])]


def _encoder(recommender: Recommender, model: str) -> Encoder:
    check_model(model, recommender)
    if recommender.encoder is None:
        raise QueryError("this artifact has no encoder")
    return recommender.encoder


def _created(recommender: Recommender) -> int:
    """Unix seconds of when the artifact was built; 0 if it doesn't say."""
    told = recommender.manifest.get("created")
    return int(datetime.fromisoformat(told).timestamp()) if told else 0


def _embedding(vector: FloatArray, form: Literal["float", "base64"]) -> list[float] | str:
    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(value) for value in vector]


def _usage(texts: list[str]) -> Usage:
    words = sum(len(text.split()) for text in texts)
    return Usage(prompt_tokens=words, total_tokens=words)
