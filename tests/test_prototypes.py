"""Labels that a request names pull, softly, and in both blocks: against explicit sums."""

import numpy as np
import pyarrow as pa
import pytest
from conftest import theme, world_config

import semrec
from semrec.data.attributes import labelled_items, make_attribute
from semrec.fusion.fitting import (
    MIN_ITEMS_OF_LABEL,
    fit_block,
    fit_label_centroids,
    standardised_popularity,
)
from semrec.fusion.fused import NAMED_IN_BEHAVIOUR, NAMED_IN_WORDS, FusedBlocks
from semrec.fusion.gate import UNTUNED
from semrec.training.fusion import choose_named
from semrec.training.validation_queries import TuningSets
from semrec.training.weight_search import TuningCase
from semrec.types import LexicalMatch, SessionRows

N, DIM = 80, 8
MATCH = LexicalMatch(is_spoken=True, n_words=2)
GENRES = [
    ["Dark", "Funny"] if row % 4 == 0 else ["dark"] if row % 4 == 1 else [] for row in range(N)
]
RARE = [
    (["Once"] if row < MIN_ITEMS_OF_LABEL - 1 else [])
    + (["Enough"] if row < MIN_ITEMS_OF_LABEL else [])
    for row in range(N)
]


class Behaviour:
    def __init__(self, vectors):
        self.item_vectors = vectors

    def session_vector(self, session):
        return self.item_vectors[session.rows].sum(axis=0)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(3)
    texts, behaviour = rng.standard_normal((2, N, DIM)).astype(np.float32)
    seen = np.arange(N) % 5 != 0
    attributes = {
        name: make_attribute(name, pa.chunked_array([values]))
        for name, values in (("genres", GENRES), ("rare", RARE))
    }
    semantic, behavioural = fit_block(texts, np.ones(N, bool)), fit_block(behaviour, seen)
    fused = FusedBlocks(
        semantic=semantic,
        behavioural=behavioural,
        popularity=standardised_popularity(np.arange(N, dtype=np.float32)),
        domain=np.zeros(N, np.float32),
        behaviour=Behaviour(behaviour),
        gate=UNTUNED,
        decay=1.0,
        label_centroids=fit_label_centroids(
            labelled_items(attributes, N), semantic, behavioural, seen
        ),
    )
    return fused, seen, rng.standard_normal(DIM).astype(np.float32)


def deviating(scores):
    return scores / scores.std()


def test_labels_are_told_apart_from_their_attribute_and_rare_ones_left_out(parts):
    fused, _, _ = parts
    dark, funny, enough = ("genres", "dark"), ("genres", "funny"), ("rare", "enough")
    assert set(fused.label_centroids.labels) == {dark, funny, enough}
    assert fused.label_centroids.known(
        [("genres", "DARK"), ("genres", "Dark"), ("rare", "Once")]
    ) == [fused.label_centroids.labels.index(("genres", "dark"))]


def test_words_and_behaviour_are_pulled_towards_the_mean_of_the_labels_items(parts):
    fused, seen, intent = parts
    session = SessionRows.of([7, 22])
    named = [("genres", "Dark"), ("genres", "Funny")]
    found = fused.signals(intent, session, named)
    plain = fused.signals(intent, session)

    def pull(block, present):
        masks = [
            np.array([label in map(str.lower, g) for g in GENRES]) for label in ("dark", "funny")
        ]
        means = [block.vectors[mask & present].mean(axis=0) for mask in masks]
        return [block.standardised(mean) for mean in means]

    everywhere = np.ones(N, bool)
    look = fused.semantic.standardised(sum(pull(fused.semantic, everywhere)))
    words = fused.semantic.standardised(plain.words + NAMED_IN_WORDS * look)
    liked = fused.behavioural.standardised(sum(pull(fused.behavioural, seen)))
    behaviour = fused.behavioural.standardised(plain.behaviour + NAMED_IN_BEHAVIOUR * liked)
    np.testing.assert_allclose(found.words, words, atol=1e-5)
    np.testing.assert_allclose(found.behaviour, behaviour, atol=1e-5)
    assert not np.allclose(found.words, plain.words)
    np.testing.assert_array_equal(found.texts, plain.texts)
    scores = fused.semantic.vectors @ found.words
    assert scores.std() == pytest.approx(1, abs=1e-4)


