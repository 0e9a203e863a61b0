"""Putting the signals side by side, and choosing how they are weighed."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from semrec.config import Config
from semrec.data.attributes import LabelledItems
from semrec.data.interactions import Interactions
from semrec.fusion.blocks import Block, fit_block, standardised_popularity
from semrec.fusion.fill import fill_from_text, strengthened
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import UNTUNED, Gate, Tilt
from semrec.fusion.learn import MOST, learn_tilt
from semrec.fusion.prototypes import fit_prototypes
from semrec.fusion.tune import cutoff_of, reduce_cases, tune_weights, weigh
from semrec.protocols import SparseModel, VectorModel
from semrec.statistics import standard_error
from semrec.tuning_cases import TuningSets
from semrec.types import FloatArray, Progress

NAMED_STRENGTHS = (0.0, 0.5, 1.0)
# Neighbours' shares in a fused list where the baseline is neighbours alone: vectors also know items
# without events and labels that a request names.
LEANING = (0.4, 0.7)


def fuse(
    semantic: Block,
    vectors: VectorModel,
    neighbours: SparseModel | None,
    events: Interactions,
    gate: Gate,
    config: Config,
    wanted: FloatArray | None = None,
    labelled: LabelledItems | None = None,
) -> FusedBlocks:
    """The blocks over these events; items without any are filled from their text.

    Args:
        semantic: The items' texts.
        vectors: The behavioural model's vectors.
        neighbours: What stands beside them.
        events: What they were learned from.
        gate: Sets the weights.
        config: Whether to fill from text.
        wanted: (n_items,) float32, in how many training dialogs an item was right; None: unknown.
        labelled: Which items have which labels; None: labels in the words are words.
    """
    seen = np.asarray(events.counts > 0)
    behavioural = fit_block(vectors.item_vectors, seen)
    popularity = standardised_popularity(events.counts.astype(np.float32))
    text_map = None
    if max(config.fusion.fill) > 0 and semantic.vectors.size:
        known = np.column_stack([behavioural.vectors, popularity])
        filled, text_map = fill_from_text(semantic.vectors, known, seen)
        behavioural = replace(behavioural, vectors=filled[:, :-1])
        popularity = filled[:, -1]
    prototypes = None
    if labelled is not None:
        prototypes = fit_prototypes(labelled, semantic, behavioural, seen)
    if wanted is None:
        wanted = np.zeros(len(popularity), dtype=np.float32)
    return FusedBlocks(
        semantic=semantic,
        behavioural=behavioural,
        popularity=popularity,
        domain=standardised_popularity(wanted),
        behaviour=vectors,
        gate=gate,
        decay=config.fusion.decay,
        neighbours=neighbours,
        text_map=text_map,
        prototypes=prototypes,
    )


def choose_fill(
    fusion: FusedBlocks,
    events: Interactions,
    sets: TuningSets,
    config: Config,
    report: Progress,
    deadline: float | None,
    neighbour_share: float,
) -> tuple[float, FusedBlocks]:
    """How strongly text stands in for behaviour, and the blocks with that.

    Validation holds items that were new then, so it knows what boldness with them is worth.
    """
    cold, cases = events.counts == 0, sets.session
    cutoff = cutoff_of(config.fusion.cutoff, cases)
    options = config.fusion.fill if cold.any() else config.fusion.fill[:1]
    tried: list[tuple[float, float]] = []
    for done, strength in enumerate(options):
        report("choose fill", done, len(options))
        timed_out = deadline is not None and time.monotonic() > deadline
        if tried and (timed_out or len(cases) < config.fusion.min_cases):
            break
        bolder = strengthened(fusion, cold, strength)
        shares = fused_shares(bolder, neighbour_share)
        score = 0.0
        if cases:
            score = tune_weights(bolder, cases, cutoff=cutoff, neighbour_shares=shares)[1]
        tried.append((score, -strength))
    report("choose fill", len(options), len(options))
    best = -max(tried)[1]  # of equals the most cautious
    return best, strengthened(fusion, cold, best)


def fused_shares(fusion: FusedBlocks, neighbour_share: float) -> tuple[float, ...]:
    """The neighbours' shares that a fused list may have: first that of the baseline."""
    may_lean = neighbour_share == 1.0 and fusion.behavioural.vectors.any()
    return (neighbour_share, *LEANING) if may_lean else (neighbour_share,)


