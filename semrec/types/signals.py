"""A query as the parts see it: rows, vectors, sparse scores beside the dense ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
RowArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
NO_ROWS: RowArray = np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True)
class SparseScores:
    """Sparse scores: what is added to the inner products of a few rows.

    Attributes:
        rows: (m,) int64, ascending, each once.
        scores: (m,) float32, none below 0, so that a row without one never gains by it.
    """

    rows: RowArray
    scores: FloatArray

    def at(self, rows: RowArray) -> FloatArray:
        """(len(rows),) float32: the score of each of `rows`, 0 for those without one."""
        if not len(self.rows):
            return np.zeros(len(rows), dtype=np.float32)
        positions = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[positions] == rows, self.scores[positions], np.float32(0))

    def strongest(self, n: int) -> RowArray:
        """(up to `n`,) int64: the rows with the largest scores: common words match half of all."""
        if len(self.rows) <= n:
            return self.rows
        return self.rows[np.argpartition(self.scores, len(self.rows) - n)[-n:]]

    def plus(self, other: SparseScores) -> SparseScores:
        """The sum of both, over the rows of either."""
        if not len(self.rows) or not len(other.rows):
            return self if len(self.rows) else other
        # The fewer into the many: common words match half of a million items.
        many, few = (self, other) if len(self.rows) >= len(other.rows) else (other, self)
        positions = np.searchsorted(many.rows, few.rows)
        last = np.minimum(positions, len(many.rows) - 1)
        shared = many.rows[last] == few.rows
        scores = many.scores.copy()
        scores[positions[shared]] += few.scores[shared]
        return SparseScores(
            rows=np.insert(many.rows, positions[~shared], few.rows[~shared]),
            scores=np.insert(scores, positions[~shared], few.scores[~shared]),
        )

    def times(self, weight: float) -> SparseScores:
        """The same times a weight; nothing is left of a weight of 0."""
        if weight <= 0:
            return NO_BOOST
        return SparseScores(rows=self.rows, scores=np.float32(weight) * self.scores)


NO_BOOST = SparseScores(rows=NO_ROWS, scores=np.zeros(0, np.float32))


Operator = Literal["gt", "gte", "lt", "lte"]
_COMPARE = {"gt": np.greater, "gte": np.greater_equal, "lt": np.less, "lte": np.less_equal}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A filter on one attribute, checked, in numbers: a label is its code.

    Attributes:
        any: An item has one of these; None: that isn't asked.
        all: An item has each of these.
        none: An item has none of these.
        bounds: An item's number is on this side of each.
    """

    any: tuple[float, ...] | None = None
    all: tuple[float, ...] = ()
    none: tuple[float, ...] = ()
    bounds: tuple[tuple[Operator, float], ...] = ()

    def within(self, values: NDArray[np.float64] | NDArray[np.int64]) -> BoolArray:
        """(n_items,) bool: whose number keeps the bounds; a missing one, NaN, keeps none."""
        kept = np.ones(len(values), dtype=bool)
        for operator, bound in self.bounds:
            kept &= _COMPARE[operator](values, bound)
        return kept


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The rows that may come back: as conditions for an index elsewhere, as a mask for one here.

    Attributes:
        make_mask: Makes the mask.
        conditions: On attributes, by name.
        counts: On how many people touched an item.

    Examples:
        >>> old = Condition(bounds=(("lt", 1960.0),))
        >>> years = np.array([1955.0, 1999.0])
        >>> allowed = Allowed(conditions=(("year", old),), make_mask=lambda: old.within(years))
        >>> allowed.mask.tolist()
        [True, False]
    """

    make_mask: Callable[[], BoolArray]
    conditions: tuple[tuple[str, Condition], ...] = ()
    counts: Condition | None = None

    @cached_property
    def mask(self) -> BoolArray:
        """(n_items,) bool: the rows that satisfy everything, made when it is first asked for."""
        return self.make_mask()


@dataclass(frozen=True, kw_only=True)
class IndexQuery:
    """One query to an index: its scores, and the rows that may come back.

    Attributes:
        vector: (dim,) float32.
        boost: Added to the inner products with `vector`.
        excluded: (m,) int64, rows that must not come back, in any order.
        allowed: The only rows that may; None: all.
    """

    vector: FloatArray
    boost: SparseScores = NO_BOOST
    excluded: RowArray = field(default_factory=lambda: NO_ROWS)
    allowed: Allowed | None = None

    def permitted(self, n_items: int) -> BoolArray:
        """(n_items,) bool, a new array: the rows that may come back."""
        mask = np.ones(n_items, dtype=bool) if self.allowed is None else self.allowed.mask.copy()
        mask[self.excluded] = False
        return mask


@dataclass(frozen=True, kw_only=True)
class LexicalMatch:
    """A request's words, matched as words.

    Attributes:
        scores: The items that share content words with it.
        is_spoken: Whether anything was said at all, filler too.
        n_words: Number of content words, each counted once.
        n_known: Number of those that some item has.
        specificity: Mean idf of the content words, 0 (unknown, or everywhere) to 1 (in one item).
        unknown: Names and the like that no item has, as written.
    """

    scores: SparseScores = NO_BOOST
    is_spoken: bool = False
    n_words: int = 0
    n_known: int = 0
    specificity: float = 0.0
    unknown: tuple[str, ...] = ()


NO_MATCH = LexicalMatch()

QueryKind = Literal["words", "session", "both"]


@dataclass(frozen=True, kw_only=True)
class RerankScores:
    """A reranker's scores of some of the candidates.

    Attributes:
        positions: (m,) int64, which of the texts, each once.
        scores: (m,) float32, higher is better, comparable with the request's other scores.
        missing: Texts that it was asked about and didn't answer.
        doubled: Texts that it answered more than once; the first answer counts.
        invented: Answers about texts that there are none of.
    """

    positions: RowArray
    scores: FloatArray
    missing: int = 0
    doubled: int = 0
    invented: int = 0


@dataclass(frozen=True, kw_only=True)
class SessionRows:
    """A session as models see it: oldest first, known items only, nothing rejected.

    Attributes:
        rows: (m,) int64, item rows.
        weights: (m,) float32, positive pull of each event, before any recency.
    """

    rows: RowArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, rows: Iterable[int]) -> SessionRows:
        """A session of plain views."""
        array = np.fromiter(rows, dtype=np.int64)
        return cls(rows=array, weights=np.ones(len(array), np.float32))

    def below(self, n_items: int) -> SessionRows:
        """The events of rows below `n_items`: those that a model knows which saw no more."""
        known = self.rows < n_items
        return (
            self if known.all() else SessionRows(rows=self.rows[known], weights=self.weights[known])
        )

    def recency(self, decay: float) -> FloatArray:
        """(m,) float32: the weights times ``decay ** age``; the newest event has age 0."""
        ages = np.arange(len(self) - 1, -1, -1, dtype=np.float32)
        return (self.weights * np.float32(decay) ** ages).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class FusedQuery:
    """A query as the index takes it, and the weights that made it.

    Attributes:
        vector: (dim,) float32.
        boost: Added to the inner products with `vector`.
        weights: For the trace.
        evidence: What the weights went by, for the trace.
        kind: The signals that it brings, where a ranker may reorder; None in the baseline, without
            any signal, and where somebody asked for weights.
        topicality: How sure it is that it names a topic, 0 to 1: what a ranker learned from dialogs
            about tastes is no answer to that.
        values: For a ranker, what each signal says of given rows: (n, n_values) float32; None
            where there is no kind.
        reason: What kind of request it was taken for, and why; ``""`` where the gate didn't say.
    """

    vector: FloatArray
    boost: SparseScores
    weights: dict[str, float]
    evidence: dict[str, float]
    kind: QueryKind | None = None
    topicality: float = 0.0
    values: Callable[[RowArray], FloatArray] | None = None
    reason: str = ""
