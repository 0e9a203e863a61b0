"""A service of another size: lines are gone on with, queues are as theory has them."""

from math import exp, factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semrec.bench.scale import columns_of
from semrec.bench.simulate import Target, line, simulate, waits
from semrec.errors import ConfigError
from semrec.fusion.fused import N_COUNTED

SIZES = (60_000, 240_000)


@given(start=st.floats(0, 1e4), slope=st.floats(0, 1))
def test_a_line_is_gone_on_with(start, slope):
    values = [start + slope * size for size in SIZES]
    assert line(10**6, SIZES, values) == pytest.approx(start + slope * 10**6, rel=1e-6, abs=1e-6)


def test_noise_shrinks_no_cost():
    assert line(10**6, SIZES, [5.0, 4.0]) == 4.0


def waits_at_most(moment, served, per_ms):
    """Erlang's (1909) share of those who wait so long at most for one server of fixed times."""
    k = np.arange(int(moment // served) + 1)
    late = per_ms * (moment - k * served)
    return (1 - per_ms * served) * sum((-late[i]) ** i / factorial(i) * exp(late[i]) for i in k)


def test_who_waits_for_one_core_waits_as_theory_has_it():
    always = {"p50": 10.0, "p95": 10.0, "p99": 10.0}
    taken = [waits(always, 10.0, 70.0, 1, seed) for seed in range(5)]
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        waited = float(np.median([of[name] for of in taken])) - 10.0
        assert waits_at_most(waited, 10.0, 0.07) == pytest.approx(share, abs=0.01)


def test_more_cores_wait_less_and_too_few_are_said_to_be():
    ms = {"p50": 10.0, "p95": 20.0, "p99": 40.0}
    one, two, eight = (waits(ms, 10.0, 60.0, cores, 0) for cores in (1, 2, 8))
    assert one["p99"] > two["p99"] >= eight["p99"] > 35
    assert waits(ms, 10.0, 100.0, 1, 0) is None


def test_columns_that_are_repeated_leave_inner_products_alone():
    rng = np.random.default_rng(0)
    own = 10 + N_COUNTED
    items, queries = (rng.standard_normal((n, own)).astype(np.float32) for n in (50, 4))
    wide = [columns_of(vectors, 30 + N_COUNTED) for vectors in (items, queries)]
    assert wide[0].shape == (50, 30 + N_COUNTED)
    np.testing.assert_allclose(wide[1] @ wide[0].T, queries @ items.T, rtol=1e-4, atol=1e-4)
    assert columns_of(items, 0) is items
    assert columns_of(items, 4 + N_COUNTED).shape == (50, 4 + N_COUNTED)


@pytest.mark.slow
def test_a_small_service_end_to_end(artifact):
    found = simulate(artifact, Target(items=2_000, per_s=50), n=10)
    assert [row["items"] for row in found["measured"]["sizes"]] == [125, 500]
    assert found["cores"] >= 1
    assert found["ms"]["p50"] <= found["ms"]["p99"]
    assert found["ms_with_waiting"]["p99"] >= found["ms"]["p50"]
    assert found["worker_mb"]["in all"] >= found["worker_mb"]["process, encoder, artifact"] > 50
    assert any("words aren't parsed" in text for text in found["assumptions"])


@pytest.mark.parametrize(("items", "dim"), [(60, 0), (100, 0), (2_000, 3)])
def test_what_cant_be_extrapolated_is_refused(artifact, items, dim):
    with pytest.raises(ConfigError, match="expected"):
        simulate(artifact, Target(items=items, dim=dim), n=5)
