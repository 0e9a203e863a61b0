"""Item-to-item weights, each item's strongest few: what item-kNN is, and EASE once it is pruned.

A session's neighbours are few enough to be scored beside what an index finds, which makes of such
a model a second source of candidates, in front of the same search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from semrec.types import FloatArray, SessionRows, SparseScores


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Item-to-item neighbours.

    Attributes:
        weights: (n_items, n_items) sparse float32, above 0: row i holds item i's neighbours.
        n_seen: How many items have events.
        decay: An event's pull falls by this factor with every newer one.
    """

    weights: sp.csr_matrix[np.float32]
    n_seen: int
    decay: float

    def nearest(self, session: SessionRows) -> SparseScores:
        """The session's neighbours; an item that several events point to adds up."""
        starts, ends = self.weights.indptr[session.rows], self.weights.indptr[session.rows + 1]
        spans = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
        positions = np.concatenate([*spans, np.zeros(0, np.int64)]).astype(np.int64)
        pull = np.repeat(session.recency(self.decay), ends - starts)
        rows, where = np.unique(self.weights.indices[positions], return_inverse=True)
        scores = np.bincount(where, pull * self.weights.data[positions], minlength=len(rows))
        kept = scores > 0
        return SparseScores(
            rows=rows[kept].astype(np.int64), scores=scores[kept].astype(np.float32)
        )

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better; 0 for all but the neighbours."""
        scores = np.zeros(self.weights.shape[0], dtype=np.float32)
        near = self.nearest(session)
        scores[near.rows] = near.scores
        return scores
