"""Limits that are measured against what was shown: "shorter", "anything newer?"."""

from __future__ import annotations

from dataclasses import dataclass

from semrec.intent.english import FILLERS, FOLLOWERS, word_set
from semrec.intent.tokens import CLAUSE, Tokens
from semrec.intent.vocabulary import Quantity, Vocabulary

# Word → (kind of quantity, whether more of it is wanted).
_WORDS = {
    "shorter": ("minutes", False),
    "longer": ("minutes", True),
    "newer": ("year", True),
    "older": ("year", False),
    "cheaper": ("price", False),
    "pricier": ("price", True),
}
_BEFORE = word_set(
    "something anything bit lot little much even slightly way far any some but please and one"
    " somewhat with need want prefer maybe give show considerably"
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """More or less of something than what was shown.

    Attributes:
        first: Place of its word.
        end: The place after it.
        quantity: The attribute; None if the catalogue has none.
        more: Whether more of it is wanted.
    """

    first: int
    end: int
    quantity: Quantity | None
    more: bool


def read_comparisons(t: Tokens, vocabulary: Vocabulary) -> list[Comparison]:
    """Comparisons in a message, more or less of something, in its order."""
    found = []
    for place in range(len(t)):
        recent = t.words[place : place + 2] == ["more", "recent"]
        kind, more = ("year", True) if recent else _WORDS.get(t.word(place), ("", False))
        end = place + 1 + recent
        before, after = t.word(place - 1), t.word(end)
        ends = after in CLAUSE or after in FILLERS or after in FOLLOWERS
        if not kind or not ends or not (before in CLAUSE or before in _BEFORE):
            continue
        of = vocabulary.year if kind == "year" else vocabulary.quantities.get(kind)
        found.append(Comparison(first=place, end=end, quantity=of, more=more))
    return found
