"""`POST /v1/chat/completions`, OpenAI's form: any of its clients can talk to a recommender."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from semrec.chat.answering import Message
from semrec.errors import QueryError
from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.problems import BODY, documented
from semrec.serve.routes.chat import (
    MAX_SENT,
    WORDS_AT_ONCE,
    Answered,
    converse,
    in_pieces,
)
from semrec.serve.routes.openai import MODEL, Usage, check_model
from semrec.serve.service import LoggedOf, ServiceOf
from semrec.serve.wire import Body, Closed, RecommendResponse, Text, to_response

router = APIRouter(route_class=JsonRoute, tags=["chat"])


class TextPart(Closed):
    """A part of a message's content."""

    type: Literal["text"]
    text: Text


class CompletionMessage(Closed):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[TextPart]
    name: str | None = None

    def said(self) -> Message:
        """As the conversation hears it."""
        parts = [self.content] if isinstance(self.content, str) else [p.text for p in self.content]
        return Message(self.role, "\n".join(parts))


class StreamOptions(Closed):
    """The end of a stream."""

    include_usage: bool = False


class CompletionRequest(Body):
    """Messages as OpenAI has them; what steers the sampling of words has nothing to steer here."""

    messages: list[CompletionMessage] = Field(min_length=1, max_length=MAX_SENT)
    model: str = MODEL
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    user: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class Choice(Closed):
    """The one answer."""

    index: int = 0
    message: dict[str, str]
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class CompletionUsage(Usage):
    """Words read and written."""

    completion_tokens: int


class CompletionResponse(Closed):
    """The reply and the list in words; `semrec` has the list itself."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage
    semrec: RecommendResponse


@router.post(
    "/v1/chat/completions",
    responses={
        **BODY,
        **documented(404),
        200: {"model": CompletionResponse, "content": {"text/event-stream": {}}},
    },
    response_model=None,
)
async def completions(
    body: CompletionRequest, request: Request, service: ServiceOf, logged: LoggedOf
) -> CompletionResponse | StreamingResponse:
    """A conversation sent whole, answered in words."""
    check_model(body.model, service.recommender)
    said = [message.said() for message in body.messages]
    if said[-1].role != "user":
        raise QueryError("the last message isn't the user's, there is nothing to answer")
    logged["intent_chars"] = len(said[-1].content)
    answer = await unless_gone(request, converse(service, None, said))
    logged["recommendation_id"] = answer.served.recommendation_id
    logged["version"] = answer.served.found.trace.version
    words = in_words(answer)
    head = {
        "id": f"chatcmpl-{answer.served.recommendation_id}",
        "created": int(time.time()),
        "model": body.model,
    }
    n_read, n_written = sum(len(m.content.split()) for m in said), len(words.split())
    usage = {"prompt_tokens": n_read, "completion_tokens": n_written}
    usage["total_tokens"] = n_read + n_written
    if body.stream:
        told = usage if body.stream_options and body.stream_options.include_usage else None
        return StreamingResponse(_streamed(head, words, told), media_type="text/event-stream")
    return CompletionResponse(
        **head,
        choices=[Choice(message={"role": "assistant", "content": words})],
        usage=CompletionUsage(**usage),
        semrec=to_response(answer.served, trace=False),
    )


def in_words(answer: Answered) -> str:
    """The reply, and the list with what is known of each item, a line each."""
    catalog = answer.served.recommender.catalog
    lines = [answer.turn.reply, ""]
    for item in answer.served.found.items:
        row = catalog.row(item.item_id)
        record = {} if row is None else catalog.record(row)
        about = [_shown(record[name]) for name in catalog.attribute_names if name in record]
        lines.append(f"{item.rank}. “{item.title or item.item_id}” ({'; '.join(about)})")
    return "\n".join(lines)


def _shown(value: Any) -> str:  # noqa: ANN401
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


async def _streamed(
    head: dict[str, Any], text: str, usage: dict[str, int] | None
) -> AsyncIterator[str]:
    def chunk(delta: dict[str, str], reason: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return {**head, "object": "chat.completion.chunk", "choices": [choice]}

    yield _data(chunk({"role": "assistant", "content": ""}, None))
    words = text.split(" ")
    for first in range(0, len(words), WORDS_AT_ONCE):
        yield _data(chunk({"content": in_pieces(words, first, WORDS_AT_ONCE)}, None))
    yield _data(chunk({}, "stop"))
    if usage is not None:
        yield _data({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def _data(value: Any) -> str:  # noqa: ANN401
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
