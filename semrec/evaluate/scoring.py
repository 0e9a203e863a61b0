"""From lists that were answered to a report: metrics, intervals, pairs, slices, examples."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.errors import DataError
from semrec.evaluate.beyond_accuracy import beyond_accuracy
from semrec.evaluate.examples import Example, examples_of
from semrec.evaluate.report import Pair, Report, Row
from semrec.evaluate.runners import Answered, faults_of
from semrec.evaluate.slices import Families, Slice, at_places, measure
from semrec.evaluate.yardsticks import (
    ASKED_FOR,
    LIKED,
    METRIC,
    by_kind,
    is_text,
    text_among,
)
from semrec.metrics.ranking import METRICS, ranks_of
from semrec.metrics.significance import (
    N_RESAMPLES,
    Estimate,
    Values,
    bootstrap_means,
    estimate,
    holm,
    interval,
    percentiles,
    permutation_ps,
)
from semrec.types import Case

Lists = Mapping[str, Sequence[Sequence[str]]]
"""System → for each case its item ids, best first."""


def summarise(
    lists: Lists,
    cases: Sequence[Case],
    *,
    k: int,
    seed: int,
    behavioural: Sequence[str],
    cutoffs: Sequence[int] = (),
    n_items: int | None = None,
    catalog: Catalog | None = None,
    interactions: Interactions | None = None,
    answered: Mapping[str, Answered] | None = None,
    notes: Sequence[str] = (),
    versions: Mapping[str, str] | None = None,
    slices: Families | None = None,
) -> Report:
    """Score lists that were answered before.

    What somebody liked is measured by NDCG against behavioural-only, what was asked for, topic
    cases, by precision against `text`. Where there are both, each has a report of its own.

    Args:
        lists: System → for each case its item ids, best first.
        cases: The cases, in the same order; those without relevant items are counted only.
        k: Cutoff.
        seed: Of the resampling.
        behavioural: Names of the behavioural-only systems.
        cutoffs: Others at which metrics are shown.
        n_items: Size of the catalogue, for coverage.
        catalog: Titles for examples, labels for diversity.
        interactions: With `catalog`, for novelty and popularity.
        answered: System → how it answered: errors, latency, budget.
        notes: What the reader should know.
        versions: System → version of its artifact.
        slices: Places in `cases` on which the systems are compared by themselves.

    Raises:
        DataError: If no case has a relevant item.
    """
    shared: dict[str, Any] = {
        "k": k,
        "seed": seed,
        "behavioural": behavioural,
        "cutoffs": cutoffs,
        "n_items": n_items,
        "catalog": catalog,
        "interactions": interactions,
        "versions": versions,
    }
    places = by_kind(cases)
    kinds = [kind for kind, own in places.items() if any(cases[place].relevant for place in own)]
    if not kinds:
        raise DataError(f"none of the {len(cases)} cases has a relevant item: nothing to score")
    if len(kinds) == 1:
        return _of_one_kind(
            kinds[0],
            lists,
            cases,
            slices=slices or {},
            answered=answered,
            notes=notes,
            **shared,
        )

    def own(kind: str, **options: Any) -> Report:  # noqa: ANN401
        at = places[kind]
        return _of_one_kind(
            kind,
            {name: [answers[place] for place in at] for name, answers in lists.items()},
            [cases[place] for place in at],
            slices=at_places(slices or {}, at),
            **options,
            **shared,
        )

    liked = own(LIKED, answered=answered, notes=notes)
    asked_for = own(ASKED_FOR, candidate=liked.candidate)
    return replace(liked, asked_for=asked_for, cases_hash=hash_of(cases))


def _of_one_kind(
    kind: str,
    lists: Lists,
    cases: Sequence[Case],
    *,
    k: int,
    seed: int,
    behavioural: Sequence[str],
    cutoffs: Sequence[int],
    n_items: int | None,
    catalog: Catalog | None,
    interactions: Interactions | None,
    versions: Mapping[str, str] | None,
    slices: Families,
    answered: Mapping[str, Answered] | None = None,
    notes: Sequence[str] = (),
    candidate: str | None = None,
) -> Report:
    """The report on cases that are measured by one yardstick."""
    metric = METRIC[kind]
    scored = [place for place, case in enumerate(cases) if case.relevant]
    units = [cases[place].unit for place in scored]
    names = list(lists)
    cutoffs = sorted({k, *cutoffs})
    values = _values(lists, [cases[place] for place in scored], scored, cutoffs)
    flat = values.reshape(-1, len(scored))
    samples = bootstrap_means(flat, units, np.random.default_rng(seed))
    samples = samples.reshape(-1, *values.shape[:-1])
    rows = []
    for place, name in enumerate(names):
        at = {
            cutoff: {
                metric: estimate(values[c, m, place], samples[:, c, m, place])
                for m, metric in enumerate(METRICS)
            }
            for c, cutoff in enumerate(cutoffs)
        }
        own = [lists[name][case][:k] for case in scored]
        shown = {item_id for one in own for item_id in one}
        beyond = {}
        if catalog is not None and interactions is not None:
            beyond = beyond_accuracy(own, k, catalog, interactions.counts)
        how = (answered or {}).get(name)
        rows.append(
            Row(
                system=name,
                metrics=at[k],
                coverage=len(shown) / n_items if n_items else None,
                at=at,
                beyond=beyond,
                latency_ms=_percentiles(how),
                faults=faults_of(how, k, catalog) if how else {},
                budget_ms=how.budget_ms if how else None,
            )
        )
    main = (cutoffs.index(k), list(METRICS).index(metric))
    measured, resampled = values[main], samples[:, main[0], main[1]]
    by_name = dict(zip(names, measured, strict=True))
    best = max(
        (name for name in names if name in behavioural),
        key=lambda name: by_name[name].mean(),
        default=None,
    )
    reference, candidate = _opponents(by_name, best, behavioural, kind, candidate)
    parts: list[Slice] = []
    worded: list[Slice] = []
    examples: tuple[Example, ...] = ()
    if reference is not None and candidate is not None:
        opponents = (by_name, reference, candidate, units, seed)
        parts = measure(at_places(slices, scored), *opponents)
        if text_among(names) is not None:
            with_words = [n for n, place in enumerate(scored) if cases[place].query.intent.strip()]
            worded = measure({"": {"requests with words": with_words}}, *opponents)
        examples = examples_of(
            by_name[candidate] - by_name[reference],
            [cases[place] for place in scored],
            [lists[reference][place][:k] for place in scored],
            [lists[candidate][place][:k] for place in scored],
            catalog,
        )
    return Report(
        k=k,
        seed=seed,
        n_cases=len(scored),
        n_units=len(set(units)),
        without_relevant=len(cases) - len(scored),
        rows=tuple(rows),
        pairs=tuple(pairs(names, measured, resampled, units, np.random.default_rng(seed))),
        behavioural_only=best,
        ratios=_ratios(names, _base(best, reference, behavioural, kind), measured, resampled),
        notes=(*notes, *_fault_notes(rows, answered or {}, k)),
        versions=dict(versions or {}),
        cases_hash=hash_of(cases),
        slices=tuple(parts),
        reference=reference,
        candidate=candidate,
        examples=examples,
        kind=kind,
        worded=worded[0] if worded else None,
    )


def hash_of(cases: Sequence[Case]) -> str:
    """sha256 of what is asked and what is right."""
    content = repr([(c.case_id, c.query.intent, c.query.events, c.relevant) for c in cases])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _values(
    lists: Lists, cases: Sequence[Case], places: Sequence[int], cutoffs: Sequence[int]
) -> Values:
    """(n_cutoffs, n_metrics, n_systems, n_cases).

    What lies in a case's session or is excluded never counts as found, also where a system shows
    it: a target there is a miss for all.
    """

    @cache  # most lists find nothing, or one item at one of a few ranks
    def scores(ranks: tuple[int, ...], n_relevant: int) -> Values:
        return np.array(
            [[f(ranks, n_relevant, cutoff) for f in METRICS.values()] for cutoff in cutoffs]
        )

    found = np.zeros((len(cutoffs), len(METRICS), len(lists), len(cases)))
    for column, (case, place) in enumerate(zip(cases, places, strict=True)):
        relevant = set(case.relevant)
        before = {event.item_id for event in case.query.events} | set(case.query.exclude)
        findable = tuple(relevant - before)
        for row, answers in enumerate(lists.values()):
            ranks = ranks_of(answers[place], findable)
            found[:, :, row, column] = scores(tuple(ranks), len(relevant))
    return found


def _opponents(
    measured: Mapping[str, Values],
    best: str | None,
    behavioural: Sequence[str],
    kind: str,
    candidate: str | None,
) -> tuple[str | None, str | None]:
    """The system to beat, and the one that is to beat it."""
    if len(measured) < 2:
        return None, None
    text = text_among(measured)
    to_beat = (text, best) if kind == ASKED_FOR else (best, text)
    reference = next((name for name in to_beat if name is not None), next(iter(measured)))
    others = [name for name in measured if name != reference]
    for name in (candidate, "fused"):
        if name in others:
            return reference, name
    worded = [name for name in others if name not in behavioural]
    own = [name for name in worded if not is_text(name)]
    return reference, max(own or worded or others, key=lambda name: measured[name].mean())


def _base(
    best: str | None, reference: str | None, behavioural: Sequence[str], kind: str
) -> str | None:
    """The system that the others are divided by; of systems that are nothing of note, none."""
    if kind == LIKED and best is not None:
        return best
    if reference is not None and (is_text(reference) or reference in behavioural):
        return reference
    return None


def pairs(
    names: Sequence[str],
    values: Values,
    samples: Values,
    units: Sequence[str],
    rng: np.random.Generator,
    n: int = N_RESAMPLES,
) -> list[Pair]:
    """Every two systems, with Holm's adjustment over all of them.

    Args:
        names: (n_systems,).
        values: (n_systems, n_cases).
        samples: (n_resamples, n_systems) means.
        units: (n_cases,).
        rng: Draws permutations.
        n: How many.
    """
    places = list(combinations(range(len(names)), 2))
    if not places:
        return []
    differences = np.stack([values[a] - values[b] for a, b in places])
    p_values = permutation_ps(differences, units, rng, n)
    found = []
    for (a, b), own, p, adjusted in zip(places, differences, p_values, holm(p_values), strict=True):
        low, high = interval(samples[:, a] - samples[:, b])
        found.append(
            Pair(
                first=names[a],
                second=names[b],
                difference=float(own.mean()),
                low=low,
                high=high,
                p=p,
                p_holm=adjusted,
            )
        )
    return found


def _ratios(
    names: Sequence[str], divisor: str | None, values: Values, samples: Values
) -> dict[str, Estimate]:
    """Each system's measure over that of another one, with paired intervals."""
    if divisor is None or values[names.index(divisor)].mean() == 0:
        return {}
    base = names.index(divisor)
    ratios = {}
    for place, name in enumerate(names):
        if name != divisor:
            with np.errstate(divide="ignore", invalid="ignore"):
                low, high = interval(samples[:, place] / samples[:, base])
            mean = float(values[place].mean() / values[base].mean())
            ratios[name] = Estimate(mean=mean, low=low, high=high)
    return ratios


def _percentiles(answered: Answered | None) -> dict[str, float]:
    if answered is None or not len(answered.latency_ms):
        return {}
    return {**percentiles(answered.latency_ms, (50, 95), 4), "n": len(answered.latency_ms)}


FAULTS = {
    "raised": "raised an error: an empty list, {first}",
    "short": "have fewer than {k} items",
    "repeated": "name an item twice: it counts once",
    "unknown": "name items that aren't in the catalogue",
    "degraded": "lack something that was asked for (reranking, say)",
}


def _fault_notes(rows: Sequence[Row], answered: Mapping[str, Answered], k: int) -> list[str]:
    notes = []
    for row in rows:
        for what, n in row.faults.items():
            first = next(iter(answered[row.system].raised.values()), "")
            told = FAULTS[what].format(k=k, first=f"the first was {first}")
            of = len(answered[row.system].lists)
            notes.append(f"{row.system}: {n:,} of {of:,} answers {told}")
    return notes
