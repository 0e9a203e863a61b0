"""Selection of an index, by size and by measured recall.

A small catalogue is looked at as a whole. A larger one gets lists of short codes, and of these so
many are looked into that held-out queries get what an exact search gives them, whatever the
weights: one index serves all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from semrec.index.exact import CHUNK, ExactIndex
from semrec.index.faiss import FaissIndex, build_faiss
from semrec.index.ivf import IvfIndex, build_ivf
from semrec.protocols import Index
from semrec.types import FloatArray, IndexQuery

IndexKind = Literal["exact", "flat", "hnsw", "ivf"]
FLAT_MOST = 50_000  # items up to which looking at all of them is quick enough
RECALL_AT = 100
MAX_QUERIES = 100  # of each kind
STARTS_AT = 64  # the first try looks into so small a part of the lists
HNSW_MOST = 4_000


@dataclass(frozen=True, kw_only=True)
class HnswOptions:
    """A graph's options.

    Attributes:
        links: Neighbours per node.
        ef_construction: Breadth while building.
        ef_search: Breadth while searching, to begin with.
    """

    links: int = 32
    ef_construction: int = 200
    ef_search: int = 128


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """An index, and how it was come by.

    Attributes:
        index: The index.
        info: Its kind and, where it isn't exact, the recall reached and what was tried.
    """

    index: Index
    info: dict[str, Any]


def choose_index(
    vectors: FloatArray,
    queries: Mapping[str, FloatArray],
    *,
    kind: IndexKind | Literal["auto"] = "auto",
    recall: float = 0.97,
    n_counted: int = 0,
    hnsw: HnswOptions = HnswOptions(),
    flat_most: int = FLAT_MOST,
) -> Chosen:
    """The index of the kind that was asked for, searching as broadly as it takes.

    Args:
        vectors: (n_items, dim) float32; may be a `np.memmap`.
        queries: By name (such as their semantic weight), (n, dim) float32: real ones, held out.
            None at all: some of the items' own vectors are asked.
        kind: ``auto``: flat up to `flat_most` items, else ivf.
        recall: Of the 100 best rows, so large a share is to be found, by the queries of each name.
        n_counted: So many of the last columns can be all that a query asks for.
        hnsw: Of a graph, if it is one.
        flat_most: So many items at most are looked at as a whole.
    """
    if kind == "exact" or (kind == "auto" and not len(vectors)):
        return Chosen(index=ExactIndex(vectors=vectors), info={"kind": "exact"})
    if kind == "flat" or (kind == "auto" and len(vectors) <= flat_most):
        return Chosen(index=build_faiss(vectors, kind="flat"), info={"kind": "flat"})
    samples = _sampled(vectors, queries)
    together = np.concatenate(list(samples.values()))
    worst = kth_scores(vectors, together, RECALL_AT)
    index: FaissIndex | IvfIndex
    if kind == "hnsw":
        index = build_faiss(
            vectors,
            kind="hnsw",
            links=hnsw.links,
            ef_construction=hnsw.ef_construction,
            breadth=hnsw.ef_search,
        )
    else:
        kind, index = "ivf", build_ivf(vectors, together, n_counted=n_counted)
    tried: list[dict[str, Any]] = []
    for breadth in _breadths(index):
        index = replace(index, breadth=breadth)
        reached = _reached(index, samples, worst)
        tried.append({"breadth": breadth, "recall": reached})
        if min(reached.values()) >= recall:
            break
    return Chosen(index=index, info={"kind": kind, **tried[-1], "wanted": recall, "tried": tried})


def kth_scores(vectors: FloatArray, queries: FloatArray, k: int) -> FloatArray:
    """(n,) float32: each query's k-th best score, or the last there is; found chunk by chunk."""
    k = min(k, len(vectors))
    best = np.zeros((len(queries), 0), dtype=np.float32)
    for start in range(0, len(vectors), CHUNK):
        best = np.hstack([best, queries @ np.asarray(vectors[start : start + CHUNK]).T])
        best = -np.partition(-best, min(k, best.shape[1]) - 1, axis=1)[:, :k]
    return np.asarray(best.min(axis=1), dtype=np.float32)


def recalled(index: Index, queries: FloatArray, worst: FloatArray, k: int) -> FloatArray:
    """(n,) float32: the share of the `k` rows found that score like one of the `k` best.

    Args:
        index: Its scores are exact, whatever it finds.
        queries: (n, dim) float32.
        worst: (n,) float32, the score that is good enough: `kth_scores`.
        k: How many are looked for.
    """
    hits = index.search([IndexQuery(vector=query) for query in queries], k)
    least = worst - 1e-5 * np.abs(worst)  # summed in another order
    shares = [np.mean(scores >= low) for (_, scores), low in zip(hits, least, strict=True)]
    return np.asarray(shares, dtype=np.float32)


def _reached(index: Index, sample: Mapping[str, FloatArray], worst: FloatArray) -> dict[str, float]:
    start, reached = 0, {}
    for name, batch in sample.items():
        shares = recalled(index, batch, worst[start : start + len(batch)], RECALL_AT)
        reached[name] = round(float(shares.mean()), 4)
        start += len(batch)
    return reached


def _breadths(index: FaissIndex | IvfIndex) -> Iterator[int]:
    """Twice as broad each time, up to everything."""
    most = index.most if isinstance(index, IvfIndex) else HNSW_MOST
    breadth = max(1, most // STARTS_AT) if isinstance(index, IvfIndex) else index.breadth
    while breadth < most:
        yield breadth
        breadth *= 2
    yield most


def _sampled(vectors: FloatArray, queries: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    samples = {name: group[:MAX_QUERIES] for name, group in queries.items() if len(group)}
    if samples:
        return samples
    every = max(1, len(vectors) // MAX_QUERIES)
    return {"items": np.array(vectors[::every][:MAX_QUERIES])}
