"""A disk cache around any encoder, so that no text is encoded twice.

One SQLite file holds vectors by hash of (model, role, rendered text): several processes can use
it at once, and an interrupted run keeps what it had finished.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semrec.encoders.paced import PacedEncoder
from semrec.protocols import Encoder
from semrec.types import FloatArray

# Part of the key. A query's changed when long ones began to keep their end instead of their start:
# the weights, and with them the fingerprint and all items' vectors, are still the same.
_QUERY, _ITEM = "query, end kept", "item"
_CHUNK = 500  # SQLite's classic limit of variables in a statement is 999


@dataclass(frozen=True, kw_only=True)
class CachedEncoder:
    """`encoder`, with its vectors kept in `path`.

    For building and evaluating, where texts repeat from run to run; a recommender that serves
    uses `encoder` itself, since live requests hardly repeat.
    """

    encoder: Encoder
    path: Path

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        """The encoder's own."""
        return self.encoder.fingerprint

    @property
    def dim(self) -> int:
        """The encoder's own."""
        return self.encoder.dim

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows."""
        return self._through(_QUERY, texts, self.encoder.encode_queries)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        return self._through(_ITEM, texts, self.encoder.encode_items)

    def _through(
        self, role: str, texts: Sequence[str], encode: Callable[[Sequence[str]], FloatArray]
    ) -> FloatArray:
        keys = [self._key(role, text) for text in texts]
        with closing(self._open()) as store:
            known = _read(store, keys)
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            if new:
                vectors = encode(list(new.values()))
                with store:
                    store.executemany(
                        "INSERT OR IGNORE INTO vectors VALUES (?, ?)",
                        [(k, v.tobytes()) for k, v in zip(new, vectors, strict=True)],
                    )
                known.update(zip(new, vectors, strict=True))
        if not keys:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.stack([known[key] for key in keys]).astype(np.float32)

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(self.path, timeout=60)
        store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")
        return store

    def _key(self, role: str, text: str) -> bytes:
        content = "\0".join((self.fingerprint, role, text))
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def uncached(encoder: Encoder) -> Encoder:
    """The encoder itself, without what is around it: a cache, or a watch on its time."""
    return encoder.encoder if isinstance(encoder, CachedEncoder | PacedEncoder) else encoder


def _read(store: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, FloatArray]:
    vectors: dict[bytes, FloatArray] = {}
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        marks = ",".join("?" * len(part))
        statement = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"
        for key, vector in store.execute(statement, part):
            vectors[key] = np.frombuffer(vector, dtype=np.float32)
    return vectors
