"""An encoder in ONNX Runtime: what `onnx_export` made of a sentence-transformers model.

Loads no torch and no transformers: a graph, a tokenizer, a few options.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from semrec.encoders.sentence import Ending, clean
from semrec.encoders.weights import fingerprint_of
from semrec.environment.onnx_session import open_graph
from semrec.types import FloatArray

GRAPH, TOKENIZER, OPTIONS = "model.onnx", "tokenizer.json", "options.json"
MAX_THREADS = 4  # more wait for one another at a single request
MAX_SERIAL_PASSES = (
    8  # threads take longer to start, and a service's other requests need their cores
)
PASS_TOKENS = 256  # of more, what lies between two layers no longer fits a core's own cache


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
        workers: Passes at a time, where there are several.
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
    workers: int = 1

    @cached_property
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
        token_ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        passes = _passes([len(ids) for ids in token_ids], self.batch_size)
        batches = [[token_ids[row] for row in rows] for rows in passes]  # as tokens
        if len(passes) <= MAX_SERIAL_PASSES or self.workers == 1:
            answers = [self._pass(tokens) for tokens in batches]
        else:  # a pass leaves Python's lock to the others
            with ThreadPoolExecutor(self.workers) as pool:
                answers = list(pool.map(self._pass, batches))
        for rows, answer in zip(passes, answers, strict=True):
            vectors[rows] = answer
        return vectors

    def _pass(self, texts: Sequence[Sequence[int]]) -> FloatArray:
        longest = max(map(len, texts))
        ids = np.full((len(texts), longest), self.pad, dtype=np.int64)
        mask = np.zeros((len(texts), longest), dtype=np.int64)
        for row, tokens in enumerate(texts):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        return np.asarray(self.session.run(None, inputs)[0], dtype=np.float32)


def _passes(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Texts that share a pass, by place; the longest first: little padding, no late straggler.

    A pass holds at most `batch_size` texts and, if more than one, about `PASS_TOKENS` tokens.
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    passes, at = [], 0
    while at < len(order):
        size = max(1, min(batch_size, PASS_TOKENS // max(1, lengths[order[at]])))
        passes.append(order[at : at + size])
        at += size
    return passes


def have_onnxruntime() -> bool:
    """True if graphs can be run here."""
    return importlib.util.find_spec("onnxruntime") is not None


def load_onnx(folder: Path, *, batch_size: int = 32, threads: int | None = None) -> OnnxEncoder:
    """Load what `export_onnx` or `quantise` wrote.

    Args:
        folder: Where it lies.
        batch_size: Texts in one pass.
        threads: Of one pass; None: the machine's cores, at most `MAX_THREADS`, and one in int8:
            the work is too small to be shared out, and other requests need the other cores.

    Raises:
        ModelError: If onnxruntime isn't installed, or the graph can't be read.
    """
    from tokenizers import Tokenizer

    options = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
    cores = len(os.sched_getaffinity(0))
    if threads is None:
        threads = 1 if options["precision"] == "int8" else min(MAX_THREADS, cores)
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
        workers=max(1, cores // threads),
    )
