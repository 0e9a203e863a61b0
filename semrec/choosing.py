"""What is chosen on validation: the behavioural model's options, the fill, the gate's weights."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from semrec.assemble import fit_behaviour, load_behaviour
from semrec.config import Config
from semrec.data.interactions import Interactions
from semrec.data.splits import Split
from semrec.fusion.blocks import Block, FusedBlocks, fit_block, standardised_popularity
from semrec.fusion.fill import fill_from_text, strengthened
from semrec.fusion.gate import UNTUNED, Gate
from semrec.fusion.tune import tune_weights
from semrec.protocols import VectorModel
from semrec.tuning_cases import TuningSets
from semrec.types import Progress


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was chosen for the behavioural model."""

    regularization: float
    alpha: float
    decay: float


def fit(events: Interactions, config: Config, chosen: Options) -> VectorModel:
    """The configured behavioural model on these events."""
    return fit_behaviour(
        config.behaviour,
        events.matrix(),
        regularization=chosen.regularization,
        alpha=chosen.alpha,
        decay=chosen.decay,
        seed=config.seed,
    )


def fuse(
    semantic: Block, behaviour: VectorModel, events: Interactions, gate: Gate, config: Config
) -> FusedBlocks:
    """The blocks over these events; items without any are filled from their text."""
    seen = np.asarray(events.counts > 0)
    behavioural = fit_block(behaviour.item_vectors, seen)
    popularity = standardised_popularity(events.counts.astype(np.float32))
    if max(config.fusion.fill) > 0 and semantic.vectors.size:
        known = np.column_stack([behavioural.vectors, popularity])
        filled = fill_from_text(semantic.vectors, known, seen)
        behavioural = Block(vectors=filled[:, :-1], covariance=behavioural.covariance)
        popularity = filled[:, -1]
    return FusedBlocks(
        semantic=semantic,
        behavioural=behavioural,
        popularity=popularity,
        behaviour=behaviour,
        gate=gate,
        decay=config.fusion.decay,
    )


def choose_behaviour(
    validation: Split,
    sets: TuningSets,
    config: Config,
    report: Progress,
    deadline: float | None,
) -> Options:
    """The options with the best validation NDCG: first the fit's, then the session's decay."""
    options = config.behaviour
    fits = list(product(options.regularization, options.alpha))
    if options.kind == "pure_svd":
        fits = fits[:1]  # it has neither
    middle = options.decay[len(options.decay) // 2]
    cases = sets.session
    tried: list[tuple[float, Options, VectorModel]] = []
    empty = np.zeros((validation.train.n_items, 0), dtype=np.float32)
    silent = Block(vectors=empty, covariance=np.zeros((0, 0), np.float32))

    def enough() -> bool:
        timed_out = deadline is not None and time.monotonic() > deadline
        return bool(tried) and (timed_out or len(cases) < config.fusion.min_cases)

    def attempt(chosen: Options, model: VectorModel) -> None:
        fusion = fuse(silent, model, validation.train, UNTUNED, config)
        score = 0.0
        if cases:
            _, score = tune_weights(fusion, cases, cutoff=config.fusion.cutoff, semantic=False)
        tried.append((score, chosen, model))

    total = len(fits) + len(options.decay)
    for done, (regularization, alpha) in enumerate(fits):
        report("choose behaviour", done, total)
        if not enough():
            chosen = Options(regularization=regularization, alpha=alpha, decay=middle)
            attempt(chosen, fit(validation.train, config, chosen))
    _, best, model = max(tried, key=lambda attempted: attempted[0])
    for done, decay in enumerate(options.decay, start=len(fits)):
        report("choose behaviour", done, total)
        if decay != middle and not enough():
            chosen = replace(best, decay=decay)  # of the session only: the fit stays
            attempt(chosen, load_behaviour(options.kind, model.item_vectors, asdict(chosen)))
    report("choose behaviour", total, total)
    return max(tried, key=lambda attempted: attempted[0])[1]


def choose_fill(
    fusion: FusedBlocks,
    events: Interactions,
    sets: TuningSets,
    config: Config,
    report: Progress,
    deadline: float | None,
) -> tuple[float, FusedBlocks]:
    """How strongly text stands in for behaviour, and the blocks with that.

    Validation holds items that were new then, so it knows what boldness with them is worth.
    """
    cold, cases = events.counts == 0, sets.session
    options = config.fusion.fill if cold.any() else config.fusion.fill[:1]
    tried: list[tuple[float, float]] = []
    for done, strength in enumerate(options):
        report("choose fill", done, len(options))
        timed_out = deadline is not None and time.monotonic() > deadline
        if tried and (timed_out or len(cases) < config.fusion.min_cases):
            break
        bolder = strengthened(fusion, cold, strength)
        score = tune_weights(bolder, cases, cutoff=config.fusion.cutoff)[1] if cases else 0.0
        tried.append((score, -strength))
    report("choose fill", len(options), len(options))
    best = -max(tried)[1]  # of equals the most cautious
    return best, strengthened(fusion, cold, best)


def tune_gate(
    fusion: FusedBlocks, sets: TuningSets, config: Config, report: Progress
) -> tuple[Gate, dict[str, Any]]:
    """Weights for each kind of query, and what they reached on how many cases."""
    jobs = (
        ("baseline", sets.session, False),
        ("session", sets.session, True),
        ("words", sets.words, True),
        ("both", sets.both, True),
    )
    weights = {"baseline": UNTUNED.baseline, "session": UNTUNED.session}
    weights |= {"words": UNTUNED.words, "both": UNTUNED.both}
    tuned: dict[str, Any] = {"requests": sets.source}
    for done, (name, cases, semantic) in enumerate(jobs):
        report("tune fusion", done, len(jobs))
        tuned[name] = {"cases": len(cases)}
        if len(cases) < config.fusion.min_cases:
            tuned[name]["untuned"] = True
            continue
        weights[name], score = tune_weights(
            fusion, cases, cutoff=config.fusion.cutoff, semantic=semantic
        )
        tuned[name][f"ndcg@{config.fusion.cutoff}"] = round(score, 6)
    report("tune fusion", len(jobs), len(jobs))
    return Gate(**weights), tuned
