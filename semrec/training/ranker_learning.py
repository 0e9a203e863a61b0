"""Learns a ranker, and keeps it where it earns its place.

validation cases, real requests → fused lists as they are served → for each fold trained on the
    others, measured on the fold → kept only where lists that it hasn't seen are better with it

One model learns from all real requests, with a session and without (apart they are too few).
Made-up requests neither train nor validate it: they are all alike, and name their target's labels.
And what is learned from tastes is no answer to a topic: the surer a request names one, the less of
the ranker's correction it gets, here and when it is served.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.config import Config
from semrec.data.intents import fold_of
from semrec.fusion.fused import FusedBlocks
from semrec.metrics.significance import gain_interval
from semrec.ranking.features import ItemFacts, QueryContext, frequent_labels, inputs_of, item_facts
from semrec.ranking.lists import RankedList
from semrec.ranking.ranker import DEPTH, Ranker, faded
from semrec.ranking.wide_deep import WideDeep
from semrec.training.candidates import retrieve_candidates
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.folds import FOLDS, WHOLE, Requests
from semrec.training.job import Job
from semrec.training.preparation import Prepared
from semrec.training.weight_search import TuningCase, cutoff_of
from semrec.types import Label, Progress


@dataclass(frozen=True, kw_only=True)
class _RankerContext:
    """The shared data of all kinds of query."""

    facts: ItemFacts
    crossed: Sequence[Label]
    config: Config

    def lists(self, cases: Sequence[TuningCase], fusion: FusedBlocks) -> list[RankedList]:
        """The lists of cases by a fusion."""
        return lists_of(cases, fusion, self.facts, self.crossed)


def learn_ranker(
    prepared: Prepared, selected: EncoderSelection, requests: Requests | None, job: Job
) -> tuple[Ranker | None, dict[str, Any]]:
    """The ranker, for the kinds of query that are better with it; and what was measured.

    Args:
        prepared: The items, and the events that the signals were learned from.
        selected: The fusion with the tuned gate, and validation cases without words.
        requests: Real requests, if there are any.
        job: Whom to tell.

    Returns:
        The ranker, or None if nothing is better with one; and by kind, and by kinds that share a
        model, how many lists there were, and the NDCG of those with and without ranker by models
        that hadn't seen them.
    """
    config, sessions, report = prepared.config, selected.sets.session, job.report
    if not config.ranking.enabled:
        return None, {}
    facts = item_facts(prepared.dataset.catalog, prepared.validation.train)
    context = _RankerContext(facts=facts, crossed=frequent_labels(facts), config=config)
    lists = context.lists(sessions, selected.trial)
    models, figures = _learned(["session"], [lists] * (FOLDS + 1), sessions, config, report)
    if requests is not None:
        by_fold = [context.lists(requests.cases, fusion) for fusion in requests.fusions]
        of_words = _learned(["words", "both"], by_fold, requests.cases, config, report)
        models, figures = models | of_words[0], figures | of_words[1]
    if not models:
        return None, figures
    return Ranker(models=models, crossed=context.crossed, facts=facts), figures


def _learned(
    kinds: Sequence[str],
    by_fold: Sequence[Sequence[RankedList]],
    cases: Sequence[TuningCase],
    config: Config,
    report: Progress,
) -> tuple[dict[str, WideDeep], dict[str, Any]]:
    """One model, for those of the kinds that are better with it; and what was measured of each.

    Args:
        kinds: Of queries.
        by_fold: The lists of the same cases for each fold that is left out, and for none.
        cases: These cases.
        config: How to train.
        report: Called as it proceeds.
    """
    lists = by_fold[WHOLE]
    counts = Counter(ranked.kind for ranked in lists)
    figures: dict[str, Any] = {kind: {"cases": counts[kind]} for kind in kinds}
    if sum(ranked.right.any() for ranked in lists) < config.ranking.min_lists:
        return {}, figures
    cutoff = cutoff_of(config.fusion.cutoff, cases)
    folds = np.array([fold_of(ranked.unit, FOLDS) for ranked in lists])
    gained = np.zeros((2, len(lists)))
    for fold in range(FOLDS):
        report(f"train ranker {kinds[-1]}", fold, FOLDS + 1)
        train_lists = [by_fold[fold][index] for index in np.flatnonzero(folds != fold).tolist()]
        if not any(ranked.right.any() for ranked in train_lists):
            continue
        model = _train(train_lists, config)
        for index in np.flatnonzero(folds == fold).tolist():
            ranked = by_fold[fold][index]
            scores = model.scores(ranked.fused, ranked.crosses, ranked.features)
            corrected = faded(ranked.fused, scores, ranked.topicality)
            gained[:, index] = ranked.ndcg(ranked.fused, cutoff), ranked.ndcg(corrected, cutoff)
    enough = [kind for kind in kinds if counts[kind] >= config.fusion.min_cases]
    for group in dict.fromkeys([*((kind,) for kind in enough), tuple(enough)]):
        ours = np.array([ranked.kind in group for ranked in lists])
        units = [ranked.unit for ranked in lists if ranked.kind in group]
        if group:
            figures.setdefault(" + ".join(group), {}).update(
                _gain(gained[:, ours], units, cutoff, config.seed)
            )
    # It is one model, so all kinds decide on it together; none may lose by it.
    together = figures.get(" + ".join(enough), {}).get("gain", [0.0])
    better = [kind for kind in enough if together[0] > 0 and sum(figures[kind]["gain"]) > 0]
    report(f"train ranker {kinds[-1]}", FOLDS + 1, FOLDS + 1)
    return dict.fromkeys(better, _train(lists, config)) if better else {}, figures


def _gain(
    gained: NDArray[np.float64], units: Sequence[str], cutoff: int, seed: int
) -> dict[str, Any]:
    """NDCG without and with a ranker that hadn't seen the list; the interval of the difference."""
    without, ranked = gained.mean(axis=1)
    return {
        f"ndcg@{cutoff}": {"fused": round(float(without), 6), "ranked": round(float(ranked), 6)},
        "gain": [round(end, 6) for end in gain_interval(gained[0], gained[1], units, seed)],
    }


def lists_of(
    cases: Sequence[TuningCase], fusion: FusedBlocks, facts: ItemFacts, crossed: Sequence[Label]
) -> list[RankedList]:
    """The head of each case's fused list, as it is searched when it is asked."""
    lists = []
    for case, (query, rows, scores) in zip(
        cases, retrieve_candidates(fusion, cases, DEPTH), strict=True
    ):
        if query.kind is None or query.values is None or not len(rows):
            continue
        known = QueryContext(session=case.session, named=case.named, n_words=case.match.n_words)
        crosses, features = inputs_of(known, rows, scores, query.values(rows), facts, crossed)
        lists.append(
            RankedList(
                fused=scores,
                crosses=crosses,
                features=features,
                right=np.isin(rows, case.targets),
                n_relevant=max(1, len(case.targets)),
                unit=case.unit,
                kind=query.kind,
                topicality=query.topicality,
            )
        )
    return lists


def _train(lists: Sequence[RankedList], config: Config) -> WideDeep:
    from semrec.ranking.wide_deep_training import Training, train_wide_deep

    values = config.ranking.model_dump(exclude={"enabled", "min_lists"})
    return train_wide_deep(lists, Training(**values, seed=config.seed))
