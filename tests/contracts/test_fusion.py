"""Fusion is one inner product: the weighted sum of standardised signals. And how it is tuned."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from semrec.behaviour.neighbours import Neighbours
from semrec.behaviour.null_model import NullVectorModel
from semrec.behaviour.pure_svd import PureSVD
from semrec.fusion.behavioural import BehaviouralBlocks
from semrec.fusion.fitting import fit_block, impute_from_text, standardised_popularity
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import UNTUNED, Gate, GateFeatures, Mix, Weights
from semrec.metrics.ranking import ndcg
from semrec.training.weight_search import TuningCase, cutoff_of, weigh
from semrec.types import NO_BOOST, LexicalMatch, SessionRows, SparseScores

N, TEXT_DIM, BEHAVIOUR_DIM = 200, 12, 6
EMPTY = SessionRows.of(())
DECAY = 0.5


def tuned(fusion, cases, **options):
    """The best weights, and the mean NDCG with them."""
    weighed = weigh(fusion, cases, **options)
    return weighed.weights, weighed.score


@dataclass(frozen=True)
class World:
    """Random texts, behaviour and counts: signals that have nothing to do with each other."""

    texts: np.ndarray
    behaviour: PureSVD
    counts: np.ndarray


@pytest.fixture(scope="module")
def raw():
    rng = np.random.default_rng(11)
    texts = rng.standard_normal((N, TEXT_DIM)).astype(np.float32) + 0.5
    factors = rng.standard_normal((N, BEHAVIOUR_DIM)).astype(np.float32)
    counts = rng.permutation(np.arange(1, N + 1)).astype(np.float32)  # no ties
    return World(
        texts=texts / np.linalg.norm(texts, axis=1, keepdims=True),
        behaviour=PureSVD(item_vectors=factors + 0.3, decay=0.8),
        counts=counts,
    )


@pytest.fixture(scope="module")
def fused(raw):
    everywhere = np.ones(N, dtype=bool)
    return FusedBlocks(
        semantic=fit_block(raw.texts, everywhere),
        behavioural=fit_block(raw.behaviour.item_vectors, everywhere),
        popularity=standardised_popularity(raw.counts),
        domain=np.zeros(N, np.float32),
        behaviour=raw.behaviour,
        gate=UNTUNED,
        decay=DECAY,
    )


@pytest.fixture(scope="module")
def behavioural(fused):
    return BehaviouralBlocks(
        behavioural=fused.behavioural,
        popularity=fused.popularity,
        behaviour=fused.behaviour,
        gate=fused.gate,
    )


@pytest.fixture(params=["fused", "behavioural"])
def fusion(request):
    return request.getfixturevalue(request.param)


def gate_of(weights):
    """A gate that gives `weights` to every query."""
    dense = weights.semantic * (1 - weights.lexical_share)
    mix = Mix(
        words=dense * weights.intent_share,
        lexical=weights.semantic * weights.lexical_share,
        texts=dense * (1 - weights.intent_share),
        behavioural=weights.behavioural,
        popularity=weights.popularity,
    )
    return Gate(session=weights, baseline=weights, topical=mix, conversational=mix, words_floor=0.0)


def asked(fusion, *query):
    """The query vector and the weights, of a fusion without neighbours."""
    found = fusion.query(*query)
    assert len(found.boost.rows) == 0
    return found.vector, found.weights


def standardised(scores):
    return (scores - scores.mean()) / scores.std()


def explicit(raw, intent, session, weights):
    """(N,) float64: the weighted sum, computed signal by signal from the raw vectors."""
    parts = weights["popularity"] * standardised(np.log1p(raw.counts.astype(np.float64)))
    if len(session):
        behaviour = raw.behaviour.scores(session).astype(np.float64)
        parts = parts + weights["behavioural"] * standardised(behaviour)
    texts = raw.texts.astype(np.float64)
    said = []
    if intent is not None:
        said.append((weights["intent_share"], standardised(texts @ intent)))
    if len(session):
        ages = np.arange(len(session))[::-1]
        centred = texts - texts.mean(axis=0)
        pulled = (session.weights * DECAY**ages) @ centred[session.rows]
        said.append((1 - weights["intent_share"], standardised(texts @ pulled)))
    if len(said) == 1:
        parts = parts + weights["semantic"] * said[0][1]
    elif said:
        parts = parts + weights["semantic"] * sum(share * scores for share, scores in said)
    return parts


SILENT = frozenset({"lexical", "domain"})  # of this module's requests in words
SESSIONS = {"no session": EMPTY, "session": SessionRows.of([3, 77, 12])}


@pytest.mark.parametrize("words", [True, False], ids=["words", "no words"])
@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("semantic_weight", [None, 0.0, 0.3, 1.0])
def test_the_inner_product_is_the_weighted_sum_of_the_signals(
    fused, raw, words, session, semantic_weight
):
    intent = raw.texts[40] - raw.texts[41] if words else None
    query, weights = asked(fused, intent, session, semantic_weight)
    want = explicit(raw, intent, session, weights)
    np.testing.assert_allclose(fused.items() @ query, want, atol=1e-4)
    assert sum(weights[n] for n in ("semantic", "behavioural", "popularity")) == pytest.approx(1)


@pytest.mark.parametrize("signal", ["semantic", "behavioural", "popularity"])
@pytest.mark.parametrize("words", [True, False], ids=["words", "no words"])
def test_every_signal_has_mean_0_and_deviation_1(fused, raw, signal, words):
    parts = {"semantic": 0.0, "behavioural": 0.0, "popularity": 0.0, signal: 1.0}
    only = replace(fused, gate=gate_of(Weights(**parts)))
    query, _ = asked(only, raw.texts[5] if words else None, SESSIONS["session"], None)
    scores = only.items() @ query
    assert scores.mean() == pytest.approx(0, abs=1e-4)
    assert scores.std() == pytest.approx(1, abs=1e-4)


@settings(deadline=None)
@given(parts=st.lists(st.floats(0, 1), min_size=3, max_size=3), share=st.floats(0, 1))
def test_scores_are_linear_in_the_weights(fused, raw, parts, share):
    intent, session = raw.texts[9], SESSIONS["session"]
    assume(sum(parts) > 0.01)
    parts = [part / sum(parts) for part in parts]

    def scores(*parts):
        semantic, behavioural, popularity = parts
        weights = Weights(
            semantic=semantic,
            behavioural=behavioural,
            popularity=popularity,
            intent_share=share,
        )
        query, _ = asked(replace(fused, gate=gate_of(weights)), intent, session, None)
        return fused.items() @ query

    corners = (scores(1, 0, 0), scores(0, 1, 0), scores(0, 0, 1))
    want = sum(part * corner for part, corner in zip(parts, corners, strict=True))
    np.testing.assert_allclose(scores(*parts), want, atol=1e-4)


def test_items_and_queries_are_float32_of_one_width(fusion, raw):
    query, _ = asked(fusion, raw.texts[0], SESSIONS["session"], 0.5)
    assert fusion.items().dtype == query.dtype == np.float32
    assert fusion.items().shape == (N, len(query))


@pytest.mark.parametrize("intent", [None, np.zeros(TEXT_DIM, np.float32)], ids=["none", "zeros"])
@pytest.mark.parametrize("semantic_weight", [None, 0.7])
def test_without_any_signal_everything_is_popularity(fusion, intent, semantic_weight):
    query, weights = asked(fusion, intent, EMPTY, semantic_weight)
    assert weights["popularity"] == 1
    np.testing.assert_allclose(fusion.items() @ query, fusion.popularity, atol=1e-6)


def test_the_gate_is_asked_for_what_the_query_brings(fused, raw):
    words = GateFeatures(has_words=True, has_session=False)
    for intent, session, want in (
        (raw.texts[0], EMPTY, replace(words, silent=SILENT | {"texts", "behavioural"})),
        (None, SESSIONS["session"], GateFeatures(has_words=False, has_session=True)),
        (
            raw.texts[0],
            SESSIONS["session"],
            GateFeatures(has_words=True, has_session=True, silent=SILENT),
        ),
    ):
        _, weights = asked(fused, intent, session, None)
        assert Weights(**weights) == replace(UNTUNED.weights(want), neighbour_share=0.0)


def test_a_semantic_weight_leaves_the_rest_to_be_shared_as_in_the_baseline(fused, raw):
    _, both = asked(fused, raw.texts[0], SESSIONS["session"], 0.5)
    assert [both[n] for n in ("semantic", "behavioural", "popularity")] == pytest.approx(
        [0.5, 0.45, 0.05]
    )
    _, words = asked(fused, raw.texts[0], EMPTY, 0.5)
    assert [words[n] for n in ("semantic", "behavioural", "popularity")] == [0.5, 0, 0.5]


def test_a_session_of_items_without_behaviour_still_speaks_by_its_texts(fused):
    vectors = fused.behaviour.item_vectors.copy()
    vectors[7] = 0
    silent = replace(fused, behaviour=replace(fused.behaviour, item_vectors=vectors))
    query, weights = asked(silent, None, SessionRows.of([7]), None)
    assert np.isfinite(query).all()
    assert Weights(**weights) == replace(UNTUNED.session, neighbour_share=0.0)
    assert np.argmax(fused.semantic.vectors @ query[:TEXT_DIM]) == 7


def test_text_vectors_are_the_texts_centred_and_none_in_the_baseline(fused, behavioural, raw):
    rows = np.array([5, 0, 7])
    centred = raw.texts - raw.texts.mean(axis=0)
    np.testing.assert_allclose(fused.text_vectors(rows), centred[rows], atol=1e-5)
    assert behavioural.text_vectors(rows).shape == (3, 0)


def test_the_baseline_ignores_words_and_semantic_weight(behavioural, raw):
    session = SESSIONS["session"]
    plain, weights = asked(behavioural, None, session, None)
    for intent, semantic_weight in ((raw.texts[0], None), (raw.texts[0], 1.0), (None, 0.5)):
        query, same = asked(behavioural, intent, session, semantic_weight)
        np.testing.assert_array_equal(query, plain)
        assert same == weights
    assert (weights["behavioural"], weights["popularity"]) == pytest.approx((0.9, 0.1))
    want = 0.9 * standardised(raw.behaviour.scores(session)) + 0.1 * behavioural.popularity
    np.testing.assert_allclose(behavioural.items() @ plain, want, atol=1e-4)


def test_weight_0_is_the_baseline(fused, behavioural, raw):
    query, weights = asked(fused, raw.texts[0], SESSIONS["session"], 0.0)
    plain, same = asked(behavioural, None, SESSIONS["session"], None)
    np.testing.assert_allclose(fused.items() @ query, behavioural.items() @ plain, atol=1e-6)
    for name in ("semantic", "behavioural", "popularity"):
        assert weights[name] == pytest.approx(same[name])


# --- neighbours ---


@pytest.fixture(scope="module")
def near():
    rng = np.random.default_rng(2)
    strengths = rng.random((N, N)) * (rng.random((N, N)) < 0.03)
    return Neighbours(weights=sp.csr_matrix(strengths, dtype=np.float32), n_seen=N, decay=0.6)


@pytest.mark.parametrize("kind", ["fused", "behavioural"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 1.0])
def test_neighbours_share_the_behavioural_weight(kind, share, near, raw, request):
    plain = request.getfixturevalue(kind)
    weights = Weights(semantic=0.0, behavioural=0.7, popularity=0.3, neighbour_share=share)
    fusion = replace(plain, neighbours=near, gate=gate_of(weights))
    session = SESSIONS["session"]
    found = fusion.query(None, session, None)
    spread = near.scores(session).astype(np.float64)
    want = (
        0.7 * (1 - share) * standardised(raw.behaviour.scores(session).astype(np.float64))
        + 0.7 * share * spread / spread.std()
        + 0.3 * standardised(np.log1p(raw.counts.astype(np.float64)))
    )
    dense = fusion.items() @ found.vector
    np.testing.assert_allclose(dense + found.boost.at(np.arange(N)), want, atol=1e-4)
    assert (found.boost.scores >= 0).all()
    assert found.weights["neighbour_share"] == share
    assert bool(len(found.boost.rows)) == (share > 0)


def test_a_boost_gives_each_row_its_own_score_and_the_others_none():
    boost = SparseScores(rows=np.array([3, 7]), scores=np.array([0.5, 2.0], np.float32))
    np.testing.assert_array_equal(boost.at(np.array([7, 0, 3, 9, 7])), [2, 0, 0.5, 0, 2])
    np.testing.assert_array_equal(NO_BOOST.at(np.array([7, 0])), [0, 0])


@pytest.mark.parametrize("session", [EMPTY, SessionRows.of([5])], ids=["empty", "no neighbours"])
def test_without_neighbours_nothing_is_boosted(fused, near, session):
    without = near.weights.tolil()
    without[5] = 0
    fusion = replace(fused, neighbours=replace(near, weights=without.tocsr()))
    assert len(fusion.query(None, session, None).boost.rows) == 0


def test_neighbours_alone_are_a_session(fused, near):
    """An item that only the neighbours know: the query isn't one without any signal."""
    silent = NullVectorModel(n_items=N)
    nothing = fit_block(silent.item_vectors, np.ones(N, bool))
    fusion = BehaviouralBlocks(
        behavioural=nothing,
        popularity=fused.popularity,
        behaviour=silent,
        gate=UNTUNED,
        neighbours=near,
    )
    found = fusion.query(None, SESSIONS["session"], None)
    assert found.weights["behavioural"] == pytest.approx(0.9)
    assert found.weights["neighbour_share"] == UNTUNED.baseline.neighbour_share
    assert len(found.boost.rows)


