"""What every behavioural model promises, and each one against a direct computation."""

import json

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tiny_training import events_of

from semrec.artifact.behavioural_models import (
    fit_baseline,
    fit_behaviour,
    fit_neighbours,
    load_behaviour,
    load_neighbours,
    options_of,
    state_of,
)
from semrec.behaviour import item_knn
from semrec.behaviour.als import ALS, fit_als
from semrec.behaviour.ease import fit_ease, prune_ease
from semrec.behaviour.item_knn import fit_item_knn
from semrec.behaviour.neighbours import Neighbours
from semrec.behaviour.pure_svd import fit_pure_svd
from semrec.config import BehaviourConfig, NeighboursConfig, TrainingConfig
from semrec.errors import ArtifactError, ConfigError
from semrec.types import SessionRows

N_BLOCKS, BLOCK, NEVER_SEEN = 3, 6, (18, 19)
N_ITEMS = N_BLOCKS * BLOCK + len(NEVER_SEEN)
MAX_LENGTH = 10  # of what a sequence model looks at

SEQUENCE_MODELS = ("sasrec", "two_tower")
VECTOR_MODELS = ("als", "pure_svd", *SEQUENCE_MODELS)
SPARSE_MODELS = ("item_knn", "ease_pruned")
LEARNING = (*VECTOR_MODELS, *SPARSE_MODELS, "ease")  # from what goes with what
ALL = (*LEARNING, "popularity")
# Sequence models learn from the order of events, and from repeated ones; weights they don't read.
COUNTING = tuple(kind for kind in LEARNING if kind not in SEQUENCE_MODELS)


def fit(kind, events, *, decay=1.0, factors=4):
    options = {"regularization": 0.1, "alpha": 5.0, "decay": decay, "strength": 5.0}
    if kind in VECTOR_MODELS:
        training = TrainingConfig(
            blocks=1,
            dropout=0.1,
            max_length=MAX_LENGTH,
            epochs=20,
            batch_size=16,
            learning_rate=0.01,
        )
        if kind in SEQUENCE_MODELS:
            factors = 2 * factors
        config = BehaviourConfig(kind=kind, factors=factors, training=training)
        return fit_behaviour(kind, events, config, options, seed=3)
    if kind in SPARSE_MODELS:
        kind = kind.removesuffix("_pruned")
        return fit_neighbours(kind, events.matrix(), NeighboursConfig(keep=8), options)
    return fit_baseline(kind, events.matrix(), strength=5.0, decay=decay)


def in_blocks():
    """Ninety users who each took four of the six items of their block; two items nobody took."""
    rng = np.random.default_rng(5)
    return [user % N_BLOCKS * BLOCK + rng.permutation(BLOCK)[:4] for user in range(90)]


def blocks():
    return events_of(in_blocks(), N_ITEMS)


def wandering():
    """Users who go from block to block: what comes next goes with the newest, not the older."""
    rng = np.random.default_rng(6)
    sessions = []
    for _ in range(90):
        moves = rng.integers(N_BLOCKS) + np.cumsum(rng.random(8) < 0.3)
        sessions.append(moves % N_BLOCKS * BLOCK + rng.integers(BLOCK, size=8))
    return events_of(sessions, N_ITEMS)


def random_matrix(n_users=40, n_items=9, seed=1):
    dense = np.random.default_rng(seed).random((n_users, n_items)) < 0.4
    return sp.csr_matrix(dense.astype(np.float32))


def session(*rows, weights=None):
    plain = SessionRows.of(rows)
    if weights is None:
        return plain
    return SessionRows(rows=plain.rows, weights=np.asarray(weights, np.float32))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def fitted():
    return {kind: fit(kind, blocks()) for kind in ALL}


@pytest.fixture(scope="module")
def decaying():
    """SASRec has no decay: it learns from users who wander how much the newest event says."""
    return {
        kind: fit(kind, wandering() if kind == "sasrec" else blocks(), decay=0.2)
        for kind in LEARNING
    }


# --- what all of them promise ---


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("block", range(N_BLOCKS))
def test_a_session_ranks_its_own_block_first(fitted, kind, block):
    own = range(block * BLOCK, (block + 1) * BLOCK)
    scores = fitted[kind].scores(session(*own[:2]))
    scores[list(own[:2])] = -np.inf
    assert set(np.argsort(-scores)[:4]) == set(own[2:])


