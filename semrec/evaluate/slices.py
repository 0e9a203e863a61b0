"""Slices: figures of parts of the cases, where one system is better or not worse.

Which parts there are is told by `slicing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from semrec.metrics.significance import (
    Estimate,
    Values,
    bootstrap_sums,
    estimate,
    interval,
    unit_sums,
)

MARGIN = 0.05  # "not worse": the interval's lower end is above minus this share of the baseline
MIN_UNITS = 200  # smaller slices are shown, and nothing is concluded from them

Families = Mapping[str, Mapping[str, Sequence[int]]]
"""Family ("session length") → slice ("no session") → places of its cases."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Two systems on some of the cases: the one to beat, and the one that is to beat it.

    Attributes:
        name: What the cases have in common.
        family: What they were cut by.
        n_cases: How many.
        n_units: Independent units among them.
        behavioural: The measure (NDCG, of topic cases precision) of the system to beat: the best
            behavioural-only one, if there is any; of topic cases `text`.
        fused: That of the other: the fused one, if there is one.
        low: Lower end of the difference's 95 % interval.
        high: Upper end.
        over: Other system → the second one's measure over its, and the 95 % interval of that.
        systems: Each system's measure.
        ratios: Each other system's measure over that of the system to beat, if that has any.
        losers: Systems that are worse here than the one to beat, the interval wholly below 0.
    """

    name: str
    family: str = ""
    n_cases: int
    n_units: int
    behavioural: float
    fused: float
    low: float
    high: float
    over: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    systems: Mapping[str, Estimate] = field(default_factory=dict)
    ratios: Mapping[str, Estimate] = field(default_factory=dict)
    losers: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In a word or two: better, not worse, worse, or why nothing can be said."""
        if self.n_units < MIN_UNITS:
            return "too few units"
        if self.low > 0:
            return "better"
        if self.low >= -MARGIN * self.behavioural:
            return "not worse"
        return "worse" if self.high < 0 else "unclear"


def at_indices(families: Families, indices: Sequence[int]) -> Families:
    """The same slices of only those cases that are at `indices`, in that order."""
    columns = {index: number for number, index in enumerate(indices)}
    return {
        family: {
            name: [columns[index] for index in own if index in columns]
            for name, own in parts.items()
        }
        for family, parts in families.items()
    }


def measure(
    families: Families,
    ndcg: Mapping[str, Values],
    behavioural: str,
    fused: str,
    units: Sequence[str],
    seed: int,
) -> list[Slice]:
    """Each slice's figures; all come from the same resamples of all units.

    Args:
        families: Which cases are in which slice; one that holds none is left out.
        ndcg: System → (n_cases,) NDCG.
        behavioural: Name of the system to beat.
        fused: Name of the one that is to beat it.
        units: The dialog or user of each case.
        seed: Of the resampling.
    """
    parts = [
        (family, name, np.asarray(indices, dtype=np.int64))
        for family, slices in families.items()
        for name, indices in slices.items()
        if len(indices)
    ]
    if not parts:
        return []
    names = list(ndcg)
    table = np.vstack([np.stack(list(ndcg.values())), np.ones((1, len(units)))])
    masked = np.zeros((len(parts), *table.shape))
    for part, (_, _, indices) in enumerate(parts):
        masked[part][:, indices] = table[:, indices]
    sums, _ = unit_sums(masked.reshape(-1, table.shape[1]), units)
    totals = bootstrap_sums(sums, np.random.default_rng(seed)).reshape(-1, *masked.shape[:2])
    measured = []
    for part, (family, name, indices) in enumerate(parts):
        with np.errstate(divide="ignore", invalid="ignore"):
            samples = totals[:, part, :-1] / totals[:, part, -1:]
        values = {system: ndcg[system][indices] for system in names}
        resampled = dict(zip(names, samples.T, strict=True))
        n_units = len({units[index] for index in indices})
        about = {"name": name, "family": family, "n_cases": len(indices), "n_units": n_units}
        measured.append(_compared(about, values, resampled, behavioural, fused))
    return measured


def _compared(
    about: Mapping[str, Any],
    values: Mapping[str, Values],
    resampled: Mapping[str, Values],
    behavioural: str,
    fused: str,
) -> Slice:
    """The systems' figures on the cases of a slice; `about` holds its name and counts."""
    behind = {name: interval(resampled[name] - resampled[behavioural]) for name in values}
    over = {
        name: ratio
        for name in values
        if name != fused and (ratio := _ratio(fused, name, values, resampled))
    }
    ratios = {
        name: ratio
        for name in values
        if name != behavioural and (ratio := _ratio(name, behavioural, values, resampled))
    }
    return Slice(
        **about,
        behavioural=float(values[behavioural].mean()),
        fused=float(values[fused].mean()),
        low=behind[fused][0],
        high=behind[fused][1],
        over={name: (ratio.mean, ratio.low, ratio.high) for name, ratio in over.items()},
        ratios=ratios,
        systems={name: estimate(values[name], resampled[name]) for name in values},
        losers=tuple(name for name in values if behind[name][1] < 0),
    )


def _ratio(
    name: str, other: str, values: Mapping[str, Values], resampled: Mapping[str, Values]
) -> Estimate | None:
    """A system's measure over another one's; None if that has nothing."""
    if not values[other].any():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = interval(resampled[name] / resampled[other])
    mean = float(values[name].mean() / values[other].mean())
    return Estimate(mean=mean, low=low, high=high)