def test_weight_0_is_the_baseline_with_neighbours_too(fused, behavioural, near, raw):
    one = replace(fused, neighbours=near).query(raw.texts[0], SESSIONS["session"], 0.0)
    other = replace(behavioural, neighbours=near).query(None, SESSIONS["session"], None)
    np.testing.assert_array_equal(one.boost.rows, other.boost.rows)
    np.testing.assert_array_equal(one.boost.scores, other.boost.scores)
    assert one.weights["neighbour_share"] == other.weights["neighbour_share"] > 0


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_tuning_recovers_a_planted_share_of_the_neighbours(fused, near, share):
    planted = Weights(semantic=0.0, behavioural=0.8, popularity=0.2, neighbour_share=share)
    truth = replace(fused, neighbours=near, gate=gate_of(planted))
    rng = np.random.default_rng(8)
    cases = []
    for _ in range(40):
        session = SessionRows.of(rng.choice(N, 3, replace=False))
        found = truth.query(None, session, None)
        scores = truth.items() @ found.vector + found.boost.at(np.arange(N))
        scores[session.rows] = -np.inf
        best = np.argsort(-scores)[:8]
        cases.append(TuningCase(intent=None, session=session, targets=best, excluded=session.rows))
    found, score = tuned(truth, cases, cutoff=10, semantic=False)
    assert score > 0.999
    assert found.neighbour_share == share
    fixed, worse = tuned(
        truth, cases, cutoff=10, semantic=False, neighbour_shares=(0.0 if share else 1.0,)
    )
    assert fixed.neighbour_share == (0.0 if share else 1.0)
    assert worse < score


