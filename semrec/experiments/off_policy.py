"""Off-policy estimates: the reward that another policy would have had, from logged lists.

Each list's reward is weighed by how much more probable it is under the other policy.

Sources: Horvitz and Thompson 1952 (IPS, doi:10.1080/01621459.1952.10483446); Swaminathan and
Joachims 2015 (SNIPS); Dudik, Langford and Li 2011 (DR, arXiv:1103.4601); Kish 1965 (effective
sample size).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.errors import DataError
from semrec.metrics.significance import Estimate

Values = NDArray[np.float64]
MIN_EFFECTIVE = 100.0  # lists; with fewer a mean hangs on a handful
Z = 1.959964  # 95 %


@dataclass(frozen=True, kw_only=True)
class OffPolicy:
    """Estimates of a policy's mean reward, each with its 95 % interval.

    Attributes:
        ips: Inverse propensities: unbiased, noisy.
        snips: Self-normalised: slightly biased, steadier.
        dr: Doubly robust: with a model of rewards; None: there was none.
        effective: Effective sample size, in lists.
        n: Logged lists.
    """

    ips: Estimate
    snips: Estimate
    dr: Estimate | None
    effective: float
    n: int


def off_policy(
    rewards: Values,
    logged: Values,
    target: Values,
    *,
    predicted: Values | None = None,
    expected: Values | None = None,
    units: NDArray[np.int64] | None = None,
) -> OffPolicy:
    """Estimate the mean reward of a target policy from what another one logged.

    Args:
        rewards: (n,) of the lists that were shown.
        logged: (n,) probabilities of these lists when they were drawn.
        target: (n,) their probabilities under the target policy.
        predicted: (n,) a model's rewards of the lists that were shown; it must not know theirs.
        expected: (n,) the model's mean reward under the target policy.
        units: (n,) the number of the session or user of each list: lists of one aren't independent.

    Raises:
        DataError: If nothing was drawn (every propensity is 1), a propensity isn't in (0, 1], or
            fewer than `MIN_EFFECTIVE` lists would effectively be left.

    Examples:
        >>> rewards = np.tile([1.0, 0.0], 200)
        >>> even = np.full(400, 0.5)
        >>> estimates = off_policy(rewards, even, np.tile([0.75, 0.25], 200))
        >>> estimates.snips.mean, estimates.effective
        (0.75, 320.0)
    """
    n = len(rewards)
    if n == 0 or np.all(logged == 1.0):
        raise DataError(
            "no off-policy estimate: the lists were deterministic (propensity 1); expected lists "
            "of an experiment of kind explore"
        )
    if not np.all((logged > 0) & (logged <= 1)):
        raise DataError("a propensity isn't above 0 and at most 1; such lists can't be weighed")
    weights = target / logged
    squared = float(np.square(weights).sum())
    effective = float(weights.sum()) ** 2 / squared if squared else 0.0
    if effective < MIN_EFFECTIVE:
        raise DataError(
            f"no off-policy estimate: {n:,} lists are worth {effective:.0f} for this policy, "
            f"expected {MIN_EFFECTIVE:.0f} or more; log longer, or ask about a policy nearer to "
            "the one that drew"
        )
    units = np.arange(n) if units is None else units
    snips = float(weights @ rewards / weights.sum())
    dr = None
    if predicted is not None and expected is not None:
        dr = _mean(expected + weights * (rewards - predicted), units)
    return OffPolicy(
        ips=_mean(weights * rewards, units),
        snips=_around(snips, weights * (rewards - snips) / weights.sum(), units),
        dr=dr,
        effective=effective,
        n=n,
    )


def _mean(values: Values, units: NDArray[np.int64]) -> Estimate:
    mean = float(values.mean())
    return _around(mean, (values - mean) / len(values), units)


def _around(mean: float, influences: Values, units: NDArray[np.int64]) -> Estimate:
    """The interval of a mean by what each list moves it, summed by unit."""
    standard_error = float(np.sqrt(np.square(np.bincount(units, weights=influences)).sum()))
    return Estimate(mean=mean, low=mean - Z * standard_error, high=mean + Z * standard_error)
