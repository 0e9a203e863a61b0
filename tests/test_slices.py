"""Slices: the right cases, the right figures, and a verdict that can be unfavourable."""

import numpy as np
import pytest

from semrec.evaluate.slices import Slice, measure, slices_of
from semrec.types import Case, Query


def case(intent="", session=(), relevant=("i01",)):
    return Case(
        case_id="c", query=Query(intent=intent, session=session), relevant=relevant, unit="u"
    )


def test_cases_fall_where_they_belong(world):
    cases = [
        case(),
        case(session=["i01"]),
        case(session=["i01"] * 6, intent="a b"),
        case(intent="word " * 11),
    ]
    counts = np.arange(len(world.catalog))
    found = slices_of(cases, world.catalog, counts)
    assert found["no session"] == [0, 3]
    assert found["session of 1 to 5"] == [1]
    assert found["session over 5"] == [2]
    assert found["no words"] == [0, 1]
    assert found["1 to 10 words"] == [2]
    assert found["over 10 words"] == [3]
    assert "coldest 30 % of items" not in found  # all four: no slice
    mixed = [case(relevant=("i59",)), case(relevant=("i05",)), case(relevant=("i05", "i59"))]
    assert slices_of(mixed, world.catalog, counts)["coldest 30 % of items"] == [1]


def verdict(behavioural, low, high, n_units=500):
    return Slice(
        name="s",
        n_cases=n_units,
        n_units=n_units,
        behavioural=behavioural,
        fused=behavioural,
        low=low,
        high=high,
    ).verdict


def test_verdicts():
    assert verdict(0.1, 0.001, 0.02) == "better"
    assert verdict(0.1, -0.005, 0.02) == "not worse"
    assert verdict(0.1, -0.0051, 0.02) == "unclear"
    assert verdict(0.1, -0.02, -0.001) == "worse"
    assert verdict(0.1, 0.01, 0.02, n_units=199) == "too few units"


def test_a_slice_is_measured_on_its_own_cases():
    behavioural = np.array([0.0, 0.0, 1.0, 1.0])
    fused = np.array([1.0, 1.0, 0.0, 0.0])
    units = ["a", "b", "c", "d"]
    ndcg = {"other": fused / 2, "baseline": behavioural, "fused": fused}
    places = {"one": [0, 1], "two": [2, 3]}
    first, second = measure(places, ndcg, "baseline", "fused", units, 0)
    assert (first.behavioural, first.fused, first.low) == (0, 1, 1)
    assert (second.behavioural, second.fused, second.high) == (1, 0, -1)
    assert first.n_units == first.n_cases == 2
    assert first.over == {"other": (2, 2, 2)}  # over nothing there is no ratio
    assert second.over["baseline"] == (0, 0, 0)
    assert pytest.approx(second.low) == -1
