"""Learning a gate's tilt: how a query's weights should depend on what is known of it.

The fused score is linear in the weights, and a query's weights are a softmax of its features, so
the whole is a small conditional logit model: fitted by maximum likelihood of the targets among the
candidates, ridge on the slopes. It is fitted on validation cases only, and kept only if it beats
the fixed weights on folds it wasn't fitted on; whole dialogs or users are left out, never single
turns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from semrec.fusion.gate import SIGNALS, Tilt, Weights
from semrec.fusion.tune import Candidates, ndcg_of

RIDGES = (0.01, 0.1)  # on the slopes, per case
FOLDS = 5
MOST = 500  # cases; more take seconds each and change little
LEAST = 100  # cases; fewer say too little about how weights should vary
FLOOR = 0.02  # a weight tuned to 0 is given so much, or no slope could ever raise it
LOG_SCALES = (-2.0, 4.0)  # where the targets are always first, the likelihood has no maximum
ABSENT = -30.0  # the logit of a signal that the kind of query doesn't have

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """Cases as arrays, padded to the longest list of candidates.

    Attributes:
        scores: (n_cases, n_candidates, 4) float32; the first `n_targets` are targets.
        mask: (n_cases, n_candidates) bool: which are real.
        share: (n_cases, n_candidates): 1 / n_targets on the targets, else 0.
        features: (n_cases, n_features).
        folds: (n_cases,) int: in which fold a case's dialog or user is.
    """

    scores: NDArray[np.float32]
    mask: NDArray[np.bool_]
    share: NDArray[np.float32]
    features: Array
    folds: NDArray[np.int64]

    def where(self, keep: NDArray[np.bool_]) -> _Problem:
        return _Problem(
            scores=self.scores[keep],
            mask=self.mask[keep],
            share=self.share[keep],
            features=self.features[keep],
            folds=self.folds[keep],
        )


def learn_tilt(
    weights: Weights, found: Sequence[Candidates], units: Sequence[str], *, cutoff: int
) -> tuple[Tilt | None, float, float]:
    """The tilt that does best on cases it wasn't fitted on, if it beats the fixed weights there.

    Args:
        weights: Tuned for cases of this kind; their shares are kept.
        found: The cases' candidates, in a random order; `MOST` of them are enough.
        units: The dialog or user of each case.
        cutoff: Of the NDCG that decides.

    Returns:
        The tilt fitted on all cases, or None; the cross-validated NDCG of the best tilt; and the
        NDCG of the fixed weights on the same cases.
    """
    usable = [place for place, one in enumerate(found) if one.n_targets]
    fixed = _mean_ndcg(found, weights, np.tile(_shares(weights), (len(found), 1)), cutoff)
    if len(usable) < LEAST:
        return None, fixed, fixed
    problem = _problem(weights, [found[p] for p in usable], [units[p] for p in usable])
    features = np.stack([one.evidence.features for one in found])
    folds = np.array([_fold(unit) for unit in units])
    best: tuple[float, float] = (-1.0, RIDGES[-1])
    for ridge in RIDGES:
        shares = np.zeros((len(found), len(SIGNALS)))
        for fold in range(FOLDS):
            tilt = _fit(problem.where(problem.folds != fold), weights, ridge)
            shares[folds == fold] = tilt.weights(features[folds == fold])
        best = max(best, (_mean_ndcg(found, weights, shares, cutoff), ridge))
    if best[0] <= fixed:
        return None, best[0], fixed
    return _fit(problem, weights, best[1]), best[0], fixed


def _problem(weights: Weights, found: Sequence[Candidates], units: Sequence[str]) -> _Problem:
    longest = max(len(one.values) for one in found)
    scores = np.zeros((len(found), longest, len(SIGNALS)), dtype=np.float32)
    mask = np.zeros((len(found), longest), dtype=bool)
    share = np.zeros((len(found), longest), dtype=np.float32)
    for place, one in enumerate(found):
        n = len(one.values)
        scores[place, :n] = one.fused(weights.intent_share, weights.neighbour_share)
        mask[place, :n] = True
        share[place, : one.n_targets] = 1 / one.n_targets
    return _Problem(
        scores=scores,
        mask=mask,
        share=share,
        features=np.stack([one.evidence.features for one in found]),
        folds=np.array([_fold(unit) for unit in units]),
    )


def _fit(problem: _Problem, weights: Weights, ridge: float) -> Tilt:
    """Maximum likelihood from `weights` on; the scale of the scores is fitted beside."""
    shares = _shares(weights)
    present = np.asarray(problem.scores.any(axis=(0, 1)))
    raised = np.where(present, np.maximum(shares, FLOOR), 0.0)
    start = np.where(present, np.log(np.maximum(raised / raised.sum(), 1e-12)), ABSENT)
    deviations = problem.features.std(axis=0)
    level = Tilt(
        bias=start.tolist(),
        slopes=np.zeros((len(SIGNALS), problem.features.shape[1])).tolist(),
        means=problem.features.mean(axis=0).tolist(),
        deviations=np.where(deviations > 1e-9, deviations, 1.0).tolist(),
    )
    inputs = level.standardised(problem.features)
    n_bias, n_features = len(SIGNALS), inputs.shape[1]

    def unpacked(values: Array) -> tuple[Array, Array, float]:
        bias = np.where(present, values[:n_bias], ABSENT)
        slopes = values[n_bias:-1].reshape(n_bias, n_features) * present[:, None]
        return bias, slopes, float(np.exp(values[-1]))

    def loss(values: Array) -> tuple[float, Array]:
        bias, slopes, scale = unpacked(values)
        logits = bias + inputs @ slopes.T
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = raised / raised.sum(axis=1, keepdims=True)  # (n, 4)
        fused = np.einsum("ncs,ns->nc", problem.scores, shares.astype(np.float32)) * scale
        fused = np.where(problem.mask, fused, -np.inf)
        top = fused.max(axis=1, keepdims=True)
        chances = np.exp(fused - top)
        total = chances.sum(axis=1, keepdims=True)
        wrong = chances / total - problem.share  # (n, c): derivative by a candidate's score
        told = np.where(problem.mask, fused - top - np.log(total), 0.0)
        value = -float((problem.share * told).sum()) / len(inputs)
        by_share = np.einsum("nc,ncs->ns", wrong, problem.scores) * scale / len(inputs)
        by_logit = shares * (by_share - (shares * by_share).sum(axis=1, keepdims=True))
        by_scale = float((wrong * np.where(problem.mask, fused, 0.0)).sum()) / len(inputs)
        slope_gradient = by_logit.T @ inputs + ridge * slopes
        value += 0.5 * ridge * float(np.square(slopes).sum())
        gradient = np.concatenate(
            [
                by_logit.sum(axis=0) * present,
                (slope_gradient * present[:, None]).ravel(),
                [by_scale],
            ]
        )
        return value, gradient

    initial = np.concatenate([start, np.zeros(n_bias * n_features), [np.log(3.0)]])
    bounds = [(None, None)] * (len(initial) - 1) + [LOG_SCALES]
    result = minimize(
        loss, initial, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60}
    )
    bias, slopes, _ = unpacked(result.x)
    return replace(level, bias=bias.tolist(), slopes=slopes.tolist())


def _mean_ndcg(found: Sequence[Candidates], weights: Weights, shares: Array, cutoff: int) -> float:
    """The mean NDCG if case i is weighed by `shares[i]`."""
    gains = []
    for one, share in zip(found, shares, strict=True):
        fused = one.fused(weights.intent_share, weights.neighbour_share)
        gains.append(ndcg_of(fused @ share[:, None].astype(np.float32), one, cutoff)[0])
    return float(np.mean(gains))


def _shares(weights: Weights) -> Array:
    return np.array([getattr(weights, name) for name in SIGNALS])


def _fold(unit: str) -> int:
    return int(hashlib.sha256(unit.encode()).hexdigest()[:8], 16) % FOLDS
