"""Drift of a signal: the distance of two means, over a resampled critical value.

A signal is a row of numbers for each request: a vector, or a category as zeros and a 1. The squared
distance of the means is the linear-kernel maximum mean discrepancy (Gretton et al. 2012, JMLR 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]

ALPHA = 0.005  # of clean windows, so many are beyond a signal's critical value
N_RESAMPLES = 20_000
DIGITS = 6  # significant ones that are kept: the last bits of a sum differ between machines


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A signal as it is where nothing drifts.

    Attributes:
        mean: (dim,) float64.
        n: Number of independent units (dialogs, users) behind it.
        critical: Of the squared distance of two means, times their harmonic number of units.

    Examples:
        >>> rows = np.random.default_rng(0).normal(size=(2_000, 4))
        >>> fitted = fit_baseline(rows, np.random.default_rng(1))
        >>> fitted.drift(rows[:500]) < 1 < fitted.drift(rows[:500] + 0.3)
        True
    """

    mean: Rows
    n: int
    critical: float

    def drift(self, rows: Rows) -> float:
        """The statistic of a window over its critical value: above 1 in `ALPHA` of clean ones.

        Args:
            rows: (m, dim) float64, a row for each independent unit; of another length, inf.
        """
        if rows.shape[1] != len(self.mean):
            return float("inf")
        units = 1 / (1 / self.n + 1 / len(rows))
        return float(units * np.square(rows.mean(axis=0) - self.mean).sum() / self.critical)


def fit_baseline(
    rows: Rows, rng: np.random.Generator, *, units: Rows | None = None, floor: float = 0.0
) -> Baseline:
    """The baseline of a signal, its critical value by the Gaussian multiplier bootstrap.

    The mean of rows times independent normal numbers is normal with the rows' covariance, so it is
    drawn by that one's eigenvalues (Chernozhukov, Chetverikov & Kato 2013, Ann. Statist. 41).

    Args:
        rows: (n, dim) float64, n at least 2.
        rng: Draws.
        units: (m, dim) float64, the mean of each independent unit's rows; None: each row is one.
            Their mean is the baseline's; the rows' covariance, which is wider, makes the critical
            value, so that windows with more rows in a unit or fewer may be compared with it.
        floor: Variance that each dimension has at least: of a category that never occurred, a few
            occurrences are no drift.
    """
    centred = rows - rows.mean(axis=0)
    covariance = centred.T @ centred / max(len(rows) - 1, 1)
    spread = np.clip(np.linalg.eigvalsh(covariance), 0.0, None)
    spread = np.maximum(spread, max(floor, 1e-12))
    kept = spread[spread > 1e-6 * spread.max()]
    squares = np.square(rng.standard_normal((N_RESAMPLES, len(kept)))) @ kept
    units = rows if units is None else units
    return Baseline(
        mean=np.array([_rounded(value) for value in units.mean(axis=0)]),
        n=len(units),
        critical=_rounded(float(np.quantile(squares, 1 - ALPHA))),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
