"""What lists are like, by hand."""

from math import log2

import numpy as np
import pytest
from conftest import N_ITEMS, item_id

from semrec.evaluate.beyond_accuracy import beyond_accuracy, gini

COUNTS = np.arange(N_ITEMS)


def ids(*rows):
    return [item_id(row) for row in rows]


def test_gini_by_hand():
    assert gini(np.array([3, 3, 3])) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(3 / 4)
    # mean absolute difference of 1 and 3 over twice their mean: (2 · 2 / 4) / (2 · 2)
    assert gini(np.array([1, 3])) == pytest.approx(1 / 4)


def test_figures_of_two_lists(world):
    found = beyond_accuracy([ids(0, 6, 1), ids(0, 58)], 2, world.catalog, COUNTS)
    assert found["coverage"] == 3 / N_ITEMS
    assert found["popularity"] == (0 + 6 + 0 + 58) / 4
    total = COUNTS.sum() + N_ITEMS
    bits = [-log2((count + 1) / total) for count in (0, 6, 0, 58)]
    assert found["novelty"] == pytest.approx(sum(bits) / 4)
    # 0 and 6 are space, even, fr; 58 is court, even, en: one of five labels in common
    assert found["diversity"] == pytest.approx((0 + (1 - 1 / 5)) / 2)


def test_the_same_for_all_is_less_than_something_for_each(world):
    same = beyond_accuracy([ids(0, 1)] * 30, 2, world.catalog, COUNTS)
    own = beyond_accuracy([ids(2 * n, 2 * n + 1) for n in range(30)], 2, world.catalog, COUNTS)
    assert same["coverage"] < own["coverage"] == 1
    assert same["gini"] > own["gini"] == pytest.approx(0)


def test_nothing_shown_and_items_that_nobody_knows(world):
    assert beyond_accuracy([[], ["nope"]], 5, world.catalog, COUNTS) == {"coverage": 0.0}
    alone = beyond_accuracy([ids(3)], 5, world.catalog, COUNTS)
    assert "diversity" not in alone  # there are no two to compare
