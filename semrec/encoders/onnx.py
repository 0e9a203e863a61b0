"""An encoder in ONNX Runtime: what `exporting` made of a sentence-transformers model.

Loads no torch and no transformers: a graph, a tokenizer, a few options.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semrec.encoders.sentence import Ending, clean
from semrec.encoders.weights import fingerprint_of
from semrec.graphs import open_graph
from semrec.types import FloatArray

GRAPH, TOKENIZER, OPTIONS = "model.onnx", "tokenizer.json", "options.json"
MAX_THREADS = 4  # more wait for one another at a single request


@dataclass(frozen=True, kw_only=True)
class OnnxEncoder:
    """A loaded graph; `load_onnx` makes one.

    Of texts that are too long, items keep their beginning and queries their end, as in torch.

    Attributes:
        session: The onnxruntime.InferenceSession.
        tokenizer: A `tokenizers.Tokenizer` that cuts at the model's longest text.
        ending: Cuts queries at their front.
        name: Canonical name.
        source: Fingerprint of the encoder that it was made from.
        dim: Length of the vectors.
        precision: ``float32`` or ``int8``, of the weights.
        pad: The token that fills shorter texts of a batch.
        query_prompt: Put before every query.
        item_prompt: Put before every item.
        batch_size: Texts in one pass. In int8 one: activations are quantised over all that is in
            a pass, so a text's vector would depend on its neighbours'.
    """

    session: Any
    tokenizer: Any
    ending: Ending
    name: str
    source: str
    dim: int
    precision: str
    pad: int
    query_prompt: str
    item_prompt: str
    batch_size: int

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, and of how they are computed with."""
        return fingerprint_of(self.source, runtime=f"onnx {self.precision}")

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows."""
        return self._encode([self.query_prompt + self.ending(clean(text)) for text in texts])

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        return self._encode([self.item_prompt + clean(text) for text in texts])

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        found = [one.ids for one in self.tokenizer.encode_batch(list(texts))]
        # Texts of similar length share a batch, so that little of it is padding.
        order = sorted(range(len(found)), key=lambda place: len(found[place]))
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            longest = max(len(found[place]) for place in places)
            ids = np.full((len(places), longest), self.pad, dtype=np.int64)
            mask = np.zeros((len(places), longest), dtype=np.int64)
            for row, place in enumerate(places):
                ids[row, : len(found[place])] = found[place]
                mask[row, : len(found[place])] = 1
            inputs = {"input_ids": ids, "attention_mask": mask}
            vectors[places] = self.session.run(None, inputs)[0]
        return vectors


def have_onnxruntime() -> bool:
    """Whether graphs can be run here."""
    return importlib.util.find_spec("onnxruntime") is not None


def load_onnx(folder: Path, *, batch_size: int = 32, threads: int | None = None) -> OnnxEncoder:
    """Load what `export_onnx` or `quantise` wrote.

    Args:
        folder: Where it lies.
        batch_size: Texts in one pass.
        threads: Of one pass; None: the machine's cores, at most `MAX_THREADS`.

    Raises:
        ModelError: If onnxruntime isn't installed, or the graph can't be read.
    """
    from tokenizers import Tokenizer

    options = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
    threads = threads or min(MAX_THREADS, len(os.sched_getaffinity(0)))
    session = open_graph(folder / GRAPH, threads)
    cutting = Tokenizer.from_file(str(folder / TOKENIZER))
    cutting.no_padding()
    cutting.enable_truncation(options["max_length"])
    whole = Tokenizer.from_file(str(folder / TOKENIZER))
    whole.no_padding()
    whole.no_truncation()
    n_prompt = len(whole.encode(options["query_prompt"]).ids)  # with the tokens the model adds
    return OnnxEncoder(
        session=session,
        tokenizer=cutting,
        ending=Ending(tokenizer=whole, room=options["max_length"] - n_prompt),
        name=options["name"],
        source=options["source"],
        dim=options["dim"],
        precision=options["precision"],
        pad=options["pad"],
        query_prompt=options["query_prompt"],
        item_prompt=options["item_prompt"],
        batch_size=1 if options["precision"] == "int8" else batch_size,
    )
