"""Picking the best rows out of scores: descending, ties by row."""

from __future__ import annotations

import numpy as np

from semrec.types import FloatArray, RowArray


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
