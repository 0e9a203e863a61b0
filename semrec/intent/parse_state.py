"""The parse of a text so far: its limits, and the words that said them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import shorten

from semrec.intent.conditions import Condition, Filters, Has
from semrec.intent.english import DETERMINERS, FILLERS
from semrec.intent.moods import Denial, Moods
from semrec.intent.spans import Spans
from semrec.intent.tokens import Interval

MAX_NOT_UNDERSTOOD, MAX_SHOWN_CHARS = 20, 120


@dataclass
class ParseState:
    """Constraints found so far, and which words of the text said them.

    Attributes:
        spans: The text, in which titles say nothing.
        filters: The constraints, summed up.
        not_understood: Stated limits that no attribute answers, as they stand in the text.
        negated: Of `not_understood`, those that deny something: as shown → what is denied.
        denied: What is denied in words that mean more than one label: as shown → what it means.
        ruled_out: What else is denied in words that mean a label: as shown → the label.
        series: Denied words, with which titles may begin: as shown → the words.
        cut: Places of the words that are limits and no longer content.
    """

    spans: Spans
    moods: Moods
    filters: Filters = field(default_factory=Filters)
    not_understood: list[str] = field(default_factory=list)
    negated: dict[str, str] = field(default_factory=dict)
    denied: dict[str, Denial] = field(default_factory=dict)
    ruled_out: dict[str, tuple[Has, ...]] = field(default_factory=dict)
    series: dict[str, Sequence[str]] = field(default_factory=dict)
    cut: list[Interval] = field(default_factory=list)

    def require(self, start: int, end: int, conditions: Iterable[Condition]) -> None:
        """Add conditions that must hold; what can't be expressed is noted."""
        done = [self.filters.add(condition) for condition in conditions]
        if not all(done):
            self.miss(self.spans.t.phrase(start, end))

    def exclude(self, conditions: Iterable[Condition]) -> bool:
        """Rule out alternatives, each where an attribute has it; False if none has."""
        return any([self.filters.add(condition, negated=True) for condition in conditions])  # noqa: C419

    def note_series(self, shown: str, at: int, end: int) -> None:
        """Note denied words with which several titles may begin: "no Star Wars movies"."""
        t = self.spans.t
        words = [word for word in t.words[at:end] if word not in DETERMINERS | FILLERS]
        if len(words) > 1 or (words and t.capitals[end - 1] and shown not in self.ruled_out):
            self.series[shown] = words

    def miss(self, phrase: str, negated: str = "") -> None:
        """Note a limit that was stated and can't be answered, and what it denies."""
        excerpt = shorten(phrase, MAX_SHOWN_CHARS, placeholder=" …")
        if excerpt not in self.not_understood and len(self.not_understood) < MAX_NOT_UNDERSTOOD:
            self.not_understood.append(excerpt)
            if negated:
                self.negated[excerpt] = " ".join(negated.split())[:MAX_SHOWN_CHARS]
