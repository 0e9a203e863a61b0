"""Intervals and tests over independent units (dialogs, users), never over single cases.

Cases of one dialog or user resemble each other; resampling them one by one would make intervals
too narrow. Here whole units are drawn, flipped and counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
N_RESAMPLES = 2_000
LEVEL = 0.95


def unit_sums(values: Values, units: Sequence[str]) -> tuple[Values, Values]:
    """Per unit the sum of each system's values, and how many cases it has.

    Args:
        values: (n_systems, n_cases).
        units: (n_cases,) the unit of each case.

    Returns:
        (n_systems, n_units) sums and (n_units,) counts.
    """
    _, places = np.unique(np.asarray(units), return_inverse=True)
    counts = np.bincount(places).astype(np.float64)
    sums = np.stack([np.bincount(places, weights=row, minlength=len(counts)) for row in values])
    return sums.astype(np.float64), counts


def bootstrap_means(
    values: Values, units: Sequence[str], rng: np.random.Generator, n: int = N_RESAMPLES
) -> Values:
    """(n, n_systems): means over cases in `n` resamples of units, the same units for all systems.

    The clustered (cases) bootstrap of Efron & Tibshirani 1993, chapter 8.
    """
    sums, counts = unit_sums(values, units)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=n)
    means: Values = (drawn @ sums.T) / (drawn @ counts)[:, None]
    return means


def interval(samples: Values, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of resampled values; NaN where there is none."""
    tail = (1 - level) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(low), float(high)


def permutation_p(
    first: Values,
    second: Values,
    units: Sequence[str],
    rng: np.random.Generator,
    n: int = N_RESAMPLES,
) -> float:
    """Two-sided p of the paired permutation test: units swap the two systems' labels.

    Args:
        first: (n_cases,) values of one system.
        second: (n_cases,) values of the other, on the same cases.
        units: (n_cases,).
        rng: Draws the swaps.
        n: How many permutations; the smallest p is 1 / (n + 1).
    """
    sums, _ = unit_sums(np.stack([first - second]), units)
    observed = abs(sums.sum())
    signs = rng.choice((-1.0, 1.0), size=(n, sums.shape[1]))
    permuted = np.abs(signs @ sums[0])
    return float((1 + np.sum(permuted >= observed - 1e-12)) / (n + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (1979): controls the chance of any false difference."""
    order = np.argsort(p_values)
    adjusted = np.empty(len(p_values))
    running = 0.0
    for place, index in enumerate(order):
        running = max(running, (len(p_values) - place) * p_values[index])
        adjusted[index] = min(1.0, running)
    return [float(p) for p in adjusted]
