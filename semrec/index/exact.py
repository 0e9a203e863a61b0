"""Exact search in NumPy: the oracle, and the behavioural baseline's index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semrec.index.topk import MARGIN, rescored, top_rows
from semrec.types import NO_BOOST, BoolArray, FloatArray, RowArray, SparseScores

CHUNK = 64  # queries per matrix product


@dataclass(frozen=True, kw_only=True)
class ExactIndex:
    """Every inner product, every time.

    Attributes:
        vectors: (n_items, dim) float32.
        searchable: (n_items,) bool; rows outside it never come back. None: all may.
    """

    vectors: FloatArray
    searchable: BoolArray | None = None

    def search(
        self,
        queries: FloatArray,
        k: int,
        exclude: Sequence[RowArray],
        allowed: Sequence[BoolArray | None],
        boosts: Sequence[SparseScores] | None = None,
    ) -> list[tuple[RowArray, FloatArray]]:
        """For each query the up to `k` best permitted rows and their scores, best first."""
        found = []
        boosts = boosts or [NO_BOOST] * len(queries)
        asked = zip(queries, exclude, allowed, boosts, strict=True)
        for place, (query, excluded, mask, boost) in enumerate(asked):
            if place % CHUNK == 0:
                # Many at once read the vectors once; `rescored` makes up for the rounding.
                product = queries[place : place + CHUNK] @ self.vectors.T
            permitted = np.ones(len(self.vectors), dtype=bool) if mask is None else mask.copy()
            if self.searchable is not None:
                permitted &= self.searchable
            permitted[excluded] = False
            rows = np.flatnonzero(permitted)
            scores = product[place % CHUNK]
            scores[boost.rows] += boost.scores
            near, _ = top_rows(rows, scores[rows], k + MARGIN)
            found.append(rescored(self.vectors, query, near, k, boost))
        return found

    @property
    def grows(self) -> bool:
        """It does: the vectors are in memory."""
        return True

    def with_items(self, vectors: FloatArray) -> ExactIndex:
        """The same with more rows; where not all rows may come back, these may not."""
        searchable = self.searchable
        if searchable is not None:
            searchable = np.append(searchable, np.zeros(len(vectors), dtype=bool))
        return ExactIndex(vectors=np.vstack([self.vectors, vectors]), searchable=searchable)
