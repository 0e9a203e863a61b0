"""PureSVD: a truncated SVD of who touched what; a session is projected by its items.

Cremonesi, Koren & Turrin 2010 (doi:10.1145/1864708.1864721). No hyper-parameter but its rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from semrec.types import FloatArray, SessionRows

SILENT = 1e-6  # a singular value below this share of the largest one is rounding


@dataclass(frozen=True, kw_only=True)
class PureSVD:
    """Right singular vectors of the interaction matrix.

    Attributes:
        item_vectors: (n_items, dim) float32; zeros for items without events.
        decay: An event's pull falls by this factor with every newer one.
    """

    item_vectors: FloatArray
    decay: float

    def session_vector(self, session: SessionRows) -> FloatArray:
        """(dim,) float32: the sum of the session's item vectors, newer ones weighing more."""
        return self.item_vectors[session.rows].T @ session.recency(self.decay)

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better."""
        return self.item_vectors @ self.session_vector(session)


def fit_pure_svd(
    matrix: sp.csr_matrix[np.float32], *, factors: int, decay: float, seed: int
) -> PureSVD:
    """Factorise `matrix`, (n_users, n_items); at most min(shape) − 1 factors or its rank."""
    rank = min(factors, min(matrix.shape) - 1)
    if rank < 1:
        vectors = np.zeros((matrix.shape[1], 1), dtype=np.float32)
    else:
        start = np.random.default_rng(seed).standard_normal(min(matrix.shape))
        _, values, right = svds(matrix.astype(np.float64), k=rank, v0=start)
        # Beyond the matrix's own rank any direction would do: those say nothing.
        telling = right[values >= SILENT * values.max()]
        vectors = np.ascontiguousarray(telling[::-1].T, dtype=np.float32)
    vectors[np.asarray(matrix.sum(axis=0)).ravel() == 0] = 0.0
    return PureSVD(item_vectors=vectors, decay=decay)
