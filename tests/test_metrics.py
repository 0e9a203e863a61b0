"""Metrics by hand, as the fractions they come from, and against `ranx`."""

from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.metrics.ranking import (
    METRICS,
    average_precision,
    hit,
    mrr,
    ndcg,
    precision,
    ranks_of,
    recall,
)


def test_ranks_count_from_1_and_a_repeated_item_counts_once():
    assert ranks_of(["a", "x", "a", "b", "x"], ["b", "a", "c"]) == [1, 4]
    assert ranks_of([], ["a"]) == []
    assert ranks_of(["x"], []) == []


@pytest.mark.parametrize(
    ("ranks", "n_relevant", "k", "want"),
    [
        ([1, 4], 3, 10, 2 / 3),
        ([1, 4], 3, 3, 1 / 3),
        ([4], 1, 3, 0),
        ([4], 1, 4, 1),
        ([1, 2, 3], 5, 3, 3 / 5),
        ([], 2, 10, 0),
    ],
)
def test_recall_is_the_share_of_the_relevant_items(ranks, n_relevant, k, want):
    assert recall(ranks, n_relevant, k) == pytest.approx(want)


@pytest.mark.parametrize(
    ("ranks", "k", "want"),
    [([3, 7], 10, 1 / 3), ([7, 3], 10, 1 / 3), ([4], 3, 0), ([4], 4, 1 / 4), ([], 10, 0)],
)
def test_mrr_is_one_over_the_first_rank(ranks, k, want):
    assert mrr(ranks, 2, k) == pytest.approx(want)


@pytest.mark.parametrize(("ranks", "k", "want"), [([3], 3, 1), ([3], 2, 0), ([], 5, 0)])
def test_hit_is_whether_any_is_there(ranks, k, want):
    assert hit(ranks, 1, k) == want


@pytest.mark.parametrize(
    ("ranks", "n_relevant", "k", "want"),
    [
        ([1], 1, 10, 1),
        ([2], 1, 10, 1 / log2(3)),
        ([1, 3], 2, 10, (1 + 1 / 2) / (1 + 1 / log2(3))),
        ([1, 2], 5, 2, 1),  # no list of two can be better
        ([2], 5, 2, (1 / log2(3)) / (1 + 1 / log2(3))),
        ([3], 1, 2, 0),
        ([], 4, 10, 0),
    ],
)
def test_ndcg_is_the_discounted_gain_over_the_best_possible_one(ranks, n_relevant, k, want):
    assert ndcg(ranks, n_relevant, k) == pytest.approx(want)


@pytest.mark.parametrize(
    ("ranks", "n_relevant", "k", "want"),
    [
        ([1, 3], 2, 10, (1 / 1 + 2 / 3) / 2),
        ([3, 1], 2, 10, (1 / 1 + 2 / 3) / 2),
        ([1, 3], 4, 10, (1 / 1 + 2 / 3) / 4),
        ([1, 3], 2, 2, (1 / 1) / 2),
        ([], 2, 10, 0),
    ],
)
def test_average_precision_is_the_mean_of_the_precisions_at_the_ranks(ranks, n_relevant, k, want):
    assert average_precision(ranks, n_relevant, k) == pytest.approx(want)


@pytest.mark.parametrize(
    ("ranks", "n_relevant", "k", "want"),
    [
        ([1, 3, 11], 40, 10, 2 / 10),
        ([1, 3, 10], 4, 10, 3 / 4),  # no list can hold more than four
        ([1, 2, 3, 4], 4, 10, 1),
        ([1, 2], 2, 1, 1),
        ([11], 1, 10, 0),
        ([], 3, 10, 0),
    ],
)
def test_precision_is_divided_by_what_the_best_list_holds(ranks, n_relevant, k, want):
    assert precision(ranks, n_relevant, k) == pytest.approx(want)


LISTS = st.lists(st.integers(0, 30).map(str), max_size=40, unique=True)
RELEVANT = st.lists(st.integers(0, 30).map(str), min_size=1, max_size=12, unique=True)


@settings(deadline=None)
@given(found=LISTS, relevant=RELEVANT, k=st.integers(1, 50))
def test_every_metric_lies_between_0_and_1(found, relevant, k):
    ranks = ranks_of(found, relevant)
    for metric in METRICS.values():
        assert 0 <= metric(ranks, len(relevant), k) <= 1 + 1e-12


@settings(deadline=None)
@given(relevant=RELEVANT, k=st.integers(1, 12))
def test_the_best_list_reaches_1(relevant, k):
    ranks = ranks_of(relevant, relevant)
    assert ndcg(ranks, len(relevant), k) == precision(ranks, len(relevant), k) == pytest.approx(1)
    assert mrr(ranks, len(relevant), k) == hit(ranks, len(relevant), k) == 1
    assert recall(ranks, len(relevant), k) == pytest.approx(min(1, k / len(relevant)))


@pytest.mark.slow  # ranx compiles its metrics for half a minute
@pytest.mark.filterwarnings("ignore:.*unsafe cast from uint64 to int64")  # coloured, with colorama
@pytest.mark.parametrize("k", [1, 5, 10, 50])
def test_ranx_gives_the_same_numbers(k):
    from ranx import Qrels, Run, evaluate

    rng = np.random.default_rng(0)
    items = [f"i{n}" for n in range(60)]
    relevant = {f"q{q}": rng.choice(items, rng.integers(1, 15), False).tolist() for q in range(80)}
    lists = {query: rng.choice(items, 40, False).tolist() for query in relevant}
    qrels = Qrels({query: dict.fromkeys(ids, 1) for query, ids in relevant.items()})
    run = Run({q: {item: 1 / rank for rank, item in enumerate(ids, 1)} for q, ids in lists.items()})
    names = {"recall": "recall", "ndcg": "ndcg", "mrr": "mrr", "hit": "hit_rate", "map": "map"}
    both = [*names.values(), "precision"]
    theirs = evaluate(qrels, run, [f"{name}@{k}" for name in both], return_mean=False)
    order = list(qrels.qrels)
    for ours, name in names.items():
        found = [METRICS[ours](ranks_of(lists[q], relevant[q]), len(relevant[q]), k) for q in order]
        np.testing.assert_allclose(found, theirs[f"{name}@{k}"], atol=1e-9)
    for q, their in zip(order, theirs[f"precision@{k}"], strict=True):
        n_relevant = len(relevant[q])
        found = precision(ranks_of(lists[q], relevant[q]), n_relevant, k)
        assert found == pytest.approx(their * k / min(k, n_relevant))  # ranx divides by k
