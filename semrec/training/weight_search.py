"""Tunes the weights of sessions without words on validation cases, by NDCG of the fused list.

Scores are linear in the weights, so each case is reduced once to its candidates' signal values;
after that, trying a set of weights is one small matrix product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import Gate, GateFeatures, Weights
from semrec.types import (
    NO_MATCH,
    Allowed,
    FloatArray,
    Label,
    LexicalMatch,
    RowArray,
    SessionRows,
)

POOL = 200  # candidates taken from the top of each signal
SHORT, LONG, ENOUGH_UNITS = 10, 100, 1_000
CHUNK = 64  # cases per matrix product
STEP = 10  # weights are multiples of 1 / STEP
# A few neighbours' scores stand far out, so small shares of them lie close together.
NEIGHBOUR_SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


@dataclass(frozen=True, kw_only=True)
class TuningCase:
    """A validation case in rows.

    Attributes:
        intent: (dim,) float32 vector of its words, or None.
        session: What was done before.
        targets: (t,) int64 rows that count as right.
        excluded: (e,) int64 rows that can't come back.
        match: Its words, matched as words.
        unit: The dialog or user it belongs to.
        named: Labels that its words name.
        text: The words as the encoder read them.
        allowed: Rows that may come back; None: all. Only a ranker looks at it.
    """

    intent: FloatArray | None
    session: SessionRows
    targets: RowArray
    excluded: RowArray
    match: LexicalMatch = NO_MATCH
    unit: str = ""
    named: tuple[Label, ...] = ()
    text: str = ""
    allowed: Allowed | None = None


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """A case's candidates: the first `n_targets` are its reachable targets.

    Attributes:
        values: (n, 7) float32: words, session texts, lexical match, behavioural, neighbours,
            popularity, domain.
        n_targets: How many targets can be reached.
        n_relevant: How many there are.
        has_neighbours: Without any in the whole catalogue the vectors speak alone.
        evidence: What the gate goes by.
        unit: The dialog or user it belongs to.
    """

    values: FloatArray
    n_targets: int
    n_relevant: int
    has_neighbours: bool
    evidence: GateFeatures
    unit: str = ""

    def signals(self, neighbour_share: float) -> FloatArray:
        """(n, 6) float32: words, lexical match, session texts, behavioural, popularity, domain."""
        words, texts, lexical, vectors, near, popularity, domain = self.values.T
        share = np.float32(neighbour_share if self.has_neighbours else 0.0)
        behavioural = (1 - share) * vectors + share * near
        return np.column_stack([words, lexical, texts, behavioural, popularity, domain])

    def fused(self, neighbour_share: float) -> FloatArray:
        """(n, 4) float32 of a session without words: texts, behavioural, popularity, domain."""
        return self.signals(neighbour_share)[:, 2:]

    def scores(self, gate: Gate) -> FloatArray:
        """(n,) float32: the fused scores at the gate's weights."""
        weights = gate.weights(self.evidence)
        return self.signals(weights.neighbour_share) @ signal_weights(weights, self.evidence)


def signal_weights(weights: Weights, evidence: GateFeatures) -> FloatArray:
    """(6,) float32: weights in the order of `Candidates.signals`."""
    dense = weights.semantic * (1 - weights.lexical_share)
    share = weights.intent_share
    if {"words", "texts"} & evidence.silent:  # the one that speaks has it all
        share = float("words" not in evidence.silent)
    return np.array(
        [
            dense * share,
            weights.semantic * weights.lexical_share,
            dense * (1 - share),
            weights.behavioural,
            weights.popularity,
            weights.domain,
        ],
        dtype=np.float32,
    )


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """The best weights on some cases, and what they reach.

    Attributes:
        weights: The weights.
        values: (n_cases,) float64, the NDCG of each case.
    """

    weights: Weights
    values: NDArray[np.float64]

    @property
    def score(self) -> float:
        """Mean NDCG; 0 without cases."""
        return float(self.values.mean()) if len(self.values) else 0.0


def cutoff_of(configured: int | None, cases: Sequence[TuningCase]) -> int:
    """The cutoff of the NDCG to maximise: what is asked for, or what so many cases can bear."""
    if configured is not None:
        return configured
    return SHORT if len({case.unit for case in cases}) >= ENOUGH_UNITS else LONG


