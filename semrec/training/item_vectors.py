"""A catalogue's vectors: made in chunks, kept in the cache, gone on with after a stop."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from semrec.artifact.encoder import cache_file
from semrec.config import EncoderConfig
from semrec.encoders.bulk import BulkEncoder
from semrec.encoders.cached import CachedEncoder, uncached
from semrec.encoders.onnx import have_onnxruntime
from semrec.encoders.sentence import SentenceEncoder
from semrec.errors import DataError
from semrec.protocols import Encoder
from semrec.training.job import Job
from semrec.types import BoolArray, FloatArray, Progress

EMBED_CHUNK = 1024


def in_bulk(encoder: Encoder, config: EncoderConfig) -> Encoder:
    """The same encoder, quick with many items and behind the cache, if it is one that can be.

    Args:
        encoder: Possibly behind the cache already; one that was trained just now isn't.
        config: Whether ONNX Runtime may be used.
    """
    inner = uncached(encoder)
    if not isinstance(inner, SentenceEncoder):
        return encoder
    path = encoder.path if isinstance(encoder, CachedEncoder) else cache_file()
    on_cpu = inner.model.device.type == "cpu"
    if on_cpu and config.runtime != "torch" and have_onnxruntime():
        return CachedEncoder(encoder=BulkEncoder(inner), path=path)
    return CachedEncoder(encoder=inner, path=path)


def embed_items(
    texts: Sequence[str],
    encoder: Encoder,
    report: Progress,
    deadline: float | None = None,
    stage: str = "embed items",
) -> tuple[FloatArray, BoolArray]:
    """(n_items, dim) float32 unit rows, zeros for items without text; and which have one.

    Of `texts`, which may be made as they are asked for, only a chunk is in memory at a time.

    Raises:
        DataError: If the time is up before all are done; the cache keeps what is.
    """
    vectors = np.zeros((len(texts), encoder.dim), dtype=np.float32)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    # Texts of similar length share a batch, so that little of it is padding.
    order = np.argsort(lengths, kind="stable")[np.count_nonzero(lengths == 0) :]
    report(stage, 0, len(order))
    began = time.monotonic()
    for start in range(0, len(order), EMBED_CHUNK):
        if deadline is not None and time.monotonic() > deadline:
            raise DataError(
                f"the time is up with {start} of {len(order)} items embedded; "
                "they are cached: the next build goes on from there"
            )
        rows = order[start : start + EMBED_CHUNK]
        vectors[rows] = encoder.encode_items([texts[row] for row in rows])
        done = start + len(rows)
        speed = done / max(time.monotonic() - began, 1e-9)
        report(stage, done, len(order), f"{speed:,.0f} items/s")
    return vectors, np.asarray(vectors.any(axis=1))


def embed_views(
    views: Sequence[Sequence[str]], encoder: Encoder, job: Job
) -> tuple[FloatArray, BoolArray]:
    """(n_items, dim) float32 unit rows, the mean of each item's views; and which items have one.

    Args:
        views: Texts by row, for each view; ``""`` where an item doesn't have it. An item without
            the first view has none.
        encoder: Encodes them.
        job: Whom to tell, and when to stop.

    Raises:
        DataError: If the time is up before all are done; the cache keeps what is.
    """
    vectors, present = embed_items(views[0], encoder, job.report, job.deadline)
    for view in views[1:]:
        stage = "embed items, without titles"
        vectors += embed_items(view, encoder, job.report, job.deadline, stage)[0]
    vectors[~present] = 0.0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.float32(1e-12)), present
