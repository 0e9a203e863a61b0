"""Half the bytes: 16-bit copies of the vectors, and how far their scores can be off.

One request over a catalogue of some thousand items waits for memory, not for arithmetic. So it
reads vectors of half the size (bfloat16), and a few more rows than wanted; those are scored exactly
afterwards. What wasn't fetched is known to lie under a ceiling, so the list is proved to be the
exact one, or the caller looks at everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from semrec.types import BoolArray, FloatArray, RowArray

LANES = 16  # FAISS decodes so many numbers at a time, and others one by one
CHUNK = 10_000  # rows that are decoded at a time, to see how far off they are
SUMMED = 1e-5  # of the product of two lengths: sums in single precision, in another order


@dataclass(frozen=True, kw_only=True)
class Coarse:
    """The rows whose 16-bit scores are highest.

    Attributes:
        codes: A `faiss.IndexScalarQuantizer` of bfloat16.
        longest: The length of the longest vector.
        off_by: The length of what rounding took from a vector, at most.
    """

    codes: Any
    longest: float
    off_by: float

    def fetch(
        self, query: FloatArray, width: int, permitted: BoolArray | None = None
    ) -> tuple[RowArray, float]:
        """Rows, and what no other row's exact score exceeds.

        Args:
            query: (dim,) float32.
            width: How many rows, at most all; fewer come back if no more are permitted.
            permitted: (n,) bool, the rows that are looked at; None: all.
        """
        # FAISS may round a query as it rounds vectors; one that is rounded already stays.
        rounded = np.zeros((1, self.codes.d), dtype=np.float32)
        rounded[0, : len(query)] = _rounded(query)
        # One query is no work to share: threads that wait for more of it stand in others' way.
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)  # of what this thread starts, not of the process
        try:
            params = None
            if permitted is not None:
                packed = np.packbits(permitted, bitorder="little")
                bits = faiss.IDSelectorBitmap(packed)  # type: ignore[arg-type, call-arg]
                params = faiss.SearchParameters(sel=bits)  # type: ignore[call-arg]
            scores, rows = self.codes.search(rounded, width, params=params)
        finally:
            faiss.omp_set_num_threads(threads)
        # q·x = q'·x' + q'·(x - x') + (q - q')·x, and Cauchy and Schwarz for the last two
        length, lost = np.linalg.norm(rounded[0]), np.linalg.norm(query - rounded[0, : len(query)])
        slack = length * (self.off_by + SUMMED * self.longest) + lost * self.longest
        return rows[0][rows[0] >= 0].astype(np.int64), float(scores[0, -1] + slack)

    def with_items(self, vectors: FloatArray) -> Coarse:
        """The same with more rows, (n, dim) float32; it is a copy that grows."""
        return _grown(faiss.clone_index(self.codes), vectors, self.longest, self.off_by)


def build_coarse(vectors: FloatArray) -> Coarse:
    """16-bit copies of `vectors`, (n_items, dim) float32."""
    dim = -(-vectors.shape[1] // LANES) * LANES
    kind = faiss.ScalarQuantizer.QT_bf16
    codes = faiss.IndexScalarQuantizer(dim, kind, faiss.METRIC_INNER_PRODUCT)
    return _grown(codes, vectors, 0.0, 0.0)


def _grown(codes: Any, vectors: FloatArray, longest: float, off_by: float) -> Coarse:  # noqa: ANN401
    for start in range(0, len(vectors), CHUNK):
        chunk = np.zeros((min(CHUNK, len(vectors) - start), codes.d), dtype=np.float32)
        chunk[:, : vectors.shape[1]] = vectors[start : start + CHUNK]
        before = codes.ntotal
        codes.add(chunk)
        lost = chunk - codes.reconstruct_n(before, len(chunk))
        longest = max(longest, float(np.linalg.norm(chunk, axis=1).max()))
        off_by = max(off_by, float(np.linalg.norm(lost, axis=1).max()))
    return Coarse(codes=codes, longest=longest, off_by=off_by)


def _rounded(query: FloatArray) -> FloatArray:
    """A query's entries at bfloat16's 8 significant bits, ties away from zero."""
    bits = np.ascontiguousarray(query, dtype=np.float32).view(np.uint32)
    kept = (bits + np.uint32(0x8000)) & np.uint32(0xFFFF0000)
    return kept.view(np.float32)
