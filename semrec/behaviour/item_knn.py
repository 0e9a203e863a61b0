"""Item-kNN: items that the same people took, by shrunk cosine.

Sarwar et al. 2001 (doi:10.1145/371920.372071); shrinkage after Bell & Koren 2007.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from semrec.behaviour.neighbours import Neighbours
from semrec.types import FloatArray

BLOCK_ROWS = 512  # similarities of so many items at a time: 120 MB if each meets 60,000 others


def fit_item_knn(
    matrix: sp.csr_matrix[np.float32], *, shrink: float, neighbours: int, decay: float
) -> Neighbours:
    """Similarities from `matrix`, (n_users, n_items), each item's `neighbours` strongest kept."""
    by_item = matrix.T.tocsr()
    norms = np.sqrt(np.asarray(by_item.multiply(by_item).sum(axis=1)).ravel())
    blocks = []
    for first in range(0, by_item.shape[0], BLOCK_ROWS):
        together = by_item[first : first + BLOCK_ROWS] @ matrix
        together.sort_indices()
        blocks.append(_strongest(together, first, norms, shrink, neighbours))
    weights = sp.vstack(blocks, format="csr", dtype=np.float32)
    return Neighbours(weights=weights, n_seen=int((norms > 0).sum()), decay=decay)


def _strongest(
    together: sp.csr_matrix[np.float32],
    first: int,
    norms: FloatArray,
    shrink: float,
    neighbours: int,
) -> sp.csr_matrix[np.float32]:
    """The items' strongest neighbours.

    Args:
        together: (n, n_items), how many people took both; from item `first` on.
        first: Row of the first item.
        norms: (n_items,) float32 lengths of the items' columns.
        shrink: Added to the product of the lengths.
        neighbours: How many are kept.
    """
    rows = np.repeat(np.arange(first, first + together.shape[0]), np.diff(together.indptr))
    together.data[together.indices == rows] = 0.0  # an item isn't its own neighbour
    together.eliminate_zeros()
    for row in range(together.shape[0]):
        span = slice(together.indptr[row], together.indptr[row + 1])
        values, columns = together.data[span], together.indices[span]
        values /= norms[first + row] * norms[columns] + shrink
        if len(values) > neighbours:
            weakest = np.argpartition(values, len(values) - neighbours)[:-neighbours]
            values[weakest] = 0.0
    together.eliminate_zeros()
    return together