def test_popularity_is_the_count_whatever_the_session(fitted):
    want = np.asarray(blocks().matrix().sum(axis=0)).ravel()
    for rows in ((), (0, 1), (7,)):
        np.testing.assert_array_equal(fitted["popularity"].scores(session(*rows)), want)


@pytest.mark.parametrize("kind", ALL)
@settings(deadline=None, max_examples=50)
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
    assert (scores[:18] != 0).any()
    if kind in VECTOR_MODELS:
        vectors = fitted[kind].item_vectors
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(vectors[list(NEVER_SEEN)], 0)
        assert vectors[:18].any(axis=1).all()


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("rows", [(), NEVER_SEEN], ids=["empty", "never seen"])
def test_a_session_that_says_nothing_gives_equal_scores(fitted, kind, rows):
    np.testing.assert_array_equal(fitted[kind].scores(session(*rows)), np.zeros(N_ITEMS))


@pytest.mark.parametrize("kind", LEARNING)
def test_never_seen_items_in_a_session_change_nothing(fitted, kind):
    with_them = session(0, *NEVER_SEEN, 7, NEVER_SEEN[0])
    np.testing.assert_allclose(
        fitted[kind].scores(with_them), fitted[kind].scores(session(0, 7)), atol=1e-6
    )


@pytest.mark.parametrize("kind", VECTOR_MODELS)
def test_a_score_is_an_inner_product(fitted, kind):
    model, asked = fitted[kind], session(0, 7, 2)
    vector = model.session_vector(asked)
    assert vector.dtype == np.float32
    assert vector.shape == (model.item_vectors.shape[1],)
    assert vector.any()
    np.testing.assert_array_equal(model.scores(asked), model.item_vectors @ vector)
    for nothing in ((), NEVER_SEEN):
        found = model.session_vector(session(*nothing))
        np.testing.assert_array_equal(found, np.zeros_like(vector))


@pytest.mark.parametrize("kind", LEARNING)
def test_the_newest_event_outweighs_older_ones(decaying, kind):
    scores = decaying[kind].scores(session(0, 1, 6))
    assert scores[7:12].min() > scores[2:6].max()
    turned = decaying[kind].scores(session(6, 0, 1))
    assert turned[2:6].min() > turned[7:12].max()


# SASRec reads the order whatever the decay: the next test.
@pytest.mark.parametrize("kind", [kind for kind in LEARNING if kind != "sasrec"])
def test_without_decay_the_order_does_not_matter(fitted, kind):
    one, other = (fitted[kind].scores(session(*rows)) for rows in ((0, 1, 6), (6, 1, 0)))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_sasrec_reads_the_order(fitted):
    one, other = (fitted["sasrec"].scores(session(*rows)) for rows in ((0, 1, 6), (6, 1, 0)))
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize("kind", LEARNING)
def test_the_very_next_event_changes_the_scores(fitted, kind):
    before, after = fitted[kind].scores(session(0)), fitted[kind].scores(session(0, 12))
    assert after[13:18].mean() > before[13:18].mean() + 0.01


@pytest.mark.parametrize("kind", COUNTING)
def test_a_heavier_event_pulls_more(fitted, kind):
    light = fitted[kind].scores(session(0, 6, weights=[1, 1]))
    heavy = fitted[kind].scores(session(0, 6, weights=[1, 2]))
    assert heavy[7:12].mean() > light[7:12].mean()


@pytest.mark.parametrize("kind", SEQUENCE_MODELS)
def test_sequence_models_do_not_read_weights(fitted, kind):
    light = fitted[kind].scores(session(0, 6, weights=[1, 1]))
    heavy = fitted[kind].scores(session(0, 6, weights=[1, 2]))
    np.testing.assert_array_equal(light, heavy)


# To SASRec an event that occurs again is one more position, not more of the same.
@pytest.mark.parametrize("kind", [kind for kind in LEARNING if kind != "sasrec"])
def test_an_item_that_occurs_again_pulls_more(fitted, kind):
    def lead(*rows):
        scores = fitted[kind].scores(session(*rows))
        return scores[1:6].mean() - scores[7:12].mean()

    assert lead(0, 6, 0) > lead(0, 6) + 0.01
    assert lead(0, 6, 6) < lead(0, 6) - 0.01


