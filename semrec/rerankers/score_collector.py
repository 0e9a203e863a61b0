"""From scores to an order: a permutation, whatever a reranker says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semrec.errors import ModelError
from semrec.types import FloatArray, RerankScores

LARGEST = float(np.finfo(np.float32).max)


@dataclass(kw_only=True)
class ScoreCollector:
    """Collects the chunks of one request.

    Attributes:
        scores: (n,) float32, NaN where nothing was scored yet.
        missing: Sum over the chunks, as are the others.
        doubled: Those that came in a second chunk, too.
        invented: Those that the chunks gave positions for that don't exist, too.
    """

    scores: FloatArray
    missing: int = 0
    doubled: int = 0
    invented: int = 0

    @classmethod
    def of(cls, n: int) -> ScoreCollector:
        """Of `n` candidates, none of them scored."""
        return cls(scores=np.full(n, np.nan, dtype=np.float32))

    @property
    def n_scored(self) -> int:
        """Number of candidates that have a score."""
        return int(np.isfinite(self.scores).sum())

    def add(self, scored: RerankScores) -> None:
        """Take in a chunk. Of several scores of a candidate the first counts.

        Raises:
            ModelError: If it isn't made of whole positions and as many numbers.
        """
        if not isinstance(scored, RerankScores):
            raise ModelError(f"a reranker gave {type(scored).__name__}, expected RerankScores")
        positions, scores = np.asarray(scored.positions), np.asarray(scored.scores)
        shaped = positions.ndim == 1 and positions.shape == scores.shape
        if not (shaped and positions.dtype.kind in "iu" and scores.dtype.kind in "iuf"):
            raise ModelError(
                f"a reranker gave positions {positions.shape} {positions.dtype} and scores "
                f"{scores.shape} {scores.dtype}, expected (m,) whole numbers and (m,) numbers"
            )
        self.missing += scored.missing
        self.doubled += scored.doubled
        self.invented += scored.invented
        for position, score in zip(positions.tolist(), scores.tolist(), strict=True):
            if not 0 <= position < len(self.scores):
                self.invented += 1
            elif np.isfinite(self.scores[position]):
                self.doubled += 1
            elif abs(score) <= LARGEST:
                self.scores[position] = score
