"""Never late, never lost: the caller leaves at the deadline, whatever the reranker does."""

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from semrec.deadline import NEVER, Deadline
from semrec.rerankers.blending import blended
from semrec.rerankers.sanity_check import complaint
from semrec.rerankers.throughput import ThroughputEstimator
from semrec.rerankers.worker import RerankWorker
from semrec.types import RerankScores

TEXTS = [f"text {place}" for place in range(10)]
MANY_S = 60.0  # a test that waits for so long has failed


def order_of(found):
    """As a list whose own scores are all equal is reordered."""
    return blended(np.zeros(len(found.scores), np.float32), found.scores, 1.0).tolist()


class Clock:
    """Stands still until somebody moves it.

    A caller waits on the wall's clock, so what is to be judged in time has minutes on this one.
    """

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s

    def within(self, s):
        return Deadline.within(1000 * s, clock=self)


@dataclass
class Reverses:
    """Prefers the last; takes `each_s` on the clock for each candidate, in chunks of two."""

    clock: Clock = field(default_factory=Clock)
    each_s: float = 10.0
    asked: list = field(default_factory=list)

    def rerank(self, request, texts, deadline):
        self.asked.append((request, len(texts)))
        for start in range(0, len(texts), 2):
            if deadline.passed:
                return
            places = np.arange(start, min(start + 2, len(texts)))
            self.clock.now_s += self.each_s * len(places)
            if deadline.passed:
                return
            yield RerankScores(positions=places, scores=places.astype(np.float32))


class Hangs:
    """Judges one candidate, then does nothing until it is let go."""

    def __init__(self):
        self.free, self.begun, self.n_asked = threading.Event(), threading.Event(), 0

    def rerank(self, request, texts, deadline):
        self.n_asked += 1
        yield RerankScores(positions=np.array([2]), scores=np.array([1.0], np.float32))
        self.begun.set()
        self.free.wait(MANY_S)
        yield RerankScores(positions=np.array([1]), scores=np.array([2.0], np.float32))


class Answers:
    """Gives out whatever it was given, and raises what is an error."""

    def __init__(self, *chunks):
        self.chunks, self.n_asked = chunks, 0

    def rerank(self, request, texts, deadline):
        self.n_asked += 1
        for chunk in self.chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk


def chunk_of(*places, score=1.0):
    return RerankScores(positions=np.array(places), scores=np.full(len(places), score, np.float32))


def wait_until(condition):
    end = time.monotonic() + MANY_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def patient(reranker):
    return RerankWorker(reranker, longest_s=1e6, grace_s=1e6)


def test_all_are_judged_where_there_is_time():
    reranker = Reverses()
    found = patient(reranker).rerank_within("r", TEXTS, reranker.clock.within(1_000))
    assert found.status == "complete"
    assert order_of(found) == list(range(9, -1, -1))


def test_what_was_judged_in_time_counts():
    reranker = Reverses()
    found = patient(reranker).rerank_within("r", TEXTS, reranker.clock.within(45))
    assert found.status == "partial"
    assert order_of(found) == [3, 2, 1, 0, 4, 5, 6, 7, 8, 9]


def test_nothing_in_time_is_a_timeout_and_leaves_the_order():
    reranker = Reverses(each_s=100)
    found = patient(reranker).rerank_within("r", TEXTS, reranker.clock.within(45))
    assert (found.status, found.reason) == ("timeout", "")
    assert order_of(found) == list(range(10))


def test_no_candidates_are_completely_judged():
    found = RerankWorker(Reverses()).rerank_within("r", [], NEVER)
    assert (found.status, len(order_of(found))) == ("complete", 0)


def test_only_as_many_are_asked_about_as_fit():
    reranker = Reverses()
    worker = patient(reranker)
    worker.rerank_within("warm", TEXTS, reranker.clock.within(1_000))
    found = worker.rerank_within("r", TEXTS, reranker.clock.within(65))
    assert reranker.asked[-1] == ("r", 6)
    assert (found.status, np.isfinite(found.scores).sum()) == ("partial", 6)
    assert worker.each_ms == pytest.approx(10_000)


