"""The first layers of a language model, for who reads its states and lets it say nothing.

What titles are and what was asked for stands in the states of the first layers already, and they
take their share of the time only.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from semrec.errors import ModelError
from semrec.rerankers.quantised import quantised


def first_layers(model: Any, n_layers: int) -> Any:  # noqa: ANN401
    """The transformer of a causal language model with its first layers, which it shares.

    Args:
        model: A transformers causal language model; it isn't changed.
        n_layers: How many, all of them if it has fewer.

    Raises:
        ModelError: If its layers aren't where those of Llama, Qwen, SmolLM and the like are.
    """
    if not hasattr(model.base_model, "layers"):
        raise ModelError(
            f"{type(model).__name__} has no list of layers, expected a model like Llama's; "
            "take another rerank.mode than head"
        )
    cut = copy.copy(model.base_model)
    cut._modules = {**cut._modules, "layers": cut.layers[:n_layers]}
    return cut


def quick(transformer: Any, *, tiles: bool) -> Any:  # noqa: ANN401
    """A transformer in the numbers that its processor is quickest with; on others as it is.

    Args:
        transformer: Without a head; it isn't changed.
        tiles: Whether the processor multiplies tiles of bfloat16: then that, else int8.
    """
    if transformer.device.type != "cpu":
        return transformer
    if tiles:
        return copy.deepcopy(transformer).to(torch.bfloat16)
    return quantised(transformer)
