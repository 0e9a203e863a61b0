"""An artifact's search over catalogues of other sizes.

    the artifact's fused vectors → resampled with noise, into a file → index   } a fresh process
    its words' postings          → those of the items resampled, into files    }
    its catalogue                → the same rows under other names, mapped     }
        → requests encoded, matched, fused and searched → milliseconds, memory, recall

The requests are real sessions of the artifact's users with words, or those of a file; half of them
say how broadly the index has to search, the others are measured.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from semrec.artifact.indexes import VECTORS, load_index, make_index, save_index
from semrec.artifact.stored import load
from semrec.config import make_config
from semrec.data.catalog import Catalog, load_catalog, make_catalog, save_catalog
from semrec.fusion.fused import N_COUNTED
from semrec.index.selection import RECALL_AT, kth_scores, recalled
from semrec.intent.intent_parser import learn_vocabulary
from semrec.lexical.postings import load_bm25, resampled, save_bm25
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
from semrec.training.weight_search import TuningCase
from semrec.types import (
    Case,
    FloatArray,
    FusedQuery,
    IndexQuery,
    Progress,
    Query,
    RowArray,
    silent,
)

SIZES = (10_000, 100_000, 1_000_000)
CHUNK = 50_000  # vectors that are made at a time
N_MEASURED = 100  # requests whose recall is measured, at each weight; as many choose the breadth
K, WARMUP = 10, 20


@dataclass(frozen=True, kw_only=True)
class Catalogues:
    """Catalogues that are made out of an artifact's own.

    Attributes:
        sizes: How many items; a size below the artifact's own is raised to it.
        dim: Of their vectors; 0: the artifact's own. Columns are repeated or left out.
        kind: Of the index, as `index.kind`.
        noise: Of the items that are resampled; see `resample`.
        seed: Draws items, noise and requests.
    """

    sizes: Sequence[int] = SIZES
    dim: int = 0
    kind: str = "auto"
    noise: float = 0.5
    seed: int = 0


def scale(
    artifact: Path,
    catalogues: Catalogues,
    *,
    cases: Sequence[Case] = (),
    n: int = 1000,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Build time, start-up, memory, recall and milliseconds over catalogues of several sizes.

    Args:
        artifact: Its own items come first in every catalogue.
        catalogues: What is made of it.
        cases: Requests to ask; none: made of real sessions and of titles.
        n: Requests that are timed.
        progress: Called as work proceeds.

    Returns:
        Plain values; per size the time to build and to load, resident megabytes beyond the
        artifact with its encoder, before and after all requests, recall@100 by semantic weight
        and of whole requests, of the exact sum with their lexical matches, milliseconds of
        requests with words, and what they took of a processor.

    Raises:
        DataError: If the artifact's items aren't fused with texts, or no requests can be made.
    """
    recommender = load(artifact, verify="size")
    queries = requests(recommender, cases, max(n + WARMUP, 2 * N_MEASURED), catalogues.seed)
    base = columns_of(fusion_of(recommender).items(), catalogues.dim)
    sizes = sorted({max(size, len(base)) for size in catalogues.sizes})
    report, rows = progress or silent, []
    for done, size in enumerate(sizes):

        def step(detail: str, size: int = size, done: int = done) -> None:
            report(f"{size:,} items", done, len(sizes), detail)

        rows.append(_of_size(size, artifact, recommender, catalogues, queries, n, step))
        report(f"{size:,} items", done + 1, len(sizes))
    return {
        "artifact": recommender.manifest.get("checksum", "")[:12],
        "own_items": len(base),
        "dim": base.shape[1],
        "noise": catalogues.noise,
        "seed": catalogues.seed,
        "requests": n,
        "requests_from": "cases" if cases else "sessions and titles",
        "cores": os.cpu_count(),
        "sizes": rows,
    }


