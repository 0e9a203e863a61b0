"""A small cross-encoder, cut from a larger encoder.

    MiniLM → two or three of its layers, a new head → training → a graph → its int8 form

What comes out of the cutting knows the language but not the task: it has to be trained, and until
then `sanity_check` turns it off.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from semrec.environment.onnx_session import quantise_graph, require_onnx
from semrec.errors import ModelError
from semrec.rerankers.onnx_cross_encoder import GRAPH, OPTIONS, TOKENIZER

OPSET = 17
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
MAX_LENGTH = 128  # tokens of request and candidate


def cut_layers(source: Path, target: Path, n_layers: int, *, seed: int = 0) -> None:
    """Write a CrossEncoder that has `n_layers` of a BERT-like encoder's layers, evenly chosen.

    Args:
        source: The encoder's folder, such as MiniLM's.
        target: A new folder; any CrossEncoder loads it, and CrossEncoderTrainer trains it.
        n_layers: How many, the first and the last always among them if more than one.
        seed: Of the new head's weights.

    Raises:
        ModelError: If the encoder isn't BERT-like, or has fewer layers.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    try:
        with _quietly(), torch.random.fork_rng():
            torch.manual_seed(seed)
            model = AutoModelForSequenceClassification.from_pretrained(
                source, num_labels=1, local_files_only=True
            )
            tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{source.name}: not loadable: {error}") from error
    layers = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if layers is None:
        found = model.config.model_type
        raise ModelError(f"{source.name}: is {found}, expected a BERT-like encoder")
    if not 1 <= n_layers <= len(layers):
        raise ModelError(f"{source.name}: has {len(layers)} layers, {n_layers} were asked for")
    kept = np.linspace(0, len(layers) - 1, n_layers).round().astype(int)
    model.base_model.encoder.layer = torch.nn.ModuleList(layers[int(place)] for place in kept)
    model.config.num_hidden_layers = n_layers
    tokenizer.model_max_length = min(tokenizer.model_max_length, MAX_LENGTH)
    with _quietly():
        model.save_pretrained(target)
    tokenizer.save_pretrained(target)


def export_cross_encoder(model: Any, folder: Path, *, int8: bool = True) -> None:  # noqa: ANN401
    """Write what `load_graph_reranker` reads.

    Args:
        model: A CrossEncoder of a BERT-like encoder, with one score for a pair.
        folder: A new one.
        int8: Whether its weights are quantised.

    Raises:
        ModelError: If the packages aren't installed (extra ``onnx``), or it can't be exported.
    """
    require_onnx()
    transformer, tokenizer = model.transformers_model, model.tokenizer

    class Whole(torch.nn.Module):
        """The model from token ids to scores."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = transformer

        def forward(
            self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor
        ) -> torch.Tensor:
            found = self.inner(input_ids=ids, attention_mask=mask, token_type_ids=types)
            scores: torch.Tensor = found.logits[:, 0]
            return scores

    folder.mkdir()
    plain = folder / GRAPH if not int8 else folder / "float32.onnx"
    ids = torch.ones((2, 8), dtype=torch.long, device=model.device)
    names = {name: {0: "n", 1: "length"} for name in INPUTS}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # what tracing can't see was looked at: batch, length
            torch.onnx.export(
                Whole().eval(),
                (ids, torch.ones_like(ids), torch.zeros_like(ids)),
                str(plain),
                input_names=list(INPUTS),
                output_names=["scores"],
                dynamic_axes={**names, "scores": {0: "n"}},
                opset_version=OPSET,
                dynamo=False,  # the newer exporter needs one more package
            )
    except Exception as error:  # the exporter raises anything
        raise ModelError(f"the cross-encoder can't be exported: {error}") from error
    if int8:
        quantise_graph(plain, folder / GRAPH)
        plain.unlink()
    (folder / TOKENIZER).write_text(tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
    options = {
        "max_length": int(model.max_seq_length or MAX_LENGTH),
        "pad": int(tokenizer.pad_token_id or 0),
        "precision": "int8" if int8 else "float32",
    }
    (folder / OPTIONS).write_text(json.dumps(options), encoding="utf-8")


@contextmanager
def _quietly() -> Iterator[None]:
    """Without transformers' bars, and without its word that the head is new."""
    from transformers.utils import logging as told

    verbosity, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity(logging.ERROR)
    told.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        told.set_verbosity(verbosity)
        if bars:
            told.enable_progress_bar()  # type: ignore[no-untyped-call]
