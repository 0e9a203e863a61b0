"""An encoder that was trained here: written, read again, and what it has seen never forgotten.

Whoever builds with it has learned from its dialogs too, so they go where it goes: cases that come
from them are no fair test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semrec.encoders.cached import uncached
from semrec.encoders.sentence import SEEN, SentenceEncoder, load_sentence_encoder
from semrec.encoders.silence_progress import quietly
from semrec.encoders.weights import fingerprint_of
from semrec.protocols import Encoder


def save_sentence_encoder(encoder: Encoder, folder: Path, dialogs: Sequence[str]) -> None:
    """Write a trained encoder as sentence-transformers has it: usable there too.

    Args:
        encoder: A sentence encoder.
        folder: Where to.
        dialogs: Hashed ids of the dialogs it was trained on.
    """
    if not isinstance(encoder, SentenceEncoder):
        raise TypeError(f"{encoder.name!r} isn't a sentence encoder")
    with quietly():
        encoder.model.save_pretrained(str(folder), create_model_card=False)
    seen = sorted({*dialogs, *encoder.training_dialogs})
    (folder / SEEN).write_text(json.dumps(seen) + "\n", encoding="utf-8")


def dialogs_seen(encoder: Encoder) -> tuple[str, ...]:
    """Hashed ids of the dialogs that an encoder was trained on here; none for most."""
    inner = uncached(encoder)
    return inner.training_dialogs if isinstance(inner, SentenceEncoder) else ()


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
