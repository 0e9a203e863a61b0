"""Comparing systems on the same cases: ask, score, resample, report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.intents import read_cases, refuse_seen
from semrec.errors import DataError
from semrec.evaluate.report import Estimate, Pair, Report, Row
from semrec.evaluate.slices import Slice, measure, slices_of
from semrec.metrics import METRICS, ranks_of
from semrec.recommender import Recommender
from semrec.statistics import (
    Values,
    bootstrap_means,
    holm,
    interval,
    permutation_p,
)
from semrec.types import Case, Progress, Query, Recommendations

BATCH = 64
BEHAVIOURAL = ("behavioural", "baseline", "popularity", "item_knn", "ease")
"""Names of systems that use no words: the best of them is what "behavioural-only" means."""


class Answers(Protocol):
    """Anything that answers queries as a recommender does."""

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers to `queries`, in their order."""
        ...


System = Answers | Callable[[Query], Sequence[str]]
"""A recommender, or a function from a query to item ids, best first."""


@dataclass(frozen=True, kw_only=True)
class SemanticOnly:
    """A recommender with all weight on the semantic block."""

    recommender: Recommender

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The recommender's answers at `semantic_weight` 1."""
        return self.recommender.recommend_many(
            [replace(query, semantic_weight=1.0) for query in queries]
        )


def compare(
    systems: Mapping[str, System],
    cases: Sequence[Case] | str | Path,
    *,
    k: int = 10,
    seed: int = 0,
    allow_seen: bool = False,
    behavioural: Sequence[str] = BEHAVIOURAL,
    progress: Progress | None = None,
) -> Report:
    """Ask all systems the same cases and say which is better, by how much, and how surely.

    Args:
        systems: By name; a recommender, or a function from a `Query` to item ids.
        cases: Cases, or an intents file.
        k: Cutoff of the metrics.
        seed: Of the resampling.
        allow_seen: Go on if a system was trained on dialogs that the cases come from; the
            report is marked then.
        behavioural: Names of the systems that count as behavioural-only.
        progress: Called as cases are answered.

    Raises:
        DataError: If there is nothing to score, or cases overlap with training dialogs.
    """
    if isinstance(cases, str | Path):
        cases = read_cases(cases)
    if not systems:
        raise DataError("no systems to compare")
    notes = _guard(systems, cases, allow_seen=allow_seen)
    lists = {
        name: ask(system, cases, k=k, name=name, progress=progress)
        for name, system in systems.items()
    }
    catalog = next((s.catalog for s in systems.values() if isinstance(s, Recommender)), None)
    counts = next(
        (s.interactions.counts for s in systems.values() if isinstance(s, Recommender)), None
    )
    versions = {n: s.version for n, s in systems.items() if isinstance(s, Recommender)}
    return summarise(
        lists,
        cases,
        k=k,
        seed=seed,
        behavioural=behavioural,
        n_items=None if catalog is None else len(catalog),
        notes=[*notes, *oddities(cases, catalog)],
        versions=versions,
        slices=slices_of(cases, catalog, counts),
    )


def ask(
    system: System,
    cases: Sequence[Case],
    *,
    k: int,
    name: str = "",
    progress: Progress | None = None,
) -> list[list[str]]:
    """The item ids that a system answers each case with, at most `k`, best first."""
    answers: list[list[str]] = []
    for start in range(0, len(cases), BATCH):
        queries = [replace(case.query, k=k) for case in cases[start : start + BATCH]]
        if callable(system):
            answers += [[str(item_id) for item_id in system(query)][:k] for query in queries]
        else:
            many = system.recommend_many(queries)
            answers += [[item.item_id for item in one.items][:k] for one in many]
        if progress:
            progress(f"ask {name}", min(start + BATCH, len(cases)), len(cases))
    return answers


