"""An encoder that was trained with an artifact: written into it, and read from there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from semrec.encoders.quiet import quietly
from semrec.encoders.sentence import SentenceEncoder, load_sentence_encoder
from semrec.encoders.weights import fingerprint_of
from semrec.protocols import Encoder


def save_sentence_encoder(encoder: Encoder, folder: Path) -> None:
    """Write a trained encoder as sentence-transformers has it: usable there too."""
    if not isinstance(encoder, SentenceEncoder):
        raise TypeError(f"{encoder.name!r} isn't a sentence encoder")
    with quietly():
        encoder.model.save_pretrained(str(folder), create_model_card=False)


def load_trained_encoder(
    folder: Path,
    *,
    name: str,
    device: str | None = None,
    batch_size: int = 32,
    query_prompt: str | None = None,
    max_length: int | None = None,
) -> SentenceEncoder:
    """Load what `save_sentence_encoder` wrote; `name` is that of the encoder it started from."""
    loaded = load_sentence_encoder(
        str(folder),
        device=device,
        batch_size=batch_size,
        query_prompt=query_prompt,
        max_length=max_length,
    )
    return replace(loaded, name=name, fingerprint=trained_fingerprint(loaded))


def trained_fingerprint(encoder: SentenceEncoder) -> str:
    """Of the weights as they are in memory, and of the options that are set."""
    options: dict[str, str | int] = {}
    if encoder.query_prompt is not None:
        options["query_prompt"] = encoder.query_prompt
    if encoder.model.max_seq_length is not None:
        options["max_length"] = int(encoder.model.max_seq_length)
    return fingerprint_of(_state_hash(encoder.model), **options)


def _state_hash(model: Any) -> str:  # noqa: ANN401
    """sha256 over a model's parameters, in the order of their names."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
