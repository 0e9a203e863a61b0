"""Item-kNN: items that the same people took, by shrunk cosine.

Sarwar et al. 2001 (doi:10.1145/371920.372071); shrinkage after Bell & Koren 2007.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from semrec.behaviour.neighbours import Neighbours


def fit_item_knn(
    matrix: sp.csr_matrix[np.float32], *, shrink: float, neighbours: int, decay: float
) -> Neighbours:
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
    together.sort_indices()
    n_seen = int((norms > 0).sum())
    return Neighbours(weights=together.astype(np.float32), n_seen=n_seen, decay=decay)