# --- blocks ---


def test_a_block_is_centred_and_rows_without_a_signal_stay_zero(raw):
    present = np.arange(N) % 4 > 0
    block = fit_block(raw.texts, present)
    np.testing.assert_array_equal(block.vectors[~present], 0)
    np.testing.assert_allclose(block.vectors[present].mean(axis=0), 0, atol=1e-6)
    want = np.cov(raw.texts[present].T, bias=True)
    np.testing.assert_allclose(block.covariance, want, atol=1e-6)


@pytest.mark.parametrize(
    ("vectors", "present"),
    [
        (np.ones((5, 3), np.float32), np.ones(5, bool)),
        (np.ones((5, 3), np.float32), np.zeros(5, bool)),
        (np.zeros((5, 0), np.float32), np.ones(5, bool)),
        (np.full((7, 3), 0.1, np.float32), np.ones(7, bool)),
    ],
    ids=["all equal", "none present", "no dimensions", "equal but for rounding"],
)
def test_a_block_that_says_nothing_gives_zeros(vectors, present):
    block = fit_block(vectors, present)
    query = np.arange(1, vectors.shape[1] + 1, dtype=np.float32)
    np.testing.assert_array_equal(block.standardised(query), np.zeros(vectors.shape[1]))


def test_a_query_across_all_differences_gives_zeros():
    vectors = np.zeros((6, 2), np.float32)
    vectors[:, 0] = range(6)
    block = fit_block(vectors, np.ones(6, bool))
    np.testing.assert_array_equal(block.standardised(np.array([0, 3], np.float32)), [0, 0])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_querys_length_does_not_matter(fused, raw, scale):
    query = fused.semantic.standardised(raw.texts[0])
    scaled = fused.semantic.standardised(np.float32(scale) * raw.texts[0])
    np.testing.assert_allclose(scaled, query, rtol=1e-4)


