"""Exact scores of rows, and an index of nothing else: the oracle, and the baseline's.

A matrix product sums in another order for one query than for a batch, so its last bits differ and
near-ties would swap. So a few more rows than wanted are kept and scored once more, row by row in
one fixed order: a request gets the same list and the same scores alone, in a batch, and from
every index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semrec.types import NO_BOOST, BoolArray, FloatArray, IndexQuery, RowArray, SparseScores

MARGIN = 16  # how many more rows than wanted are kept for the final scoring
CHUNK = 16_384  # rows that are read at a time: the vectors may lie in a file
MAX_QUERIES = 64  # in one matrix product
ROUNDING = 1e-5  # other libraries sum in other orders

ScoredRows = tuple[RowArray, FloatArray]
"""(n,) int64 and (n,) float32, best first."""


def top_rows(rows: RowArray, scores: FloatArray, k: int) -> ScoredRows:
    """The up to `k` best of `rows` by `scores`, best first; among equals the lower row first.

    Args:
        rows: (m,) int64.
        scores: (m,) float32.
        k: How many at most.
    """
    if len(rows) > k:
        # Everything that reaches the k-th best score, so that a tie at the edge is cut by row.
        edge = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = scores >= edge
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def rescored(
    vectors: FloatArray, query: FloatArray, rows: RowArray, k: int, boost: SparseScores = NO_BOOST
) -> ScoredRows:
    """The up to `k` best of `rows` by the inner product and `boost`, summed in one fixed order.

    Args:
        vectors: (n_items, dim) float32.
        query: (dim,) float32.
        rows: (m,) int64, a little more than `k` of them.
        k: How many at most.
        boost: Added to the inner products.
    """
    scores = np.einsum("ij,j->i", vectors[rows], query) + boost.at(rows)
    return top_rows(rows, scores, k)


def scan(
    vectors: FloatArray,
    query: IndexQuery,
    k: int,
    products: FloatArray | None = None,
    searchable: BoolArray | None = None,
) -> ScoredRows:
    """The up to `k` best permitted rows: every one of them is scored.

    Args:
        vectors: (n_items, dim) float32, read in chunks.
        query: Any.
        k: How many at most.
        products: (n_items,) float32, the inner products where they are known, to rounding; the
            boost is added to them in place.
        searchable: (n_items,) bool, what may come back of the permitted rows; None: all.
    """
    permitted, boost = query.permitted(len(vectors)), query.boost
    rows = np.flatnonzero(permitted if searchable is None else permitted & searchable)
    # Gathering rows costs about as much as multiplying them, so a wide filter multiplies all.
    if products is None and 4 * len(rows) > len(vectors):
        starts = range(0, len(vectors), CHUNK)
        products = np.concatenate([vectors[s : s + CHUNK] @ query.vector for s in starts])
    if products is not None:
        products[boost.rows] += boost.scores
        scores = products[rows]
    else:
        parts = [rows[s : s + CHUNK] for s in range(0, max(len(rows), 1), CHUNK)]
        scores = np.concatenate([vectors[part] @ query.vector for part in parts]) + boost.at(rows)
    near, _ = top_rows(rows, scores, k + MARGIN)
    return rescored(vectors, query.vector, near, k, boost)


def with_boosted(
    vectors: FloatArray,
    query: IndexQuery,
    k: int,
    fetched: RowArray,
    ceiling: float,
    *,
    exact: bool,
) -> ScoredRows:
    """The best of what was fetched and of what is boosted.

    A boosted row that wasn't fetched joins if its boost could lift it into the list: without one
    it is under the ceiling of what wasn't fetched. An index that may have missed rows takes all
    that are boosted.

    Args:
        vectors: (n_items, dim) float32; few rows of it are read.
        query: What is searched for.
        k: How many rows at most.
        fetched: (m,) int64, rows that satisfy the limits, excluded ones among them.
        ceiling: What the inner product of no other row exceeds.
        exact: Whether that is certain.
    """
    dropped, boost = query.excluded, query.boost
    rows = fetched[~np.isin(fetched, dropped)] if len(dropped) else fetched
    near, scores = rescored(vectors, query.vector, rows, k, boost)
    rising = boost.rows
    if not len(rising):
        return near, scores
    if exact and len(rows) >= k:
        least = scores[-1] - ROUNDING * abs(scores[-1])
        rising = rising[boost.scores + np.float32(ceiling) >= least]
    rising = rising[~np.isin(rising, np.concatenate([dropped, fetched]))]
    if len(rising) and query.allowed is not None:
        rising = rising[query.allowed.mask[rising]]
    if len(rising):
        return rescored(vectors, query.vector, np.concatenate([rows, rising]), k, boost)
    return near, scores


@dataclass(frozen=True, kw_only=True)
class ExactIndex:
    """Every inner product, every time.

    Attributes:
        vectors: (n_items, dim) float32.
        searchable: (n_items,) bool; rows outside it never come back. None: all may.
    """

    vectors: FloatArray
    searchable: BoolArray | None = None

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[ScoredRows]:
        """For each query the up to `k` best permitted rows and their scores, best first."""
        lists = []
        for start in range(0, len(queries), MAX_QUERIES):
            batch = queries[start : start + MAX_QUERIES]
            # Many at once read the vectors once.
            products = np.stack([query.vector for query in batch]) @ self.vectors.T
            for query, product in zip(batch, products, strict=True):
                lists.append(scan(self.vectors, query, k, product, self.searchable))
        return lists

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