def weigh(
    fusion: FusedBlocks,
    cases: Sequence[TuningCase],
    *,
    cutoff: int,
    semantic: bool = True,
    domain: bool = True,
    neighbour_shares: Sequence[float] = NEIGHBOUR_SHARES,
) -> Weighed:
    """The weights with the best mean NDCG at `cutoff`, and the NDCG of each case with them.

    Args:
        fusion: Its gate is not used.
        cases: Validation cases without words; at least one.
        cutoff: A long list (100) says more per case than a short one and is less noisy.
        semantic: False: the semantic weight is 0, as in the baseline.
        domain: False: that of popularity in requests is 0, as in the baseline.
        neighbour_shares: What to try; only 0 counts where there are no neighbours.
    """
    with_session = any(len(case.session) for case in cases)
    if fusion.neighbours is None or not with_session:
        neighbour_shares = (0.0,)
    with_domain = domain and bool(fusion.domain.any())
    reduced = list(reduce_cases(fusion, cases))
    with_behaviour = any(case.values[:, 3:5].any() for case in reduced)
    candidates = list(_grid(semantic=semantic, behavioural=with_behaviour, domain=with_domain))
    grid = (np.asarray(candidates).T / STEP).astype(np.float32)  # (4, n_combinations)
    best: Weighed | None = None
    for near in neighbour_shares:
        values = np.stack([ndcg_of(case.fused(near) @ grid, case, cutoff) for case in reduced])
        means = values.mean(axis=0)
        index = int(np.argmax(means))
        if best is None or means[index] > best.score:
            chosen = [float(value) / STEP for value in candidates[index]]
            weights = Weights(
                semantic=chosen[0],
                behavioural=chosen[1],
                popularity=chosen[2],
                domain=chosen[3],
                neighbour_share=near,
            )
            best = Weighed(weights=weights, values=values[:, index].copy())
    assert best is not None
    return best


def _grid(*, semantic: bool, behavioural: bool, domain: bool) -> Iterable[tuple[int, ...]]:
    for s in range(STEP + 1 if semantic else 1):
        for b in range(STEP + 1 - s if behavioural else 1):
            for d in range(STEP + 1 - s - b if domain else 1):
                yield s, b, STEP - s - b - d, d


def reduce_cases(fusion: FusedBlocks, cases: Sequence[TuningCase]) -> Iterable[Candidates]:
    """The cases' candidates and their signal values, a few cases per matrix product."""
    counted = [fusion.popularity, fusion.domain]
    tops = [np.argsort(-scores, kind="stable") for scores in counted if scores.any()]
    # Popularity always counts: without it a target might have nobody to compete with.
    by_count = tops or [np.arange(len(fusion.popularity))]
    for start in range(0, len(cases), CHUNK):
        chunk = cases[start : start + CHUNK]
        signals = [
            fusion.signals(case.intent, case.session, case.named, case.match) for case in chunk
        ]
        words = np.stack([s.words for s in signals])
        texts = np.stack([s.texts for s in signals])
        scores = (
            words @ fusion.semantic.vectors.T,
            texts @ fusion.semantic.vectors.T,
            np.stack([s.behaviour for s in signals]) @ fusion.behavioural.vectors.T,
        )  # three times (len(some), n_items)
        for i, (case, signal) in enumerate(zip(chunk, signals, strict=True)):
            every = np.arange(len(fusion.popularity))
            near = np.zeros(len(every), dtype=np.float32)
            near[signal.near.rows] = signal.near.scores
            lexical = signal.lexical.at(every)
            dense = [column[i] for column in scores]
            columns = [*dense[:2], lexical, dense[2], near, *counted]
            reachable, rows = _pooled(case, columns[:5], by_count)
            yield Candidates(
                values=np.column_stack([scores[rows] for scores in columns]),
                n_targets=len(reachable),
                n_relevant=max(1, len(case.targets)),
                has_neighbours=bool(near.any()),
                evidence=fusion.evidence(signal, case.session, case.match),
                unit=case.unit,
            )


def _pooled(
    case: TuningCase, columns: Sequence[FloatArray], by_count: Sequence[RowArray]
) -> tuple[RowArray, RowArray]:
    """The reachable targets; and they with the best of each signal that says anything.

    Args:
        case: Its targets and exclusions.
        columns: (n_items,) each: what the query's signals say.
        by_count: Rows by what says the same to every query, best first.
    """
    pool = min(POOL + len(case.excluded), len(columns[0]))
    telling = [scores for scores in columns if scores.any()]
    tops = [np.argpartition(-scores, pool - 1)[:pool] for scores in telling]
    tops += [rows[:pool] for rows in by_count]
    reachable = np.setdiff1d(case.targets, case.excluded)
    is_other = np.zeros(len(columns[0]), dtype=bool)
    is_other[np.concatenate(tops)] = True
    is_other[reachable] = False
    is_other[case.excluded] = False
    return reachable, np.concatenate([reachable, np.flatnonzero(is_other)]).astype(np.int64)


def ndcg_of(scores: FloatArray, case: Candidates, cutoff: int) -> NDArray[np.float64]:
    """(n_combinations,): NDCG of each column of `scores` on one case; a tie counts half."""
    gains: NDArray[np.float64] = np.zeros(scores.shape[1])
    for target in scores[: case.n_targets]:
        ahead = (scores > target).sum(axis=0) + 0.5 * ((scores == target).sum(axis=0) - 1)
        gains = gains + np.where(ahead < cutoff, 1 / np.log2(ahead + 2), 0.0)
    ideal = np.sum(1 / np.log2(np.arange(min(cutoff, case.n_relevant)) + 2))
    return gains / ideal
