"""References to items that were shown: "the second one looks good", "not that one".

Knows how many were shown and what they are called, not which they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semrec.intent.cues import OTHERS
from semrec.intent.english import FILLERS, NOUNS, USED, USES, word_set
from semrec.intent.intent_parser import rejects
from semrec.intent.mentions import Mention, polarities
from semrec.intent.spans import JOINTS
from semrec.intent.tokens import CLAUSE, SENTENCE, Tokens

Taken = Literal["like", "view", "buy", "reject", "asked"]

ORDINALS = {
    word: position
    for words in (
        "first second third fourth fifth sixth seventh eighth ninth tenth",
        "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th",
    )
    for position, word in enumerate(words.split())
}
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "2": 2, "3": 3, "4": 4, "5": 5}
_KINDS = FILLERS | word_set("pick picks option options suggestion suggestions recommendation")
_NUMBERED = word_set("number option pick suggestion nr")
_THAT = word_set("that this")
# "That film"; of "that show" and "that track" nobody knows whether it is a verb.
_ITEM = {"one"} | {word for word in NOUNS if f"{word}s" in NOUNS} - {"show", "track"}
_SAYS = word_set(
    "looks look sounds sound seems seem is isnt was wasnt please and or but too instead again"
    " thanks though i ive we if because appeals works could would might are were"
)
_LIKES = USES | word_set(
    "good great nice cool perfect love loved like liked likes lovely interesting promising fun"
    " enjoy enjoyed best favorite favourite take pick choose yes fan similar"
    " appeals wonderful excellent awesome brilliant amazing fantastic"
)
_LOOKS = word_set("looks look sounds sound seems seem is")
_QUESTION = word_set("what who whats whos when where how why which")
_SEEN = USED | word_set("know knew heard had")
_BOUGHT = word_set("bought ordered purchased own owned")
_WHERE = word_set("on at from since last for years ages")
_HAVE = word_set("have got")  # with "already": it was bought
_BUYERS = _BOUGHT | _HAVE | word_set("i ive we weve just already")
_OF_IT = USED | word_set("not like love know have own")
# "Not for kids", "not scary, for him" limit the list; "not for me" refuses what was offered.
_NOT_OF_IT = re.compile(
    r"\bnot (?:(?:for|my) (?!me\b|thing\b|taste\b|kind\b|cup\b)|(?:too|so|as|overly)\b)"
    r"|^not (?!(?:for|my|that|this|it|really|quite|exactly|very|interested|into|a|great|good)\b)"
)
_IT = re.compile(r"\b(?:it|that)\b")
_MAX_OPENING = 8  # words in which a refusal stands


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Some of the items that were shown, and how they were taken.

    Attributes:
        first: Place of its first word.
        end: The place after its last word.
        positions: Which of the shown items, from 0; -1: the one that was talked of last.
        taken: As an event's type; ``asked``: only talked of.
    """

    first: int
    end: int
    positions: tuple[int, ...]
    taken: Taken


def read_references(t: Tokens, shown: Sequence[Sequence[str]]) -> list[Reference]:
    """References to the items that were shown.

    Args:
        t: The message.
        shown: The words of each shown item's title, in the list's order.
    """
    if not shown:
        return []
    spans: list[tuple[int, int, tuple[int, ...]]] = []
    at = 0
    while at < len(t):
        read = _ordinal(t, at, len(shown)) or _that(t, at) or _title(t, at, shown)
        if read is not None:
            leads = read[1] == (-1,) and t.word(at - 1) == "like"  # "something like it"
            spans.append((at - leads, *read))
        at = at + 1 if read is None else read[0]
    mentions = [Mention(first, end) for first, end, _ in spans]
    references = [
        Reference(
            first=_buyer(t, first),
            end=_verdict_end(t, first, end),
            positions=positions,
            taken=_taken(t, first, end, polarity),
        )
        for (first, end, positions), polarity in zip(spans, polarities(t, mentions), strict=True)
    ]
    if not references and _refuses(t):
        references = [Reference(first=0, end=0, positions=(-1,), taken="reject")]
    return references


def _buyer(t: Tokens, first: int) -> int:
    """The place of "I bought …", "I already have …" before an item; `first` if nothing says so."""
    at = first
    while t.word(at - 1) in _BUYERS:
        at -= 1
    return at if _is_bought(t.words[at:first]) else first


