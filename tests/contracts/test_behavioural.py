"""What every behavioural model promises, and each one against a direct computation."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.assemble import fit_baseline, fit_behaviour
from semrec.behaviour.als import ALS, fit_als
from semrec.behaviour.ease import fit_ease
from semrec.behaviour.item_knn import fit_item_knn
from semrec.behaviour.pure_svd import fit_pure_svd
from semrec.config import BehaviourConfig
from semrec.types import SessionRows

N_BLOCKS, BLOCK, NEVER_SEEN = 3, 6, (18, 19)
N_ITEMS = N_BLOCKS * BLOCK + len(NEVER_SEEN)
VECTOR_MODELS = ("als", "pure_svd")
LEARNING = (*VECTOR_MODELS, "item_knn", "ease")  # from what goes with what
ALL = (*LEARNING, "popularity")


def fit(kind, matrix, *, decay=1.0, factors=4):
    if kind in VECTOR_MODELS:
        config = BehaviourConfig(kind=kind, factors=factors)
        return fit_behaviour(config, matrix, regularization=0.1, alpha=5.0, decay=decay, seed=3)
    return fit_baseline(kind, matrix, strength=5.0, decay=decay)


def from_pairs(pairs, shape):
    users, rows = np.asarray(pairs).T
    return sp.csr_matrix((np.ones(len(users), np.float32), (users, rows)), shape=shape)


def blocks():
    """Ninety users who each took four of the six items of their block; two items nobody took."""
    rng = np.random.default_rng(5)
    pairs = []
    for user in range(90):
        first = user % N_BLOCKS * BLOCK
        pairs += [(user, first + row) for row in rng.permutation(BLOCK)[:4]]
    return from_pairs(pairs, (90, N_ITEMS))


def random_matrix(n_users=40, n_items=9, seed=1):
    dense = np.random.default_rng(seed).random((n_users, n_items)) < 0.4
    return sp.csr_matrix(dense.astype(np.float32))


def session(*rows, weights=None):
    plain = SessionRows.of(rows)
    if weights is None:
        return plain
    return SessionRows(rows=plain.rows, weights=np.asarray(weights, np.float32))


@pytest.fixture(scope="module")
def fitted():
    return {kind: fit(kind, blocks()) for kind in ALL}


@pytest.fixture(scope="module")
def decaying():
    return {kind: fit(kind, blocks(), decay=0.2) for kind in LEARNING}


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_a_session_ranks_its_own_block_first(fitted, kind, block):
    own = range(block * BLOCK, (block + 1) * BLOCK)
    scores = fitted[kind].scores(session(*own[:2]))
    scores[list(own[:2])] = -np.inf
    assert set(np.argsort(-scores)[:4]) == set(own[2:])


def test_popularity_is_the_count_whatever_the_session(fitted):
    want = np.asarray(blocks().sum(axis=0)).ravel()
    for rows in ((), (0, 1), (7,)):
        np.testing.assert_array_equal(fitted["popularity"].scores(session(*rows)), want)


@pytest.mark.parametrize("kind", ALL)
@settings(deadline=None)
@given(rows=st.lists(st.integers(0, N_ITEMS - 1), max_size=12))
def test_scores_are_finite_float32_one_per_item(fitted, decaying, kind, rows):
    for models in (fitted, decaying):
        if kind in models:
            scores = models[kind].scores(session(*rows))
            assert scores.shape == (N_ITEMS,)
            assert scores.dtype == np.float32
            assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", ALL)
def test_never_seen_items_score_nothing(fitted, kind):
    scores = fitted[kind].scores(session(0, 1))
    np.testing.assert_array_equal(scores[list(NEVER_SEEN)], 0)
    if kind in VECTOR_MODELS:
        np.testing.assert_array_equal(fitted[kind].item_vectors[list(NEVER_SEEN)], 0)


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("rows", [(), NEVER_SEEN], ids=["empty", "never seen"])
def test_a_session_that_says_nothing_gives_equal_scores(fitted, kind, rows):
    np.testing.assert_array_equal(fitted[kind].scores(session(*rows)), np.zeros(N_ITEMS))


@pytest.mark.parametrize("kind", VECTOR_MODELS)
def test_a_score_is_an_inner_product(fitted, kind):
    model, asked = fitted[kind], session(0, 7, 2)
    vector = model.session_vector(asked)
    assert vector.dtype == np.float32
    assert vector.shape == (model.item_vectors.shape[1],)
    np.testing.assert_array_equal(model.scores(asked), model.item_vectors @ vector)
    np.testing.assert_array_equal(model.session_vector(session()), np.zeros_like(vector))


@pytest.mark.parametrize("kind", LEARNING)
def test_the_newest_event_outweighs_older_ones(decaying, kind):
    scores = decaying[kind].scores(session(0, 1, 6))
    assert scores[7:12].min() > scores[2:6].max()
    turned = decaying[kind].scores(session(6, 0, 1))
    assert turned[2:6].min() > turned[7:12].max()


@pytest.mark.parametrize("kind", LEARNING)
def test_without_decay_the_order_does_not_matter(fitted, kind):
    one, other = (fitted[kind].scores(session(*rows)) for rows in ((0, 1, 6), (6, 1, 0)))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("kind", LEARNING)
def test_the_very_next_event_changes_the_scores(fitted, kind):
    before, after = fitted[kind].scores(session(0)), fitted[kind].scores(session(0, 12))
    assert after[13:18].mean() > before[13:18].mean() + 0.01


@pytest.mark.parametrize("kind", LEARNING)
def test_a_heavier_event_pulls_more(fitted, kind):
    light = fitted[kind].scores(session(0, 6, weights=[1, 1]))
    heavy = fitted[kind].scores(session(0, 6, weights=[1, 2]))
    assert heavy[7:12].mean() > light[7:12].mean()


@pytest.mark.parametrize("kind", ALL)
def test_the_same_seed_gives_the_same_numbers(fitted, kind):
    again = fit(kind, blocks())
    asked = session(3, 9)
    np.testing.assert_array_equal(again.scores(asked), fitted[kind].scores(asked))


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("pairs", "shape"),
    [
        ([(0, 0), (0, 2)], (1, 5)),
        ([(0, 0), (3, 0)], (5, 1)),
        ([(1, 2)], (4, 4)),
        ([(0, 0)], (1, 1)),
    ],
    ids=["one user", "one item", "one event", "one of all"],
)
def test_the_smallest_matrices_can_be_fitted(kind, pairs, shape):
    model = fit(kind, from_pairs(pairs, shape))
    for asked in (session(), session(pairs[0][1]), session(shape[1] - 1)):
        scores = model.scores(asked)
        assert scores.shape == (shape[1],)
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", LEARNING)
def test_items_that_are_always_taken_together_find_each_other(kind):
    """Two independent pairs: fewer patterns than factors, so the spare factors must stay silent."""
    pairs = [(user, row) for user in range(6) for row in ((0, 1) if user % 2 else (2, 3))]
    model = fit(kind, from_pairs(pairs, (6, 8)))
    for row, twin in ((0, 1), (1, 0), (2, 3), (3, 2)):
        scores = model.scores(session(row))
        scores[row] = -np.inf
        assert np.argmax(scores) == twin
        assert scores[twin] > 0.1


# --- each one against a direct computation ---


def test_als_folds_in_as_implicit_itself_does():
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    matrix = random_matrix()
    options = {"factors": 5, "regularization": 0.3, "alpha": 4.0, "iterations": 7}
    ours = fit_als(matrix, **options, decay=1.0, seed=2)
    with threadpool_limits(1, "blas"):
        theirs = AlternatingLeastSquares(**options, random_state=2)
        theirs.fit(matrix, show_progress=False)
        np.testing.assert_allclose(ours.item_vectors, theirs.item_factors, atol=1e-5)
        for user in range(matrix.shape[0]):
            want = theirs.recalculate_user(user, matrix[user])
            found = ours.session_vector(session(*matrix[user].indices))
            np.testing.assert_allclose(found, want, atol=1e-4)


def test_als_solves_its_least_squares_problem():
    """Weights, decay and a repeated item: confidences of one item add up."""
    vectors = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    model = ALS(item_vectors=vectors, regularization=0.5, alpha=3.0, decay=0.5)
    found = model.session_vector(session(2, 4, 2, weights=[1, 2, 1]))
    confidence = np.ones(7)
    wanted = np.zeros(7)
    for row, pull in ((2, 1 / 4 + 1), (4, 2 * 1 / 2)):
        confidence[row], wanted[row] = 3.0 * pull, 1.0
    y = vectors.astype(np.float64)
    left = y.T @ np.diag(confidence) @ y + 0.5 * np.eye(3)
    want = np.linalg.solve(left, y.T @ (confidence * wanted))
    np.testing.assert_allclose(found, want, rtol=1e-4)


def test_pure_svd_projects_onto_the_leading_right_singular_vectors():
    matrix = random_matrix()
    model = fit_pure_svd(matrix, factors=4, decay=1.0, seed=0)
    leading = np.linalg.svd(matrix.toarray())[2][:4]
    for rows in ((0,), (1, 5, 8)):
        asked = np.isin(np.arange(9), rows).astype(float)
        want = leading.T @ leading @ asked
        np.testing.assert_allclose(model.scores(session(*rows)), want, atol=1e-5)


def test_ease_is_its_closed_form():
    matrix = random_matrix()
    model = fit_ease(matrix, regularization=7.0, decay=0.5)
    dense = matrix.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + 7.0 * np.eye(9))
    want = np.eye(9) - inverse / np.diag(inverse)  # column j divided by its diagonal
    np.testing.assert_allclose(model.weights, want, atol=1e-6)
    scores = model.scores(session(3, 1))
    np.testing.assert_allclose(scores, want[3] / 2 + want[1], atol=1e-6)


@pytest.mark.parametrize("neighbours", [9, 3])
def test_item_knn_is_the_shrunk_cosine_of_the_nearest(neighbours):
    matrix = random_matrix()
    model = fit_item_knn(matrix, shrink=2.0, neighbours=neighbours, decay=0.5)
    dense = matrix.toarray().astype(np.float64)
    norms = np.linalg.norm(dense, axis=0)
    want = dense.T @ dense / (np.outer(norms, norms) + 2.0)
    np.fill_diagonal(want, 0)
    for row in want:
        row[np.argsort(row)[:-neighbours]] = 0
    np.testing.assert_allclose(model.similarities.toarray(), want, atol=1e-6)
    scores = model.scores(session(3, 1))
    np.testing.assert_allclose(scores, want[3] / 2 + want[1], atol=1e-6)
