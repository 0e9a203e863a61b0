"""Milliseconds of one request, by stage, in this process; and of the script one would write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from semrec.config import make_config
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.encoders.onnx import OnnxEncoder
from semrec.encoders.static import SUFFIX
from semrec.errors import ModelError
from semrec.fusion.fused import FusedBlocks
from semrec.metrics.significance import percentiles
from semrec.recommender import Recommender
from semrec.types import Progress, Query

BLOCK = 20  # requests in a row before the other is timed: each runs warm, and both drift alike


def latency(
    recommender: Recommender,
    *,
    n: int = 300,
    warmup: int = 20,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Milliseconds per stage of single warm requests, every intent a new one.

    Three kinds: words and a session of three, words only, session only. Intents are made of
    random titles and labels, so that no two are the same and none was seen before. Between them
    the same words are put to what one would write in twenty lines (SentenceTransformer.encode, a
    flat FAISS index, no fusion), and to the bare graph if the encoder is one.

    Returns:
        Plain values: per kind, per stage the percentiles; plus `without_encoder` and `total`; and
        under ``words alone, for reference`` those of script and graph.
    """
    rng = np.random.default_rng(seed)
    encoder = recommender.manifest.get("encoder", {})
    result: dict[str, Any] = {
        "items": len(recommender.catalog),
        "dim": recommender.manifest.get("dim"),
        "index": type(recommender.index).__name__,
        "encoder": {key: encoder[key] for key in ("name", "runtime", "ndcg") if key in encoder},
        "cores": os.cpu_count(),
        "requests": n,
    }
    references = _references(recommender)
    spent: dict[str, list[float]] = {name: [] for name in references}
    kinds = {"words and session": (True, True), "words": (True, False), "session": (False, True)}
    for kind, (words, session) in kinds.items():
        queries = new_queries(
            recommender.catalog, recommender.interactions, rng, words=words, session=session
        )
        laps: dict[str, list[float]] = {}
        for start in range(0, warmup + n, BLOCK):
            block = [next(queries) for _ in range(min(BLOCK, warmup + n - start))]
            for i, query in enumerate(block):
                timings = recommender.recommend(query).trace.timings_ms
                if start + i >= warmup:
                    rest = timings["total"] - timings["encode"]
                    for stage, ms in {**timings, "without_encoder": rest}.items():
                        laps.setdefault(stage, []).append(ms)
            if words and not session:
                for name, ask in references.items():
                    taken = [_timed(ask, query.intent) for query in block]
                    spent[name] += taken if start >= warmup else []
            if progress:
                progress(f"bench {kind}", start + len(block), warmup + n)
        result[kind] = {stage: percentiles(ms, digits=3) for stage, ms in laps.items()}
    timed = {name: percentiles(ms, digits=3) for name, ms in spent.items() if ms}
    if timed:
        result["words alone, for reference"] = timed
    return result


def _references(recommender: Recommender) -> dict[str, Callable[[str], object]]:
    """The plain script, and the bare graph; what can't be had here is left out."""
    references: dict[str, Callable[[str], object]] = {}
    encoder = recommender.encoder
    if (script := plain_script(recommender)) is not None:
        references["plain script"] = script
    if isinstance(encoder, OnnxEncoder):

        def forward(text: str) -> object:
            ids = np.array([encoder.tokenizer.encode(text).ids], dtype=np.int64)
            inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            return encoder.session.run(None, inputs)

        references["bare forward pass"] = forward
    return references


def plain_script(recommender: Recommender) -> Callable[[str], list[int]] | None:
    """The twenty lines one would write: from words to the rows of ten items.

    SentenceTransformer.encode and a flat FAISS index over the same items; None if the encoder is
    of another kind, or not here.
    """
    fusion = recommender.fusion
    config = make_config(recommender.manifest.get("config", {}), "manifest").encoder
    if config.kind not in ("sentence", "static") or not isinstance(fusion, FusedBlocks):
        return None
    from semrec.encoders.sentence import load_sentence_encoder
    from semrec.index.faiss import build_faiss

    try:
        name = config.model.removesuffix(SUFFIX)
        plain = load_sentence_encoder(name, max_length=config.max_length)
    except ModelError:
        return None
    vectors = fusion.semantic.vectors + fusion.semantic.mean
    flat = build_faiss(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), kind="flat")

    def script(text: str) -> list[int]:
        _, rows = flat.index.search(plain.model.encode([text], normalize_embeddings=True), 10)
        return [int(row) for row in rows[0]]

    return script


def _timed(ask: Callable[[str], object], text: str) -> float:
    start = time.perf_counter()
    ask(text)
    return (time.perf_counter() - start) * 1000


def new_queries(
    catalog: Catalog,
    interactions: Interactions,
    rng: np.random.Generator,
    *,
    words: bool,
    session: bool,
) -> Iterator[Query]:
    """Requests without end, of random titles and a number: no two have the same words."""
    seen = np.flatnonzero(interactions.counts)
    while True:
        intent = ""
        if words:
            titles = [catalog.titles[row] for row in rng.integers(len(catalog), size=2)]
            numbers = rng.integers(1_000_000)
            intent = f"something like {titles[0]} but more like {titles[1]}, number {numbers}"
        ids: Sequence[str] = ()
        if session:
            ids = [catalog.item_ids[row] for row in rng.choice(seen, min(3, len(seen)), False)]
        yield Query(intent=intent, session=ids, k=10)
