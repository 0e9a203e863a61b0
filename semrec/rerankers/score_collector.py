"""From judgements to an order: a permutation, whatever a reranker says."""

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
        scores: (n,) float32, NaN where nothing was judged yet.
        missing: Sum over the chunks, as are the others.
        doubled: Those that came in a second chunk, too.
        invented: Those that the chunks gave places for that don't exist, too.
    """

    scores: FloatArray
    missing: int = 0
    doubled: int = 0
    invented: int = 0

    @classmethod
    def of(cls, n: int) -> ScoreCollector:
        """Of `n` candidates, none of them judged."""
        return cls(scores=np.full(n, np.nan, dtype=np.float32))

    @property
    def n_judged(self) -> int:
        """Number of candidates that have a score."""
        return int(np.isfinite(self.scores).sum())

    def add(self, judged: RerankScores) -> None:
        """Take in a chunk. Of several scores of a candidate the first counts.

        Raises:
            ModelError: If it isn't made of whole places and as many numbers.
        """
        if not isinstance(judged, RerankScores):
            raise ModelError(f"a reranker gave {type(judged).__name__}, expected Judged")
        places, scores = np.asarray(judged.places), np.asarray(judged.scores)
        shaped = places.ndim == 1 and places.shape == scores.shape
        if not (shaped and places.dtype.kind in "iu" and scores.dtype.kind in "iuf"):
            raise ModelError(
                f"a reranker gave places {places.shape} {places.dtype} and scores {scores.shape} "
                f"{scores.dtype}, expected (m,) whole numbers and (m,) numbers"
            )
        self.missing += judged.missing
        self.doubled += judged.doubled
        self.invented += judged.invented
        for place, score in zip(places.tolist(), scores.tolist(), strict=True):
            if not 0 <= place < len(self.scores):
                self.invented += 1
            elif np.isfinite(self.scores[place]):
                self.doubled += 1
            elif abs(score) <= LARGEST:
                self.scores[place] = score
