"""`POST /v1/chat/completions`, OpenAI's form: any of its clients can talk to a recommender."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from semrec.serve.bodies import JsonRoute
from semrec.serve.disconnect import unless_gone
from semrec.serve.forms import MODEL, ignored_header
from semrec.serve.problems import BODY
from semrec.serve.routes.chat import WORDS_AT_ONCE, Answered, converse, in_pieces
from semrec.serve.routes.completion_form import (
    Choice,
    CompletionAnswer,
    CompletionRequest,
    CompletionResponse,
    CompletionUsage,
)
from semrec.serve.routes.openai import model_names
from semrec.serve.service import LoggedOf, ServiceOf
from semrec.serve.wire import RecommendResponse, to_response

router = APIRouter(route_class=JsonRoute, tags=["chat"])


@router.post(
    "/v1/chat/completions",
    responses={**BODY, 200: {"model": CompletionResponse, "content": {"text/event-stream": {}}}},
    response_model=None,
)
async def completions(
    body: CompletionRequest,
    request: Request,
    response: Response,
    service: ServiceOf,
    logged: LoggedOf,
) -> CompletionResponse | StreamingResponse:
    """A conversation sent whole, answered in words."""
    messages, extras = body.conversation(), body.semrec
    logged["intent_chars"] = len(messages[-1].content)
    talk = converse(
        service,
        None,
        messages,
        session_id=extras.session_id,
        explain=extras.explain,
        filters=extras.filters,
        **extras.fields(),
    )
    answer = await unless_gone(request, talk)
    logged["recommendation_id"] = answer.served.recommendation_id
    logged["version"] = answer.served.recommendations.trace.version
    known = model_names(answer.served.recommender)
    as_json = body.response_format.get("type") == "json_object"
    words, reason = _cut(in_json(answer) if as_json else in_words(answer), body)
    listed = to_response(answer.served, trace=extras.trace)
    listed = listed.model_copy(update={"notes": [*listed.notes, *body.notes(known)]})
    head = {
        "id": f"chatcmpl-{answer.served.recommendation_id}",
        "created": int(time.time()),
        "model": MODEL,
        "system_fingerprint": listed.version,
    }
    n_read, n_written = sum(len(m.content.split()) for m in messages), len(words.split())
    usage = CompletionUsage(
        prompt_tokens=n_read, completion_tokens=n_written, total_tokens=n_read + n_written
    )
    headers = ignored_header(body.without_effect(known))
    if body.stream:
        last = usage if body.stream_options.include_usage else None
        return StreamingResponse(
            _streamed(head, words, reason, last, listed),
            media_type="text/event-stream",
            headers=headers,
        )
    response.headers.update(headers)
    choice = Choice(message=CompletionAnswer(content=words), finish_reason=reason)
    return CompletionResponse(**head, choices=[choice], usage=usage, semrec=listed)


def in_words(answer: Answered) -> str:
    """The reply, and the list with what is known of each item, a line each."""
    lines = [answer.turn.reply, ""]
    for item, attributes in _items(answer):
        about = "; ".join(_shown(value) for value in attributes.values())
        lines.append(f"{item['rank']}. “{item['title'] or item['item_id']}” ({about})")
    return "\n".join(lines)


def in_json(answer: Answered) -> str:
    """The same as an object of `reply` and `items`."""
    items = [{**item, **attributes} for item, attributes in _items(answer)]
    return json.dumps({"reply": answer.turn.reply, "items": items}, ensure_ascii=False, default=str)


def _items(answer: Answered) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    catalog = answer.served.recommender.catalog
    items = []
    for item in answer.served.recommendations.items:
        row = catalog.row(item.item_id)
        record = {} if row is None else catalog.record(row)
        about = {name: record[name] for name in catalog.attribute_names if name in record}
        items.append(({"rank": item.rank, "item_id": item.item_id, "title": item.title}, about))
    return items


def _shown(value: Any) -> str:  # noqa: ANN401
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str, body: CompletionRequest) -> tuple[str, Literal["stop", "length"]]:
    """The text up to a stop and to so many words, and the reason of its end."""
    stops = [text.find(stop) for stop in body.stop or () if stop in text]
    text = text[: min(stops, default=len(text))]
    words = re.findall(r"\S+\s*", text)
    if body.max_words is None or len(words) <= body.max_words:
        return text, "stop"
    return "".join(words[: body.max_words]).rstrip(), "length"


async def _streamed(
    head: Mapping[str, Any],
    text: str,
    reason: str,
    usage: CompletionUsage | None,
    listed: RecommendResponse,
) -> AsyncIterator[str]:
    """Chunks as OpenAI has them; the first has the list, the last the usage if it was asked for."""
    head = {**head, "object": "chat.completion.chunk"}
    if usage is not None:
        head["usage"] = None

    def chunk(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return {**head, "choices": [choice]}

    first_chunk = chunk({"role": "assistant", "content": ""})
    yield _data({**first_chunk, "semrec": listed.model_dump()})
    words = text.split(" ")
    for first in range(0, len(words), WORDS_AT_ONCE):
        yield _data(chunk({"content": in_pieces(words, first, WORDS_AT_ONCE)}))
    yield _data(chunk({}, reason))
    if usage is not None:
        yield _data({**head, "choices": [], "usage": usage.model_dump()})
    yield "data: [DONE]\n\n"


def _data(value: Any) -> str:  # noqa: ANN401
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
