"""From lists that were answered to a report: metrics, intervals, pairs, slices, examples."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.errors import DataError
from semrec.evaluate.beyond_accuracy import beyond_accuracy
from semrec.evaluate.examples import examples_of
from semrec.evaluate.report import Pair, Report, Row
from semrec.evaluate.runners import Answered, faults_of
from semrec.evaluate.slices import Families, at_indices, measure
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


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """Options of a report.

    Attributes:
        k: Cutoff.
        seed: Of the resampling.
        behavioural: Names of the behavioural-only systems.
        cutoffs: Others at which metrics are shown.
        catalog: For coverage, titles of examples and labels for diversity.
        interactions: With `catalog`, for novelty and popularity.
        versions: System → version of its artifact.
    """

    k: int = 10
    seed: int = 0
    behavioural: Sequence[str] = ()
    cutoffs: Sequence[int] = ()
    catalog: Catalog | None = None
    interactions: Interactions | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """Each system's metrics on the cases that have a right answer.

    Attributes:
        names: (n_systems,).
        cutoffs: (n_cutoffs,), ascending.
        units: (n_cases,).
        values: (n_cutoffs, n_metrics, n_systems, n_cases).
        samples: (n_resamples, n_cutoffs, n_metrics, n_systems) means.
    """

    names: Sequence[str]
    cutoffs: Sequence[int]
    units: Sequence[str]
    values: Values
    samples: Values

    def of(self, metric: str, k: int) -> tuple[Values, Values]:
        """(n_systems, n_cases) values and (n_resamples, n_systems) means of a metric at `k`."""
        c, m = self.cutoffs.index(k), list(METRICS).index(metric)
        return self.values[c, m], self.samples[:, c, m]

    def estimates(self, system: int) -> dict[int, dict[str, Estimate]]:
        """Cutoff → each metric of a system there."""
        return {
            cutoff: {
                metric: estimate(self.values[c, m, system], self.samples[:, c, m, system])
                for m, metric in enumerate(METRICS)
            }
            for c, cutoff in enumerate(self.cutoffs)
        }


def summarise(
    lists: Lists,
    cases: Sequence[Case],
    scoring: Scoring,
    *,
    answered: Mapping[str, Answered] | None = None,
    notes: Sequence[str] = (),
    slices: Families | None = None,
) -> Report:
    """Score lists that were answered before.

    What somebody liked is measured by NDCG against behavioural-only, what was asked for, topic
    cases, by precision against `text`. Where there are both, each has a report of its own.

    Args:
        lists: System → for each case its item ids, best first.
        cases: The cases, in the same order; those without relevant items are counted only.
        scoring: How they are scored.
        answered: System → how it answered: errors, latency, budget.
        notes: What the reader should know.
        slices: Places in `cases` on which the systems are compared by themselves.

    Raises:
        DataError: If no case has a relevant item.
    """
    indices = by_kind(cases)
    kinds = [kind for kind, own in indices.items() if any(cases[index].relevant for index in own)]
    if not kinds:
        raise DataError(f"none of the {len(cases)} cases has a relevant item: nothing to score")
    answered, slices = answered or {}, slices or {}
    if len(kinds) == 1:
        report = _of_one_kind(kinds[0], lists, cases, scoring, slices, answered)
        return replace(report, notes=(*notes, *report.notes))

    def own(kind: str, answered: Mapping[str, Answered], candidate: str | None = None) -> Report:
        at = indices[kind]
        theirs = {name: [answers[index] for index in at] for name, answers in lists.items()}
        few = [cases[index] for index in at]
        return _of_one_kind(kind, theirs, few, scoring, at_indices(slices, at), answered, candidate)

    liked = own(LIKED, answered)
    asked_for = own(ASKED_FOR, {}, liked.candidate)
    return replace(
        liked,
        asked_for=asked_for,
        cases_hash=hash_of(cases),
        notes=(*notes, *liked.notes),
    )


def _of_one_kind(
    kind: str,
    lists: Lists,
    cases: Sequence[Case],
    scoring: Scoring,
    slices: Families,
    answered: Mapping[str, Answered],
    candidate: str | None = None,
) -> Report:
    """The report on cases that are measured by one yardstick."""
    indices = [index for index, case in enumerate(cases) if case.relevant]
    scored = [cases[index] for index in indices]
    of_scored = {name: [answers[index] for index in indices] for name, answers in lists.items()}
    scores = _score(of_scored, scored, scoring)
    rows = _rows(of_scored, scores, scoring, answered)
    measured, samples = scores.of(METRIC[kind], scoring.k)
    by_name = dict(zip(lists, measured, strict=True))
    behavioural = [name for name in lists if name in scoring.behavioural]
    best = max(behavioural, key=lambda name: by_name[name].mean(), default=None)
    reference, candidate = _opponents(by_name, best, behavioural, kind, candidate)
    base, rng = _base(best, reference, behavioural, kind), np.random.default_rng(scoring.seed)
    report = Report(
        k=scoring.k,
        seed=scoring.seed,
        n_cases=len(scored),
        n_units=len(set(scores.units)),
        without_relevant=len(cases) - len(scored),
        rows=tuple(rows),
        pairs=tuple(pairs(scores.names, measured, samples, scores.units, rng)),
        behavioural_only=best,
        ratios=_ratios(scores.names, base, measured, samples),
        notes=tuple(_fault_notes(rows, answered, scoring.k)),
        versions=dict(scoring.versions),
        cases_hash=hash_of(cases),
        reference=reference,
        candidate=candidate,
        kind=kind,
    )
    if reference is None or candidate is None:
        return report
    opponents = (by_name, reference, candidate, scores.units, scoring.seed)
    worded = []
    if text_among(lists) is not None:
        with_words = [index for index, case in enumerate(scored) if case.query.intent.strip()]
        worded = measure({"": {"requests with words": with_words}}, *opponents)
    gained = by_name[candidate] - by_name[reference]
    first, second = (
        [items[: scoring.k] for items in of_scored[name]] for name in (reference, candidate)
    )
    return replace(
        report,
        slices=tuple(measure(at_indices(slices, indices), *opponents)),
        worded=worded[0] if worded else None,
        examples=examples_of(gained, scored, first, second, scoring.catalog),
    )


def _score(lists: Lists, cases: Sequence[Case], scoring: Scoring) -> _Scores:
    """Score lists of cases that have a right answer, and resample their units."""
    cutoffs = sorted({scoring.k, *scoring.cutoffs})
    units = [case.unit for case in cases]
    values = _values(lists, cases, cutoffs)
    flat = values.reshape(-1, len(cases))
    samples = bootstrap_means(flat, units, np.random.default_rng(scoring.seed))
    return _Scores(
        names=list(lists),
        cutoffs=cutoffs,
        units=units,
        values=values,
        samples=samples.reshape(-1, *values.shape[:-1]),
    )


def _rows(
    lists: Lists, scores: _Scores, scoring: Scoring, answered: Mapping[str, Answered]
) -> list[Row]:
    """The systems in the order given."""
    k, catalog, interactions = scoring.k, scoring.catalog, scoring.interactions
    rows = []
    for system, (name, all_items) in enumerate(lists.items()):
        own = [items[:k] for items in all_items]
        covered = {item_id for items in own for item_id in items}
        beyond = {}
        if catalog is not None and interactions is not None:
            beyond = beyond_accuracy(own, k, catalog, interactions.counts)
        how, at = answered.get(name), scores.estimates(system)
        rows.append(
            Row(
                system=name,
                metrics=at[k],
                coverage=len(covered) / len(catalog) if catalog is not None else None,
                at=at,
                beyond=beyond,
                latency_ms=_percentiles(how),
                faults=faults_of(how, k, catalog) if how else {},
                budget_ms=how.budget_ms if how else None,
            )
        )
    return rows


def hash_of(cases: Sequence[Case]) -> str:
    """sha256 of what is asked and what is right."""
    content = repr([(c.case_id, c.query.intent, c.query.events, c.relevant) for c in cases])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def _values(lists: Lists, cases: Sequence[Case], cutoffs: Sequence[int]) -> Values:
    """(n_cutoffs, n_metrics, n_systems, n_cases).

    What lies in a case's session or is excluded never counts as found, also where a system shows
    it: a target there is a miss for all.
    """

    @cache  # most lists find nothing, or one item at one of a few ranks
    def scores(ranks: tuple[int, ...], n_relevant: int) -> Values:
        return np.array(
            [[f(ranks, n_relevant, cutoff) for f in METRICS.values()] for cutoff in cutoffs]
        )

    values = np.zeros((len(cutoffs), len(METRICS), len(lists), len(cases)))
    for column, case in enumerate(cases):
        relevant = set(case.relevant)
        before = {event.item_id for event in case.query.events} | set(case.query.exclude)
        findable = tuple(relevant - before)
        for row, answers in enumerate(lists.values()):
            ranks = ranks_of(answers[column], findable)
            values[:, :, row, column] = scores(tuple(ranks), len(relevant))
    return values


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
    combos = list(combinations(range(len(names)), 2))
    if not combos:
        return []
    differences = np.stack([values[a] - values[b] for a, b in combos])
    p_values = permutation_ps(differences, units, rng, n)
    compared = []
    for (a, b), own, p, adjusted in zip(combos, differences, p_values, holm(p_values), strict=True):
        low, high = interval(samples[:, a] - samples[:, b])
        compared.append(
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
    return compared


def _ratios(
    names: Sequence[str], divisor: str | None, values: Values, samples: Values
) -> dict[str, Estimate]:
    """Each system's measure over that of another one, with paired intervals."""
    if divisor is None or values[names.index(divisor)].mean() == 0:
        return {}
    base = names.index(divisor)
    ratios = {}
    for column, name in enumerate(names):
        if name != divisor:
            with np.errstate(divide="ignore", invalid="ignore"):
                low, high = interval(samples[:, column] / samples[:, base])
            mean = float(values[column].mean() / values[base].mean())
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
            text = FAULTS[what].format(k=k, first=f"the first was {first}")
            of = len(answered[row.system].lists)
            notes.append(f"{row.system}: {n:,} of {of:,} answers {text}")
    return notes
