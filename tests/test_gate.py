"""The gate: what kind of request it takes words for, what follows, and what is learned of it."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semrec.fusion.gate import SIGNALS, UNTUNED, Gate, GateFeatures, Mix, Weights
from semrec.training.gate_learning import best_parents, learn_gate, make_kind, ratios
from semrec.training.weight_search import Candidates

WORDS = GateFeatures(has_words=True, has_session=True, n_words=2, n_known=2, specificity=0.6)


def said_share(weights):
    """The share of words and lexical match in all that is weighed."""
    dense = weights.semantic * (1 - weights.lexical_share)
    return dense * weights.intent_share + weights.semantic * weights.lexical_share


def test_few_words_are_a_topic_and_many_a_conversation():
    shares = [UNTUNED.topicality(replace(WORDS, n_words=n)) for n in (1, 3, 6, 20, 64)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.9 > 0.15 > shares[-2]
    assert shares[2] == pytest.approx(0.5)
    said = [said_share(UNTUNED.weights(replace(WORDS, n_words=n))) for n in (1, 3, 6, 20, 64)]
    assert all(few >= many - 1e-9 for few, many in pairwise(said))


def test_rare_words_count_where_rarity_does():
    gate = replace(UNTUNED, rarity=2.0)
    common, rare = (gate.topicality(replace(WORDS, specificity=s)) for s in (0.2, 0.9))
    assert common < rare
    assert UNTUNED.topicality(replace(WORDS, specificity=0.2)) == UNTUNED.topicality(WORDS)


@given(
    n_words=st.integers(0, 64),
    specificity=st.floats(0, 1),
    has_session=st.booleans(),
    silent=st.frozensets(st.sampled_from(["lexical", "texts", "behavioural"])),
)
def test_weights_are_shares_whatever_the_evidence(n_words, specificity, has_session, silent):
    evidence = GateFeatures(
        has_words=True,
        has_session=has_session,
        n_words=n_words,
        n_known=min(n_words, 1),
        specificity=specificity,
        silent=silent,
    )
    weights = UNTUNED.weights(evidence)
    assert sum(getattr(weights, name) for name in SIGNALS) == pytest.approx(1)
    assert 0 <= weights.lexical_share <= 1
    assert 0 <= weights.intent_share <= 1
    if "lexical" in silent:
        assert weights.lexical_share == 0
    if "behavioural" in silent:
        assert weights.behavioural == 0


@pytest.mark.parametrize("floor", [0.2, 0.5])
def test_known_words_never_weigh_less_than_the_floor(floor):
    deaf = Mix(words=0.001, lexical=0.001, texts=1.0, behavioural=3.0, popularity=2.0)
    gate = replace(UNTUNED, topical=deaf, conversational=deaf, words_floor=floor)
    assert said_share(gate.weights(WORDS)) == pytest.approx(floor)
    unknown = gate.weights(replace(WORDS, n_known=0, silent=frozenset({"lexical"})))
    assert said_share(unknown) < floor


def test_behaviour_weighs_in_units_of_what_a_sessions_best_items_get():
    one, ten = (replace(UNTUNED, behaviour_unit=unit).mix(WORDS) for unit in (1.0, 10.0))
    assert one.behavioural == pytest.approx(10 * ten.behavioural)


def test_a_weight_that_was_asked_for_is_shared_by_vector_and_match_as_the_gate_says():
    free, fixed = UNTUNED.weights(WORDS), UNTUNED.weights(WORDS, 0.4)
    assert fixed.semantic == 0.4
    assert fixed.lexical_share == pytest.approx(free.lexical_share)
    assert fixed.behavioural == pytest.approx(0.6 * UNTUNED.baseline.behavioural)
    assert UNTUNED.weights(WORDS, 0.0).semantic == 0


@given(st.floats(0, 1), st.floats(0, 1))
def test_titles_alone_ask_for_what_is_like_them_and_clicks_do_not(semantic, popularity):
    shares = {"semantic": semantic, "popularity": (1 - semantic) * popularity}
    session = Weights(**shares, behavioural=1 - sum(shares.values()))
    gate = replace(UNTUNED, session=session)
    clicks = GateFeatures(has_words=False, has_session=True)
    named = replace(clicks, is_spoken=True, n_words=2)  # "like Blade Runner"
    assert gate.weights(clicks) == session
    weights = gate.weights(named)
    assert weights.semantic == pytest.approx(max(0.7, semantic))
    assert sum(getattr(weights, name) for name in SIGNALS) == pytest.approx(1)
    if 0 < semantic < 0.7:
        kept = weights.popularity * session.behavioural, weights.behavioural * session.popularity
        assert kept[0] == pytest.approx(kept[1])
    assert gate.weights(replace(named, has_words=True)).semantic != 0.7
    assert "like those named" in gate.reason(named)
    assert gate.reason(clicks) == ""


def test_the_reason_is_a_sentence_that_names_kind_and_words():
    assert UNTUNED.reason(replace(WORDS, n_words=1, n_known=1)).startswith("taken for a topic (")
    told = UNTUNED.reason(replace(WORDS, n_words=30, n_known=12))
    assert "a conversation about tastes" in told
    assert "30 content words, 12 known here" in told
    assert UNTUNED.reason(GateFeatures(has_words=False, has_session=True)) == ""


def test_a_gate_survives_a_manifest():
    gate = replace(UNTUNED, midpoint=5.0, behaviour_unit=3.5)
    assert Gate.from_dict(json.loads(json.dumps(gate.to_dict()))) == gate


# --- learning ---


def cases(n, column, n_words, seed):
    """Requests whose right items are the best by one signal, among others that shout."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        values = rng.standard_normal((60, 7)).astype(np.float32)
        values[:, 6] = 0
        order = np.argsort(-values[:, column])
        found.append(
            Candidates(
                values=values[order],
                n_targets=3,
                n_relevant=3,
                has_neighbours=True,
                evidence=GateFeatures(
                    has_words=True, has_session=True, n_words=n_words, n_known=1, specificity=0.5
                ),
                unit=f"u{number}",
            )
        )
    return found


