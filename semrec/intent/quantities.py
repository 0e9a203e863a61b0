"""Limits on years and other numbers, at one place: "from the nineties", "under two hours"."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from semrec.intent.conditions import Condition, Span, Unanswerable
from semrec.intent.cues import NUMBER_BOUNDS, NUMBER_BOUNDS_BEHIND, YEAR_BOUNDS, YEAR_BOUNDS_BEHIND
from semrec.intent.english import (
    CENTURIES,
    DECADES,
    FILLERS,
    MADE,
    NUMBERS,
    PHRASE_ENDS,
    RESTRICTIONS,
    word_set,
)
from semrec.intent.tokens import CLAUSE, Tokens, singular
from semrec.intent.units import SYMBOLS, UNITS
from semrec.intent.vocabulary import Vocabulary

FIRST_YEAR, LAST_YEAR = 1800, 2100
MAX_PERIODS = 20
_GLUED = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)([a-z]{1,8})")
_DECADE = re.compile(r"(1[89]|20)\d0s")
_PARTS = {"early": (0, 3), "mid": (4, 6), "middle": (4, 6), "late": (7, 9)}
_SPELLS = word_set("year years decade decades month months week weeks")
_UP_TO = ("to", "until", "till", "through", "thru", "-")
_NOT_BEFORE = word_set("the in my her his their our your (")
_RANGES = ("between", "from")
# A limit begins with a digit or with one of these; most words are none.
_YEAR_STARTS = (
    MADE | YEAR_BOUNDS.first_words | _PARTS.keys() | DECADES.keys() | CENTURIES.keys()
) | word_set("came come comes coming from of in during between within year")
_NUMBER_STARTS = NUMBER_BOUNDS.first_words | NUMBERS.keys() | SYMBOLS.keys() | set(_RANGES)


class Limit(NamedTuple):
    """A condition and the place after its last word."""

    condition: Condition
    end: int


class _Years(NamedTuple):
    """Intervals of years, and the place after the words that say so."""

    intervals: tuple[tuple[float, float], ...]
    end: int


class _Period(NamedTuple):
    """A year, decade or century, and the place after it."""

    first: int
    last: int
    end: int
    is_year: bool


class _Amount(NamedTuple):
    """A number in base units of its kind, and the place after it."""

    number: float
    kind: str
    end: int


def read_quantity(t: Tokens, start: int, vocabulary: Vocabulary) -> Limit | None:
    """A limit on a number with a unit that begins here: "under two hours", "at most 300 pages"."""
    word = t.word(start)
    unit = t.stems[start] if start < len(t) else ""
    is_named = unit in vocabulary.quantities and word not in UNITS
    if not (is_named or word in _NUMBER_STARTS or word[0].isdigit()):
        return None
    if (bound := NUMBER_BOUNDS.match(t.words, start)) is not None:
        amount = _amount(t, bound.end, vocabulary) or _price(t, bound.end, vocabulary)
        if amount is not None:
            return _bounded(amount, vocabulary, *bound.value)
    if is_named and (bound := NUMBER_BOUNDS.match(t.words, start + 1)) is not None:
        amount = _amount(t, bound.end, vocabulary)  # "weight under a kilo", "rating above 4"
        if amount is None and (number := read_number(t, bound.end)) is not None:
            amount = _Amount(number[0], unit, number[1])
        if amount is not None:
            return _bounded(amount, vocabulary, *bound.value)
    if (limit := _amounts_between(t, start, vocabulary)) is not None:
        return limit
    amount = _amount(t, start, vocabulary)
    if amount is not None:
        behind = NUMBER_BOUNDS_BEHIND.match(t.words, amount.end)
        if behind is not None:
            return _bounded(amount._replace(end=behind.end), vocabulary, behind.value)
    return None


def _bounded(
    amount: _Amount, vocabulary: Vocabulary, is_upper: bool, is_open: bool = False
) -> Limit:
    interval = (-math.inf, amount.number) if is_upper else (amount.number, math.inf)
    return _within(interval, amount, vocabulary, is_open=is_open)


def _within(
    interval: tuple[float, float], amount: _Amount, vocabulary: Vocabulary, *, is_open: bool = False
) -> Limit:
    """A limit to an interval in base units of an amount's kind, up to the amount's end."""
    quantity = vocabulary.quantities.get(amount.kind)
    if quantity is None or quantity.factor is None:
        return Limit(Unanswerable(), amount.end)
    low, high = (round(end / quantity.factor, 6) for end in interval)
    span = Span(
        attribute=quantity.attribute, intervals=((low, high),), open_=is_open, whole=quantity.whole
    )
    return Limit(span, amount.end)


def _amounts_between(t: Tokens, start: int, vocabulary: Vocabulary) -> Limit | None:
    """A limit to both sides: "between 100 and 200 euros", "1 to 2 kg", "€50-80"."""
    at = start + (t.word(start) in _RANGES)
    symbol = t.word(at) if t.word(at) in SYMBOLS else ""
    first = read_number(t, at + bool(symbol))
    if first is None:
        return None
    low, end = first
    own = _amount_of_one_unit(t, at, vocabulary)  # "1 kg to 2 kg"
    end = own.end if own is not None else end
    if t.word(end) not in ("and", "-", "to") or (t.word(end) == "and" and at == start):
        return None
    last = _amount_of_one_unit(t, end + 1, vocabulary)
    if last is None and symbol and (number := read_number(t, end + 1)) is not None:
        last = _Amount(number[0], SYMBOLS[symbol], number[1])
    if last is None or (own is not None and own.kind != last.kind):
        return None
    if own is not None:
        low = own.number
    elif (number := read_number(t, end + 1)) is not None and number[0] > 0:
        low *= last.number / number[0]  # the unit behind is that of both
    return _within((low, last.number), last, vocabulary) if low <= last.number else None


def _price(t: Tokens, start: int, vocabulary: Vocabulary) -> _Amount | None:
    """A bare number where nothing but a price can be meant: "boots under 150"."""
    quantities = vocabulary.quantities
    number = read_number(t, start) if t.word(start)[0].isdigit() else None
    if number is None or "price" not in quantities or "minutes" in quantities:
        return None
    following = t.word(number[1])
    ends = following in PHRASE_ENDS or following in RESTRICTIONS
    return _Amount(number[0], "price", number[1]) if ends else None


def _amount(t: Tokens, start: int, vocabulary: Vocabulary) -> _Amount | None:
    """An amount with its unit: "two and a half hours", "1h 30 min"."""
    total, kind, at = 0.0, "", start
    for _ in range(2):  # hours and minutes
        part = _amount_of_one_unit(t, at + (kind != "" and t.word(at) == "and"), vocabulary)
        if part is None or (kind and part.kind != kind):
            break
        total, kind, at = total + part.number, part.kind, part.end
    if not kind:
        return None
    if t.words[at : at + 3] == ["and", "a", "half"]:  # "an hour and a half"
        total, at = total * 1.5 if total == 60 else total + 30, at + 3
    return _Amount(total, kind, at + (t.word(at) == "long"))


def _amount_of_one_unit(t: Tokens, start: int, vocabulary: Vocabulary) -> _Amount | None:
    if (symbol := t.word(start)) in SYMBOLS:
        price = read_number(t, start + 1)
        return None if price is None else _Amount(price[0], SYMBOLS[symbol], price[1])
    glued = _GLUED.fullmatch(t.word(start))
    if glued and glued[2] in UNITS:
        kind, factor = UNITS[glued[2]]
        return _Amount(float(glued[1]) * factor, kind, start + 1)
    number = read_number(t, start)
    if number is None:
        return None
    value, end = number
    end += t.word(end) == "-"
    if t.word(end) in UNITS:
        kind, factor = UNITS[t.word(end)]
        return _Amount(value * factor, kind, end + 1)
    unit = singular(t.word(end))
    return _Amount(value, unit, end + 1) if unit in vocabulary.quantities else None


def read_number(t: Tokens, start: int) -> tuple[float, int] | None:
    """A number in digits or words, and the place after it: "2.5", "two and a half"."""
    word = t.word(start)
    if word.isascii() and len(word) <= 9 and word.replace(".", "", 1).isdecimal():
        return float(word), start + 1
    if word not in NUMBERS:
        return None
    value, end = float(NUMBERS[word]), start + 1
    if word == "half" and t.word(end) in ("a", "an"):
        return value, end + 1
    if value >= 20 and NUMBERS.get(t.word(end), 99) < 10 and t.word(end) not in ("a", "an", "half"):
        value, end = value + NUMBERS[t.word(end)], end + 1
    if t.word(end) == "hundred":
        value, end = value * 100, end + 1
    if t.words[end : end + 3] == ["and", "a", "half"]:
        value, end = value + 0.5, end + 3
    return value, end


def read_years(t: Tokens, start: int, vocabulary: Vocabulary) -> Limit | None:
    """A limit on years that begins here: "from the nineties", "before 1980", "1990-1995"."""
    word = t.word(start)
    if not (word in _YEAR_STARTS or word[0].isdigit()):
        return None
    if (end := _until_now(t, start)) > start:
        return Limit(Unanswerable(), end)
    years = _years(t, start, vocabulary)
    if years is None:
        return None
    if vocabulary.year is None:
        return Limit(Unanswerable(), years.end)
    of = vocabulary.year
    return Limit(Span(attribute=of.attribute, intervals=years.intervals, whole=of.whole), years.end)


def _until_now(t: Tokens, start: int) -> int:
    """The end of "from the last ten years", which no attribute answers; `start` without it."""
    at = start + (t.word(start) in MADE)
    if t.word(at) not in ("from", "within") and at == start:
        return start
    at += 1 + (t.word(at + 1) == "the")
    if t.word(at) not in ("last", "past"):
        return start
    at += 1
    at = number[1] if (number := read_number(t, at)) else at + (t.word(at) in ("few", "couple"))
    at += t.word(at) in ("of", "few", "couple")
    return at + 1 if t.word(at) in _SPELLS else start


def _years(t: Tokens, position: int, vocabulary: Vocabulary) -> _Years | None:
    start, is_made = position, False
    if t.word(start) in MADE:
        start, is_made = start + 1, True
    elif t.word(start) in ("came", "come", "comes", "coming") and t.word(start + 1) == "out":
        start, is_made = start + 2, True
    preposition = t.word(start)
    limit = start + (preposition in ("from", "of"))
    if (years := _bounded_years(t, limit)) is not None:
        return years
    if t.word(limit) == "between":
        return _between(t, limit + 1, ("and", "-", "to"))
    if preposition in ("from", "in", "of", "during"):
        # "in the nineties" is when a story happens, "films in the nineties" isn't
        if preposition != "from" and not (
            _is_kind(t, position - 1, vocabulary) or (is_made and preposition != "of")
        ):
            return None
        if t.word(start + 1) in ("like", "around"):  # "from like 2016": about then
            return None
        return _between(t, start + 1, _UP_TO) or _periods(t, start + 1)
    return None if is_made else _bare_years(t, position, vocabulary)


def _bounded_years(t: Tokens, start: int) -> _Years | None:
    """Years that are open to one side: "before 1980", "since the nineties"."""
    bound = YEAR_BOUNDS.match(t.words, start)
    period = bound and _period(t, bound.end + (t.word(bound.end) == "from"))
    if not bound or not period:
        return None
    low, high = {
        "before": (-math.inf, period.first - 1),
        "until": (-math.inf, period.last),
        "after": (period.last + 1, math.inf),
        "since": (period.first, math.inf),
    }[bound.value]
    return _Years(((low, high),), period.end)


def _is_kind(t: Tokens, start: int, vocabulary: Vocabulary) -> bool:
    """True if a word says what kind of item is meant: "films", "comedy", "French"."""
    if not 0 <= start < len(t):
        return False
    word, labels = t.words[start], vocabulary.labels
    if word in FILLERS or word in vocabulary.languages or t.stems[start] in labels:
        return True
    return " ".join(t.stems[start : start + 2]) in labels


def _bare_years(t: Tokens, start: int, vocabulary: Vocabulary) -> _Years | None:
    """Years without a preposition: "80s comedies", "1990-1995", "2000 or later"."""
    before = t.word(start - 1)
    if before in _NOT_BEFORE or before in _PARTS:
        return None
    earlier = start - 1
    while earlier > start - 3 and t.word(earlier) in (",", "and", "or"):
        earlier -= 1
    if earlier < start - 1 and t.word(earlier) in DECADES:
        return None  # the rest of a list that was no limit
    period = _period(t, start)
    if period is None:
        return None
    if period.is_year:
        years = _between(t, start, ("-", "to"))
        if years is not None and t.word(years.end) != ")":
            return years
        is_open = YEAR_BOUNDS_BEHIND.match(t.words, period.end) is not None
        return _periods(t, start) if is_open or _is_kind(t, period.end, vocabulary) else None
    years = _periods(t, start)
    if years is None:
        return None
    after = t.word(years.end)
    is_alone = after in PHRASE_ENDS or after in RESTRICTIONS
    if before == "only" or is_alone or _is_kind(t, years.end, vocabulary):
        return years
    return None  # "80s music", "nineties nostalgia"


def _between(t: Tokens, start: int, joints: Sequence[str]) -> _Years | None:
    """Years from one to another: "1990 to 1995", "1990-95"."""
    first = _period(t, start)
    if first is None or t.word(first.end) not in joints:
        return None
    last = _period(t, first.end + 1)
    if last is not None:
        return _Years(((first.first, last.last),), last.end)
    word = t.word(first.end + 1)
    if first.is_year and t.word(first.end) == "-" and len(word) == 2 and word.isdecimal():
        return _Years(((first.first, first.first // 100 * 100 + int(word)),), first.end + 2)
    return None


def _periods(t: Tokens, start: int) -> _Years | None:
    """One year or decade, open to one side, or several: "from the 60s or the 80s"."""
    period = _period(t, start)
    if period is None:
        return None
    bound = YEAR_BOUNDS_BEHIND.match(t.words, period.end)
    # "from 1990 on a boat" isn't "from 1990 on"
    if bound and (bound.phrase != "on" or t.word(bound.end) in CLAUSE):
        is_since = bound.value == "since"
        interval = (period.first, math.inf) if is_since else (-math.inf, period.last)
        return _Years((interval,), bound.end)
    periods = [period]
    while len(periods) < MAX_PERIODS:
        after = periods[-1].end
        joint = after
        while t.word(joint) in (",", "or", "and", "/") and joint < after + 2:
            joint += 1
        joint += t.word(joint) == "from"
        following = _period(t, joint) if joint > after else None
        if following is None:
            break
        periods.append(following)
    intervals: list[tuple[float, float]] = []
    for first, last in sorted((p.first, p.last) for p in periods):
        if intervals and first <= intervals[-1][1] + 1:
            intervals[-1] = (intervals[-1][0], max(last, intervals[-1][1]))
        else:
            intervals.append((first, last))
    return _Years(tuple(intervals), periods[-1].end)


def _period(t: Tokens, start: int) -> _Period | None:
    at = start + (t.word(start) == "the")
    at += t.word(at) == "year"
    part = _PARTS.get(t.word(at))
    if part is not None:
        at += 1
        at += t.word(at) in ("-", "of")
        at += t.word(at) == "the"
    word = t.word(at)
    if word in CENTURIES and t.word(at + 1) == "century":
        return _Period(CENTURIES[word], CENTURIES[word] + 99, at + 2, is_year=False)
    decade = int(word[:4]) if _DECADE.fullmatch(word) else DECADES.get(word)
    if decade is not None:
        first, last = part or (0, 9)
        return _Period(decade + first, decade + last, at + 1, is_year=False)
    if len(word) == 4 and word.isascii() and word.isdecimal():
        year = int(word)
        if FIRST_YEAR <= year <= LAST_YEAR and t.word(at - 1) != "(":
            return _Period(year, year, at + 1, is_year=True)
    return None
