"""The words that answer an act: from a template, with reasons and facts from the records."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from semrec.chat.acts import Act
from semrec.chat.conversation import Conversation
from semrec.chat.explanations import explain
from semrec.chat.item_answers import answer_about
from semrec.prompting import Prompt, load_prompt
from semrec.recommender import Recommender
from semrec.types import Item, Recommendations

MAX_NAMED = 2


def reply_to_act(
    act: Act,
    recommender: Recommender,
    conversation: Conversation,
    ranked: Recommendations,
    *,
    undone: bool,
) -> str:
    """The reply to an act.

    Args:
        act: What was done.
        recommender: For records and reasons.
        conversation: With the act in it.
        ranked: The list that is shown now.
        undone: Whether it took a turn back.
    """
    item = _item(act, conversation, ranked)
    answer = reason = ""
    if act.kind == "why" and item is not None:
        alone = explain(recommender, conversation.query(), replace(ranked, items=(item,)))
        reason = (alone.items[0].explanation or "").rstrip(".")
    if act.kind == "ask":
        row = None if item is None else recommender.catalog.row(item.item_id)
        answer = (
            "I don’t know which one you mean."
            if row is None
            else answer_about(row, act.topic, recommender.catalog, recommender.intent_parser)
        )
    text = _template().render(
        kind=act.kind,
        n=len(ranked.items),
        n_items=f"{len(recommender.catalog):,}",
        done=undone,
        title="" if item is None else item.title or item.item_id,
        reason=reason or "nearest to your words and to what you liked",
        answer=answer,
        first=[entry.title or entry.item_id for entry in ranked.items[:MAX_NAMED]],
    )
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def _template() -> Prompt:
    return load_prompt("chat_act", "chat_act")


def _item(act: Act, conversation: Conversation, ranked: Recommendations) -> Item | None:
    """The item that is asked about: by its position, else the one that was talked of last."""
    if act.position >= 0:
        return ranked.items[act.position] if act.position < len(ranked.items) else None
    by_id = {item.item_id: item for item in ranked.items}
    return by_id.get(conversation.focus or "", next(iter(ranked.items), None))
