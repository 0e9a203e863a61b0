"""Picking the best rows out of scores: descending, ties by row.

A matrix product sums in another order for one query than for a batch, so its last bits differ and
near-ties would swap. So a few more rows than wanted are kept and scored once more, row by row in
one fixed order: a request gets the same list and the same scores alone, in a batch, and from
every index.
"""

from __future__ import annotations

import numpy as np

from semrec.types import NO_BOOST, FloatArray, RowArray, SparseScores


def top_rows(rows: RowArray, scores: FloatArray, k: int) -> tuple[RowArray, FloatArray]:
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


MARGIN = 16
"""How many more rows than wanted to keep before the final scoring."""


def rescored(
    vectors: FloatArray, query: FloatArray, rows: RowArray, k: int, boost: SparseScores = NO_BOOST
) -> tuple[RowArray, FloatArray]:
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
