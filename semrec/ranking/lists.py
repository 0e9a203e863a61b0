"""Lists that a ranker is trained and validated on: candidates, and which of them were right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.metrics.ranking import ndcg
from semrec.types import BoolArray, FloatArray


@dataclass(frozen=True, kw_only=True)
class RankedList:
    """A case's candidates in the order of the fused list.

    Attributes:
        fused: (n,) float32, falling.
        crosses: (n, n_crosses) float32.
        features: (n, n_features) float32.
        right: (n,) bool.
        n_relevant: How many items would have been right, in the list or not.
        unit: The dialog or user it belongs to.
        kind: Of the query: `words`, `session` or `both`.
        topicality: Of the query, 0 to 1.
    """

    fused: FloatArray
    crosses: FloatArray
    features: FloatArray
    right: BoolArray
    n_relevant: int
    unit: str
    kind: str
    topicality: float = 0.0

    def ndcg(self, scores: FloatArray, cutoff: int) -> float:
        """Of the list in the order of `scores`; among equals the fused order stays."""
        order = np.argsort(-scores, kind="stable")
        ranks = 1 + np.flatnonzero(self.right[order])
        return ndcg(ranks.tolist(), self.n_relevant, cutoff)


def padded(
    lists: Sequence[RankedList],
) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray]:
    """All lists as arrays: fused, crosses, features, which are real, and each one's share of right.

    The shares of a list sum to 1, or to 0 if nothing in it is right.
    """
    longest = max(len(ranked.fused) for ranked in lists)

    def stacked(columns: Sequence[NDArray[np.generic]]) -> FloatArray:
        array = np.zeros((len(columns), longest, *columns[0].shape[1:]), dtype=np.float32)
        for row, column in enumerate(columns):
            array[row, : len(column)] = column
        return array

    real = stacked([np.ones(len(ranked.fused), np.float32) for ranked in lists]) > 0
    shares = stacked([ranked.right / max(1, ranked.right.sum()) for ranked in lists])
    return (
        stacked([ranked.fused for ranked in lists]),
        stacked([ranked.crosses for ranked in lists]),
        stacked([ranked.features for ranked in lists]),
        real,
        shares,
    )
