"""A static encoder for a dataset, distilled from the configuration's model.

texts, some → the model's vectors of them → tokens' vectors
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semrec.artifact.encoder import make_encoder
from semrec.config import EncoderConfig
from semrec.encoders.cached import uncached
from semrec.encoders.distillation import distil, tokens_alone
from semrec.encoders.sentence import SentenceEncoder
from semrec.encoders.static import StaticEncoder
from semrec.environment.caches import cache_folder
from semrec.environment.files import replacing
from semrec.errors import DataError
from semrec.training.item_vectors import embed_items, in_bulk
from semrec.training.job import Job
from semrec.types import FloatArray

MAX_TEXTS = 20_000


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
    rows = [row for row, text in enumerate(texts) if text]
    if not rows:
        raise DataError(
            "no item has a text to distil a static encoder on; take encoder.kind hashing"
        )
    if len(rows) > MAX_TEXTS:
        drawn = np.random.default_rng(job.seed).choice(len(rows), MAX_TEXTS, replace=False)
        rows = [rows[index] for index in np.sort(drawn)]
    sample = [texts[row] for row in rows]
    quick = in_bulk(teacher, config)
    targets, _ = embed_items(sample, quick, job.report, job.deadline, "embed items, to distil")
    job.report("distil", 0, 2)
    alone = _tokens_alone(own)
    job.report("distil", 1, 2)
    encoder = distil(own, alone, sample, targets)
    job.report("distil", 2, 2)
    return encoder


def _tokens_alone(teacher: SentenceEncoder) -> FloatArray:
    """As `tokens_alone`, made once on this machine."""
    kept = cache_folder() / "tokens" / f"{teacher.fingerprint[:32]}.npy"
    if not kept.is_file():
        with replacing(kept) as made:
            np.save(made, tokens_alone(teacher))
    vectors: FloatArray = np.load(kept)
    return vectors
