"""A list's own scores and a reranker's, as one order.

Both are standardised over the candidates that were scored, so a reranker's scale doesn't matter;
its weight is learned on validation, and 0 leaves the list as it was.
"""

from __future__ import annotations

import numpy as np

from semrec.types import FloatArray, RowArray


def blended(listed: FloatArray, scored: FloatArray, weight: float) -> RowArray:
    """(n,) int64: places in their new order; those that weren't scored stay behind, as they were.

    Args:
        listed: (n,) the list's own scores, best first.
        scored: (n,) what the reranker gave, higher is better; NaN or infinite: not scored.
        weight: Of the reranker; the list's own scores weigh 1.
    """
    known = np.isfinite(scored)
    both = standardised(listed[known]) + weight * standardised(scored[known])
    order = np.arange(len(listed), dtype=np.int64)
    best_first = np.argsort(-both, kind="stable")  # of equals the one that was ahead stays ahead
    return np.concatenate([order[known][best_first], order[~known]])


def standardised(scores: FloatArray) -> FloatArray:
    """Mean 0 and deviation 1; zeros if all are equal: they tell nothing apart."""
    wide = scores.astype(np.float64)
    deviation = wide.std() if len(wide) else 0.0
    if deviation < 1e-12:
        return np.zeros(len(scores), dtype=np.float32)
    return np.asarray((wide - wide.mean()) / deviation, dtype=np.float32)
