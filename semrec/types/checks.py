"""Checks of single values, the same in Python and over HTTP: ids, times, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from semrec.errors import QueryError, preview

MAX_LIST = 100_000
MAX_SECONDS = 1e11  # the year 5138: what is larger counts in milliseconds or less


def id_text(value: object, name: str) -> str:
    """An id as text: ids are text, or whole numbers (296 is "296").

    Raises:
        QueryError: If it is neither; a number with a fraction (296.0) is none.
    """
    if isinstance(value, str) and value:
        return str(value)  # also turns NumPy's string type into Python's
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    hint = ""
    if isinstance(value, float) and value.is_integer():
        hint = f"; write {int(value)}"
    raise QueryError(
        f"{name} holds {preview(value)}, expected an id (non-empty text or a whole number){hint}"
    )


def whole_number(value: object, name: str, high: int) -> int:
    """A whole number from 1 to `high`.

    Raises:
        QueryError: If it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise QueryError(f"{name} is {preview(value)}, expected a whole number from 1 to {high}")
    if not 1 <= value <= high:
        raise QueryError(f"{name} is {preview(value)}, expected 1 to {high}")
    return int(value)


def as_list(value: Any, name: str, *, limit: int | None = MAX_LIST) -> list[Any]:  # noqa: ANN401
    """The entries of a sequence, at most `limit`.

    Raises:
        QueryError: If it is one value, or has more entries.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        kind = type(value).__name__
        raise QueryError(
            f"{name} is a single {kind}, expected a sequence: write [{preview(value)}]"
        )
    items = list(value)
    if limit is not None and len(items) > limit:
        raise QueryError(f"{name} has {len(items)} entries, at most {limit}")
    return items


def number(value: Any, name: str, low: float, high: float) -> float:  # noqa: ANN401
    """A number from `low` to `high`.

    Raises:
        QueryError: If it is anything else.
    """
    if (
        isinstance(value, int | float | np.number)
        and not isinstance(value, bool)
        and low <= value <= high
    ):
        try:
            return float(value)
        except OverflowError:  # a whole number of hundreds of digits
            pass
    raise QueryError(f"{name} is {preview(value)}, expected a number from {low} to {high}")


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
            raise QueryError(f"{name} is {preview(value)}, {expected}") from None
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not value >= 0:
        raise QueryError(f"{name} is {preview(value)}, {expected}")
    if value > MAX_SECONDS:
        unit, factor = _unit(float(value)) if value < 1e20 else ("something else", 0)
        hint = f"; these are {unit}: divide by {factor:,}" if factor else ""
        raise QueryError(f"{name} is {preview(value)}, {expected}{hint}")
    return float(value)


def _unit(value: float) -> tuple[str, int]:
    power = min(3, max(1, math.ceil((math.log10(value) - 11) / 3)))
    return ("milliseconds", "microseconds", "nanoseconds")[power - 1], 1_000**power
