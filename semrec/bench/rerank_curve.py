"""Quality against budget: what a reranker adds in the time it is given, and how punctual it is.

cases → the line without reranking (its own time) → the line at each budget
→ NDCG with intervals, outcomes of the reranking, milliseconds past the budget
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.errors import ConfigError
from semrec.metrics.ranking import scores_at
from semrec.metrics.significance import bootstrap_means, estimate, percentiles
from semrec.recommender import Recommender
from semrec.types import Case, Progress, Recommendations, silent

BUDGETS_MS = (0, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, None)
K = 10
SHOWN = (50, 95, 99, 100)  # percentiles


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """The answers to all cases at one budget, and how long each took."""

    recommended: list[Recommendations]
    spent_ms: NDArray[np.float64]


def rerank_curve(
    recommender: Recommender,
    cases: Sequence[Case],
    *,
    budgets_ms: Sequence[float | None] = BUDGETS_MS,
    clients: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The curve, one row per budget.

    Args:
        recommender: With a reranker.
        cases: Requests with what turned out right; those without are left out.
        budgets_ms: None among them: no budget.
        clients: Who ask at the same time.
        seed: Of the resampling.
        progress: Called as work proceeds.

    Returns:
        `rows`: by budget `ndcg` with interval, `gain` over the line without reranking with its
        paired interval, `statuses` (shares), `spent_ms` and `over_ms` (percentiles; over the
        budget, or over the 99th percentile of the line without reranking where that is longer);
        `plain`: the line without reranking.

    Raises:
        ConfigError: If there is no reranker.
    """
    if recommender.reranking is None:
        raise ConfigError("this artifact has no reranker: build it with --set rerank.kind=…")
    report = progress or silent
    scored = [case for case in cases if case.relevant]
    _ask(recommender, scored[:20], 0, False, clients)  # warm
    plain = _ask(recommender, scored, None, False, clients)
    base, units = _gains(plain, scored), [case.unit for case in scored]
    alone = bootstrap_means(base[None], units, np.random.default_rng(seed))[:, 0]
    floor_ms = float(np.percentile(plain.spent_ms, 99))
    rows: list[dict[str, Any]] = []
    for done, budget_ms in enumerate(budgets_ms):
        report("rerank", done, len(budgets_ms))
        answers = _ask(recommender, scored, budget_ms, True, clients)
        gains = _gains(answers, scored)
        means = bootstrap_means(np.stack([base, gains]), units, np.random.default_rng(seed))
        row: dict[str, Any] = {"budget_ms": budget_ms, "ndcg": _estimate(gains, means[:, 1])}
        row |= {"gain": _estimate(gains - base, means[:, 1] - means[:, 0]), **_outcomes(answers)}
        if budget_ms is not None:
            row["over_ms"] = percentiles(answers.spent_ms - max(budget_ms, floor_ms), SHOWN)
        rows.append(row)
    report("rerank", len(budgets_ms), len(budgets_ms))
    return {
        "n_cases": len(scored),
        "n_units": len(set(units)),
        "clients": clients,
        "k": K,
        "reranker": recommender.manifest.get("config", {}).get("rerank", {}),
        "weights": dict(recommender.reranking.weights),
        "plain": {"ndcg": _estimate(base, alone), "spent_ms": percentiles(plain.spent_ms, SHOWN)},
        "rows": rows,
    }


def _outcomes(answers: _Answers) -> dict[str, Any]:
    """Outcomes of the reranking, and the time that answers took."""
    traces = [answer.trace.rerank for answer in answers.recommended]
    statuses = Counter(trace.status for trace in traces)
    return {
        "statuses": {name: n / len(traces) for name, n in sorted(statuses.items())},
        "scored": float(np.mean([trace.scored for trace in traces])),
        "spent_ms": percentiles(answers.spent_ms, SHOWN),
    }


def _ask(
    recommender: Recommender,
    cases: Sequence[Case],
    budget_ms: float | None,
    rerank: bool,
    clients: int,
) -> _Answers:
    def timed(case: Case) -> tuple[Recommendations, float]:
        start = time.perf_counter()
        query = replace(case.query, k=K, budget_ms=budget_ms, rerank=rerank)
        answer = recommender.recommend(query)
        return answer, (time.perf_counter() - start) * 1000

    with ThreadPoolExecutor(clients) as pool:
        answers = list(pool.map(timed, cases))
    return _Answers(
        recommended=[answer for answer, _ in answers], spent_ms=np.array([ms for _, ms in answers])
    )


def _gains(answers: _Answers, cases: Sequence[Case]) -> NDArray[np.float64]:
    lists = [[item.item_id for item in answer.items] for answer in answers.recommended]
    return scores_at(K, lists, [case.relevant for case in cases])


def _estimate(values: NDArray[np.float64], samples: NDArray[np.float64]) -> dict[str, float]:
    return asdict(estimate(values, samples))
