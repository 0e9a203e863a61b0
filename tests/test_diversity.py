"""Diversity and caps: what gives way, what never moves, and that no cap is ever broken."""

import json
from collections import Counter

import numpy as np
import pytest
from command_line import run
from conftest import N_ITEMS, item_id, theme, world_config
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from serving import in_thread

import semrec
from semrec import Query, QueryError
from semrec.errors import ConfigError
from semrec.pipeline.diversity import (
    HEAD,
    UNIT,
    WINDOW,
    Caps,
    Diversity,
    compared,
    diversified,
    moves,
)
from semrec.serve.replay import replay
from semrec.training.diversity_selection import STRENGTHS, largest_strength
from semrec.types import Moved

strengths = st.floats(0, 1, width=32)
words = st.sampled_from(["", "a ghost story", "a space story, no court"])


@st.composite
def pools(draw):
    """Falling scores and vectors of up to 90 candidates: random, doubled, or without a text."""
    n = draw(st.integers(0, 90))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    scores = np.sort(rng.normal(draw(st.floats(-2, 3)), 1, n))[::-1].astype(np.float32)
    vectors = rng.normal(0, 1, (n, 4)).astype(np.float32)
    vectors[rng.random(n) < draw(st.floats(0, 1))] = vectors[:1] if draw(st.booleans()) else 0
    return scores, vectors


def ids(found):
    return [item.item_id for item in found.items]


def labels_of(row):
    return {theme(row), "even" if row % 2 == 0 else "odd"}


def by_hand(scores, vectors, strength, k):
    """The definition, pair by pair, in Python's own numbers."""

    def cosine(a, b):
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        return float(a @ b) / lengths if lengths else 0.0

    s, v = scores.astype(float), vectors.astype(float)
    n, head = len(s), range(min(len(s), HEAD))
    pairs = [cosine(v[i], v[j]) for i in head for j in head if i < j]
    deviation = max(float(np.std(pairs)), 0.01) if pairs else 0.01
    scale = max(s[:HEAD].max() - min(0, s[:HEAD].min()), 1e-9) if n else 1
    order = []
    for rank in range(1, min(k, n) + 1):
        gains = {}
        for i in range(min(n, rank + WINDOW) if order else 1):
            if i not in order:
                like = max((cosine(v[i], v[j]) for j in order), default=0) / deviation
                gain = (1 - strength) * s[i] / scale
                gains[i] = gain - strength * UNIT * (rank - 1) ** 0.5 * like
        order.append(max(gains, key=gains.get))
        yield order[-1], gains


@settings(deadline=None)
@given(pool=pools(), strength=strengths, k=st.integers(1, 60))
def test_nothing_is_lost_doubled_or_invented_and_the_first_stays(pool, strength, k):
    order = diversified(*pool, strength, k).tolist()
    assert len(order) == len(set(order)) == min(k, len(pool[0]))
    assert set(order) <= set(range(len(pool[0])))
    assert order[:1] == [0][: len(pool[0])]
    assert all(position <= rank + WINDOW for rank, position in enumerate(order))
    assert diversified(*pool, 0.0, k).tolist() == list(range(len(order)))


@settings(deadline=None, max_examples=60)
@given(pool=pools(), strength=strengths, k=st.integers(1, 15))
def test_the_order_is_the_definitions(pool, strength, k):
    # Where two are equally good but for rounding, either may come: both are the best.
    order = diversified(*pool, strength, k).tolist()
    taken = []
    for best, gains in by_hand(*pool, strength, k):
        at = order[len(taken)]
        assert gains[at] == pytest.approx(gains[best], abs=1e-4)
        taken.append(at)
        if at != best:
            return


@settings(deadline=None)
@given(pool=pools(), strength=strengths, k=st.integers(1, 15), more=st.integers(0, 15))
def test_a_longer_list_begins_as_the_shorter_one(pool, strength, k, more):
    short, long = (
        diversified(pool[0][: compared(n)], pool[1][: compared(n)], strength, n).tolist()
        for n in (k, k + more)
    )
    assert long[:k] == short


def test_a_copy_gives_way_to_another_kind():
    vectors = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)  # four of a kind, three kinds
    scores = np.linspace(2, 1.9, 12).astype(np.float32)
    assert diversified(scores, vectors, 0.5, 6).tolist() == [0, 4, 8, 1, 2, 3]
    assert diversified(scores, vectors, 0.0, 6).tolist() == [0, 1, 2, 3, 4, 5]


