"""Puts the signals side by side, and tunes how they are weighed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.config import Config
from semrec.data.attributes import LabelledItems
from semrec.data.interactions import Interactions
from semrec.fusion.blocks import Block
from semrec.fusion.fitting import (
    fit_block,
    fit_label_centroids,
    impute_from_text,
    standardised_popularity,
)
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import UNTUNED, Gate
from semrec.metrics.significance import standard_error
from semrec.protocols import SparseModel, VectorModel
from semrec.training.validation_queries import TuningSets
from semrec.training.weight_search import (
    TuningCase,
    cutoff_of,
    ndcg_of,
    reduce_cases,
    weigh,
)
from semrec.types import FloatArray, Progress

NAMED_STRENGTHS = (0.0, 0.5, 1.0)
UNIT_CASES, UNIT_ITEMS, BEHAVIOUR = 200, 10, 3  # BEHAVIOUR: its column in `Candidates.signals`
# Neighbours' shares in a fused list where the baseline is neighbours alone: vectors also know items
# without events and labels that a request names.
LEANING = (0.4, 0.7)


def fuse(
    semantic: Block,
    vectors: VectorModel,
    neighbours: SparseModel | None,
    events: Interactions,
    config: Config,
    wanted: FloatArray | None = None,
    labelled: LabelledItems | None = None,
) -> FusedBlocks:
    """The blocks over these events, by default weights; items without any are filled from text.

    Args:
        semantic: The items' texts.
        vectors: The behavioural model's vectors.
        neighbours: What stands beside them.
        events: What they were learned from.
        config: Whether to fill from text.
        wanted: (n_items,) float32, in how many training dialogs an item was right; None: unknown.
        labelled: Which items have which labels; None: labels in the words are words.
    """
    seen = np.asarray(events.counts > 0)
    behavioural = fit_block(vectors.item_vectors, seen)
    popularity = standardised_popularity(events.counts.astype(np.float32))
    text_map = None
    if config.fusion.fill and semantic.vectors.size:
        known = np.column_stack([behavioural.vectors, popularity])
        filled, text_map = impute_from_text(semantic.vectors, known, seen)
        behavioural = replace(behavioural, vectors=filled[:, :-1])
        popularity = filled[:, -1]
    label_centroids = None
    if labelled is not None:
        label_centroids = fit_label_centroids(labelled, semantic, behavioural, seen)
    if wanted is None:
        wanted = np.zeros(len(popularity), dtype=np.float32)
    return FusedBlocks(
        semantic=semantic,
        behavioural=behavioural,
        popularity=popularity,
        domain=standardised_popularity(wanted),
        behaviour=vectors,
        gate=UNTUNED,
        decay=config.fusion.decay,
        neighbours=neighbours,
        text_map=text_map,
        label_centroids=label_centroids,
    )


def fused_shares(fusion: FusedBlocks, neighbour_share: float) -> tuple[float, ...]:
    """The neighbours' shares that a fused list may have: first that of the baseline."""
    may_lean = neighbour_share == 1.0 and fusion.behavioural.vectors.any()
    return (neighbour_share, *LEANING) if may_lean else (neighbour_share,)


def choose_named(fusion: FusedBlocks, sets: TuningSets, config: Config) -> FusedBlocks:
    """The blocks with labels that requests name pulling as strongly as real requests like it.

    An encoder that has learned from requests knows much of what labels say. Synthetic requests
    can't tell: they name their target's labels, and always rightly.
    """
    real = sets.real
    if fusion.label_centroids is None or not real:
        return fusion
    cutoff = cutoff_of(config.fusion.cutoff, real)
    tried: list[tuple[float, float]] = []
    for strength in NAMED_STRENGTHS:
        pulled = replace(fusion, label_centroids=replace(fusion.label_centroids, strength=strength))
        tried.append((mean_ndcg(pulled, real, cutoff), strength))
    return replace(fusion, label_centroids=replace(fusion.label_centroids, strength=max(tried)[1]))


def ndcg_by_case(
    fusion: FusedBlocks, cases: Sequence[TuningCase], cutoff: int
) -> NDArray[np.float64]:
    """(n_cases,): NDCG of the cases' fused lists at the gate's weights."""
    return np.array(
        [
            ndcg_of(candidates.scores(fusion.gate)[:, None], candidates, cutoff)[0]
            for candidates in reduce_cases(fusion, cases)
        ]
    )


