"""A causal language model: what it would say next.

Knows nothing of requests or items: prompts come in, numbers go out. It looks at the
deadline between its layers, so that it is at most one layer late.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from semrec.deadline import NEVER, Deadline, watched
from semrec.encoders.names import resolve
from semrec.encoders.pretrained import Dtype, Pretrained, read_pretrained
from semrec.types import FloatArray

MAX_PROMPT = 2_000  # tokens


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """A loaded model; `load_language_model` makes one.

    Attributes:
        read: The transformer with its head, and its tokenizer.
        path: Where its weights lie.
    """

    read: Pretrained
    path: Path

    @property
    def name(self) -> str:
        """Canonical name, with the weights' quantisation."""
        return self.read.name

    def next_logits(self, prompt: str, deadline: Deadline = NEVER) -> FloatArray:
        """(vocabulary,) float32: how likely each token is to come next, as logits.

        Raises:
            TimeUpError: If the deadline passes first.
        """
        ids = torch.tensor([self.tokens(prompt)[-MAX_PROMPT:]], device=self.read.model.device)
        with torch.inference_mode(), watched(self.read.model, deadline):
            logits = self.read.model(input_ids=ids, use_cache=False, logits_to_keep=1).logits
        return np.asarray(logits[0, -1].float().cpu().numpy(), dtype=np.float32)

    def tokens(self, text: str) -> list[int]:
        """A text in tokens; what looks like a special token in it is text."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        encoded = self.read.tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return list(encoded["input_ids"])


def load_language_model(
    model: str, *, device: str | None = None, dtype: Dtype = "float32"
) -> LanguageModel:
    """Load a causal language model by hub name, path (a GGUF file too) or short name.

    Args:
        model: For example ``HuggingFaceTB/SmolLM2-135M-Instruct`` or ``smollm2``.
        device: As torch names them, or as accelerate maps them (``auto``, …); None: ``auto``.
        dtype: What is computed with.

    Raises:
        ModelError: If there is no such model here or on the hub, or it is none.
    """
    read = read_pretrained(model, "causal", device=device, dtype=dtype)
    return LanguageModel(read=read, path=resolve(model))
