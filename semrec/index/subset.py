"""An exact search among some of the rows: what answers while the index elsewhere can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semrec.index.exact import ScoredRows, scan
from semrec.types import Allowed, FloatArray, IndexQuery, RowArray, SparseScores


@dataclass(frozen=True, kw_only=True)
class SubsetIndex:
    """Some rows of a catalogue, and their vectors.

    Attributes:
        vectors: (m, dim) float32.
        rows: (m,) int64, ascending: which rows they are.
    """

    vectors: FloatArray
    rows: RowArray

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[ScoredRows]:
        """For each query the up to `k` best of these rows that are permitted, best first."""
        lists = []
        for query in queries:
            positions, scores = scan(self.vectors, self._among(query), k)
            lists.append((self.rows[positions], scores))
        return lists

    @property
    def grows(self) -> bool:
        """It doesn't."""
        return False

    def with_items(self, vectors: FloatArray) -> SubsetIndex:  # noqa: ARG002
        """Itself: further rows aren't among these."""
        return self

    def _among(self, query: IndexQuery) -> IndexQuery:
        """The query as if these rows were all."""
        boost, allowed = query.boost, query.allowed
        of_boost, kept = self._positions(boost.rows)
        return IndexQuery(
            vector=query.vector,
            boost=SparseScores(rows=of_boost, scores=boost.scores[kept]),
            excluded=self._positions(query.excluded)[0],
            allowed=None if allowed is None else Allowed(make_mask=lambda: allowed.mask[self.rows]),
        )

    def _positions(self, rows: RowArray) -> tuple[RowArray, np.ndarray]:
        """Places of those of `rows` that are here, and which they are."""
        at = np.searchsorted(self.rows, rows)
        kept = self.rows[np.minimum(at, len(self.rows) - 1)] == rows
        return at[kept].astype(np.int64), kept
