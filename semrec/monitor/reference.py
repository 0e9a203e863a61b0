"""The reference of an artifact: its signals on validation requests, made by `build`.

Some kilobytes of means and critical values in ``monitor.json``; no request can be read from it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from semrec.artifact.folder import read_manifest
from semrec.data.catalog import Catalog, load_catalog
from semrec.data.interactions import load_interactions
from semrec.errors import ArtifactError
from semrec.monitor.drift import Baseline, fit_baseline
from semrec.monitor.list_signals import (
    FLOORS,
    Binning,
    PopularityOf,
    by_session,
    fit_binning,
    signals_of,
)
from semrec.recommender import Recommender
from semrec.sessions.list_stats import MonitoredList, list_stats
from semrec.types import Case, RowArray

FILE = "monitor.json"
MIN_UNITS = 50  # dialogs or sessions: of fewer nothing is said
BATCH = 64  # requests that are answered together


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The signals of an artifact where nothing drifts.

    Attributes:
        binning: The categories that numbers fall into.
        baselines: By signal; without those that validation has too few requests of.
        n_lists: Number of validation requests behind it.
    """

    binning: Binning
    baselines: Mapping[str, Baseline]
    n_lists: int


def make_reference(lists: Sequence[MonitoredList], popularity_of: PopularityOf) -> Reference:
    """The reference of some lists, whose sessions are the independent units; draws are seeded."""
    binning = fit_binning(lists, popularity_of)
    baselines = {}
    for number, (name, signal) in enumerate(signals_of(lists, binning, popularity_of).items()):
        units = by_session(lists, signal)
        if len(units) >= MIN_UNITS:
            rng, floor = np.random.default_rng(number), FLOORS.get(name, 0.0)
            baselines[name] = fit_baseline(signal.rows, rng, units=units, floor=floor)
    return Reference(binning=binning, baselines=baselines, n_lists=len(lists))


def answer_cases(recommender: Recommender, cases: Sequence[Case]) -> list[MonitoredList]:
    """The lists of some cases as a log would keep them, without a reranker; units as sessions."""
    plain = recommender.with_parts(reranking=None)
    lists = []
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        answers = plain.recommend_many([case.query for case in batch])
        for offset, (case, answer) in enumerate(zip(batch, answers, strict=True)):
            stats = list_stats(case.query, answer, recommender.catalog)
            if stats is not None:
                lists.append(
                    MonitoredList(
                        recommendation_id=str(start + offset),
                        session_id=case.unit,
                        timestamp=0.0,
                        version=recommender.version,
                        items=tuple((item.item_id, item.score) for item in answer.items),
                        stats=stats,
                    )
                )
    return lists


def popularity_by(catalog: Catalog, counts: RowArray) -> PopularityOf:
    """The popularity of items by id: log(1 + people).

    Args:
        catalog: The items.
        counts: (n_items,) people per item.
    """

    def popularity_of(item_id: str) -> float:
        row = catalog.row(item_id)
        return 0.0 if row is None or row >= len(counts) else math.log1p(counts[row])

    return popularity_of


def save_reference(reference: Reference, folder: Path) -> None:
    """Write ``monitor.json`` into an artifact's folder."""
    values = {
        "n_lists": reference.n_lists,
        "binning": asdict(reference.binning),
        "baselines": {
            name: {"n": of.n, "critical": of.critical, "mean": of.mean.tolist()}
            for name, of in reference.baselines.items()
        },
    }
    (folder / FILE).write_text(json.dumps(values) + "\n", encoding="utf-8")


def load_reference(folder: Path) -> tuple[Reference, PopularityOf]:
    """An artifact's reference, and the popularity of its items.

    Raises:
        ArtifactError: As `read_reference`.
    """
    reference = read_reference(folder)
    counts = load_interactions(folder / "interactions.npz").counts
    return reference, popularity_by(load_catalog(folder), counts)


def read_reference(folder: Path) -> Reference:
    """An artifact's reference alone.

    Raises:
        ArtifactError: If it is no artifact, was changed, or has no reference.
    """
    manifest = read_manifest(folder, "size")
    if FILE not in manifest.files:
        raise ArtifactError(
            f"{folder}: has no {FILE} to compare with: it was built before there was one; "
            "build the artifact again"
        )
    values = json.loads((folder / FILE).read_text(encoding="utf-8"))
    binned = values["binning"]
    binning = Binning(
        scores={kind: tuple(edges) for kind, edges in binned["scores"].items()},
        falls={kind: tuple(edges) for kind, edges in binned["falls"].items()},
        popularity=tuple(binned["popularity"]),
        filters=tuple(binned["filters"]),
        attributes=tuple(binned["attributes"]),
    )
    baselines = {
        name: Baseline(mean=np.array(of["mean"]), n=of["n"], critical=of["critical"])
        for name, of in values["baselines"].items()
    }
    return Reference(binning=binning, baselines=baselines, n_lists=values["n_lists"])
