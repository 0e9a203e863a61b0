"""Independent behavioural baselines, tuned on validation: what fusion has to beat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semrec.artifact.behavioural_models import fit_baseline
from semrec.config import Config
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.data.splits import (
    SESSION_LENGTHS,
    leave_out_last,
    next_item_cases,
    shorten,
    time_split,
)
from semrec.errors import DataError
from semrec.index.exact import top_rows
from semrec.metrics.ranking import scores_at
from semrec.pipeline.resolve import resolve
from semrec.protocols import Scorer
from semrec.types import Case, Item, Progress, Query, Recommendations, Trace

STRENGTHS: Mapping[str, Sequence[float]] = {
    "ease": (50.0, 100.0, 300.0, 1000.0),
    "item_knn": (0.0, 10.0, 50.0),
    "popularity": (0.0,),
}
DECAYS = (0.7, 0.8, 0.9, 1.0)
TUNING_CASES = 1000


@dataclass(frozen=True, kw_only=True)
class ScoredBaseline:
    """A `Scorer` that answers queries as the recommender's own baseline does.

    Words are ignored; never-seen items are left out; equal scores (an empty session, say) fall
    back to popularity.
    """

    name: str
    scorer: Scorer
    catalog: Catalog
    interactions: Interactions

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers to `queries`, in their order."""
        return [self._recommend(query) for query in queries]

    def _recommend(self, query: Query) -> Recommendations:
        resolved = resolve(query, self.catalog, self.interactions)
        counts = self.interactions.counts
        scores = self.scorer.scores(resolved.session).astype(np.float64)
        scale = float(np.abs(scores).max()) or 1.0
        scores = scores / scale + 1e-9 * counts / max(1, counts.max())
        permitted = counts > 0
        if resolved.allowed is not None:
            permitted &= resolved.allowed.mask
        permitted[resolved.excluded] = False
        rows = np.flatnonzero(permitted)
        rows, best = top_rows(rows, scores[rows].astype(np.float64), query.k)
        items = tuple(
            Item(self.catalog.item_ids[row], self.catalog.titles[row], float(score), rank)
            for rank, (row, score) in enumerate(zip(rows, best, strict=True), start=1)
        )
        return Recommendations(
            items=items, trace=Trace(weights={}, timings_ms={}, notes=resolved.notes)
        )


def tuned_baseline(
    name: str,
    interactions: Interactions,
    catalog: Catalog,
    config: Config,
    progress: Progress | None = None,
    lengths: Sequence[int] = SESSION_LENGTHS,
) -> ScoredBaseline:
    """Fit a baseline, its strength and decay chosen on the newest part of `interactions`.

    Args:
        name: ``popularity``, ``item_knn`` or ``ease``.
        interactions: What it may learn from.
        catalog: The items.
        config: The split and the seed.
        progress: Called as options are tried.
        lengths: Of the sessions it will be asked with; those it is tuned on are drawn from them.
    """
    strengths = STRENGTHS.get(name, (0.0,))
    rng = np.random.default_rng(config.seed)
    strength, decay = strengths[0], 1.0
    if len(strengths) > 1:
        try:
            split = (
                time_split(interactions, config.split.valid_share)
                if interactions.clock
                else leave_out_last(interactions)
            )
        except DataError:  # too little to hold anything out
            split = None
        if split is not None:
            longest = max([*lengths, 1])
            cases = next_item_cases(split, catalog, max_session=longest, rng=rng)
            cases = [case for case in cases if case.query.session]
            drawn = rng.permutation(len(cases))[:TUNING_CASES]
            sample = shorten([cases[i] for i in drawn], rng, lengths)
            strength, decay = _choose(name, split.train, catalog, sample, progress)
    scorer = fit_baseline(name, interactions.matrix(), strength=strength, decay=decay)
    return ScoredBaseline(name=name, scorer=scorer, catalog=catalog, interactions=interactions)


def _choose(
    name: str,
    train: Interactions,
    catalog: Catalog,
    cases: Sequence[Case],
    progress: Progress | None,
) -> tuple[float, float]:
    """The strength and decay with the best mean NDCG@10 on `cases`."""
    matrix, tried = train.matrix(), []
    strengths = STRENGTHS[name]
    for done, strength in enumerate(strengths):
        if progress:
            progress(f"tune {name}", done, len(strengths))
        fitted = fit_baseline(name, matrix, strength=strength)
        for decay in DECAYS:
            scorer = replace(fitted, decay=decay)  # type: ignore[type-var]
            system = ScoredBaseline(name=name, scorer=scorer, catalog=catalog, interactions=train)
            tried.append((_mean_ndcg(system, cases), strength, decay))
    if progress:
        progress(f"tune {name}", len(strengths), len(strengths))
    _, strength, decay = max(tried)
    return strength, decay


def _mean_ndcg(system: ScoredBaseline, cases: Sequence[Case]) -> float:
    answers = system.recommend_many(case.query for case in cases)
    lists = [[item.item_id for item in answer.items] for answer in answers]
    return float(scores_at(10, lists, [case.relevant for case in cases]).mean()) if cases else 0.0
