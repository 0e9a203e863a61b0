"""The service's answers as tools for language models, whatever protocol they come by.

    a call → its arguments as a wire model → what the routes call → a wire model, or a refusal

Titles, texts and labels are values of JSON: nothing is ever made of what stands in them.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException

from semrec.data.attributes import Labels, Numbers
from semrec.errors import ModelError, QueryError, StateError
from semrec.recommender import Recommender
from semrec.serve.bodies import unusable
from semrec.serve.engine import BusyError, ExpiredError
from semrec.serve.field_errors import field_errors
from semrec.serve.problems import MAX_TOLD
from semrec.serve.routes import events, items, recommend
from semrec.serve.service import Service
from semrec.serve.wire import Body, Closed, Id, RecommendRequest, RecommendResponse, WireItem
from semrec.types import MAX_K

logger = logging.getLogger(__name__)

MAX_LABELS = 100  # of one attribute, that a summary names
REFUSALS = (BusyError, ExpiredError, ModelError, QueryError, StateError)


class SimilarRequest(Body):
    """An item, and how many others are wanted."""

    item_id: Id = Field(description="The item")
    k: int = Field(default=10, ge=1, le=MAX_K, description="How many items")


class ItemRequest(Body):
    """An item."""

    item_id: Id = Field(description="The item")


class EventRequest(events.SessionEvent):
    """Something that was done in a session, which the next `recommend` with its id sees."""

    event_id: Id = Field(
        default_factory=lambda: uuid.uuid4().hex,
        description="Its own id, within the session: sent again it counts once; absent: a new one",
    )


class ExplainRequest(Body):
    """A list that was served."""

    recommendation_id: Id = Field(description="As it came with the list")


class ExplainResponse(Closed):
    """A list as it was served, with reasons."""

    recommendation_id: str = Field(description="As asked")
    items: list[WireItem] = Field(description="Best first, each with its `explanation`")


class WireAttribute(Closed):
    """An attribute that filters can use."""

    name: str = Field(description="As in `filters`")
    kind: str = Field(description="`number` or `labels`")
    minimum: float | None = Field(default=None, description="Of numbers")
    maximum: float | None = Field(default=None, description="Of numbers")
    n_labels: int | None = Field(default=None, description="How many different labels there are")
    labels: list[str] = Field(
        default=[], description=f"The up to {MAX_LABELS} most frequent, in small letters"
    )


class AttributesResponse(Closed):
    """Attributes of the catalogue."""

    n_items: int = Field(description="How many items there are")
    attributes: list[WireAttribute] = Field(description="In the order of the catalogue's columns")


@dataclass(frozen=True, kw_only=True)
class ServiceTool:
    """A tool, and the answer that it gives.

    Attributes:
        description: What a language model reads of it.
        arguments: The form of its arguments.
        result: The form of its answer.
        answer: Makes the answer; what the log says of it joins the mapping.
        is_read_only: False if it changes what the service keeps.
    """

    description: str
    arguments: type[Body]
    result: type[Closed]
    answer: Callable[[Service, Any, dict[str, Any]], Awaitable[Closed]]
    is_read_only: bool = True


async def _explained(service: Service, recommendation_id: str) -> ExplainResponse:
    explained = await service.explain_logged(recommendation_id)
    return ExplainResponse(
        recommendation_id=recommendation_id, items=[WireItem(**vars(item)) for item in explained]
    )


TOOLS = {
    "recommend": ServiceTool(
        description="The items that fit best what is wanted in words and what was done before.",
        arguments=RecommendRequest,
        result=RecommendResponse,
        answer=lambda service, body, logged: recommend.recommended(body, service, logged),
    ),
    "similar_items": ServiceTool(
        description="Items that go with an item.",
        arguments=SimilarRequest,
        result=RecommendResponse,
        answer=lambda service, body, logged: items.similar(body.item_id, body.k, service, logged),
    ),
    "get_item": ServiceTool(
        description="All that the catalogue says of an item.",
        arguments=ItemRequest,
        result=items.ItemResponse,
        answer=lambda service, body, _: items.get_item(body.item_id, service),
    ),
    "explain": ServiceTool(
        description="Why the items of a list were recommended.",
        arguments=ExplainRequest,
        result=ExplainResponse,
        answer=lambda service, body, _: _explained(service, body.recommendation_id),
    ),
    "record_event": ServiceTool(
        description="Keep what somebody did with an item; later lists of the session see it.",
        arguments=EventRequest,
        result=events.EventsResponse,
        answer=lambda service, body, _: events.add_events(
            events.EventsRequest(events=[body]), service
        ),
        is_read_only=False,
    ),
}


@dataclass(frozen=True, kw_only=True)
class ToolAnswer:
    """An answer.

    Attributes:
        text: The result as JSON; where there is none, what is wrong with the call, in one line.
        result: As the routes have it, None if the call was refused.
    """

    text: str
    result: dict[str, Any] | None = None


async def answer_call(
    service: Service, name: str, arguments: Mapping[str, Any], logged: dict[str, Any]
) -> ToolAnswer:
    """The answer of one of `TOOLS`; what the log says of it joins `logged`."""
    tool = TOOLS[name]
    logged["tool"] = name
    try:
        answer = await tool.answer(service, _checked(tool.arguments, arguments), logged)
    except REFUSALS as error:
        text = str(error)
    except HTTPException as error:
        text = error.detail
    except Exception:  # ours: nothing of what it was leaves the service
        logger.exception("failed", extra={"tool": name})
        text = "an error of ours; it was logged"
    else:
        # As over HTTP: all that was set, also to null.
        result = answer.model_dump(mode="json", exclude_unset=True)
        return ToolAnswer(text=json.dumps(result, ensure_ascii=False), result=result)
    logged["is_error"] = True
    # A field's name is the caller's: it may break lines, or be half a surrogate pair.
    return ToolAnswer(text=" ".join(text.encode("utf-8", "replace").decode().split()))


def summarise(recommender: Recommender) -> AttributesResponse:
    """Attributes of a catalogue, with their ranges and their most frequent labels."""
    attributes = []
    for name, attribute in recommender.catalog.attributes.items():
        if isinstance(attribute, Labels):
            labels = attribute.most_frequent(MAX_LABELS)
            n_labels = len(attribute.vocabulary)
            summary = WireAttribute(name=name, kind="labels", n_labels=n_labels, labels=labels)
        else:
            assert isinstance(attribute, Numbers)
            values = attribute.values[abs(attribute.values) < float("inf")]  # NaN isn't less either
            least, most = (values.min(), values.max()) if len(values) else (None, None)
            summary = WireAttribute(name=name, kind="number", minimum=least, maximum=most)
        attributes.append(summary)
    return AttributesResponse(n_items=len(recommender.catalog), attributes=attributes)


def _checked(model: type[Body], arguments: Mapping[str, Any]) -> Body:
    """Arguments in their form.

    Raises:
        QueryError: If they don't have it, in the words of the routes.
    """
    errors: list[Any] = [
        {"type": "unusable", "loc": path, "msg": detail, "input": None}
        for path, detail in unusable(arguments)
    ]
    if not errors:
        try:
            return model.model_validate(arguments)
        except ValidationError as error:
            errors = list(error.errors(include_url=False))
    located = [{**error, "loc": ("body", *error["loc"])} for error in errors]
    fields = field_errors(located, arguments, model)[:MAX_TOLD]
    raise QueryError("; ".join(f"{of.field.removeprefix('body.')}: {of.detail}" for of in fields))
