"""Conditions as a text states them, and their sum as filters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from semrec.data.attributes import MAX_VALUES

Operators = dict[str, Any]
"""Operators of one attribute, as in `Query.filters`: ``{"any": ["Comedy"], "none": ["War"]}``."""


@dataclass(frozen=True, kw_only=True)
class Has:
    """The item has one of these labels (or, of a boolean attribute, this value)."""

    attribute: str
    labels: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A number lies in one of several intervals.

    Attributes:
        attribute: Its name.
        intervals: (low, high), the ends included unless `open_`; infinite where there is none.
        open_: Whether the ends are left out.
        whole: Whether the attribute holds only whole numbers.
    """

    attribute: str
    intervals: tuple[tuple[float, float], ...]
    open_: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Unanswerable:
    """A limit for which the catalogue has no attribute."""


Condition = Has | Span | Unanswerable


@dataclass
class Filters:
    """The sum of conditions, all of which have to hold."""

    limits: dict[str, Operators] = field(default_factory=dict)

    def add(self, condition: Condition, *, negated: bool = False) -> bool:
        """Add a condition; False if it couldn't be expressed, and nothing has changed."""
        if isinstance(condition, Unanswerable):
            return False
        before = self.limits.get(condition.attribute, {})
        if isinstance(condition, Has):
            labels = list(condition.labels)
            if not negated and "any" in before and len(labels) > 1:
                return bool(labels == before["any"])  # within a text, two lists contradict
            stated: Operators | None = {"none" if negated else "any": labels}
        else:
            stated = _operators_of(condition, negated=negated)
        both = stated and conjoin(before, stated)
        if both:
            self.limits[condition.attribute] = both
        return bool(both)


def conjoin(first: Mapping[str, Any], second: Mapping[str, Any]) -> Operators | None:
    """Operators that say that both hold; None if none do.

    `any` holds one list: of two lists it is what they share, and a single label moves to `all`.
    """
    both = dict(first)
    for operator in ("none", "all"):
        if operator in second:
            both[operator] = united(both.get(operator, ()), second[operator])
            if len(both[operator]) > MAX_VALUES:
                return None
    if "any" in second and not _conjoin_any(both, list(second["any"])):
        return None
    for operator, tighter in (("gt", max), ("gte", max), ("lt", min), ("lte", min)):
        if operator in second:
            both[operator] = tighter(both.get(operator, second[operator]), second[operator])
    return both


def _conjoin_any(both: Operators, labels: list[Any]) -> bool:
    """Demand one of some labels, too; False if no operators say that."""
    before = both.get("any", ())
    if not before:
        both["any"] = labels
    elif len(before) > 1 and len(labels) > 1:
        both["any"] = [label for label in before if same(label) in map(same, labels)]
    elif [same(label) for label in before] != [same(label) for label in labels]:
        single, both["any"] = (labels, before) if len(labels) == 1 else (before, labels)
        both["all"] = united(both.get("all", ()), single)
    return bool(both["any"])


def united(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """The values of both, each once and as it was spelled first."""
    values: dict[Any, Any] = {}
    for value in (*first, *second):
        values.setdefault(same(value), value)
    return list(values.values())


def same(label: Any) -> Any:  # noqa: ANN401
    """A label as filters compare it: its case doesn't count."""
    return label.casefold() if isinstance(label, str) else label


def _operators_of(span: Span, *, negated: bool) -> Operators | None:
    """A span as bounds, or as the list of its whole numbers."""
    low, high = span.intervals[0]
    if len(span.intervals) == 1 and not negated:
        return _bounds(span, low, high, is_open=span.open_)
    if len(span.intervals) == 1 and (math.isinf(low) or math.isinf(high)):
        low, high = (-math.inf, low) if math.isinf(high) else (high, math.inf)
        return _bounds(span, low, high, is_open=not span.open_)
    values = _whole_numbers(span)
    return None if values is None else {"none" if negated else "any": values}


def _bounds(span: Span, low: float, high: float, *, is_open: bool) -> Operators:
    if is_open and span.whole:  # "> 1989" reads better as ">= 1990"
        low = low if math.isinf(low) else math.floor(low + 1)
        high = high if math.isinf(high) else math.ceil(high - 1)
        is_open = False
    names = ("gt", "lt") if is_open else ("gte", "lte")
    ends = dict(zip(names, (low, high), strict=True))
    known = {name: end for name, end in ends.items() if not math.isinf(end)}
    return {name: int(end) if end == int(end) else end for name, end in known.items()}


def _whole_numbers(span: Span) -> list[int] | None:
    """The numbers in the intervals, where they can be listed."""
    ends = [end for interval in span.intervals for end in interval]
    if not span.whole or any(math.isinf(end) for end in ends):
        return None
    if sum(high - low + 1 for low, high in span.intervals) > MAX_VALUES:
        return None
    numbers: dict[int, None] = {}
    for low, high in span.intervals:
        first, last = math.ceil(low), math.floor(high)
        if span.open_:
            first, last = math.floor(low) + 1, math.ceil(high) - 1
        numbers.update(dict.fromkeys(range(first, last + 1)))
    return list(numbers)
