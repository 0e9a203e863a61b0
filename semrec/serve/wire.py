"""The HTTP contract as models: unknown fields are refused, everything else is `semrec.types`.

These are frozen: people outside call them exactly as they are written here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from semrec.errors import QueryError
from semrec.types import MAX_INTENT_CHARS, MAX_K, EventType, Query, RerankStatus
from semrec.types.checks import MAX_SECONDS, id_text, seconds

if TYPE_CHECKING:
    from semrec.serve.service import Served

T = TypeVar("T")

MAX_IDS, MAX_ID_CHARS = 10_000, 512
Text = Annotated[str, Field(max_length=MAX_INTENT_CHARS)]
TextId = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS)]


def _as_in_python(check: Callable[[Any, str], T]) -> Callable[[Any], T]:
    """A check of `semrec.types`, with its error as pydantic takes it."""

    def checked(value: Any) -> T:  # noqa: ANN401 (any JSON)
        try:
            return check(value, "it")
        except QueryError as error:
            raise ValueError(str(error)) from None

    return checked


Id = Annotated[TextId, BeforeValidator(_as_in_python(id_text), json_schema_input_type=TextId | int)]
"""Text, or a whole number that stands for its digits: the same rule as in Python."""
Seconds = Annotated[
    float,
    BeforeValidator(
        _as_in_python(seconds),
        json_schema_input_type=Annotated[float, Field(ge=0, le=MAX_SECONDS)] | str,
    ),
]
WHEN = "When: Unix seconds, or ISO 8601 (without a zone: UTC)"


class Closed(BaseModel):
    """A form without other fields than its own."""

    model_config = ConfigDict(extra="forbid")


class Body(Closed):
    """The body of a request. A field that is null is as if it weren't there."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, body: Any) -> Any:  # noqa: ANN401 (any JSON)
        if not isinstance(body, dict):
            return body
        fields = cls.model_fields
        return {name: of for name, of in body.items() if of is not None or name not in fields}

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401
        """In Python true is 1, and ``"k": true`` would ask for one item."""
        if isinstance(value, bool):
            annotation = cls.model_fields[str(info.field_name)].annotation
            kinds = {annotation, *get_args(annotation)}
            if bool not in kinds and int in kinds:
                raise PydanticKnownError("int_type")
            if bool not in kinds and float in kinds:
                raise PydanticKnownError("float_type")
        return value


class WireEvent(Body):
    """Something that was done with an item."""

    item_id: Id = Field(description="The item")
    type: EventType = Field(default="view", description="What was done; a reject never attracts")
    timestamp: Seconds | None = Field(default=None, description=WHEN)
    event_id: Id | None = Field(default=None, description="Its own id")


SessionEntry = Annotated[
    Annotated[Id, Tag("id")] | Annotated[WireEvent, Tag("event")],
    Discriminator(lambda value: "event" if isinstance(value, dict | WireEvent) else "id"),
]


class QueryFields(Body):
    """The fields of `semrec.Query` that no words say."""

    user_id: Id | None = Field(
        default=None, description="A user known from training: their events come first"
    )
    k: int = Field(default=10, ge=1, le=MAX_K, description="How many items")
    budget_ms: float | None = Field(
        default=None,
        ge=0,
        le=1e12,
        description="Milliseconds that may be spent; reranking is what gives way",
    )
    rerank: bool | None = Field(default=None, description="null: as the artifact is configured")
    semantic_weight: float | None = Field(
        default=None, ge=0, le=1, description="Weight of the words; null: the gate decides"
    )
    diversity: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How much what resembles items before it gives way; 0: the list as it was "
        "ranked; null: as the artifact is configured",
    )
    max_per: dict[str, Annotated[int, Field(strict=True, ge=1, le=MAX_K)]] = Field(
        default={},
        description="By attribute, how many items may share a label or a number; others as "
        "configured",
        examples=[{"genres": 3}],
    )
    include_seen: bool = Field(
        default=False, description="Items of the session and the history may come back"
    )

    def fields(self) -> dict[str, Any]:
        """These as keywords of `semrec.Query`."""
        return self.model_dump(include=set(QueryFields.model_fields))


