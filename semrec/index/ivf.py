"""Inverted lists of short codes, and exact scores from the float32 vectors: for millions of items.

    query → lists whose centroids score best → their codes → the best rows' vectors → exact sum

The codes take a quarter of a byte per dimension and lie in memory. The vectors may lie in a file
that is mapped: only the rows that are scored once more are read, and their pages are given back
after each search. Product quantisation: Jégou, Douze & Schmid 2011, doi:10.1109/TPAMI.2010.57;
scanned in registers: André, Kermarrec & Le Scouarnec 2017, arXiv 1704.07355; as in FAISS (Johnson,
Douze & Jégou 2017, arXiv 1702.08734).
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import faiss
import numpy as np

from semrec.errors import DataError
from semrec.index.exact import CHUNK, ScoredRows, rescored, scan
from semrec.types import BoolArray, FloatArray, IndexQuery, RowArray

untyped: Any = faiss  # its stubs lag behind
GATHERED = 20_000  # a filter that leaves no more rows than this is answered by reading them all
MAX_OVERFETCH = 1_000  # exclusions; more of them are a filter
READ_PER_ITEM, MIN_READ = 10, 200  # rows that are scored exactly for each one wanted
TRAIN_ROWS_PER_LIST = 40
MIN_TRAINING_VECTORS = 16  # as many as there are codes of 4 bits
MIN_SCALE = 1e-3  # of the largest column's: a column that no sampled query used stays searchable


@dataclass(frozen=True, kw_only=True)
class IvfIndex:
    """Lists of codes, and the vectors that they stand for.

    Attributes:
        index: `faiss.IndexIVFPQFastScan` over the vectors times `scale`, 4 bits for two dimensions.
        vectors: (n_items, dim) float32; a `np.memmap` where they lie in a file.
        scale: (dim,) float32: how much a column matters to queries. Distances between items then
            are differences of their scores, which is what lists are to be made by.
        counted: (n_items, c) float32, the last `c` columns once more. A query of nothing else (the
            most popular items) is answered by them, exactly.
        breadth: How many lists a search looks into.
        gathered: A filter that leaves no more rows than this is answered by reading them all.
    """

    index: Any
    vectors: FloatArray
    scale: FloatArray
    counted: FloatArray
    breadth: int
    gathered: int = GATHERED

    @property
    def most(self) -> int:
        """The greatest `breadth` that makes a difference: all lists."""
        return int(self.index.nlist)

    @property
    def grows(self) -> bool:
        """True if rows can be added: not to a mapped file, which is an artifact's."""
        return self._mapping is None

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[ScoredRows]:
        """For each query the up to `k` best permitted rows and their scores, best first.

        What is excluded or filtered never comes back, and `k` rows do where so many are permitted.
        The rows that are boosted most join what was fetched, as many as were. A filter that leaves
        few rows is answered exactly; a wider one by the codes of the rows that it leaves, in so
        many more lists as it leaves out.
        """
        lists = [self._best(query, k) for query in queries]
        if (mapping := self._mapping) is not None and hasattr(mapping, "madvise"):
            mapping.madvise(mmap.MADV_DONTNEED)  # the system still has them, this process lets go
        return lists

    def with_items(self, vectors: FloatArray) -> IvfIndex:
        """The same with more rows, in the lists that there are; a copy that grows.

        Raises:
            DataError: If the vectors lie in a file.
        """
        if not self.grows:
            raise DataError("the vectors are mapped from the artifact: no rows can be added")
        grown: Any = faiss.clone_index(self.index)
        by_score, nearest = grown.quantizer, faiss.IndexFlatL2(grown.d)
        nearest.add(_centroids(grown))
        grown.quantizer = nearest
        grown.add(_scaled(vectors, self.scale))
        grown.quantizer = by_score
        return replace(
            self,
            index=grown,
            vectors=np.vstack([self.vectors, vectors]),
            counted=np.vstack([self.counted, vectors[:, vectors.shape[1] - self.n_counted :]]),
        )

    @property
    def n_counted(self) -> int:
        """Number of columns of `counted`."""
        return int(self.counted.shape[1])

    def _best(self, query: IndexQuery, k: int) -> ScoredRows:
        mask = None
        excluded = np.unique(query.excluded)
        if query.allowed is not None or len(excluded) > MAX_OVERFETCH:
            mask = query.permitted(len(self.vectors))
        n_permitted = len(self.vectors) - len(excluded) if mask is None else int(mask.sum())
        counted_alone = not query.vector[: len(query.vector) - self.n_counted].any()
        if counted_alone or n_permitted <= self.gathered:
            return self._scan(query, k, counted_alone=counted_alone)
        width = max(MIN_READ, READ_PER_ITEM * k) + (len(excluded) if mask is None else 0)
        share = n_permitted / len(self.vectors)
        fetched = self._fetch(query.vector, min(width, len(self.vectors)), mask, share)
        near = np.setdiff1d(np.union1d(fetched, query.boost.strongest(width)), excluded)
        if mask is not None:
            near = near[mask[near]]
        if len(near) < min(k, n_permitted):
            return self._scan(query, k)
        return rescored(self.vectors, query.vector, near, k, query.boost)

    def _fetch(
        self, query: FloatArray, width: int, mask: BoolArray | None, share: float
    ) -> RowArray:
        """(up to `width`,) int64: the best rows by their codes."""
        breadth = min(self.most, int(np.ceil(self.breadth / share)))
        params = untyped.SearchParametersIVF(nprobe=breadth)
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")
            params = untyped.SearchParametersIVF(nprobe=breadth, sel=untyped.IDSelectorBitmap(bits))
        scaled = _scaled(query[None], np.reciprocal(self.scale))
        _, rows = self.index.search(scaled, width, params=params)
        return np.asarray(rows[0][rows[0] >= 0], dtype=np.int64)

    def _scan(self, query: IndexQuery, k: int, *, counted_alone: bool = False) -> ScoredRows:
        """Exactly the best permitted rows, by as much of the vectors as the query needs."""
        products = None
        if counted_alone:
            products = self.counted @ query.vector[len(query.vector) - self.n_counted :]
        return scan(self.vectors, query, k, products)

    @property
    def _mapping(self) -> mmap.mmap | None:
        return self.vectors.base if isinstance(self.vectors.base, mmap.mmap) else None


