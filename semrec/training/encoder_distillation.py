"""Static encoders for a dataset: one distilled from the configuration's model, one that stands in.

texts, some → the model's vectors of them → tokens' vectors
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semrec.artifact.encoder import make_encoder
from semrec.config import EncoderConfig
from semrec.encoders.cached import uncached
from semrec.encoders.distillation import distil, distil_words, tokens_alone
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.onnx import OnnxEncoder
from semrec.encoders.sentence import SentenceEncoder
from semrec.encoders.static import StaticEncoder
from semrec.environment.caches import cache_folder
from semrec.environment.files import replacing
from semrec.errors import DataError
from semrec.protocols import Encoder
from semrec.training.item_vectors import embed_items, in_bulk
from semrec.training.job import Job
from semrec.types import FloatArray

MAX_TEXTS = 20_000
MIN_COSINE = 0.5  # of a stand-in's vectors to the encoder's, about their centre
QUICK = (OnnxEncoder, StaticEncoder, HashingEncoder)


def distilled_encoder(texts: Sequence[str], config: EncoderConfig, job: Job) -> StaticEncoder:
    """The static encoder of `config.model` for some texts.

    Args:
        texts: By row, ``""`` for an item that has none; at most `MAX_TEXTS` are read by the model.
        config: With its name.
        job: Whom to tell, when to stop, what to draw from.

    Raises:
        DataError: If no item has a text, or the time is up before they are read.
        ModelError: If the model isn't here, or its tokenizer can't be had alone.
    """
    teacher = make_encoder(config.model_copy(update={"kind": "sentence"}))
    own = uncached(teacher)
    assert isinstance(own, SentenceEncoder)
    rows = _drawn(texts, job)
    if not rows:
        raise DataError(
            "no item has a text to distil a static encoder on; take encoder.kind hashing"
        )
    sample = [texts[row] for row in rows]
    quick = in_bulk(teacher, config)
    targets, _ = embed_items(sample, quick, job.report, job.deadline, "embed items, to distil")
    job.report("distil", 0, 2)
    alone = _tokens_alone(own)
    job.report("distil", 1, 2)
    encoder = distil(own, alone, sample, targets)
    job.report("distil", 2, 2)
    return encoder


def make_stand_in(
    texts: Sequence[str], encoder: Encoder, serving: Encoder, job: Job
) -> StaticEncoder | None:
    """A quick encoder for requests that a slow one has no time for.

    None if it is quick itself, or the catalogue's words don't say where its vectors point.

    Args:
        texts: By row, ``""`` for an item that has none; at most `MAX_TEXTS` are read.
        encoder: What items were embedded with, possibly behind a cache that has them.
        serving: The same as it serves.
        job: Whom to tell, and what to draw from.
    """
    rows = _drawn(texts, job)
    if isinstance(serving, QUICK) or not rows:
        return None
    sample = [texts[row] for row in rows]
    targets, _ = embed_items(sample, encoder, job.report, None, "distil a stand-in")
    stand_in, agreed = distil_words(encoder, sample, targets)
    return stand_in if agreed >= MIN_COSINE else None


def _drawn(texts: Sequence[str], job: Job) -> Sequence[int]:
    """Rows that have a text, at most `MAX_TEXTS` of them, rising."""
    rows = [row for row, text in enumerate(texts) if text]
    if len(rows) <= MAX_TEXTS:
        return rows
    drawn = np.random.default_rng(job.seed).choice(len(rows), MAX_TEXTS, replace=False)
    return [rows[index] for index in np.sort(drawn)]


def _tokens_alone(teacher: SentenceEncoder) -> FloatArray:
    """As `tokens_alone`, made once on this machine."""
    kept = cache_folder() / "tokens" / f"{teacher.fingerprint[:32]}.npy"
    if not kept.is_file():
        with replacing(kept) as made:
            np.save(made, tokens_alone(teacher))
    vectors: FloatArray = np.load(kept)
    return vectors