def _is_bought(words: Sequence[str]) -> bool:
    """True for "we bought", "I own", "I already have"."""
    has = "already" in words and not _HAVE.isdisjoint(words)
    return has or not _BOUGHT.isdisjoint(words)


def _verdict_end(t: Tokens, first: int, end: int) -> int:
    """The place behind what says nothing else: "the second one sounds fun", "I have it on DVD"."""
    if _is_bought(t.words[_buyer(t, first) : first]) and t.word(end) in _WHERE:
        while t.word(end) not in CLAUSE:
            end += 1
        return end
    is_verdict = t.word(end) in _LOOKS and t.word(end + 1) in _LIKES
    return end + 2 if is_verdict and t.word(end + 2) in CLAUSE | JOINTS | {"but"} else end


def _ordinal(t: Tokens, at: int, n_shown: int) -> tuple[int, tuple[int, ...]] | None:
    """Reads "The second one", "the first two", "number 3"."""
    word = t.word(at)
    if word in _NUMBERED and t.word(at + 1).isdecimal() and len(t.word(at + 1)) < 4:
        position = int(t.word(at + 1)) - 1
        return (at + 2, (position,)) if 0 <= position < n_shown else None
    start = at + (word == "the")
    word = t.word(start)
    if word not in ORDINALS and word != "last":
        return None
    count = _COUNTS.get(t.word(start + 1), 1)
    end = start + 1 + (count > 1)
    named = t.word(end) in _KINDS
    end += named
    if not (t.word(end) in CLAUSE | _SAYS or _buyer(t, at) < at):
        return None  # "the first Alien film", "the last one I saw"
    if word == "last" and t.word(end) in ("i", "ive", "we"):
        return None
    if not named and count == 1 and word[0].isalpha() and start == at:
        return None  # "first, …"
    first = ORDINALS.get(word, n_shown - count)
    positions = tuple(i for i in range(first, first + count) if 0 <= i < n_shown)
    return (end, positions) if positions else None


def _that(t: Tokens, at: int) -> tuple[int, tuple[int, ...]] | None:
    """Reads "That one", and after "not" or "like" plain "that"."""
    if t.word(at) in _THAT and t.word(at + 1) in _ITEM:
        return at + 2, (-1,)
    before, after = t.word(at - 1), t.word(at + 1)
    if t.word(at) in _THAT | {"it"} and after in CLAUSE | JOINTS | {"but"} and before in _OF_IT:
        return at + 1, (-1,)
    return None


def _title(
    t: Tokens, at: int, shown: Sequence[Sequence[str]]
) -> tuple[int, tuple[int, ...]] | None:
    """A shown item's title; a single word has to be written as a title."""
    for position, words in enumerate(shown):
        n = len(words)
        if n and t.words[at] == words[0] and list(t.words[at : at + n]) == list(words):
            opens = t.word(at - 1) == SENTENCE
            if n > 1 or (t.capitals[at] and (not opens or len(words[0]) > 4)):
                end = at + n
                if t.word(end) == "(" and t.word(end + 2) == ")":
                    end += 3
                return end, (position,)
    return None


def _taken(t: Tokens, first: int, end: int, polarity: str) -> Taken:
    if polarity == "rejected":
        return "reject"
    low, high = first, end
    while low > 0 and t.word(low - 1) != SENTENCE:
        low -= 1
    while high < len(t) and t.word(high) != SENTENCE:
        high += 1
    sentence = [*t.words[low:first], *t.words[end:high]]
    if sentence and sentence[0] in _QUESTION:
        return "asked"
    if polarity == "liked" and _is_bought(sentence):
        return "buy"
    if any(word in _LIKES for word in sentence):
        return "like" if polarity == "liked" else "asked"
    return "view" if polarity == "liked" and any(word in _SEEN for word in sentence) else "asked"


def _refuses(t: Tokens) -> bool:
    """True if what was talked of is refused: "hated it", "not for me"; not "not for kids"."""
    opening = " ".join(t.words[:_MAX_OPENING])
    if _NOT_OF_IT.search(opening) or (opening.startswith("no ") and not _IT.search(opening)):
        return False
    return rejects(t.text) and OTHERS.match(t.words, 0) is None
