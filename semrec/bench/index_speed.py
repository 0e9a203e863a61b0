"""An index elsewhere beside the local one that looks at everything: the same queries, in turn.

the artifact's rows, resampled to a size → a collection of its own, dropped afterwards
real requests → plain · boosted · under a filter · with thousands excluded → both indexes
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import scipy.sparse as sp

from semrec.artifact.published import collection_of, open_rows
from semrec.artifact.stored import load
from semrec.bench.scale import resample, sources
from semrec.data.attributes import Attribute, Labels, Numbers
from semrec.endpoint import Address, Addresses
from semrec.errors import DataError
from semrec.index.exact import ROUNDING
from semrec.index.faiss import build_faiss
from semrec.index.milvus import MilvusIndex
from semrec.index.milvus_server import Engine, EngineError
from semrec.index.publishing import Rows, drop, publish_rows
from semrec.index.selection import RECALL_AT
from semrec.metrics.significance import percentiles
from semrec.protocols import Index
from semrec.recommender import Recommender
from semrec.training.sampled_queries import (
    encoded_case,
    fusion_of,
    matched,
    query_vectors,
    requests,
)
from semrec.types import Allowed, BoolArray, Condition, IndexQuery, Progress, Query, RowArray

N_MEASURED = 100  # requests whose recall says how broadly to search
EXCLUDED = 5_000
WARMUP = 20
NOISE = 0.5  # of the rows that are resampled
MAX_CONDITIONS = 2


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of the comparison.

    Attributes:
        items: How many rows; fewer than the artifact has are raised to that.
        n: Queries of each kind.
        k: Rows that are asked for.
        engine: Of the collection; None: as it takes.
        seed: Draws rows, filters and exclusions.
    """

    items: int = 0
    n: int = 200
    k: int = 200
    engine: Engine | None = None
    seed: int = 0


def index_speed(
    artifact: Path, address: Address, sizes: Sizes, *, progress: Progress
) -> dict[str, Any]:
    """Milliseconds and recall of a published collection, and of the local index.

    Args:
        artifact: Its rows come first, the others are resampled from them.
        address: ``milvus+http://host:port``; a collection is made there and dropped.
        sizes: Sizes.
        progress: Called as work proceeds.

    Returns:
        Plain values: by kind of query p50 and p99 in milliseconds of both, recall@100.

    Raises:
        EngineError: If the server fails or refuses.
    """
    addresses = replace(Addresses.from_environment(), index=Address())
    recommender = load(artifact, verify="size", addresses=addresses)
    sampled = requests(recommender, (), max(N_MEASURED, sizes.n + WARMUP), sizes.seed)
    progress("vectors", 0, 1)
    rows = _rows(recommender, sizes)
    size = len(rows.vectors)
    where = collection_of(recommender.manifest, address)
    collection = replace(where, name=f"{where.name}_bench_{size}", n_items=size)
    holding = query_vectors(recommender, sampled[:N_MEASURED])
    try:
        published = publish_rows(collection, rows, holding, engine=sizes.engine, progress=progress)
        there = open_rows(collection, rows)
        here = build_faiss(rows.vectors, kind="flat")
        kinds = _kinds(recommender, rows, sampled[: sizes.n + WARMUP], sizes.seed)
        measured = {}
        for number, (kind, queries) in enumerate(kinds.items()):
            progress("ask", number, len(kinds), kind)
            measured[kind] = _measured(here, there, queries, sizes.k)
    finally:
        drop(collection)
    return {
        "items": size,
        "dim": rows.vectors.shape[1],
        "k": sizes.k,
        "queries": sizes.n,
        **published,
        "kinds": measured,
        "cores": os.cpu_count(),
    }


def _rows(recommender: Recommender, sizes: Sizes) -> Rows:
    """The artifact's rows, and as many resampled ones as are asked for."""
    base, counts = fusion_of(recommender).items(), recommender.interactions.counts
    size = max(sizes.items, len(base))
    of = sources(len(base), size, sizes.seed)
    attributes = recommender.catalog.attributes
    with TemporaryDirectory(prefix="semrec-index-") as temporary:
        made = resample(base, size, NOISE, sizes.seed, Path(temporary) / "vectors.npy")
        vectors = np.array(made)
        del made
    return Rows(
        vectors=vectors,
        counts=counts[of],
        attributes={name: _resampled(attribute, of) for name, attribute in attributes.items()},
    )