def test_popularity_is_standardised_over_the_items_with_events():
    counts = np.array([0, 1, 3, 7], np.float32)
    found = standardised_popularity(counts)
    np.testing.assert_allclose(found[1:], standardised(np.log([2.0, 4.0, 8.0])), atol=1e-6)
    assert found[0] < found[1]


@pytest.mark.parametrize("counts", [[0, 0, 0], [5, 5, 5], [0, 2, 2], [7] * 1_000])
def test_equal_popularity_says_nothing(counts):
    np.testing.assert_array_equal(standardised_popularity(np.array(counts, np.float32)), 0)


# --- filling cold items from their text ---


@pytest.fixture(scope="module")
def planted_map():
    rng = np.random.default_rng(2)
    texts = rng.standard_normal((300, 5)).astype(np.float32)
    return texts, (texts @ rng.standard_normal((5, 3))).astype(np.float32)


def test_a_planted_linear_map_is_recovered(planted_map):
    texts, targets = planted_map
    known = np.arange(300) % 3 > 0
    given_targets = np.where(known[:, None], targets, np.float32(99))  # must not be looked at
    filled, _ = impute_from_text(texts, given_targets, known)
    np.testing.assert_array_equal(filled[known], targets[known])
    np.testing.assert_allclose(filled[~known], targets[~known], atol=0.02)


