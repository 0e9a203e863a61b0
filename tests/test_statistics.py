"""Intervals that cover, p-values that are honest: checked where the truth was planted."""

import numpy as np
import pytest

from semrec.evaluate.scoring import pairs
from semrec.metrics.significance import (
    bootstrap_means,
    gain_interval,
    holm,
    interval,
    permutation_p,
    permutation_ps,
    standard_error,
    unit_sums,
)

ALONE = [str(n) for n in range(100)]


def own_interval(values, units, seed=0):
    rng = np.random.default_rng(seed)
    return interval(bootstrap_means(values[None], units, rng, n=500)[:, 0])


def test_sums_and_counts_per_unit():
    sums, counts = unit_sums(np.array([[1.0, 2, 4], [10, 20, 40]]), ["b", "a", "b"])
    assert counts.tolist() == [1, 2]
    assert sums.tolist() == [[2, 5], [20, 50]]


def test_intervals_cover_a_planted_mean_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        low, high = own_interval(rng.normal(0.4, 1, 100), ALONE, seed)
        covered += low <= 0.4 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_intervals_over_units_cover_where_those_over_cases_would_not():
    """Twenty dialogs of five cases each; a dialog's cases are nearly the same."""
    rng = np.random.default_rng(2)
    units = [str(n // 5) for n in range(100)]
    by_unit = by_case = 0
    for seed in range(200):
        values = np.repeat(rng.normal(0.4, 1, 20), 5) + rng.normal(0, 0.1, 100)
        for names in (units, ALONE):
            low, high = own_interval(values, names, seed)
            covers = low <= 0.4 <= high
            by_unit += covers and names is units
            by_case += covers and names is ALONE
    assert by_unit / 200 >= 0.88
    assert by_case / 200 <= 0.75


def test_clustered_cases_give_an_interval_wider_by_the_root_of_the_cluster():
    values = np.repeat(np.random.default_rng(3).normal(0, 1, 25), 4)
    units = [str(n // 4) for n in range(100)]
    clustered, alone = (
        high - low for low, high in (own_interval(values, u) for u in (units, ALONE))
    )
    assert clustered / alone == pytest.approx(np.sqrt(4), rel=0.2)


def test_the_mean_is_over_cases_also_where_units_differ_in_size():
    values = np.array([[1.0, 1, 1, 0]])
    samples = bootstrap_means(values, ["a", "a", "a", "b"], np.random.default_rng(0))
    assert set(np.unique(samples)) == {0, 3 / 4, 1}  # only b, one of each, only a


def test_all_systems_are_resampled_together():
    values = np.random.default_rng(4).random((1, 100))
    samples = bootstrap_means(np.vstack([values, values + 0.1]), ALONE, np.random.default_rng(0))
    np.testing.assert_allclose(samples[:, 1] - samples[:, 0], 0.1)


def test_the_interval_is_the_middle_of_the_samples():
    assert interval(np.arange(1_001.0), level=0.9) == pytest.approx((50, 950))


def test_p_is_uniform_where_the_systems_are_exchangeable():
    rng = np.random.default_rng(5)
    found = [
        permutation_p(rng.normal(size=30), rng.normal(size=30), ALONE[:30], rng, n=200)
        for _ in range(400)
    ]
    for level in (0.05, 0.2, 0.5):
        deviation = np.sqrt(level * (1 - level) / 400)
        assert abs(np.mean(np.asarray(found) <= level) - level) <= 3.5 * deviation


def test_p_stays_honest_where_cases_are_clustered():
    rng = np.random.default_rng(6)
    units = [str(n // 10) for n in range(100)]
    found = []
    for _ in range(200):
        difference = np.repeat(rng.normal(0, 1, 10), 10)
        found.append(permutation_p(difference, np.zeros(100), units, rng, n=200))
    assert np.mean(np.asarray(found) <= 0.05) <= 0.1


def test_p_is_small_for_a_planted_difference():
    rng = np.random.default_rng(7)
    first = rng.normal(0, 1, 100)
    second = first + rng.normal(0.5, 0.5, 100)
    assert permutation_p(first, second, ALONE, rng, n=999) == 1 / 1_000
    assert permutation_p(second, first, ALONE, rng, n=999) == 1 / 1_000


def test_p_of_a_system_against_itself_is_1():
    values = np.random.default_rng(8).random(100)
    assert permutation_p(values, values, ALONE, np.random.default_rng(0)) == 1


def test_p_counts_the_permutations_that_differ_as_much():
    """Three units that all differ by 1: of the eight ways to swap, two reach the sum of 3."""
    ones, zeros = np.ones(3), np.zeros(3)
    p = permutation_p(ones, zeros, ["a", "b", "c"], np.random.default_rng(0), n=20_000)
    assert p == pytest.approx(2 / 8, abs=0.02)


@pytest.mark.parametrize(
    ("p_values", "want"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.04, 0.01, 0.03, 0.005], [0.06, 0.03, 0.06, 0.02]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02], [0.02]),
        ([], []),
    ],
)
def test_holm_multiplies_by_what_is_left_and_never_falls(p_values, want):
    assert holm(p_values) == pytest.approx(want)


def test_holm_never_passes_1():
    assert holm([0.7, 0.6, 0.5]) == [1.0, 1.0, 1.0]


def test_as_many_permutations_as_were_asked_for():
    """A difference that each of them reaches: p is (1 + n) / (1 + n), also past one chunk."""
    nothing = np.zeros((2, 4))
    for n in (1, 99, 100, 250):
        assert permutation_ps(nothing, list("abcd"), np.random.default_rng(0), n) == [1.0, 1.0]


def test_the_standard_error_is_that_of_clusters():
    """Against the formula of cluster sampling, unit by unit, and the usual one without clusters."""
    rng = np.random.default_rng(11)
    values = rng.normal(2, 1, 60)
    assert standard_error(values, [str(n) for n in range(60)]) == pytest.approx(
        values.std(ddof=1) / np.sqrt(60)
    )
    units = [str(n // 7) for n in range(60)]
    totals = [
        sum(value - values.mean() for value, unit in zip(values, units, strict=True) if unit == own)
        for own in sorted(set(units))
    ]
    n = len(totals)
    want = np.sqrt(sum(total**2 for total in totals) * n / (n - 1)) / 60
    assert standard_error(values, units) == pytest.approx(want)
    assert standard_error(values, ["one"] * 60) == 0.0


def test_a_gain_is_drawn_by_its_seed():
    rng = np.random.default_rng(12)
    before = rng.random(40)
    after = before + rng.normal(0.1, 0.2, 40)
    units = [str(n) for n in range(40)]
    assert gain_interval(before, after, units, seed=1) == gain_interval(
        before, after, units, seed=1
    )
    assert gain_interval(before, after, units, seed=1) != gain_interval(
        before, after, units, seed=2
    )


# --- the verdict as a whole: interval and permutation test over clustered cases ---


def clustered(rng, gain):
    """Two systems on 120 dialogs of 1 to 6 cases: what a dialog is like is shared by its cases."""
    units = np.repeat(np.arange(120), rng.integers(1, 7, 120))
    hardness = rng.beta(0.5, 4, 120)[units]
    lean = rng.normal(0, 0.1, 120)[units]  # some dialogs suit one system, others the other
    first, second = (
        np.clip(hardness + sign * lean + rng.normal(0, 0.15, len(units)), 0, 1) for sign in (1, -1)
    )
    return np.stack([first + gain, second]), [str(unit) for unit in units]


def simulated(n, gain, resamples):
    """How often two systems are called different, and how often the interval holds the truth."""
    called = covered = 0
    for seed in range(n):
        rng = np.random.default_rng(seed)
        values, units = clustered(rng, gain)
        samples = bootstrap_means(values, units, rng, n=resamples)
        (pair,) = pairs(["a", "b"], values, samples, units, rng, n=resamples)
        called += pair.verdict != "no difference shown"
        covered += pair.low <= gain <= pair.high
    return called / n, covered / n


def test_a_verdict_is_as_rare_as_it_says_where_there_is_no_difference():
    called, covered = simulated(200, 0.0, 400)
    assert 0.01 <= called <= 0.10
    assert 0.90 <= covered <= 0.99


@pytest.mark.slow
def test_exchangeable_systems_are_called_different_in_one_comparison_of_twenty():
    called, _ = simulated(2_000, 0.0, 400)
    assert 0.035 <= called <= 0.065


@pytest.mark.slow
def test_intervals_cover_a_planted_difference_in_nineteen_comparisons_of_twenty():
    called, covered = simulated(2_000, 0.05, 400)
    assert 0.925 <= covered <= 0.97
    assert called >= 0.5
