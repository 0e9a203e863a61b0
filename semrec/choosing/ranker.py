"""Whether a ranker earns its place, and the one that does.

validation cases → fused lists as they are served → trained on some units, judged by the others
                 → kept for a kind of query only where lists that it hasn't seen are better with it

Made-up requests neither teach nor judge: they are all alike, and name their target's labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semrec.choosing.heads import fused_heads
from semrec.config import Config
from semrec.data.catalog import Catalog
from semrec.data.intents import fold_of
from semrec.data.interactions import Interactions
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.tune import TuningCase, cutoff_of
from semrec.ranking.features import Asked, ItemFacts, frequent_labels, inputs_of, item_facts
from semrec.ranking.lists import RankedList
from semrec.ranking.ranker import DEPTH, Ranker
from semrec.ranking.wide_deep import WideDeep
from semrec.statistics import bootstrap_means, interval
from semrec.tuning_cases import TuningSets
from semrec.types import Label, Progress

FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """What all kinds of query are learned over."""

    fusion: FusedBlocks
    facts: ItemFacts
    crossed: Sequence[Label]
    config: Config


def learn_ranker(
    fusion: FusedBlocks,
    sets: TuningSets,
    catalog: Catalog,
    events: Interactions,
    config: Config,
    report: Progress,
) -> tuple[Ranker | None, dict[str, Any]]:
    """The ranker, for those kinds of query that are better with it; and what was measured.

    Args:
        fusion: Over `events`, with the tuned gate.
        sets: Validation cases.
        catalog: The items.
        events: What the signals were learned from.
        config: How to train.
        report: Called as it proceeds.

    Returns:
        The ranker, or None if no kind is better with one; and by kind how many lists there were,
        and the NDCG of those with and without ranker by models that hadn't seen them.
    """
    if not config.ranking.enabled:
        return None, {}
    facts = item_facts(catalog, events)
    ground = _Ground(fusion=fusion, facts=facts, crossed=frequent_labels(facts), config=config)
    kinds = {"session": sets.session, "words": sets.words, "both": sets.both}
    models: dict[str, WideDeep] = {}
    told: dict[str, Any] = {}
    for done, (kind, cases) in enumerate(kinds.items()):
        report("train ranker", done, len(kinds))
        if kind in sets.made_up:
            told[kind] = {"made_up": True}
            continue
        lists = lists_of(cases, ground.fusion, ground.facts, ground.crossed)
        told[kind] = {"cases": len(lists)}
        if sum(one.right.any() for one in lists) < config.ranking.min_lists:
            continue
        judged = _judged(lists, cutoff_of(config.fusion.cutoff, cases), config)
        told[kind] |= judged
        if judged["gain"][0] > 0:
            models[kind] = _train(lists, config)
    report("train ranker", len(kinds), len(kinds))
    if not models:
        return None, told
    return Ranker(models=models, crossed=ground.crossed, facts=facts), told


def lists_of(
    cases: Sequence[TuningCase], fusion: FusedBlocks, facts: ItemFacts, crossed: Sequence[Label]
) -> list[RankedList]:
    """The head of each case's fused list, as it is searched when it is asked."""
    lists = []
    for case, (query, rows, scores) in zip(cases, fused_heads(fusion, cases, DEPTH), strict=True):
        if query.values is None or not len(rows):
            continue
        known = Asked(session=case.session, named=case.named, n_words=case.n_words)
        crosses, features = inputs_of(known, rows, scores, query.values(rows), facts, crossed)
        lists.append(
            RankedList(
                fused=scores,
                crosses=crosses,
                features=features,
                right=np.isin(rows, case.targets),
                n_relevant=max(1, len(case.targets)),
                unit=case.unit,
            )
        )
    return lists


def _judged(lists: Sequence[RankedList], cutoff: int, config: Config) -> dict[str, Any]:
    """NDCG without and with a ranker that hadn't seen the list; the interval of the difference."""
    folds = np.array([fold_of(one.unit, FOLDS) for one in lists])
    gained = np.zeros((2, len(lists)))
    for fold in range(FOLDS):
        taught = [one for one, place in zip(lists, folds, strict=True) if place != fold]
        if not any(one.right.any() for one in taught):
            continue
        model = _train(taught, config)
        for place in np.flatnonzero(folds == fold).tolist():
            one = lists[place]
            corrected = model.scores(one.fused, one.crosses, one.features)
            gained[:, place] = one.ndcg(one.fused, cutoff), one.ndcg(corrected, cutoff)
    means = bootstrap_means(gained, [one.unit for one in lists], np.random.default_rng(config.seed))
    without, ranked = gained.mean(axis=1)
    return {
        f"ndcg@{cutoff}": {"fused": round(float(without), 6), "ranked": round(float(ranked), 6)},
        "gain": [round(end, 6) for end in interval(means[:, 1] - means[:, 0])],
    }


def _train(lists: Sequence[RankedList], config: Config) -> WideDeep:
    from semrec.ranking.training import Training, train_wide_deep

    values = config.ranking.model_dump(exclude={"enabled", "min_lists"})
    return train_wide_deep(lists, Training(**values, seed=config.seed))