def test_where_none_fits_nobody_is_asked_until_patience_ends():
    reranker = Reverses()
    worker = patient(reranker)
    worker.rerank_within("warm", TEXTS, reranker.clock.within(1_000))
    found = worker.rerank_within("r", TEXTS, reranker.clock.within(15))
    assert (found.status, found.reason) == ("skipped", "too little time was left")
    assert len(reranker.asked) == 1
    reranker.each_s = 1.0  # it was slow once
    for _ in range(60):
        found = worker.rerank_within("r", TEXTS, reranker.clock.within(15))
    assert found.status == "complete"


def test_a_chunk_that_would_come_too_late_is_not_begun():
    pace = ThroughputEstimator()
    assert pace.goes_on(10, 1.0)  # nothing is known yet
    pace.next(10, 100)
    assert pace.goes_on(10, 100)
    assert not pace.goes_on(10, 99)
    for _ in range(60):  # it may have been slow once
        pace.goes_on(10, 50)
    assert pace.goes_on(10, 50)


def test_a_timeout_teaches_how_long_it_takes():
    pace = ThroughputEstimator()
    assert pace.fitting(20, 1.0) == 20  # nothing is known yet
    pace.nothing(80)
    assert pace.fitting(20, 80) == 0
    pace = ThroughputEstimator()
    pace.first(4, 100)
    pace.next(4, 40)
    assert [pace.fitting(20, left) for left in (0, 99, 100, 125, 10_000, np.inf)] == [
        0,
        0,
        4,
        6,
        20,
        20,
    ]


def test_the_caller_of_one_that_hangs_leaves_with_what_was_judged():
    reranker = Hangs()
    worker = RerankWorker(reranker)
    start = time.monotonic()
    found = worker.rerank_within("r", TEXTS, Deadline.within(300))
    assert 0.3 <= time.monotonic() - start < 10
    assert found.status == "partial"
    assert order_of(found) == [2, 0, 1, 3, 4, 5, 6, 7, 8, 9]
    reranker.free.set()


def test_while_it_hangs_nobody_is_sent_and_after_a_rest_one_is():
    reranker, clock = Hangs(), Clock()
    worker = RerankWorker(reranker, grace_s=1.0, rest_s=30.0, longest_s=MANY_S)
    ask = {"request": "r", "texts": TEXTS}
    thread = threading.Thread(
        target=worker.rerank_within, kwargs={**ask, "deadline": clock.within(0.2)}
    )
    thread.start()
    assert reranker.begun.wait(MANY_S)
    thread.join(MANY_S)  # its caller has left: it waits on the wall's clock
    clock.now_s += 0.7
    busy = worker.rerank_within(**ask, deadline=clock.within(0.001))
    assert (busy.status, busy.reason) == ("skipped", "other requests were being reranked")
    assert worker.hangs == 0
    clock.now_s += 1.0
    for _ in range(3):
        found = worker.rerank_within(**ask, deadline=clock.within(MANY_S))
        assert (found.status, found.reason) == ("skipped", "the reranker hangs")
    assert (worker.hangs, reranker.n_asked) == (1, 1)
    clock.now_s += 100
    assert worker.rerank_within(**ask, deadline=clock.within(MANY_S)).reason == "the reranker hangs"
    reranker.free.set()
    wait_until(lambda: not worker._turn.locked())
    clock.now_s += 31
    found = worker.rerank_within(**ask, deadline=clock.within(MANY_S))
    assert (found.status, found.reason) == ("partial", "")
    assert (worker.hangs, reranker.n_asked) == (1, 2)


def test_one_that_ends_late_unseen_is_rested_too():
    clock = Clock()
    reranker = Reverses(clock=clock, each_s=5)
    worker = RerankWorker(reranker, rest_s=30.0)
    worker.rerank_within("r", TEXTS, clock.within(0.1))
    wait_until(lambda: not worker._turn.locked())
    found = worker.rerank_within("r", TEXTS, clock.within(100))
    assert (worker.hangs, found.status) == (1, "skipped")
    assert "rests" in found.reason


