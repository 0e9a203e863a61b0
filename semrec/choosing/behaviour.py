"""Choosing the behavioural half: which vectors, and which neighbours beside them.

    vectors:     each kind with its options → NDCG of the list they make with popularity
    neighbours:  each kind with its options → NDCG of the list they make alone
    both:        is the list better with the best of a kind beside the vectors?

Everything is fitted on the validation split's training events and scored on next-item cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from semrec.assemble.behaviour import fit_neighbours
from semrec.behaviour.ease import MAX_ITEMS
from semrec.behaviour.neighbours import Neighbours
from semrec.behaviour.silent import Silent
from semrec.choosing.ground import Ground, checkpoint_of
from semrec.choosing.vectors import choose_vectors, refit_vectors
from semrec.data.interactions import Interactions
from semrec.errors import ConfigError
from semrec.protocols import VectorModel

_Found = tuple[float, Neighbours, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """A fitted behavioural half.

    Attributes:
        vectors: Fits an index.
        options: Its `kind` and options, as an artifact stores them.
        neighbours: Stand beside the vectors, or None.
        neighbour_options: Their `kind`, `strength`, `decay` and `n_seen`; empty without them.
        tried: What was tried and the validation NDCG it reached, best first.
        notes: What a reader should know, such as what was left out.
    """

    vectors: VectorModel
    options: Mapping[str, Any]
    neighbours: Neighbours | None
    neighbour_options: Mapping[str, Any]
    tried: Mapping[str, float]
    notes: tuple[str, ...]


def choose_behaviour(ground: Ground) -> Behaviour:
    """The behavioural half with the best validation NDCG."""
    attempts = choose_vectors(ground)
    best = attempts[0]
    tried = {attempt.name: attempt.score for attempt in reversed(attempts)}
    found, notes = _choose_neighbours(ground)
    neighbours: Neighbours | None = None
    options: dict[str, Any] = {}
    if found:
        tried |= {_name(given): score for score, _, given in found}
        beside = [
            (*ground.weigh(best.vectors, some), some, given)
            for some, given in _best_of_kinds(found)
        ]
        tried |= {f"{best.name} + {_name(given)}": score for _, score, _, given in beside}
        weights, _, some, given = max(beside, key=lambda one: one[1])
        if weights.neighbour_share > 0 or not ground.can_tell:
            neighbours, options = some, {**given, "n_seen": some.n_seen}
    ordered = sorted(tried.items(), key=lambda one: -one[1])
    return Behaviour(
        vectors=best.vectors,
        options=best.options,
        neighbours=neighbours,
        neighbour_options=options,
        tried={name: round(score, 6) for name, score in ordered},
        notes=notes,
    )


def refit(chosen: Behaviour, events: Interactions, ground: Ground) -> Behaviour:
    """What was chosen, fitted on `events`."""
    vectors, options = refit_vectors(chosen.options, events, ground)
    if chosen.neighbours is None:
        return replace(chosen, vectors=vectors, options=options)
    given = chosen.neighbour_options
    ground.report("fit neighbours", 0, 1)
    neighbours = fit_neighbours(
        given["kind"], events.matrix(), ground.config.behaviour.neighbours, given
    )
    ground.report("fit neighbours", 1, 1)
    return replace(
        chosen,
        vectors=vectors,
        options=options,
        neighbours=neighbours,
        neighbour_options={**given, "n_seen": neighbours.n_seen},
    )


def forget_checkpoints(chosen: Behaviour, events: Interactions, ground: Ground) -> None:
    """Remove what a killed training would have gone on from: it is done."""
    kind, epochs = chosen.options["kind"], chosen.options.get("epochs")
    for path in (
        checkpoint_of(kind, ground.events, ground, None),
        checkpoint_of(kind, events, ground, epochs),
    ):
        if path is not None:
            path.unlink(missing_ok=True)


def _choose_neighbours(
    ground: Ground,
) -> tuple[list[_Found], tuple[str, ...]]:
    """Score, neighbours and options of each attempt; and what was left out."""
    config, notes = ground.config.behaviour.neighbours, []
    kinds = ["item_knn", "ease"] if config.kind == "auto" else [config.kind]
    if ground.n_seen > MAX_ITEMS and "ease" in kinds:
        told = (
            f"EASE is left out: {ground.n_seen} items have events, "
            f"it is fitted on at most {MAX_ITEMS}"
        )
        if config.kind == "ease":
            raise ConfigError(f"{told}; set behaviour.neighbours.kind to item_knn")
        kinds.remove("ease")
        notes.append(told)
    if config.kind == "none" or (config.kind == "auto" and not ground.can_tell):
        return [], tuple(notes)
    matrix = ground.events.matrix()
    found: list[_Found] = []
    silent = Silent(n_items=ground.events.n_items)
    middle = config.decay[len(config.decay) // 2]
    for kind in kinds:
        strengths = config.regularization if kind == "ease" else config.shrink
        total = len(strengths) + len(config.decay) - 1
        tried: list[_Found] = []
        for strength in strengths:
            ground.report(f"choose {kind}", len(tried), total)
            if (tried or found) and (ground.timed_out or not ground.can_tell):
                break
            options: dict[str, Any] = {"kind": kind, "strength": strength, "decay": middle}
            fitted = fit_neighbours(kind, matrix, config, options)
            tried.append((ground.weigh(silent, fitted, (1.0,))[1], fitted, options))
        if not tried:
            continue
        _, fitted, options = max(tried, key=lambda one: one[0])
        for decay in config.decay:
            ground.report(f"choose {kind}", len(tried), total)
            if decay != middle and ground.can_tell and not ground.timed_out:
                other = replace(fitted, decay=decay)  # of the session only: the fit stays
                _, score = ground.weigh(silent, other, (1.0,))
                tried.append((score, other, {**options, "decay": decay}))
        ground.report(f"choose {kind}", total, total)
        found += tried
    return found, tuple(notes)


def _best_of_kinds(found: list[_Found]) -> list[tuple[Neighbours, dict[str, Any]]]:
    """The best of each kind: which is best alone need not be best beside the vectors."""
    best: dict[str, _Found] = {}
    for one in found:
        kind = one[2]["kind"]
        if kind not in best or one[0] > best[kind][0]:
            best[kind] = one
    return [(some, given) for _, some, given in best.values()]


def _name(options: Mapping[str, Any]) -> str:
    return f"{options['kind']} strength {options['strength']:g} decay {options['decay']:g}"