class RecommendRequest(QueryFields):
    """A query, as `semrec.Query`, with what only a service knows."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "intent": "thought-provoking science fiction",
                    "session": ["1240", {"item_id": "541", "type": "like"}],
                    "k": 5,
                    "filters": {"genres": {"none": ["Horror"]}, "year": {"gte": 1990}},
                }
            ]
        }
    )

    intent: Text = Field(default="", description="What is wanted, in words")
    session: list[SessionEntry] = Field(
        default=[], max_length=MAX_IDS, description="Item ids or events, oldest first"
    )
    exclude: list[Id] = Field(
        default=[], max_length=MAX_IDS, description="Item ids that must not come back"
    )
    filters: dict[str, Any] = Field(
        default={},
        description="Conditions on attributes: a value, or `any`, `all`, `none` with lists of "
        "labels, `gt`, `gte`, `lt`, `lte` with numbers",
    )
    session_id: Id | None = Field(
        default=None, description="A session whose stored events come first"
    )
    explain: bool = Field(default=False, description="Say why, for each item")
    trace: bool = Field(default=False, description="Say what the list came from")

    def to_query(self) -> Query:
        """The query proper.

        Raises:
            QueryError: If a value is wrong.
        """
        values = self.model_dump(exclude={"session_id", "explain", "trace"})
        return Query(**values)


class WireItem(Closed):
    """One recommended item."""

    item_id: str = Field(description="Its id in the catalogue")
    title: str = Field(description="Its title; may be empty")
    score: float = Field(
        description="Higher is better; comparable within this list alone. In a diversified list "
        "it needn't fall"
    )
    rank: int = Field(description="From 1")
    explanation: str | None = Field(default=None, description="Only if asked for")


class WireRerank(Closed):
    """The outcome of reranking."""

    status: RerankStatus = Field(description="`off`: it wasn't asked for")
    scored: int = Field(description="How many candidates the reranker scored")


ANSWER: dict[str, Any] = {
    "recommendation_id": "2f1e0c4d9b8a47e6a5d3c2b1a0f9e8d7",
    "items": [{"item_id": "2571", "title": "Matrix, The", "score": 1.93, "rank": 1}],
    "degraded": False,
    "rerank": {"status": "off", "scored": 0},
    "understood": {"filters": {"year": {"gte": 1990}}},
    "notes": [],
    "timings_ms": {"queue": 0.1, "total": 9.8},
    "version": "2d60d9eb10b4",
}


class RecommendResponse(Closed):
    """Items, best first, and how they came about."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER]})

    recommendation_id: str = Field(description="The list's name in the log")
    items: list[WireItem] = Field(description="Best first; may be fewer than `k`")
    degraded: bool = Field(description="Something that was asked for was left out")
    rerank: WireRerank = Field(description="What the reranker did")
    understood: dict[str, Any] = Field(
        description="What was read out of the request; may be edited and sent back"
    )
    notes: list[str] = Field(
        description="What to know of this list: why it is empty or short, ids and labels that are "
        "unknown, signals that were missing"
    )
    timings_ms: dict[str, float] = Field(description="Milliseconds by stage")
    version: str = Field(description="The artifact's")
    trace: dict[str, Any] | None = Field(default=None, description="Only if asked for")


class ErrorObject(BaseModel):
    """The same error as OpenAI's clients read it."""

    message: str = Field(description="As `detail`")
    type: str = Field(description="`invalid_request_error`, `server_error`, …")
    param: str | None = Field(description="The field of the body, with dots between")
    code: str | None = Field(description="For programs")


class WireFieldError(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="Where in the body, as a JSON pointer: `#/session/0/type`")
    detail: str = Field(description="What was found, what was expected")


class Problem(BaseModel):
    """An error (RFC 9457), served as ``application/problem+json``."""

    type: str = Field(default="about:blank", description="As RFC 9457 has it")
    title: str = Field(description="The same for all errors of a kind")
    status: int = Field(description="The status of HTTP")
    detail: str = Field(description="What was found, what was expected, what to do")
    error: ErrorObject = Field(description="The same for clients of OpenAI's form")
    errors: list[WireFieldError] = Field(default=[], description="Field by field")


class Health(Closed):
    """The state of the service, and its artifact."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ready", "version": "2d60d9eb10b4"}]}
    )

    status: str = Field(description="`live` or `ready`")
    version: str = Field(description="The artifact's")


def to_response(served: Served, *, trace: bool) -> RecommendResponse:
    """The answer on the wire."""
    about = served.recommendations.trace
    trace_fields = None
    if trace:
        trace_fields = {
            "weights": dict(about.weights),
            "evidence": dict(about.evidence),
            "reason": about.reason,
            "notes": list(about.notes),
            "moved": [asdict(moved) for moved in about.moved],
        }
    return RecommendResponse(
        recommendation_id=served.recommendation_id,
        items=[
            WireItem(
                item_id=item.item_id,
                title=item.title,
                score=item.score,
                rank=item.rank,
                explanation=item.explanation,
            )
            for item in served.recommendations.items
        ],
        degraded=about.degraded,
        rerank=WireRerank(status=about.rerank.status, scored=about.rerank.scored),
        understood=dict(about.understood),
        notes=list(about.notes),
        timings_ms={stage: round(spent, 3) for stage, spent in served.timings_ms.items()},
        version=about.version,
        trace=trace_fields,
    )
