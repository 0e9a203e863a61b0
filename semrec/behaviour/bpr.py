"""BPR: item vectors under which what a user took beats what they didn't.

Rendle et al. 2009 (arXiv 1205.2618), trained by the package `implicit`. A session never seen in
training is the weighted mean of its items' vectors; implicit's item bias, their last column, is
kept, since it is a part of the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from semrec.types import FloatArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class BPR:
    """Item vectors.

    Attributes:
        item_vectors: (n_items, dim) float32, the last column a bias; zeros for items without
            events.
        decay: An event's pull falls by this factor with every newer one.
    """

    item_vectors: FloatArray
    decay: float

    def session_vector(self, session: SessionRows) -> FloatArray:
        """(dim,) float32: the mean of the session's item vectors, and 1 for the bias."""
        seen = self.item_vectors[session.rows].any(axis=1)
        pull = session.recency(self.decay) * seen
        if not pull.any():
            return np.zeros(self.item_vectors.shape[1], dtype=np.float32)
        vector = self.item_vectors[session.rows].T @ (pull / pull.sum())
        vector[-1] = 1.0
        return np.asarray(vector, dtype=np.float32)

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better."""
        return self.item_vectors @ self.session_vector(session)


def fit_bpr(
    matrix: sp.csr_matrix[np.float32],
    *,
    factors: int,
    learning_rate: float,
    regularization: float,
    iterations: int,
    decay: float,
    seed: int,
) -> BPR:
    """Learn from `matrix`, (n_users, n_items), which items go before which.

    One thread: with more, implicit's updates race, and no two runs give the same numbers.
    """
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(
        factors=factors,
        learning_rate=learning_rate,
        regularization=regularization,
        iterations=iterations,
        num_threads=1,
        random_state=seed,
    )
    model.fit(matrix, show_progress=False)
    vectors = np.array(model.item_factors, dtype=np.float32)
    vectors[np.asarray(matrix.sum(axis=0)).ravel() == 0] = 0.0
    return BPR(item_vectors=vectors, decay=decay)
