"""Catalogues of other sizes: made of real vectors, asked real sessions."""

import numpy as np
import pytest
from conftest import item_id

import semrec
from semrec.bench.scale import resample, sources
from semrec.errors import DataError
from semrec.lexical.postings import resampled
from semrec.training.sampled_queries import fusion_of, requests
from semrec.types import Case, Query


def test_resampled_vectors_begin_with_the_real_ones_and_spread_as_they_do(tmp_path):
    rng = np.random.default_rng(0)
    base = (rng.standard_normal((500, 3)) @ rng.standard_normal((3, 6))).astype(np.float32)
    one = resample(base, 20_000, 0.5, 3, tmp_path / "one.npy")
    np.testing.assert_array_equal(one[:500], base)
    spread, real = np.cov(one[500:].T), np.cov(base.T)
    np.testing.assert_allclose(spread, 1.25 * real, atol=0.1 * np.abs(real).max())
    assert np.linalg.matrix_rank(one[:1000], tol=1e-3) == 3  # noise leaves no direction of theirs
    again = resample(base, 20_000, 0.5, 3, tmp_path / "again.npy")
    np.testing.assert_array_equal(one, again)


def test_without_noise_they_are_the_same_items_again(tmp_path):
    base = np.random.default_rng(0).standard_normal((10, 4)).astype(np.float32)
    more = resample(base, 100, 0.0, 0, tmp_path / "more.npy")
    assert {row.tobytes() for row in more} == {row.tobytes() for row in base}


def test_a_resampled_item_has_the_words_of_the_one_it_was_made_from(rec, tmp_path):
    base = np.eye(60, dtype=np.float32)
    made_of = sources(60, 300, seed=4)
    vectors = resample(base, 300, 0.0, 4, tmp_path / "more.npy")
    np.testing.assert_array_equal(vectors.argmax(axis=1), made_of)
    match = rec.lexical.match("a ghost story")
    every = match.scores.at(np.arange(60))
    more = resampled(rec.lexical, made_of).match("a ghost story")
    np.testing.assert_array_equal(more.scores.at(np.arange(300)), every[made_of])
    assert every.any()
    assert more.specificity == match.specificity


def test_made_requests_are_real_sessions_with_words_no_two_the_same(rec):
    made = requests(rec, (), 50, seed=1)
    assert len({query.intent for query in made}) == 50
    assert any(query.session for query in made)
    for query in made:
        rows = [int(event.item_id[1:]) for event in query.events]
        assert len({row // 10 for row in rows}) <= 1  # a user stays within one group


def test_cases_are_asked_over_and_over(rec):
    cases = [
        Case(case_id=str(row), query=Query(intent=f"story {row}"), relevant=(), unit="u")
        for row in range(3)
    ]
    silent = Case(case_id="x", query=Query(session=[item_id(1)]), relevant=(), unit="u")
    assert {query.intent for query in requests(rec, [*cases, silent], 7, seed=0)} == {
        "story 0",
        "story 1",
        "story 2",
    }
    with pytest.raises(DataError, match="none of the cases has words"):
        requests(rec, [silent], 7, seed=0)


def test_a_behavioural_recommender_has_nothing_fused_to_resample(rec):

    assert isinstance(rec, semrec.Recommender)
    with pytest.raises(DataError, match="behavioural-only"):
        fusion_of(rec.baseline())


def test_requests_are_made_of_users_who_have_a_history(rec):
    """Who only rejected has none."""
    events = rec.interactions
    starts = np.concatenate([[0], events.starts])  # one more user, without events
    emptied = rec.with_parts(interactions=Emptied(events, starts))
    assert len(requests(emptied, (), 50, seed=0)) == 50


class Emptied:
    """Interactions whose first user has no events."""

    def __init__(self, events, starts):
        self.user_ids, self.rows, self.starts = ("nobody", *events.user_ids), events.rows, starts

    def __len__(self):
        return len(self.rows)
