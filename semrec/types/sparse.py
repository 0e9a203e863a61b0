"""Sparse scores beside the dense ones, the query of an index, and the arrays that all share."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[places] == rows, self.scores[places], np.float32(0))

    def plus(self, other: SparseScores) -> SparseScores:
        """The sum of both, over the rows of either."""
        if not len(self.rows) or not len(other.rows):
            return self if len(self.rows) else other
        # The fewer into the many: common words match half of a million items.
        many, few = (self, other) if len(self.rows) >= len(other.rows) else (other, self)
        places = np.searchsorted(many.rows, few.rows)
        last = np.minimum(places, len(many.rows) - 1)
        shared = many.rows[last] == few.rows
        scores = many.scores.copy()
        scores[places[shared]] += few.scores[shared]
        return SparseScores(
            rows=np.insert(many.rows, places[~shared], few.rows[~shared]),
            scores=np.insert(scores, places[~shared], few.scores[~shared]),
        )

    def times(self, weight: float) -> SparseScores:
        """The same times a weight; nothing is left of a weight of 0."""
        if weight <= 0:
            return NO_BOOST
        return SparseScores(rows=self.rows, scores=np.float32(weight) * self.scores)


NO_BOOST = SparseScores(rows=NO_ROWS, scores=np.zeros(0, np.float32))


@dataclass(frozen=True, kw_only=True)
class IndexQuery:
    """One query to an index: its scores, and the rows that may come back.

    Attributes:
        vector: (dim,) float32.
        boost: Added to the inner products with `vector`.
        excluded: (m,) int64, rows that must not come back, in any order.
        allowed: (n_items,) bool, the only rows that may; None: all.
    """

    vector: FloatArray
    boost: SparseScores = NO_BOOST
    excluded: RowArray = field(default_factory=lambda: NO_ROWS)
    allowed: BoolArray | None = None

    def permitted(self, n_items: int) -> BoolArray:
        """(n_items,) bool, a new array: the rows that may come back."""
        mask = np.ones(n_items, dtype=bool) if self.allowed is None else self.allowed.copy()
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
    """

    scores: SparseScores = NO_BOOST
    is_spoken: bool = False
    n_words: int = 0
    n_known: int = 0
    specificity: float = 0.0


NO_MATCH = LexicalMatch()
