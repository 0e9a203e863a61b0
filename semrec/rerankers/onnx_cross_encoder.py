"""A small cross-encoder in ONNX Runtime, as `layer_pruning` exports it. Loads no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semrec.deadline import Deadline
from semrec.environment.onnx_session import open_graph
from semrec.rerankers.parsing import clean
from semrec.types import FloatArray, RerankScores

GRAPH, TOKENIZER, OPTIONS = "model.onnx", "tokenizer.json", "options.json"


@dataclass(frozen=True, kw_only=True)
class GraphReranker:
    """Reads request and candidate together; `load_graph_reranker` makes one.

    Attributes:
        session: The onnxruntime.InferenceSession.
        tokenizer: A `tokenizers.Tokenizer` that cuts the longer of the two.
        pad: The token that fills shorter pairs.
        chunk: Pairs in one pass; between two the deadline is looked at. Ten take the least time.
    """

    session: Any
    tokenizer: Any
    pad: int
    chunk: int = 10

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Scores, `chunk` candidates at a time."""
        asked = clean(request)
        for start in range(0, len(texts), self.chunk):
            if deadline.passed:
                return
            some = texts[start : start + self.chunk]
            pairs = self.tokenizer.encode_batch([(asked, clean(text)) for text in some])
            places = np.arange(start, start + len(pairs))
            yield RerankScores(places=places, scores=self._scores(pairs))

    def _scores(self, pairs: Sequence[Any]) -> FloatArray:
        """(n,) float32, the scores of one pass."""
        longest = max(len(pair.ids) for pair in pairs)
        ids = np.full((len(pairs), longest), self.pad, dtype=np.int64)
        mask, types = np.zeros_like(ids), np.zeros_like(ids)
        for row, pair in enumerate(pairs):
            ids[row, : len(pair.ids)] = pair.ids
            mask[row, : len(pair.ids)] = 1
            types[row, : len(pair.ids)] = pair.type_ids
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return np.asarray(self.session.run(None, inputs)[0], dtype=np.float32)


def load_graph_reranker(folder: Path, *, threads: int = 2) -> GraphReranker:
    """Load what `export_cross_encoder` wrote.

    Args:
        folder: Where it lies.
        threads: Of one pass.

    Raises:
        ModelError: If onnxruntime isn't installed, or the graph can't be read.
    """
    from tokenizers import Tokenizer

    options = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(options["max_length"])
    tokenizer.encode_special_tokens = True  # what looks like one in somebody's text is text
    return GraphReranker(
        session=open_graph(folder / GRAPH, threads), tokenizer=tokenizer, pad=options["pad"]
    )
