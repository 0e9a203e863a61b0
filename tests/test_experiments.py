"""Experiments: stable arms, fair teams, exact propensities, tests that keep their level."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from experiment_figures import (
    ab_false_positives,
    interleaved_differences,
    interleaving_rejections,
    off_policy_coverage,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from semrec.errors import DataError
from semrec.experiments.analyse import (
    adjusted,
    check_ratio,
    paired,
    sign_p,
    unpaired,
)
from semrec.experiments.assign import arm_of, bucket, enrolled
from semrec.experiments.exploration import draw_order, propensities
from semrec.experiments.interleave import team_draft
from semrec.experiments.off_policy import off_policy

lists = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=14)


def test_arms_are_the_same_in_another_process():
    names = [f"s{i}\ud800" if i == 3 else f"s{i}" for i in range(200)]
    code = (
        "from semrec.experiments.assign import arm_of, bucket\n"
        "names = [f's{i}\\ud800' if i == 3 else f's{i}' for i in range(200)]\n"
        "print(''.join(arm_of('gate', n) for n in names), sum(bucket('x', n) for n in names))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    arms = "".join(arm_of("gate", name) for name in names)
    assert other.stdout.split() == [arms, str(sum(bucket("x", name) for name in names))]
    assert arms != "".join(arm_of("gate2", name) for name in names)


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_who_takes_part_stays_when_the_share_grows(name, unit, share, larger):
    assert 0 <= bucket(name, unit) < 1
    if enrolled(name, unit, min(share, larger)):
        assert enrolled(name, unit, max(share, larger))


def test_arms_are_halves_and_independent_of_the_share_and_of_each_other():
    units = [f"u{i}" for i in range(20_000)]
    part = [unit for unit in units if enrolled("one", unit, 0.1)]
    assert stats.binomtest(len(part), len(units), 0.1).pvalue > 1e-4
    for chosen in (units, part):
        in_b = sum(arm_of("one", unit) == "b" for unit in chosen)
        assert stats.binomtest(in_b, len(chosen), 0.5).pvalue > 1e-4
    both = sum(arm_of("one", unit) == arm_of("two", unit) for unit in units)
    assert stats.binomtest(both, len(units), 0.5).pvalue > 1e-4


@given(lists, lists, st.integers(1, 12), st.integers(0, 2**32))
def test_teams_are_even_and_no_item_comes_twice(a, b, k, seed):
    drafted = team_draft(a, b, k, np.random.default_rng(seed))
    assert len(set(drafted.items)) == len(drafted.items) == min(k, len({*a, *b}))
    assert abs(drafted.teams.count("a") - drafted.teams.count("b")) <= 1
    for item, team in zip(drafted.items, drafted.teams, strict=True):
        assert item in {"a": a, "b": b, None: [*a, *b]}[team]
        if item in a and item in b and a.index(item) == b.index(item):
            assert team is None
    if a == b:
        assert drafted.items == tuple(a[:k])
    for arm, ranked in (("a", a), ("b", b)):  # an arm's items keep their order
        picked = [i for i, t in zip(drafted.items, drafted.teams, strict=True) if t == arm]
        assert picked == sorted(picked, key=ranked.index)


@given(lists, lists, st.integers(1, 12), st.integers(0, 2**32))
def test_a_draft_of_swapped_arms_is_the_same_draft_swapped(a, b, k, seed):
    class Swapped:
        def __init__(self):
            self.rng = np.random.default_rng(seed)

        def random(self):
            return 1 - self.rng.random() - 2**-54

    drafted = team_draft(a, b, k, np.random.default_rng(seed))
    swapped = team_draft(b, a, k, Swapped())
    other = {"a": "b", "b": "a", None: None}
    assert swapped.teams == tuple(other[team] for team in drafted.teams)
    picked = [i for i, t in zip(drafted.items, drafted.teams, strict=True) if t]
    assert picked == [i for i, t in zip(swapped.items, swapped.teams, strict=True) if t]


def test_an_order_is_drawn_as_probably_as_it_is_said_to_be():
    scores, temperature = np.array([1.0, 0.7, 0.1, 0.0]), 0.4
    rng = np.random.default_rng(0)
    drawn = draw_order(np.tile(scores, (40_000, 1)), temperature, rng)
    orders = list(itertools.permutations(range(4)))
    said = [propensities(scores[list(order)], temperature).prod() for order in orders]
    assert sum(said) == pytest.approx(1.0, abs=1e-12)
    counts = [int((drawn == order).all(axis=1).sum()) for order in orders]
    assert stats.chisquare(counts, np.array(said) * 40_000).pvalue > 1e-4


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.05, 0.5, 5.0]),
)
def test_probabilities_of_all_orders_sum_to_1(scores, temperature):
    orders = itertools.permutations(range(len(scores)))
    said = [propensities(np.array(scores)[list(order)], temperature).prod() for order in orders]
    assert sum(said) == pytest.approx(1.0, abs=1e-9)


def test_estimates_are_those_that_are_made_by_hand():
    rng = np.random.default_rng(0)
    logged, target = rng.uniform(0.2, 0.9, 500), rng.uniform(0.2, 0.9, 500)
    rewards = rng.poisson(1.0, 500).astype(float)
    weights = target / logged
    plain = off_policy(rewards, logged, target)
    assert plain.ips.mean == pytest.approx(sum(weights * rewards) / 500)
    assert plain.snips.mean == pytest.approx((weights @ rewards) / weights.sum())
    assert plain.effective == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert plain.dr is None
    # A model that knows the truth leaves nothing to weigh.
    sure = off_policy(rewards, logged, target, predicted=rewards, expected=np.full(500, 0.7))
    assert sure.dr.mean == pytest.approx(0.7)
    assert sure.dr.high == pytest.approx(0.7)
    # The policy that drew them is worth what it got.
    same = off_policy(rewards, logged, logged)
    assert same.ips.mean == same.snips.mean == pytest.approx(rewards.mean())


def test_what_cannot_be_estimated_is_refused_in_one_line():
    ones = np.ones(500)
    with pytest.raises(DataError, match=r"deterministic \(propensity 1\)") as refused:
        off_policy(ones, ones, ones)
    assert "\n" not in str(refused.value)
    rare = np.where(np.arange(500) < 50, 1.0, 0.0)
    with pytest.raises(DataError, match="500 lists are worth 50"):
        off_policy(ones, ones / 2, rare)
    with pytest.raises(DataError, match="propensity isn't above 0"):
        off_policy(ones, np.where(rare, 0.0, 0.5), ones)


def test_a_ratio_that_is_off_is_refused():
    assert check_ratio([500, 510]) == pytest.approx(stats.chisquare([500, 510]).pvalue)
    with pytest.raises(DataError, match="sample ratio mismatch: 5,000 and 5,600"):
        check_ratio([5_000, 5_600])


def test_tests_are_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.poisson(1.0, 90).astype(float), rng.poisson(1.4, 60).astype(float)
    welch = stats.ttest_ind(b, a, equal_var=False)
    found = unpaired(a, b)
    assert found.p == pytest.approx(welch.pvalue)
    ends = welch.confidence_interval()
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high))
    single = stats.ttest_1samp(a - 1.3, 0)
    assert paired(a - 1.3).p == pytest.approx(single.pvalue)
    assert sign_p(np.array([1.0] * 8 + [-1.0] * 2 + [0.0] * 9)) == pytest.approx(
        stats.binomtest(8, 10).pvalue
    )
    for difference in (found, paired(a - 1.3)):
        assert difference.always_low < difference.low < difference.high < difference.always_high
    with pytest.raises(DataError, match="7 units in an arm"):
        unpaired(a[:7], b)


@given(st.integers(0, 2**32))
def test_the_sequential_interval_and_its_p_agree(seed):
    rng = np.random.default_rng(seed)
    result = paired(rng.normal(rng.normal(scale=0.3), 1.0, int(rng.integers(30, 500))))
    assert (result.always_p < 0.05) == (not result.always_low <= 0 <= result.always_high)


def test_a_covariate_narrows_and_moves_nothing_on_average():
    rng = np.random.default_rng(0)
    before = rng.normal(size=4_000)
    values = before + rng.normal(size=4_000)
    reduced = adjusted(values, before)
    assert reduced.mean() == pytest.approx(values.mean())
    assert reduced.var() == pytest.approx(values.var() / 2, rel=0.1)
    assert np.corrcoef(reduced, before)[0, 1] == pytest.approx(0, abs=1e-9)


def test_the_better_arm_wins():
    better = paired(interleaved_differences(np.random.default_rng(0), 400, 2.0, 0.5))
    assert better.always_low > 0
    worse = paired(interleaved_differences(np.random.default_rng(0), 400, 0.5, 2.0))
    assert worse.always_high < 0


@pytest.mark.slow
def test_no_difference_is_seen_where_there_is_none():
    shares = ab_false_positives(n_runs=1_000)
    assert 0.03 <= shares["fixed"] <= 0.07
    assert 0.03 <= shares["cuped"] <= 0.07
    assert shares["sequential"] <= 0.05
    assert shares["srm"] <= 0.005


@pytest.mark.slow
def test_no_difference_is_seen_between_arms_of_interleaved_lists():
    shares = interleaving_rejections(n_runs=1_000)
    assert 0.03 <= shares["paired"] <= 0.07
    assert shares["sign"] <= 0.07


@pytest.mark.slow
def test_intervals_of_estimates_hold_the_truth():
    within = off_policy_coverage(n_logs=300, n=1_000)
    assert within["snips"] >= 0.93
    assert within["dr"] >= 0.93
