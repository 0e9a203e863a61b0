"""A catalogue's texts by the thousand: by a quicker form of the encoder where its vectors agree.

texts → torch in bfloat16 where the processor multiplies tiles of it, else a graph in single
precision, every core a pass → a few of each call compared with torch in single precision
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from semrec.encoders.onnx import OnnxEncoder, load_onnx
from semrec.encoders.sentence import SentenceEncoder
from semrec.errors import ModelError
from semrec.types import FloatArray

MIN_TEXTS = 200  # fewer are encoded by the time that a graph is exported
COMPARED = 8  # texts of each call, of all lengths
MIN_COSINE = 0.999


class BulkEncoder:
    """A sentence encoder whose items go through a quicker form of it, if there are many.

    Its vectors are the encoder's but for rounding, and so it has the encoder's name and
    fingerprint. Should one that is compared lie further away than `MIN_COSINE`, or no such form
    be possible, the encoder itself takes that call's items and all later ones.
    """

    def __init__(self, encoder: SentenceEncoder) -> None:
        """`encoder` is on a processor."""
        self._encoder = encoder
        self._quick: Rounded | OnnxEncoder | None = None
        self._tried = False

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self._encoder.name

    @property
    def fingerprint(self) -> str:
        """The encoder's own."""
        return self._encoder.fingerprint

    @property
    def dim(self) -> int:
        """The encoder's own."""
        return self._encoder.dim

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows."""
        return self._encoder.encode_queries(texts)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        if not self._tried and len(texts) >= MIN_TEXTS:
            self._tried = True
            self._quick = rounded(self._encoder) if has_tiles() else _graph_of(self._encoder)
        if self._quick is not None and len(texts) >= MIN_TEXTS:
            vectors = self._quick.encode_items(texts)
            by_length = sorted(range(len(texts)), key=lambda row: len(texts[row]))
            sample = [by_length[row] for row in np.linspace(0, len(texts) - 1, COMPARED, dtype=int)]
            true = self._encoder.encode_items([texts[row] for row in sample])
            if (vectors[sample] * true).sum(axis=1).min() >= MIN_COSINE:
                return vectors
            self._quick = None
        return self._encoder.encode_items(texts)


@dataclass(frozen=True, kw_only=True)
class Rounded:
    """A sentence encoder in bfloat16; `rounded` makes one."""

    encoder: SentenceEncoder

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        vectors = self.encoder.encode_items(texts)  # their lengths are rounded too
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)


def rounded(encoder: SentenceEncoder) -> Rounded:
    """A copy of an encoder, with weights and activations of 8 significant bits."""
    model = copy.deepcopy(encoder.model).to(torch.bfloat16)
    return Rounded(encoder=replace(encoder, model=model))


def has_tiles() -> bool:
    """True if this processor multiplies tiles of bfloat16 (AMX): twice as fast."""
    # Older versions of torch don't say.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16", False))


def _graph_of(encoder: SentenceEncoder) -> OnnxEncoder | None:
    from semrec.encoders.onnx_export import export_onnx

    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "float32"
        try:
            export_onnx(encoder, folder)
            return load_onnx(folder, batch_size=encoder.batch_size, threads=1)
        except ModelError:  # `choose_runtime` meets it too, and says it
            return None