@pytest.mark.parametrize("kind", ALL)
def test_long_sessions_and_repeated_items_give_finite_scores(fitted, decaying, kind):
    for models in (fitted, decaying):
        if kind in models:
            for rows in ([0] * 300, [*range(18)] * 20):
                scores = models[kind].scores(session(*rows))
                assert np.isfinite(scores).all()
                assert scores.std() > 0


@pytest.mark.parametrize("kind", SEQUENCE_MODELS)
def test_of_a_long_session_the_newest_events_are_read(fitted, kind):
    rng = np.random.default_rng(0)
    rows = rng.integers(18, size=25)
    newest = fitted[kind].scores(session(*rows[-MAX_LENGTH:]))
    np.testing.assert_array_equal(fitted[kind].scores(session(*rows)), newest)
    shorter = fitted[kind].scores(session(*rows[1 - MAX_LENGTH :]))
    assert np.abs(shorter - newest).max() > 1e-4  # the oldest that is read does count
    # What nobody took is left out before the newest are counted.
    mixed = fitted[kind].scores(session(*rows, *NEVER_SEEN * 3))
    np.testing.assert_array_equal(mixed, newest)


@pytest.mark.parametrize("kind", ALL)
def test_the_same_seed_gives_the_same_numbers(fitted, kind):
    again = fit(kind, blocks())
    for rows in ((3, 9), (0,), (17, 2, 5, 5)):
        asked = session(*rows)
        np.testing.assert_array_equal(again.scores(asked), fitted[kind].scores(asked))
    if kind in VECTOR_MODELS:
        np.testing.assert_array_equal(again.item_vectors, fitted[kind].item_vectors)


@pytest.mark.parametrize("kind", ["als", *SEQUENCE_MODELS])  # what draws its first numbers
def test_another_seed_gives_other_numbers(fitted, kind):
    config = BehaviourConfig(kind=kind, factors=4, training=TrainingConfig(epochs=1, blocks=1))
    options = {"regularization": 0.1, "alpha": 5.0, "decay": 1.0}
    one, other = (fit_behaviour(kind, blocks(), config, options, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.item_vectors, other.item_vectors)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("sessions", "n_items"),
    [
        ([[0, 2]], 5),
        ([[0], [], [], [0], []], 1),
        ([[], [2], [], []], 4),
        ([[0]], 1),
        ([[row] for row in range(5)], 5),
        ([[0, 0, 0]], 2),
    ],
    ids=["one user", "one item", "one event", "one of all", "users of one item", "one item again"],
)
def test_the_smallest_matrices_can_be_fitted(kind, sessions, n_items):
    events = events_of(sessions, n_items)
    model = fit(kind, events)
    for asked in (session(), session(events.rows[0]), session(n_items - 1), session(*events.rows)):
        scores = model.scores(asked)
        assert scores.shape == (n_items,)
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores[events.counts == 0], 0)


@pytest.mark.parametrize("kind", COUNTING)
def test_an_event_that_occurs_again_teaches_nothing_new(fitted, kind):
    again = fit(kind, events_of([[*rows, *rows[:2]] for rows in in_blocks()], N_ITEMS))
    asked = session(0, 7)
    np.testing.assert_array_equal(again.scores(asked), fitted[kind].scores(asked))


@pytest.mark.parametrize("kind", LEARNING)
def test_users_of_one_item_do_no_harm(kind):
    """Three more than there are others, all with the same item."""
    model = fit(kind, events_of([*in_blocks(), *[[12]] * 93], N_ITEMS))
    scores = model.scores(session(0, 1))
    assert set(np.argsort(-scores)[:6]) >= {2, 3, 4, 5}


@pytest.mark.parametrize("kind", LEARNING)
def test_items_that_are_always_taken_together_find_each_other(kind):
    """Two independent pairs: fewer patterns than factors, so the spare factors must stay silent."""
    pairs = ([0, 1], [2, 3], [1, 0], [3, 2])
    model = fit(kind, events_of([pairs[user % 4] for user in range(32)], 8))
    for row, twin in ((0, 1), (1, 0), (2, 3), (3, 2)):
        scores = model.scores(session(row))
        scores[row] = -np.inf
        assert np.argmax(scores) == twin
        assert scores[twin] > 0.1


# --- the model of nothing ---


