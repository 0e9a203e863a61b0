"""Comparing systems on the same cases: ask, score, resample, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from semrec.data.catalog import Catalog
from semrec.data.intents import CaseSource, cases_from, refuse_seen
from semrec.errors import DataError, preview
from semrec.evaluate.provenance import code_hash, origin_of
from semrec.evaluate.report import Report
from semrec.evaluate.runners import TIMED, Answered, System, answer, recommender_of
from semrec.evaluate.scoring import Scoring, summarise
from semrec.evaluate.slicing import slices_of
from semrec.recommender import Recommender
from semrec.types import Case, Progress

BEHAVIOURAL = ("behavioural", "baseline", "popularity", "item_knn", "ease")
"""Names of systems that use no words: the best of them is what "behavioural-only" means."""
CUTOFFS = (1, 5, 10, 20)


def compare(
    systems: Mapping[str, System],
    cases: CaseSource | Sequence[CaseSource],
    *,
    k: int = 10,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
    allow_seen: bool = False,
    behavioural: Sequence[str] = BEHAVIOURAL,
    slices: Sequence[str] = (),
    timed: int = TIMED,
    answered: Mapping[str, Answered] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Ask all systems the same cases and say which is better, by how much, and how surely.

    Args:
        systems: By name; a recommender, or a function from a `Query` to item ids.
        cases: Cases, an intents file, or several of these.
        k: Cutoff of the metrics; intervals, tests and slices are of NDCG there, and of topic cases
            of precision.
        cutoffs: Others at which metrics are shown; systems are asked for lists of the longest.
        seed: Of the resampling.
        allow_seen: Go on if a system was trained on dialogs that the cases come from; the
            report is marked then.
        behavioural: Names of the systems that count as behavioural-only.
        slices: Names of attributes of the targets to cut the cases by, besides what they are
            always cut by.
        timed: How many single requests are timed, of systems that answer in batches.
        answered: What systems among `systems` answered before, to at least as many items: they
            aren't asked again.
        progress: Called as cases are answered.

    Raises:
        DataError: If there is nothing to score, a cutoff is below 1, cases overlap with training
            dialogs, or an attribute of `slices` is unknown.

    Examples:
        A system is a recommender, or any function from a query to item ids.

        >>> import semrec
        >>> wanted = {"a bank heist": "inside", "alone in space": "moon", "a trick": "sting"}
        >>> cases = [
        ...     semrec.Case(case_id=id, query=semrec.Query(intent=words), relevant=(id,), unit=id)
        ...     for words, id in wanted.items()
        ... ]
        >>> rec = semrec.load("artifacts/films")
        >>> report = semrec.compare({"fused": rec, "mine": lambda query: ["heat", "moon"]}, cases)
        >>> report.row("fused").metrics["hit"].mean, report.row("mine").metrics["hit"].mean
        (1.0, 0.3333333333333333)
    """
    if not isinstance(systems, Mapping):
        given = preview(systems)
        raise DataError(f"systems is {given}, expected a mapping by name: {{'fused': rec}}")
    cases = cases_from(cases)
    if not systems:
        raise DataError("no systems to compare")
    if min([k, *cutoffs]) < 1:
        raise DataError(f"found the cutoffs {k} and {list(cutoffs)}, expected 1 or more")
    recommenders = _recommenders(systems)
    notes = _guard(recommenders, cases, allow_seen=allow_seen)
    first = next(iter(recommenders.values()), None)
    scoring = Scoring(
        k=k,
        seed=seed,
        behavioural=behavioural,
        cutoffs=cutoffs,
        catalog=None if first is None else first.catalog,
        interactions=None if first is None else first.interactions,
        versions={n: s.version for n, s in systems.items() if isinstance(s, Recommender)},
    )
    parts = slices_of(cases, scoring.catalog, scoring.interactions, slices)
    depth = max([k, *cutoffs])
    answers = {
        name: (answered or {}).get(name)
        or answer(system, cases, k=depth, name=name, timed=timed, progress=progress)
        for name, system in systems.items()
    }
    lists = {name: answer.lists for name, answer in answers.items()}
    notes += data_notes(cases, scoring.catalog)
    report = summarise(lists, cases, scoring, answered=answers, notes=notes, slices=parts)
    return replace(
        report,
        origins={name: origin_of(recommender) for name, recommender in recommenders.items()},
        code_hash=code_hash(),
    )


def _recommenders(systems: Mapping[str, System]) -> dict[str, Recommender]:
    recommenders = {name: recommender_of(system) for name, system in systems.items()}
    return {name: known for name, known in recommenders.items() if known is not None}


def _guard(
    recommenders: Mapping[str, Recommender], cases: Sequence[Case], *, allow_seen: bool
) -> list[str]:
    seen = {n: rec.manifest.get("training_dialogs", ()) for n, rec in recommenders.items()}
    try:
        refuse_seen(cases, seen)
    except DataError as error:
        if not allow_seen:
            raise
        return [f"NOT A FAIR TEST: {str(error).split(';')[0]}"]
    return []


def data_notes(cases: Sequence[Case], catalog: Catalog | None) -> list[str]:
    """Cases that are easier or harder than they look, or that are there twice, counted."""
    in_session = unknown = named = strange = twice = 0
    for case in cases:
        touched = [event.item_id for event in case.query.events]
        relevant = set(case.relevant)
        in_session += bool({*touched, *case.query.exclude} & relevant)
        twice += len(relevant) < len(case.relevant)
        if catalog is not None:
            rows = catalog.rows(relevant)
            unknown += len(rows) < len(relevant)
            strange += len(catalog.rows(touched)) < len(touched)
            text = case.query.intent.casefold()
            titles = [catalog.titles[row].casefold() for row in rows]
            named += any(len(title) > 3 and title in text for title in titles)
    names = len(cases) - len({case.case_id for case in cases})
    keys = [(c.query.intent, c.query.events, c.relevant, c.unit) for c in cases]
    counted = (
        (in_session, "have a target in their session or excluded: it counts as a miss"),
        (unknown, "have a target that isn't in the catalogue: it counts as a miss"),
        (named, "name a target's title in their words"),
        (strange, "have an item in their session that isn't in the catalogue: it is skipped"),
        (twice, "name a target twice: it counts once"),
        (names, "have the name of another one"),
        (len(cases) - len(set(keys)), "repeat another one of the same dialog or user"),
    )
    return [f"{n} of {len(cases)} cases {what}" for n, what in counted if n]