def summarise(
    lists: Mapping[str, Sequence[Sequence[str]]],
    cases: Sequence[Case],
    *,
    k: int,
    seed: int,
    behavioural: Sequence[str],
    n_items: int | None = None,
    notes: Sequence[str] = (),
    versions: Mapping[str, str] | None = None,
    slices: Mapping[str, Sequence[int]] | None = None,
) -> Report:
    """Score lists that were answered before.

    Args:
        lists: System → for each case its item ids, best first.
        cases: The cases, in the same order; those without relevant items are counted only.
        k: Cutoff.
        seed: Of the resampling.
        behavioural: Names of the behavioural-only systems.
        n_items: Size of the catalogue, for coverage.
        notes: What the reader should know.
        versions: System → version of its artifact.
        slices: Places in `cases` for which fused and behavioural-only are compared by themselves.

    Raises:
        DataError: If no case has a relevant item.
    """
    scored = [place for place, case in enumerate(cases) if case.relevant]
    if not scored:
        raise DataError(f"none of the {len(cases)} cases has a relevant item: nothing to score")
    units = [cases[place].unit for place in scored]
    names = list(lists)
    values = {metric: np.zeros((len(names), len(scored))) for metric in METRICS}
    for row, name in enumerate(names):
        for column, place in enumerate(scored):
            relevant = cases[place].relevant
            ranks = ranks_of(lists[name][place], relevant)
            for metric, function in METRICS.items():
                values[metric][row, column] = function(ranks, len(set(relevant)), k)
    rng = np.random.default_rng(seed)
    samples = {m: bootstrap_means(v, units, np.random.default_rng(seed)) for m, v in values.items()}
    rows = []
    for place, name in enumerate(names):
        estimates = {
            metric: _estimate(values[metric][place], samples[metric][:, place])
            for metric in METRICS
        }
        shown = {item_id for at in scored for item_id in lists[name][at]}
        coverage = len(shown) / n_items if n_items else None
        rows.append(Row(system=name, metrics=estimates, coverage=coverage))
    best = max(
        (name for name in names if name in behavioural),
        key=lambda name: values["ndcg"][names.index(name)].mean(),
        default=None,
    )
    measured: list[Slice] = []
    if slices and best is not None and "fused" in names:
        columns = {place: number for number, place in enumerate(scored)}
        some = {name: [columns[p] for p in found if p in columns] for name, found in slices.items()}
        measured = measure(
            {name: found for name, found in some.items() if found},
            dict(zip(names, values["ndcg"], strict=True)),
            best,
            "fused",
            units,
            seed,
        )
    content = repr([(c.case_id, c.query.intent, c.query.events, c.relevant) for c in cases])
    return Report(
        k=k,
        seed=seed,
        n_cases=len(scored),
        n_units=len(set(units)),
        without_relevant=len(cases) - len(scored),
        rows=tuple(rows),
        pairs=tuple(_pairs(names, values["ndcg"], samples["ndcg"], units, rng)),
        behavioural_only=best,
        ratios=_ratios(names, best, values["ndcg"], samples["ndcg"]),
        notes=tuple(notes),
        versions=dict(versions or {}),
        cases_hash=hashlib.sha256(content.encode()).hexdigest(),
        slices=tuple(measured),
    )


def _estimate(values: Values, samples: Values) -> Estimate:
    low, high = interval(samples)
    return Estimate(mean=float(values.mean()), low=low, high=high)


def _pairs(
    names: Sequence[str],
    values: Values,
    samples: Values,
    units: Sequence[str],
    rng: np.random.Generator,
) -> list[Pair]:
    found: list[dict[str, Any]] = []
    for a, b in combinations(range(len(names)), 2):
        low, high = interval(samples[:, a] - samples[:, b])
        found.append(
            {
                "first": names[a],
                "second": names[b],
                "difference": float((values[a] - values[b]).mean()),
                "low": low,
                "high": high,
                "p": permutation_p(values[a], values[b], units, rng),
            }
        )
    adjusted = holm([pair["p"] for pair in found])
    return [Pair(**pair, p_holm=p) for pair, p in zip(found, adjusted, strict=True)]


def _ratios(
    names: Sequence[str], best: str | None, values: Values, samples: Values
) -> dict[str, Estimate]:
    """Each system's NDCG over that of the best behavioural-only one, with paired intervals."""
    if best is None or values[names.index(best)].mean() == 0:
        return {}
    base = names.index(best)
    ratios = {}
    for place, name in enumerate(names):
        if name != best:
            with np.errstate(divide="ignore", invalid="ignore"):
                resampled = samples[:, place] / samples[:, base]
            low, high = interval(resampled[np.isfinite(resampled)])
            mean = float(values[place].mean() / values[base].mean())
            ratios[name] = Estimate(mean=mean, low=low, high=high)
    return ratios


def _guard(systems: Mapping[str, System], cases: Sequence[Case], *, allow_seen: bool) -> list[str]:
    artifacts = {
        name: system.recommender if isinstance(system, SemanticOnly) else system
        for name, system in systems.items()
    }
    seen = {
        name: artifact.manifest.get("training_dialogs", ())
        for name, artifact in artifacts.items()
        if isinstance(artifact, Recommender)
    }
    try:
        refuse_seen(cases, seen)
    except DataError as error:
        if not allow_seen:
            raise
        return [f"NOT A FAIR TEST: {str(error).split(';')[0]}"]
    return []


def oddities(cases: Sequence[Case], catalog: Catalog | None) -> list[str]:
    """Cases that are easier or harder than they look, counted."""
    in_session = unknown = named = 0
    for case in cases:
        before = {event.item_id for event in case.query.events} | set(case.query.exclude)
        in_session += bool(before & set(case.relevant))
        if catalog is not None:
            rows = catalog.rows(case.relevant)
            unknown += len(rows) < len(case.relevant)
            text = case.query.intent.casefold()
            titles = [catalog.titles[row].casefold() for row in rows]
            named += any(len(title) > 3 and title in text for title in titles)
    counted = (
        (in_session, "have a target in their session or excluded: it counts as a miss"),
        (unknown, "have a target that isn't in the catalogue: it counts as a miss"),
        (named, "name a target's title in their words"),
    )
    return [f"{n} of {len(cases)} cases {what}" for n, what in counted if n]
