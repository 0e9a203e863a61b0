"""The runtime that encodes requests when they are served: the quickest that says the same.

torch → ONNX Runtime float32 → its int8 form, each kept only if its vectors are those of torch
(cosine) and the fused lists of the validation requests are no worse
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from semrec.artifact.encoder import as_serving
from semrec.config import Config
from semrec.encoders.cached import uncached
from semrec.encoders.embeddings_endpoint import EndpointEncoder
from semrec.encoders.sentence import SentenceEncoder
from semrec.encoders.static import StaticEncoder
from semrec.errors import ConfigError, ModelError
from semrec.fusion.fused import FusedBlocks
from semrec.protocols import Encoder
from semrec.training.fusion import mean_ndcg
from semrec.training.weight_search import TuningCase, cutoff_of
from semrec.types import Progress

FLOAT_COSINE = 0.999  # the least of all texts
INT8_COSINE = 0.99  # their mean; a text of few tokens may lie a little lower
NDCG_KEPT = 0.99
TEXTS, REQUESTS = 200, 300


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """An encoder for serving.

    Attributes:
        encoder: The encoder.
        folder: What `load_onnx` reads; None: the encoder is torch's.
        info: What was tried and found, for the manifest.
    """

    encoder: Encoder
    folder: Path | None = None
    info: dict[str, Any] = field(default_factory=dict)


def choose_runtime(
    encoder: Encoder,
    item_texts: Sequence[str],
    cases: Sequence[TuningCase],
    fusion: FusedBlocks,
    config: Config,
    folder: Path,
    report: Progress,
) -> Runtime:
    """The quickest form of an encoder that says the same.

    Args:
        encoder: As items were embedded with, possibly behind a cache.
        item_texts: Some are compared.
        cases: Validation requests with words.
        fusion: With the gate that was tuned.
        config: Which runtime is asked for.
        folder: A temporary folder; what is chosen lies in it.
        report: Called as it proceeds.

    Raises:
        ConfigError: If a runtime is asked for by name and the encoder can't have it.
    """
    wanted = config.encoder.runtime
    inner = uncached(encoder)
    form = {EndpointEncoder: "endpoint", StaticEncoder: "static"}.get(type(inner), "torch")
    kept = Runtime(encoder=as_serving(encoder), info={"runtime": form})
    if wanted == "torch":
        return kept
    reason = _impossible(inner)
    if reason is None:
        try:
            return _exported(encoder, item_texts, cases, fusion, config, folder, report)
        except ModelError as error:
            reason = str(error)
    if wanted != "auto":
        raise ConfigError(f"encoder.runtime {wanted!r}: {reason}; set it to auto or torch")
    return replace(kept, info={"runtime": form, "why": reason})


def _impossible(encoder: Encoder) -> str | None:
    if not isinstance(encoder, SentenceEncoder):
        return f"{encoder.name} is no sentence-transformers model"
    device = encoder.model.device.type
    return None if device == "cpu" else f"the encoder runs on {device}"


def _exported(
    encoder: Encoder,
    item_texts: Sequence[str],
    cases: Sequence[TuningCase],
    fusion: FusedBlocks,
    config: Config,
    folder: Path,
    report: Progress,
) -> Runtime:
    from semrec.encoders.onnx import load_onnx
    from semrec.encoders.onnx_export import export_onnx, quantise

    inner = uncached(encoder)
    if not isinstance(inner, SentenceEncoder):
        raise TypeError(f"{inner.name!r} isn't a sentence encoder")
    items = list(islice(filter(None, item_texts), TEXTS))
    sample = list(islice((case for case in cases if case.text), REQUESTS))
    texts = [case.text for case in sample]
    if not items and not texts:
        raise ModelError("no item has a text and no request has words to compare it by")
    report("export encoder", 0, 3)
    export_onnx(inner, folder / "float32")
    true = np.vstack([encoder.encode_items(items), encoder.encode_queries(texts)])
    cutoff = cutoff_of(config.fusion.cutoff, sample)
    ndcg = mean_ndcg(fusion, sample, cutoff)
    figures: dict[str, Any] = {"ndcg": {"torch": round(ndcg, 6)}, "cosine": {}}
    chosen = Runtime(encoder=inner)
    for done, precision in enumerate(("float32", "int8"), start=1):
        report("export encoder", done, 3)
        if precision == "int8":
            if config.encoder.runtime == "onnx":
                break
            quantise(folder / "float32", folder / "int8")
        fast = load_onnx(folder / precision, batch_size=config.encoder.batch_size)
        queries = fast.encode_queries(texts)
        cosines = (np.vstack([fast.encode_items(items), queries]) * true).sum(axis=1)
        theirs = [replace(case, intent=v) for case, v in zip(sample, queries, strict=True)]
        reached = mean_ndcg(fusion, theirs, cutoff)
        figures["ndcg"][precision] = round(reached, 6)
        figures["cosine"][precision] = {
            "least": round(float(cosines.min()), 5),
            "mean": round(float(cosines.mean()), 5),
        }
        near = cosines.min() >= FLOAT_COSINE
        if precision == "int8":
            near = cosines.mean() >= INT8_COSINE
        if near and reached >= NDCG_KEPT * ndcg:
            chosen = Runtime(encoder=fast, folder=folder / precision)
    report("export encoder", 3, 3)
    name = "torch" if chosen.folder is None else f"onnx {chosen.folder.name}"
    return replace(chosen, info={"runtime": name, **figures})
