"""`POST /v1/chat`: a conversation that is kept by its `session_id`, or sent along.

stored conversation and events → state update → query → list → reply → stored again
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field, model_validator
from starlette.concurrency import run_in_threadpool

from semrec.chat.answering import Message, Turn, answered, replayed
from semrec.chat.conversation import Conversation, StateUpdate
from semrec.chat.state_update import update_state
from semrec.deadline import Deadline
from semrec.errors import QueryError
from semrec.intent.filters import relaxations
from semrec.recommender import Recommender
from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.problems import BODY
from semrec.serve.service import LoggedOf, Served, Service, ServiceOf
from semrec.serve.wire import (
    ANSWER,
    Body,
    Closed,
    Id,
    QueryFields,
    RecommendResponse,
    Text,
    to_response,
)

MAX_SENT = 1_000  # messages; of these the last are read
WORDS_AT_ONCE = 3

router = APIRouter(route_class=JsonRoute, tags=["chat"])


class WireMessage(Body):
    """One message."""

    role: Literal["user", "assistant", "system"] = Field(description="Who says it")
    content: Text = Field(description="What is said")


class ChatRequest(QueryFields):
    """One `message` of a conversation that is kept, or all `messages` of one that isn't."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "message": "a bittersweet story from the nineties, nothing with horror",
                    "session_id": "visitor-17",
                    "k": 5,
                }
            ]
        }
    )

    message: Text | None = Field(default=None, description="What is said now")
    messages: list[WireMessage] | None = Field(
        default=None, min_length=1, max_length=MAX_SENT, description="All that was said"
    )
    session_id: Id | None = Field(default=None, description="Where the conversation is kept")
    understood: dict[str, Any] | None = Field(
        default=None, description="As it was answered, edited: counts instead of what is kept"
    )
    explain: bool = Field(default=False, description="Say why, for each item")
    trace: bool = Field(default=False, description="Say what the list came from")
    stream: bool = Field(default=False, description="Server-sent events: the list, then the words")

    @model_validator(mode="after")
    def _one_of_both(self) -> ChatRequest:
        if (self.message is None) == (self.messages is None):
            given = "neither" if self.message is None else "both"
            raise ValueError(f"found {given}, expected either `message` or `messages`")
        return self


class WireRelaxation(Closed):
    """A limit, and how many items all the others permit."""

    attribute: str = Field(description="As in `understood.filters`")
    operator: str = Field(description="The operator to take out of its condition")
    n_items: int = Field(description="How many items there would be")


class ChatResponse(RecommendResponse):
    """A list, and what is said beside it; `understood` can be edited and sent back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **ANSWER,
                    "understood": {"intent": "a bittersweet story", "filters": {}, "session": []},
                    "reply": "“Matrix, The” comes first.",
                    "session_id": "visitor-17",
                }
            ]
        }
    )

    reply: str = Field(description="A sentence or two")
    session_id: str | None = Field(description="Where the conversation is kept")
    relaxations: list[WireRelaxation] = Field(
        default=[], description="Of an empty list: the limits that it would help to drop"
    )


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A turn, and the list that was served with it."""

    turn: Turn
    served: Served


@router.post(
    "/v1/chat",
    responses={**BODY, 200: {"model": ChatResponse, "content": {"text/event-stream": {}}}},
    response_model=None,
)
async def chat(
    body: ChatRequest, request: Request, service: ServiceOf, logged: LoggedOf
) -> ChatResponse | StreamingResponse:
    """Read what is said, answer with a list and a sentence or two."""
    messages = [Message(m.role, m.content) for m in body.messages or ()]
    logged["intent_chars"] = len(messages[-1].content if body.message is None else body.message)
    talk = converse(
        service,
        body.message,
        messages,
        session_id=body.session_id,
        understood=body.understood,
        explain=body.explain,
        **body.fields(),
    )
    answer = await unless_gone(request, talk)
    logged["recommendation_id"] = answer.served.recommendation_id
    logged["version"] = answer.served.recommendations.trace.version
    response = ChatResponse(
        **to_response(answer.served, trace=body.trace).model_dump(exclude={"understood"}),
        understood=answer.turn.conversation.understood(),
        reply=answer.turn.reply,
        session_id=body.session_id,
        relaxations=await run_in_threadpool(_relaxations, answer),
    )
    if not body.stream:
        return response
    return StreamingResponse(_streamed(response), media_type="text/event-stream")


