"""Languages, labels and whole noun phrases, read at one place of a text."""

from __future__ import annotations

from dataclasses import dataclass

from semrec.intent.conditions import Condition, Has, Unanswerable
from semrec.intent.english import (
    DETERMINERS,
    FILLERS,
    FOLLOWERS,
    NOT_A_NOUN,
    OPINIONS,
    RESTRICTIONS,
)
from semrec.intent.quantities import Read, read_quantity
from semrec.intent.tokens import CLAUSE, Tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.intent.years import read_years

MAX_PARTS = 8
MAX_UNKNOWN = 4
_WEAKENED = (["in", "it"], ["that", "much"], ["very", "much"], ["too", "much"], ["a", "lot"])
JOINTS = frozenset(("or", "and", "nor", "/"))


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A noun phrase with what it states.

    Attributes:
        conditions: Each has to hold; the alternatives of one are the attributes that know it.
        end: The place after its last word.
        alone: Whether it ends here: no further word narrows it or turns it into something else.
        narrowed: Whether it goes on with what narrows it ("about …", "with …").
    """

    conditions: tuple[tuple[Condition, ...], ...]
    end: int
    alone: bool
    narrowed: bool


def read_labels(
    t: Tokens, place: int, vocabulary: Vocabulary
) -> tuple[tuple[tuple[Has, ...], ...], int] | None:
    """The longest label that begins here, and the place after it."""
    for n in range(min(vocabulary.longest, len(t) - place), 0, -1):
        phrase = " ".join(t.stems[place : place + n])
        if phrase in vocabulary.labels:
            return (vocabulary.labels[phrase],), place + n
        if phrase in vocabulary.pairs:
            return tuple((one,) for one in vocabulary.pairs[phrase]), place + n
    return None


def read_language(
    t: Tokens, place: int, vocabulary: Vocabulary, *, bare: bool = False
) -> Read | None:
    """A language that begins here: "in French or Italian", "French films"; `bare`: "French"."""
    after_in = t.word(place) == "in"
    at = place + after_in
    if vocabulary.language is None and at < len(t) and t.stems[at] in vocabulary.labels:
        return None  # no attribute holds languages, but a label is called so
    codes: list[str] = []
    while t.word(at) in vocabulary.languages and len(codes) < MAX_PARTS:
        codes += vocabulary.languages[t.word(at)]
        end = at + 1
        at = end
        while t.word(at) in (",", "or", "and", "/", "in") and at < end + 2:
            at += 1
    if not codes:
        return None
    says_so = t.word(end) in ("language", "speaking", "spoken", "-") and t.word(end) != "-"
    end += says_so
    if not says_so:
        following = t.word(end)
        is_end = following in CLAUSE or following in FOLLOWERS or following in JOINTS
        if after_in:
            if not (is_end or following in RESTRICTIONS):
                return None  # "in Spanish Harlem"
        elif not (
            # "…, Italian or French, …"
            (t.word(place - 1) in CLAUSE and following in CLAUSE)
            or following in FILLERS
            or following == "only"
            or (bare and is_end)
            or read_labels(t, end, vocabulary)
        ):
            return None
    if vocabulary.language is None:
        return Read(Unanswerable(), end)
    labels = tuple(dict.fromkeys(codes))
    return Read(Has(attribute=vocabulary.language, labels=labels), end)


def read_phrase(
    t: Tokens, place: int, vocabulary: Vocabulary, *, opinions: bool = False
) -> Phrase | None:
    """A noun phrase that states something; None if it states nothing that is known.

    Args:
        t: The text.
        place: Where it begins.
        vocabulary: What is known.
        opinions: Step over words such as "good" before a label.
    """
    at = place
    before = DETERMINERS | OPINIONS if opinions else DETERMINERS
    while at < place + MAX_PARTS and (
        t.word(at) in before or (t.word(at) in ("much", "many") and t.word(at - 1) == "too")
    ):
        at += 1
    conditions: list[tuple[Condition, ...]] = []
    for _ in range(MAX_PARTS):
        if t.word(at) in ("with", "by") and not conditions:
            at += 1
        read = (
            read_years(t, at, vocabulary)
            or read_quantity(t, at, vocabulary)
            or read_language(t, at, vocabulary, bare=True)
        )
        labels = None if read else read_labels(t, at, vocabulary)
        if read is not None:
            conditions.append((read.condition,))
            at = read.end
        elif labels is not None:
            conditions += labels[0]
            at = labels[1]
        elif t.word(at) in FILLERS:
            at += 1
        else:
            break
    if not conditions:
        return None
    following = t.word(at)
    narrowed = following in RESTRICTIONS
    alone = following in CLAUSE or following in FOLLOWERS or following in ("/", "-")
    if t.words[at : at + 2] in _WEAKENED:
        alone, narrowed, at = True, False, at + 2
    return Phrase(
        conditions=tuple(dict.fromkeys(conditions)), end=at, alone=alone, narrowed=narrowed
    )


def read_unknown(t: Tokens, place: int) -> int:
    """The place after a short phrase of unknown words; `place` if it isn't one."""
    at, n_words = place, 0
    while at < len(t) and t.word(at) in DETERMINERS and at < place + MAX_PARTS:
        at += 1
    first = at
    if t.words[at : at + 3] == ["black", "and", "white"]:
        at, n_words = at + 3, 1
    while at < len(t) and not (
        t.word(at) in CLAUSE
        or t.word(at) in JOINTS
        or t.word(at) in ("/", "-")
        or (t.word(at) in FOLLOWERS and at > first)
    ):
        word = t.word(at)
        if n_words == MAX_UNKNOWN or (word in NOT_A_NOUN) or (word in FOLLOWERS):
            return place
        if not any(c.isalpha() for c in word):
            return place
        n_words += word not in FILLERS and word not in RESTRICTIONS
        at += 1
        if at - first > 2 * MAX_UNKNOWN:
            return place
    return at if n_words else place
