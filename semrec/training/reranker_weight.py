"""The weight of a reranker's scores beside the fused list's own.

real validation requests → fused lists → scored in full → the weight with the best NDCG
                         → kept only where lists that didn't choose it are better with it

So a weak reranker can't spoil a good list: it weighs nothing, and isn't asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.artifact.rerankers import make_reranking
from semrec.data.catalog import Catalog
from semrec.data.intents import fold_of
from semrec.deadline import NEVER
from semrec.encoders.language_model import LanguageModel
from semrec.fusion.fused import FusedBlocks
from semrec.metrics.ranking import ndcg
from semrec.metrics.significance import gain_interval
from semrec.pipeline.rerank import Reranking
from semrec.ranking.ranker import Ranker
from semrec.rerankers.blending import blended
from semrec.training.candidates import retrieve_candidates
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.job import Job
from semrec.training.preparation import Prepared
from semrec.training.weight_search import TuningCase
from semrec.types import BoolArray, FloatArray, Progress

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
FOLDS, CUTOFF = 5, 10


@dataclass(frozen=True, kw_only=True)
class ScoredList:
    """A case's head as the list had it, and as the reranker sees it.

    Attributes:
        listed: (n,) float32, the list's own scores, falling.
        reranked: (n,) float32, the reranker's scores, NaN where it gave none.
        right: (n,) bool.
        n_relevant: How many items would have been right, in the list or not.
        unit: The dialog or user it belongs to.
    """

    listed: FloatArray
    reranked: FloatArray
    right: BoolArray
    n_relevant: int
    unit: str

    def ndcg(self, weight: float) -> float:
        """Of the list with the reranker weighing so much."""
        order = blended(self.listed, self.reranked, weight)
        ranks = 1 + np.flatnonzero(self.right[order])
        return ndcg(ranks.tolist(), self.n_relevant, CUTOFF)


def select_reranker(
    prepared: Prepared,
    selected: EncoderSelection,
    ranker: Ranker | None,
    model: LanguageModel | None,
    job: Job,
) -> tuple[Reranking | None, dict[str, Any]]:
    """The configured reranker, weighed on validation requests; and the figures for the manifest.

    Args:
        prepared: Data and prompts.
        selected: The encoder, and the fusion over the validation's training events.
        ranker: Ranks the lists before they are reranked.
        model: The language model, if one was loaded for this configuration.
        job: Whom to tell.

    Raises:
        ConfigError: If the configuration doesn't say enough.
        ModelError: If its weights aren't here.
    """
    made = make_reranking(prepared.config.rerank, prepared.prompts, {}, model)
    if made is None:
        return None, {}
    weights, figures = choose_weights(made, prepared, selected, job, ranker)
    return replace(made, weights=weights), {"rerank": figures, "rerank_weights": weights}


def choose_weights(
    reranking: Reranking,
    prepared: Prepared,
    selected: EncoderSelection,
    job: Job,
    ranker: Ranker | None = None,
) -> tuple[dict[str, float], dict[str, Any]]:
    """The reranker's weight for each kind of query, and what was measured.

    Kinds without real requests keep the configured weight: nobody can say.

    Args:
        reranking: Its weights aren't looked at.
        prepared: The items; its configuration says how many lists are scored.
        selected: The fusion with the tuned gate, and validation cases.
        job: Whom to tell.
        ranker: Ranks the lists before they are reranked. It may know these cases: then what is left
            for the reranker is rather too little than too much.
    """
    config, sets, catalog = prepared.config, selected.sets, prepared.dataset.catalog
    kinds = {"session": sets.session, "words": sets.words, "both": sets.both}
    weights, figures = {}, {}
    for kind, cases in kinds.items():
        weights[kind], figures[kind] = config.rerank.weight, {"weight": config.rerank.weight}
        if kind in sets.made_up or len(cases) < config.fusion.min_cases:
            continue
        rng = np.random.default_rng(config.seed)
        drawn = rng.permutation(len(cases))[: config.rerank.judge_cases]
        sample = [cases[index] for index in drawn]
        lists = scored_lists(reranking, selected.trial, sample, catalog, job.report, kind, ranker)
        weights[kind], figures[kind] = best_weight(lists, config.seed)
    return weights, figures


def scored_lists(
    reranking: Reranking,
    fusion: FusedBlocks,
    cases: Sequence[TuningCase],
    catalog: Catalog,
    report: Progress,
    kind: str,
    ranker: Ranker | None = None,
) -> list[ScoredList]:
    """The head of each case's list, as it is searched, ranked and scored when it is asked."""
    lists: list[ScoredList] = []
    for case, (_, rows, scores) in zip(
        cases, retrieve_candidates(fusion, cases, reranking.top, ranker), strict=True
    ):
        report(f"rerank {kind}", len(lists), len(cases))
        scored = reranking.worker.rerank_within(
            reranking.wording.request(case.text, case.session, catalog),
            reranking.wording.texts(rows, catalog),
            NEVER,
        )
        lists.append(
            ScoredList(
                listed=scores,
                reranked=scored.scores,
                right=np.isin(rows, case.targets),
                n_relevant=max(1, len(case.targets)),
                unit=case.unit,
            )
        )
    report(f"rerank {kind}", len(cases), len(cases))
    return lists


def best_weight(lists: Sequence[ScoredList], seed: int) -> tuple[float, dict[str, Any]]:
    """The weight, 0 unless lists of units that didn't choose theirs are better; and the figures."""
    reached = np.array([[scored.ndcg(weight) for scored in lists] for weight in WEIGHTS])
    folds = np.array([fold_of(scored.unit, FOLDS) for scored in lists])
    unseen = reached[0].copy()
    for fold in range(FOLDS):
        others, ours = folds != fold, folds == fold
        if others.any():
            unseen[ours] = reached[_best(reached[:, others]), ours]
    low, high = gain_interval(reached[0], unseen, [scored.unit for scored in lists], seed)
    weight = WEIGHTS[_best(reached)] if low > 0 else 0.0
    return weight, {
        "cases": len(lists),
        f"ndcg@{CUTOFF}": {
            "fused": round(float(reached[0].mean()), 6),
            "reranked": round(float(unseen.mean()), 6),
        },
        "gain": [round(low, 6), round(high, 6)],
        "weight": weight,
    }


def _best(reached: NDArray[np.float64]) -> int:
    return int(np.argmax(reached.mean(axis=1)))  # of equals the most cautious
