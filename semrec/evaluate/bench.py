"""How long one request takes, stage by stage, in this process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from semrec.recommender import Recommender
from semrec.types import Progress, Query

PERCENTILES = (50, 95, 99)


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
    random titles and labels, so that no two are the same and none was seen before.

    Returns:
        Plain values: per kind, per stage the percentiles; plus `without_encoder` and `total`.
    """
    rng = np.random.default_rng(seed)
    result: dict[str, Any] = {
        "items": len(recommender.catalog),
        "dim": recommender.manifest.get("dim"),
        "index": type(recommender.index).__name__,
        "cores": os.cpu_count(),
        "requests": n,
    }
    kinds = {"words and session": (True, True), "words": (True, False), "session": (False, True)}
    for kind, (words, session) in kinds.items():
        queries = _queries(recommender, rng, words=words, session=session)
        laps: dict[str, list[float]] = {}
        for done in range(warmup + n):
            timings = recommender.recommend(next(queries)).trace.timings_ms
            if done >= warmup:
                rest = timings["total"] - timings["encode"]
                for stage, spent in {**timings, "without_encoder": rest}.items():
                    laps.setdefault(stage, []).append(spent)
            if progress and done % 20 == 0:
                progress(f"bench {kind}", done, warmup + n)
        if progress:
            progress(f"bench {kind}", warmup + n, warmup + n)
        result[kind] = {
            stage: {f"p{p}": round(float(np.percentile(spent, p)), 3) for p in PERCENTILES}
            for stage, spent in laps.items()
        }
    return result


def _queries(
    recommender: Recommender, rng: np.random.Generator, *, words: bool, session: bool
) -> Iterator[Query]:
    catalog = recommender.catalog
    seen = np.flatnonzero(recommender.interactions.counts)
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
