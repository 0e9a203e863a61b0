"""Blending a list's scores with a judge's: always a permutation, never swayed by nonsense."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.rerankers.blending import blended

ANY = st.floats(width=32)  # NaN and infinities too


@settings(max_examples=500, deadline=None)
@given(st.lists(ANY, max_size=40), st.floats(0, 10))
def test_any_scores_give_a_permutation(judged, weight):
    listed = np.arange(len(judged), 0, -1, dtype=np.float32)
    order = blended(listed, np.array(judged, dtype=np.float32), weight)
    assert sorted(order.tolist()) == list(range(len(judged)))


def test_weight_zero_and_a_constant_judge_change_nothing():
    listed = np.array([5, 3, 3, 1], dtype=np.float32)
    assert blended(listed, np.array([0, 1, 2, 3], np.float32), 0.0).tolist() == [0, 1, 2, 3]
    assert blended(listed, np.full(4, 7, np.float32), 9.0).tolist() == [0, 1, 2, 3]


def test_a_heavy_judge_decides_and_its_scale_does_not_matter():
    listed = np.array([4, 3, 2, 1], dtype=np.float32)
    judged = np.array([0, 1, 2, 3], dtype=np.float32)
    assert blended(listed, judged, 10.0).tolist() == [3, 2, 1, 0]
    for weight in (0.3, 0.9, 1.1):
        same = blended(listed, judged, weight)
        assert blended(listed, 1000 * judged - 5, weight).tolist() == same.tolist()


def test_what_was_not_judged_stays_behind_in_its_order():
    listed = np.array([5, 4, 3, 2, 1], dtype=np.float32)
    judged = np.array([1, np.nan, 9, np.nan, 2], dtype=np.float32)
    assert blended(listed, judged, 10.0).tolist() == [2, 4, 0, 1, 3]


@pytest.mark.parametrize("n", [0, 1])
def test_short_lists(n):
    assert blended(np.ones(n, np.float32), np.ones(n, np.float32), 1.0).tolist() == list(range(n))
