"""The HTTP contract as models: unknown fields are refused, everything else is `semrec.types`.

These are frozen: people outside call them exactly as they are written here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from semrec.types import MAX_INTENT_CHARS, MAX_K, EventType, Query, RerankStatus

if TYPE_CHECKING:
    from semrec.serve.service import Served

MAX_IDS = 10_000
Id = Annotated[str, Field(min_length=1, max_length=512)]
Text = Annotated[str, Field(max_length=MAX_INTENT_CHARS)]
Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False, description="Unix seconds")]


class Closed(BaseModel):
    """A form without other fields than its own."""

    model_config = ConfigDict(extra="forbid")


class Body(Closed):
    """The body of a request."""

    @model_validator(mode="before")
    @classmethod
    def _text_is_text(cls, body: Any) -> Any:  # noqa: ANN401 (any JSON)
        """JSON can spell half a surrogate pair, which no answer could repeat."""
        try:
            json.dumps(body, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("holds half a surrogate pair, which is no text") from None
        return body


class WireEvent(Closed):
    """Something that was done with an item."""

    item_id: Id
    type: EventType = "view"
    timestamp: Seconds | None = None
    event_id: Id | None = None


class RecommendRequest(Body):
    """A query, as `semrec.Query`, with what only a service knows."""

    intent: str = Field(
        default="",
        max_length=MAX_INTENT_CHARS,
        description="What is wanted, in words",
        examples=["a thought-provoking science fiction film"],
    )
    session: list[str | WireEvent] = Field(
        default=[], max_length=MAX_IDS, description="Item ids or events, oldest first"
    )
    user_id: str | None = Field(default=None, min_length=1)
    k: int = Field(default=10, ge=1, le=MAX_K)
    exclude: list[str] = Field(default=[], max_length=MAX_IDS)
    filters: dict[str, Any] = Field(
        default={}, examples=[{"genres": {"none": ["Horror"]}, "year": {"gte": 1990}}]
    )
    budget_ms: float | None = Field(default=None, ge=0)
    rerank: bool | None = None
    semantic_weight: float | None = Field(default=None, ge=0, le=1)
    session_id: Id | None = Field(
        default=None, description="A session whose stored events come first"
    )
    explain: bool = False
    trace: bool = False

    def to_query(self) -> Query:
        """The query proper.

        Raises:
            QueryError: If an id is empty.
        """
        values = self.model_dump(exclude={"session_id", "explain", "trace"})
        return Query(**values)


class WireItem(Closed):
    """One recommended item; `rank` counts from 1, higher scores are better."""

    item_id: str
    title: str
    score: float
    rank: int
    explanation: str | None = None


class WireRerank(Closed):
    """The outcome of reranking."""

    status: RerankStatus
    scored: int


class RecommendResponse(Closed):
    """Items, best first, and how they came about."""

    recommendation_id: str
    items: list[WireItem]
    degraded: bool
    rerank: WireRerank
    understood: dict[str, Any]
    timings_ms: dict[str, float]
    version: str
    trace: dict[str, Any] | None = Field(default=None, description="Only if asked for")


class Problem(BaseModel):
    """An error (RFC 9457), served as ``application/problem+json``."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Health(Closed):
    """The state of the service, and its artifact."""

    status: str
    version: str


def to_response(served: Served, *, trace: bool) -> RecommendResponse:
    """The answer on the wire."""
    about = served.found.trace
    shown = None
    if trace:
        shown = {
            "weights": dict(about.weights),
            "evidence": dict(about.evidence),
            "reason": about.reason,
            "notes": list(about.notes),
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
            for item in served.found.items
        ],
        degraded=about.degraded,
        rerank=WireRerank(status=about.rerank.status, scored=about.rerank.scored),
        understood=dict(about.understood),
        timings_ms={stage: round(spent, 3) for stage, spent in served.timings_ms.items()},
        version=about.version,
        trace=shown,
    )
