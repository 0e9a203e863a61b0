"""Limits on years, read at one place of a text: "from the nineties", "before 1980"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from semrec.intent.conditions import Span, Unanswerable
from semrec.intent.english import (
    AFTER,
    BACKWARDS,
    BEFORE,
    CENTURIES,
    DECADES,
    FILLERS,
    FOLLOWERS,
    MADE,
    ONWARDS,
    RESTRICTIONS,
    SINCE,
    UNTIL,
    Phrases,
)
from semrec.intent.quantities import Read, read_number
from semrec.intent.tokens import CLAUSE, Tokens
from semrec.intent.vocabulary import Vocabulary

_DECADE = re.compile(r"(1[89]|20)\d0s")
_PARTS = {"early": (0, 3), "mid": (4, 6), "middle": (4, 6), "late": (7, 9)}
FIRST_YEAR, LAST_YEAR = 1800, 2100
_PERIODS = frozenset(["year", "years", "decade", "decades", "month", "months", "week", "weeks"])
MAX_POINTS = 20
_UP_TO = ("to", "until", "till", "through", "thru", "-")
_NOT_BEFORE = frozenset(("the", "in", "my", "her", "his", "their", "our", "your", "("))
Interval = tuple[float, float]


@dataclass(frozen=True)
class _Point:
    first: int
    last: int
    end: int
    is_year: bool


_OPEN: tuple[tuple[Phrases, Callable[[_Point], Interval]], ...] = (
    (BEFORE, lambda p: (-math.inf, p.first - 1)),
    (UNTIL, lambda p: (-math.inf, p.last)),
    (AFTER, lambda p: (p.last + 1, math.inf)),
    (SINCE, lambda p: (p.first, math.inf)),
)


def read_years(t: Tokens, place: int, vocabulary: Vocabulary) -> Read | None:
    """A limit on years that begins here: "from the nineties", "before 1980", "1990-1995"."""
    if (end := _until_now(t, place)) > place:
        return Read(Unanswerable(), end)
    found = _years(t, place, lambda at: _is_kind(t, at, vocabulary))
    if found is None:
        return None
    intervals, end = found
    if vocabulary.year is None:
        return Read(Unanswerable(), end)
    year = vocabulary.year
    return Read(Span(attribute=year.attribute, intervals=intervals, whole=year.whole), end)


def _is_kind(t: Tokens, place: int, vocabulary: Vocabulary) -> bool:
    """True if a word says what kind of item is meant: "films", "comedy"."""
    if not 0 <= place < len(t):
        return False
    two = " ".join(t.stems[place : place + 2])
    known = vocabulary.labels
    if t.words[place] in vocabulary.languages:
        return True
    return t.words[place] in FILLERS or t.stems[place] in known or two in known


def _years(
    t: Tokens, place: int, is_kind: Callable[[int], bool]
) -> tuple[tuple[Interval, ...], int] | None:
    start, made = place, False
    if t.word(start) in MADE:
        start, made = start + 1, True
    elif t.word(start) in ("came", "come", "comes", "coming") and t.word(start + 1) == "out":
        start, made = start + 2, True
    limit = start + (t.word(start) in ("from", "of"))
    if (open_ := _open(t, limit)) is not None:
        return open_
    if t.word(limit) == "between":
        return _between(t, limit + 1, ("and", "-", "to"))
    preposition = t.word(start)
    if preposition in ("from", "in", "of", "during"):
        # "in the nineties" is when a story happens, "films in the nineties" isn't
        if preposition != "from" and not (is_kind(place - 1) or (made and preposition != "of")):
            return None
        if t.word(start + 1) in ("like", "around"):  # "from like 2016": about then
            return None
        return _between(t, start + 1, _UP_TO) or _points(t, start + 1)
    return None if made else _bare(t, place, is_kind)


def _open(t: Tokens, place: int) -> tuple[tuple[Interval, ...], int] | None:
    """Years that are open to one side: "before 1980", "since the nineties"."""
    for phrases, bounds in _OPEN:
        end = t.skip(place, phrases)
        point = _point(t, end + (t.word(end) == "from")) if end > place else None
        if point is not None:
            return (bounds(point),), point.end
    return None


def _until_now(t: Tokens, place: int) -> int:
    """The end of "from the last ten years", which no attribute answers; `place` without it."""
    at = place + (t.word(place) in MADE)
    if t.word(at) not in ("from", "within") and at == place:
        return place
    at += 1 + (t.word(at + 1) == "the")
    if t.word(at) not in ("last", "past"):
        return place
    at += 1
    at = number[1] if (number := read_number(t, at)) else at + (t.word(at) in ("few", "couple"))
    at += t.word(at) in ("of", "few", "couple")
    return at + 1 if t.word(at) in _PERIODS else place


def _bare(
    t: Tokens, place: int, is_kind: Callable[[int], bool]
) -> tuple[tuple[Interval, ...], int] | None:
    """Years without a preposition: "80s comedies", "1990-1995", "2000 or later"."""
    before = t.word(place - 1)
    if t.word(place) == "the" or before in _NOT_BEFORE or before in _PARTS:
        return None
    earlier = place - 1
    while earlier > place - 3 and t.word(earlier) in (",", "and", "or"):
        earlier -= 1
    if earlier < place - 1 and t.word(earlier) in DECADES:
        return None  # the rest of a list that was no limit
    point = _point(t, place)
    if point is None:
        return None
    if point.is_year:
        if (span := _between(t, place, ("-", "to"))) is not None and t.word(span[1]) != ")":
            return span
        if t.skip(point.end, ONWARDS) == t.skip(point.end, BACKWARDS) and not is_kind(point.end):
            return None
        return _points(t, place)
    found = _points(t, place)
    after = t.word(found[1]) if found else ""
    if found is None or not (
        is_kind(found[1])
        or after in CLAUSE
        or after in FOLLOWERS
        or after in RESTRICTIONS
        or before == "only"
    ):
        return None  # "80s music", "nineties nostalgia"
    return found


def _between(
    t: Tokens, place: int, joints: tuple[str, ...]
) -> tuple[tuple[Interval, ...], int] | None:
    first = _point(t, place)
    if first is None or t.word(first.end) not in joints:
        return None
    last = _point(t, first.end + 1)
    if last is None:
        word = t.word(first.end + 1)  # "1990-95"
        if not (first.is_year and t.word(first.end) == "-" and len(word) == 2 and word.isdecimal()):
            return None
        year = first.first // 100 * 100 + int(word)
        last = _Point(year, year, first.end + 2, is_year=True)
    return ((first.first, last.last),), last.end


def _points(t: Tokens, place: int) -> tuple[tuple[Interval, ...], int] | None:
    """One year or decade, open to one side, or several: "from the 60s or the 80s"."""
    point = _point(t, place)
    if point is None:
        return None
    onwards, backwards = t.skip(point.end, ONWARDS), t.skip(point.end, BACKWARDS)
    if t.word(onwards - 1) == "on" and t.word(onwards) not in CLAUSE:
        onwards = point.end  # "from 1990 on a boat"
    if onwards > point.end:
        return ((point.first, math.inf),), onwards
    if backwards > point.end:
        return ((-math.inf, point.last),), backwards
    points = [point]
    while len(points) < MAX_POINTS:
        after = points[-1].end
        joint = after
        while t.word(joint) in (",", "or", "and", "/") and joint < after + 2:
            joint += 1
        joint += t.word(joint) == "from"
        following = _point(t, joint) if joint > after else None
        if following is None:
            break
        points.append(following)
    intervals: list[Interval] = []
    for first, last in sorted((p.first, p.last) for p in points):
        if intervals and first <= intervals[-1][1] + 1:
            intervals[-1] = (intervals[-1][0], max(last, intervals[-1][1]))
        else:
            intervals.append((first, last))
    return tuple(intervals), points[-1].end


def _point(t: Tokens, place: int) -> _Point | None:
    at = place + (t.word(place) == "the")
    at += t.word(at) == "year"
    part = _PARTS.get(t.word(at))
    if part is not None:
        at += 1
        at += t.word(at) in ("-", "of")
        at += t.word(at) == "the"
    word = t.word(at)
    if word in CENTURIES and t.word(at + 1) == "century":
        return _Point(CENTURIES[word], CENTURIES[word] + 99, at + 2, is_year=False)
    decade = int(word[:4]) if _DECADE.fullmatch(word) else DECADES.get(word)
    if decade is not None:
        first, last = part or (0, 9)
        return _Point(decade + first, decade + last, at + 1, is_year=False)
    if len(word) == 4 and word.isascii() and word.isdecimal():
        year = int(word)
        if FIRST_YEAR <= year <= LAST_YEAR and t.word(at - 1) != "(":
            return _Point(year, year, at + 1, is_year=True)
    return None
