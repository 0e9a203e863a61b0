"""Rows that came later beside an index that takes none: a file's, or one that is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from semrec.deadline import NEVER, Deadline
from semrec.errors import DataError
from semrec.index.exact import ExactIndex, ScoredRows, top_rows
from semrec.protocols import DeadlineIndex, Index
from semrec.types import Allowed, FloatArray, IndexQuery, SparseScores

MAX_ADDED = 50_000


@dataclass(frozen=True, kw_only=True)
class GrownIndex:
    """An index as it was, and the rows behind its own.

    Attributes:
        base: The index as it was.
        n_base: How many rows it has.
        added: The rows behind them.
    """

    base: Index
    n_base: int
    added: ExactIndex

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[ScoredRows]:
        """For each query the up to `k` best permitted rows and their scores, best first."""
        return self.search_within(queries, k, NEVER)[0]

    def search_within(
        self, queries: Sequence[IndexQuery], k: int, deadline: Deadline
    ) -> tuple[list[ScoredRows], str]:
        """As `search`, by the deadline if the base can; the complaint is the base's."""
        below = [self._below(query) for query in queries]
        theirs, complaint = search_within(self.base, below, k, deadline)
        ours = self.added.search([self._behind(query) for query in queries], k)
        lists = [
            top_rows(
                np.concatenate([rows, added + self.n_base]), np.concatenate([scores, others]), k
            )
            for (rows, scores), (added, others) in zip(theirs, ours, strict=True)
        ]
        return lists, complaint

    @property
    def grows(self) -> bool:
        """It does, up to `MAX_ADDED` rows."""
        return True

    def with_items(self, vectors: FloatArray) -> GrownIndex:
        """The same with more rows.

        Raises:
            DataError: If they would be more than `MAX_ADDED`.
        """
        n = len(self.added.vectors) + len(vectors)
        if n > MAX_ADDED:
            raise DataError(
                f"{n:,} items would have been added since the artifact was built, and "
                f"{MAX_ADDED:,} can be: build again, with them in the catalogue"
            )
        return replace(self, added=self.added.with_items(vectors))

    def _below(self, query: IndexQuery) -> IndexQuery:
        boost, allowed = query.boost, query.allowed
        kept = boost.rows < self.n_base
        return IndexQuery(
            vector=query.vector,
            boost=SparseScores(rows=boost.rows[kept], scores=boost.scores[kept]),
            excluded=query.excluded[query.excluded < self.n_base],
            allowed=None
            if allowed is None
            else replace(allowed, make_mask=lambda: allowed.mask[: self.n_base]),
        )

    def _behind(self, query: IndexQuery) -> IndexQuery:
        boost, allowed = query.boost, query.allowed
        kept = boost.rows >= self.n_base
        return IndexQuery(
            vector=query.vector,
            boost=SparseScores(rows=boost.rows[kept] - self.n_base, scores=boost.scores[kept]),
            excluded=query.excluded[query.excluded >= self.n_base] - self.n_base,
            allowed=None
            if allowed is None
            else Allowed(make_mask=lambda: allowed.mask[self.n_base :]),
        )


def grown(index: Index, n: int, vectors: FloatArray) -> Index:
    """The index of `n` rows with more behind them, (m, dim) float32.

    Raises:
        DataError: If an index that takes none would have more than `MAX_ADDED` beside it.
    """
    if index.grows:
        return index.with_items(vectors)
    beside = ExactIndex(vectors=np.zeros((0, vectors.shape[1]), dtype=np.float32))
    return GrownIndex(base=index, n_base=n, added=beside).with_items(vectors)


def is_elsewhere(index: Index) -> bool:
    """True if a search may have to wait for another machine."""
    if isinstance(index, GrownIndex):
        return is_elsewhere(index.base)
    return isinstance(index, DeadlineIndex)


def search_within(
    index: Index, queries: Sequence[IndexQuery], k: int, deadline: Deadline
) -> tuple[list[ScoredRows], str]:
    """Lists by the deadline; why it wasn't the whole index that was searched, or ``""``."""
    within = getattr(index, "search_within", None)  # `isinstance` takes 40 µs of each request
    if within is None:
        return index.search(queries, k), ""
    lists: tuple[list[ScoredRows], str] = within(queries, k, deadline)
    return lists
