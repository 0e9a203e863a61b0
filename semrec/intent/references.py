"""References to items that were shown: "the second one looks good", "not that one".

Knows how many were shown and what they are called, not which they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semrec.intent.english import FILLERS, by_first, phrases, word_set
from semrec.intent.linking import Mention
from semrec.intent.polarity import polarities
from semrec.intent.stated import match
from semrec.intent.tokens import CLAUSE, SENTENCE, Tokens
from semrec.intent.turns import rejects

Taken = Literal["like", "view", "reject", "asked"]

ORDINALS = {
    word: place
    for words in (
        "first second third fourth fifth sixth seventh eighth ninth tenth",
        "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th",
    )
    for place, word in enumerate(words.split())
}
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "2": 2, "3": 3, "4": 4, "5": 5}
_KINDS = FILLERS | word_set("pick picks option options suggestion suggestions recommendation")
_NUMBERED = word_set("number option pick suggestion nr")
_THAT = word_set("that this")
_SAYS = word_set(
    "looks look sounds sound seems seem is isnt was wasnt please and or but too instead again"
    " thanks though i ive we if because appeals works could would might are were"
)
_OTHERS = by_first(
    phrases(
        "something else,anything else,what else,other ones,some others,show me others,others"
        ",another one,none of these,none of those,none of them,not those,not these,not them"
        ",show me more,more options,more suggestions,next ones,seen them all,seen all of them"
        ",seen all of these,seen all of those,seen these,seen those,seen them,different ones"
    )
)
_AFTER_OTHERS = word_set("please then but thanks with like from that in instead already for")
_LIKES = word_set(
    "good great nice cool perfect love loved like liked likes lovely interesting promising fun"
    " enjoy enjoyed best favorite favourite watch take pick choose yes fan similar"
    " appeals wonderful excellent awesome brilliant amazing fantastic"
)
_QUESTION = word_set("what who whats whos when where how why which")
_SEEN = word_set("seen saw watched know knew read heard played had")
_OF_IT = word_set("not like love seen saw watched know")
_NOT_OF_IT = re.compile(r"\bnot (?:for|my) (?!me\b|thing\b|taste\b|kind\b|cup\b)")
_IT = re.compile(r"\b(?:it|that)\b")
OPENING = 8  # words in which a refusal stands


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Some of the items that were shown, and how they were taken.

    Attributes:
        first: Place of its first word.
        end: The place after its last word.
        places: Which of the shown items, from 0; -1: the one that was talked of last.
        taken: As an event's type; ``asked``: only talked of.
    """

    first: int
    end: int
    places: tuple[int, ...]
    taken: Taken


def read_references(t: Tokens, shown: Sequence[Sequence[str]]) -> list[Reference]:
    """References to the items that were shown.

    Args:
        t: The message.
        shown: The words of each shown item's title, in the list's order.
    """
    if not shown:
        return []
    found: list[tuple[int, int, tuple[int, ...]]] = []
    at = 0
    while at < len(t):
        read = _ordinal(t, at, len(shown)) or _that(t, at) or _title(t, at, shown)
        if read is not None:
            found.append((at, *read))
        at = at + 1 if read is None else read[0]
    mentions = [Mention(first=first, end=end, row=-1) for first, end, _ in found]
    references = [
        Reference(first=first, end=end, places=places, taken=_taken(t, first, end, polarity))
        for (first, end, places), polarity in zip(found, polarities(t, mentions), strict=True)
    ]
    if not references and _refuses(t):
        references = [Reference(first=0, end=0, places=(-1,), taken="reject")]
    return references


def read_others(t: Tokens) -> list[tuple[int, int]]:
    """(first, end) places of what asks for other items than those shown: "something else"."""
    found = []
    for place in range(len(t)):
        cue = match(t, place, _OTHERS)
        if cue is not None and (t.word(cue[1]) in CLAUSE or t.word(cue[1]) in _AFTER_OTHERS):
            found.append((place, cue[1]))
    return found


def _ordinal(t: Tokens, at: int, n_shown: int) -> tuple[int, tuple[int, ...]] | None:
    """Reads "The second one", "the first two", "number 3"."""
    word = t.word(at)
    if word in _NUMBERED and t.word(at + 1).isdecimal() and len(t.word(at + 1)) < 4:
        place = int(t.word(at + 1)) - 1
        return (at + 2, (place,)) if 0 <= place < n_shown else None
    start = at + (word == "the")
    word = t.word(start)
    if word not in ORDINALS and word != "last":
        return None
    count = _COUNTS.get(t.word(start + 1), 1)
    end = start + 1 + (count > 1)
    named = t.word(end) in _KINDS
    end += named
    if not (t.word(end) in CLAUSE or t.word(end) in _SAYS):
        return None  # "the first Alien film", "the last one I saw"
    if word == "last" and t.word(end) in ("i", "ive", "we"):
        return None
    if not named and count == 1 and word[0].isalpha() and start == at:
        return None  # "first, …"
    first = ORDINALS.get(word, n_shown - count)
    places = tuple(place for place in range(first, first + count) if 0 <= place < n_shown)
    return (end, places) if places else None


def _that(t: Tokens, at: int) -> tuple[int, tuple[int, ...]] | None:
    """Reads "That one", and after "not" or "like" plain "that"."""
    if t.word(at) in _THAT and t.word(at + 1) in ("one", "film", "movie"):
        return at + 2, (-1,)
    before, after = t.word(at - 1), t.word(at + 1)
    if t.word(at) in _THAT | {"it"} and after in CLAUSE and before in _OF_IT:
        return at + 1, (-1,)
    return None


def _title(
    t: Tokens, at: int, shown: Sequence[Sequence[str]]
) -> tuple[int, tuple[int, ...]] | None:
    """A shown item's title; a single word has to be written as a title."""
    for place, words in enumerate(shown):
        n = len(words)
        if n and list(t.words[at : at + n]) == list(words):
            opens = t.word(at - 1) == SENTENCE
            if n > 1 or (t.capitals[at] and (not opens or len(words[0]) > 4)):
                end = at + n
                if t.word(end) == "(" and t.word(end + 2) == ")":
                    end += 3
                return end, (place,)
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
    if any(word in _LIKES for word in sentence):
        return "like" if polarity == "liked" else "asked"
    return "view" if polarity == "liked" and any(word in _SEEN for word in sentence) else "asked"


def _refuses(t: Tokens) -> bool:
    """True if what was talked of is refused: "hated it", "not for me"; not "not for kids"."""
    opening = " ".join(t.words[:OPENING])
    if _NOT_OF_IT.search(opening) or (opening.startswith("no ") and not _IT.search(opening)):
        return False
    return rejects(t.text) and match(t, 0, _OTHERS) is None
