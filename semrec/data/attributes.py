"""Attributes of items and the conditions that filters put on them.

A condition is a plain value (equal to, or contained in a list of labels), or a mapping of
``any``, ``all``, ``none`` (lists of values) and ``gt``, ``gte``, ``lt``, ``lte`` (numbers).
An item without a value satisfies only ``none``. Labels are compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, get_args

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from semrec.errors import DataError, QueryError, nearest, preview
from semrec.types import BoolArray, Condition, Label, Operator, RowArray

MAX_VALUES = 1_000
UNKNOWN = -1  # the code of a label that no item has


class Attribute(Protocol):
    """One attribute of all items."""

    def condition(self, value: object) -> Condition:
        """A filter's value, checked.

        Raises:
            QueryError: If it is malformed.
        """
        ...

    def mask(self, condition: Condition) -> BoolArray:
        """(n_items,) bool: the items that satisfy the condition."""
        ...

    def values_of(self, row: int) -> frozenset[float]:
        """An item's number, or the codes of its labels; empty where it has none."""
        ...

    def values_at(self, rows: RowArray) -> tuple[RowArray, NDArray[np.float64] | RowArray]:
        """The values of many: (n,) positions in `rows`, ascending, and (n,) numbers or codes."""
        ...


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A numeric or boolean attribute; `values` is (n_items,) float64, NaN where missing."""

    name: str
    values: NDArray[np.float64]

    def condition(self, value: object) -> Condition:
        """A filter's value, checked.

        Raises:
            QueryError: If it is malformed.
        """
        if not isinstance(value, Mapping):
            return Condition(any=(self._number(value),))
        bounds: list[tuple[Operator, float]] = []
        listed: dict[str, tuple[float, ...]] = {}
        for operator, operand in value.items():
            if operator in get_args(Operator):
                bounds.append((operator, self._number(operand)))
            elif operator in ("any", "none"):
                numbers = _values(self.name, operator, operand)
                listed[operator] = tuple(self._number(number) for number in numbers)
            else:
                raise _unknown(self.name, operator, ("any", "none", *get_args(Operator)))
        return Condition(any=listed.get("any"), none=listed.get("none", ()), bounds=tuple(bounds))

    def mask(self, condition: Condition) -> BoolArray:
        """The items whose number satisfies the condition."""
        allowed = condition.within(self.values)
        if condition.any is not None:
            allowed &= self._has(condition.any)
        return allowed & ~self._has(condition.none) if condition.none else allowed

    def values_of(self, row: int) -> frozenset[float]:
        """An item's number; empty where it is missing."""
        number = float(self.values[row])
        return frozenset((number,)) if number == number else frozenset()

    def values_at(self, rows: RowArray) -> tuple[RowArray, NDArray[np.float64]]:
        """The items' numbers, but for missing ones, and their positions in `rows`."""
        numbers = self.values[rows]
        positions = np.flatnonzero(~np.isnan(numbers))
        return positions, numbers[positions]

    def _has(self, numbers: Iterable[float]) -> BoolArray:
        hit = np.zeros(len(self.values), dtype=bool)
        for number in numbers:
            hit |= self.values == number
        return hit

    def _number(self, value: object) -> float:
        if isinstance(value, int | float | np.number) and value == value:
            try:
                return float(value)
            except OverflowError:  # a whole number of hundreds of digits
                pass
        raise QueryError(f"filter {self.name!r}: found {preview(value)}, expected a number")


@dataclass(frozen=True, kw_only=True)
class Labels:
    """A text attribute: none, one or several labels per item.

    Attributes:
        name: The attribute.
        rows: (n_pairs,) int64, the item of each (item, label) pair, one label's after another's.
        codes: (n_pairs,) int64, its label's place in the vocabulary, ascending.
        vocabulary: Label, casefolded → code.
        n_items: How many items there are.
    """

    name: str
    rows: RowArray
    codes: RowArray
    vocabulary: Mapping[str, int]
    n_items: int

    def condition(self, value: object) -> Condition:
        """A filter's value, checked; its labels are codes.

        Raises:
            QueryError: If it is malformed.
        """
        if not isinstance(value, Mapping):
            return Condition(any=(self._code(value),))
        listed: dict[str, tuple[float, ...]] = {}
        for operator, operand in value.items():
            if operator not in ("any", "all", "none"):
                raise _unknown(self.name, operator, ("any", "all", "none"))
            labels = _values(self.name, operator, operand)
            listed[operator] = tuple(self._code(label) for label in labels)
        return Condition(
            any=listed.get("any"), all=listed.get("all", ()), none=listed.get("none", ())
        )

    def mask(self, condition: Condition) -> BoolArray:
        """The items whose labels satisfy the condition."""
        allowed = np.ones(self.n_items, dtype=bool)
        if condition.any is not None:
            allowed = self._has(condition.any)
        for code in condition.all:
            allowed &= self._has((code,))
        return allowed & ~self._has(condition.none) if condition.none else allowed

    def values_of(self, row: int) -> frozenset[float]:
        """The codes of an item's labels, each once."""
        codes, starts = self._by_item
        return frozenset(codes[starts[row] : starts[row + 1]].tolist())

    def values_at(self, rows: RowArray) -> tuple[RowArray, RowArray]:
        """The codes of the items' labels, and the items' positions in `rows`."""
        codes, starts = self._by_item
        lengths = starts[rows + 1] - starts[rows]
        positions = np.repeat(np.arange(len(rows)), lengths)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return positions, codes[starts[rows][positions] + within]

    @cached_property
    def _by_item(self) -> tuple[RowArray, RowArray]:
        """The codes, one item's after another's, and where each item's begin."""
        order = np.argsort(self.rows, kind="stable")
        return self.codes[order], np.searchsorted(self.rows[order], np.arange(self.n_items + 1))

    def unknown(self, condition: object) -> list[str]:
        """Labels of a condition that no item has."""
        named = condition.values() if isinstance(condition, Mapping) else [[condition]]
        labels = (label for listed in named for label in listed if isinstance(label, str))
        return [label for label in labels if label.casefold() not in self.vocabulary]

    def most_frequent(self, n: int) -> list[str]:
        """The up to `n` labels, casefolded, that most items have, the most frequent first."""
        counts = np.bincount(self.codes, minlength=len(self.vocabulary))
        known = list(self.vocabulary)  # in the order of its codes
        return [known[code] for code in np.argsort(-counts, kind="stable")[:n]]

    def like(self, label: str) -> list[str]:
        """Labels, casefolded, that are about as long and begin or end as it does."""
        low = label.casefold()
        return [
            known
            for known in self.vocabulary
            if abs(len(known) - len(low)) <= 2 and (known[:1] == low[:1] or known[-1:] == low[-1:])
        ][:MAX_VALUES]

    def _code(self, label: object) -> int:
        if not isinstance(label, str):
            raise QueryError(f"filter {self.name!r}: found {preview(label)}, expected text")
        return self.vocabulary.get(label.casefold(), UNKNOWN)

    def _has(self, codes: Iterable[float]) -> BoolArray:
        hit = np.zeros(self.n_items, dtype=bool)
        for code in codes:
            first, end = np.searchsorted(self.codes, (code, code + 1))
            hit[self.rows[first:end]] = True
        return hit


