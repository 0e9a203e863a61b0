"""What every encoder promises, and what the cache and the loader promise beyond it."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_server import DIM, serving

from semrec.encoders.cached import CachedEncoder
from semrec.encoders.embeddings_endpoint import EndpointEncoder
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.names import resolve
from semrec.encoders.onnx import load_onnx
from semrec.encoders.sentence import load_sentence_encoder
from semrec.encoders.static import load_static
from semrec.encoders.watched import WatchedEncoder, canary_of
from semrec.encoders.weights import weights_hash
from semrec.endpoint import Address, Endpoint
from semrec.errors import ModelError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
TEXTS = ["a ghost story", "space heist", "", "侍の映画 🎬", "a ghost story", "jungle"]


@dataclass(frozen=True)
class CountingEncoder:
    """A hashing encoder that notes what it was asked, and can be made to fail on a text."""

    fingerprint: str = "counting"
    name: str = "counting"
    dim: int = 16
    fails_on: str | None = None
    asked: list[list[str]] = field(default_factory=list)

    def encode_queries(self, texts):
        self.asked.append(list(texts))
        if self.fails_on in texts:
            raise KeyboardInterrupt
        return HashingEncoder(dim=self.dim).encode_queries(texts)

    def encode_items(self, texts):
        return -self.encode_queries(texts)  # not what the other role gives


@pytest.fixture(scope="session")
def minilm():
    return load_sentence_encoder(MINILM, device="cpu")


@pytest.fixture
def elsewhere():
    with serving() as server:
        address = Address(url=f"{server.url}/embeddings")
        endpoint = Endpoint(address=address, what="encoder")
        yield EndpointEncoder(endpoint=endpoint, model="hashing", dim=DIM)
        endpoint.close()


@pytest.fixture(
    params=[
        "hashing",
        "cached",
        "endpoint",
        "watched",
        pytest.param("sentence", marks=pytest.mark.weights),
        pytest.param("static", marks=pytest.mark.slow),
        pytest.param("onnx", marks=pytest.mark.weights),
        pytest.param("onnx-int8", marks=pytest.mark.weights),
        pytest.param("decoder", marks=pytest.mark.slow),
    ]
)
def encoder(request, tmp_path):
    match request.param:
        case "hashing":
            return HashingEncoder(dim=32)
        case "cached":
            return CachedEncoder(encoder=HashingEncoder(dim=32), path=tmp_path / "vectors.sqlite")
        case "endpoint":
            return request.getfixturevalue("elsewhere")
        case "watched":
            there = request.getfixturevalue("elsewhere")
            return WatchedEncoder(there, canary_of(there))
        case "sentence":
            return request.getfixturevalue("minilm")
        case "static":
            return load_static(request.getfixturevalue("distilled"), "static")
        case "onnx":
            return load_onnx(request.getfixturevalue("exported") / "float32")
        case "onnx-int8":
            return load_onnx(request.getfixturevalue("exported") / "int8")
        case "decoder":
            return request.getfixturevalue("decoder")


@pytest.fixture(params=["encode_queries", "encode_items"])
def encode(request, encoder):
    return getattr(encoder, request.param)


def test_rows_are_float32_unit_vectors_in_the_order_of_the_texts(encoder, encode):
    vectors = encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encode(TEXTS[::-1]), vectors[::-1], atol=1e-5)


def test_a_batch_equals_one_by_one(encode):
    single = np.concatenate([encode([text]) for text in TEXTS])
    np.testing.assert_allclose(encode(TEXTS), single, atol=1e-5)


def test_equal_texts_have_equal_vectors_and_others_have_not(encode):
    similarity = encode(TEXTS) @ encode(TEXTS).T
    assert similarity[0, 4] == pytest.approx(1, abs=1e-5)
    assert similarity[0, 1] < 0.99


def test_no_texts_give_no_rows(encoder, encode):
    assert encode([]).shape == (0, encoder.dim)
    assert encode([]).dtype == np.float32


def test_odd_texts_get_vectors_and_disturb_no_others(encode):
    odd = ["\ud800", "film \udfff noir", "🎬\ufe0f\u200d", "\0", " \n", "very long " * 5_000]
    vectors = encode(["a plain text", *odd])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[:1], encode(["a plain text"]), atol=1e-5)


def test_name_and_fingerprint_are_stated(encoder):
    assert encoder.name
    assert len(encoder.fingerprint) == 64


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=30), max_size=5))
def test_hashing_takes_any_text(texts):
    vectors = HashingEncoder(dim=16).encode_items(texts)
    assert vectors.shape == (len(texts), 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_hashing_knows_shared_words_whatever_their_case_and_order():
    encoder = HashingEncoder(dim=512)
    vectors = encoder.encode_items(["Ghost story", "STORY, ghost!", "ghost opera", "wedding"])
    similarity = vectors @ vectors[0]
    assert similarity[1] == pytest.approx(1, abs=1e-5)
    assert similarity[1] > similarity[2] > 0.3 > similarity[3]


# --- the cache ---


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "vectors.sqlite"


def test_a_second_call_does_not_ask_the_encoder(path):
    inner = CountingEncoder()
    first = CachedEncoder(encoder=inner, path=path).encode_items(["a", "b"])
    again = CachedEncoder(encoder=inner, path=path).encode_items(["b", "a"])
    assert inner.asked == [["a", "b"]]
    np.testing.assert_array_equal(again, first[::-1])


def test_only_new_texts_are_encoded_and_doubled_ones_once(path):
    inner = CountingEncoder()
    cached = CachedEncoder(encoder=inner, path=path)
    cached.encode_queries(["a", "b", "a"])
    found = cached.encode_queries(["c", "a", "c", "b", "d"])
    assert inner.asked == [["a", "b"], ["c", "d"]]
    want = HashingEncoder(dim=16).encode_queries(["c", "a", "c", "b", "d"])
    np.testing.assert_array_equal(found, want)


def test_more_texts_than_one_statement_takes(path):
    inner = CountingEncoder()
    cached = CachedEncoder(encoder=inner, path=path)
    texts = [f"text {n}" for n in range(1_234)]
    first = cached.encode_queries(texts)
    np.testing.assert_array_equal(cached.encode_queries(texts), first)
    assert len(inner.asked) == 1


def test_encoders_with_other_fingerprints_share_nothing(path):
    one, other = CountingEncoder(fingerprint="one"), CountingEncoder(fingerprint="other")
    CachedEncoder(encoder=one, path=path).encode_items(["a"])
    CachedEncoder(encoder=other, path=path).encode_items(["a"])
    assert other.asked == [["a"]]


def test_requests_and_items_share_nothing(path):
    inner = CountingEncoder()
    cached = CachedEncoder(encoder=inner, path=path)
    as_query, as_item = cached.encode_queries(["a"]), cached.encode_items(["a"])
    assert inner.asked == [["a"], ["a"]]
    np.testing.assert_array_equal(cached.encode_queries(["a"]), as_query)
    np.testing.assert_array_equal(cached.encode_items(["a"]), as_item)
    np.testing.assert_array_equal(as_item, -as_query)


def test_an_interrupted_run_keeps_what_was_done(path):
    breaking = CachedEncoder(encoder=CountingEncoder(fails_on="c"), path=path)
    breaking.encode_items(["a", "b"])
    with pytest.raises(KeyboardInterrupt):
        breaking.encode_items(["c", "d"])
    inner = CountingEncoder()
    CachedEncoder(encoder=inner, path=path).encode_items(["a", "b", "c", "d"])
    assert inner.asked == [["c", "d"]]


# --- real weights ---


@pytest.mark.weights
def test_related_texts_are_closer_than_unrelated_ones(minilm):
    items = minilm.encode_items(
        ["A crew of astronauts repairs a failing space station", "A couple plans their wedding"]
    )
    queries = minilm.encode_queries(["a film about rockets in space", "a bride and a groom"])
    similarity = queries @ items.T
    assert similarity[0, 0] > similarity[0, 1] + 0.1
    assert similarity[1, 1] > similarity[1, 0] + 0.1


@pytest.mark.weights
def test_a_model_is_found_by_name_and_by_path(minilm, tmp_path):
    link = tmp_path / "linked"
    link.symlink_to(resolve(MINILM), target_is_directory=True)
    by_path = load_sentence_encoder(str(link), device="cpu")
    assert minilm.name == MINILM
    assert "/" not in by_path.name
    assert by_path.fingerprint == minilm.fingerprint
    np.testing.assert_array_equal(by_path.encode_items(TEXTS), minilm.encode_items(TEXTS))


@pytest.mark.weights
def test_the_fingerprint_of_a_copied_folder_is_the_same(minilm, tmp_path):
    copy = shutil.copytree(resolve(MINILM), tmp_path / "copy")
    assert weights_hash(copy) == minilm.fingerprint


def test_other_weights_have_another_fingerprint(tmp_path):
    def folder(name: str, content: bytes) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(content)
        return tmp_path / name

    one, same, other = folder("one", b"weights"), folder("same", b"weights"), folder("b", b"other")
    assert weights_hash(one) == weights_hash(same) != weights_hash(other)


def test_an_unknown_name_is_refused_with_advice():
    with pytest.raises(ModelError, match="check the name, or give a path"):
        load_sentence_encoder("nobody/has-such-a-model")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no model"):
        resolve(str(tmp_path))
    with pytest.raises(ModelError, match="no weights"):
        weights_hash(tmp_path)
