"""A decoder-only LLM as an encoder: its last hidden states, pooled.

Wang et al. 2024 (arXiv 2401.00368): a query stands behind an instruction, ``Instruct: …`` and
``Query: …`` on a line of its own, an item stands alone, and an end token follows both. They pool
its state, which a model has to be trained for; the mean over the text's own tokens, without the
instruction's (Lee et al. 2024, arXiv 2405.17428), is the default.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from semrec.encoders.language_model import LanguageModel
from semrec.encoders.names import resolve
from semrec.encoders.pretrained import Dtype, read_pretrained
from semrec.encoders.weights import fingerprint_of
from semrec.errors import ModelError
from semrec.types import FloatArray

QUERY_PROMPT = (
    "Instruct: Given what somebody asks for, retrieve the items that suit them best\nQuery: "
)
MAX_LENGTH = 512
Pooling = Literal["mean", "last"]


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """A text in tokens, the end token last.

    The first `n_prompt` are the prompt's, and the one that begins every text, if there is one.
    """

    ids: tuple[int, ...]
    n_prompt: int


@dataclass(frozen=True, kw_only=True)
class DecoderOptions:
    """Reading of texts: pooling, prompt and bounds.

    Attributes:
        pooling: ``mean`` of a text's states, or the ``last`` one.
        query_prompt: Put before every query, word for word.
        max_length: Tokens of prompt, text and end token at most.
        batch_size: Texts in one forward pass.
    """

    pooling: Pooling = "mean"
    query_prompt: str = QUERY_PROMPT
    max_length: int = MAX_LENGTH
    batch_size: int = 32


@dataclass(frozen=True, kw_only=True)
class DecoderEncoder:
    """A loaded decoder; `load_decoder` makes one.

    Of texts that are too long, items keep their beginning, where the title is, and queries keep
    prompt and end, because the last words of a conversation matter most.

    Attributes:
        model: The transformer without its language-model head.
        tokenizer: A fast one.
        name: Canonical name, with the weights' quantisation.
        fingerprint: Hash of weights, pooling, prompt, longest text and number format.
        dim: Width of the hidden states.
        options: How it reads texts.
        quantisation: How the weights were stored; they are computed with as floats.
    """

    model: Any
    tokenizer: Any
    name: str
    fingerprint: str
    dim: int
    options: DecoderOptions
    quantisation: str = ""

    @property
    def weight_bytes(self) -> int:
        """Bytes that the weights take in memory."""
        return sum(weight.numel() * weight.element_size() for weight in self.model.parameters())

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests, behind the prompt: (n, dim) float32, unit rows."""
        return self._encode(self.tokens(texts, self.options.query_prompt, keep="end"))

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items, as they are: (n, dim) float32, unit rows."""
        return self._encode(self.tokens(texts))

    def tokens(
        self, texts: Sequence[str], prompt: str = "", *, keep: Literal["start", "end"] = "start"
    ) -> list[Tokens]:
        """Tokens of each text as the model reads it: prompt, as much as fits, end token."""
        if not texts:
            return []
        # A lone surrogate (half an emoji, cut by somebody) isn't text to a tokenizer.
        whole = [prompt + text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        # What looks like a special token in somebody's text is text.
        encoded = self.tokenizer(whole, return_offsets_mapping=True, split_special_tokens=True)
        end, own = self.tokenizer.eos_token_id, len(prompt.rstrip())
        result = []
        for ids, spans in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
            if ids and ids[-1] == end:
                ids, spans = ids[:-1], spans[:-1]
            head = next((n for n, (_, stop) in enumerate(spans) if stop > own), len(ids))
            room = self.options.max_length - 1 - head
            body = ids[head:]
            body = body[-room:] if keep == "end" else body[:room]
            result.append(Tokens(ids=(*ids[:head], *body, end), n_prompt=head))
        return result

    def _encode(self, texts: Sequence[Tokens]) -> FloatArray:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        # Texts of similar length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda row: len(texts[row].ids))
        for start in range(0, len(order), self.options.batch_size):
            rows = order[start : start + self.options.batch_size]
            vectors[rows] = self._states([texts[row] for row in rows])
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self.name}: numbers too large for its dtype; take float32")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)

    def _states(self, texts: Sequence[Tokens]) -> FloatArray:
        """(n, dim) pooled states of one batch, padded on the left: every text ends at the end."""
        longest = max(len(text.ids) for text in texts)
        ids = torch.full((len(texts), longest), self.tokenizer.eos_token_id)
        real = torch.zeros((len(texts), longest), dtype=torch.long)
        pooled = torch.zeros((len(texts), longest, 1))
        for row, text in enumerate(texts):
            first = longest - len(text.ids)
            ids[row, first:] = torch.tensor(text.ids)
            real[row, first:] = 1
            pooled[row, first + text.n_prompt :] = 1
        inputs = {"input_ids": ids, "attention_mask": real}
        if "position_ids" in inspect.signature(self.model.forward).parameters:
            inputs["position_ids"] = (real.cumsum(dim=1) - 1).clamp(min=0)
        inputs = {name: values.to(self.model.device) for name, values in inputs.items()}
        with torch.inference_mode():
            states = self.model(**inputs, use_cache=False).last_hidden_state.float().cpu()
        if self.options.pooling == "last":
            return np.asarray(states[:, -1].numpy(), dtype=np.float32)
        return np.asarray(((states * pooled).sum(1) / pooled.sum(1)).numpy(), dtype=np.float32)


def load_decoder(
    model: str,
    options: DecoderOptions = DecoderOptions(),
    *,
    device: str | None = None,
    dtype: Dtype = "float32",
    shared: LanguageModel | None = None,
) -> DecoderEncoder:
    """Load a decoder by hub name, path (a GGUF file too) or short name.

    Args:
        model: For example ``HuggingFaceTB/SmolLM2-135M-Instruct`` or ``smollm2``.
        options: How it reads texts; never longer ones than the model was made for.
        device: As torch names them, or a way to spread it over several that accelerate knows
            (``auto``, ``balanced``, ``sequential``); None: ``auto``.
        dtype: What is computed with; vectors are float32 in any case.
        shared: A loaded language model: if its weights and number format are the same, its
            transformer is used and nothing is read again.

    Raises:
        ModelError: If there is no such model here or on the hub, it is no decoder with a fast
            tokenizer, or the query prompt leaves no room for a query.
    """
    if shared is not None and shared.read.dtype == dtype and resolve(model) == shared.path:
        read, transformer = shared.read, shared.read.model.base_model
        _check(read.name, read.tokenizer, options)
    else:
        read = read_pretrained(
            model,
            "none",
            device=device,
            dtype=dtype,
            check=lambda name, tokenizer: _check(name, tokenizer, options),
        )
        transformer = read.model
    config = transformer.config.get_text_config()
    longest = getattr(config, "max_position_embeddings", None) or options.max_length
    options = replace(options, max_length=min(options.max_length, longest))
    return DecoderEncoder(
        model=transformer,
        tokenizer=read.tokenizer,
        name=read.name,
        fingerprint=fingerprint_of(
            read.weights,
            pooling=options.pooling,
            query_prompt=options.query_prompt,
            max_length=options.max_length,
            dtype=dtype,
        ),
        dim=int(config.hidden_size),
        options=options,
        quantisation=read.quantisation,
    )


def _check(name: str, tokenizer: Any, options: DecoderOptions) -> None:  # noqa: ANN401
    """Refuse what can't work, before the weights are read."""
    n_prompt = len(tokenizer(options.query_prompt)["input_ids"])
    if n_prompt + 2 > options.max_length:
        raise ModelError(
            f"{name}: the query prompt has {n_prompt} tokens, max_length is "
            f"{options.max_length}: no room for a query; make the prompt shorter or raise "
            "encoder.max_length"
        )
