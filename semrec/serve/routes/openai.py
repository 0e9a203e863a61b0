"""`/v1/models` and `/v1/embeddings`, OpenAI's form."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException

from semrec.errors import QueryError
from semrec.protocols import Encoder
from semrec.recommender import Recommender
from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.forms import MODEL, Form, ignored_header, inert, unsupported
from semrec.serve.problems import BODY, documented
from semrec.serve.service import ServiceOf
from semrec.serve.wire import Closed, Text
from semrec.types import FloatArray

MAX_TEXTS = 2_048
NO_TOKENS = (
    "found token ids, expected text: the encoder here has tokens of its own "
    "(LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False))"
)

router = APIRouter(route_class=JsonRoute, tags=["models"])


class Usage(Closed):
    """Words, counted between spaces: not every encoder counts tokens."""

    prompt_tokens: int = Field(description="Words read")
    total_tokens: int = Field(description="All words")


MODEL_EXAMPLE: dict[str, Any] = {
    "id": MODEL,
    "object": "model",
    "created": 1714564800,
    "owned_by": "semrec",
}


class Model(Closed):
    """A value of `model`."""

    model_config = ConfigDict(json_schema_extra={"examples": [MODEL_EXAMPLE]})

    id: str = Field(description="Its name")
    object: Literal["model"] = Field(default="model", description="As OpenAI has it")
    created: int = Field(description="Unix seconds of the artifact's build; 0: unknown")
    owned_by: str = Field(default="semrec", description="As OpenAI has it")


class ModelsResponse(Closed):
    """All of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"object": "list", "data": [MODEL_EXAMPLE]}]}
    )

    object: Literal["list"] = Field(default="list", description="As OpenAI has it")
    data: list[Model] = Field(description="The recommender, and its encoder by its own name")


def _no_tokens(value: Any) -> Any:  # noqa: ANN401
    first = value[0] if isinstance(value, list) and value else None
    if isinstance(first, int | list) and not isinstance(first, bool):
        raise unsupported(NO_TOKENS)
    return value


class EmbeddingsRequest(Form):
    """Texts, as OpenAI has it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": MODEL, "input": ["a quiet story", "a heist"]}]}
    )

    input: Annotated[
        Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)],
        BeforeValidator(
            _no_tokens,
            json_schema_input_type=Text
            | Annotated[list[Text], Field(min_length=1, max_length=MAX_TEXTS)],
        ),
    ] = Field(description=f"A text, or up to {MAX_TEXTS:,}; no token ids")
    model: str = Field(
        default=MODEL, description="Any: the artifact's encoder answers, by its name"
    )
    encoding_format: Literal["float", "base64"] = Field(
        default="float", description="Numbers, or base64 of little-endian float32"
    )
    dimensions: int | None = Field(
        default=None, ge=1, description="As many as the encoder has; others are refused"
    )
    input_type: str | None = Field(
        default=None, description="Cohere's and Voyage's: `query` or `search_query`, else an item"
    )
    task: str | None = Field(
        default=None, description="Jina's: `retrieval.query`, else the texts are items"
    )
    embedding_type: Literal["float", "base64"] | None = Field(
        default=None, description="Jina's `encoding_format`"
    )
    truncate: bool | str | None = inert(": long texts are cut")
    truncation: bool | None = inert(": long texts are cut")
    normalized: bool | None = inert(": vectors have unit length")
    user: str | None = inert()

    @property
    def is_query(self) -> bool:
        """True where the texts are what somebody looks for."""
        return "query" in (self.input_type or self.task or "").replace("_", ".").split(".")


class Embedding(Closed):
    """One vector of unit length."""

    object: Literal["embedding"] = Field(default="embedding", description="As OpenAI has it")
    index: int = Field(description="Of the text, from 0")
    embedding: list[float] | str = Field(description="Numbers, or base64")


class EmbeddingsResponse(Closed):
    """A vector for each text."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "object": "list",
                    "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
                    "model": MODEL,
                    "usage": {"prompt_tokens": 3, "total_tokens": 3},
                }
            ]
        }
    )

    object: Literal["list"] = Field(default="list", description="As OpenAI has it")
    data: list[Embedding] = Field(description="In the order of the texts")
    model: str = Field(description="The one that was asked for, or the encoder's own name")
    usage: Usage = Field(description="Words, counted between spaces")


@router.get("/v1/models")
async def models(service: ServiceOf) -> ModelsResponse:
    """The recommender, and its encoder by its own name."""
    recommender = service.recommender
    return ModelsResponse(data=[_model(recommender, name) for name in model_names(recommender)])


@router.get("/v1/models/{model_id:id}", responses={**BODY, **documented(404)})
async def get_model(model_id: str, service: ServiceOf) -> Model:
    """One of them."""
    recommender = service.recommender
    names = model_names(recommender)
    if model_id not in names:
        raise HTTPException(404, f"no such model here; known: {', '.join(names)}")
    return _model(recommender, model_id)


@router.post("/v1/embeddings", responses=BODY)
async def embeddings(
    body: EmbeddingsRequest, request: Request, response: Response, service: ServiceOf
) -> EmbeddingsResponse:
    """Texts as vectors of the artifact's encoder."""
    texts = [body.input] if isinstance(body.input, str) else body.input

    def encode(recommender: Recommender) -> tuple[str, FloatArray]:
        encoder = encoder_of(recommender)
        if body.dimensions not in (None, encoder.dim):
            raise QueryError(f"dimensions is {body.dimensions}, this encoder has {encoder.dim}")
        encode_texts = encoder.encode_queries if body.is_query else encoder.encode_items
        return answering(body.model, recommender), encode_texts(texts)

    model, vectors = await unless_gone(request, service.compute(encode))
    form = body.embedding_type or body.encoding_format
    response.headers.update(
        ignored_header([*(["model"] if model != body.model else []), *body.ignored()])
    )
    return EmbeddingsResponse(
        data=[
            Embedding(index=index, embedding=_embedding(vector, form))
            for index, vector in enumerate(vectors)
        ],
        model=model,
        usage=usage_of(texts),
    )


def model_names(recommender: Recommender) -> list[str]:
    """The values of `model` that are here."""
    encoder = recommender.encoder
    return [MODEL, *([encoder.name] if encoder is not None else [])]


def answering(model: str, recommender: Recommender) -> str:
    """The name of what answers where `model` is asked for: clients have defaults of their own."""
    names = model_names(recommender)
    return model if model in names else names[-1]


def encoder_of(recommender: Recommender) -> Encoder:
    """The artifact's encoder.

    Raises:
        QueryError: If it has none.
    """
    if recommender.encoder is None:
        raise QueryError("this artifact has no encoder")
    return recommender.encoder


def usage_of(texts: list[str]) -> Usage:
    """Words of texts."""
    words = sum(len(text.split()) for text in texts)
    return Usage(prompt_tokens=words, total_tokens=words)


def _model(recommender: Recommender, name: str) -> Model:
    built = recommender.manifest.get("created")
    created = int(datetime.fromisoformat(built).timestamp()) if built else 0
    return Model(id=name, created=created)


def _embedding(vector: FloatArray, form: Literal["float", "base64"]) -> list[float] | str:
    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(value) for value in vector]
