"""What a sentence encoder does with long queries, prompts and lengths; MiniLM's real weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.encoders.names import resolve
from semrec.encoders.sentence import load_sentence_encoder
from semrec.encoders.weights import weights_hash
from semrec.errors import ModelError

pytestmark = pytest.mark.weights

MINILM = "minilm"
PROMPT = "Represent this request for finding films: "


@pytest.fixture(scope="module")
def plain():
    return load_sentence_encoder(MINILM, device="cpu")


@pytest.fixture(scope="module")
def prompted():
    return load_sentence_encoder(MINILM, device="cpu", query_prompt=PROMPT, max_length=64)


TAIL = " and at last a quiet film about the sea, with nobody in it, from the nineties" * 20


def test_of_long_queries_the_end_is_heard(plain):
    one, same, other = plain.encode_queries(
        ["cats " * 900 + TAIL, "dogs " * 900 + TAIL, "cats " * 900 + TAIL + " wedding bride groom"]
    )
    np.testing.assert_allclose(one, same, atol=1e-5)
    assert one @ other < 0.99
    np.testing.assert_allclose(one, plain.encode_queries([plain.ending(TAIL)])[0], atol=1e-5)


def test_of_long_items_the_start_is_heard(plain):
    one, same, other = plain.encode_items([TAIL + "cats", TAIL + "dogs", "cats " * 60 + TAIL])
    np.testing.assert_allclose(one, same, atol=1e-5)
    assert one @ other < 0.99


def test_short_queries_and_the_fingerprint_are_what_they_were(plain):
    texts = ["a ghost story", "侍の映画 🎬", ""]
    assert plain.fingerprint == weights_hash(resolve(MINILM))
    want = plain.model.encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(plain.encode_queries(texts), want, atol=1e-6)


def test_a_prompt_stands_before_queries_and_not_before_items(plain, prompted):
    assert prompted.name == plain.name
    assert prompted.fingerprint != plain.fingerprint
    want = plain.encode_items([PROMPT + "a ghost story", "a ghost story"])
    np.testing.assert_allclose(prompted.encode_queries(["a ghost story"])[0], want[0], atol=1e-5)
    np.testing.assert_allclose(prompted.encode_items(["a ghost story"])[0], want[1], atol=1e-5)


def test_a_long_query_loses_neither_prompt_nor_end(plain, prompted):
    (found,) = prompted.encode_queries(["cats " * 900 + TAIL])
    want = plain.encode_items([PROMPT + prompted.ending("cats " * 900 + TAIL)])[0]
    np.testing.assert_allclose(found, want, atol=1e-5)
    assert TAIL.endswith(prompted.ending(TAIL))


def test_each_option_alone_changes_the_fingerprint(plain, prompted):
    shorter = load_sentence_encoder(MINILM, device="cpu", max_length=64)
    assert len({shorter.fingerprint, plain.fingerprint, prompted.fingerprint}) == 3
    assert shorter.model.max_seq_length == 64
    longer = load_sentence_encoder(MINILM, device="cpu", max_length=100_000)
    assert longer.model.max_seq_length == plain.model.max_seq_length


def test_a_prompt_without_room_for_a_query_is_refused():
    with pytest.raises(ModelError, match="no room for a query"):
        load_sentence_encoder(MINILM, device="cpu", query_prompt=PROMPT * 9, max_length=32)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=2_000) | st.text("ab 侍🎬ﷺ'", max_size=2_000))
def test_an_ending_is_the_longest_end_that_fits(plain, text):
    kept = plain.ending(text)
    assert text.endswith(kept)
    room = plain.ending.room
    count = len(plain.ending.tokenizer.encode(kept, add_special_tokens=False).ids)
    assert count <= room
    if kept != text:
        assert count > room // 2  # and not much less than that