@settings(deadline=None)
@given(
    scores=arrays(np.float32, st.integers(1, 30), elements=st.floats(-3, 3, width=32)),
    refused=st.sets(st.integers(0, 29)),
    k=st.integers(1, 30),
)
def test_what_isnt_admitted_never_comes(scores, refused, k):
    ranked = np.sort(scores)[::-1]
    vectors = np.eye(len(ranked), dtype=np.float32)
    capped = Caps().over(np.arange(len(ranked)))
    capped.refused[[at for at in refused if at < len(ranked)]] = True
    order = diversified(ranked, vectors, 0.5, k, capped).tolist()
    left = [at for at in range(len(ranked)) if at not in refused]
    assert not refused & set(order)
    assert len(order) == min(k, len(left))
    assert order[:1] == left[:1]


def test_moves_say_from_where_to_where():
    names = [f"i{row}" for row in range(9)]
    found = moves(np.array([4, 2, 7, 1]), np.array([4, 7, 8]), 3, names)
    assert found == (
        Moved(item_id="i7", from_rank=3, to_rank=2),
        Moved(item_id="i8", from_rank=None, to_rank=3),
        Moved(item_id="i2", from_rank=2, to_rank=None),
    )


# On the line


@settings(deadline=None, max_examples=30)
@given(intent=words, k=st.integers(1, N_ITEMS), label=st.integers(1, 12), french=st.integers(1, 9))
def test_a_capped_list_is_the_ranked_one_without_what_breaks_a_cap(rec, intent, k, label, french):
    ranked = rec.with_parts(untouched_every=0)
    caps = {"labels": label, "language": french}
    found = ranked.recommend(intent=intent, k=k, max_per=caps)
    counts, expected = Counter(), []
    for item in ranked.recommend(intent=intent, k=N_ITEMS).items:
        row = int(item.item_id[1:])
        values = [("labels", of) for of in labels_of(row)]
        values.append(("language", "en" if row % 3 else "fr"))
        if all(counts[value] < caps[value[0]] for value in values) and len(expected) < k:
            counts.update(values)
            expected.append((item.item_id, item.score))
    assert [(item.item_id, item.score) for item in found.items] == expected
    assert (len(expected) == k) == (not any("max_per" in note for note in found.trace.notes))


@settings(deadline=None, max_examples=30)
@given(intent=words, strength=strengths, k=st.integers(1, 40), n=st.integers(1, 9))
def test_caps_hold_in_a_diversified_list_and_scores_stay(rec, intent, strength, k, n):
    query = Query(intent=intent, k=k, diversity=strength, max_per={"labels": n})
    found = rec.recommend(query)
    counts = Counter(of for item in found.items for of in labels_of(int(item.item_id[1:])))
    assert max(counts.values()) <= n
    assert len(set(ids(found))) == len(found.items)
    assert [item.rank for item in found.items] == list(range(1, len(found.items) + 1))
    ranked = {item.item_id: item.score for item in rec.recommend(intent=intent, k=N_ITEMS).items}
    assert {item.item_id: item.score for item in found.items}.items() <= ranked.items()
    [alone, _] = rec.recommend_many([query, Query(k=3)])
    assert alone.items == found.items
    short = rec.recommend(intent=intent, k=5, diversity=strength, max_per={"labels": n})
    assert short.items[:k] == found.items[:5]


def test_0_is_the_list_as_it_was_and_a_cap_that_nothing_reaches_too(rec):
    for intent, session in (("a ghost story", []), ("", ["i30"]), ("", [])):
        ranked = rec.recommend(intent=intent, session=session, k=20)
        for fields in ({"diversity": 0}, {"max_per": {"labels": 20}}):
            same = rec.recommend(intent=intent, session=session, k=20, **fields)
            assert same.items == ranked.items
            assert same.trace.moved == ()


def test_the_trace_says_which_items_moved(rec):
    ranked = ids(rec.recommend(intent="a ghost story", k=10))
    found = rec.recommend(intent="a ghost story", k=10, diversity=0.9)
    listed = ids(found)
    assert listed[0] == ranked[0]
    moved = {of.item_id: (of.from_rank, of.to_rank) for of in found.trace.moved}
    assert moved
    for name in {*listed, *ranked}:
        to_rank = listed.index(name) + 1 if name in listed else None
        from_rank = ranked.index(name) + 1 if name in ranked else None
        if from_rank == to_rank:
            assert name not in moved
        else:
            assert moved[name][1] == to_rank
            assert moved[name][0] == from_rank or moved[name][0] > 10


def test_a_more_diverse_list_has_more_themes(rec):
    def n_themes(strength):
        found = rec.recommend(intent="a ghost story", k=10, diversity=strength)
        return len({theme(int(item.item_id[1:])) for item in found.items})

    assert n_themes(0) < n_themes(0.9)