def build_ivf(
    vectors: FloatArray,
    queries: FloatArray,
    *,
    n_counted: int = 0,
    breadth: int = 8,
    gathered: int = GATHERED,
    seed: int = 0,
) -> IvfIndex:
    """An index over `vectors`, √n lists of them, made in one pass with bounded memory.

    Args:
        vectors: (n_items, dim) float32, n_items ≥ 1; may be a `np.memmap`.
        queries: (n, dim) float32, real ones: they tell how much each column matters.
        n_counted: So many of the last columns can be all that a query asks for.
        breadth: How many lists a search looks into.
        gathered: A filter that leaves no more rows than this is answered by reading them all.
        seed: Draws the rows that the lists' centroids are learned from.
    """
    n, dim = vectors.shape
    n_lists = max(1, round(n**0.5))
    scale = column_scale(queries, dim)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(n, min(n, TRAIN_ROWS_PER_LIST * n_lists), replace=False))
    sample = np.resize(
        sample, max(len(sample), MIN_TRAINING_VECTORS)
    )  # over and over where there are too few
    counted = np.array(vectors[:, dim - n_counted :], dtype=np.float32)
    dim += dim % 2
    index: Any = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatL2(dim), dim, n_lists, dim // 2, 4, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = True
    index.cp.spherical = False  # for this metric lists would be by direction alone
    index.cp.seed, index.cp.niter, index.cp.min_points_per_centroid = seed, 10, 1
    index.pq.cp.min_points_per_centroid = 1
    index.train(_scaled(vectors[sample], scale))
    for start in range(0, n, CHUNK):
        index.add(_scaled(vectors[start : start + CHUNK], scale))
    by_score = faiss.IndexFlatIP(index.d)
    by_score.add(_centroids(index))
    index.quantizer = by_score
    index = faiss.clone_index(index)  # which owns its quantizer
    return IvfIndex(
        index=index,
        vectors=vectors,
        scale=scale,
        counted=counted,
        breadth=breadth,
        gathered=gathered,
    )


def save_ivf(index: IvfIndex, path: str) -> None:
    """Write lists and codes in FAISS's own format; vectors and scale are the caller's to keep."""
    faiss.write_index(index.index, path)


def load_ivf(
    path: str, vectors: FloatArray, scale: FloatArray, counted: FloatArray, breadth: int
) -> IvfIndex:
    """Read the codes that `save_ivf` wrote, beside vectors that may be mapped."""
    return IvfIndex(
        index=faiss.read_index(path), vectors=vectors, scale=scale, counted=counted, breadth=breadth
    )


def column_scale(queries: FloatArray, dim: int) -> FloatArray:
    """(dim,) float32, above 0: the root mean square of what queries ask of each column."""
    if not queries.any():
        return np.ones(dim, dtype=np.float32)
    rms = np.sqrt(np.mean(np.square(queries, dtype=np.float64), axis=0))
    return np.asarray(np.maximum(rms, MIN_SCALE * rms.max()), dtype=np.float32)


def _scaled(vectors: FloatArray, scale: FloatArray) -> FloatArray:
    """(n, dim or dim + 1) float32: in the index's space, whose dimensions are even in number."""
    odd = vectors.shape[1] % 2
    return np.ascontiguousarray(np.pad(vectors * scale, ((0, 0), (0, odd))), dtype=np.float32)


def _centroids(index: Any) -> FloatArray:  # noqa: ANN401
    centroids = faiss.downcast_index(index.quantizer).reconstruct_n(0, index.nlist)
    return np.asarray(centroids, dtype=np.float32)
