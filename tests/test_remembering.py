"""Requests asked before: the same vectors, not encoded again, never more of them than agreed."""

import threading
from typing import ClassVar

import numpy as np

from semrec.encoders.hashing import HashingEncoder
from semrec.pipeline.query_cache import QueryCache


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
    encoder, query_cache = counting(), QueryCache()
    first = query_cache.encode_queries(encoder, ["a heist", "a ghost", "a heist"])
    again = query_cache.encode_queries(encoder, ["a ghost", "a wedding", "a heist"])
    assert encoder.asked == ["a heist", "a ghost", "a wedding"]
    true = HashingEncoder(dim=16).encode_queries(["a heist", "a ghost", "a wedding"])
    np.testing.assert_array_equal(first, true[[0, 1, 0]])
    np.testing.assert_array_equal(again, true[[1, 2, 0]])
    assert query_cache.encode_queries(encoder, []) == []


def test_the_one_asked_longest_ago_is_forgotten_first():
    encoder, query_cache = counting(), QueryCache(2)
    for text in ("one", "two", "one", "three"):
        query_cache.encode_queries(encoder, [text])
    assert len(query_cache) == 2
    encoder.asked.clear()
    query_cache.encode_queries(encoder, ["one", "three"])
    assert encoder.asked == []
    query_cache.encode_queries(encoder, ["two"])
    assert encoder.asked == ["two"]


def test_a_batch_larger_than_what_is_kept_is_answered_whole():
    for most in (0, 3):
        encoder, query_cache = counting(), QueryCache(most)
        texts = [f"text {n}" for n in range(10)]
        found = query_cache.encode_queries(encoder, texts)
        np.testing.assert_array_equal(found, HashingEncoder(dim=16).encode_queries(texts))
        assert len(query_cache) == most


def test_another_encoder_has_other_vectors():
    query_cache = QueryCache()
    assert len(query_cache.encode_queries(HashingEncoder(dim=16), ["a heist"])[0]) == 16
    assert len(query_cache.encode_queries(HashingEncoder(dim=32), ["a heist"])[0]) == 32


def test_threads_get_their_own_answers():
    query_cache, encoder, wrong = QueryCache(20), HashingEncoder(dim=16), []

    def ask(seed):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            texts = [f"text {n}" for n in rng.integers(50, size=3)]
            found = query_cache.encode_queries(encoder, texts)
            if not np.array_equal(found, encoder.encode_queries(texts)):
                wrong.append(texts)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(query_cache) <= 20


def test_a_recommender_answers_the_same_the_second_time(rec):
    encoder = counting(rec.encoder.dim)
    asking = rec.with_parts(encoder=encoder, query_cache=QueryCache())
    asked = {"intent": "a ghost in the jungle", "session": ["i03"], "k": 8}
    first, second = asking.recommend(**asked), asking.recommend(**asked)
    assert first.items == second.items == rec.recommend(**asked).items
    assert len(encoder.asked) == 1
