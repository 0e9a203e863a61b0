"""The Wide & Deep ranker: what it computes, what it finds, and when it is left out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import THEMES, item_id, theme, world_config

import semrec
from semrec.encoders.hashing import HashingEncoder
from semrec.fusion.fitting import standardised_popularity
from semrec.ranking.features import (
    BUCKETS,
    MAX_CROSSED_LABELS,
    QueryContext,
    frequent_labels,
    inputs_of,
    item_facts,
)
from semrec.ranking.lists import RankedList
from semrec.ranking.ranker import DEPTH, Ranker, faded, load_ranker, save_ranker
from semrec.ranking.wide_deep import WideDeep, standardised
from semrec.ranking.wide_deep_training import Training, _Network, train_wide_deep
from semrec.training import ranker_learning as choosing
from semrec.training.candidates import retrieve_candidates
from semrec.training.encoder_selection import select_encoder
from semrec.training.encoder_training import FinetunedEncoder
from semrec.training.folds import FOLDS, in_folds
from semrec.training.job import Job
from semrec.training.preparation import prepare
from semrec.training.ranker_learning import learn_ranker, lists_of
from semrec.training.weight_search import TuningCase
from semrec.types import NO_BOOST, Case, FusedQuery, SessionRows, silent

TRAINING = Training(
    hidden=8,
    dropout=0.0,
    weight_decay=0.01,
    learning_rate=0.01,
    epochs=40,
    patience=8,
    batch_size=32,
    seed=0,
)


def random_model(rng, n_crosses=3, n_features=5, hidden=4):
    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    return WideDeep(
        wide=draw(n_crosses),
        means=draw(n_features),
        deviations=np.abs(draw(n_features)) + 0.5,
        first=draw(n_features, hidden),
        first_bias=draw(hidden),
        second=draw(hidden, hidden // 2),
        second_bias=draw(hidden // 2),
        last=draw(hidden // 2),
    )


def planted(n, depends, seed=0):
    """Lists whose right item has two features of one sign (nothing linear shows it); or noise."""
    rng = np.random.default_rng(seed)
    lists = []
    for number in range(n):
        features = rng.standard_normal((30, 4)).astype(np.float32)
        product = features[:, 0] * features[:, 1]
        best = int(np.argmax(product)) if depends else int(rng.integers(30))
        lists.append(
            RankedList(
                fused=np.linspace(1, 0, 30, dtype=np.float32),
                crosses=np.zeros((30, 2), np.float32),
                features=features,
                right=np.arange(30) == best,
                n_relevant=1,
                unit=f"u{number // 2}",
                kind="both" if number % 4 < 2 else "words",
            )
        )
    return lists


def mean_ndcg(lists, model=None):
    return np.mean(
        [
            one.ndcg(
                one.fused if model is None else model.scores(one.fused, one.crosses, one.features),
                10,
            )
            for one in lists
        ]
    )


def test_what_serves_is_what_was_trained():
    """NumPy's forward pass against torch's, for random weights."""
    rng = np.random.default_rng(0)
    network = _Network(3, 5, TRAINING).eval()
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(torch.from_numpy(rng.standard_normal(weights.shape)))
        network.scale.zero_()
    served = WideDeep(
        wide=network.wide.detach().numpy(),
        means=rng.standard_normal(5).astype(np.float32),
        deviations=np.full(5, 2, np.float32),
        first=network.first.weight.detach().numpy().T,
        first_bias=network.first.bias.detach().numpy(),
        second=network.second.weight.detach().numpy().T,
        second_bias=network.second.bias.detach().numpy(),
        last=network.last.detach().numpy(),
    )
    fused, crosses, features = (
        rng.standard_normal(shape).astype(np.float32) for shape in ((7,), (7, 3), (7, 5))
    )
    inputs = standardised(features, served.means, served.deviations)
    with torch.no_grad():
        expected = network(*(torch.from_numpy(one) for one in (fused, crosses, inputs)))
    np.testing.assert_allclose(served.scores(fused, crosses, features), expected, rtol=1e-4)


def test_it_finds_what_no_linear_sum_can(one_thread):
    lists = planted(400, depends=True)
    model = train_wide_deep(lists[:300], TRAINING)
    assert mean_ndcg(lists[300:], model) > mean_ndcg(lists[300:]) + 0.3


def test_training_is_repeatable_and_leaves_the_generator_alone(one_thread):
    lists = planted(40, depends=True)
    before = torch.get_rng_state()
    first, second = (train_wide_deep(lists, TRAINING) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    for name, array in first.to_arrays().items():
        np.testing.assert_array_equal(array, second.to_arrays()[name])


def test_where_nobody_says_when_to_stop_the_list_stays_as_it_is(one_thread):
    alone = [replace(one, unit="the only one") for one in planted(10, depends=True)]
    model = train_wide_deep(alone, TRAINING)
    for one in alone:
        corrected = model.scores(one.fused, one.crosses, one.features)
        np.testing.assert_array_equal(corrected, one.fused)


def in_words_only(place):
    return TuningCase(
        intent=np.ones(4, np.float32),
        session=SessionRows.of([]),
        targets=np.array([place]),
        excluded=np.zeros(0, np.int64),
        unit=f"u{place // 2}",
    )


@pytest.mark.parametrize("depends", [True, False])
def test_judged_by_lists_it_has_not_seen(one_thread, depends):
    lists = planted(400, depends, seed=1)
    cases = [in_words_only(place) for place in range(400)]
    kinds = ["words", "both"]
    by_fold = [lists] * (FOLDS + 1)
    models, told = choosing._learned(kinds, by_fold, cases, world_config(), silent)
    for kind in kinds:
        assert told[kind]["cases"] == 200
        [reached] = [value for name, value in told[kind].items() if name.startswith("ndcg@")]
        low, high = told[kind]["gain"]
        assert low <= reached["ranked"] - reached["fused"] <= high
        assert (low > 0) is depends
    assert set(models) == (set(kinds) if depends else set())
    assert len({id(model) for model in models.values()}) <= 1  # one model of both


# --- what it looks at ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def facts(world):
    return item_facts(world.catalog, world.positives)


def test_crosses_are_what_they_are_said_to_be(world, facts):
    """Item 12 is `space`, `even`, of 1972; 18 and 24 too, of 1978 and 1984; 13 is `heist`, odd."""
    crossed = frequent_labels(facts)
    assert len(crossed) == min(MAX_CROSSED_LABELS, len(facts.numbers))
    asked = QueryContext(
        session=SessionRows.of([18, 24]), named=[("labels", THEMES[1].upper())], n_words=3
    )
    rows = np.array([12, 13])
    values = np.arange(18, dtype=np.float32).reshape(2, 9)
    fused = np.array([0.9, 0.1], np.float32)
    crosses, features = inputs_of(asked, rows, fused, values, facts, crossed)
    by_label = dict(zip(crossed, crosses.T[: len(crossed)], strict=True))
    # An item's three labels are a unit row each; both session items have all that 12 has.
    assert by_label["labels", theme(12)] == pytest.approx([1 / 3, 0])
    assert by_label["labels", "even"] == pytest.approx([1 / 3, 0])
    named, same_decade = crosses[:, len(crossed)], crosses[:, len(crossed) + 1]
    assert named == pytest.approx([0, 1 / np.sqrt(3)])
    assert same_decade.tolist() == [0, 0]  # 1972 and 1973 against the median of 1981
    assert crosses[:, len(crossed) + 2 :].sum(axis=1).tolist() == [2, 2]  # a bucket of each kind
    np.testing.assert_array_equal(features[:, :9], values)
    np.testing.assert_array_equal(features[:, 9], fused)
    assert features[:, 10] == pytest.approx(np.log1p([0, 1]))
    fits, apart = features[:, 11], features[:, 13]
    assert fits[0] > fits[1]
    assert apart == pytest.approx([0.9, 0.8])
    assert features[:, 14] == pytest.approx(np.log1p(2))
    assert features[:, 15] == pytest.approx(np.log1p(3))


def test_without_session_labels_years_and_events_nothing_breaks(world):
    nothing = world.positives.where(np.zeros(len(world.positives), bool))
    facts = item_facts(world.catalog, nothing)
    assert not facts.popularity.any()
    assert not facts.recency.any()
    asked = QueryContext(session=SessionRows.of([]), named=[("labels", "unheard of")], n_words=0)
    rows = np.arange(5)
    crosses, features = inputs_of(
        asked, rows, np.zeros(5, np.float32), np.zeros((5, 9), np.float32), facts, [("no", "such")]
    )
    assert crosses.shape == (5, 1 + 2 + 2 * BUCKETS)
    assert not crosses.any()
    assert np.isfinite(features).all()


# --- on the line --------------------------------------------------------------------------------


class Reversing:
    """A model that turns every list round."""

    def scores(self, fused, crosses, features):
        return np.arange(len(fused), dtype=np.float32)  # of equals too


def fused_query(kind="both"):
    return FusedQuery(
        vector=np.zeros(1, np.float32),
        boost=NO_BOOST,
        weights={},
        evidence={},
        kind=kind,
        values=lambda rows: np.zeros((len(rows), 9), np.float32),
    )


def test_the_head_is_reordered_and_the_tail_stays(facts):
    facts = replace(
        facts,
        **{
            name: np.zeros((DEPTH + 20, *getattr(facts, name).shape[1:]), np.float32)
            for name in ("years", "popularity", "recency")
        },
        labels=type(facts.labels)((DEPTH + 20, facts.labels.shape[1]), dtype=np.float32),
    )
    ranker = Ranker(models={"both": Reversing()}, crossed=[], facts=facts)
    rows = np.random.default_rng(0).permutation(DEPTH + 20)
    scores = np.linspace(1, 0, len(rows), dtype=np.float32)
    asked = QueryContext(session=SessionRows.of([]), named=(), n_words=0)
    found, falling = ranker.ranked(fused_query(), asked, rows, scores)
    np.testing.assert_array_equal(found[:DEPTH], rows[:DEPTH][::-1])
    np.testing.assert_array_equal(found[DEPTH:], rows[DEPTH:])
    assert (np.diff(falling) <= 0).all()
    assert ranker.depth(fused_query(), 10) == DEPTH
    assert ranker.depth(fused_query(), DEPTH + 5) == DEPTH + 5
    for kind in ("words", None):  # no model, nothing to judge
        assert ranker.depth(fused_query(kind), 10) == 10
        same, _ = ranker.ranked(fused_query(kind), asked, rows, scores)
        np.testing.assert_array_equal(same, rows)
    nothing, _ = ranker.ranked(fused_query(), asked, rows[:0], scores[:0])
    assert not len(nothing)


@pytest.mark.parametrize(("topicality", "share"), [(0.0, 1), (0.5, 0.5), (0.75, 0.25), (1.0, 0)])
def test_the_surer_a_topic_the_less_of_the_correction_it_gets(topicality, share):
    fused, corrected = np.zeros(3, np.float32), np.array([1, 2, -4], np.float32)
    np.testing.assert_allclose(faded(fused, corrected, topicality), share * corrected)


def test_a_sure_topic_stays_as_it_was_found(facts):
    ranker = Ranker(models={"both": Reversing()}, crossed=[], facts=facts)
    asked = QueryContext(session=SessionRows.of([]), named=(), n_words=1)
    rows, scores = np.arange(30), np.linspace(1, 0, 30, dtype=np.float32)
    same, falling = ranker.ranked(replace(fused_query(), topicality=1.0), asked, rows, scores)
    np.testing.assert_array_equal(same, rows)
    np.testing.assert_array_equal(falling, scores)


@pytest.fixture
def ranked(artifact):
    """The planted world with a ranker that turns every list round."""
    running = semrec.load(artifact, verify="size")
    facts = item_facts(running.catalog, running.interactions)
    kinds = dict.fromkeys(("words", "session", "both"), Reversing())
    ranker = Ranker(models=kinds, crossed=frequent_labels(facts), facts=facts)
    return running.with_parts(ranker=ranker, untouched_every=0)


def ids(found):
    return [item.item_id for item in found.items]


# Taken for a conversation, not for a topic: rankers nearly leave topics as they are.
LONG = "a ghost story, old houses, long corridors, family secrets, slow endings, dark winter nights"


@pytest.mark.parametrize(
    "query",
    [
        {"session": [item_id(3)]},
        {"intent": LONG},
        {"intent": LONG, "session": [item_id(3)], "filters": {"language": "en"}},
    ],
)
def test_a_list_is_the_best_of_what_was_found_in_the_rankers_order(ranked, rec, query):
    whole = rec.recommend(**query, k=60)
    found = ranked.recommend(**query, k=7)
    assert ids(found) == ids(whole)[::-1][:7]
    assert "rank" in found.trace.timings_ms
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)
    [batched, _] = ranked.recommend_many([semrec.Query(**query, k=7), semrec.Query(intent="x")])
    assert batched.items == found.items


def test_whoever_weighs_themselves_asks_nothing_or_asks_the_baseline_is_not_ranked(ranked, rec):
    query = {"intent": "a ghost story", "session": [item_id(3)]}
    for weight in (0.0, 0.5, 1.0):
        weighed = [one.recommend(**query, semantic_weight=weight) for one in (ranked, rec)]
        assert weighed[0].items == weighed[1].items
    assert ranked.recommend(k=5).items == rec.recommend(k=5).items
    same = [one.baseline().recommend(session=[item_id(3)]) for one in (ranked, rec)]
    assert same[0].items == same[1].items


def test_items_that_are_added_are_ranked_too(ranked):
    ranked.add_items([{"item_id": "new", "title": "ghost ghost story", "labels": ["ghost"]}])
    assert "new" in ids(ranked.recommend(intent="a ghost story", k=61))


JOB = Job(seed=0)

# --- learned, stored, read again ----------------------------------------------------------------


@pytest.fixture(scope="module")
def settled(world):
    config = world_config(fusion={"gate": "fixed"})
    prepared = prepare(world, config, [], JOB)
    encoder = HashingEncoder(dim=64)
    return prepared, select_encoder(prepared, encoder, FinetunedEncoder(encoder=encoder), JOB)


def learned(settled, cases=(), **ranking):
    prepared, found = settled
    prepared = replace(prepared, config=world_config(ranking=ranking))
    asked = in_folds(replace(prepared, train_queries=cases), found, cases) if cases else None
    return learn_ranker(prepared, found, asked, JOB)


def test_switched_off_nothing_is_measured(settled):
    assert learned(settled) == (None, {})


def test_a_fold_is_searched_by_who_does_not_know_its_dialogs(settled, world):
    prepared, found = settled
    cases = [replace(case, relevant=case.relevant[:1]) for case in far_from(2)]
    asked = in_folds(
        replace(prepared, train_queries=cases[:9], valid_queries=cases[9:]), found, cases
    )
    assert len(asked.fusions) == FOLDS + 1
    assert set(asked.folds) == set(range(FOLDS))
    for left_out, fusion in enumerate(asked.fusions):
        counts = np.zeros(len(world.catalog), np.float32)
        for case, fold in zip(cases, asked.folds, strict=True):
            counts[world.catalog.rows(case.relevant)] += fold != left_out
        np.testing.assert_allclose(fusion.domain, standardised_popularity(counts), atol=1e-6)


@pytest.mark.slow
def test_requests_that_want_anything_teach_no_ranker(settled, world, one_thread):
    rng = np.random.default_rng(5)
    cases = [
        replace(case, relevant=(item_id(int(rng.integers(60))),), unit=f"d{place}")
        for place, case in enumerate(far_from(8))
    ]
    ranker, told = learned(settled, cases, enabled=True, min_lists=20, epochs=10)
    assert told["both"]["gain"][0] <= 0
    assert ranker is None or "both" not in ranker.models


def test_what_was_measured_is_told_and_made_up_requests_do_not_judge(settled, one_thread):
    _, told = learned(settled, enabled=True, epochs=2, min_lists=10)
    assert settled[1].sets.made_up == {"words", "both"}
    assert set(told) == {"session"}
    assert set(told["session"]) >= {"cases", "gain"}


def test_too_few_lists_neither_teach_nor_judge(settled):
    ranker, told = learned(settled, enabled=True, min_lists=1000)
    assert ranker is None
    assert "gain" not in told["session"]


def test_lists_are_those_that_are_served(world, settled, rec):
    """The served list of a case is the one that the ranker would be trained on."""
    prepared, found = settled
    facts = item_facts(world.catalog, prepared.validation.train)
    lists = lists_of(found.sets.session[:5], found.trial, facts, frequent_labels(facts))
    for case, one in zip(found.sets.session, lists, strict=False):
        query = found.trial.query(None, case.session, None)
        scores = found.trial.items() @ query.vector
        scores[query.boost.rows] += query.boost.scores
        scores[case.excluded] = -np.inf
        best = np.sort(scores[np.isfinite(scores)])[::-1][:DEPTH]
        np.testing.assert_allclose(one.fused, best, rtol=1e-4, atol=1e-5)
        assert one.right.sum() == len(np.setdiff1d(case.targets, case.excluded))


def test_heads_are_ranked_as_they_are_served(settled, world, facts):
    _, found = settled
    cases = found.sets.session[:4]
    ranker = Ranker(models={"session": Reversing()}, crossed=[], facts=facts)
    plain = retrieve_candidates(found.trial, cases, DEPTH)
    ranked = retrieve_candidates(found.trial, cases, 5, ranker)
    for (_, rows, _), (_, first, scores) in zip(plain, ranked, strict=True):
        np.testing.assert_array_equal(first, rows[:DEPTH][::-1][:5])
        assert (np.diff(scores) <= 0).all()


def test_a_ranker_is_the_same_after_writing_and_reading(tmp_path, world, facts):
    rng = np.random.default_rng(1)
    crossed = frequent_labels(facts)
    model = random_model(rng, n_crosses=len(crossed) + 2 + 2 * BUCKETS, n_features=16)
    ranker = Ranker(models={"session": model}, crossed=crossed, facts=facts)
    assert load_ranker(tmp_path, world.catalog, world.positives) is None
    save_ranker(ranker, tmp_path)
    read = load_ranker(tmp_path, world.catalog, world.positives)
    assert read.crossed == ranker.crossed
    rows, scores = np.arange(30), np.linspace(1, 0, 30, dtype=np.float32)
    asked = QueryContext(session=SessionRows.of([3, 4]), named=(), n_words=0)
    query = fused_query("session")
    first, second = (one.ranked(query, asked, rows, scores) for one in (ranker, read))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != rows).any()


def far_from(n):
    """Requests for the item four decades from the session's, earlier or later: no signal's news."""
    rows = np.random.default_rng(2).permutation(np.r_[np.arange(20), np.arange(40, 60)].repeat(n))
    return [
        Case(
            case_id=str(place),
            query=semrec.Query(intent=LONG.replace("ghost", "calm"), session=[item_id(row)]),
            relevant=(item_id(row + 40 if row < 20 else row - 40),),
            unit=f"d{place}",
        )
        for place, row in enumerate(rows.tolist())
    ]


@pytest.mark.slow
def test_build_keeps_a_ranker_that_pays(world, tmp_path, one_thread):
    config = world_config(
        fusion={"gate": "fixed", "fill": False},
        split={"valid_dialogs": 0.8},
        ranking={"enabled": True, "learning_rate": 0.01},
    )
    out = tmp_path / "ranked"
    built = semrec.build(world, config=config, intents=[far_from(6)], out=out)
    manifest = json.loads((out / "manifest.json").read_text())
    assert {"ranker.safetensors", "ranker.json"} <= set(manifest["files"])
    told = manifest["validation"]["ranker"]
    assert told["both"]["gain"][0] > 0
    assert told["words"] == {"cases": 0}
    assert built.ranker is not None
    assert "both" in built.ranker.models
    loaded = semrec.load(out)
    query = {"intent": LONG.replace("ghost", "calm"), "session": [item_id(3)], "k": 5}
    assert loaded.recommend(**query).items == built.recommend(**query).items
    assert item_id(43) in ids(loaded.recommend(**query))


def test_how_sure_a_topic_is_doesnt_hang_on_what_the_gate_has_learned(rec):
    """A soft blend of mixes would let a ranker that learned from dialogs reorder topics."""
    [vector] = rec.encoder.encode_queries(["a ghost story"])
    match = rec.lexical.match("a ghost story", "a ghost story")
    soft = replace(rec.fusion.gate, steepness=0.1, midpoint=50.0)
    usual, softer = (
        one.query(vector, SessionRows.of(()), None, match).topicality
        for one in (rec.fusion, replace(rec.fusion, gate=soft))
    )
    assert usual == softer > 0.5
