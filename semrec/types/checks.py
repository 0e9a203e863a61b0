"""Checks of single values, the same in Python and over HTTP: ids, times, numbers."""

from __future__ import annotations

import math
import numbers
from datetime import UTC, datetime
from typing import Any

from semrec.errors import QueryError, shown

MAX_SECONDS = 1e11  # the year 5138: what is larger counts in milliseconds or less


def id_text(value: object, name: str) -> str:
    """An id as text: ids are text, or whole numbers (296 is "296").

    Raises:
        QueryError: If it is neither; a number with a fraction (296.0) is none.
    """
    if isinstance(value, str) and value:
        return str(value)  # also turns NumPy's string type into Python's
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return str(int(value))
    hint = ""
    if isinstance(value, float) and value.is_integer():
        hint = f"; write {int(value)}"
    raise QueryError(
        f"{name} holds {shown(value)}, expected an id (non-empty text or a whole number){hint}"
    )


def number(value: Any, name: str, low: float, high: float) -> float:  # noqa: ANN401
    """A number from `low` to `high`.

    Raises:
        QueryError: If it is anything else.
    """
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and low <= value <= high:
        try:
            return float(value)
        except OverflowError:  # a whole number of hundreds of digits
            pass
    raise QueryError(f"{name} is {shown(value)}, expected a number from {low} to {high}")


def seconds(value: Any, name: str = "timestamp") -> float:  # noqa: ANN401
    """A time in Unix seconds, from a number or from ISO 8601; without a zone it is UTC.

    Raises:
        QueryError: If it is neither, or counts in milliseconds.
    """
    expected = "expected Unix seconds or ISO 8601 (2024-05-01T12:00:00Z)"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise QueryError(f"{name} is {shown(value)}, {expected}") from None
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not value >= 0:
        raise QueryError(f"{name} is {shown(value)}, {expected}")
    if value > MAX_SECONDS:
        unit, factor = _unit(float(value)) if value < 1e20 else ("something else", 0)
        hint = f"; these are {unit}: divide by {factor:,}" if factor else ""
        raise QueryError(f"{name} is {shown(value)}, {expected}{hint}")
    return float(value)


def _unit(value: float) -> tuple[str, int]:
    power = min(3, max(1, math.ceil((math.log10(value) - 11) / 3)))
    return ("milliseconds", "microseconds", "nanoseconds")[power - 1], 1_000**power
