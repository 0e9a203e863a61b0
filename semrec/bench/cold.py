"""Items that nobody has touched: are they found, and what does finding them cost the others?

A share of the touched items is withheld with all their events; the rest is split in time. The
recommender that is built on the older part of the rest is asked for both: what users touched next
among the known items, and what they touched of the withheld ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from semrec.config import Config
from semrec.data.dataset import Dataset
from semrec.data.splits import Split, drawn_cases, time_split, withhold_items
from semrec.evaluate.runners import SemanticOnly, System, ask
from semrec.metrics.ranking import METRICS, scores_at
from semrec.protocols import Encoder
from semrec.training.build import build
from semrec.types import Case, Progress

SHARE = 0.1  # of the touched items are withheld
LONG, SHORT = 50, 10  # cutoffs for withheld and for known items


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """One draw of withheld items.

    Attributes:
        seed: Of the draw.
        n_items: How many items were withheld.
        n_cases: Moments at which somebody touched one of them.
        fused: R@50 of the withheld items, in the fused list of the whole catalogue.
        semantic: The same with all weight on the texts.
        chance: What drawing 50 items at random would reach.
        n_known: Moments at which somebody touched a known item next.
        known: NDCG@10 of the known items, in the fused list of the whole catalogue.
        known_alone: The same if untouched items never came back.
    """

    seed: int
    n_items: int
    n_cases: int
    fused: float
    semantic: float
    chance: float
    n_known: int
    known: float
    known_alone: float

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def cold_start(
    dataset: Dataset,
    *,
    config: Config,
    encoder: Encoder,
    seeds: Sequence[int] = (0, 1, 2),
    max_cases: int = 2000,
    progress: Progress | None = None,
) -> list[ColdStart]:
    """Measure once for each seed.

    Args:
        dataset: With clock times.
        config: What to build.
        encoder: Loaded once for all.
        seeds: Of the items that are withheld.
        max_cases: Of each kind at most, drawn at random.
        progress: Called as work proceeds.
    """
    return [_measure(dataset, config, encoder, seed, max_cases, progress) for seed in seeds]


def _measure(
    dataset: Dataset,
    config: Config,
    encoder: Encoder,
    seed: int,
    max_cases: int,
    progress: Progress | None,
) -> ColdStart:
    rng = np.random.default_rng(seed)
    withheld = withhold_items(dataset.positives, SHARE, rng)
    known = time_split(withheld.train, config.split.test_share)
    rec = build(
        replace(dataset, interactions=known.train),
        config=config,
        encoder=encoder,
        progress=progress,
    )
    cold_split = Split(train=known.train, test=withheld.test, cut=None)
    cold = drawn_cases(cold_split, dataset.catalog, rng, max_cases)
    warm = drawn_cases(known, dataset.catalog, rng, max_cases)
    only_known = rec.with_parts(untouched_every=0)
    untouched = rec.interactions.counts == 0
    only_known.remove_items([dataset.catalog.item_ids[row] for row in np.flatnonzero(untouched)])

    def mean(system: System, cases: Sequence[Case], metric: str, k: int, name: str) -> float:
        lists = ask(system, cases, k=k, name=f"{name} (seed {seed})", progress=progress)
        scores = scores_at(k, lists, [case.relevant for case in cases], METRICS[metric])
        return round(float(scores.mean()), 6)

    semantic = SemanticOnly(recommender=rec)
    return ColdStart(
        seed=seed,
        n_items=len(np.unique(withheld.test.rows)),
        n_cases=len(cold),
        fused=mean(rec, cold, "recall", LONG, "withheld items"),
        semantic=mean(semantic, cold, "recall", LONG, "withheld items by text"),
        chance=round(LONG / len(dataset.catalog), 6),
        n_known=len(warm),
        known=mean(rec, warm, "ndcg", SHORT, "known items"),
        known_alone=mean(only_known, warm, "ndcg", SHORT, "known items alone"),
    )
