"""Filters over several messages: they add up, the last word wins, and they can be taken back.

Filters in and out are `Query.filters`; none of them is changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semrec.data.attributes import MAX_VALUES
from semrec.data.catalog import Catalog
from semrec.intent.conditions import Has, Operators, Span, conjoin, same, united
from semrec.intent.follow_ups import Retraction

MAX_CONDITIONS = 40
_LOWER, _UPPER = ("gt", "gte"), ("lt", "lte")
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_BUT = {"none": "not ", "any": "", "all": "", "": ""}


def added(
    standing: Mapping[str, Any], more: Mapping[str, Any], catalog: Catalog, *, instead: bool = False
) -> dict[str, Any]:
    """The limits that hold after a message has stated some more.

    What stands goes on holding unless it contradicts: of two limits on one attribute that nothing
    in the catalogue satisfies together, the one that was said last counts.

    Args:
        standing: What held before.
        more: What the message states.
        catalog: Where limits contradict each other.
        instead: Whether the message says that it replaces what was said of these attributes.
    """
    filters = dict(standing)
    for name, condition in more.items():
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
    kept = dict(old)
    _take_off(kept, ("none",), [*new.get("any", ()), *new.get("all", ())])
    _take_off(kept, ("any", "all"), new.get("none", ()))
    for operator in {"none", "all"} & set(kept) & set(new):  # of too many the last are kept
        kept[operator] = kept[operator][-max(1, MAX_VALUES - len(new[operator])) :]
    both = conjoin(kept, new)
    if both is None:  # of two lists that share nothing the new one counts
        both = conjoin({name: kept[name] for name in kept if name not in new}, new)
    return new if both is None else both


def _without(of: Operators, condition: Has | Span, *, allows: bool) -> Operators:
    left = {name: list(v) if isinstance(v, list | tuple) else v for name, v in of.items()}
    if isinstance(condition, Has):
        _take_off(left, ("none",) if allows else ("none", "any", "all"), condition.labels)
        if allows and "any" in left and left.get("none") == of.get("none"):
            left["any"] = united(left["any"], condition.labels)
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
        left["any"] = united(left["any"], range(math.ceil(low), math.floor(high) + 1))
    for operators, bound, wider in ((_LOWER, low, min), (_UPPER, high, max)):
        for operator in operators:
            if operator in left:
                value = left.pop(operator)
                if not math.isinf(bound):
                    left[operator] = wider(value, int(bound) if bound == int(bound) else bound)
    return left


def _take_off(of: Operators, operators: Sequence[str], labels: Sequence[Any]) -> None:
    gone = {same(label) for label in labels}
    for operator in operators:
        if operator in of:
            of[operator] = [label for label in of[operator] if same(label) not in gone]
            if not of[operator]:
                del of[operator]


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """A condition without which some items would be permitted.

    Attributes:
        attribute: The attribute that it is on.
        operator: As in `Query.filters`; ``""`` for a plain value.
        value: The operator's value.
        n_items: How many items satisfy all the others.
    """

    attribute: str
    operator: str
    value: Any
    n_items: int


def relaxations(filters: Mapping[str, Any], catalog: Catalog) -> list[Relaxation]:
    """The conditions of `filters` without which some items would be permitted.

    Each is left out alone, of the first `MAX_CONDITIONS`.

    Raises:
        QueryError: On an unknown attribute or a malformed condition.
    """
    conditions = _single(filters)[:MAX_CONDITIONS]
    helpful = []
    for left_out, (name, operator, value) in enumerate(conditions):
        others = [other for i, other in enumerate(conditions) if i != left_out]
        mask = catalog.mask(_together(others))
        n_items = len(catalog) if mask is None else int(mask.sum())
        if n_items:
            helpful.append(
                Relaxation(attribute=name, operator=operator, value=value, n_items=n_items)
            )
    return helpful


def explain_nothing(filters: Mapping[str, Any], catalog: Catalog) -> str | None:
    """A reason why no item satisfies `filters`, and what would help; None if one does.

        nothing satisfies year >= 2000 and year < 1990; without year < 1990 there would be 312

    Raises:
        QueryError: On an unknown attribute or a malformed condition.
    """
    allowed = catalog.mask(filters)
    if allowed is None or allowed.any():
        return None
    stated = " and ".join(_in_words(*condition) for condition in _single(filters)[:MAX_CONDITIONS])
    helpful = relaxations(filters, catalog)
    if not helpful:
        return f"nothing satisfies {stated}, and leaving out one of them would not help"
    ways = " and ".join(
        f"without {_in_words(way.attribute, way.operator, way.value)} there would be {way.n_items}"
        for way in helpful
    )
    return f"nothing satisfies {stated}; {ways}"


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
    text = ", ".join(map(str, values[:5])) + (", …" if len(values) > 5 else "")
    return f"{name} {operator} of {text}" if len(values) > 1 else f"{name} {_BUT[operator]}{text}"
