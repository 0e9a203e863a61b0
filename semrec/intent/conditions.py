"""Single conditions as a text states them, and their sum as filters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semrec.data.attributes import MAX_VALUES
from semrec.data.catalog import Catalog

MAX_CONDITIONS = 40


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

    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, condition: Condition, *, negated: bool = False) -> bool:
        """Add a condition; False if it couldn't be expressed, and nothing has changed."""
        if isinstance(condition, Has):
            return self._add_labels(condition, negated)
        if isinstance(condition, Span):
            return self._add_span(condition, negated)
        return False

    def _add_labels(self, condition: Has, negated: bool) -> bool:
        of = self.found.get(condition.attribute, {})
        labels = list(condition.labels)
        if negated:
            none = _united(of.get("none", []), labels)
            return self._put(condition.attribute, none=none) if len(none) <= MAX_VALUES else False
        if "any" not in of:
            return self._put(condition.attribute, any=labels)
        if len(labels) == 1 and labels != of["any"]:
            # Two statements, both of which must hold; `any` keeps the first.
            return self._put(condition.attribute, all=_united(of.get("all", []), labels))
        return bool(labels == of["any"])

    def _add_span(self, condition: Span, negated: bool) -> bool:
        name, intervals = condition.attribute, condition.intervals
        if len(intervals) == 1 and not negated:
            self._bound(condition, *intervals[0], open_=condition.open_)
            return True
        low, high = intervals[0]
        if negated and len(intervals) == 1 and (math.isinf(low) or math.isinf(high)):
            bounds = (-math.inf, low) if math.isinf(high) else (high, math.inf)
            self._bound(condition, *bounds, open_=not condition.open_)
            return True
        values = _whole_numbers(condition)
        if values is None:
            return False
        of = self.found.get(name, {})
        if negated:
            values = _united(of.get("none", []), values)
        elif "any" in of:
            also = set(values)
            values = [value for value in of["any"] if value in also]
        if len(values) > MAX_VALUES:
            return False
        return self._put(name, **{"none" if negated else "any": values})

    def _bound(self, condition: Span, low: float, high: float, *, open_: bool) -> None:
        of = self.found.setdefault(condition.attribute, {})
        if open_ and condition.whole:  # "> 1989" reads better as ">= 1990"
            low, high, open_ = (
                math.floor(low + 1) if not math.isinf(low) else low,
                (math.ceil(high - 1) if not math.isinf(high) else high),
                False,
            )
        for value, closed, strict, tighter in (
            (low, "gte", "gt", max),
            (high, "lte", "lt", min),
        ):
            if not math.isinf(value):
                operator = strict if open_ else closed
                number = int(value) if value == int(value) else value
                of[operator] = tighter(of.get(operator, number), number)

    def _put(self, name: str, **values: list[Any]) -> bool:
        self.found.setdefault(name, {}).update(values)
        return True


def _united(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys([*first, *second]))


def _whole_numbers(condition: Span) -> list[int] | None:
    """The numbers in the intervals, where they can be listed."""
    ends = [end for interval in condition.intervals for end in interval]
    if not condition.whole or any(math.isinf(end) for end in ends):
        return None
    if sum(high - low + 1 for low, high in condition.intervals) > MAX_VALUES:
        return None
    numbers: dict[int, None] = {}
    for low, high in condition.intervals:
        first, last = math.ceil(low), math.floor(high)
        if condition.open_:
            first, last = math.floor(low) + 1, math.ceil(high) - 1
        numbers.update(dict.fromkeys(range(first, last + 1)))
    return list(numbers)


def explain_nothing(filters: Mapping[str, Any], catalog: Catalog) -> str | None:
    """A reason why no item satisfies `filters`, and what would help; None if one does.

        nothing satisfies year >= 2000 and year < 1990; without year < 1990 there would be 312

    Every condition is left out in turn, at most `MAX_CONDITIONS` of them.

    Raises:
        QueryError: On an unknown attribute or a malformed condition.
    """
    allowed = catalog.mask(filters)
    if allowed is None or allowed.any():
        return None
    conditions = list(_single(filters))[:MAX_CONDITIONS]
    helpful = []
    for left_out in range(len(conditions)):
        others = [one for place, one in enumerate(conditions) if place != left_out]
        mask = catalog.mask(_together(others))
        n_items = len(catalog) if mask is None else int(mask.sum())
        if n_items:
            helpful.append((n_items, _in_words(*conditions[left_out])))
    stated = " and ".join(_in_words(*one) for one in conditions)
    if not helpful:
        return f"nothing satisfies {stated}, and leaving out one of them would not help"
    ways = " and ".join(f"without {words} there would be {n_items}" for n_items, words in helpful)
    return f"nothing satisfies {stated}; {ways}"


_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _single(filters: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(attribute, operator, value) for each condition; operator ``""`` for a plain value."""
    single = []
    for name, condition in filters.items():
        if isinstance(condition, Mapping):
            single += [(name, operator, value) for operator, value in condition.items()]
        else:
            single.append((name, "", condition))
    return single


def _together(conditions: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    for name, operator, value in conditions:
        if operator:
            filters.setdefault(name, {})[operator] = value
        else:
            filters[name] = value
    return filters


def _in_words(name: str, operator: str, value: Any) -> str:  # noqa: ANN401
    if operator in _SIGNS:
        return f"{name} {_SIGNS[operator]} {value}"
    values = list(value) if operator else [value]
    shown = ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
    return f"{name} {operator} of {shown}" if len(values) > 1 else f"{name} {_BUT[operator]}{shown}"


_BUT = {"none": "not ", "any": "", "all": "", "": ""}
