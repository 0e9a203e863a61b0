"""The words beside a list: one or two sentences from a template, and nothing that isn't known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from semrec.chat.conversation import Conversation
from semrec.chat.phrasing import limits_in_words
from semrec.chat.state_update import StateUpdate
from semrec.data.catalog import Catalog
from semrec.intent.conditions import explain_nothing
from semrec.intent.intent_parser import IntentParser
from semrec.prompting import Prompt, load_prompt
from semrec.types import EVENT_WEIGHTS, Recommendations

MAX_NAMED, MAX_PHRASES = 2, 3


def reply_to(
    heard: StateUpdate,
    conversation: Conversation,
    found: Recommendations,
    catalog: Catalog,
    intent_parser: IntentParser | None,
) -> str:
    """The reply to a message.

    Args:
        heard: What the message changed.
        conversation: With the message in it.
        found: The list that is shown now.
        catalog: For titles.
        intent_parser: For the names of languages.
    """

    def titles(*, liked: bool) -> list[str]:
        ids = [e.item_id for e in heard.events if bool(EVENT_WEIGHTS[e.type]) == liked]
        named = [catalog.titles[row] for row in catalog.rows(ids)]
        return [title for title in dict.fromkeys(named) if title][:MAX_NAMED]

    lifted, gone = _taken_back(heard, conversation.filters)
    nothing = None if found.items else explain_nothing(conversation.filters, catalog)
    text = _template().render(
        anew=heard.anew,
        liked=titles(liked=True),
        rejected=titles(liked=False),
        others=heard.others,
        stated=limits_in_words(heard.stated, catalog, intent_parser)[:MAX_PHRASES],
        lifted=lifted[:MAX_PHRASES],
        dropped=limits_in_words(gone, catalog, intent_parser)[:MAX_PHRASES],
        not_understood=list(heard.not_understood[:MAX_NAMED]),
        nothing=nothing,
        first=[item.title or item.item_id for item in found.items[:MAX_NAMED]],
    )
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def _template() -> Prompt:
    return load_prompt("chat_reply", "chat_reply")


def _taken_back(
    heard: StateUpdate, filters: Mapping[str, Any]
) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Labels that are no longer ruled out, and demands that were dropped."""
    lifted: list[str] = []
    gone: dict[str, dict[str, Any]] = {}
    for name, operator, value in _conditions(heard.before):
        now = filters.get(name)
        of = now if isinstance(now, Mapping) else {} if now is None else {"any": [now]}
        if operator == "none":
            left = [str(one).casefold() for one in of.get("none", ())]
            lifted += [str(one) for one in value if str(one).casefold() not in left]
        elif operator not in of and name not in heard.stated:
            gone.setdefault(name, {})[operator] = value
    return lifted, gone


def _conditions(filters: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, condition in filters.items():
        of = condition if isinstance(condition, Mapping) else {"any": [condition]}
        for operator, value in of.items():
            yield name, operator, value
