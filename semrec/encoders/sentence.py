"""Any sentence-transformers model as an encoder (Reimers & Gurevych 2019, arXiv 1908.10084)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semrec.encoders.names import canonical_name, resolve, weights_hash
from semrec.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class SentenceEncoder:
    """A loaded sentence-transformers model; `load_sentence_encoder` makes one.

    Queries and items go through the model's own `query` and `document` prompts if it has them.
    """

    model: Any
    name: str
    fingerprint: str
    dim: int
    batch_size: int

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows."""
        return self._encode(self.model.encode_query, texts)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        return self._encode(self.model.encode_document, texts)

    def _encode(self, encode: Any, texts: Sequence[str]) -> FloatArray:  # noqa: ANN401
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        # A lone surrogate (half an emoji, cut by somebody) isn't text to a tokenizer.
        vectors = encode(
            [text.encode("utf-8", "replace").decode("utf-8") for text in texts],
            batch_size=self.batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(vectors, dtype=np.float32)


def load_sentence_encoder(
    model: str, *, device: str | None = None, batch_size: int = 32
) -> SentenceEncoder:
    """Load a model by hub name or path.

    Args:
        model: For example ``sentence-transformers/all-MiniLM-L6-v2``.
        device: As torch names them; None: an accelerator where there is one.
        batch_size: Texts per forward pass.

    Raises:
        ModelError: If there is no such model here or on the hub.
    """
    folder = resolve(model)
    with _quietly():
        from sentence_transformers import SentenceTransformer

        loaded = SentenceTransformer(str(folder), device=device, local_files_only=True)
    loaded.eval()
    return SentenceEncoder(
        model=loaded,
        name=canonical_name(model),
        fingerprint=weights_hash(folder),
        dim=int(loaded.get_embedding_dimension()),
        batch_size=batch_size,
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep transformers' own bar for 0.1 s of reading weights off the caller's screen."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
