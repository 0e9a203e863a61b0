"""Replies worded by a language model behind an endpoint, each sentence checked before it is sent.

    turn → prompt → one POST within the budget → sentences → checked → reply, else the template's

The endpoint is the operator's; what it answers is data, and no more trusted than a message. A
sentence stands only if each title, label, name and number in it is one of the list's records, or
was said already; if one doesn't, the template's reply is sent.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

from semrec.chat.answering import Turn
from semrec.deadline import Deadline
from semrec.errors import ModelError
from semrec.intent.english import DETERMINERS, FOLLOWERS, NOT_A_NOUN, RESTRICTIONS, word_set
from semrec.intent.intent_parser import IntentParser
from semrec.intent.mentions import find_titles
from semrec.intent.spans import Spans
from semrec.intent.tokens import plain, read_tokens, singular, words_of
from semrec.prompting import Prompt, load_prompt
from semrec.recommender import Recommender

logger = logging.getLogger(__name__)

MAX_LISTED, MAX_TEXT_CHARS, MAX_MESSAGE_CHARS = 5, 200, 500
MAX_REPLY_CHARS, MAX_REPLY_WORDS, MAX_TOKENS = 400, 60, 120
_SENTENCE = re.compile(r"(?<=[.!?])[”\"’)]*\s+")
_MARKUP = re.compile(r"[<>\[\]{}`*#|\\]|https?:|www\.")
_QUOTED = re.compile(r"[“\"«„]([^“”\"«»„]+)[”\"»“]")
_NAME = re.compile(r"\b[^\W\d_a-zà-ÿ][\w’']*")
_GENITIVE = re.compile(r"['’]s$")
_NUMBER = re.compile(r"\d+")
# Words with which a sentence may begin, whatever the list.
_OPENERS = (
    DETERMINERS
    | FOLLOWERS
    | NOT_A_NOUN
    | RESTRICTIONS
    | word_set(
        "for if here heres try start good great nice sure both either each one two three then first"
        " want would how something looking since maybe perhaps a an the i you your it its"
    )
)
# Sentences of the template that must be said, whoever words the rest.
_MUST_SAY = re.compile(r"I can’t check .*? here\.|I read English best;.*?\.(?= |$)")


class ChatEndpoint(Protocol):
    """An OpenAI-compatible ``/chat/completions``."""

    def post(self, payload: Mapping[str, Any], deadline: Deadline) -> Any | None:  # noqa: ANN401
        """The endpoint's answer; None if the time is up first.

        Raises:
            ModelError: If it fails.
        """


@dataclass(frozen=True, kw_only=True)
class ReplyWriter:
    """Rewords replies.

    Attributes:
        endpoint: Where the model is.
        model: The name that the endpoint knows it by.
        budget_ms: Time for one reply, of what a request has left.
    """

    endpoint: ChatEndpoint
    model: str
    budget_ms: float

    def reworded(self, turn: Turn, message: str, recommender: Recommender, left_ms: float) -> Turn:
        """The turn with a reply in the model's words, if these hold; else the turn as it is.

        Args:
            turn: With the template's reply. Acts and empty lists keep theirs.
            message: What was said.
            recommender: For the records that a reply may name.
            left_ms: Time that the request has left; infinite: as much as it takes.
        """
        if turn.update.act is not None or not turn.recommendations.items:
            return turn
        payload = {
            "model": self.model,
            "messages": [{"role": "user", "content": _prompt_text(turn, message, recommender)}],
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }
        try:
            answer = self.endpoint.post(payload, Deadline.within(min(left_ms, self.budget_ms)))
        except ModelError as error:
            logger.warning("reply by the template", extra={"error": str(error)})
            return turn
        text = _content(answer)
        if not is_grounded(text, turn, recommender):
            return turn
        must = [part for part in _MUST_SAY.findall(turn.reply) if part not in text]
        return replace(turn, reply=" ".join([text, *must]))


def is_grounded(text: str, turn: Turn, recommender: Recommender) -> bool:
    """True if a text is a short reply in which each sentence names only what is known.

    Args:
        text: The reply, untrusted.
        turn: The list that it is about, and the template's reply, which holds.
        recommender: For the records.
    """
    if not text or len(text) > MAX_REPLY_CHARS or len(text.split()) > MAX_REPLY_WORDS:
        return False
    if _MARKUP.search(text) or not text.isprintable():
        return False
    rows = recommender.catalog.rows(item.item_id for item in turn.recommendations.items)
    said = set(words_of(turn.reply))
    return all(_holds(part, rows, said, recommender) for part in _SENTENCE.split(text) if part)


def _holds(sentence: str, rows: Sequence[int], said: set[str], recommender: Recommender) -> bool:
    """True if each title, label, name and number of a sentence is of the items that it names."""
    titles = {" ".join(words_of(recommender.catalog.titles[row])): row for row in rows}
    for quoted in _QUOTED.findall(sentence):
        words = words_of(quoted)
        if " ".join(words) not in titles and not said.issuperset(words):
            return False
    spoken = f" {' '.join(words_of(sentence))} "
    named = [row for words, row in titles.items() if words and f" {words} " in spoken]
    known = said.union(*(_record_words(row, recommender) for row in named or rows))
    for name in _NAME.finditer(sentence):
        word = plain(_GENITIVE.sub("", name.group()))
        opens = name.start() <= 1 and word in _OPENERS
        if word not in known and not opens and word != "i":
            return False
    if not known.issuperset(_NUMBER.findall(sentence)):
        return False
    parser = recommender.intent_parser
    return parser is None or _are_known(sentence, rows, known, parser)


def _are_known(
    sentence: str, rows: Sequence[int], known: set[str], intent_parser: IntentParser
) -> bool:
    """True if the sentence has no title of another item, and no label beside the known words."""
    t = read_tokens(sentence)
    for mention in find_titles(t, intent_parser.titles):
        if mention.row not in rows and not known.issuperset(t.words[mention.first : mention.end]):
            return False
    spans, stems = Spans(t, intent_parser.vocabulary), {singular(word) for word in known}
    at = 0
    while at < len(t):
        span = spans.labels(at)
        if span is not None and not stems.issuperset(t.stems[at : span.end]):
            return False
        at = span.end if span else at + 1
    return True


def _record_words(row: int, recommender: Recommender) -> set[str]:
    """All words of an item's record."""
    return set(words_of(" ".join(map(_as_text, recommender.catalog.record(row).values()))))


def _as_text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _prompt_text(turn: Turn, message: str, recommender: Recommender) -> str:
    catalog = recommender.catalog
    items = []
    for row in catalog.rows(item.item_id for item in turn.recommendations.items[:MAX_LISTED]):
        record = catalog.record(row)
        facts = [
            _as_text(value[:MAX_LISTED] if isinstance(value, list) else value)
            for name in catalog.attribute_names
            if (value := record.get(name)) not in (None, "", [])
        ]
        items.append((catalog.titles[row], "; ".join(facts)[:MAX_TEXT_CHARS]))
    return _template().render(
        message=" ".join(message.split())[-MAX_MESSAGE_CHARS:], items=items, reply=turn.reply
    )


@lru_cache(maxsize=1)
def _template() -> Prompt:
    return load_prompt("chat_llm", "chat_llm")


def _content(answer: Any) -> str:  # noqa: ANN401
    """The text of an answer in OpenAI's form, on one line; empty if it has none."""
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return " ".join(content.split()) if isinstance(content, str) else ""
