"""Any sentence-transformers model as an encoder (Reimers & Gurevych 2019, arXiv 1908.10084)."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semrec.encoders.names import canonical_name, resolve
from semrec.encoders.silence_progress import quietly
from semrec.encoders.weights import fingerprint_of, kind_of_model, weights_hash
from semrec.errors import ModelError
from semrec.types import FloatArray

SEEN = "semrec_training_dialogs.json"  # beside the weights of an encoder that was trained here


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Cuts a text at its front until it fits a number of tokens.

    Attributes:
        tokenizer: A `tokenizers.Tokenizer` of its own that neither cuts nor pads.
        room: Tokens at most, those that the model adds not counted.
    """

    tokenizer: Any
    room: int

    def __call__(self, text: str) -> str:
        """The end of `text` that fits; all of it if it does."""
        if text.isascii() and len(text) < self.room:
            return text  # a token is a letter of ASCII or more; a tokenizer may put one in front
        while text:
            spans = self.tokenizer.encode(text, add_special_tokens=False).offsets
            if len(spans) <= self.room:
                break
            # What is left is put into tokens again: a word cut in two may become more of them.
            text = text[max(1, spans[-self.room][0]) :]
        return text


@dataclass(frozen=True, kw_only=True)
class SentenceEncoder:
    """A loaded sentence-transformers model; `load_sentence_encoder` makes one.

    Queries and items go through the model's own `query` and `document` prompts if it has them.
    Of texts that are too long for it, items keep their beginning, where the title is, and queries
    their end, because the last words of a conversation matter most.

    Attributes:
        model: The SentenceTransformer.
        name: Canonical name.
        fingerprint: Hash of the weights, and of the options that are set.
        dim: Length of the vectors.
        batch_size: Texts per forward pass.
        query_prompt: Put before every query; None: the model's own.
        ending: Cuts queries; None: the model cuts them as it cuts items.
        training_dialogs: Hashed ids of the dialogs that it was trained on here, sorted.
    """

    model: Any
    name: str
    fingerprint: str
    dim: int
    batch_size: int
    query_prompt: str | None = None
    ending: Ending | None = None
    training_dialogs: tuple[str, ...] = ()

    @property
    def quantisation(self) -> str:
        """Empty: weights as they were published."""
        return ""

    @property
    def weight_bytes(self) -> int:
        """Bytes that the weights take in memory."""
        return sum(weight.numel() * weight.element_size() for weight in self.model.parameters())

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows."""
        whole = [clean(text) for text in texts]
        if self.ending is not None:
            whole = [self.ending(text) for text in whole]
        return self._encode(self.model.encode_query, whole, prompt=self.query_prompt)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows."""
        return self._encode(self.model.encode_document, [clean(text) for text in texts])

    def _encode(self, encode: Any, texts: Sequence[str], **options: Any) -> FloatArray:  # noqa: ANN401
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        vectors = encode(
            list(texts),
            batch_size=self.batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
            **options,
        )
        return np.asarray(vectors, dtype=np.float32)


def load_sentence_encoder(
    model: str,
    *,
    device: str | None = None,
    batch_size: int = 32,
    query_prompt: str | None = None,
    max_length: int | None = None,
) -> SentenceEncoder:
    """Load a model by hub name, path or short name.

    Args:
        model: For example ``sentence-transformers/all-MiniLM-L6-v2``.
        device: As torch names them; None: an accelerator where there is one.
        batch_size: Texts per forward pass.
        query_prompt: Put before every query, word for word, for models that take instructions;
            None: what the model itself brings.
        max_length: Tokens of a text at most; None: the model's own; never more than that.

    Raises:
        ModelError: If there is no such model here or on the hub, it is one of another kind, or
            `query_prompt` leaves no room for a query.
    """
    folder = resolve(model)
    if kind_of_model(folder) == "decoder":
        raise ModelError(
            f"{model}: a decoder-only LLM, expected a sentence-transformers model; "
            "set encoder.kind to decoder"
        )
    with quietly():
        from sentence_transformers import SentenceTransformer

        loaded = SentenceTransformer(str(folder), device=device, local_files_only=True)
    loaded.eval()
    if max_length is not None:
        loaded.max_seq_length = min(max_length, loaded.max_seq_length or max_length)
    options: dict[str, str | int] = {}
    if query_prompt is not None:
        options["query_prompt"] = query_prompt
    if max_length is not None:
        options["max_length"] = int(loaded.max_seq_length)
    return SentenceEncoder(
        model=loaded,
        name=canonical_name(model),
        fingerprint=fingerprint_of(weights_hash(folder), **options),
        dim=int(loaded.get_embedding_dimension()),
        batch_size=batch_size,
        query_prompt=query_prompt,
        ending=_ending(loaded, query_prompt),
        training_dialogs=_dialogs(folder),
    )


def _ending(model: Any, query_prompt: str | None) -> Ending | None:  # noqa: ANN401
    """A function that cuts the model's queries; None for a model that cuts nothing, or can't say.

    Raises:
        ModelError: If the prompt leaves no room.
    """
    fast = getattr(model.tokenizer, "backend_tokenizer", None)
    if fast is None or model.max_seq_length is None:
        return None
    # Switching the model's own between cutting and not cutting would disturb other threads.
    tokenizer = copy.deepcopy(fast)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    prompt = query_prompt if query_prompt is not None else model.prompts.get("query") or ""
    n_prompt = len(tokenizer.encode(prompt).ids)  # with the tokens that the model adds
    if n_prompt >= model.max_seq_length:
        raise ModelError(
            f"the query prompt has {n_prompt} tokens, max_length is {model.max_seq_length}: no "
            "room for a query; make the prompt shorter or raise encoder.max_length"
        )
    return Ending(tokenizer=tokenizer, room=model.max_seq_length - n_prompt)


def _dialogs(folder: Path) -> tuple[str, ...]:
    path = folder / SEEN
    return tuple(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else ()


def clean(text: str) -> str:
    """A text that any tokenizer takes."""
    # A lone surrogate (half an emoji, cut by somebody) isn't text to a tokenizer.
    return text.encode("utf-8", "replace").decode("utf-8")
