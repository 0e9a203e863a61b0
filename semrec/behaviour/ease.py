"""EASE: a linear item-to-item model in closed form, hard to beat on sparse data.

Steck 2019 (arXiv 1905.03375). Its weights are no vectors, so it is a baseline and not a block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from semrec.errors import ConfigError
from semrec.types import FloatArray, RowArray, SessionRows

MAX_ITEMS = 30_000  # the weights take 4 · n² bytes, and fitting three times that


@dataclass(frozen=True, kw_only=True)
class EASE:
    """Item-to-item weights.

    Attributes:
        weights: (n_seen, n_seen) float32, zero diagonal, over the items with events.
        seen: (n_seen,) int64, rows of the items with events.
        n_items: How many items there are.
        decay: An event's pull falls by this factor with every newer one.
    """

    weights: FloatArray
    seen: RowArray
    n_items: int
    decay: float

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better; 0 for items without events."""
        scores = np.zeros(self.n_items, dtype=np.float32)
        places = np.searchsorted(self.seen, session.rows)
        places = np.minimum(places, len(self.seen) - 1)
        known = self.seen[places] == session.rows
        pull = session.recency(self.decay)[known]
        scores[self.seen] = pull @ self.weights[places[known]]
        return scores


def fit_ease(matrix: sp.csr_matrix[np.float32], *, regularization: float, decay: float) -> EASE:
    """B = I − P / diag(P) with P = (XᵀX + λI)⁻¹, over `matrix`, (n_users, n_items).

    Raises:
        ConfigError: If more than 30,000 items have events: the weights would not fit in memory.
    """
    seen = np.flatnonzero(np.asarray(matrix.sum(axis=0)).ravel() > 0)
    if len(seen) > MAX_ITEMS:
        raise ConfigError(f"EASE over {len(seen)} items needs too much memory; at most {MAX_ITEMS}")
    gram = (matrix[:, seen].T @ matrix[:, seen]).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += regularization
    inverse = _inverse(gram)
    weights = (inverse / -np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    return EASE(weights=weights, seen=seen, n_items=matrix.shape[1], decay=decay)


def _inverse(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of a symmetric positive definite matrix by Cholesky, in place."""
    factor, failed = scipy.linalg.lapack.dpotrf(gram, lower=1, overwrite_a=1)
    if failed:
        raise ConfigError("EASE: the Gram matrix isn't positive definite; raise its regularization")
    inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    whole: NDArray[np.float64] = np.tril(inverse) + np.tril(inverse, -1).T
    return whole