def test_without_words_or_without_a_known_label_nothing_pulls(parts):
    fused, _, intent = parts
    session = SessionRows.of([7])
    for given, named in ((None, [("genres", "Dark")]), (intent, [("rare", "Once")]), (intent, [])):
        found, plain = fused.signals(given, session, named), fused.signals(given, session)
        np.testing.assert_array_equal(found.words, plain.words)
        np.testing.assert_array_equal(found.behaviour, plain.behaviour)


def test_a_label_is_no_session(parts):
    fused, _, intent = parts
    found = fused.signals(intent, SessionRows.of([]), [("genres", "Dark")])
    assert found.behaviour.any()
    assert not found.has_session
    weights = fused.query(intent, SessionRows.of([]), None, MATCH, [("genres", "Dark")]).weights
    assert weights["intent_share"] == 1
    assert weights["behavioural"] > 0, "who likes what the label names is heard without a session"


def test_with_a_given_semantic_weight_behaviour_is_the_baselines(parts):
    fused, _, intent = parts
    session, named = SessionRows.of([7]), [("genres", "Dark")]
    given = fused.query(intent, session, 0.5, MATCH, named).vector[DIM : 2 * DIM]
    plain = fused.query(intent, session, 0.5, MATCH).vector[DIM : 2 * DIM]
    np.testing.assert_array_equal(given, plain)


def test_what_pulls_is_told_survives_storage_and_can_be_switched_off(world, tmp_path):
    intent = "I'd love a story with a ghost"
    rec = semrec.build(world, config=world_config(), out=tmp_path / "a")
    found = rec.recommend(intent=intent, k=8)
    assert found.trace.understood["named"] == {"labels": ["ghost"]}
    stored = semrec.load(tmp_path / "a").recommend(intent=intent, k=8)
    assert [item.score for item in stored.items] == [item.score for item in found.items]
    assert {theme(int(item.item_id[1:])) for item in found.items} == {"ghost"}
    off = semrec.build(world, config=world_config(fusion={"named": False}))
    assert off.fusion.label_centroids is None


def sets_of(fused, named, made_up=frozenset()):
    """Requests whose words are exactly one item's text, and that name a label."""
    cases = tuple(
        TuningCase(
            intent=fused.semantic.vectors[row] + fused.semantic.mean,
            session=SessionRows.of([]),
            targets=np.array([row]),
            excluded=np.array([], dtype=np.int64),
            unit=f"u{row}",
            named=named,
        )
        for row in range(2, N, 4)  # items without a label
    )
    return TuningSets(words=cases, session=(), both=(), made_up=made_up)


def test_real_requests_say_how_strongly_labels_pull(parts):
    fused, _, _ = parts
    misleading = (("genres", "Dark"),)  # never what was meant
    config = world_config()
    found = choose_named(fused, sets_of(fused, misleading), config)
    assert found.label_centroids.strength == 0
    signals = found.signals(fused.semantic.vectors[2], SessionRows.of([7]), misleading)
    plain = fused.signals(fused.semantic.vectors[2], SessionRows.of([7]))
    np.testing.assert_allclose(signals.words, plain.words, atol=1e-5)
    np.testing.assert_allclose(signals.behaviour, plain.behaviour, atol=1e-5)


def test_made_up_requests_do_not(parts):
    fused, _, _ = parts
    sets = sets_of(fused, (("genres", "Dark"),), made_up=frozenset(("words", "both")))
    assert choose_named(fused, sets, world_config()).label_centroids.strength == 1
