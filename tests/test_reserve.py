"""Untouched items get their places, and nothing else changes."""

import numpy as np
import pytest
from conftest import item_id
from hypothesis import given, settings
from hypothesis import strategies as st

import semrec
from semrec.pipeline.cold_slots import FIRST, slot_distance, with_cold_items

N = 60


@settings(deadline=None)
@given(
    order=st.permutations(range(N)),
    k=st.integers(1, 50),
    every=st.integers(1, 12),
    cold=st.sets(st.integers(0, N - 1), max_size=30),
)
def test_properties(order, k, every, cold):
    rows = np.array(order[:k])
    scores = np.linspace(9, 1, k).astype(np.float32)
    untouched = np.isin(np.arange(N), list(cold))
    fresh = np.array([row for row in order if row in cold], dtype=np.int64)
    found, falling = with_cold_items(
        rows, scores, (fresh, np.zeros(len(fresh), np.float32)), untouched, every
    )
    assert len(found) == len(set(found.tolist())) == k
    assert (np.diff(falling) <= 0).all()
    # Scores of a diversified list needn't fall; those of what isn't lifted stay.
    own = dict(zip(rows.tolist(), scores[::-1].tolist(), strict=True))
    lifted, kept = with_cold_items(
        rows, scores[::-1], (fresh, np.zeros(len(fresh), np.float32)), untouched, every
    )
    np.testing.assert_array_equal(lifted, found)
    assert all(kept[i] == own[row] for i, row in enumerate(lifted.tolist()) if row not in cold)
    np.testing.assert_array_equal(found[: FIRST - 1], rows[: FIRST - 1])
    # Those that were touched keep their order, and only the last of them give way.
    before = [row for row in rows.tolist() if row not in cold]
    after = [row for row in found.tolist() if row not in cold]
    assert after == before[: len(after)]
    places = len(range(FIRST, k + 1, every))
    assert sum(row in cold for row in found.tolist()) >= min(places, len(cold))


def test_there_are_no_more_places_than_their_share():
    assert slot_distance(400, 1000, 3) == 3
    assert slot_distance(10, 1000, 3) == 100
    assert slot_distance(0, 1000, 3) >= 1000


def test_places_are_where_they_are_said_to_be():
    rows = np.arange(40)
    untouched = np.arange(N) >= 40
    fresh = np.arange(40, N)
    found, _ = with_cold_items(
        rows, np.ones(40, np.float32), (fresh, np.ones(20, np.float32)), untouched, 8
    )
    assert np.flatnonzero(untouched[found]).tolist() == [10, 18, 26, 34]
    assert found[[10, 18, 26, 34]].tolist() == [40, 41, 42, 43]


@pytest.fixture
def running(artifact):
    running = semrec.load(artifact, verify="size")
    new = [{"item_id": f"n{n}", "title": "space space story"} for n in range(6)]
    running.add_items(new)
    return running


def fresh_places(found):
    return [item.rank for item in found.items if item.item_id.startswith("n")]


def test_a_long_list_shows_what_nobody_touched_and_a_short_one_is_as_it_was(running):
    long = running.recommend(session=[item_id(3)], k=40)
    assert len(fresh_places(long)) >= 3  # 6 of 66: ranks 11, 22, 33
    short = running.recommend(session=[item_id(3)], k=10)
    assert [i.item_id for i in short.items] == [i.item_id for i in long.items[:10]]


def test_a_weight_that_was_asked_for_and_the_baseline_have_no_such_places(running):
    session = [item_id(3)]
    assert fresh_places(running.baseline().recommend(session=session, k=40)) == []
    asked = {"session": session, "k": 40, "semantic_weight": 0.2}
    without = running.with_parts(untouched_every=0)
    assert running.recommend(**asked).items == without.recommend(**asked).items
    del asked["semantic_weight"]
    assert running.recommend(**asked).items != without.recommend(**asked).items


def test_filters_and_exclusions_hold_for_them_too(running):
    found = running.recommend(session=[item_id(3)], exclude=["n0", "n1"], k=40)
    assert not {"n0", "n1"} & {item.item_id for item in found.items}
    found = running.recommend(session=[item_id(3)], filters={"language": "fr"}, k=40)
    assert fresh_places(found) == []  # they have no language
