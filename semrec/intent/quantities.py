"""Limits on numbers with a unit, read at one place of a text: "under two hours"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from semrec.intent.conditions import Condition, Span, Unanswerable
from semrec.intent.english import (
    ABOVE,
    AT_LEAST,
    AT_MOST,
    BELOW,
    NUMBERS,
    OR_LESS,
    OR_MORE,
    UNITS,
)
from semrec.intent.tokens import Tokens, singular
from semrec.intent.vocabulary import Vocabulary

_GLUED = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)([a-z]{1,8})")
_COMPARISONS = (
    (BELOW, True, True),
    (AT_MOST, True, False),
    (ABOVE, False, True),
    (AT_LEAST, False, False),
)


@dataclass(frozen=True)
class Read:
    """A condition and the place after its last word."""

    condition: Condition
    end: int


def read_quantity(t: Tokens, place: int, vocabulary: Vocabulary) -> Read | None:
    """A limit on a number with a unit that begins here: "under two hours", "at most 300 pages"."""
    for phrases, is_upper, open_ in _COMPARISONS:
        start = t.skip(place, phrases)
        if start > place and (amount := _amount(t, start, vocabulary)) is not None:
            return _limit(amount, is_upper=is_upper, open_=open_, vocabulary=vocabulary)
    unit = t.stems[place] if place < len(t) else ""
    if unit in vocabulary.quantities and t.word(place) not in UNITS:  # "rating above 4"
        for phrases, is_upper, open_ in _COMPARISONS:
            start = t.skip(place + 1, phrases)
            number = read_number(t, start) if start > place + 1 else None
            if number is not None:
                amount = (number[0], unit, number[1])
                return _limit(amount, is_upper=is_upper, open_=open_, vocabulary=vocabulary)
    amount = _amount(t, place, vocabulary)
    if amount is not None:
        for phrases, is_upper in ((OR_LESS, True), (OR_MORE, False)):
            end = t.skip(amount[2], phrases)
            if end > amount[2]:
                limit = (amount[0], amount[1], end)
                return _limit(limit, is_upper=is_upper, open_=False, vocabulary=vocabulary)
    return None


def _limit(
    amount: tuple[float, str, int], *, is_upper: bool, open_: bool, vocabulary: Vocabulary
) -> Read:
    number, kind, end = amount
    quantity = vocabulary.quantities.get(kind)
    if quantity is None:
        return Read(Unanswerable(), end)
    value = round(number / quantity.factor, 6)
    interval = (-math.inf, value) if is_upper else (value, math.inf)
    span = Span(
        attribute=quantity.attribute, intervals=(interval,), open_=open_, whole=quantity.whole
    )
    return Read(span, end)


def _amount(t: Tokens, place: int, vocabulary: Vocabulary) -> tuple[float, str, int] | None:
    """(number in base units, kind, the place after it): "two and a half hours", "1h 30 min"."""
    total, kind, at = 0.0, "", place
    for _ in range(2):  # hours and minutes
        part = _one_amount(t, at + (kind != "" and t.word(at) == "and"), vocabulary)
        if part is None or (kind and part[1] != kind):
            break
        total, kind, at = total + part[0], part[1], part[2]
    if not kind:
        return None
    if t.words[at : at + 3] == ["and", "a", "half"]:  # "an hour and a half"
        total, at = total * 1.5 if total == 60 else total + 30, at + 3
    at += t.word(at) in ("long", "in") and t.word(at) == "long"
    return total, kind, at


def _one_amount(t: Tokens, place: int, vocabulary: Vocabulary) -> tuple[float, str, int] | None:
    if t.word(place) in ("$", "€", "£"):
        price = read_number(t, place + 1)
        return None if price is None else (price[0], "price", price[1])
    glued = _GLUED.fullmatch(t.word(place))
    if glued and glued[2] in UNITS:
        kind, factor = UNITS[glued[2]]
        return float(glued[1]) * factor, kind, place + 1
    number = read_number(t, place)
    if number is None:
        return None
    value, end = number
    end += t.word(end) == "-"
    if t.word(end) in UNITS:
        kind, factor = UNITS[t.word(end)]
        return value * factor, kind, end + 1
    if singular(t.word(end)) in vocabulary.quantities:
        return value, singular(t.word(end)), end + 1
    return None


def read_number(t: Tokens, place: int) -> tuple[float, int] | None:
    """A number in digits or words, and the place after it: "2.5", "two and a half"."""
    word = t.word(place)
    if word.isascii() and len(word) <= 9 and word.replace(".", "", 1).isdecimal():
        return float(word), place + 1
    if word not in NUMBERS:
        return None
    value, end = float(NUMBERS[word]), place + 1
    if word == "half" and t.word(end) in ("a", "an"):
        return value, end + 1
    if value >= 20 and NUMBERS.get(t.word(end), 99) < 10 and t.word(end) not in ("a", "an", "half"):
        value, end = value + NUMBERS[t.word(end)], end + 1
    if t.word(end) == "hundred":
        value, end = value * 100, end + 1
    if t.words[end : end + 3] == ["and", "a", "half"]:
        value, end = value + 0.5, end + 3
    return value, end
