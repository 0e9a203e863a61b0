"""A slow encoder's stand-in: reads what there is no time for, near enough to search by it."""

import time
from itertools import combinations

import numpy as np
import pytest
from conftest import THEMES, theme, world_config
from model_server import serving

import semrec
from semrec.artifact.encoder import as_punctual
from semrec.deadline import NEVER, Deadline
from semrec.encoders.distillation import distil_words
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.paced import PacedEncoder
from semrec.encoders.static import load_static, save_static
from semrec.endpoint import Address, Addresses

TEXTS = [f"a {a} story of {b} and {c}" for a in THEMES for b in THEMES for c in THEMES]


class Slow(HashingEncoder):
    """Takes 30 ms a text."""

    def encode_queries(self, texts):
        time.sleep(0.03 * len(texts))
        return super().encode_queries(texts)


def test_words_point_where_the_other_encoders_vectors_do(tmp_path):
    teacher = HashingEncoder(dim=256)
    stand_in, agreed = distil_words(teacher, TEXTS, teacher.encode_items(TEXTS))
    requests = [f"{one} and {other}" for one, other in combinations(THEMES, 2)]
    near = stand_in.encode_queries(requests) @ teacher.encode_items(requests).T
    assert (near.argmax(axis=1) == np.arange(len(requests))).mean() > 0.9
    assert agreed > 0.9
    save_static(stand_in, tmp_path / "stand_in")
    again = load_static(tmp_path / "stand_in", stand_in.name)
    assert again.fingerprint == stand_in.fingerprint
    np.testing.assert_array_equal(again.encode_queries(requests), stand_in.encode_queries(requests))


def test_words_that_say_nothing_of_the_vectors_are_known_by_their_agreement():
    noise = np.random.default_rng(0).standard_normal((len(TEXTS), 64)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    assert distil_words(HashingEncoder(dim=64), TEXTS, noise)[1] < 0.3


def test_unknown_words_alone_are_somewhere():
    teacher = HashingEncoder(dim=64)
    stand_in, _ = distil_words(teacher, TEXTS, teacher.encode_items(TEXTS))
    vectors = stand_in.encode_queries(["zyx", "", "🎬"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_slow_encoder_isnt_begun_where_it_would_be_late():
    encoder = as_punctual(Slow(dim=64))
    for _ in range(2):  # how slow isn't known yet: the first one says nothing of it
        assert encoder.encode_within(["a"], Deadline.within(5)) is not None
    start = time.perf_counter()
    assert encoder.encode_within(["a"], Deadline.within(5)) is None
    assert time.perf_counter() - start < 0.02
    assert encoder.encode_within(["a"], NEVER) is not None
    assert encoder.encode_within(["a"] * 10, Deadline.within(100)) is None
    for _ in range(60):  # one that was slow once is tried again
        encoder.encode_within(["a"], Deadline.within(5))
    assert encoder.encode_within(["a"], Deadline.within(20)) is not None


def test_one_that_has_its_own_deadline_keeps_it():
    paced = PacedEncoder(HashingEncoder(dim=8))
    assert as_punctual(paced) is paced


@pytest.fixture(scope="module")
def artifact(world, tmp_path_factory):
    """Built by an encoder behind an address; and where that was."""
    out = tmp_path_factory.mktemp("stand-in") / "artifact"
    with serving() as server:
        said = {"kind": "endpoint", "model": "hashing", "url": server.url}
        semrec.build(world, config=world_config(encoder=said), out=out)
        return out, server.url


def test_requests_are_read_by_it_while_the_encoder_is_away(artifact):
    folder, url = artifact
    assert (folder / "stand_in").is_dir()
    recommender = semrec.load(folder, addresses=Addresses(encoder=Address(url=url)))
    for word in THEMES:
        recs = recommender.recommend(intent=f"a {word} story", k=5, semantic_weight=1)
        assert recs.trace.degraded
        assert any("a quick one stood in for it" in note for note in recs.trace.notes)
        assert {theme(int(item.item_id[1:])) for item in recs.items} == {word}


def test_what_it_read_isnt_taken_for_the_encoders_own(artifact):
    folder, url = artifact
    recommender = semrec.load(folder, addresses=Addresses(encoder=Address(url=url)))
    recommender.recommend(intent="a ghost story")
    assert len(recommender.query_cache) == 0


def test_a_quick_encoder_has_none(world, tmp_path):
    semrec.build(world, config=world_config(), out=tmp_path / "artifact")
    assert not (tmp_path / "artifact" / "stand_in").exists()


@pytest.mark.weights
@pytest.mark.slow
def test_a_transformer_in_torch_has_one_for_short_budgets(world, tmp_path):
    config = world_config(encoder={"kind": "sentence", "runtime": "torch"})
    semrec.build(world, config=config, out=tmp_path / "artifact")
    recommender = semrec.load(tmp_path / "artifact")
    for intent in ("a court story", "a wedding story"):
        assert not recommender.recommend(intent=intent, k=5).trace.degraded
    late = recommender.recommend(intent="the story of a wedding", k=5, budget_ms=4)
    assert late.trace.degraded
    assert "a quick one stood in for it" in " ".join(late.trace.notes)
    assert {theme(int(item.item_id[1:])) for item in late.items} == {"wedding"}
    assert not recommender.recommend(intent="a wedding story", k=5, budget_ms=4).trace.degraded