@pytest.fixture(scope="module")
def large(artifact):
    """Six hundred more ghost stories in English: more than are looked at first."""
    running = semrec.load(artifact, verify="size").with_parts(untouched_every=0)
    running.add_items(
        {"item_id": f"n{n}", "title": "ghost ghost story", "labels": ["ghost"], "language": "en"}
        for n in range(600)
    )
    return running


@pytest.mark.parametrize("diversity", [0, 0.4])
def test_where_the_first_candidates_dont_do_others_are_searched_for(large, diversity):
    ranked = large.recommend(intent="a ghost story", k=660)
    languages = [large.catalog.record(large.catalog.row(i))["language"] for i in ids(ranked)]
    assert "fr" not in languages[:9]
    caps = {"language": 5}
    found = large.recommend(intent="a ghost story", k=10, max_per=caps, diversity=diversity)
    listed = [large.catalog.record(large.catalog.row(i))["language"] for i in ids(found)]
    assert Counter(listed) == {"en": 5, "fr": 5}
    if not diversity:
        english = [i for i, of in zip(ids(ranked), languages, strict=True) if of == "en"][:5]
        french = [i for i, of in zip(ids(ranked), languages, strict=True) if of == "fr"][:5]
        assert sorted(ids(found)) == sorted(english + french)
        assert ids(found) == [i for i in ids(ranked) if i in {*english, *french}]
    filtered = {"intent": "a ghost story", "filters": {"year": {"gte": 1990}}, "max_per": caps}
    assert len(ids(large.recommend(filtered, exclude=ids(found)))) == 10


def test_too_few_that_keep_a_cap_are_few_and_it_is_said(large):
    found = large.recommend(intent="a ghost story", k=30, max_per={"language": 3})
    assert len(found.items) == 6
    assert any("only 6 items keep max_per {'language': 3}" in note for note in found.trace.notes)


def test_a_cold_item_breaks_no_cap(artifact):
    running = semrec.load(artifact, verify="size")
    running.add_items(
        {"item_id": f"n{n}", "title": "space space story", "labels": ["space"]} for n in range(6)
    )
    query = {"session": [item_id(3)], "k": 30}
    cold = [i for i in ids(running.recommend(query)) if i.startswith("n")]
    assert cold
    for n in (1, 2, 4, 8):
        found = running.recommend(query, max_per={"labels": n})
        labels = [running.catalog.record(running.catalog.row(i))["labels"] for i in ids(found)]
        assert max(Counter(of for each in labels for of in each).values()) <= n


def test_the_baseline_keeps_caps_and_compares_no_texts(rec):
    for answer in (rec.baseline().recommend, lambda **of: rec.recommend(**of, semantic_weight=0)):
        ranked = answer(session=["i30"], k=20)
        found = answer(session=["i30"], k=20, diversity=0.9)
        assert found.items == ranked.items
        assert any("it moved nothing" in note for note in found.trace.notes)
        capped = answer(session=["i30"], k=20, max_per={"labels": 2})
        counts = Counter(of for i in ids(capped) for of in labels_of(int(i[1:])))
        assert max(counts.values()) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_per": {"lables": 3}}, "did you mean 'labels'"),
        ({"max_per": {7: 3}}, "unknown attribute 7"),
        ({"max_per": {"labels": 0}}, "max_per of 'labels' is 0, expected 1 to 1000"),
        ({"max_per": {"labels": True}}, "expected a whole number"),
        ({"max_per": ["labels"]}, r"max_per is .*expected a mapping"),
        ({"diversity": 1.1}, "from 0.0 to 1.0"),
        ({"diversity": True}, "from 0.0 to 1.0"),
    ],
)
def test_a_wrong_wish_is_refused(rec, fields, message):
    with pytest.raises(QueryError, match=message):
        rec.recommend(intent="a ghost story", **fields)


# As configured


def test_a_query_counts_before_the_configuration(world, tmp_path):
    config = world_config(diversity={"strength": 0.9, "max_per": {"labels": 3, "language": 8}})
    semrec.build(world, config=config, out=tmp_path / "made")
    made = semrec.load(tmp_path / "made")
    bare = made.with_parts(diversity=Diversity())
    wide = {"labels": 1000, "language": 1000}
    query = {"intent": "a ghost story", "k": 10}
    as_asked = bare.recommend(query, diversity=0.9, max_per={"labels": 3, "language": 8})
    assert made.recommend(query).items == as_asked.items
    assert made.recommend(query, diversity=0, max_per=wide).items == bare.recommend(query).items
    as_asked = bare.recommend(query, diversity=0.9, max_per={"labels": 2, "language": 8})
    assert made.recommend(query, max_per={"labels": 2}).items == as_asked.items
    assert made.baseline().recommend(query).items == bare.baseline().recommend(query).items