def label_numbers(
    attributes: Iterable[Attribute], n_items: int, *, at_least: int = 5
) -> list[list[int]]:
    """For each item the numbers of its labels, over all text attributes together.

    Args:
        attributes: Numbers and booleans have no labels.
        n_items: How many items there are.
        at_least: A label of fewer items is left out: nothing could be learned from it.
    """
    numbers: list[list[int]] = [[] for _ in range(n_items)]
    first = 0
    for attribute in attributes:
        if isinstance(attribute, Labels) and len(attribute.rows):
            pairs = np.unique(np.column_stack([attribute.rows, attribute.codes]), axis=0)
            counts = np.bincount(pairs[:, 1])
            for row, code in pairs[counts[pairs[:, 1]] >= at_least]:
                numbers[row].append(first + int(code))
            first += len(counts)
    return numbers


@dataclass(frozen=True, kw_only=True)
class LabelledItems:
    """Items by their labels, over all text attributes.

    Attributes:
        labels: The labels, casefolded.
        pairs: (n_labels, n_items) float32, 1 where an item has a label.
    """

    labels: Sequence[Label]
    pairs: sp.csr_matrix


def labelled_items(attributes: Mapping[str, Attribute], n_items: int) -> LabelledItems:
    """All labels of all text attributes, and which items have them."""
    known: list[Label] = []
    rows, columns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for name, attribute in attributes.items():
        if isinstance(attribute, Labels):
            rows.append(len(known) + attribute.codes)
            columns.append(attribute.rows)
            known += [(name, label) for label in attribute.vocabulary]  # in the order of its codes
    pairs = (np.concatenate(rows), np.concatenate(columns))
    matrix = sp.csr_matrix((np.ones(len(pairs[0]), np.float32), pairs), shape=(len(known), n_items))
    matrix.data[:] = 1  # a label that an item has twice is one label
    return LabelledItems(labels=known, pairs=matrix)


def make_attribute(name: str, column: pa.ChunkedArray) -> Attribute:
    """An attribute from a column of numbers, booleans, strings or lists of strings."""
    kind = column.type
    if _is_number(kind):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        return Numbers(name=name, values=np.asarray(values, dtype=np.float64))
    if _is_text(kind):
        lists = [[value] if value else [] for value in column.to_pylist()]
    else:
        lists = [[label for label in value or [] if label] for value in column.to_pylist()]
    vocabulary: dict[str, int] = {}
    rows, codes = [], []
    for row, labels in enumerate(lists):
        for label in labels:
            rows.append(row)
            codes.append(vocabulary.setdefault(label.casefold(), len(vocabulary)))
    order = np.argsort(codes, kind="stable")  # once: a filter looks a label's items up
    return Labels(
        name=name,
        rows=np.asarray(rows, dtype=np.int64)[order],
        codes=np.asarray(codes, dtype=np.int64)[order],
        vocabulary=vocabulary,
        n_items=len(lists),
    )


def refuse_unusable(path: Path, table: pa.Table, name: str) -> None:
    """Check that `make_attribute` can read a column.

    Raises:
        DataError: If it holds anything else than numbers, booleans, strings or lists of strings.
    """
    if not usable(table[name].type):
        raise DataError(
            f"{path}: column {name!r} is {table[name].type}, expected text, numbers, booleans or "
            "lists of text; drop the column or convert it"
        )


def usable(kind: pa.DataType) -> bool:
    """True for numbers, booleans, text and lists of text."""
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return _is_number(kind) or _is_text(kind.value_type if is_list else kind)


def _is_number(kind: pa.DataType) -> bool:
    tests = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    return any(is_type(kind) for is_type in tests)


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    return any(is_type(kind) for is_type in tests)


def _values(name: str, operator: str, value: Any) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list | tuple):
        raise QueryError(f"filter {name!r}: {operator!r} takes a list, found {preview(value)}")
    if len(value) > MAX_VALUES:
        raise QueryError(f"filter {name!r}: {operator!r} has {len(value)} values, max {MAX_VALUES}")
    return list(value)


def _unknown(name: str, operator: object, known: tuple[str, ...]) -> QueryError:
    hint = nearest(str(operator), known)
    return QueryError(f"filter {name!r}: unknown operator {preview(operator)}{hint}")