def test_a_row_without_text_stays_zero_and_does_not_teach(planted_map):
    texts, targets = planted_map
    known = np.arange(300) % 3 > 0
    blank = np.arange(300) % 10 == 0
    filled, _ = impute_from_text(np.where(blank[:, None], np.float32(0), texts), targets, known)
    np.testing.assert_array_equal(filled[blank & ~known], 0)
    np.testing.assert_array_equal(filled[blank & known], targets[blank & known])
    np.testing.assert_allclose(filled[~blank & ~known], targets[~blank & ~known], atol=0.02)


def test_noise_is_answered_with_caution(planted_map):
    texts, targets = planted_map
    noise = np.random.default_rng(3).standard_normal(targets.shape).astype(np.float32)
    known = np.arange(300) < 40
    filled, _ = impute_from_text(texts, noise, known)
    assert np.abs(filled[~known]).mean() < np.abs(noise[known]).mean() / 2


def test_from_too_few_items_nothing_is_concluded(planted_map):
    texts, targets = planted_map
    known = np.arange(300) < 9
    np.testing.assert_array_equal(impute_from_text(texts, targets, known)[0][~known], 0)


# --- tuning ---


def cases_that_follow(fused, raw, weights, n=40, n_targets=3):
    """Sessions whose targets are the best items under `weights`."""
    rng = np.random.default_rng(4)
    truth = replace(fused, gate=gate_of(weights))
    cases = []
    for _ in range(n):
        session = SessionRows.of(rng.choice(N, 3, replace=False))
        query, _ = asked(truth, None, session, None)
        scores = truth.items() @ query
        scores[session.rows] = -np.inf
        best = np.argsort(-scores)[:n_targets]
        cases.append(TuningCase(intent=None, session=session, targets=best, excluded=session.rows))
    return cases


