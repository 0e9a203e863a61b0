"""Analysis of an experiment by its units: is the split right, and do the arms differ?

Sources: Fabijan et al. 2019 (sample ratio mismatch, doi:10.1145/3292500.3330722); Deng et al. 2013
(CUPED, doi:10.1145/2433396.2433413); Johari et al. (mixture sequential probability ratio test,
arXiv:1512.04922).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from semrec.errors import DataError

Values = NDArray[np.float64]
ALPHA = 0.05
SRM_P = 0.001  # below it the split is broken, and so is whatever is read out of it
MIN_UNITS = 20  # of an arm: a mean of fewer isn't about normal
PRIOR = 0.1  # of an effect: this share of the standard deviation of a unit


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The difference of two arms: b less a.

    Attributes:
        mean: Per unit.
        low: Lower end of the 95 % interval at a moment that was fixed beforehand.
        high: Upper end.
        p: Two-sided, at that moment.
        always_low: Lower end of the 95 % interval that holds whenever it is looked at.
        always_high: Upper end.
        always_p: Two-sided, whenever it is looked at.
        n: Units.
    """

    mean: float
    low: float
    high: float
    p: float
    always_low: float
    always_high: float
    always_p: float
    n: int


def check_ratio(counts: Sequence[int], shares: Sequence[float] = (0.5, 0.5)) -> float:
    """P of the chi-squared test that units came to arms in their shares.

    Args:
        counts: (n_arms,) units.
        shares: (n_arms,) that sum to 1.

    Raises:
        DataError: If p is below `SRM_P` (sample ratio mismatch): nothing else may be read then.

    Examples:
        >>> round(check_ratio([5_000, 5_080]), 3)
        0.426
        >>> check_ratio([5_000, 5_500])
        Traceback (most recent call last):
        semrec.errors.DataError: sample ratio mismatch: 5,000 and 5,500 units, expected shares ...
    """
    expected = np.asarray(shares) * sum(counts)
    p = float(stats.chisquare(counts, expected).pvalue)
    if p < SRM_P:
        numbers = " and ".join(f"{count:,}" for count in counts)
        given = " and ".join(f"{share:.0%}" for share in shares)
        raise DataError(
            f"sample ratio mismatch: {numbers} units, expected shares of {given} (p = {p:.1g}); "
            "find out who is missing from the log before you read anything out of it"
        )
    return p


def paired(differences: Values) -> Difference:
    """The mean difference within units, such as the credit of team b less that of team a.

    Args:
        differences: (n_units,) b less a; 0 where a unit gives no credit.

    Raises:
        DataError: If there are fewer than `MIN_UNITS`.

    Examples:
        >>> result = paired(np.tile([1.0, 0.0, 0.0, -1.0, 1.0], 20))
        >>> result.mean, round(result.low, 3), round(result.high, 3)
        (0.2, 0.051, 0.349)
    """
    _enough(len(differences))
    n = len(differences)
    variance = float(differences.var(ddof=1))
    return _difference(float(differences.mean()), variance / n, variance, n, n - 1)


def sign_p(differences: Values) -> float:
    """P of the exact sign test: units that prefer b against those that prefer a.

    Examples:
        >>> sign_p(np.array([1.0, 2.0, 1.0, 0.0, 3.0]))
        0.125
    """
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def unpaired(a: Values, b: Values) -> Difference:
    """The difference of the means of two groups of units (Welch).

    Args:
        a: (n_a,) a value per unit of arm a.
        b: (n_b,) of arm b.

    Raises:
        DataError: If an arm has fewer than `MIN_UNITS`.

    Examples:
        >>> result = unpaired(np.tile([0.0, 1.0], 50), np.tile([1.0, 1.0], 50))
        >>> result.mean, result.p < 0.001
        (0.5, True)
    """
    _enough(min(len(a), len(b)))
    of_a, of_b = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    variance = float(of_a + of_b)
    squares = of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1)
    freedom = variance**2 / float(squares) if squares else 1.0
    pooled = float((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return _difference(float(b.mean() - a.mean()), variance, pooled, len(a) + len(b), freedom)


def adjusted(values: Values, before: Values) -> Values:
    """(n,) values less what a covariate from before the experiment predicts of them (CUPED).

    Args:
        values: (n,) of all units, of both arms.
        before: (n,) the covariate; it must not depend on the arm.

    Examples:
        >>> adjusted(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0])).tolist()
        [2.0, 2.0, 2.0]
    """
    variance = float(before.var())
    if variance == 0:
        return values
    centred = before - before.mean()
    reduced: Values = values - float(centred @ values) / (len(values) * variance) * centred
    return reduced


def _difference(
    mean: float, variance: float, unit_variance: float, n: int, freedom: float
) -> Difference:
    """The tests of a mean difference, by its variance and that of a unit."""
    if variance == 0:  # all units alike: nothing varies that an interval could be made of
        p = 1.0 if mean == 0 else 0.0
        return Difference(
            mean=mean,
            low=mean,
            high=mean,
            p=p,
            always_low=-math.inf,
            always_high=math.inf,
            always_p=1.0,
            n=n,
        )
    error = math.sqrt(variance)
    reach = float(stats.t.ppf(1 - ALPHA / 2, freedom)) * error
    mixing = PRIOR**2 * unit_variance
    total = variance + mixing
    log_ratio = 0.5 * math.log(variance / total) + mean**2 * mixing / (2 * variance * total)
    always = math.sqrt(
        variance * total / mixing * (2 * math.log(1 / ALPHA) + math.log(total / variance))
    )
    return Difference(
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        p=float(2 * stats.t.sf(abs(mean) / error, freedom)),
        always_low=mean - always,
        always_high=mean + always,
        always_p=min(1.0, math.exp(-log_ratio)),
        n=n,
    )


def _enough(n_units: int) -> None:
    if n_units < MIN_UNITS:
        raise DataError(
            f"{n_units} units in an arm, expected {MIN_UNITS} or more; let the experiment run on"
        )
