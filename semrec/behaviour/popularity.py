"""Popularity: the baseline that every other one must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from semrec.types import FloatArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class Popularity:
    """Counts of users per item; `counts` is (n_items,) float32."""

    counts: FloatArray

    def scores(self, session: SessionRows) -> FloatArray:  # noqa: ARG002 (the same for all)
        """(n_items,) float32: the counts, whatever the session."""
        return self.counts


def fit_popularity(matrix: sp.csr_matrix[np.float32]) -> Popularity:
    """Count the users of each item in `matrix`, (n_users, n_items)."""
    return Popularity(counts=np.asarray(matrix.sum(axis=0), dtype=np.float32).ravel())
