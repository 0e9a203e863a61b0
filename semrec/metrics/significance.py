"""Intervals and tests over independent units (dialogs, users), never over single cases.

Cases of one dialog or user resemble each other; resampling them one by one would make intervals
too narrow. Here whole units are drawn, flipped and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
N_RESAMPLES = 2_000
LEVEL = 0.95
_CHUNK = 100  # resamples at a time: with many users all at once would take half a gigabyte


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over cases and its 95 % interval over independent units.

    Examples:
        >>> Estimate(mean=0.5, low=0.4, high=0.6).low
        0.4
    """

    mean: float
    low: float
    high: float


def percentiles(
    values: Sequence[float] | Values, of: Sequence[int] = (50, 95, 99), digits: int = 2
) -> dict[str, float]:
    """``p50`` and so on → that percentile, rounded; empty if there are no values."""
    if not len(values):
        return {}
    reached = np.percentile(values, of)
    return {f"p{p}": round(float(value), digits) for p, value in zip(of, reached, strict=True)}


def unit_sums(values: Values, units: Sequence[str]) -> tuple[Values, Values]:
    """Per unit the sum of each system's values, and how many cases it has.

    Args:
        values: (n_systems, n_cases).
        units: (n_cases,) the unit of each case.

    Returns:
        (n_systems, n_units) sums and (n_units,) counts.

    Examples:
        >>> sums, counts = unit_sums(np.array([[1.0, 0.0, 0.5]]), ["ada", "ada", "bob"])
        >>> sums.tolist(), counts.tolist()
        ([[1.0, 0.5]], [2.0, 1.0])
    """
    _, unit_of = np.unique(np.asarray(units), return_inverse=True)
    counts = np.bincount(unit_of).astype(np.float64)
    sums = np.stack([np.bincount(unit_of, weights=row, minlength=len(counts)) for row in values])
    return sums.astype(np.float64), counts


def standard_error(values: Values, units: Sequence[str]) -> float:
    """Standard error of the mean of (n_cases,) `values`, by the sums of their units.

    Examples:
        >>> values = np.array([1.0, 0.0, 1.0, 0.0])
        >>> round(standard_error(values, ["a", "b", "c", "d"]), 3)
        0.289
        >>> standard_error(values, ["a", "a", "b", "b"])  # both units have the same mean
        0.0
    """
    [sums], counts = unit_sums(values[None], units)
    n = len(counts)
    if n < 2:
        return 0.0
    deviations = sums - counts * values.mean()
    return float(np.sqrt(np.square(deviations).sum() * n / (n - 1)) / len(values))


def bootstrap_sums(sums: Values, rng: np.random.Generator, n: int = N_RESAMPLES) -> Values:
    """(n, m): the totals of (m, n_units) `sums` in `n` resamples of units, the same for all rows.

    The clustered (cases) bootstrap of Efron & Tibshirani 1993, chapter 8.
    """
    n_units = sums.shape[1]
    even = np.full(n_units, 1 / n_units)
    totals = [
        rng.multinomial(n_units, even, size=min(_CHUNK, n - start)).astype(np.float64) @ sums.T
        for start in range(0, n, _CHUNK)
    ]
    return np.concatenate(totals)


def bootstrap_means(
    values: Values, units: Sequence[str], rng: np.random.Generator, n: int = N_RESAMPLES
) -> Values:
    """(n, n_systems): means over cases in `n` resamples of units, the same units for all systems.

    Args:
        values: (n_systems, n_cases).
        units: (n_cases,) the unit of each case.
        rng: Draws the units.
        n: How many resamples.
    """
    sums, counts = unit_sums(values, units)
    totals = bootstrap_sums(np.vstack([sums, counts]), rng, n)
    means: Values = totals[:, :-1] / totals[:, -1:]
    return means


def interval(samples: Values, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of those resampled values that are finite.

    Efron & Tibshirani 1993, chapter 13.

    Args:
        samples: (n,) resampled values; ratios may be infinite.
        level: The share of them that lies between its ends.

    Examples:
        >>> interval(np.arange(101.0), level=0.5)
        (25.0, 75.0)
    """
    tail = (1 - level) / 2
    low, high = np.quantile(samples[np.isfinite(samples)], [tail, 1 - tail])
    return float(low), float(high)


def gain_interval(
    before: Values, after: Values, units: Sequence[str], seed: int
) -> tuple[float, float]:
    """The 95 % interval of the mean gain on the same cases; a change is kept where it is above 0.

    Args:
        before: (n_cases,).
        after: (n_cases,), of the same cases.
        units: (n_cases,) the unit of each case.
        seed: Of the resampling.

    Examples:
        >>> before, after = np.zeros(4), np.array([0.5, 0.5, 0.5, 0.5])
        >>> gain_interval(before, after, ["a", "b", "c", "d"], seed=0)
        (0.5, 0.5)
    """
    means = bootstrap_means(np.stack([before, after]), units, np.random.default_rng(seed))
    return interval(means[:, 1] - means[:, 0])


def estimate(values: Values, samples: Values) -> Estimate:
    """The mean of `values`, with the interval of its resamples."""
    low, high = interval(samples)
    return Estimate(mean=float(values.mean()), low=low, high=high)


def permutation_ps(
    differences: Values, units: Sequence[str], rng: np.random.Generator, n: int = N_RESAMPLES
) -> list[float]:
    """Two-sided p of paired permutation tests: units swap the two systems' labels.

    Fisher's randomisation test, as Smucker, Allan & Carterette 2007 advise it for retrieval
    (doi:10.1145/1321440.1321528).

    Args:
        differences: (n_pairs, n_cases), values of one system minus those of the other.
        units: (n_cases,).
        rng: Draws the swaps, the same for all pairs.
        n: How many permutations; the smallest p is 1 / (n + 1).
    """
    sums, _ = unit_sums(differences, units)
    observed = np.abs(sums.sum(axis=1))
    reached = np.zeros(len(sums))
    for start in range(0, n, _CHUNK):
        signs = rng.choice((-1.0, 1.0), size=(min(_CHUNK, n - start), sums.shape[1]))
        reached += (np.abs(signs @ sums.T) >= observed - 1e-12).sum(axis=0)
    return [float(p) for p in (1 + reached) / (n + 1)]


def permutation_p(
    first: Values,
    second: Values,
    units: Sequence[str],
    rng: np.random.Generator,
    n: int = N_RESAMPLES,
) -> float:
    """`permutation_ps` of one pair: (n_cases,) values of two systems on the same cases."""
    return permutation_ps(np.stack([first - second]), units, rng, n)[0]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: controls the chance of any false difference.

    Holm 1979, A simple sequentially rejective multiple test procedure.

    Examples:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    adjusted = np.empty(len(p_values))
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, running)
    return [float(p) for p in adjusted]
