"""Implicit ALS with fold-in, so that a session never seen in training gets a vector at once.

Hu, Koren & Volinsky 2008 (doi:10.1109/ICDM.2008.22), trained by the package `implicit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from semrec.types import FloatArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class ALS:
    """Item factors, and what is needed to solve for a session's.

    Attributes:
        item_vectors: (n_items, dim) float32; zeros for items without events.
        regularization: λ of the ridge term.
        alpha: Confidence of one event.
        decay: Confidence of an event falls by this factor with every newer one.
    """

    item_vectors: FloatArray
    regularization: float
    alpha: float
    decay: float

    @cached_property
    def _inverse(self) -> FloatArray:
        """(dim, dim) float32: (YᵀY + λI)⁻¹, the same for every session."""
        vectors = self.item_vectors.astype(np.float64)
        gram = vectors.T @ vectors + self.regularization * np.eye(vectors.shape[1])
        return np.linalg.inv(gram).astype(np.float32)

    def session_vector(self, session: SessionRows) -> FloatArray:
        """(dim,) float32: the user factor that least squares gives for this session alone.

        Solves (YᵀY + λI + Σ (c−1) y yᵀ) x = Σ c y over the session's m items, with confidence
        c = alpha · weight · decay^age; an item that occurs several times adds up. By Woodbury's
        identity that is a system of m equations, not of dim.
        """
        if not len(session):
            return np.zeros(self.item_vectors.shape[1], dtype=np.float32)
        rows, inverse = np.unique(session.rows, return_inverse=True)
        confidence = self.alpha * np.bincount(inverse, session.recency(self.decay))
        vectors = self.item_vectors[rows]  # (m, dim)
        pulled = vectors @ self._inverse  # (m, dim)
        near = (vectors @ pulled.T).astype(np.float64)  # (m, m)
        extra = confidence - 1
        system = np.eye(len(rows)) + near * extra
        weights = confidence - extra * np.linalg.solve(system, near @ confidence)
        return np.asarray(weights.astype(np.float32) @ pulled, dtype=np.float32)

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better."""
        return self.item_vectors @ self.session_vector(session)


def fit_als(
    matrix: sp.csr_matrix[np.float32],
    *,
    factors: int,
    regularization: float,
    alpha: float,
    iterations: int,
    decay: float,
    seed: int,
) -> ALS:
    """Factorise who touched what.

    Args:
        matrix: (n_users, n_items) sparse float32, 1 where a user touched an item.
        factors: Length of the vectors.
        regularization: λ of the ridge term.
        alpha: Confidence of one event.
        iterations: Sweeps over users and items.
        decay: See `ALS`.
        seed: For the first factors.
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    # implicit has threads of its own; BLAS threads inside each of them only get in their way.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=iterations,
            random_state=seed,
        )
        model.fit(matrix, show_progress=False)
    vectors = np.array(model.item_factors, dtype=np.float32)
    vectors[np.asarray(matrix.sum(axis=0)).ravel() == 0] = 0.0
    return ALS(item_vectors=vectors, regularization=regularization, alpha=alpha, decay=decay)