def test_the_silent_model_has_no_vectors_and_equal_scores():
    model = fit_behaviour("none", blocks(), BehaviourConfig(kind="none"), {}, seed=0)
    assert model.item_vectors.shape == (N_ITEMS, 0)
    assert model.item_vectors.dtype == np.float32
    for rows in ((), (0, 1)):
        assert model.session_vector(session(*rows)).shape == (0,)
        np.testing.assert_array_equal(model.scores(session(*rows)), np.zeros(N_ITEMS))


# --- stored and loaded ---


@pytest.mark.parametrize("kind", VECTOR_MODELS)
def test_a_loaded_vector_model_gives_the_same_numbers(fitted, decaying, kind, tmp_path):
    for model, decay in ((fitted[kind], 1.0), (decaying[kind], 0.2)):
        save_file(state_of(model), tmp_path / "arrays")
        chosen = {"kind": kind, "regularization": 0.1, "alpha": 5.0, "decay": decay}
        manifest = json.loads(json.dumps({**chosen, **options_of(model)}))
        loaded = load_behaviour(load_file(tmp_path / "arrays"), manifest)
        np.testing.assert_array_equal(loaded.item_vectors, model.item_vectors)
        for rows in ((), (0, 7, 2), (12,), range(18)):
            asked = session(*rows)
            np.testing.assert_array_equal(loaded.session_vector(asked), model.session_vector(asked))
            np.testing.assert_array_equal(loaded.scores(asked), model.scores(asked))
        assert options_of(loaded) == options_of(model)


def test_a_loaded_silent_model_is_silent(tmp_path):
    model = fit_behaviour("none", blocks(), BehaviourConfig(kind="none"), {}, seed=0)
    save_file(state_of(model), tmp_path / "arrays")
    assert load_behaviour(load_file(tmp_path / "arrays"), {"kind": "none"}) == model


@pytest.mark.parametrize("kind", SPARSE_MODELS)
def test_loaded_neighbours_give_the_same_numbers(fitted, decaying, kind, tmp_path):
    for model in (fitted[kind], decaying[kind]):
        pruned = model.weights
        arrays = {"weights": pruned.data, "columns": pruned.indices, "starts": pruned.indptr}
        save_file(arrays, tmp_path / "arrays")
        chosen = json.loads(json.dumps({"n_seen": model.n_seen, "decay": model.decay}))
        loaded = load_neighbours(load_file(tmp_path / "arrays"), chosen)
        assert (loaded.n_seen, loaded.decay) == (18, model.decay)
        for rows in ((), (0, 7, 2), (12,), NEVER_SEEN):
            asked = session(*rows)
            np.testing.assert_array_equal(loaded.scores(asked), model.scores(asked))
            np.testing.assert_array_equal(loaded.nearest(asked).rows, model.nearest(asked).rows)


def test_an_unknown_kind_is_named():
    with pytest.raises(ConfigError, match="'svd'"):
        fit_behaviour("svd", blocks(), BehaviourConfig(), {}, seed=0)
    with pytest.raises(ConfigError, match=r"'item_kn'.*item_knn"):
        fit_baseline("item_kn", blocks().matrix())
    with pytest.raises(ArtifactError, match="'svd'"):
        load_behaviour({"item_vectors": np.zeros((2, 2), np.float32)}, {"kind": "svd"})


# --- neighbours ---


@settings(deadline=None)
@given(
    rows=st.lists(st.integers(0, 11), max_size=15),
    seed=st.integers(0, 5),
    decay=st.sampled_from([0.3, 1.0]),
)
def test_the_nearest_are_the_sums_of_the_sessions_rows(rows, seed, decay):
    rng = np.random.default_rng(seed)
    dense = (rng.random((12, 12)) * (rng.random((12, 12)) < 0.3)).astype(np.float32)
    model = Neighbours(weights=sp.csr_matrix(dense), n_seen=12, decay=decay)
    asked = session(*rows, weights=rng.integers(1, 4, size=len(rows)))
    found = model.nearest(asked)
    assert (found.rows.dtype, found.scores.dtype) == (np.int64, np.float32)
    assert (np.diff(found.rows) > 0).all()
    assert (found.scores > 0).all()
    ages = np.arange(len(rows))[::-1]
    want = (asked.weights * decay**ages) @ dense[asked.rows].astype(np.float64)
    np.testing.assert_array_equal(found.rows, np.flatnonzero(want))
    np.testing.assert_allclose(found.scores, want[found.rows], rtol=1e-5)
    np.testing.assert_allclose(model.scores(asked), want, rtol=1e-5)


