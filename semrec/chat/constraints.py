"""Limits over several messages: they add up, the last word wins, and they can be taken back.

Filters in and out are `Query.filters`; none of them is changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from semrec.data.attributes import MAX_VALUES
from semrec.data.catalog import Catalog
from semrec.intent.conditions import Has, Span
from semrec.intent.follow_ups import Retraction

_LOWER, _UPPER = ("gt", "gte"), ("lt", "lte")
Operators = dict[str, Any]


def added(
    standing: Mapping[str, Any], said: Mapping[str, Any], catalog: Catalog, *, instead: bool = False
) -> dict[str, Any]:
    """The limits that hold after a message has stated some more.

    What stands goes on holding unless it contradicts: of two limits on one attribute that nothing
    in the catalogue satisfies together, the one that was said last counts.

    Args:
        standing: What held before.
        said: What the message states.
        catalog: Where limits contradict each other.
        instead: Whether the message says that it replaces what was said of these attributes.
    """
    filters = dict(standing)
    for name, condition in said.items():
        new, old = _operators(condition), _operators(standing.get(name, {}))
        if instead:  # what was ruled out still is
            old = {operator: value for operator, value in old.items() if operator == "none"}
        both = _both(old, new)
        mask = catalog.mask({name: both}) if both else None
        filters[name] = both if mask is not None and mask.any() else new
    return filters


def retracted(standing: Mapping[str, Any], retraction: Retraction) -> dict[str, Any]:
    """The limits that are left after one was taken back; equal to `standing` if none was."""
    if retraction.everything:
        return {}
    filters = dict(standing)
    if retraction.attribute is not None:
        if retraction.attribute in filters:
            of = _operators(filters[retraction.attribute])
            # "Any genre is fine" ends "only comedies", and "no war films" only where there is
            # nothing else that it could mean.
            dropped = retraction.operators or (set(of) - {"none"}) or {"none"}
            left = {name: value for name, value in of.items() if name not in dropped}
            _put(filters, retraction.attribute, left)
        return filters
    for condition in retraction.conditions:
        if isinstance(condition, Has | Span) and condition.attribute in filters:
            of = _operators(filters[condition.attribute])
            _put(filters, condition.attribute, _without(of, condition, allows=retraction.allows))
    return filters


def _operators(condition: object) -> Operators:
    """A condition as operators; a plain value is one of `any`."""
    return dict(condition) if isinstance(condition, Mapping) else {"any": [condition]}


def _put(filters: dict[str, Any], name: str, of: Operators) -> None:
    if of:
        filters[name] = of
    else:
        filters.pop(name, None)


def _both(old: Operators, new: Operators) -> Operators:
    """Both hold; what the new one wants is no longer ruled out, and the other way round."""
    merged = dict(old)
    wanted = [*new.get("any", ()), *new.get("all", ())]
    _take_off(merged, ("none",), wanted)
    _take_off(merged, ("any", "all"), new.get("none", ()))
    if "none" in new:
        merged["none"] = _united(merged.get("none", ()), new["none"])[-MAX_VALUES:]
    if "all" in new:
        merged["all"] = _united(merged.get("all", ()), new["all"])[-MAX_VALUES:]
    if "any" in new:
        _add_any(merged, list(new["any"]))
    for operator, tighter in (("gt", max), ("gte", max), ("lt", min), ("lte", min)):
        if operator in new:
            merged[operator] = tighter(merged.get(operator, new[operator]), new[operator])
    return merged


def _add_any(merged: Operators, labels: list[Any]) -> None:
    """One of these too: a single label moves to `all`, where it holds beside a list."""
    before = merged.get("any")
    if before is None or len(before) > 1 < len(labels):
        shared = [one for one in labels if _same(one) in map(_same, before or labels)]
        merged["any"] = shared or labels
    elif len(labels) == 1:
        if [_same(one) for one in before] != [_same(labels[0])]:
            merged["all"] = _united(merged.get("all", ()), labels)
    else:
        merged["all"], merged["any"] = _united(merged.get("all", ()), before), labels


def _without(of: Operators, condition: Has | Span, *, allows: bool) -> Operators:
    left = {name: list(v) if isinstance(v, list | tuple) else v for name, v in of.items()}
    if isinstance(condition, Has):
        _take_off(left, ("none",) if allows else ("none", "any", "all"), condition.labels)
        if allows and "any" in left and left.get("none") == of.get("none"):
            left["any"] = _united(left["any"], condition.labels)
        return left
    return _without_span(left, condition, allows=allows)


def _without_span(left: Operators, span: Span, *, allows: bool) -> Operators:
    """Numbers are permitted again: no longer ruled out, and within the bounds."""

    def inside(value: Any) -> bool:  # noqa: ANN401
        return any(low <= value <= high for low, high in span.intervals)

    none = [value for value in left.get("none", ()) if inside(value)]
    _take_off(left, ("none",), none)
    if none or not set(left) - {"none"}:
        return left
    if not allows:
        return {name: value for name, value in left.items() if name == "none"}
    low, high = (f(v for pair in span.intervals for v in pair) for f in (min, max))
    if "any" in left and not math.isinf(low) and not math.isinf(high):
        left["any"] = _united(left["any"], range(math.ceil(low), math.floor(high) + 1))
    for operators, bound, wider in ((_LOWER, low, min), (_UPPER, high, max)):
        for operator in operators:
            if operator in left:
                value = left.pop(operator)
                if not math.isinf(bound):
                    left[operator] = wider(value, int(bound) if bound == int(bound) else bound)
    return left


def _take_off(of: Operators, operators: Sequence[str], labels: Sequence[Any]) -> None:
    gone = {_same(label) for label in labels}
    for operator in operators:
        if operator in of:
            of[operator] = [one for one in of[operator] if _same(one) not in gone]
            if not of[operator]:
                del of[operator]


def _united(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    known = {_same(one): one for one in (*second, *first)}
    return list({_same(one): known[_same(one)] for one in (*first, *second)}.values())


def _same(label: Any) -> Any:  # noqa: ANN401
    return label.casefold() if isinstance(label, str) else label