@pytest.mark.parametrize(
    "planted",
    [
        Weights(semantic=1.0, behavioural=0.0, popularity=0.0),
        Weights(semantic=0.0, behavioural=1.0, popularity=0.0),
        Weights(semantic=0.0, behavioural=0.0, popularity=1.0),
        Weights(semantic=0.5, behavioural=0.3, popularity=0.2),
    ],
    ids=["texts", "behaviour", "popularity", "a mixture"],
)
def test_tuning_recovers_planted_weights(fused, raw, planted):
    found, score = tuned(fused, cases_that_follow(fused, raw, planted), cutoff=10)
    assert score == pytest.approx(1)
    for name in ("semantic", "behavioural", "popularity"):
        assert getattr(found, name) == pytest.approx(getattr(planted, name), abs=0.101)


def test_without_the_semantic_signal_tuning_makes_do(fused, raw):
    planted = Weights(semantic=0.5, behavioural=0.4, popularity=0.1)
    cases = cases_that_follow(fused, raw, planted)
    baseline, score = tuned(fused, cases, cutoff=10, semantic=False)
    assert baseline.semantic == 0
    assert baseline.behavioural + baseline.popularity == pytest.approx(1)
    assert 0 < score < tuned(fused, cases, cutoff=10)[1]


def whole_list_ndcg(fused, case, weights, cutoff):
    """NDCG of the ranking of the whole catalogue by the real query vector."""
    query, _ = asked(replace(fused, gate=gate_of(weights)), case.intent, case.session, None)
    order = np.argsort(-(fused.items() @ query))
    permitted = order[~np.isin(order, case.excluded)]
    ranks = np.flatnonzero(np.isin(permitted, case.targets)) + 1
    return ndcg(ranks, len(case.targets), cutoff)


@pytest.mark.parametrize("semantic", [True, False], ids=["all signals", "baseline"])
@pytest.mark.parametrize("cutoff", [5, 100])
def test_the_tuned_ndcg_is_the_one_of_the_whole_list_and_the_best(fused, raw, semantic, cutoff):
    planted = Weights(semantic=0.4, behavioural=0.4, popularity=0.2)
    rng = np.random.default_rng(6)
    cases = []
    for case in cases_that_follow(fused, raw, planted, n=10):
        # Some targets are right by accident, and one can't come back.
        accidents = [*rng.choice(N, 4, replace=False), case.session.rows[0]]
        cases.append(replace(case, targets=np.union1d(case.targets[:2], accidents)))
    weights, score = tuned(fused, cases, cutoff=cutoff, semantic=semantic)

    def mean(weights):
        return np.mean([whole_list_ndcg(fused, case, weights, cutoff) for case in cases])

    assert score == pytest.approx(mean(weights), abs=1e-6)
    for s, b in ((0.0, 0.5), (0.0, 1.0), (0.3, 0.3), (0.6, 0.4)):
        if semantic or s == 0:
            other = Weights(semantic=s, behavioural=b, popularity=1 - s - b)
            assert score >= mean(other) - 1e-6


