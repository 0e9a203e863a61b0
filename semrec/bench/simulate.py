"""A service of another size: its memory, cores and waiting times, from what smaller ones cost here.

catalogues of a sixteenth and a quarter of the size, measured → straight lines → the size
→ requests that come at random, each of which keeps a core → how long they wait
"""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semrec.artifact.stored import load
from semrec.behaviour.neighbours import Neighbours
from semrec.bench.scale import Catalogues, scale
from semrec.errors import ConfigError
from semrec.fusion.behavioural import BehaviouralBlocks
from semrec.index.selection import FLAT_MOST
from semrec.metrics.significance import percentiles
from semrec.recommender import Recommender
from semrec.training.sampled_queries import fusion_of
from semrec.types import Case, FloatArray, Progress

SHARES = (16, 4)  # of the wanted size, measured
N_SIMULATED = 50_000  # requests that come
MIN_DIM = 16
MAX_BUSY = 0.95  # of the cores: beyond, whoever waits waits ever longer
ASSUMPTIONS = (
    "items are the artifact's own, resampled: as spread, as long, as many words",
    "memory and time grow by straight lines through both measured sizes: what is scanned and what "
    "matches is a share of the items, and the index reaches its recall by an equal share",
    "words aren't parsed and nothing is reranked; a request keeps one core from end to end",
    "requests come at random and independently; none is repeated word for word",
    "cores are as quick as these, and do nothing else",
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The size of a service.

    Attributes:
        items: Of its catalogue.
        dim: Of their fused vectors; 0: as the artifact's.
        per_s: Requests a second.
        cores: That answer them; 0: as many as it takes to be busy for half of the time.
    """

    items: int
    dim: int = 0
    per_s: float = 10.0
    cores: int = 0


def simulate(
    artifact: Path,
    target: Target,
    *,
    cases: Sequence[Case] = (),
    n: int = 300,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Memory, cores and milliseconds that a service of some size would take.

    Args:
        artifact: Is resampled to the sizes that are measured.
        target: The size that isn't.
        cases: Requests to ask; none: made of real sessions and of titles.
        n: Requests that are timed at each size.
        seed: Draws items, requests and their moments.
        progress: Called as work proceeds.

    Returns:
        Plain values: what was measured, what follows for the target, and what that assumes.

    Raises:
        ConfigError: If the target is too small to be anything but measured, or too narrow.
        DataError: As `scale`.
    """
    recommender = load(artifact, verify="size")
    sizes = _sizes(target.items, len(recommender.catalog))
    if 0 < target.dim < MIN_DIM:
        raise ConfigError(f"--dim {target.dim}: expected {MIN_DIM} or more; 0: the artifact's own")
    catalogues = Catalogues(sizes=sizes, dim=target.dim, seed=seed)
    measured = scale(artifact, catalogues, cases=cases, n=n, progress=progress)
    rows = measured["sizes"]
    totals = [row["ms"]["total"] for row in rows]
    lines = [line(target.items, sizes, [of[name] for of in totals]) for name in totals[0]]
    ms = dict(zip(totals[0], np.maximum.accumulate(lines).tolist(), strict=True))
    processor_ms = line(target.items, sizes, [row["processor_ms"] for row in rows])
    busy = target.per_s * processor_ms / 1000
    cores = target.cores or max(1, math.ceil(2 * busy))
    waited = waits(ms, processor_ms, target.per_s, cores, seed)
    dim = target.dim or measured["dim"]
    return {
        "items": target.items,
        "dim": dim,
        "requests_per_s": target.per_s,
        "cores": cores,
        "busy_cores": round(busy, 2),
        "processor_ms": round(processor_ms, 2),
        "ms": {name: round(value, 1) for name, value in ms.items()},
        "ms_with_waiting": waited,
        "worker_mb": _worker_mb(recommender, target.items, sizes, rows),
        "vectors_file_gb": round(4e-9 * dim * target.items, 2),
        "load_s": round(line(target.items, sizes, [row["load_s"] for row in rows]), 1),
        "measured": measured,
        "assumptions": list(ASSUMPTIONS),
        "cores_here": os.cpu_count(),
    }


def _sizes(items: int, own: int) -> list[int]:
    """Both sizes that are measured, of the kind of index that the target gets."""
    least = FLAT_MOST + 1 if items > FLAT_MOST else own
    sizes = [max(items // share, least * (1 + at)) for at, share in enumerate(SHARES)]
    if items < max(sizes) or items <= own:
        raise ConfigError(
            f"--items {items}: expected {max(max(sizes), own + 1):,} or more (the artifact has "
            f"{own:,}); measure a smaller catalogue: semrec bench scale --sizes {items}"
        )
    return sizes


def line(size: int, sizes: Sequence[int], values: Sequence[float]) -> float:
    """The value at a size on the straight line through two; one that falls is level."""
    slope = max(0.0, (values[1] - values[0]) / (sizes[1] - sizes[0]))
    return values[1] + slope * (size - sizes[1])


def waits(
    ms: Mapping[str, float], mean_ms: float, per_s: float, cores: int, seed: int
) -> dict[str, float] | None:
    """Percentiles of milliseconds from a request's coming to its answer; None where none keeps up.

    Args:
        ms: Percentiles of an answer that waits for nobody.
        mean_ms: What one keeps a core, on average.
        per_s: Requests a second, at random moments.
        cores: That answer, first come, first served.
        seed: Draws both.
    """
    if per_s * mean_ms / 1000 > MAX_BUSY * cores:
        return None
    rng = np.random.default_rng(seed)
    # Below p50 as far as p95 is above it, by a half at most.
    least = max(0.5 * ms["p50"], 2 * ms["p50"] - ms["p95"])
    values = (least, ms["p50"], ms["p95"], ms["p99"], ms["p99"])
    drawn = np.interp(rng.random(N_SIMULATED), (0.0, 0.5, 0.95, 0.99, 1.0), values)
    service: FloatArray = (drawn * mean_ms / drawn.mean()).astype(np.float32)
    came = np.cumsum(rng.exponential(1000 / per_s, N_SIMULATED))
    free = [0.0] * cores
    taken = np.zeros(N_SIMULATED)
    for at, (moment, needed) in enumerate(zip(came.tolist(), service.tolist(), strict=True)):
        begun = max(moment, heapq.heappop(free))
        heapq.heappush(free, begun + needed)
        taken[at] = begun - moment + drawn[at]
    return percentiles(taken.tolist())


def _worker_mb(
    recommender: Recommender,
    items: int,
    sizes: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, float] | None:
    """Megabytes of one process, by what holds them; None where Linux doesn't say."""
    if rows[1]["resident_after_mb"] is None:
        return None
    own, neighbours = len(recommender.catalog), fusion_of(recommender).neighbours
    baseline = recommender.pipeline.baseline
    assert baseline is not None
    assert isinstance(baseline.fusion, BehaviouralBlocks)
    n_bytes = 4 * (baseline.fusion.behavioural.vectors.shape[1] + 1) * own
    if isinstance(neighbours, Neighbours):
        n_bytes += neighbours.weights.data.nbytes + neighbours.weights.indices.nbytes
    parts = {
        "process, encoder, artifact": rows[1]["process_mb"],
        "index, words, titles": line(items, sizes, [row["resident_after_mb"] for row in rows]),
        "behaviour": n_bytes * (items / own - 1) / 2**20,
    }
    return {name: round(mb) for name, mb in {**parts, "in all": sum(parts.values())}.items()}
