"""Choosing the fusion's weights on validation cases, by the NDCG of the fused list.

Scores are linear in the weights, so each case is reduced once to its candidates' signal values;
after that, trying a set of weights is one small matrix product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.fusion.blocks import FusedBlocks
from semrec.fusion.gate import Weights
from semrec.types import FloatArray, RowArray, SessionRows

POOL = 200  # candidates taken from the top of each signal
CHUNK = 64  # cases per matrix product
STEP = 10  # weights are multiples of 1 / STEP
SHARES = (0.3, 0.5, 0.7, 0.85, 1.0)


@dataclass(frozen=True, kw_only=True)
class TuningCase:
    """A validation case in rows.

    Attributes:
        intent: (dim,) float32 vector of its words, or None.
        session: What was done before.
        targets: (t,) int64 rows that count as right.
        excluded: (e,) int64 rows that can't come back.
    """

    intent: FloatArray | None
    session: SessionRows
    targets: RowArray
    excluded: RowArray


@dataclass(frozen=True, kw_only=True)
class _Signals:
    """A case's candidates: the first `n_targets` are its reachable targets.

    `values` is (n, 4) float32: words, session texts, behavioural, popularity. `correlation` is
    that of the first two over the catalogue; NaN if either is missing.
    """

    values: FloatArray
    n_targets: int
    n_relevant: int
    correlation: float

    def fused(self, intent_share: float) -> FloatArray:
        """(n, 3) float32: semantic, behavioural, popularity."""
        words, texts = self.values[:, 0], self.values[:, 1]
        if np.isnan(self.correlation):
            semantic = words + texts
        else:
            rest = 1 - intent_share
            variance = intent_share**2 + rest**2 + 2 * intent_share * rest * self.correlation
            semantic = (intent_share * words + rest * texts) / np.sqrt(variance)
        return np.column_stack([semantic, self.values[:, 2:]])


def tune_weights(
    fusion: FusedBlocks, cases: Sequence[TuningCase], *, cutoff: int, semantic: bool = True
) -> tuple[Weights, float]:
    """The weights with the best mean NDCG at `cutoff`, and that NDCG.

    Args:
        fusion: Its gate is not used.
        cases: Validation cases of one kind; at least one.
        cutoff: A long list (100) says more per case than a short one and is less noisy.
        semantic: False: the semantic weight is 0, as in the baseline.
    """
    with_both = any(case.intent is not None and len(case.session) for case in cases)
    shares = SHARES if with_both and semantic else (1.0,)
    with_session = any(len(case.session) for case in cases)
    candidates = list(_grid(semantic=semantic, behavioural=with_session))
    grid = (np.asarray(candidates).T / STEP).astype(np.float32)  # (3, n_combinations)
    best = (Weights(semantic=0.0, behavioural=0.0, popularity=1.0), -1.0)
    reduced = list(_reduce(fusion, cases))
    for share in shares:
        means = np.mean([_ndcg(signals, share, grid, cutoff) for signals in reduced], axis=0)
        place = int(np.argmax(means))
        if means[place] > best[1]:
            chosen = [float(value) / STEP for value in candidates[place]]
            weights = Weights(
                semantic=chosen[0],
                behavioural=chosen[1],
                popularity=chosen[2],
                intent_share=share,
            )
            best = (weights, float(means[place]))
    return best


def _grid(*, semantic: bool, behavioural: bool) -> Iterable[tuple[int, int, int]]:
    for s in range(STEP + 1 if semantic else 1):
        for b in range(STEP + 1 - s if behavioural else 1):
            yield s, b, STEP - s - b


def _reduce(fusion: FusedBlocks, cases: Sequence[TuningCase]) -> Iterable[_Signals]:
    """The cases' candidates and their signal values, a few cases per matrix product."""
    for start in range(0, len(cases), CHUNK):
        some = cases[start : start + CHUNK]
        signals = [fusion.signals(case.intent, case.session) for case in some]
        words, texts, behaviour = (np.stack(queries) for queries in zip(*signals, strict=True))
        scores = (
            words @ fusion.semantic.vectors.T,
            texts @ fusion.semantic.vectors.T,
            behaviour @ fusion.behavioural.vectors.T,
        )  # three times (len(some), n_items)
        both = np.asarray(words.any(axis=1) & texts.any(axis=1))
        correlations = np.einsum("ij,ij->i", words @ fusion.semantic.covariance, texts)
        for place, case in enumerate(some):
            columns = [column[place] for column in scores]
            correlation = float(correlations[place]) if both[place] else np.nan
            yield _pooled(case, [*columns, fusion.popularity], correlation)


def _pooled(case: TuningCase, columns: Sequence[FloatArray], correlation: float) -> _Signals:
    """The targets and the best of each signal that says anything; `columns` are (n_items,).

    Popularity, the last, always counts: without it a target might have nobody to compete with.
    """
    pool = min(POOL + len(case.excluded), len(columns[0]))
    telling = [*(scores for scores in columns[:-1] if scores.any()), columns[-1]]
    tops = [np.argpartition(-scores, pool - 1)[:pool] for scores in telling]
    reachable = np.setdiff1d(case.targets, case.excluded)
    others = np.setdiff1d(np.concatenate(tops), np.concatenate([reachable, case.excluded]))
    rows = np.concatenate([reachable, others]).astype(np.int64)
    return _Signals(
        values=np.column_stack([scores[rows] for scores in columns]),
        n_targets=len(reachable),
        n_relevant=max(1, len(case.targets)),
        correlation=correlation,
    )


def _ndcg(signals: _Signals, share: float, grid: FloatArray, cutoff: int) -> NDArray[np.float64]:
    """(n_combinations,): NDCG of each combination on one case; a tie counts half."""
    if not signals.n_targets:
        return np.zeros(grid.shape[1])
    scores = signals.fused(share) @ grid  # (n, n_combinations)
    gains: NDArray[np.float64] = np.zeros(grid.shape[1])
    for target in scores[: signals.n_targets]:
        ahead = (scores > target).sum(axis=0) + 0.5 * ((scores == target).sum(axis=0) - 1)
        gains = gains + np.where(ahead < cutoff, 1 / np.log2(ahead + 2), 0.0)
    ideal = np.sum(1 / np.log2(np.arange(min(cutoff, signals.n_relevant)) + 2))
    return gains / ideal
