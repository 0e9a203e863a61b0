"""Choosing the vector model: kinds and options by the validation NDCG of the list they make."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from semrec.artifact.behavioural_models import (
    QUICK,
    SEQUENCE_MODELS,
    SequenceFit,
    fit_behaviour,
    load_behaviour,
    options_of,
    state_of,
)
from semrec.data.interactions import Interactions
from semrec.environment.ranks import from_main_rank
from semrec.metrics.ranking import ndcg
from semrec.protocols import VectorModel
from semrec.training.search_context import SearchContext, checkpoint_of
from semrec.training.weight_search import Weighed

if TYPE_CHECKING:
    from semrec.behaviour.sequential import SequenceModel

STOPPING_CUTOFF, CHUNK = 10, 256
NETWORK = "sasrec"  # what `auto` trains where minutes are allowed


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A fitted vector model, its `kind` and options, and what it reaches alone."""

    vectors: VectorModel
    options: Mapping[str, Any]
    alone: Weighed

    @property
    def score(self) -> float:
        """Its NDCG."""
        return self.alone.score

    @property
    def name(self) -> str:
        """For people: the kind and its numbers."""
        numbers = [f"{k} {v:g}" for k, v in self.options.items() if isinstance(v, int | float)]
        return " ".join([str(self.options["kind"]), *numbers])


def choose_vectors(context: SearchContext) -> list[Attempt]:
    """All attempts, the best first."""
    kind = context.config.behaviour.kind
    tried: list[Attempt] = []
    for each in QUICK if kind == "auto" else (kind,):
        if not tried or (context.can_tell and not context.job.timed_out):
            tried += (
                [_sequence(context, each)] if each in SEQUENCE_MODELS else _quick(context, each)
            )
    return sorted(tried, key=lambda attempt: -attempt.score)  # of equals the first tried


def choose_network(context: SearchContext) -> Attempt | None:
    """SASRec beside what is quick, where `auto` may take so many minutes; else None."""
    behaviour = context.config.behaviour
    if behaviour.kind != "auto" or behaviour.network_minutes is None:
        return None
    # All ranks train it, or none: their clocks aren't the same.
    if from_main_rank(context.job.timed_out or not context.can_tell):
        return None
    return _sequence(context, NETWORK)


def refit_vectors(
    options: Mapping[str, Any], events: Interactions, context: SearchContext
) -> tuple[VectorModel, Mapping[str, Any]]:
    """The same kind and options fitted on other events, and the options as now stored."""
    kind = options["kind"]
    vectors = fit_behaviour(
        kind,
        events,
        context.config.behaviour,
        options,
        seed=context.job.seed,
        fit=SequenceFit(
            labels=context.labels,
            checkpoint=checkpoint_of(kind, events, context, options.get("epochs")),
            deadline=_until(context),
            report=context.job.report,
        ),
    )
    return vectors, {**options, **options_of(vectors)}


def _quick(context: SearchContext, kind: str) -> list[Attempt]:
    """First what the fit depends on, with a middle decay; then the best of these with others."""
    config = context.config.behaviour
    stage = f"choose {kind}"
    decays = config.decay if kind != "none" else [1.0]
    middle = decays[len(decays) // 2]
    fits: list[dict[str, Any]] = [{"kind": kind, "decay": middle}]
    if kind == "als":
        pairs = product(config.regularization, config.alpha)
        fits = [{**fits[0], "regularization": r, "alpha": a} for r, a in pairs]
    total = len(fits) + len(decays) - 1
    tried: list[Attempt] = []
    for options in fits:
        context.job.report(stage, len(tried), total)
        if tried and (context.job.timed_out or not context.can_tell):
            break
        vectors = fit_behaviour(kind, context.events, config, options, seed=context.config.seed)
        tried.append(Attempt(vectors=vectors, options=options, alone=context.weigh(vectors)))
    best = max(tried, key=lambda attempt: attempt.score)
    arrays = state_of(best.vectors)
    for decay in decays:
        context.job.report(stage, len(tried), total)
        if decay != middle and context.can_tell and not context.job.timed_out:
            options = {**best.options, "decay": decay}  # of the session only: the fit stays
            vectors = load_behaviour(arrays, options)
            tried.append(Attempt(vectors=vectors, options=options, alone=context.weigh(vectors)))
    context.job.report(stage, total, total)
    return tried


def _sequence(context: SearchContext, kind: str) -> Attempt:
    """One training that validation stops. It has half the time: it is trained once more."""
    config = context.config.behaviour
    options: dict[str, Any] = {"kind": kind, "decay": config.decay[len(config.decay) // 2]}
    deadline = _until(context)
    if deadline is not None and deadline == context.job.deadline:
        deadline = (time.monotonic() + deadline) / 2
    vectors = fit_behaviour(
        kind,
        context.events,
        config,
        options,
        seed=context.job.seed,
        fit=SequenceFit(
            labels=context.labels,
            validate=(lambda model: _stopping_score(model, context)) if context.can_tell else None,
            checkpoint=checkpoint_of(kind, context.events, context, None),
            deadline=deadline,
            report=context.job.report,
        ),
    )
    trained = options_of(vectors)["trained"]
    options["epochs"] = trained["best_epoch"]
    return Attempt(vectors=vectors, options=options, alone=context.weigh(vectors))


def _until(context: SearchContext) -> float | None:
    """The end of a training; one that `auto` may take has half of its minutes from now."""
    behaviour = context.config.behaviour
    if behaviour.kind != "auto" or behaviour.network_minutes is None:
        return context.job.deadline
    return context.job.until(behaviour.network_minutes / 2)


def _stopping_score(model: SequenceModel, context: SearchContext) -> float:
    """Mean NDCG@10 of the model's own list, without popularity."""
    unseen = np.flatnonzero(context.events.counts == 0)
    values = []
    for start in range(0, len(context.cases), CHUNK):
        chunk = context.cases[start : start + CHUNK]
        queries = model.session_vectors([case.session.rows for case in chunk])
        for case, scores in zip(chunk, queries @ model.item_vectors.T, strict=True):
            scores[unseen] = -np.inf
            scores[case.excluded] = -np.inf
            reachable = case.targets[np.isfinite(scores[case.targets])]
            ahead = np.sort([(scores > scores[row]).sum() for row in reachable])
            values.append(ndcg(ahead + 1, max(1, len(case.targets)), STOPPING_CUTOFF))
    return float(np.mean(values))
