"""Implicit ALS with fold-in, so that a session never seen in training gets a vector at once.

Hu, Koren & Volinsky 2008 (doi:10.1109/ICDM.2008.22), trained by the package `implicit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
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
    def _gram(self) -> FloatArray:
        gram = self.item_vectors.T @ self.item_vectors
        return gram + np.float32(self.regularization) * np.eye(len(gram), dtype=np.float32)

    def session_vector(self, session: SessionRows) -> FloatArray:
        """(dim,) float32: the user factor that least squares gives for this session alone.

        Solves (YᵀY + λI + Σ (c−1) y yᵀ) x = Σ c y over the session's items, with confidence
        c = alpha · weight · decay^age; an item that occurs several times adds up.
        """
        if not len(session):
            return np.zeros(self.item_vectors.shape[1], dtype=np.float32)
        rows, places = np.unique(session.rows, return_inverse=True)
        confidence = self.alpha * np.bincount(places, session.recency(self.decay))
        confidence = confidence.astype(np.float32)
        vectors = self.item_vectors[rows]  # (m, dim)
        left = self._gram + (vectors.T * (confidence - 1)) @ vectors
        right = vectors.T @ confidence
        return np.asarray(
            scipy.linalg.solve(left, right, assume_a="pos", check_finite=False), dtype=np.float32
        )

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
