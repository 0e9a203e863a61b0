"""Limits as an expression that Milvus reads: numbers and this module's own words.

Attributes are fields ``a0``, ``a1``, …, labels are codes. So nothing that anybody wrote is part of
an expression, and nothing has to be quoted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.types import Allowed, Condition, RowArray

ROW, VECTOR, COUNT = "row", "v", "n"
LARGEST = sys.float_info.max
MISSING = -LARGEST  # stands for an item's number where it has none
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, kw_only=True)
class ScalarField:
    """The field of an attribute.

    Attributes:
        name: In the collection.
        holds_labels: Whether it is a list of codes; else it is a number.
    """

    name: str
    holds_labels: bool


def expression(
    allowed: Allowed | None,
    fields: Mapping[str, ScalarField],
    *,
    excluded: Iterable[int] = (),
    among: RowArray | None = None,
) -> str | None:
    """A boolean expression; ``""`` for all rows, None for no row.

    Args:
        allowed: The only rows that may come back; None: all.
        fields: By attribute.
        excluded: Rows that may not.
        among: (m,) int64, of no others is anything asked; None: of any.
    """
    parts: list[str | None] = []
    if among is not None:
        parts.append(_in(ROW, among.tolist()))
    if listed := [int(row) for row in excluded]:
        parts.append(f"{ROW} not in {listed}")
    if allowed is not None:
        if allowed.counts is not None:
            parts += _bounds(COUNT, allowed.counts)
        for name, condition in allowed.conditions:
            parts += _of(fields[name], condition)
    wanted = [part for part in parts if part is not None]
    return " and ".join(wanted) if len(wanted) == len(parts) else None


def stored_numbers(values: NDArray[np.float64]) -> list[float]:
    """An attribute's numbers as its field has them: finite, `MISSING` where there is none."""
    finite = np.clip(values, np.nextafter(MISSING, 0.0), LARGEST)
    return [float(value) for value in np.where(np.isnan(values), MISSING, finite)]


def _of(field: ScalarField, condition: Condition) -> list[str | None]:
    """The parts of a condition, each a string, or None where nothing satisfies it."""
    name = field.name
    parts: list[str | None] = []
    if not field.holds_labels:
        parts += _bounds(name, condition)
        if condition.any is not None:
            parts.append(_in(name, [_finite(number) for number in condition.any]))
        if condition.none:
            parts.append(f"not ({_in(name, [_finite(number) for number in condition.none])})")
        return parts
    if condition.any is not None:
        known = _known(condition.any)
        parts.append(f"array_contains_any({name}, {known})" if known else None)
    if condition.all:
        known = _known(condition.all)
        has_each = len(known) == len(set(condition.all))
        parts.append(f"array_contains_all({name}, {known})" if has_each else None)
    if known := _known(condition.none):
        parts.append(f"not array_contains_any({name}, {known})")
    return parts


def _bounds(name: str, condition: Condition) -> list[str | None]:
    parts: list[str | None] = [
        f"{name} {_SIGNS[operator]} {_finite(bound)!r}" for operator, bound in condition.bounds
    ]
    if any(operator in ("lt", "lte") for operator, _ in condition.bounds):
        parts.append(f"{name} > {MISSING!r}")  # a missing number is under no bound
    return parts


def _in(name: str, values: list[int] | list[float]) -> str | None:
    return f"{name} in {values}" if values else None


def _known(codes: Iterable[float]) -> list[int]:
    """Codes of labels that some item has, each once."""
    return sorted({int(code) for code in codes if code >= 0})


def _finite(number: float) -> float:
    return min(max(number, MISSING), LARGEST)