def mean_ndcg(fusion: FusedBlocks, cases: Sequence[TuningCase], cutoff: int) -> float:
    """Mean of `ndcg_by_case`; 0 without cases."""
    return float(ndcg_by_case(fusion, cases, cutoff).mean()) if cases else 0.0


def tune_gate(
    fusion: FusedBlocks,
    sets: TuningSets,
    config: Config,
    neighbour_share: float,
    report: Progress,
) -> tuple[Gate, dict[str, Any]]:
    """The gate with weights of sessions by NDCG; mixes of requests in words stay as they are.

    Args:
        fusion: Its gate's mixes are the defaults.
        sets: Validation cases.
        config: What may be tuned.
        neighbour_share: In behaviour, as it was chosen on more cases than these. Where it is 1 a
            fused list may lean on the vectors, if it is better by more than one standard error.
        report: Called as work proceeds.

    Returns:
        The gate, and what was reached on how many cases.
    """
    tuned: dict[str, Any] = {"requests": sets.source}
    cases, n_jobs = sets.session, 3
    weights = {"baseline": UNTUNED.baseline, "session": UNTUNED.session}
    for done, (name, semantic) in enumerate((("baseline", False), ("session", True))):
        report("tune fusion", done, n_jobs)
        tuned[name] = {"cases": len(cases)}
        if len(cases) < config.fusion.min_cases:
            tuned[name]["untuned"] = True
            continue
        cutoff = cutoff_of(config.fusion.cutoff, cases)
        weigh_with = partial(
            weigh,
            fusion,
            cases,
            cutoff=cutoff,
            semantic=semantic and config.fusion.semantic,
            domain=semantic,
        )
        weighed = weigh_with(neighbour_shares=(neighbour_share,))
        leaning = fused_shares(fusion, neighbour_share)[1:] if semantic else ()
        if leaning:
            other = weigh_with(neighbour_shares=leaning)
            gain = other.values - weighed.values
            if gain.mean() > standard_error(gain, [case.unit for case in cases]):
                weighed = other
        weights[name] = weighed.weights
        tuned[name][f"ndcg@{cutoff}"] = round(weighed.score, 6)
    gate = replace(
        fusion.gate,
        session=weights["session"],
        baseline=weights["baseline"],
        behaviour_unit=behaviour_unit(fusion, cases, weights["session"].neighbour_share),
        words_floor=config.fusion.words_floor,
    )
    if not config.fusion.semantic:
        gate = without_words(gate)
    report("tune fusion", 2, n_jobs)
    tuned |= reached_in_words(replace(fusion, gate=gate), sets, config)
    report("tune fusion", n_jobs, n_jobs)
    return gate, tuned


def reached_in_words(fusion: FusedBlocks, sets: TuningSets, config: Config) -> dict[str, Any]:
    """NDCG of requests in words, on how many cases; for the manifest."""
    figures = {}
    for name, cases in (("words", sets.words), ("both", sets.both)):
        cutoff = cutoff_of(config.fusion.cutoff, cases)
        reached = mean_ndcg(fusion, cases, cutoff)
        figures[name] = {"cases": len(cases), f"ndcg@{cutoff}": round(reached, 6)}
    return figures


def behaviour_unit(
    fusion: FusedBlocks, cases: Sequence[TuningCase], neighbour_share: float
) -> float:
    """Mean behavioural score of a session's ten best items; 1 if nothing is known.

    Neighbours' scores stand far out, vectors' don't: in this unit a weight means the same for both.
    """
    best = []
    for reduced in reduce_cases(fusion, cases[:UNIT_CASES]):
        scores = reduced.signals(neighbour_share)[:, BEHAVIOUR]
        if scores.any():
            best.append(float(np.sort(scores)[-UNIT_ITEMS:].mean()))
    return float(np.mean(best)) if best else 1.0


def without_words(gate: Gate) -> Gate:
    """The gate of an ablation: words and texts weigh nothing, and the floor is off."""
    from_words = ["words", "lexical", "texts"]
    return replace(
        gate,
        topical=gate.topical.without(from_words),
        conversational=gate.conversational.without(from_words),
        words_floor=0.0,
    )
