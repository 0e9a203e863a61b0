"""The curve of quality against budget, with judges whose worth is known."""

import pytest
from test_reranking import Judge, ids, number, with_judge

from semrec.bench import broken_rerankers as broken
from semrec.bench.broken_rerankers import BROKEN, with_broken
from semrec.bench.rerank_curve import rerank_curve
from semrec.errors import ConfigError
from semrec.types import Case, Query

ASKED = [Query(intent=f"a ghost story number {n}", k=10) for n in range(12)]


@pytest.fixture(scope="module")
def cases(rec):
    """What is right stands at place 15 of the list as it is found."""
    found = rec.recommend_many([Query(intent=one.intent, k=20) for one in ASKED])
    return [
        Case(case_id=f"c{n}", query=query, relevant=(ids(list_)[14],), unit=f"u{n % 6}")
        for n, (query, list_) in enumerate(zip(ASKED, found, strict=True))
    ]


def test_a_judge_that_knows_gains_where_it_has_the_time(rec, cases):
    right = {case.relevant[0]: 1.0 for case in cases}
    by_title = {rec.catalog.titles[rec.catalog.item_ids.index(item)] for item in right}
    judge = Judge(lambda title: float(title in by_title))
    found = rerank_curve(with_judge(rec, judge), cases, budgets_ms=[0, None])
    none, all_ = found["rows"]
    assert none["gain"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert none["statuses"] == {"skipped": 1.0}
    assert all_["statuses"] == {"complete": 1.0}
    assert all_["gain"]["low"] > 0
    assert all_["ndcg"]["mean"] > found["plain"]["ndcg"]["mean"]


@pytest.mark.parametrize(
    ("name", "status"), [("hanging", "timeout"), ("failing", "error"), ("nonsense", "error")]
)
def test_a_broken_judge_is_asked_and_said_to_have_failed(rec, cases, name, status, monkeypatch):
    monkeypatch.setattr(broken, "STALL_S", 0.3)
    line = with_broken(with_judge(rec, Judge(number)), name)
    none, some = rerank_curve(line, cases, budgets_ms=[0, 100])["rows"]
    assert none["statuses"] == {"skipped": 1.0}
    assert set(some["statuses"]) == {status, "skipped"}
    if name != "failing":  # what that one judged before it failed counts
        assert some["gain"] == none["gain"] == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_there_is_a_case_for_each_broken_judge():
    assert set(BROKEN) == {"hanging", "failing", "nonsense"}


def test_what_is_no_broken_judge_is_refused(rec):
    with pytest.raises(ConfigError, match="no broken reranker 'lazy'"):
        with_broken(with_judge(rec, Judge(number)), "lazy")
    with pytest.raises(ConfigError, match="no reranker"):
        with_broken(rec, "hanging")