def _of_size(
    size: int,
    artifact: Path,
    recommender: Recommender,
    catalogues: Catalogues,
    queries: Sequence[Query],
    n: int,
    step: Callable[[str], None],
) -> dict[str, Any]:
    """Make the catalogue of a size, and put the requests to it in a fresh process."""
    base = columns_of(fusion_of(recommender).items(), catalogues.dim)
    both = {
        name: columns_of(vectors, catalogues.dim)
        for name, vectors in query_vectors(recommender, queries[: 2 * N_MEASURED]).items()
    }
    holding = {name: vectors[::2] for name, vectors in both.items()}
    measured = {name: vectors[1::2] for name, vectors in both.items()}
    config = make_config(recommender.manifest["config"], "manifest").index
    changed = {"index": {**config.model_dump(), "kind": catalogues.kind}}
    config = make_config(changed, "--kind").index
    with TemporaryDirectory(prefix="semrec-scale-") as temporary:
        folder = Path(temporary)
        step("vectors")
        vectors = resample(base, size, catalogues.noise, catalogues.seed, folder / VECTORS)
        truth = {name: (q, kth_scores(vectors, q, RECALL_AT)) for name, q in measured.items()}
        step("index")
        start = time.perf_counter()
        chosen = make_index(config, vectors, holding)
        build_s = time.perf_counter() - start
        is_mapped = save_index(chosen.index, folder, vectors_there=True)
        rows = sources(len(base), size, catalogues.seed)
        if recommender.lexical is not None:
            save_bm25(resampled(recommender.lexical, rows), folder)
        save_catalog(_renamed(recommender.catalog, rows), folder, mapped=is_mapped)
        del vectors
        step("requests")
        settings = {key: chosen.info[key] for key in chosen.info if key != "tried"}
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
            sample = queries[: n + WARMUP]
            answered = fresh.submit(_ask, artifact, folder, settings, sample, truth).result()
    return {"items": size, "index": settings, "build_s": round(build_s, 1), **answered}


def resample(base: FloatArray, size: int, noise: float, seed: int, path: Path) -> FloatArray:
    """(size, dim) float32 in a file: `base`, then rows of it moved by real differences.

    A further row is one of `base` plus noise · (another − a third) / √2. So the noise is spread
    over the dimensions as the items themselves are, and at 1 is as strong.
    """
    rows = np.lib.format.open_memmap(path, "w+", np.float32, (size, base.shape[1]))
    rows[: len(base)] = base
    for start, (first, other, third) in _drawn(len(base), size, seed):
        moved = base[first] + np.float32(noise / 2**0.5) * (base[other] - base[third])
        rows[start : start + len(first)] = moved
    rows.flush()
    del rows
    mapped: FloatArray = np.load(path, mmap_mode="r")
    return mapped


def columns_of(vectors: FloatArray, dim: int) -> FloatArray:
    """(n, dim) float32: the columns over and over, the counted ones last; `dim` 0: as they are.

    Where each is there equally often, inner products are what they were.
    """
    own = vectors.shape[1] - N_COUNTED
    if dim in (0, vectors.shape[1]):
        return vectors
    columns = np.resize(np.arange(own), dim - N_COUNTED)
    repeated = np.sqrt(np.maximum(np.bincount(columns, minlength=own), 1)[columns])
    blocks = vectors[:, columns] / repeated
    return np.hstack([blocks, vectors[:, own:]]).astype(np.float32)


def _renamed(catalog: Catalog, rows: RowArray) -> Catalog:
    """A catalogue, and further rows of it with ids and titles of their own."""
    table = catalog.table.take(rows)
    for name in ("item_id", "title"):
        values = table[name].to_pylist()
        for row in range(len(catalog), len(values)):
            values[row] = f"{values[row]} {row}"
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return make_catalog(table, Path("resampled"))


def sources(n_base: int, size: int, seed: int) -> RowArray:
    """(size,) int64: the item whose words each has: its own, and what it is resampled from."""
    drawn = [rows for _, (rows, _, _) in _drawn(n_base, size, seed)]
    return np.concatenate([np.arange(n_base), *drawn])


def _drawn(n_base: int, size: int, seed: int) -> Iterator[tuple[int, RowArray]]:
    """Starts of chunks, and (3, n) the rows that they are made of."""
    rng = np.random.default_rng(seed)
    for start in range(n_base, size, CHUNK):
        yield start, rng.integers(n_base, size=(3, min(CHUNK, size - start)))


