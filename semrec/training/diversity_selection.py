"""Selects the strength of diversity: the largest that costs hardly any NDCG on validation.

validation cases → lists as they are served, before a reranker → diversified at each strength
                 → the largest whose loss, with its whole interval, is at most 1 % of NDCG@10
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.config import Config
from semrec.data.catalog import Catalog
from semrec.errors import ConfigError, nearest
from semrec.fusion.fused import FusedBlocks
from semrec.metrics.ranking import ndcg
from semrec.metrics.significance import gain_interval
from semrec.pipeline.diversity import compared, diversified
from semrec.ranking.ranker import Ranker
from semrec.training.candidates import retrieve_candidates
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.job import Job
from semrec.training.preparation import Prepared
from semrec.training.weight_search import TuningCase
from semrec.types import RowArray

STRENGTHS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
CUTOFF, MAX_LOSS = 10, 0.01


def refuse_unknown_caps(config: Config, catalog: Catalog) -> None:
    """Check that the attributes of `diversity.max_per` are there.

    Raises:
        ConfigError: Naming the first that isn't, and the nearest.
    """
    for name in config.diversity.max_per:
        if name not in catalog.attributes:
            hint = nearest(name, catalog.attributes)
            raise ConfigError(f"diversity.max_per: no attribute {name!r} in the catalogue{hint}")


def select_diversity(
    prepared: Prepared, selected: EncoderSelection, ranker: Ranker | None, job: Job
) -> dict[str, Any]:
    """The strength, and the figures for the manifest; nothing unless `diversity.strength` is auto.

    Sessions and real requests decide together: apart they are too few to bound a loss so small.

    Args:
        prepared: The configuration.
        selected: The fusion with the tuned gate, and validation cases.
        ranker: Ranks the lists before they are diversified.
        job: Whom to tell.
    """
    config, sets = prepared.config, selected.sets
    if config.diversity.strength != "auto":
        return {}
    cases = [*sets.session, *sets.real]
    if len(cases) < config.fusion.min_cases:
        return {"strength": 0.0, "cases": len(cases)}
    job.report("select diversity", 0, 1)
    reached = ndcg_by_strength(cases, selected.trial, ranker)
    job.report("select diversity", 1, 1)
    return largest_strength(reached, [case.unit for case in cases], config.seed)


def ndcg_by_strength(
    cases: Sequence[TuningCase], fusion: FusedBlocks, ranker: Ranker | None
) -> NDArray[np.float64]:
    """(n_strengths, n_cases): NDCG of the cases' lists at each of `STRENGTHS`."""
    reached = np.zeros((len(STRENGTHS), len(cases)))
    heads = retrieve_candidates(fusion, cases, compared(CUTOFF), ranker)
    for column, (case, (_, rows, scores)) in enumerate(zip(cases, heads, strict=True)):
        vectors = fusion.text_vectors(rows)
        for line, strength in enumerate(STRENGTHS):
            listed = rows[diversified(scores, vectors, strength, CUTOFF)]
            reached[line, column] = _ndcg(listed, case)
    return reached


def largest_strength(
    reached: NDArray[np.float64], units: Sequence[str], seed: int
) -> dict[str, Any]:
    """The largest strength whose loss is small, and by strength NDCG and the gain's interval.

    Args:
        reached: (n_strengths, n_cases), as `ndcg_by_strength` gives it.
        units: The dialog or user of each case.
        seed: Of the resampling.
    """
    least = -MAX_LOSS * float(reached[0].mean())
    chosen, figures = 0.0, {}
    for strength, values in zip(STRENGTHS, reached, strict=True):
        low, high = gain_interval(reached[0], values, units, seed)
        if low >= least:
            chosen = strength
        figures[f"{strength:g}"] = {
            f"ndcg@{CUTOFF}": round(float(values.mean()), 6),
            "gain": [round(low, 6), round(high, 6)],
        }
    return {"strength": chosen, "cases": len(units), "tried": figures}


def _ndcg(listed: RowArray, case: TuningCase) -> float:
    ranks = 1 + np.flatnonzero(np.isin(listed, case.targets))
    return ndcg(ranks.tolist(), max(1, len(case.targets)), CUTOFF)
