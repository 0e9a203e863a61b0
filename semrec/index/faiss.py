"""FAISS (Johnson, Douze & Jégou 2017, arXiv 1702.08734): flat, and HNSW for larger catalogues.

HNSW: Malkov & Yashunin 2016, arXiv 1603.09320. Both use inner products. FAISS pads short answers
with row −1; nobody outside this module sees that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Literal

import faiss
import numpy as np

from semrec.index.coarse import Coarse, build_coarse
from semrec.index.topk import MARGIN, rescored, top_rows
from semrec.types import NO_BOOST, BoolArray, FloatArray, RowArray, SparseScores

MAX_OVERFETCH = 1_000
ROUNDING = 1e-5  # FAISS and NumPy sum in other orders
MAX_COARSE_QUERIES = 8  # queries; FAISS answers more of them together, and sooner than one by one


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

    def search(
        self,
        queries: FloatArray,
        k: int,
        exclude: Sequence[RowArray],
        allowed: Sequence[BoolArray | None],
        boosts: Sequence[SparseScores] | None = None,
    ) -> list[tuple[RowArray, FloatArray]]:
        """For each query the up to `k` best permitted rows and their scores, best first.

        A few exclusions are fetched in addition and dropped. A filter, or more exclusions than
        that, is answered by scoring every permitted row: exact however selective it is. So is a
        tie that reaches the end of what was fetched: FAISS doesn't cut it by row.

        A boosted row that wasn't fetched joins if its boost could lift it into the list: without
        one it is under the ceiling of what wasn't fetched. An index that may have missed rows takes
        all that are boosted.
        """
        boosts = boosts or [NO_BOOST] * len(queries)
        dropped = [set(excluded.tolist()) for excluded in exclude]
        widths = [
            k + len(drop) if mask is None else 0
            for drop, mask in zip(dropped, allowed, strict=True)
        ]
        quick = [place for place, width in enumerate(widths) if 0 < width <= MAX_OVERFETCH]
        widest = max((widths[place] for place in quick), default=0)
        groups: dict[int, list[int]] = {}
        for place in quick:
            # A graph walks further for a longer list; which other queries there are mustn't matter.
            width = widest if self.exact else widths[place]
            groups.setdefault(width, []).append(place)
        fetches = [self._fetch]
        if self.coarse is not None and len(quick) <= MAX_COARSE_QUERIES:
            fetches.insert(0, partial(self._fetch_coarsely, self.coarse))
        found: dict[int, tuple[RowArray, FloatArray]] = {}
        for fetch, (width, places) in product(fetches, groups.items()):
            if asked := [place for place in places if place not in found]:
                for place, some in zip(asked, fetch(queries[asked], width), strict=True):
                    best = self._best(queries[place], k, *some, dropped[place], boosts[place])
                    if best is not None:
                        found[place] = best
        for place, query in enumerate(queries):
            permitted = len(self.vectors) - len(dropped[place])
            if place not in found or len(found[place][0]) < min(k, permitted):
                found[place] = self._scan(query, k, exclude[place], allowed[place], boosts[place])
        return [found[place] for place in range(len(queries))]

    def _best(
        self,
        query: FloatArray,
        k: int,
        fetched: RowArray,
        ceiling: float,
        dropped: set[int],
        boost: SparseScores,
    ) -> tuple[RowArray, FloatArray] | None:
        """The best of what was fetched and of what is boosted; None if that may not be all."""
        rows, complete = _without(fetched, dropped), len(fetched) == len(self.vectors)
        near, scores = rescored(self.vectors, query, rows, k, boost)
        if len(boost.rows) and not complete:
            rising = boost.rows
            if self.exact and len(rows) >= k:
                least = scores[-1] - ROUNDING * abs(scores[-1])
                rising = rising[boost.scores + np.float32(ceiling) >= least]
            rising = _without(rising, dropped.union(fetched.tolist()))
            if len(rising):
                rows = np.concatenate([rows, rising])
                near, scores = rescored(self.vectors, query, rows, k, boost)
        if not complete and len(rows) >= k and scores[k - 1] <= ceiling:
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

    def _fetch_coarsely(
        self, coarse: Coarse, queries: FloatArray, width: int
    ) -> list[tuple[RowArray, float]]:
        """As `_fetch`, sooner, and with more rows to spare for what rounding swaps."""
        width = min(width + 2 * MARGIN, len(self.vectors))
        return [coarse.fetch(query, width) for query in queries]

    def _fetch(self, queries: FloatArray, width: int) -> list[tuple[RowArray, float]]:
        """For each query its up to `width` + `MARGIN` best rows, and what no other row exceeds."""
        width = min(width + MARGIN, len(self.vectors))
        params = None
        if not self.exact:
            breadth = max(self.breadth, 2 * width)
            params = faiss.SearchParametersHNSW(efSearch=breadth)  # type: ignore[attr-defined]
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        _, rows = self.index.search(queries, width, params=params)
        fetched = []
        for query, padded in zip(queries, rows, strict=True):
            some = padded[padded >= 0].astype(np.int64)
            products = np.einsum("ij,j->i", self.vectors[some], query)  # as `rescored` sums
            fetched.append((some, float(products.min(initial=np.inf))))
        return fetched

    def _scan(
        self,
        query: FloatArray,
        k: int,
        excluded: RowArray,
        mask: BoolArray | None,
        boost: SparseScores,
    ) -> tuple[RowArray, FloatArray]:
        permitted = np.ones(len(self.vectors), dtype=bool) if mask is None else mask.copy()
        permitted[excluded] = False
        rows = np.flatnonzero(permitted)
        # Gathering rows costs about as much as multiplying them, so a wide filter multiplies all.
        wide = len(rows) > len(self.vectors) // 4
        scores = (self.vectors @ query)[rows] if wide else self.vectors[rows] @ query
        near, _ = top_rows(rows, scores + boost.at(rows), k + MARGIN)
        return rescored(self.vectors, query, near, k, boost)


def _without(rows: RowArray, dropped: set[int]) -> RowArray:
    return np.array([row for row in rows.tolist() if row not in dropped], dtype=np.int64)


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
