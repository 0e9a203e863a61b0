"""Choosing the behavioural half: neighbours alone, vectors alone, or both.

    neighbours:  each kind with its options → NDCG of the list they make with popularity
    vectors:     each kind with its options → the same
    mixture:     the best vectors and the best neighbours of each kind → the same, by their share
    network:     SASRec, alone and with neighbours, where `network_minutes` are allowed

Everything is fitted on the validation split's training events and scored on next-item cases. The
best of each goes on; of these the simplest whose NDCG is within one standard error of the best
one's is taken (the 1-SE rule of Breiman et al. 1984, Classification and Regression Trees, §3.4.3),
in the order above. The standard error is that of the paired difference, over users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.behaviour.neighbours import Neighbours
from semrec.data.interactions import Interactions
from semrec.fusion.gate import UNTUNED, Weights
from semrec.metrics.significance import standard_error
from semrec.protocols import VectorModel
from semrec.training.neighbour_selection import (
    Near,
    best_of_kinds,
    choose_neighbours,
    refit_neighbours,
)
from semrec.training.search_context import SearchContext, checkpoint_of
from semrec.training.vector_models import (
    NETWORK,
    Attempt,
    choose_network,
    choose_vectors,
    refit_vectors,
)
from semrec.training.weight_search import NEIGHBOUR_SHARES, Weighed

MIXED = tuple(share for share in NEIGHBOUR_SHARES if 0 < share < 1)


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A fitted behavioural half.

    Attributes:
        vectors: Fits an index. Where neighbours speak alone they weigh nothing in the
            baseline, but a fused list may lean on them: they place items without events, and
            labels that a request names.
        options: Its `kind` and options, as an artifact stores them.
        neighbours: Stand beside the vectors, or None.
        neighbour_options: Their `kind`, `strength`, `decay` and `n_seen`; empty without them.
        weights: Of the list without words, as validation likes them.
        taken: The name of what was taken, as in `tried`.
        tried: What was tried and the validation NDCG it reached, best first.
        notes: What a reader should know, such as what was left out.
    """

    vectors: VectorModel
    options: Mapping[str, Any]
    neighbours: Neighbours | None
    neighbour_options: Mapping[str, Any]
    weights: Weights
    taken: str
    tried: Mapping[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A candidate for the behavioural half.

    Attributes:
        name: For people.
        vectors: Speak alone, or beside the neighbours, or not at all.
        near: The neighbours, or None.
        weighed: The weights with which validation likes it best, and what they reach.
    """

    name: str
    vectors: Attempt
    near: Near | None
    weighed: Weighed


def select_behaviour(context: SearchContext) -> Behaviour:
    """The behavioural half that validation likes best, or a simpler one as good."""
    attempts = choose_vectors(context)
    near, notes = choose_neighbours(context)
    candidates = _candidates(attempts[0], near, context)
    tried = {attempt.name: attempt.score for attempt in reversed(attempts)}
    tried |= {option.name: option.alone.score for option in near}
    network = choose_network(context)
    if network is not None:
        candidates += _with_vectors(network, near, context, MIXED)
    tried |= {candidate.name: candidate.weighed.score for candidate in candidates}
    taken, weights = candidates[-1], UNTUNED.baseline
    if context.can_tell:
        taken = simplest(candidates, [case.unit for case in context.cases])
        weights = taken.weighed.weights
    beside = taken.near if weights.neighbour_share > 0 else None
    ordered = sorted(tried.items(), key=lambda pair: -pair[1])
    return Behaviour(
        vectors=taken.vectors.vectors,
        options=taken.vectors.options,
        neighbours=None if beside is None else beside.neighbours,
        neighbour_options={} if beside is None else beside.options,
        weights=weights,
        taken=taken.name,
        tried={name: round(score, 6) for name, score in ordered},
        notes=notes,
    )


def simplest(candidates: Sequence[Candidate], units: Sequence[str]) -> Candidate:
    """The first that is within one standard error of the best.

    Args:
        candidates: The simplest first; all weighed on the same cases.
        units: (n_cases,) the user of each case.
    """
    best = max(candidates, key=lambda candidate: candidate.weighed.score)  # of equals the first

    def is_as_good(candidate: Candidate) -> bool:
        worse: NDArray[np.float64] = best.weighed.values - candidate.weighed.values
        return float(worse.mean()) <= standard_error(worse, units)

    return next(candidate for candidate in candidates if candidate is best or is_as_good(candidate))


def refit(chosen: Behaviour, events: Interactions, context: SearchContext) -> Behaviour:
    """The selected behaviour, fitted on `events`."""
    vectors, options = refit_vectors(chosen.options, events, context)
    if chosen.neighbours is None:
        return replace(chosen, vectors=vectors, options=options)
    neighbours, given = refit_neighbours(chosen.neighbour_options, events, context)
    return replace(
        chosen, vectors=vectors, options=options, neighbours=neighbours, neighbour_options=given
    )


def forget_checkpoints(chosen: Behaviour, events: Interactions, context: SearchContext) -> None:
    """Remove what a killed training would have gone on from: it is done."""
    kind, epochs = chosen.options["kind"], chosen.options.get("epochs")
    for path in (
        checkpoint_of(kind, context.events, context, None),
        checkpoint_of(kind, events, context, epochs),
        checkpoint_of(NETWORK, context.events, context, None),  # tried, perhaps not taken
    ):
        if path is not None:
            path.unlink(missing_ok=True)


def _candidates(vectors: Attempt, near: list[Near], context: SearchContext) -> list[Candidate]:
    """The simplest first: neighbours alone, vectors alone, mixtures.

    Vectors that the configuration asks for by name are given up only if a mixture does best where
    nothing is left of them.
    """
    kind = context.config.behaviour.kind
    if kind not in ("auto", "none"):
        return _with_vectors(vectors, near, context, NEIGHBOUR_SHARES[1:])
    best = sorted(best_of_kinds(near), key=lambda option: -option.alone.score)
    alone = [Candidate(name=n.name, vectors=vectors, near=n, weighed=n.alone) for n in best[:1]]
    if kind == "auto":
        return [*alone, *_with_vectors(vectors, near, context, MIXED)]
    nothing = Candidate(name=vectors.name, vectors=vectors, near=None, weighed=vectors.alone)
    return [nothing, *alone]


def _with_vectors(
    vectors: Attempt, near: list[Near], context: SearchContext, shares: Sequence[float]
) -> list[Candidate]:
    """The vectors alone, then with the neighbours of each kind at the best of `shares`."""
    alone = Candidate(name=vectors.name, vectors=vectors, near=None, weighed=vectors.alone)
    mixed = [
        Candidate(
            name=f"{vectors.name} + {option.name}",
            vectors=vectors,
            near=option,
            weighed=context.weigh(vectors.vectors, option.neighbours, shares),
        )
        for option in best_of_kinds(near)
    ]
    return [alone, *sorted(mixed, key=lambda candidate: -candidate.weighed.score)]
