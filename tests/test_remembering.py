"""Requests asked before: the same vectors, not encoded again, never more of them than agreed."""

import threading
from dataclasses import replace
from typing import ClassVar

import numpy as np

from semrec.encoders.hashing import HashingEncoder
from semrec.pipeline.query_cache import Remembered


class Counting(HashingEncoder):
    """Notes what it is asked."""

    asked: ClassVar[list[str]] = []

    def encode_queries(self, texts):
        self.asked.extend(texts)
        return super().encode_queries(texts)


def counting(dim=16):
    encoder = Counting(dim=dim)
    encoder.asked.clear()
    return encoder


def test_what_was_asked_before_is_not_encoded_again():
    encoder, remembered = counting(), Remembered()
    first = remembered.encode_queries(encoder, ["a heist", "a ghost", "a heist"])
    again = remembered.encode_queries(encoder, ["a ghost", "a wedding", "a heist"])
    assert encoder.asked == ["a heist", "a ghost", "a wedding"]
    true = HashingEncoder(dim=16).encode_queries(["a heist", "a ghost", "a wedding"])
    np.testing.assert_array_equal(first, true[[0, 1, 0]])
    np.testing.assert_array_equal(again, true[[1, 2, 0]])
    assert remembered.encode_queries(encoder, []) == []


def test_the_one_asked_longest_ago_is_forgotten_first():
    encoder, remembered = counting(), Remembered(2)
    for text in ("one", "two", "one", "three"):
        remembered.encode_queries(encoder, [text])
    assert len(remembered) == 2
    encoder.asked.clear()
    remembered.encode_queries(encoder, ["one", "three"])
    assert encoder.asked == []
    remembered.encode_queries(encoder, ["two"])
    assert encoder.asked == ["two"]


def test_a_batch_larger_than_what_is_kept_is_answered_whole():
    for most in (0, 3):
        encoder, remembered = counting(), Remembered(most)
        texts = [f"text {n}" for n in range(10)]
        found = remembered.encode_queries(encoder, texts)
        np.testing.assert_array_equal(found, HashingEncoder(dim=16).encode_queries(texts))
        assert len(remembered) == most


def test_another_encoder_has_other_vectors():
    remembered = Remembered()
    assert len(remembered.encode_queries(HashingEncoder(dim=16), ["a heist"])[0]) == 16
    assert len(remembered.encode_queries(HashingEncoder(dim=32), ["a heist"])[0]) == 32


def test_threads_get_their_own_answers():
    remembered, encoder, wrong = Remembered(20), HashingEncoder(dim=16), []

    def ask(seed):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            texts = [f"text {n}" for n in rng.integers(50, size=3)]
            found = remembered.encode_queries(encoder, texts)
            if not np.array_equal(found, encoder.encode_queries(texts)):
                wrong.append(texts)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(remembered) <= 20


def test_a_recommender_answers_the_same_the_second_time(rec):
    encoder = counting(rec.encoder.dim)
    asking = replace(rec, encoder=encoder, remembered=Remembered())
    asked = {"intent": "a ghost in the jungle", "session": ["i03"], "k": 8}
    first, second = asking.recommend(**asked), asking.recommend(**asked)
    assert first.items == second.items == rec.recommend(**asked).items
    assert len(encoder.asked) == 1