DEAF = replace(
    UNTUNED,
    topical=Mix(words=1.0, lexical=0.5, texts=0.1, behavioural=3.0, popularity=3.0),
    conversational=Mix(words=1.0, lexical=0.5, texts=0.1, behavioural=3.0, popularity=3.0),
    words_floor=0.0,
)


def test_learning_finds_what_each_kind_needs():
    """Short requests are answered by words, long ones by behaviour: a planted gate."""
    kinds = [
        make_kind("topics", cases(80, 0, 1, seed=0), 0.0, precision=True),
        make_kind("requests", cases(80, 3, 40, seed=1), 0.0, precision=False),
    ]
    learned, told = learn_gate(DEAF, kinds, np.random.default_rng(0))
    assert learned != DEAF
    worst = min(one["learned"] for one in told.values())
    assert worst > min(one["default"] for one in told.values()) + 0.1
    assert worst > 0.85
    short, long = (learned.mix(replace(WORDS, n_words=n)) for n in (1, 40))
    assert short.words / short.behavioural > 2 * long.words / long.behavioural


def test_what_is_good_already_stays():
    """Words answer everything and the gate hears nothing else: there is nothing to gain."""
    mix = Mix(words=1.0, lexical=0.0, texts=0.001, behavioural=0.001, popularity=0.001)
    good = replace(UNTUNED, topical=mix, conversational=mix)
    kinds = [make_kind("topics", cases(60, 0, 1, seed=0), 0.0, precision=True)]
    learned, told = learn_gate(good, kinds, np.random.default_rng(0))
    assert learned == good
    assert told["topics"]["default"] == pytest.approx(1, abs=0.02)


def test_a_ratio_is_to_the_better_parent():
    """Behaviour alone is right: the ratio of a gate that only hears words is small."""
    mix = Mix(words=1.0, lexical=0.0, texts=0.0, behavioural=0.0, popularity=0.0)
    gate = replace(UNTUNED, topical=mix, conversational=mix)
    kind = make_kind("requests", cases(60, 3, 5, seed=2), 0.0, precision=False)
    assert ratios(gate, [kind], best_parents(gate, [kind])).max() < 0.5


def test_a_mix_becomes_shares_of_its_sum():
    mix = Mix(words=2, lexical=1, texts=1, behavioural=3, popularity=2, domain=1)
    assert mix.weights(0.25) == Weights(
        semantic=0.4,
        behavioural=0.3,
        popularity=0.2,
        domain=0.1,
        intent_share=2 / 3,
        lexical_share=0.25,
        neighbour_share=0.25,
    )
    lexical = mix.without(["words", "texts"]).weights(0.0)
    assert (lexical.semantic, lexical.intent_share, lexical.lexical_share) == (1 / 7, 1, 1)
    silent = mix.without(["words", "texts", "lexical"]).weights(0.0)
    assert (silent.semantic, silent.intent_share, silent.lexical_share) == (0, 1, 0)
    assert silent.behavioural == 3 / 6


POPULARITY_ALONE = Weights(semantic=0.0, behavioural=0.0, popularity=1.0)


def test_a_mix_of_nothing_is_popularity():
    nothing = Mix(words=0, lexical=0, texts=0, behavioural=0, popularity=0)
    assert nothing.weights(0.25) == POPULARITY_ALONE


def test_without_words_and_session_only_what_was_spoken_counts():
    features = GateFeatures(has_words=False, has_session=False)
    assert UNTUNED.weights(features) == POPULARITY_ALONE
    spoken = UNTUNED.weights(replace(features, is_spoken=True))
    assert spoken == UNTUNED.conversational.weights(0.0)


@pytest.mark.parametrize(
    ("n_words", "n_known", "reason"),
    [
        (1, 1, "taken for a topic (95%): 1 content word"),
        (6, 6, "taken for a topic (50%): 6 content words"),
        (20, 3, "taken for a conversation about tastes (89%): 20 content words, 3 known here"),
    ],
)
def test_the_reason_says_the_kind_and_how_sure_it_is(n_words, n_known, reason):
    assert UNTUNED.reason(replace(WORDS, n_words=n_words, n_known=n_known)) == reason
    assert UNTUNED.reason(replace(WORDS, has_words=False, n_words=0)) == ""


def test_more_popular_is_so_among_all_and_among_requests():
    mix = Mix(words=1.0, lexical=2.0, texts=3.0, behavioural=4.0, popularity=5.0, domain=6.0)
    assert mix.more_popular(2.0) == replace(mix, popularity=10.0, domain=12.0)


def test_a_rare_genre_is_broad_and_a_word_as_rare_is_not():
    """ "Documentaries" are one in twenty: the known ones lead; "time travel" stays a topic."""
    said = GateFeatures(has_words=True, has_session=False, n_words=1, n_known=1, specificity=0.45)
    kind = replace(said, is_kind=True)
    assert kind.is_broad
    assert not said.is_broad
    assert UNTUNED.weights(kind).popularity > UNTUNED.weights(said).popularity
    assert not replace(kind, has_session=True).is_broad
    assert not replace(kind, n_words=3).is_broad