def choose_named(
    fusion: FusedBlocks, sets: TuningSets, config: Config, neighbour_share: float
) -> FusedBlocks:
    """The blocks with labels that requests name pulling as strongly as real requests like it.

    An encoder that has learned from requests knows much of what labels say. Made-up requests can't
    tell: they name their target's labels, and always rightly.
    """
    real = [
        cases
        for name, cases in (("words", sets.words), ("both", sets.both))
        if cases and name not in sets.made_up
    ]
    if fusion.prototypes is None or not real:
        return fusion
    tried: list[tuple[float, float]] = []
    for strength in NAMED_STRENGTHS:
        pulled = replace(fusion, prototypes=replace(fusion.prototypes, strength=strength))
        scores = [
            tune_weights(
                pulled,
                cases,
                cutoff=cutoff_of(config.fusion.cutoff, cases),
                neighbour_shares=fused_shares(pulled, neighbour_share),
            )[1]
            for cases in real
        ]
        shares = [len(cases) for cases in real]
        tried.append((float(np.average(scores, weights=shares)), strength))
    return replace(fusion, prototypes=replace(fusion.prototypes, strength=max(tried)[1]))


def tune_gate(
    fusion: FusedBlocks,
    sets: TuningSets,
    config: Config,
    report: Progress,
    neighbour_share: float,
) -> tuple[Gate, dict[str, Any]]:
    """Weights and tilt for each kind of query, and what they reached on how many cases.

    Args:
        fusion: Its gate is not used.
        sets: The cases of each kind.
        config: How many cases are too few, and whether to learn a tilt.
        report: Called as kinds are tuned.
        neighbour_share: In behaviour, as it was chosen on more cases than these. Where it is 1 a
            fused list may lean on the vectors, if it is better by more than one standard error.
    """
    jobs = (
        ("baseline", sets.session, False),
        ("session", sets.session, True),
        ("words", sets.words, True),
        ("both", sets.both, True),
    )
    weights = {"baseline": UNTUNED.baseline, "session": UNTUNED.session}
    weights |= {"words": UNTUNED.words, "both": UNTUNED.both}
    tilts: dict[str, Tilt] = {}
    learnable = config.fusion.gate == "learned" and config.fusion.semantic
    tuned: dict[str, Any] = {"requests": sets.source}
    for done, (name, cases, semantic) in enumerate(jobs):
        report("tune fusion", done, len(jobs))
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
        found = weigh_with(neighbour_shares=(neighbour_share,))
        leaning = fused_shares(fusion, neighbour_share)[1:] if semantic else ()
        if leaning:
            other = weigh_with(neighbour_shares=leaning)
            gain = other.values - found.values
            if gain.mean() > standard_error(gain, [case.unit for case in cases]):
                found = other
        weights[name] = found.weights
        tuned[name][f"ndcg@{cutoff}"] = round(found.score, 6)
        # Made-up requests are all alike: how weights should vary with the words, they can't say.
        if semantic and learnable and name not in sets.made_up:
            tilt, learned, fixed = learn_tilt(
                weights[name],
                list(reduce_cases(fusion, cases[:MOST])),
                [case.unit for case in cases[:MOST]],
                cutoff=cutoff,
            )
            tuned[name] |= {"learned": round(learned, 6), "fixed": round(fixed, 6)}
            if tilt is not None:
                tilts[name] = tilt
    report("tune fusion", len(jobs), len(jobs))
    return Gate(**weights, tilts=tilts), tuned
