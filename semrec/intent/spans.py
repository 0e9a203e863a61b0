"""Spans of a text that state something: labels, languages, years, quantities, noun phrases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from semrec.intent.conditions import Condition, Has, Span, Unanswerable
from semrec.intent.english import (
    DETERMINERS,
    FILLERS,
    FOLLOWERS,
    NOT_A_NOUN,
    OPINIONS,
    PHRASE_ENDS,
    RESTRICTIONS,
)
from semrec.intent.quantities import Limit, read_quantity, read_years
from semrec.intent.tokens import CLAUSE, Tokens
from semrec.intent.vocabulary import Vocabulary

MAX_PARTS = 8
MAX_UNKNOWN = 4
JOINTS = frozenset(("or", "and", "nor", "/"))
_WEAKENED = (["in", "it"], ["that", "much"], ["very", "much"], ["too", "much"], ["a", "lot"])
_OPINIONS = DETERMINERS | OPINIONS


class LabelSpan(NamedTuple):
    """Conditions that each have to hold, as alternatives, and the place after the words."""

    conditions: tuple[tuple[Has, ...], ...]
    end: int


class Phrase(NamedTuple):
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


@dataclass(frozen=True)
class Spans:
    """A text's spans in a catalogue's vocabulary, each read once."""

    t: Tokens
    vocabulary: Vocabulary
    _phrases: dict[tuple[int, bool], Phrase | None] = field(default_factory=dict)

    def labels(self, start: int) -> LabelSpan | None:
        """The longest label that begins here."""
        stems, known = self.t.stems, self.vocabulary
        if start >= len(stems):
            return None
        for n in range(min(known.longest.get(stems[start], 0), len(stems) - start), 0, -1):
            phrase = " ".join(stems[start : start + n])
            if phrase in known.labels:
                return LabelSpan((known.labels[phrase],), start + n)
            if phrase in known.pairs:
                return LabelSpan(tuple((has,) for has in known.pairs[phrase]), start + n)
        return None

    def limit(self, start: int, *, bare: bool = False) -> Limit | None:
        """Years, a quantity or a language: what needs no cue to be a limit."""
        return (
            read_years(self.t, start, self.vocabulary)
            or read_quantity(self.t, start, self.vocabulary)
            or self.language(start, bare=bare)
        )

    def language(self, start: int, *, bare: bool = False) -> Limit | None:
        """A language that begins here: "in French or Italian", "French films"; `bare`: "French"."""
        t, known = self.t, self.vocabulary
        after_in = t.word(start) == "in"
        at = start + after_in
        if t.word(at) not in known.languages:
            return None
        if known.language is None and t.stems[at] in known.labels:
            return None  # no attribute holds languages, but a label is called so
        codes: list[str] = []
        while t.word(at) in known.languages and len(codes) < MAX_PARTS:
            codes += known.languages[t.word(at)]
            end = at + 1
            at = end
            while t.word(at) in (",", "or", "and", "/", "in") and at < end + 2:
                at += 1
        if t.word(end) in ("language", "speaking", "spoken"):
            end += 1
        elif not self._means_language(start, end, after_in=after_in, bare=bare):
            return None
        if known.language is None:
            return Limit(Unanswerable(), end)
        return Limit(Has(attribute=known.language, labels=tuple(dict.fromkeys(codes))), end)

    def _means_language(self, start: int, end: int, *, after_in: bool, bare: bool) -> bool:
        """True if a language's name is one: not "in Spanish Harlem", "French kiss"."""
        before, following = self.t.word(start - 1), self.t.word(end)
        is_end = following in PHRASE_ENDS or following in JOINTS
        if after_in:
            return is_end or following in RESTRICTIONS
        return (
            (before in CLAUSE and following in CLAUSE)  # "…, Italian or French, …"
            or following in FILLERS
            or following == "only"
            or (bare and is_end)
            or self.labels(end) is not None
        )

    def phrase(self, start: int, *, opinions: bool = False) -> Phrase | None:
        """A noun phrase that states something; None if it states nothing that is known.

        Args:
            start: Where it begins.
            opinions: Step over words such as "good" before a label.
        """
        known = self._phrases
        if (start, opinions) not in known:
            known[start, opinions] = self._phrase(start, opinions)
        return known[start, opinions]

    def is_number(self, start: int) -> bool:
        """True if years or numbers alone are stated from here on, not "anything from 1990"."""
        phrase = None if self.t.word(start) in ("anything", "any") else self.phrase(start)
        return phrase is not None and all(
            isinstance(x, Span) for of in phrase.conditions for x in of
        )

    def _phrase(self, start: int, opinions: bool) -> Phrase | None:
        t, at = self.t, start
        before = _OPINIONS if opinions else DETERMINERS
        while at < start + MAX_PARTS and (
            (t.word(at) in before and not (t.word(at) == "more" and t.word(at + 1) == "than"))
            or (t.word(at) in ("much", "many") and t.word(at - 1) == "too")
        ):
            at += 1
        conditions: list[tuple[Condition, ...]] = []
        for _ in range(MAX_PARTS):
            if t.word(at) in ("with", "by") and not conditions:
                at += 1
            if (limit := self.limit(at, bare=True)) is not None:
                conditions.append((limit.condition,))
                at = limit.end
            elif (labels := self.labels(at)) is not None:
                conditions += labels.conditions
                at = labels.end
            elif t.word(at) in FILLERS:
                at += 1
            else:
                break
        if not conditions:
            return None
        distinct = tuple(dict.fromkeys(conditions))
        if t.words[at : at + 2] in _WEAKENED:
            return Phrase(distinct, at + 2, alone=True, narrowed=False)
        following = t.word(at)
        alone = following in PHRASE_ENDS or following in ("/", "-")
        return Phrase(distinct, at, alone=alone, narrowed=following in RESTRICTIONS)

    def unknown(self, start: int) -> int:
        """The place after a short phrase of unknown words; `start` if it isn't one."""
        t, at, n_words = self.t, start, 0
        while at < len(t) and t.word(at) in DETERMINERS and at < start + MAX_PARTS:
            at += 1
        first = at
        if t.words[at : at + 3] == ["black", "and", "white"]:
            at, n_words = at + 3, 1
        while at < len(t):
            word = t.word(at)
            if word in CLAUSE or word in JOINTS or word == "-":
                break
            if word in FOLLOWERS:
                if at > first:
                    break
                return start
            if n_words == MAX_UNKNOWN or word in NOT_A_NOUN or not any(map(str.isalpha, word)):
                return start
            n_words += word not in FILLERS and word not in RESTRICTIONS
            at += 1
            if at - first > 2 * MAX_UNKNOWN:
                return start
        return at if n_words else start
