"""From a sentence-transformers model to ONNX Runtime: a graph, its tokenizer, its options.

Dynamic int8 quantisation stores the weights of each channel as int8 and rounds activations as they
come: MiniLM encodes a request in 2.5 ms where torch took 11.9 (2 cores, notebooks/LOG.md).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semrec.encoders.onnx import GRAPH, OPTIONS, TOKENIZER
from semrec.encoders.sentence import SentenceEncoder
from semrec.environment.onnx_session import quantise_graph, require_onnx
from semrec.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Precision = Literal["float32", "int8"]
OPSET = 17
INPUTS = ("input_ids", "attention_mask")


def export_onnx(encoder: SentenceEncoder, folder: Path) -> None:
    """Write what `load_onnx` reads, in single precision.

    Args:
        encoder: On a processor or an accelerator.
        folder: A new one.

    Raises:
        ModelError: If the packages aren't installed (extra ``onnx``), or the model does something
            that the graph would not.
    """
    _refuse_unusual(encoder)
    folder.mkdir()
    try:
        _write_graph(encoder.model, folder / GRAPH)
    except Exception as error:  # any module may be in a model, and the exporter raises anything
        raise ModelError(f"{encoder.name}: can't be exported: {error}") from error
    tokenizer = encoder.model.tokenizer
    (folder / TOKENIZER).write_text(tokenizer.backend_tokenizer.to_str(), encoding="utf-8")
    prompts = encoder.model.prompts
    query = encoder.query_prompt
    options = {
        "name": encoder.name,
        "source": encoder.fingerprint,
        "dim": encoder.dim,
        "max_length": int(encoder.model.max_seq_length),
        "pad": int(tokenizer.pad_token_id or 0),
        "query_prompt": (prompts.get("query") or "") if query is None else query,
        "item_prompt": prompts.get("document") or "",
        "precision": "float32",
    }
    (folder / OPTIONS).write_text(json.dumps(options), encoding="utf-8")


def _write_graph(model: SentenceTransformer, path: Path) -> None:
    """Trace the model from token ids to unit vectors."""
    import torch

    class Whole(torch.nn.Module):
        """The model, its pooling, and the division by the norm."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            vectors = self.inner(features)["sentence_embedding"]
            return torch.nn.functional.normalize(vectors.float(), dim=1)

    ids = torch.ones((2, 8), dtype=torch.long, device=model.device)
    names = {name: {0: "n", 1: "length"} for name in INPUTS}
    with warnings.catch_warnings(), torch.no_grad(), _attention_written_out(model):
        warnings.simplefilter("ignore")  # what tracing can't see was looked at: batch, length
        torch.onnx.export(
            Whole().eval(),
            (ids, torch.ones_like(ids)),
            str(path),
            input_names=list(INPUTS),
            output_names=["vectors"],
            dynamic_axes={**names, "vectors": {0: "n"}},
            opset_version=OPSET,
            dynamo=False,  # the newer exporter needs one more package
        )


@contextmanager
def _attention_written_out(model: Any) -> Iterator[None]:  # noqa: ANN401
    """Attention as products and a softmax: the trace of torch's own kernel is a tenth slower."""
    parts = [part.auto_model for part in model if hasattr(part, "auto_model")]
    before = [part.config._attn_implementation for part in parts]
    try:
        for part in parts:
            part.set_attn_implementation("eager")
        yield
    finally:
        for part, name in zip(parts, before, strict=True):
            part.set_attn_implementation(name)


def quantise(folder: Path, into: Path) -> None:
    """Write the int8 form of an exported model beside it.

    Raises:
        ModelError: If the packages aren't installed (extra ``onnx``).
    """
    into.mkdir()
    quantise_graph(folder / GRAPH, into / GRAPH)
    (into / TOKENIZER).write_bytes((folder / TOKENIZER).read_bytes())
    options = json.loads((folder / OPTIONS).read_text(encoding="utf-8"))
    (into / OPTIONS).write_text(json.dumps({**options, "precision": "int8"}), encoding="utf-8")


def _refuse_unusual(encoder: SentenceEncoder) -> None:
    require_onnx()
    model = encoder.model
    if encoder.ending is None:
        raise ModelError(f"{encoder.name}: has no fast tokenizer, or takes texts of any length")
    if not all(getattr(part, "include_prompt", True) for part in model):
        raise ModelError(f"{encoder.name}: leaves its prompt out of the mean")
    if any(getattr(part, "do_lower_case", False) for part in model):
        raise ModelError(f"{encoder.name}: lowers its texts outside the tokenizer")
