"""The words beside a list: one or two sentences from a template, and nothing that isn't known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from semrec.chat.conversation import Conversation, StateUpdate
from semrec.chat.explanations import main_reason
from semrec.chat.phrasing import first_of, limits_in_words, shortened
from semrec.intent.filters import explain_nothing
from semrec.intent.tokens import key
from semrec.pipeline.resolve import OTHER_KINDS
from semrec.prompting import Prompt, load_prompt
from semrec.recommender import Recommender
from semrec.types import Query, Recommendations

MAX_NAMED, MAX_PHRASES, MAX_MISSED, MAX_WISH_CHARS, MAX_ECHOED_WORDS = 2, 3, 4, 60, 8


def reply_to(
    update: StateUpdate,
    conversation: Conversation,
    ranked: Recommendations,
    recommender: Recommender,
) -> str:
    """The reply to a message.

    Args:
        update: What the message changed.
        conversation: With the message in it; `shown` is still the list before.
        ranked: The list that is shown now.
        recommender: For titles, records and the names of languages.
    """
    catalog, intent_parser = recommender.catalog, recommender.intent_parser

    def titles(types: Sequence[str], *, shown: bool | None = None) -> list[str]:
        ids = [
            event.item_id
            for event in update.events
            if event.type in types and shown in (None, event.item_id in conversation.shown)
        ]
        named = [catalog.titles[row] for row in catalog.rows(ids)]
        return [f"“{title}”" for title in dict.fromkeys(named) if title]

    rejected = [title for title in titles(("reject",)) if not _is_part(title, update)]
    liked = titles(("like",)) + titles(("view",), shown=False)
    liked = [title for title in liked if title not in rejected]
    said_so = bool(liked) and len(update.wish.split()) <= MAX_ECHOED_WORDS
    lifted, gone = _taken_back(update, conversation.filters)
    nothing = None if ranked.items else explain_nothing(conversation.filters, catalog)
    missed = [*update.not_understood, *_unknown(update, ranked)]
    opens = not conversation.shown and not update.stated and not update.events
    text = _template().render(
        anew=update.anew,
        wish="" if said_so else shortened(update.wish, MAX_WISH_CHARS),
        liked=first_of(liked, MAX_NAMED),
        seen=first_of(titles(("view",), shown=True), MAX_NAMED),
        bought=first_of(titles(("buy",)), MAX_NAMED),
        rejected=first_of(rejected, MAX_NAMED),
        others=update.others,
        stated=first_of(
            [*update.denied, *limits_in_words(_said_in_labels(update), catalog, intent_parser)],
            MAX_PHRASES,
        ),
        lifted=first_of(lifted, MAX_PHRASES),
        dropped=first_of(limits_in_words(gone, catalog, intent_parser), MAX_PHRASES),
        missed=first_of([f"“{phrase}”" for phrase in missed], MAX_MISSED),
        language=update.language,
        beside=next((n for n in ranked.trace.notes if n.endswith(OTHER_KINDS)), ""),
        idle=conversation.query() == Query(),
        nothing=nothing,
        first=[item.title or item.item_id for item in ranked.items[:MAX_NAMED]],
        reason=main_reason(recommender, conversation.query(), ranked),
        ask=bool(opens and update.wish and ranked.items and not missed and not update.language),
    )
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def _template() -> Prompt:
    return load_prompt("chat_reply", "chat_reply")


def _is_part(title: str, update: StateUpdate) -> bool:
    """True for a part of a series that a denial names: "not Harry Potter" says it of all."""
    opening = " ".join(key(title).split()[:2])
    return any(opening in key(phrase) for phrase in update.denied)


def _unknown(update: StateUpdate, ranked: Recommendations) -> list[str]:
    """Names in the newest wish that no item has; of older ones it was said before."""
    wish = update.wish.casefold()
    return [
        phrase
        for phrase in ranked.trace.understood.get("not_understood", ())
        if phrase.casefold() in wish and not any(phrase in label for label in update.not_understood)
    ]


def _said_in_labels(update: StateUpdate) -> dict[str, Any]:
    """The limits that a message states, without the labels that it denies in words of its own."""
    denied: dict[str, set[str]] = {}
    for labels in update.denied.values():
        for has in labels:
            denied.setdefault(has.attribute, set()).update(map(str, has.labels))
    left: dict[str, Any] = {}
    for name, condition in update.stated.items():
        left[name] = condition
        if name in denied and isinstance(condition, Mapping) and "none" in condition:
            named = [label for label in condition["none"] if str(label) not in denied[name]]
            left[name] = {**condition, "none": named}
    return left


def _taken_back(
    update: StateUpdate, filters: Mapping[str, Any]
) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Labels that are no longer ruled out, and demands that were dropped."""
    lifted: list[str] = []
    gone: dict[str, dict[str, Any]] = {}
    for name, operator, value in _conditions(update.before):
        now = filters.get(name)
        of = now if isinstance(now, Mapping) else {} if now is None else {"any": [now]}
        if operator == "none":
            left = [str(label).casefold() for label in of.get("none", ())]
            lifted += [str(label) for label in value if str(label).casefold() not in left]
            lifted = list({label.casefold(): label for label in reversed(lifted)}.values())[::-1]
        elif operator not in of and name not in update.stated:
            gone.setdefault(name, {})[operator] = value
    return lifted, gone


def _conditions(filters: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for name, condition in filters.items():
        of = condition if isinstance(condition, Mapping) else {"any": [condition]}
        for operator, value in of.items():
            yield name, operator, value
