"""Reading a transformer and its tokenizer, from a hub's folder or a GGUF file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semrec.encoders.names import name_and_quantisation, resolve
from semrec.encoders.silence_progress import quietly
from semrec.encoders.weights import gguf_file, require_gguf, weights_hash
from semrec.errors import ModelError

Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A transformer that was read.

    Attributes:
        model: The transformer, in evaluation mode.
        tokenizer: A fast one, with an end token.
        name: Canonical name, with the weights' quantisation.
        weights: Their hash.
        quantisation: How they are stored; empty: as they were published.
        dtype: What is computed with.
    """

    model: Any
    tokenizer: Any
    name: str
    weights: str
    quantisation: str
    dtype: Dtype


def read_pretrained(
    model: str,
    head: Literal["none", "causal"],
    *,
    device: str | None,
    dtype: Dtype,
    check: Callable[[str, Any], None] = lambda _name, _tokenizer: None,
) -> Pretrained:
    """Read a model by hub name, path (a GGUF file too) or short name.

    Args:
        model: For example ``HuggingFaceTB/SmolLM2-135M-Instruct`` or ``smollm2``.
        head: Whether to read the language-model head.
        device: As torch names them, or as accelerate maps them (``auto``, …); None: ``auto``.
        dtype: What is computed with.
        check: Called with name and tokenizer before the weights are read; raises what won't do.

    Raises:
        ModelError: If there is no such model here or on the hub, or it is of another kind.
    """
    import torch

    path = resolve(model)
    name, quantisation = name_and_quantisation(model, path)
    source = _source(path)
    try:
        with quietly(everything="gguf_file" in source):
            from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(**source, local_files_only=True)
            if not tokenizer.is_fast or tokenizer.eos_token_id is None:
                raise ModelError(f"{name}: its tokenizer is not a fast one with an end token")
            check(name, tokenizer)
            kind = AutoModelForCausalLM if head == "causal" else AutoModel
            loaded = kind.from_pretrained(
                **source,
                local_files_only=True,
                dtype=getattr(torch, dtype),
                device_map=device or "auto",
            )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{name}: not loadable as a decoder: {error}") from error
    if getattr(loaded.config, "is_encoder_decoder", False):
        raise ModelError(f"{name}: has an encoder of its own, expected a decoder-only model")
    loaded.eval()
    return Pretrained(
        model=loaded,
        tokenizer=tokenizer,
        name=name,
        weights=weights_hash(path),
        quantisation=quantisation,
        dtype=dtype,
    )


def _source(path: Path) -> dict[str, str]:
    file = gguf_file(path)
    if file is None:
        return {"pretrained_model_name_or_path": str(path)}
    require_gguf()
    return {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
