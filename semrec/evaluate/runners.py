"""Asking systems: whatever answers queries, its lists, its faults and how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np

from semrec.data.catalog import Catalog
from semrec.encoders.cached import uncached
from semrec.errors import DataError
from semrec.recommender import Recommender
from semrec.types import Case, Progress, Query, Recommendations

BATCH = 64
WARMUP, TIMED = 5, 50


class Answers(Protocol):
    """Anything that answers queries as a recommender does."""

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers to `queries`, in their order."""
        ...


@runtime_checkable
class Cached(Protocol):
    """A system whose encoder remembers what it has read."""

    def uncached(self) -> Answers:
        """The same as a live request meets it."""
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


@dataclass(frozen=True, kw_only=True)
class Diversified:
    """A recommender whose lists are diversified, whatever the queries say."""

    recommender: Recommender
    strength: float

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The recommender's answers at this diversity."""
        return self.recommender.recommend_many(
            [replace(query, diversity=self.strength) for query in queries]
        )


@dataclass(frozen=True, kw_only=True)
class WithinBudget:
    """A recommender that reranks as well as it can in `budget_ms` milliseconds a request."""

    recommender: Recommender
    budget_ms: float

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers, one by one: in a batch the requests would share the time of one."""
        own = _uncached(self.recommender)
        return [
            own.recommend(replace(query, budget_ms=self.budget_ms, rerank=True))
            for query in queries
        ]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answers of one system.

    Attributes:
        lists: For each case its item ids, best first.
        raised: Place of a case → what the system raised; its list is empty then.
        degraded: How many answers lack something that was asked for (reranking, say).
        latency_ms: (n,) milliseconds of single requests; empty if none was timed.
        budget_ms: The time that each answer had, if that was limited.
    """

    lists: Sequence[Sequence[str]]
    raised: Mapping[int, str] = field(default_factory=dict)
    degraded: int = 0
    latency_ms: Sequence[float] = ()
    budget_ms: float | None = None


def recommender_of(system: System) -> Recommender | None:
    """The recommender that answers behind a system, if there is one."""
    around = SemanticOnly | Diversified | WithinBudget
    inner = system.recommender if isinstance(system, around) else system
    return inner if isinstance(inner, Recommender) else None


def ask(
    system: System,
    cases: Sequence[Case],
    *,
    k: int,
    name: str = "",
    progress: Progress | None = None,
) -> list[list[str]]:
    """The item ids that a system answers each case with, at most `k`, best first.

    What the system raises isn't caught.
    """
    answers: list[list[str]] = []
    for start in range(0, len(cases), BATCH):
        queries = [replace(case.query, k=k) for case in cases[start : start + BATCH]]
        answers += _lists(system, queries)[0]
        if progress:
            progress(f"ask {name}", min(start + BATCH, len(cases)), len(cases))
    return answers


def answer(
    system: System,
    cases: Sequence[Case],
    *,
    k: int,
    name: str = "",
    timed: int = TIMED,
    progress: Progress | None = None,
) -> Answered:
    """A system's lists; where it raises the list is empty, and the error is kept.

    A function is timed as it answers. A system that answers in batches is asked `timed` of the
    cases again, one by one and with no vectors cached.

    Args:
        system: Who is asked.
        cases: What is asked.
        k: Length of the lists at most.
        name: For `progress`.
        timed: How many single requests are timed.
        progress: Called as cases are answered.
    """
    lists: list[list[str]] = []
    raised: dict[int, str] = {}
    spent: list[float] = []
    degraded = 0
    step = 1 if callable(system) else BATCH
    for start in range(0, len(cases), step):
        queries = [replace(case.query, k=k) for case in cases[start : start + step]]
        started = time.perf_counter()
        try:
            answers, lacking = _lists(system, queries)
            spent.append((time.perf_counter() - started) * 1000)
        except Exception:
            answers, lacking = [], 0
            for index, query in enumerate(queries, start=start):
                try:
                    own, less = _lists(system, [query])
                except Exception as error:
                    raised[index] = f"{type(error).__name__}: {str(error)[:200]}"
                    own, less = [[]], 0
                answers += own
                lacking += less
        lists += answers
        degraded += lacking
        if progress and (not start % BATCH or start + step >= len(cases)):
            progress(f"ask {name}", min(start + step, len(cases)), len(cases))
    if not callable(system):
        usable = [case for index, case in enumerate(cases) if index not in raised]
        spent = _time_singles(system, usable, k=k, n=timed, name=name, progress=progress)
    return Answered(
        lists=lists,
        raised=raised,
        degraded=degraded,
        latency_ms=spent,
        budget_ms=system.budget_ms if isinstance(system, WithinBudget) else None,
    )


def faults_of(answered: Answered, k: int, catalog: Catalog | None) -> dict[str, int]:
    """Counts of answers that were short, repeated items, named unknown ones, raised, degraded.

    Args:
        answered: A system's answers.
        k: How many items an answer should have.
        catalog: What is known; None: nothing counts as unknown.
    """
    lists = [list(items[:k]) for items in answered.lists]
    counted = {
        "raised": len(answered.raised),
        "short": sum(len(items) < k for items in lists) - len(answered.raised),
        "repeated": sum(len(set(items)) < len(items) for items in lists),
        "degraded": answered.degraded,
    }
    if catalog is not None:
        counted["unknown"] = sum(len(catalog.rows(items)) < len(items) for items in lists)
    return {what: n for what, n in counted.items() if n}


def _lists(system: System, queries: Sequence[Query]) -> tuple[list[list[str]], int]:
    """The answers' item ids, and how many answers are degraded."""
    if callable(system):
        answers = [system(query)[: query.k] for query in queries]
        return [[str(item_id) for item_id in answer] for answer in answers], 0
    many = system.recommend_many(queries)
    if len(many) != len(queries):
        raise DataError(f"{len(many)} answers came back to {len(queries)} queries")
    lists = [
        [item.item_id for item in answer.items][: query.k]
        for answer, query in zip(many, queries, strict=True)
    ]
    return lists, sum(answer.trace.degraded for answer in many)


def _time_singles(
    system: Answers,
    cases: Sequence[Case],
    *,
    k: int,
    n: int,
    name: str,
    progress: Progress | None,
) -> list[float]:
    """Milliseconds of up to `n` warm requests, one at a time, spread over the cases."""
    if not cases or n < 1:
        return []
    if isinstance(system, SemanticOnly | Diversified):
        system = replace(system, recommender=_uncached(system.recommender))
    elif isinstance(system, Recommender):
        system = _uncached(system)
    elif isinstance(system, Cached):
        system = system.uncached()
    drawn = np.linspace(0, len(cases) - 1, min(n, len(cases)) + WARMUP).astype(int)
    spent = []
    for done, index in enumerate(drawn):
        query = replace(cases[index].query, k=k)
        started = time.perf_counter()
        with suppress(Exception):  # who raised nothing before may do so now; it isn't timed then
            system.recommend_many([query])
            spent.append((time.perf_counter() - started) * 1000)
        if progress:
            progress(f"time {name}", done + 1, len(drawn))
    return spent[WARMUP:]


def _uncached(recommender: Recommender) -> Recommender:
    """The same, with its encoder as a live request meets it."""
    if recommender.encoder is None:
        return recommender
    return recommender.with_parts(encoder=uncached(recommender.encoder))
