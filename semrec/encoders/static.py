"""A quick encoder: a vector for each token, looked up and averaged; no transformer while it serves.

    a text → tokens → the mean of their vectors → a unit vector

As Model2Vec has it (Tulkens and van Dongen 2024, github.com/MinishLab/model2vec), whose files these
are: it can load them, and sentence-transformers too. Here they are read without it, in a quarter
of the time. `distillation` makes one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from semrec.encoders.sentence import clean
from semrec.types import FloatArray

WEIGHTS, TOKENIZER, CONFIG = "model.safetensors", "tokenizer.json", "config.json"
SUFFIX = ":static"


@dataclass(frozen=True, kw_only=True)
class StaticEncoder:
    """A vector for each token.

    Attributes:
        vectors: (n_tokens, dim) float32.
        tokenizer: A `tokenizers.Tokenizer` that neither cuts nor pads.
        name: The teacher's name with `SUFFIX`.
        centre: (dim,) float32, added to each text's unit vector: where the teacher's vectors lie
            whose items are searched; None: nothing is.
    """

    vectors: FloatArray
    tokenizer: Any
    name: str
    centre: FloatArray | None = None

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        return int(self.vectors.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all tokens and their vectors."""
        digest = hashlib.sha256(self.tokenizer.to_str().encode())
        for array in self.arrays.values():
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @property
    def quantisation(self) -> str:
        """Empty: vectors as they were made."""
        return ""

    @property
    def weight_bytes(self) -> int:
        """Bytes that the vectors take in memory."""
        return int(self.vectors.nbytes)

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows."""
        return self.encode_items(texts)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        means = np.zeros((len(texts), self.dim), dtype=np.float32)
        whole = [clean(text) for text in texts]
        for row, encoding in enumerate(
            self.tokenizer.encode_batch_fast(whole, add_special_tokens=False)
        ):
            if encoding.ids:
                means[row] = self.vectors[encoding.ids].mean(axis=0)
        means[~means.any(axis=1)] = self._nothing
        vectors = means / np.linalg.norm(means, axis=1, keepdims=True)
        if self.centre is not None:
            vectors += self.centre
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors, dtype=np.float32)

    @property
    def arrays(self) -> dict[str, FloatArray]:
        """Arrays of its file, by name."""
        own = {"embeddings": self.vectors}
        return own if self.centre is None else {**own, "centre": self.centre}

    @cached_property
    def _nothing(self) -> FloatArray:
        """(dim,) float32: stands for a text without a known token."""
        return np.asarray(self.vectors.mean(axis=0), dtype=np.float32)


def load_static(folder: Path, name: str) -> StaticEncoder:
    """Read what `save_static` wrote."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    arrays = load_file(folder / WEIGHTS)
    return StaticEncoder(
        vectors=arrays["embeddings"], tokenizer=tokenizer, name=name, centre=arrays.get("centre")
    )


def save_static(encoder: StaticEncoder, folder: Path) -> None:
    """Write an encoder as Model2Vec has it."""
    folder.mkdir(parents=True, exist_ok=True)
    contiguous = {name: np.ascontiguousarray(array) for name, array in encoder.arrays.items()}
    save_file(contiguous, folder / WEIGHTS)
    encoder.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    config = {"model_type": "model2vec", "hidden_dim": encoder.dim, "normalize": True}
    (folder / CONFIG).write_text(json.dumps(config) + "\n", encoding="utf-8")
