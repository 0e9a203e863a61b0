"""What training requests asked for and got is a dimension of its own."""

import json

import numpy as np
import pytest
from conftest import item_id, world_config

import semrec
from semrec.data.intents import dialogs_wanting, split_dialogs
from semrec.types import Case, Query

FAVOURITES = (7, 23, 41)


def request(number, relevant, unit=None):
    return Case(
        case_id=f"c{number}",
        query=Query(intent="something good please"),
        relevant=tuple(item_id(row) for row in relevant),
        unit=unit or f"d{number}",
    )


def wishes(n=200):
    """Everybody who asks wants one of three items: neither words nor interactions know."""
    rng = np.random.default_rng(5)
    return [request(number, [int(rng.choice(FAVOURITES))]) for number in range(n)]


@pytest.fixture(scope="module")
def asked_for(world):
    return semrec.build(world, config=world_config(), intents=[wishes()])


def test_what_everybody_asks_for_is_found(asked_for):
    found = asked_for.recommend(intent="something good please", k=3)
    assert {item.item_id for item in found.items} == {item_id(row) for row in FAVOURITES}
    assert found.trace.weights["domain"] > 0


def test_the_baseline_knows_nothing_of_it(asked_for, rec):
    query = Query(intent="something good please", session=["i03"], k=10)
    ours = asked_for.baseline().recommend(query)
    theirs = rec.baseline().recommend(query)
    assert [item.item_id for item in ours.items] == [item.item_id for item in theirs.items]
    assert ours.trace.weights["domain"] == 0


def test_it_can_be_left_out(world):
    rec = semrec.build(world, config=world_config(fusion={"domain": False}), intents=[wishes()])
    assert not rec.fusion.domain.any()
    assert rec.recommend(intent="something good please").trace.weights["domain"] == 0


def test_it_survives_the_disk(asked_for, world, tmp_path):
    built = semrec.build(world, config=world_config(), intents=[wishes()], out=tmp_path / "a")
    loaded = semrec.load(tmp_path / "a")
    for rec in (built, loaded):
        found = rec.recommend(intent="something good please", session=["i03"], k=10)
        want = asked_for.recommend(intent="something good please", session=["i03"], k=10)
        assert [item.item_id for item in found.items] == [item.item_id for item in want.items]
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["gate"]["conversational"]["domain"] > 0


def test_a_dialog_counts_once_for_an_item(world):
    cases = [request(1, [3, 5], "a"), request(2, [3], "a"), request(3, [3, 3], "b")]
    wanted = dialogs_wanting(cases, world.catalog)
    assert wanted[3] == 2
    assert wanted[5] == 1
    assert wanted.sum() == 3


def test_a_dialog_is_wholly_on_one_side_whatever_else_there_is():
    cases = [request(number, [1], f"d{number // 3}") for number in range(300)]
    learn, judge = split_dialogs(cases, 0.25)
    units = {case.unit for case in learn}
    assert not units & {case.unit for case in judge}
    assert len(learn) + len(judge) == 300
    assert 40 < len(judge) < 110
    fewer, _ = split_dialogs(cases[::2], 0.25)
    assert {case.unit for case in fewer} == units