@pytest.mark.parametrize("kind", SPARSE_MODELS)
@pytest.mark.parametrize("rows", [(), (0,), (0, 7, 2), (5, 5), (*NEVER_SEEN, 3), tuple(range(18))])
def test_the_nearest_are_the_items_that_score(fitted, decaying, kind, rows):
    for model in (fitted[kind], decaying[kind]):
        found, scores = model.nearest(session(*rows)), model.scores(session(*rows))
        np.testing.assert_array_equal(found.rows, np.flatnonzero(scores > 0))
        np.testing.assert_array_equal(found.scores, scores[found.rows])


def test_what_has_decayed_to_nothing_is_no_neighbour():
    """In float32 0.2 ** 64 is the smallest number above 0: a fifth of it is none."""
    weights = sp.csr_matrix(np.asarray([[0, 0.2, 0], [0, 0, 0.2], [0, 0, 0]], np.float32))
    model = Neighbours(weights=weights, n_seen=3, decay=0.2)
    found = model.nearest(session(0, *[1] * 64))
    np.testing.assert_array_equal(found.rows, [2])
    assert (found.scores > 0).all()


@pytest.mark.parametrize("kind", SPARSE_MODELS)
def test_each_item_has_at_most_so_many_neighbours_and_none_is_itself(kind):
    events = blocks()
    options = {"strength": 5.0, "decay": 1.0}
    for keep in (1, 3, 2000):
        config = NeighboursConfig(keep=keep)
        model = fit_neighbours(kind.removesuffix("_pruned"), events.matrix(), config, options)
        sizes = np.diff(model.weights.indptr)
        assert sizes[:18].max() == min(keep, BLOCK - 1)
        assert (model.weights.data > 0).all()
        np.testing.assert_array_equal(model.weights.diagonal(), 0)


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


@pytest.mark.parametrize("keep", [1, 2, 4, 7, 9, 500])
def test_pruned_ease_keeps_each_items_strongest_weights_above_0(keep):
    """Of nine items two have no events, so that seven is all there is."""
    matrix = random_matrix(n_users=12).tolil()
    matrix[:, [2, 6]] = 0
    whole = fit_ease(matrix.tocsr(), regularization=0.5, decay=0.5)
    pruned = prune_ease(whole, keep)
    want = np.zeros((9, 9), dtype=np.float32)
    for place, row in enumerate(whole.seen):
        strongest = np.argsort(-whole.weights[place])[:keep]
        want[row, whole.seen[strongest]] = np.maximum(whole.weights[place][strongest], 0)
    assert (whole.weights < 0).any()
    np.testing.assert_array_equal(pruned.weights.toarray(), want)
    assert pruned.weights.dtype == np.float32
    assert (pruned.weights.data > 0).all()
    assert pruned.weights.has_sorted_indices
    assert (pruned.n_seen, pruned.decay) == (7, 0.5)
    found = pruned.scores(session(3, 2, 1))
    np.testing.assert_allclose(found, want[3] / 4 + want[1], rtol=1e-5)


@pytest.mark.parametrize("neighbours", [9, 3])
@pytest.mark.parametrize("block_rows", [1, 4, 512])
def test_item_knn_is_the_shrunk_cosine_of_the_nearest(neighbours, block_rows, monkeypatch):
    monkeypatch.setattr(item_knn, "BLOCK_ROWS", block_rows)
    matrix = random_matrix()
    model = fit_item_knn(matrix, shrink=2.0, neighbours=neighbours, decay=0.5)
    dense = matrix.toarray().astype(np.float64)
    norms = np.linalg.norm(dense, axis=0)
    want = dense.T @ dense / (np.outer(norms, norms) + 2.0)
    np.fill_diagonal(want, 0)
    for row in want:
        row[np.argsort(row)[:-neighbours]] = 0
    np.testing.assert_allclose(model.weights.toarray(), want, atol=1e-6)
    assert model.n_seen == 9
    scores = model.scores(session(3, 1))
    np.testing.assert_allclose(scores, want[3] / 2 + want[1], atol=1e-6)
