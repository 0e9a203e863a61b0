"""FAISS (Johnson, Douze & Jégou 2017, arXiv 1702.08734): flat, and HNSW for larger catalogues.

HNSW: Malkov & Yashunin 2016, arXiv 1603.09320. Both use inner products. FAISS pads short answers
with row −1; nobody outside this module sees that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import faiss
import numpy as np

from semrec.index.coarse import Coarse, build_coarse
from semrec.index.exact import MARGIN, ScoredRows, scan, with_boosted
from semrec.types import FloatArray, IndexQuery, RowArray

MAX_OVERFETCH = 1_000
MAX_COARSE_QUERIES = 8  # queries; FAISS answers more of them together, and sooner than one by one
SPARE = 128  # rows that a list under a filter is fetched with in addition: hardly ever too few

Fetched = tuple[RowArray, float]
"""(m,) int64, rows, and what the exact score of no other row exceeds."""


@dataclass(frozen=True, kw_only=True)
class FaissIndex:
    """A FAISS index together with the vectors it was made from.

    Attributes:
        index: `faiss.IndexFlatIP` or `faiss.IndexHNSWFlat`.
        vectors: (n_items, dim) float32: FAISS's own storage, not a copy.
        exact: Whether `index` looks at everything.
        breadth: HNSW: how many candidates it keeps while searching.
        coarse: Flat: what few queries ask first, for half as much memory again; many at once
            share one pass over the vectors.
    """

    index: Any
    vectors: FloatArray
    exact: bool
    breadth: int
    coarse: Coarse | None = None

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[ScoredRows]:
        """For each query the up to `k` best permitted rows and their scores, best first.

        A few exclusions are fetched in addition and dropped. With a filter, or more exclusions
        than that, only permitted rows are looked at; a graph has every one of them scored. So is
        a tie that reaches the end of what was fetched: FAISS doesn't cut it by row.
        """
        lists: dict[int, ScoredRows] = {}
        widths = {
            number: k + len(query.excluded)
            for number, query in enumerate(queries)
            if query.allowed is None and k + len(query.excluded) <= MAX_OVERFETCH
        }
        if self.exact:  # a graph walks further for a longer list; other queries mustn't matter
            widths = dict.fromkeys(widths, max(widths.values(), default=0))
        few = self.coarse is not None and len(widths) <= MAX_COARSE_QUERIES
        for fetch in (self._fetch_coarsely, self._fetch) if few else (self._fetch,):
            for width in sorted(set(widths.values())):
                group = [n for n, wide in widths.items() if wide == width and n not in lists]
                if not group:
                    continue
                fetched = fetch([queries[number].vector for number in group], width)
                for number, (rows, ceiling) in zip(group, fetched, strict=True):
                    best = self._best(queries[number], k, rows, ceiling)
                    if best is not None:
                        lists[number] = best
        return [
            lists[number] if number in lists else self._permitted(query, k)
            for number, query in enumerate(queries)
        ]

    def _permitted(self, query: IndexQuery, k: int) -> ScoredRows:
        """The best of the permitted rows: by 16-bit copies, if they prove to be all, or a scan."""
        width = min(k + SPARE, len(self.vectors))
        if self.coarse is not None and query.allowed is not None:
            permitted = query.permitted(len(self.vectors))
            rows, ceiling = self.coarse.fetch(query.vector, width, permitted)
            best = with_boosted(self.vectors, query, k, rows, ceiling, exact=True)
            if (
                len(rows) < k + SPARE or best[1][k - 1] > ceiling
            ):  # there are no more, or none better
                return best
        return scan(self.vectors, query, k)

    def _best(
        self, query: IndexQuery, k: int, fetched: RowArray, ceiling: float
    ) -> ScoredRows | None:
        """The best of what was fetched and of what is boosted; None if that may not be all."""
        near, scores = with_boosted(self.vectors, query, k, fetched, ceiling, exact=self.exact)
        if len(near) < min(k, len(self.vectors) - len(np.unique(query.excluded))):
            return None  # a graph that leads nowhere
        complete = len(fetched) == len(self.vectors)
        if not complete and len(near) >= k and scores[k - 1] <= ceiling:
            return None
        return near, scores

    @property
    def grows(self) -> bool:
        """It does: the vectors are in memory."""
        return True

    def with_items(self, vectors: FloatArray) -> FaissIndex:
        """The same with more rows; a graph is gone on with, not built again.

        It is a copy that grows: FAISS moves its storage, and others may be searching in it.
        """
        grown = faiss.clone_index(self.index)
        grown.add(np.ascontiguousarray(vectors, dtype=np.float32))
        coarse = self.coarse and self.coarse.with_items(vectors)
        return wrap(grown, breadth=self.breadth, coarse=coarse)

    def _fetch_coarsely(self, queries: Sequence[FloatArray], width: int) -> list[Fetched]:
        """As `_fetch`, sooner, and with more rows to spare for what rounding swaps."""
        assert self.coarse is not None
        width = min(width + 2 * MARGIN, len(self.vectors))
        return [self.coarse.fetch(query, width) for query in queries]

    def _fetch(self, queries: Sequence[FloatArray], width: int) -> list[Fetched]:
        """For each query its up to `width` + `MARGIN` best rows, and what no other row exceeds."""
        width = min(width + MARGIN, len(self.vectors))
        params = None
        if not self.exact:
            breadth = max(self.breadth, 2 * width)
            params = faiss.SearchParametersHNSW(efSearch=breadth)  # type: ignore[attr-defined]
        stacked = np.stack(queries).astype(np.float32, copy=False)
        _, rows = self.index.search(stacked, width, params=params)
        fetched = []
        for query, padded in zip(stacked, rows, strict=True):
            valid = padded[padded >= 0].astype(np.int64)
            products = np.einsum("ij,j->i", self.vectors[valid], query)  # as `rescored` sums
            fetched.append((valid, float(products.min(initial=np.inf))))
        return fetched


def build_faiss(
    vectors: FloatArray,
    *,
    kind: Literal["flat", "hnsw"] = "flat",
    links: int = 32,
    ef_construction: int = 200,
    breadth: int = 128,
) -> FaissIndex:
    """An index over `vectors`, (n_items, dim) float32.

    Args:
        vectors: What to search.
        kind: ``flat`` looks at everything; ``hnsw`` walks a graph.
        links: HNSW: neighbours per node.
        ef_construction: HNSW: breadth while building.
        breadth: HNSW: breadth while searching.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    index: Any
    if kind == "flat":
        index = faiss.IndexFlatIP(vectors.shape[1])
    else:
        # The default metric of this class is L2.
        index = faiss.IndexHNSWFlat(vectors.shape[1], links, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = ef_construction
    index.add(vectors)
    return wrap(index, breadth=breadth)


def wrap(
    index: Any,  # noqa: ANN401 (faiss has no types)
    *,
    breadth: int = 128,
    coarse: Coarse | None = None,
) -> FaissIndex:
    """A `FaissIndex` around a flat or HNSW index with its vectors inside.

    Args:
        index: The FAISS index.
        breadth: HNSW: breadth while searching.
        coarse: Flat: of the same vectors; None: it is made.
    """
    exact = isinstance(index, faiss.IndexFlat)
    storage: Any = index if exact else faiss.downcast_index(index.storage)
    flat = faiss.rev_swig_ptr(storage.get_xb(), index.ntotal * index.d)
    vectors = flat.reshape(index.ntotal, index.d)
    if exact and coarse is None:
        coarse = build_coarse(vectors)
    return FaissIndex(index=index, vectors=vectors, exact=exact, breadth=breadth, coarse=coarse)


def save_faiss(index: FaissIndex, path: str) -> None:
    """Write in FAISS's own format."""
    faiss.write_index(index.index, path)


def load_faiss(path: str, *, breadth: int = 128) -> FaissIndex:
    """Read what `save_faiss` wrote."""
    return wrap(faiss.read_index(path), breadth=breadth)
