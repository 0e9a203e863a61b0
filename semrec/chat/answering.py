"""One turn of a conversation, from the message to the list and the words beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from semrec.chat.act_replies import reply_to_act
from semrec.chat.conversation import Conversation, StateUpdate
from semrec.chat.replying import reply_to
from semrec.chat.state_update import update_state
from semrec.data.catalog import Catalog
from semrec.intent.intent_parser import MAX_READ_CHARS, IntentParser
from semrec.intent.mentions import find_titles
from semrec.intent.tokens import read_tokens
from semrec.recommender import Recommender
from semrec.types import Recommendations

MAX_MESSAGES = 50  # of a conversation that is sent whole; older ones are left out
START = Conversation()


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One message and what it led to.

    Attributes:
        conversation: What the next message is read in.
        reply: One or two sentences.
        recommendations: The list.
        update: What the message changed; its events are new.
    """

    conversation: Conversation
    reply: str
    recommendations: Recommendations
    update: StateUpdate


@dataclass(frozen=True)
class Message:
    """A message of a conversation that is sent whole."""

    role: str
    content: str


def respond(
    recommender: Recommender,
    message: str,
    conversation: Conversation = START,
    **fields: Any,  # noqa: ANN401 (the fields of Query)
) -> Turn:
    """Read a message, recommend, reply.

        turn = respond(rec, "a quiet film, no horror")
        turn = respond(rec, "the second one looks good. Something newer?", turn.conversation)

    Args:
        recommender: Answers.
        message: What is said.
        conversation: What was said before.
        fields: Fields of `Query` that aren't said in words: `k`, `budget_ms`, …

    Raises:
        QueryError: If a field or the conversation's filters are wrong.
    """
    conversation, update = update_state(
        conversation, message, recommender.intent_parser, recommender.catalog
    )
    return answered(
        recommender, conversation, update, recommender.recommend(conversation.query(**fields))
    )


def answered(
    recommender: Recommender,
    conversation: Conversation,
    update: StateUpdate,
    ranked: Recommendations,
) -> Turn:
    """The turn once its list is there."""
    if update.act is None:
        reply = reply_to(update, conversation, ranked, recommender)
    else:
        reply = reply_to_act(update.act, recommender, conversation, ranked, undone=update.undone)
    return Turn(
        conversation=conversation.after(ranked), reply=reply, recommendations=ranked, update=update
    )


def replayed(
    messages: Iterable[Message],
    intent_parser: IntentParser | None,
    catalog: Catalog,
    conversation: Conversation = START,
) -> tuple[Conversation, StateUpdate]:
    """The conversation that a list of messages amounts to, and what the last of them changed.

    What the user says is read message by message; the assistant's answers only tell which items
    were shown. Only the last `MAX_MESSAGES` are read.
    """
    update = StateUpdate()
    for message in list(messages)[-MAX_MESSAGES:]:
        if message.role == "user":
            conversation, update = update_state(
                conversation, message.content, intent_parser, catalog
            )
        elif message.role == "assistant" and intent_parser is not None:
            shown = _named(message.content, intent_parser, catalog)
            conversation = replace(conversation, shown=shown, focus=next(iter(shown), None))
    return conversation, update


def _named(text: str, intent_parser: IntentParser, catalog: Catalog) -> tuple[str, ...]:
    """The titles that an answer named, in its order."""
    mentions = find_titles(read_tokens(text[:MAX_READ_CHARS]), intent_parser.titles)
    return tuple(dict.fromkeys(catalog.item_ids[mention.row] for mention in mentions))