def _resampled(attribute: Attribute, of: RowArray) -> Attribute:
    """An attribute of rows that have it from others."""
    if isinstance(attribute, Numbers):
        return replace(attribute, values=attribute.values[of])
    if not isinstance(attribute, Labels):
        raise DataError(f"attributes of {type(attribute).__name__} can't be resampled")
    n_labels = len(attribute.vocabulary)
    pairs = (np.ones(len(attribute.rows), np.int8), (attribute.rows, attribute.codes))
    has = sp.csr_matrix(pairs, shape=(attribute.n_items, n_labels))[of].tocsc()
    codes = np.repeat(np.arange(n_labels), np.diff(has.indptr))
    return replace(attribute, rows=has.indices.astype(np.int64), codes=codes, n_items=len(of))


def _kinds(
    recommender: Recommender, rows: Rows, sampled: Sequence[Query], seed: int
) -> dict[str, list[IndexQuery]]:
    """Queries by kind, in the order of the requests that they are made of."""
    rng, size = np.random.default_rng(seed), len(rows.vectors)
    kinds: dict[str, list[IndexQuery]] = {
        name: [] for name in ("plain", "boosted", "filter", "excluded")
    }
    for query in sampled:
        case, match = encoded_case(recommender, query), matched(recommender, query)
        fused = fusion_of(recommender).query(case.intent, case.session, None, match)
        plain = IndexQuery(vector=fused.vector, excluded=case.excluded)
        hidden = rng.choice(size, min(EXCLUDED, size // 2), replace=False)
        kinds["plain"].append(plain)
        kinds["boosted"].append(replace(plain, boost=fused.boost))
        kinds["filter"].append(replace(plain, allowed=_limits(rows.attributes, size, rng)))
        kinds["excluded"].append(replace(plain, excluded=hidden))
    return kinds


def _limits(attributes: Mapping[str, Attribute], n: int, rng: np.random.Generator) -> Allowed:
    """A condition on each attribute that has labels or numbers: two of a label's, half a range."""
    conditions = []
    for name, attribute in attributes.items():
        if isinstance(attribute, Labels) and len(attribute.codes):
            codes = rng.choice(attribute.codes, 2)
            conditions.append((name, Condition(any=tuple(float(code) for code in codes))))
        elif isinstance(attribute, Numbers):
            values = attribute.values[~np.isnan(attribute.values)]
            if len(values):
                low, high = np.sort(rng.choice(values, 2)).tolist()
                bounds = Condition(bounds=(("gte", low), ("lte", high)))
                conditions.append((name, bounds))
    chosen = conditions[:MAX_CONDITIONS]

    def mask() -> BoolArray:
        allowed = np.ones(n, dtype=bool)
        for name, condition in chosen:
            allowed &= attributes[name].mask(condition)
        return allowed

    return Allowed(conditions=tuple(chosen), make_mask=mask)


def _measured(
    here: Index, there: MilvusIndex, queries: Sequence[IndexQuery], k: int
) -> dict[str, Any]:
    spent: dict[str, list[float]] = {"local": [], "milvus": []}
    shares = []
    for query in queries:
        start = time.perf_counter()
        [(_, exact)] = here.search([query], k)
        middle = time.perf_counter()
        [(_, scores)] = there.search([query], k)
        end = time.perf_counter()
        spent["local"].append((middle - start) * 1000)
        spent["milvus"].append((end - middle) * 1000)
        n = min(RECALL_AT, len(exact))
        if n:
            low = exact[n - 1] - ROUNDING * abs(exact[n - 1])
            shares.append(float(np.sum(scores[:n] >= low)) / n)
    if there.complaint:
        raise EngineError(there.complaint, is_away=True)
    return {
        "recall@100": round(float(np.mean(shares)), 4),
        "ms": {name: percentiles(ms[WARMUP:]) for name, ms in spent.items()},
    }
