"""Items by the thousand: the same vectors as torch's, whatever encodes them; and where from."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import world_config

from semrec.bench.encoding import encoding_speed
from semrec.encoders import bulk, onnx
from semrec.encoders.bulk import BulkEncoder, Rounded
from semrec.encoders.cached import CachedEncoder
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.onnx import PASS_TOKENS, OnnxEncoder, _passes, load_onnx
from semrec.encoders.sentence import load_sentence_encoder
from semrec.errors import DataError
from semrec.prompting import ItemTexts, Prompts, load_prompt
from semrec.training.item_vectors import embed_items, in_bulk
from semrec.types import silent

TEXTS = [f"a story of {n} cats " + "and dogs " * (n % 23) for n in range(48)]


@pytest.fixture(scope="module")
def torch_encoder():
    return load_sentence_encoder("minilm", device="cpu")


@pytest.fixture
def few(monkeypatch):
    """Already so many are many."""
    monkeypatch.setattr(bulk, "MIN_TEXTS", 16)


@pytest.mark.slow
@pytest.mark.weights
def test_many_items_get_torchs_vectors_from_a_graph(torch_encoder, few, monkeypatch):
    monkeypatch.setattr(bulk, "has_tiles", lambda: False)
    encoder = BulkEncoder(torch_encoder)
    found = encoder.encode_items(TEXTS)
    np.testing.assert_allclose(found, torch_encoder.encode_items(TEXTS), atol=2e-5)
    assert isinstance(encoder._quick, OnnxEncoder)
    assert encoder.fingerprint == torch_encoder.fingerprint


@pytest.mark.weights
def test_many_items_get_torchs_vectors_in_bfloat16(torch_encoder, few, monkeypatch):
    monkeypatch.setattr(bulk, "has_tiles", lambda: True)  # slower where it hasn't, but the same
    encoder = BulkEncoder(torch_encoder)
    found, true = encoder.encode_items(TEXTS), torch_encoder.encode_items(TEXTS)
    assert isinstance(encoder._quick, Rounded)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert (found * true).sum(axis=1).min() > 0.999
    assert not np.array_equal(found, true)
    weights = next(iter(torch_encoder.model.parameters()))
    assert weights.element_size() == 4  # the encoder itself is as it was


@pytest.mark.weights
def test_few_items_need_no_graph(torch_encoder):
    encoder = BulkEncoder(torch_encoder)
    encoder.encode_items(TEXTS[:5])
    assert encoder._quick is None


@pytest.mark.weights
def test_where_the_graph_says_something_else_torch_encodes(torch_encoder, exported, few):
    encoder = BulkEncoder(torch_encoder)
    wrong = load_onnx(exported / "float32")
    encoder._tried, encoder._quick = True, replace(wrong, item_prompt="something else: ")
    np.testing.assert_array_equal(encoder.encode_items(TEXTS), torch_encoder.encode_items(TEXTS))
    assert encoder._quick is None


@pytest.mark.weights
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_passes_side_by_side_are_those_one_after_another(exported, precision, monkeypatch):
    monkeypatch.setattr(onnx, "MAX_SERIAL_PASSES", 1)
    one = replace(load_onnx(exported / precision, threads=1), workers=1)
    np.testing.assert_array_equal(
        replace(one, workers=3).encode_items(TEXTS), one.encode_items(TEXTS)
    )


def test_a_pass_is_small_and_its_texts_are_of_a_length():
    lengths = [int(n) for n in np.random.default_rng(3).integers(1, 3 * PASS_TOKENS, 300)]
    lengths += [3, 3, 4] * 50
    passes = _passes(lengths, 32)
    assert sorted(place for places in passes for place in places) == list(range(len(lengths)))
    for places in passes:
        longest = max(lengths[place] for place in places)
        assert len(places) == 1 or (len(places) <= 32 and len(places) * longest <= PASS_TOKENS)
    assert max(map(len, passes)) == 32
    assert _passes([], 32) == []


def test_only_a_sentence_encoder_is_quick_in_bulk(tmp_path):
    hashing = HashingEncoder(dim=16)
    assert in_bulk(hashing, world_config().encoder) is hashing
    cached = CachedEncoder(encoder=hashing, path=tmp_path / "vectors.sqlite")
    assert in_bulk(cached, world_config().encoder) is cached


def test_a_stopped_embedding_goes_on_where_it_was(tmp_path):
    """What was done before the time was up isn't done again."""
    texts = [f"text {n}" for n in range(2500)]
    asked = []

    class Counting(HashingEncoder):
        def encode_items(self, texts):
            asked.extend(texts)
            return super().encode_items(texts)

    encoder = CachedEncoder(encoder=Counting(dim=16), path=tmp_path / "vectors.sqlite")
    told = []

    def report(stage, done, total, detail="", /):
        told.append(detail)
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_items(texts, encoder, report)
    assert told[-1].endswith(" items/s")
    first = len(asked)
    assert 0 < first < len(texts)
    vectors, told_of = embed_items([*texts, ""], encoder, silent)
    assert sorted(asked) == sorted(texts)
    assert told_of.tolist() == [True] * len(texts) + [False]
    np.testing.assert_array_equal(vectors[:-1], HashingEncoder(dim=16).encode_items(texts))
    with pytest.raises(DataError, match="0 of 2500 items"):
        embed_items(texts, encoder, silent, deadline=0.0)


def test_an_items_text_is_made_when_it_is_asked_for(world):
    prompts = Prompts(item=load_prompt("item", "item"), query=load_prompt("query", "query"))
    texts = ItemTexts(prompts=prompts, catalog=world.catalog)
    assert len(texts) == len(world.catalog)
    assert texts[-1] == prompts.text_of(world.catalog, len(world.catalog) - 1)
    assert texts[:3] == [texts[0], texts[1], texts[2]]
    assert list(texts)[5] == texts[5]
    with pytest.raises(IndexError):
        texts[len(texts)]


@pytest.mark.weights
def test_the_bench_encodes_the_same_on_both_sides(world, few):
    config = world_config(encoder={"kind": "sentence", "model": "minilm"})
    found = encoding_speed(world, config, n=20)
    assert found["least_cosine"] > 0.9999
    assert set(found["items_per_s"]) == {"semrec", "sentence-transformers"}
    assert found["texts"] == 20
