"""The space that an index elsewhere keeps rows in: as they are, or one in which near is good.

A graph links rows that are near, and an inner product is no distance. One more column makes it one
(Bachrach et al. 2014, doi:10.1145/2645710.2645741): with all rows of equal length, the nearest are
those with the largest inner product. Columns are first scaled by what queries ask of them, which
leaves the products as they are and brings the lengths together: else the longest row decides.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import numpy as np

from semrec.index.exact import CHUNK
from semrec.index.ivf import column_scale
from semrec.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class Space:
    """The vectors as they are, by inner products; or scaled and made equally long, by distances.

    Attributes:
        scale: (dim,) float32: how much a column matters to queries; None: vectors as they are.
        longest: The squared length of the longest row, scaled.
    """

    scale: FloatArray | None = None
    longest: float = 0.0

    @property
    def metric(self) -> str:
        """Milvus' name of what is compared."""
        return "IP" if self.scale is None else "L2"

    def width(self, dim: int) -> int:
        """Length of the stored vectors."""
        return dim if self.scale is None else dim + 1

    def stored(self, vectors: FloatArray) -> FloatArray:
        """(n, width) float32: rows as the index has them."""
        if self.scale is None:
            return np.asarray(vectors, dtype=np.float32)
        scaled = vectors * self.scale
        rest = np.maximum(self.longest - np.square(scaled).sum(axis=1, dtype=np.float64), 0.0)
        return np.hstack([scaled, np.sqrt(rest)[:, None]]).astype(np.float32)

    def query(self, vector: FloatArray) -> FloatArray:
        """(width,) float32: a query as the index is asked; of unit length, to lose no digits."""
        if self.scale is None:
            return vector
        scaled = vector / self.scale
        scaled /= max(float(np.linalg.norm(scaled)), 1e-12)
        return np.append(scaled, np.float32(0)).astype(np.float32)

    def distances(self, vectors: FloatArray, query: FloatArray) -> FloatArray:
        """(n,) float32: what the index is to say of rows: products, or squared distances."""
        stored, wanted = self.stored(vectors), self.query(query)
        if self.scale is None:
            return np.asarray(stored @ wanted, dtype=np.float32)
        return np.asarray(np.square(stored - wanted).sum(axis=1), dtype=np.float32)

    def to_text(self) -> str:
        """For a collection's property."""
        if self.scale is None:
            return ""
        scale = base64.b64encode(self.scale.astype("<f4").tobytes()).decode()
        return json.dumps({"scale": scale, "longest": self.longest})

    @classmethod
    def from_text(cls, text: str) -> Space:
        """The space that `to_text` wrote.

        Raises:
            ValueError: If it is anything else.
        """
        if not text:
            return cls()
        try:
            said = json.loads(text)
            scale = np.frombuffer(base64.b64decode(said["scale"]), "<f4").astype(np.float32)
            return cls(scale=scale, longest=float(said["longest"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no space: {error}") from None


PLAIN = Space()


def space_by(vectors: FloatArray, queries: FloatArray) -> Space:
    """A space in which rows that answer queries are near them.

    Args:
        vectors: (n_items, dim) float32; may be a `np.memmap`.
        queries: (n, dim) float32, real ones.
    """
    scale = column_scale(queries, vectors.shape[1])
    longest = 0.0
    for start in range(0, len(vectors), CHUNK):
        scaled = vectors[start : start + CHUNK] * scale
        longest = max(longest, float(np.square(scaled).sum(axis=1, dtype=np.float64).max()))
    return Space(scale=scale, longest=longest)
