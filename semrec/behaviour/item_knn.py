"""Item-kNN: items that the same people took, by shrunk cosine.

Sarwar et al. 2001 (doi:10.1145/371920.372071); shrinkage after Bell & Koren 2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from semrec.types import FloatArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class ItemKNN:
    """Similarities between items.

    Attributes:
        similarities: (n_items, n_items) sparse float32, the strongest few per row.
        decay: An event's pull falls by this factor with every newer one.
    """

    similarities: sp.csr_matrix[np.float32]
    decay: float

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better."""
        pulled = session.recency(self.decay) @ self.similarities[session.rows]
        return np.asarray(pulled, dtype=np.float32)


def fit_item_knn(
    matrix: sp.csr_matrix[np.float32], *, shrink: float, neighbours: int, decay: float
) -> ItemKNN:
    """Similarities from `matrix`, (n_users, n_items), each item's `neighbours` strongest kept."""
    together = (matrix.T @ matrix).tocsr()
    norms = np.sqrt(together.diagonal())
    together.setdiag(0)
    together.eliminate_zeros()
    for row in range(together.shape[0]):
        span = slice(together.indptr[row], together.indptr[row + 1])
        values, columns = together.data[span], together.indices[span]
        values /= norms[row] * norms[columns] + shrink
        if len(values) > neighbours:
            weakest = np.argpartition(values, len(values) - neighbours)[:-neighbours]
            values[weakest] = 0.0
    together.eliminate_zeros()
    return ItemKNN(similarities=together.astype(np.float32), decay=decay)