async def converse(
    service: Service,
    message: str | None,
    messages: Sequence[Message],
    *,
    session_id: str | None = None,
    understood: Mapping[str, Any] | None = None,
    explain: bool = False,
    filters: Mapping[str, Any] | None = None,
    **fields: Any,  # noqa: ANN401 (the fields of Query)
) -> Answered:
    """One turn: what was kept and what is said, answered and kept.

    Args:
        service: Answers.
        message: What is said; None: `messages` is the whole conversation.
        messages: All messages, oldest first.
        session_id: Where the conversation is kept, if it is.
        understood: What counts instead of what is kept.
        explain: Whether each item says why.
        filters: Limits of this turn alone, beside those that were said.
        fields: What of the query isn't said in words.

    Raises:
        QueryError: If the query or what was sent back as understood is wrong.
        BusyError, ExpiredError, StateError: As `Service.recommend`.
    """
    deadline = Deadline.within(fields.get("budget_ms"))
    before = await _kept(service, session_id)
    if understood is not None:
        before = _edited(before, understood)

    def read(recommender: Recommender) -> tuple[Conversation, StateUpdate]:
        intent_parser, catalog = recommender.intent_parser, recommender.catalog
        if message is None:
            return replayed(messages, intent_parser, catalog, before)
        return update_state(before, message, intent_parser, catalog, deadline)

    conversation, update = await service.compute(read)
    query = conversation.query(**fields)
    query = replace(query, filters={**query.filters, **(filters or {})})
    served = await service.answer(query, session_id, deadline)
    served = await service.explain(served) if explain else served
    ranked = served.recommendations
    turn = await run_in_threadpool(answered, served.recommender, conversation, update, ranked)
    if service.reply_writer is not None:
        latest = messages[-1].content if message is None else message
        turn = await run_in_threadpool(
            service.reply_writer.reworded, turn, latest, served.recommender, deadline.left_ms
        )
    if session_id is not None:
        events = [replace(event, event_id=uuid.uuid4().hex) for event in update.events]
        if events:
            await service.add_events({session_id: events})
        if gone := [event.event_id for event in update.withdrawn if event.event_id is not None]:
            await service.erase_events(session_id, gone)
        kept = json.dumps(turn.conversation.to_dict(), ensure_ascii=False)
        await run_in_threadpool(service.sessions.keep, session_id, kept)
    return Answered(turn=turn, served=served)


def _relaxations(answer: Answered) -> list[WireRelaxation]:
    if answer.served.recommendations.items:
        return []
    catalog = answer.served.recommender.catalog
    return [
        WireRelaxation(attribute=way.attribute, operator=way.operator or "any", n_items=way.n_items)
        for way in relaxations(answer.turn.conversation.filters, catalog)
    ]


def _edited(before: Conversation, understood: Mapping[str, Any]) -> Conversation:
    try:
        return before.edited(understood)
    except QueryError as error:
        where = "" if str(error).startswith("understood") else "understood: "
        raise QueryError(f"{where}{error}") from None


async def _kept(service: Service, session_id: str | None) -> Conversation:
    """The conversation of a session, with its events as they are now.

    Limits on attributes that another artifact had, and this one hasn't, hold no longer.
    """
    if session_id is None:
        return Conversation()
    kept = await run_in_threadpool(service.sessions.conversation, session_id)
    events = await run_in_threadpool(service.sessions.get, session_id)
    conversation = Conversation.from_dict(json.loads(kept)) if kept else Conversation()
    known = service.recommender.catalog.attributes
    filters = {name: of for name, of in conversation.filters.items() if name in known}
    return replace(conversation, session=events, filters=filters)


async def _streamed(response: ChatResponse) -> AsyncIterator[str]:
    """The list at once, then the reply a few words at a time."""
    yield _event("items", response.model_dump(exclude={"reply"}))
    words = response.reply.split(" ")
    for first in range(0, len(words), WORDS_AT_ONCE):
        yield _event("words", {"text": in_pieces(words, first, WORDS_AT_ONCE)})
    yield _event("done", {"reply": response.reply})


def in_pieces(words: Sequence[str], first: int, n: int) -> str:
    """Some words of a text, with the space before them."""
    return (" " if first else "") + " ".join(words[first : first + n])


def _event(name: str, data: Any) -> str:  # noqa: ANN401
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
