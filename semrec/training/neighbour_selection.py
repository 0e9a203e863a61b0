"""Choosing the neighbours: kinds and options by the validation NDCG of the list they make alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from semrec.artifact.behavioural_models import fit_neighbours
from semrec.behaviour.ease import MAX_ITEMS
from semrec.behaviour.neighbours import Neighbours
from semrec.behaviour.null_model import NullVectorModel
from semrec.data.interactions import Interactions
from semrec.errors import ConfigError
from semrec.training.search_context import SearchContext
from semrec.training.weight_search import Weighed

ALONE = (1.0,)


@dataclass(frozen=True, kw_only=True)
class Near:
    """Fitted neighbours, their `kind`, `strength` and `decay`, and what they reach alone."""

    neighbours: Neighbours
    options: Mapping[str, Any]
    alone: Weighed

    @property
    def name(self) -> str:
        """For people: the kind and its numbers."""
        options = self.options
        return f"{options['kind']} strength {options['strength']:g} decay {options['decay']:g}"


def choose_neighbours(context: SearchContext) -> tuple[list[Near], tuple[str, ...]]:
    """All attempts in the order they were made, and notes on what was left out."""
    kinds, notes = _kinds(context)
    attempts: list[Near] = []
    for kind in kinds:
        attempts += _attempts(context, kind, may_skip=bool(attempts))
    return attempts, notes


def best_of_kinds(attempts: list[Near]) -> list[Near]:
    """The best of each kind: which is best alone need not be best beside the vectors."""
    best: dict[str, Near] = {}
    for attempt in attempts:
        kind = attempt.options["kind"]
        if kind not in best or attempt.alone.score > best[kind].alone.score:
            best[kind] = attempt
    return list(best.values())


def refit_neighbours(
    options: Mapping[str, Any], events: Interactions, context: SearchContext
) -> tuple[Neighbours, Mapping[str, Any]]:
    """The same kind and options fitted on other events, and the options as now stored."""
    context.job.report("fit neighbours", 0, 1)
    neighbours = fit_neighbours(
        options["kind"], events.matrix(), context.config.behaviour.neighbours, options
    )
    context.job.report("fit neighbours", 1, 1)
    return neighbours, {**options, "n_seen": neighbours.n_seen}


def _kinds(context: SearchContext) -> tuple[list[str], tuple[str, ...]]:
    """The kinds to try, and notes on those that are left out."""
    kind = context.config.behaviour.neighbours.kind
    kinds: list[str] = ["item_knn", "ease"] if kind == "auto" else [kind]
    notes = []
    if context.n_seen > MAX_ITEMS and "ease" in kinds:
        note = (
            f"EASE is left out: {context.n_seen} items have events, "
            f"it is fitted on at most {MAX_ITEMS}"
        )
        if kind == "ease":
            raise ConfigError(f"{note}; set behaviour.neighbours.kind to item_knn")
        kinds.remove("ease")
        notes.append(note)
    if kind == "none" or (kind == "auto" and not context.can_tell):
        return [], tuple(notes)
    return kinds, tuple(notes)


def _attempts(context: SearchContext, kind: str, *, may_skip: bool) -> list[Near]:
    """Strengths with a middle decay; then the best of them with the other decays.

    EASE's strengths are tried in their order as long as each is better than the one before: its
    NDCG has one peak, and a fit over 20,000 items takes minutes.

    Args:
        context: What to try them on.
        kind: ``ease`` or ``item_knn``.
        may_skip: Whether other neighbours are there already, should the time be up.
    """
    config = context.config.behaviour.neighbours
    middle = config.decay[len(config.decay) // 2]
    strengths = config.regularization if kind == "ease" else config.shrink
    total = len(strengths) + len(config.decay) - 1
    matrix = context.events.matrix()
    tried: list[Near] = []
    for strength in strengths:
        context.job.report(f"choose {kind}", len(tried), total)
        if (tried or may_skip) and (context.job.timed_out or not context.can_tell):
            break
        options: dict[str, Any] = {"kind": kind, "strength": strength, "decay": middle}
        fitted = fit_neighbours(kind, matrix, config, options)
        tried.append(_weighed(context, fitted, options))
        if kind == "ease" and len(tried) > 1 and tried[-1].alone.score < tried[-2].alone.score:
            break
    if not tried:
        return []
    best = max(tried, key=lambda attempt: attempt.alone.score)
    for decay in config.decay:
        context.job.report(f"choose {kind}", len(tried), total)
        if decay != middle and context.can_tell and not context.job.timed_out:
            other = replace(best.neighbours, decay=decay)  # of the session only: the fit stays
            tried.append(_weighed(context, other, {**best.options, "decay": decay}))
    context.job.report(f"choose {kind}", total, total)
    return tried


def _weighed(context: SearchContext, fitted: Neighbours, options: Mapping[str, Any]) -> Near:
    silent = NullVectorModel(n_items=context.events.n_items)
    return Near(
        neighbours=fitted,
        options={**options, "n_seen": fitted.n_seen},
        alone=context.weigh(silent, fitted, ALONE),
    )
