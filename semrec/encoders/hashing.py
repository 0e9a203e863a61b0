"""A deterministic encoder without weights: words hashed to random directions, averaged.

The hashing trick (Weinberger et al. 2009, arXiv 0902.2206) with dense signs. It knows which words
two texts share and nothing else: for tests, and for catalogues where that is enough.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from semrec.types import FloatArray

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class HashingEncoder:
    """Words to vectors by hash; a text without words becomes a fixed direction."""

    dim: int = 256

    @property
    def name(self) -> str:
        """``hashing-<dim>``."""
        return f"hashing-{self.dim}"

    @property
    def fingerprint(self) -> str:
        """Hash of the name: there is nothing else to it."""
        return hashlib.sha256(f"semrec hashing {self.dim}".encode()).hexdigest()

    @property
    def quantisation(self) -> str:
        """Empty: there are no weights."""
        return ""

    @property
    def weight_bytes(self) -> int:
        """None."""
        return 0

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """(n, dim) float32, unit rows."""
        return self.encode_items(texts)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """(n, dim) float32, unit rows."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            words = _WORD.findall(text.casefold()) or [""]
            vectors[row] = np.sum([_direction(word, self.dim) for word in words], axis=0)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


@lru_cache(maxsize=65_536)
def _direction(word: str, dim: int) -> FloatArray:
    seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
