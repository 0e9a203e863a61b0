"""The stage that has a list's head judged: never late, never losing an item, never worse for it."""

import threading
import time

import numpy as np
import pytest

from semrec.pipeline.rerank import AFTER_MS, Reranking, Wording
from semrec.prompting import load_prompt
from semrec.rerankers.worker import RerankWorker
from semrec.training.reranker_weight import ScoredList, best_weight
from semrec.types import Event, RerankScores

ASKED = {"intent": "a ghost story", "session": ["i03"], "k": 10}
REQUEST = load_prompt("rerank_request", "rerank_request")


class Judge:
    """Scores each text by a function, a few at a time, and keeps what it was asked."""

    def __init__(self, score, chunk=5):
        self.score, self.chunk, self.asked = score, chunk, []

    def rerank(self, request, texts, deadline):
        self.asked.append((request, list(texts)))
        for start in range(0, len(texts), self.chunk):
            if deadline.passed:
                return
            scores = [self.score(text) for text in texts[start : start + self.chunk]]
            places = np.arange(start, start + len(scores))
            yield RerankScores(positions=places, scores=np.array(scores, np.float32))


def number(text):
    return float(text.rsplit("number", 1)[1])


def with_judge(rec, judge, **options):
    given = {
        "top": 20,
        "weights": {"words": 1e6, "session": 1e6, "both": 1e6},
        "always": True,
        "wording": Wording(words="title", prompt=REQUEST, prompts=rec.prompts),
        **options,
    }
    return rec.with_parts(reranking=Reranking(worker=RerankWorker(judge), **given))


def ids(found):
    return [item.item_id for item in found.items]


def test_the_judge_orders_the_head_and_can_lift_what_was_behind_it(rec):
    rec = rec.with_parts(untouched_every=0)  # no places are kept: the list as it was found
    found = with_judge(rec, Judge(number)).recommend(**ASKED)
    twenty = rec.recommend({**ASKED, "k": 20})
    best = sorted(twenty.items, key=lambda item: -number(item.title))[:10]
    assert ids(found) == [item.item_id for item in best]
    assert set(ids(found)) - {item.item_id for item in twenty.items[:10]}
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)
    assert (found.trace.rerank.status, found.trace.rerank.scored) == ("complete", 20)
    assert not found.trace.degraded
    assert found.trace.timings_ms["rerank"] > 0


def test_it_reads_the_request_the_session_and_the_titles(rec):
    judge = Judge(number)
    with_judge(rec, judge).recommend(**ASKED)
    [(request, texts)] = judge.asked
    assert request.startswith("a ghost story After ")
    assert "number3" in request
    assert texts[0] == rec.recommend(**ASKED).items[0].title


def test_what_was_rejected_is_not_told(rec):
    judge = Judge(number)
    with_judge(rec, judge).recommend(intent="x", session=[Event("i03", type="reject")])
    assert "number3" not in judge.asked[0][0]


@pytest.mark.parametrize("budget_ms", [0, 1e-6, AFTER_MS])  # the list has still to be written
def test_without_time_the_list_is_the_one_that_was_found(rec, budget_ms):
    judge = Judge(number)
    found = with_judge(rec, judge).recommend(**ASKED, budget_ms=budget_ms)
    plain = rec.recommend(**ASKED)
    assert found.items == plain.items
    assert (found.trace.rerank.status, found.trace.degraded) == ("skipped", True)
    assert found.trace.rerank.reason == "too little time was left"
    assert not judge.asked


@pytest.mark.parametrize("k", [3, 10, 25])
def test_a_judge_that_hangs_keeps_nobody(rec, k):
    gone = threading.Event()

    def hang(_):
        gone.wait(5)
        return 0.0

    asked = {**ASKED, "k": k}
    start = time.perf_counter()
    found = with_judge(rec, Judge(hang)).recommend(**asked, budget_ms=150)
    taken_s = time.perf_counter() - start
    gone.set()
    assert taken_s < 3
    assert found.items == rec.recommend(**asked).items
    assert found.trace.rerank.status == "timeout"


def test_a_judge_that_fails_spoils_nothing(rec):
    found = with_judge(rec, Judge(lambda _: 1 / 0)).recommend(**ASKED)
    assert found.items == rec.recommend(**ASKED).items
    assert found.trace.rerank.status == "error"
    assert "ZeroDivisionError" in found.trace.rerank.reason


def test_who_is_asked(rec):
    judge = Judge(number)
    always, asking = with_judge(rec, judge), with_judge(rec, judge, always=False)
    for recommender, query in (
        (always, {**ASKED, "rerank": False}),
        (asking, ASKED),
        (always, {**ASKED, "semantic_weight": 0.5}),  # the caller wants these weights
        (always, {**ASKED, "semantic_weight": 0}),
        (always.baseline(), ASKED),
        (always, {}),  # no signal: nothing to judge by
    ):
        assert recommender.recommend(query).trace.rerank.status == "off"
    assert not judge.asked
    assert asking.recommend({**ASKED, "rerank": True}).trace.rerank.status == "complete"


def test_a_judge_that_failed_its_check_is_not_asked(rec):
    judge = Judge(number)
    found = with_judge(rec, judge, complaint="its scores are constant").recommend(**ASKED)
    assert found.items == rec.recommend(**ASKED).items
    assert (found.trace.rerank.status, found.trace.degraded) == ("skipped", True)
    assert found.trace.rerank.reason == "its scores are constant"
    assert not judge.asked


def test_a_judge_that_validation_found_no_use_in_is_not_missed(rec):
    judge = Judge(number)
    useless = with_judge(rec, judge, weights={"both": 0.0})
    found = useless.recommend(**ASKED)
    assert found.items == rec.recommend(**ASKED).items
    assert (found.trace.rerank.status, found.trace.degraded) == ("off", False)
    assert "no use" in found.trace.rerank.reason
    asked = useless.recommend(**ASKED, rerank=True).trace  # asked for, and not done
    assert asked.degraded
    assert any("no use" in note for note in asked.notes)
    assert not judge.asked


def test_asking_for_a_reranker_where_there_is_none(rec):
    found = rec.recommend(**ASKED, rerank=True)
    assert found.trace.degraded
    assert found.trace.rerank.status == "off"
    assert any("no reranker" in note for note in found.trace.notes)


# --- what its word is worth ---


def lists(scores_of, n=150, seed=0):
    rng = np.random.default_rng(seed)
    made = []
    for place in range(n):
        right = np.zeros(20, dtype=bool)
        right[rng.integers(0, 20)] = True
        made.append(
            ScoredList(
                listed=np.sort(rng.standard_normal(20))[::-1].astype(np.float32),
                reranked=scores_of(right, rng).astype(np.float32),
                right=right,
                n_relevant=1,
                unit=f"d{place // 2}",
            )
        )
    return made


def test_a_judge_that_knows_weighs():
    weight, told = best_weight(lists(lambda right, rng: right + rng.standard_normal(20)), 0)
    assert weight > 0
    assert told["gain"][0] > 0
    assert told["ndcg@10"]["reranked"] > told["ndcg@10"]["fused"]


@pytest.mark.parametrize(
    "scores_of",
    [
        lambda right, rng: rng.standard_normal(20),
        lambda right, rng: -1.0 * right,
        lambda right, rng: np.full(20, np.nan),
        lambda right, rng: np.zeros(20),
    ],
)
def test_one_that_does_not_weighs_nothing(scores_of):
    assert best_weight(lists(scores_of), 0)[0] == 0.0
