"""Slices: the right cases, the right figures, and a verdict that can be unfavourable."""

import numpy as np
import pytest

from semrec.data.interactions import Interactions
from semrec.errors import DataError
from semrec.evaluate.slices import Slice, measure
from semrec.evaluate.slicing import slices_of
from semrec.types import Case, Query


def case(intent="", session=(), relevant=("i01",)):
    return Case(
        case_id="c", query=Query(intent=intent, session=session), relevant=relevant, unit="u"
    )


def touched(world, counts):
    """Events of so many people on each item; the first of them comes twice."""
    counts = np.asarray(list(counts))
    rows = np.repeat(np.arange(len(world.catalog)), counts)
    users = np.concatenate([np.arange(count) for count in counts])
    rows, users = np.append(rows, rows[users == 0]), np.append(users, users[users == 0])
    order = np.argsort(users, kind="stable")
    return Interactions(
        user_ids=tuple(f"u{n}" for n in range(1, 1 + counts.max(initial=1))),
        users=users[order],
        rows=rows[order],
        timestamps=np.arange(len(rows), dtype=np.float64),
        weights=np.ones(len(rows), np.float32),
        clock=False,
        n_items=len(world.catalog),
    )


def flat(families):
    return {name: places for parts in families.values() for name, places in parts.items()}


def test_cases_fall_where_they_belong(world):
    cases = [
        case(),
        case(session=["i01"]),
        case(session=["i01"] * 6, intent="a b"),
        case(intent="word " * 11),
    ]
    events = touched(world, range(len(world.catalog)))
    found = flat(slices_of(cases, world.catalog, events))
    assert found["no session"] == [0, 3]
    assert found["session of 1 to 5"] == [1]
    assert found["session over 5"] == [2]
    assert found["no words"] == [0, 1]
    assert found["1 to 10 words"] == [2]
    assert found["over 10 words"] == [3]
    assert "coldest 30 % of items" not in found  # all four: no slice
    mixed = [case(relevant=("i59",)), case(relevant=("i05",)), case(relevant=("i05", "i59"))]
    assert flat(slices_of(mixed, world.catalog, events))["coldest 30 % of items"] == [1]


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
    first, second = measure({"family": places}, ndcg, "baseline", "fused", units, 0)
    assert (first.behavioural, first.fused, first.low) == (0, 1, 1)
    assert (second.behavioural, second.fused, second.high) == (1, 0, -1)
    assert first.n_units == first.n_cases == 2
    assert first.over == {"other": (2, 2, 2)}  # over nothing there is no ratio
    assert second.over["baseline"] == (0, 0, 0)
    assert pytest.approx(second.low) == -1


def test_targets_are_cut_by_how_many_people_touched_them(world):
    cases = [case(relevant=(f"i{n:02d}",)) for n in range(60)]
    found = slices_of(cases, world.catalog, touched(world, range(60)))
    tenths = found["people of the target"]
    assert list(tenths) == [f"{6 * n} to {6 * n + 5} people" for n in range(10)]
    assert list(tenths.values()) == [list(range(6 * n, 6 * n + 6)) for n in range(10)]
    assert found["cold items"]["items without events"] == [0]


def test_targets_that_tie_are_in_one_part(world):
    cases = [case(relevant=(f"i{n:02d}",)) for n in range(60)]
    found = slices_of(cases, world.catalog, touched(world, [1] * 50 + [9] * 10))
    tenths = found["people of the target"]
    assert {name: len(places) for name, places in tenths.items()} == {
        "1 people": 50,
        "9 people": 10,
    }


def test_requests_of_a_dialog_are_cut_by_what_came_before():
    turns = [("a", 7), ("a", 2), ("b", 1), ("a", 9), ("a", 30), ("c", None)]
    cases = [
        Case(case_id=str(n), query=Query(), relevant=("i01",), unit=unit, turn=turn)
        for n, (unit, turn) in enumerate(turns)
    ]
    assert slices_of(cases)["place in the dialog"] == {
        "first request": [1, 2],
        "second request": [0],
        "third or later request": [3, 4],
    }


def test_targets_are_cut_by_labels_and_by_numbers(world):
    cases = [case(relevant=(f"i{n:02d}",)) for n in range(60)]
    events = touched(world, [1] * 60)
    found = slices_of(cases, world.catalog, events, ["labels", "year"])
    assert found["labels"]["labels: ghost"] == list(range(5, 60, 6))
    assert len(found["labels"]) == 8
    assert found["year"]["year 1960 to 1965"] == list(range(6))
    with pytest.raises(DataError, match="did you mean 'labels'"):
        slices_of(cases, world.catalog, events, ["label"])
    with pytest.raises(DataError, match="no such attribute"):
        slices_of(cases, attributes=["labels"])


def test_users_that_nobody_knows_are_a_slice(world):
    cases = [
        Case(case_id=user, query=Query(user_id=user), relevant=("i01",), unit=user)
        for user in ("u1", "nobody")
    ]
    assert slices_of(cases, world.catalog, touched(world, [1] * 60))["users"] == {
        "unknown users": [1]
    }


def test_a_system_that_loses_a_slice_is_named():
    rng = np.random.default_rng(0)
    base = rng.random(400)
    ndcg = {"baseline": base, "fused": np.where(np.arange(400) < 200, base - 0.2, base + 0.4)}
    units = [str(n) for n in range(400)]
    lost, won = measure(
        {"f": {"lost": range(200), "won": range(200, 400)}}, ndcg, "baseline", "fused", units, 0
    )
    assert (lost.verdict, lost.losers) == ("worse", ("fused",))
    assert (won.verdict, won.losers) == ("better", ())
    assert lost.systems["fused"].mean == pytest.approx(base[:200].mean() - 0.2)
