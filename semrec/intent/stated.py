"""The state of a parse, and the cues that announce a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from semrec.intent.conditions import Condition, Filters
from semrec.intent.english import (
    ADVERBS,
    EXCLUSIVES,
    IDIOMS,
    NEGATIONS,
    Phrases,
    by_first,
)
from semrec.intent.tokens import Tokens

MAX_LIST = 20
MAX_NOT_UNDERSTOOD, MAX_SHOWN_CHARS = 20, 80


IDIOM_CUES, NEGATION_CUES = by_first(IDIOMS), by_first(NEGATIONS)
EXCLUSIVE_CUES = by_first(EXCLUSIVES)


@dataclass
class ParseState:
    """Limits found, and which words of the text said them.

    Attributes:
        filters: The limits, summed up.
        not_understood: Stated limits that no attribute answers, as they stand in the text.
        denied: Of `not_understood`, those that deny something: as shown → what is denied.
        cut: (first, end) places of the words that are limits and no longer content.
    """

    filters: Filters = field(default_factory=Filters)
    not_understood: list[str] = field(default_factory=list)
    denied: dict[str, str] = field(default_factory=dict)
    cut: list[tuple[int, int]] = field(default_factory=list)

    def miss(self, phrase: str, denied: str = "") -> None:
        """Note a limit that was stated and can't be answered, and what it denies."""
        shown = " ".join(phrase.split())[:MAX_SHOWN_CHARS]
        if shown not in self.not_understood and len(self.not_understood) < MAX_NOT_UNDERSTOOD:
            self.not_understood.append(shown)
            if denied:
                self.denied[shown] = " ".join(denied.split())[:MAX_SHOWN_CHARS]


def require(
    t: Tokens, place: int, end: int, conditions: Iterable[Condition], stated: ParseState
) -> None:
    """Add conditions that must hold; what can't be expressed is noted."""
    done = [stated.filters.add(condition) for condition in conditions]
    if not all(done):
        stated.miss(t.phrase(place, end))


def match(t: Tokens, place: int, phrases: Phrases) -> tuple[tuple[str, ...], int] | None:
    """The longest phrase that stands here and its end; adverbs in between are stepped over."""
    for phrase in phrases.get(t.words[place], ()):
        at = place + 1
        for word in phrase[1:]:
            if t.word(at) != word and t.word(at) in ADVERBS:
                at += 1
            if t.word(at) != word:
                break
            at += 1
        else:
            return phrase, at
    return None