def test_auto_is_chosen_by_validation_and_comes_back_with_the_artifact(world, tmp_path):
    config = world_config(diversity={"strength": "auto"})
    built = semrec.build(world, config=config, out=tmp_path / "auto")
    chosen = built.manifest["validation"]["diversity"]
    assert set(chosen["tried"]) == {f"{strength:g}" for strength in STRENGTHS}
    whole = chosen["tried"]["0"]["ndcg@10"]
    kept = [s for s in STRENGTHS if chosen["tried"][f"{s:g}"]["gain"][0] >= -0.01 * whole]
    assert chosen["strength"] == max(kept)
    loaded = semrec.load(tmp_path / "auto")
    assert loaded.pipeline.diversity.strength == built.pipeline.diversity.strength == max(kept)


def test_the_largest_strength_that_costs_little():
    rng = np.random.default_rng(0)
    ranked = rng.random(400)
    costs = np.linspace(0, 0.027, len(STRENGTHS))  # of NDCG: .009 at the fourth, .012 then
    reached = np.stack([ranked - cost * ranked.mean() for cost in costs])
    chosen = largest_strength(reached, [str(n) for n in range(400)], seed=0)
    assert chosen["strength"] == STRENGTHS[np.flatnonzero(costs <= 0.01).max()]
    noise = reached - np.where(np.arange(len(STRENGTHS)) > 0, 1, 0)[:, None] * rng.normal(0, 1, 400)
    assert largest_strength(noise, [str(n) for n in range(400)], seed=0)["strength"] == 0


def test_a_cap_on_an_attribute_that_isnt_there_ends_a_build(world):
    with pytest.raises(ConfigError, match=r"no attribute 'lables'.*did you mean 'labels'"):
        semrec.build(world, config=world_config(diversity={"max_per": {"lables": 3}}))


# Over HTTP, and on the command line


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("diverse") / "state"


@pytest.fixture(scope="module")
def client(artifact, state):
    with in_thread(artifact, state) as client:
        yield client


def test_http_takes_both_and_traces_what_moved(client, rec, state):
    body = {"intent": "a ghost story", "diversity": 0.9, "max_per": {"labels": 4}}
    answer = client.post("/v1/recommend", json=body | {"trace": True}).json()
    found = rec.recommend(body)
    assert [item["item_id"] for item in answer["items"]] == ids(found)
    assert answer["trace"]["moved"] == [vars(of) for of in found.trace.moved]
    assert answer["timings_ms"]["diversify"] > 0
    assert replay(answer["recommendation_id"], state).same
    null = client.post("/v1/recommend", json={"intent": "a ghost story", "diversity": None})
    assert [item["item_id"] for item in null.json()["items"]] == ids(rec.recommend("a ghost story"))
    chat = {"message": "a ghost story", "max_per": {"labels": 2}}
    listed = client.post("/v1/chat", json=chat).json()["items"]
    counts = Counter(of for item in listed for of in labels_of(int(item["item_id"][1:])))
    assert max(counts.values()) == 2


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"diversity": 2}, "diversity"),
        ({"diversity": True}, "diversity"),
        ({"max_per": {"labels": 0}}, "max_per"),
        ({"max_per": {"labels": True}}, "max_per"),
        ({"max_per": {"labels": 2.0}}, "max_per"),
        ({"max_per": {"lables": 2}}, "did you mean 'labels'"),
    ],
)
def test_http_says_what_is_wrong(client, body, detail):
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]


def test_the_command_line_takes_both(artifact, rec, tmp_path):
    options = ("--diversity", "0.9", "--max-per", "labels=3", "--max-per", "language=8", "--json")
    done = run("recommend", artifact, "--intent", "a ghost story", *options, cwd=tmp_path)
    caps = {"labels": 3, "language": 8}
    found = rec.recommend("a ghost story", diversity=0.9, max_per=caps)
    printed = json.loads(done.stdout)
    assert [item["item_id"] for item in printed["items"]] == ids(found)
    assert printed["trace"]["moved"] == [vars(of) for of in found.trace.moved]
    told = run("recommend", artifact, "--intent", "a ghost story", *options[:-1], cwd=tmp_path)
    first = next(of for of in found.trace.moved if 0 < (of.to_rank or 0) < (of.from_rank or 0))
    title = next(item.title for item in found.items if item.item_id == first.item_id)
    line = " ".join(told.stdout.split())
    assert f"moved up: {title} ({first.from_rank} → {first.to_rank})" in line
    wrong = run("recommend", artifact, "--max-per", "labels=few", cwd=tmp_path, ok=False)
    assert "--max-per labels='few': expected a whole number" in wrong.stderr