@pytest.mark.parametrize(
    ("error", "told"),
    [(ValueError("no such luck"), "ValueError: no such luck"), (SystemExit(3), "SystemExit: 3")],
)
def test_an_error_is_told_and_what_was_judged_before_counts(error, told):
    worker = RerankWorker(Answers(chunk_of(4), error))
    found = worker.rerank_within("r", TEXTS, NEVER)
    assert (found.status, found.reason) == ("error", told)
    assert order_of(found) == [4, 0, 1, 2, 3, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("chunk", "reason"),
    [
        (None, "expected RerankScores"),
        ("[3] > [1]", "expected RerankScores"),
        (RerankScores(positions=np.array([0.5]), scores=np.ones(1)), "whole numbers"),
        (RerankScores(positions=np.array([0, 1]), scores=np.ones(1)), "whole numbers"),
        (chunk_of(0, 1, score=np.nan), "scored nothing"),
        (chunk_of(-1, 10, 99), "scored nothing"),
    ],
)
def test_nonsense_is_an_error_and_leaves_the_order(chunk, reason):
    found = RerankWorker(Answers(chunk)).rerank_within("r", TEXTS, NEVER)
    assert found.status == "error"
    assert reason in found.reason
    assert order_of(found) == list(range(10))


def test_faults_are_counted_and_never_double_or_lose_an_item():
    chunks = chunk_of(3, 3, 42, score=2.0), chunk_of(3, 1, score=3.0)
    found = RerankWorker(Answers(*chunks)).rerank_within("r", TEXTS, NEVER)
    assert order_of(found) == [1, 3, 0, 2, 4, 5, 6, 7, 8, 9]
    assert (found.status, found.doubled, found.invented) == ("partial", 2, 1)


def test_after_errors_in_a_row_it_rests():
    clock, reranker = Clock(), Answers(RuntimeError("gone"))
    worker = RerankWorker(reranker, failures=3, rest_s=30, longest_s=MANY_S)
    for _ in range(5):
        found = worker.rerank_within("r", TEXTS, clock.within(MANY_S))
        wait_until(lambda: not worker._turn.locked())
    assert (reranker.n_asked, found.status) == (3, "skipped")
    clock.now_s += 31
    assert worker.rerank_within("r", TEXTS, clock.within(MANY_S)).status == "error"
    wait_until(lambda: not worker._turn.locked())
    assert worker.rerank_within("r", TEXTS, clock.within(MANY_S)).status == "skipped"
    reranker.chunks = (chunk_of(1),)
    clock.now_s += 31
    for _ in range(2):
        assert worker.rerank_within("r", TEXTS, clock.within(MANY_S)).status == "partial"
        wait_until(lambda: not worker._turn.locked())


def test_four_at_once_are_judged_one_after_the_other():
    at_work, most, lock = [0], [0], threading.Lock()

    class Slow:
        def rerank(self, request, texts, deadline):
            with lock:
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
            time.sleep(0.02)
            yield chunk_of(*range(len(texts)))
            with lock:
                at_work[0] -= 1

    worker, found = RerankWorker(Slow(), longest_s=MANY_S), []
    threads = [
        threading.Thread(target=lambda: found.append(worker.rerank_within("r", TEXTS, NEVER)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MANY_S)
    assert [one.status for one in found] == ["complete"] * 4
    assert most == [1]


def test_a_request_whose_caller_has_left_never_reaches_the_model():
    reranker = Hangs()
    worker = RerankWorker(reranker)
    first = threading.Thread(target=worker.rerank_within, args=("r", TEXTS, Deadline.within(500)))
    first.start()
    assert reranker.begun.wait(MANY_S)
    found = worker.rerank_within("r", TEXTS, Deadline.within(50))
    assert (found.status, found.reason) == ("skipped", "other requests were being reranked")
    reranker.free.set()
    first.join(MANY_S)
    wait_until(lambda: not worker._turn.locked())
    assert reranker.n_asked == 1


# --- health ---


class Scores:
    """Gives each text the score that a function says."""

    def __init__(self, score):
        self.score = score

    def rerank(self, request, texts, deadline):
        scores = [self.score(request, text, place) for place, text in enumerate(texts)]
        yield RerankScores(positions=np.arange(len(texts)), scores=np.array(scores, np.float32))


def shared_words(request, text, _place=0):
    words = set(request.lower().split())
    return sum(any(word[:4] == other[:4] for other in words) for word in text.lower().split())


PAIRS = [("a ghost film", f"Ghost {n}", f"Wedding {n}") for n in range(6)]


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (shared_words, None),
        (lambda *_: 0.5, "constant"),
        (lambda *_: np.nan, "no finite scores"),
        (lambda request, text, _: -shared_words(request, text), "reversed"),
        (lambda request, text, place: -place, "no better than chance"),
        (lambda *_: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_broken_reranker_is_found_out(score, reason):
    found = complaint(Scores(score), PAIRS)
    assert found is None if reason is None else reason in found