def _ask(
    artifact: Path,
    folder: Path,
    settings: dict[str, Any],
    queries: Sequence[Query],
    truth: Mapping[str, tuple[FloatArray, FloatArray]],
) -> dict[str, Any]:
    """In a process of its own: load the index, put the requests to it, and say what that took."""
    recommender = load(artifact, verify="size")
    recommender.recommend(queries[0])  # the encoder at work, before its memory is counted
    before = resident_mb()
    config = make_config(recommender.manifest["config"], "manifest").index
    start = time.perf_counter()
    vectors = np.load(folder / VECTORS, mmap_mode="r")
    dim = vectors.shape[1]
    counted = np.array(vectors[:, dim - N_COUNTED :])
    index = load_index(folder, config, settings.get("breadth"), vectors, counted)
    if index is None:
        config = config.model_copy(update={"kind": settings["kind"]})
        index = make_index(config, np.array(vectors)).index
    catalog = load_catalog(folder)
    recommender = recommender.with_parts(
        lexical=load_bm25(folder), catalog=catalog, intent_parser=learn_vocabulary(catalog)
    )
    load_s, loaded = time.perf_counter() - start, resident_mb()
    spent: dict[str, list[float]] = {}
    for query in queries:
        start, of_processor = time.perf_counter(), time.process_time()
        case = encoded_case(recommender, query)
        encoded = time.perf_counter()
        match = matched(recommender, query)
        fused = fusion_of(recommender).query(case.intent, case.session, None, match)
        index.search([_index_query(fused, case, dim)], K)
        end, used = time.perf_counter(), time.process_time() - of_processor
        laps = {"encode": encoded - start, "search": end - encoded, "total": end - start}
        laps["processor"] = used
        for stage, seconds in laps.items():
            spent.setdefault(stage, []).append(seconds * 1000)
    after = resident_mb()
    spent = {stage: ms[WARMUP:] for stage, ms in spent.items()}
    recall = {
        name: round(float(recalled(index, probes, worst, RECALL_AT).mean()), 4)
        for name, (probes, worst) in truth.items()
    }
    recall["whole"] = _recalled_whole(recommender, index, vectors, queries[:N_MEASURED])
    return {
        "process_mb": before,
        "load_s": round(load_s, 2),
        "resident_mb": None if before is None else _beyond(loaded, before),
        "resident_after_mb": None if before is None else _beyond(after, before),
        "recall@100": recall,
        "ms": {stage: percentiles(ms) for stage, ms in spent.items()},
        "processor_ms": round(float(np.mean(spent["processor"])), 3),
    }


def _recalled_whole(
    recommender: Recommender, index: Index, vectors: FloatArray, queries: Sequence[Query]
) -> float:
    """The mean share of the 100 best rows by the exact sum that a search finds."""
    shares, every, k = [], np.arange(len(vectors)), min(RECALL_AT, len(vectors))
    for query in queries:
        case, match = encoded_case(recommender, query), matched(recommender, query)
        fused = fusion_of(recommender).query(case.intent, case.session, None, match)
        query_of_index = _index_query(fused, case, vectors.shape[1])
        exact = fused.boost.at(every)
        for start in range(0, len(vectors), CHUNK):
            part = slice(start, start + CHUNK)
            exact[part] += np.asarray(vectors[part]) @ query_of_index.vector
        exact[case.excluded] = -np.inf
        worst = -np.partition(-exact, k - 1)[k - 1]
        [(_, scores)] = index.search([query_of_index], k)
        shares.append((scores >= worst - 1e-5 * abs(worst)).sum() / k)
    return round(float(np.mean(shares)), 4)


def _index_query(fused: FusedQuery, case: TuningCase, dim: int) -> IndexQuery:
    vector = columns_of(fused.vector[np.newaxis], dim)[0]
    return IndexQuery(vector=vector, boost=fused.boost, excluded=case.excluded)


def resident_mb() -> float | None:
    """Megabytes of this process in memory, mapped pages counted; None where Linux isn't."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _beyond(now: float | None, before: float) -> float:
    return round((now or 0.0) - before, 1)
