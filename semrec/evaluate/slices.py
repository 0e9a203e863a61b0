"""Where fused is better, and where it isn't worse: the cases by what they bring and ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from semrec.data.catalog import Catalog
from semrec.statistics import Values, bootstrap_means, interval
from semrec.types import Case, RowArray

MARGIN = 0.05  # "not worse": the interval's lower end is above minus this share of the baseline
LEAST_UNITS = 200  # smaller slices are shown, and nothing is concluded from them
COLDEST = 0.3  # of the items that were touched, by their number of events
SHORT_SESSION = 5
SHORT_INTENT = 10  # words


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Fused against the best behavioural-only system on some of the cases.

    Attributes:
        name: What the cases have in common.
        n_cases: How many.
        n_units: Independent units among them.
        behavioural: NDCG of the behavioural-only system.
        fused: NDCG of the fused one.
        low: Lower end of the difference's 95 % interval.
        high: Upper end.
        over: Other system → fused's NDCG over its, and the 95 % interval of that.
    """

    name: str
    n_cases: int
    n_units: int
    behavioural: float
    fused: float
    low: float
    high: float
    over: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """In a word or two: better, not worse, worse, or why nothing can be said."""
        if self.n_units < LEAST_UNITS:
            return "too few units"
        if self.low > 0:
            return "better"
        if self.low >= -MARGIN * self.behavioural:
            return "not worse"
        return "worse" if self.high < 0 else "unclear"


def slices_of(
    cases: Sequence[Case], catalog: Catalog | None = None, counts: RowArray | None = None
) -> dict[str, list[int]]:
    """Places of the cases in each slice that holds some but not all of them.

    Args:
        cases: What was asked.
        catalog: With `counts`, to tell cold targets.
        counts: (n_items,) events per item.
    """
    tests: dict[str, Callable[[Case], bool]] = {
        "no session": lambda case: not case.query.events,
        f"session of 1 to {SHORT_SESSION}": lambda case: (
            0 < len(case.query.events) <= SHORT_SESSION
        ),
        f"session over {SHORT_SESSION}": lambda case: len(case.query.events) > SHORT_SESSION,
        "no words": lambda case: not case.query.intent.strip(),
        f"1 to {SHORT_INTENT} words": lambda case: (
            0 < len(case.query.intent.split()) <= SHORT_INTENT
        ),
        f"over {SHORT_INTENT} words": lambda case: len(case.query.intent.split()) > SHORT_INTENT,
    }
    if catalog is not None and counts is not None and counts.any():
        coldest = float(np.quantile(counts[counts > 0], COLDEST))

        def cold(case: Case) -> bool:
            rows = catalog.rows(case.relevant)
            return bool(rows) and bool((counts[rows] <= coldest).all())

        tests["coldest 30 % of items"] = cold
    found = {
        name: [place for place, case in enumerate(cases) if test(case)]
        for name, test in tests.items()
    }
    return {name: places for name, places in found.items() if 0 < len(places) < len(cases)}


def measure(
    places: Mapping[str, Sequence[int]],
    ndcg: Mapping[str, Values],
    behavioural: str,
    fused: str,
    units: Sequence[str],
    seed: int,
) -> list[Slice]:
    """Each slice's figures.

    Args:
        places: Slice → places of its cases.
        ndcg: System → (n_cases,) NDCG.
        behavioural: Name of the behavioural-only system.
        fused: Name of the fused one.
        units: The dialog or user of each case.
        seed: Of the resampling.
    """
    measured = []
    for name, some in places.items():
        names = [behavioural, fused, *(name for name in ndcg if name not in (behavioural, fused))]
        values = np.stack([ndcg[name][list(some)] for name in names])
        owners = [units[place] for place in some]
        samples = bootstrap_means(values, owners, np.random.default_rng(seed))
        low, high = interval(samples[:, 1] - samples[:, 0])
        over = {}
        for column, other in enumerate(names):
            if other != fused and values[column].any():
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratios = samples[:, 1] / samples[:, column]
                mean = float(values[1].mean() / values[column].mean())
                over[other] = (mean, *interval(ratios[np.isfinite(ratios)]))
        measured.append(
            Slice(
                name=name,
                n_cases=len(some),
                n_units=len(set(owners)),
                behavioural=float(values[0].mean()),
                fused=float(values[1].mean()),
                low=low,
                high=high,
                over=over,
            )
        )
    return measured