# --- the lexical match ---


def test_the_lexical_match_is_added_to_the_rows_that_have_it(fused, raw):
    scores = SparseScores(rows=np.array([3, 9]), scores=np.array([2.0, 5.0], np.float32))
    match = LexicalMatch(scores=scores, n_words=1, n_known=1, specificity=0.9)
    weights = Weights(semantic=0.6, behavioural=0.2, popularity=0.2, lexical_share=0.25)
    fusion = replace(fused, gate=gate_of(weights))
    with_match = fusion.query(raw.texts[40], SESSIONS["session"], None, match)
    without = fusion.query(raw.texts[40], SESSIONS["session"], None)
    np.testing.assert_array_equal(with_match.boost.rows, [3, 9])
    np.testing.assert_allclose(with_match.boost.scores, 0.6 * 0.25 * scores.scores, rtol=1e-6)
    assert len(without.boost.rows) == 0
    assert without.weights["lexical_share"] == 0


def test_boosts_of_neighbours_and_words_add_up(fused, near, raw):
    rows = near.nearest(SESSIONS["session"]).rows[:2]
    scores = SparseScores(rows=np.append(rows, N - 1), scores=np.ones(3, np.float32))
    match = LexicalMatch(scores=scores, n_words=1, n_known=1)
    fusion = replace(fused, neighbours=near)
    found = fusion.query(raw.texts[0], SESSIONS["session"], None, match)
    weights = found.weights
    every = np.arange(N)
    spread = near.scores(SESSIONS["session"]).astype(np.float64)
    want = weights["behavioural"] * weights["neighbour_share"] * spread / spread.std()
    want = want + weights["semantic"] * weights["lexical_share"] * scores.at(every)
    np.testing.assert_allclose(found.boost.at(every), want, atol=1e-5)


def test_a_match_alone_is_a_request_in_words(fused):
    scores = SparseScores(rows=np.array([3]), scores=np.array([2.0], np.float32))
    match = LexicalMatch(scores=scores, n_words=1, n_known=1)
    found = fused.query(None, EMPTY, None, match)
    assert found.kind == "words"
    assert np.argmax(fused.items() @ found.vector + found.boost.at(np.arange(N))) == 3


def test_a_tie_counts_half():
    """Four equal items: one target has the others on average half before it."""
    silent = fit_block(np.zeros((4, 0), np.float32), np.ones(4, bool))
    fusion = FusedBlocks(
        semantic=silent,
        behavioural=silent,
        popularity=np.zeros(4, np.float32),
        domain=np.zeros(4, np.float32),
        behaviour=PureSVD(item_vectors=silent.vectors, decay=1.0),
        gate=UNTUNED,
        decay=1.0,
    )
    case = TuningCase(
        intent=None, session=EMPTY, targets=np.array([2]), excluded=np.array([], np.int64)
    )
    _, score = tuned(fusion, [case], cutoff=10)
    assert score == pytest.approx(1 / np.log2(1.5 + 2))


def test_the_list_that_is_tuned_for_is_long_where_few_judge():
    def of(n_units, n_cases):
        return [
            TuningCase(
                intent=None,
                session=EMPTY,
                targets=np.array([1]),
                excluded=np.array([], dtype=np.int64),
                unit=f"u{n % n_units}",
            )
            for n in range(n_cases)
        ]

    assert cutoff_of(None, of(1000, 1000)) == 10
    assert cutoff_of(None, of(80, 1500)) == 100
    assert cutoff_of(25, of(1000, 1000)) == 25
    assert cutoff_of(None, []) == 100
