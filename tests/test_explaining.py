"""Explanations: whatever is named stands in the item's record or in the session."""

from __future__ import annotations

import re

import numpy as np
from conftest import THEMES, item_id
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.chat.explanations import MIN_TOGETHER, explain, reasons_for
from semrec.recommender import Recommender
from semrec.types import Event, Query

LABELS = (*THEMES, "even", "odd")
WORDS = (*LABELS, "story", "French", "from 1990", "no jungle", "only heist", "number30", "quiet")


def check(rec: Recommender, query: Query) -> None:
    found = explain(rec, query, rec.recommend(query))
    session = {event.item_id for event in query.events if event.type != "reject"}
    titles = [rec.catalog.titles[row] for row in rec.catalog.rows(session)]
    who = rec.interactions.matrix().toarray() > 0
    for item in found.items:
        text = item.explanation
        assert text
        row = rec.catalog.row(item.item_id)
        record = rec.catalog.record(row)
        named = re.findall("“([^”]*)”", text)
        for quoted in named:
            assert quoted in titles or quoted in record.get("text", "")
        outside = re.sub("“[^”]*”", "", text).lower()
        for label in LABELS:
            if re.search(rf"\b{label}\b", outside):
                assert label in record["labels"], text
        for year in re.findall(r"year (\d+)", outside):
            assert int(year) == record["year"]
        for language in re.findall(r"language (\w+)", outside):
            assert language == {"en": "english", "fr": "french"}[record["language"]]
        for n_both, n_who in re.findall(r"(\d+) of the (\d+) people", text):
            other = rec.catalog.rows(
                [i for i in session if rec.catalog.titles[rec.catalog.row(i)] in named]
            )[0]
            assert int(n_both) == int((who[:, other] & who[:, row]).sum()) >= MIN_TOGETHER
            assert int(n_who) == int(who[:, other].sum())
        for n_people in re.findall(r"popular: (\d+)", text.lower()):
            assert int(n_people) == int(who[:, row].sum())


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.sampled_from(WORDS), max_size=4),
    session=st.lists(
        st.tuples(st.integers(0, 59), st.sampled_from(["view", "like", "reject"])), max_size=5
    ),
    filters=st.sampled_from(
        [{}, {"year": {"gte": 1980}}, {"labels": {"any": ["space"]}}, {"language": "fr"}]
    ),
    weight=st.sampled_from([None, 0.0, 1.0]),
)
def test_nothing_is_named_that_is_not_there(rec, words, session, filters, weight) -> None:
    events = [Event(item_id(row), kind) for row, kind in session]
    intent = ", ".join(words)
    check(rec, Query(intent=intent, session=events, filters=filters, semantic_weight=weight, k=12))


def test_what_was_asked_for_and_who_chose_it_are_said(rec: Recommender) -> None:
    query = Query(intent="a space story", session=["i00"], k=60)
    found = explain(rec, query, rec.recommend(query))
    said = {item.item_id: item.explanation for item in found.items}
    assert said["i06"].startswith("Space, as you asked; ")  # the same theme and group
    assert "people who chose “space space story number0” chose this" in said["i06"]
    assert "as you asked" not in said["i05"]


def test_without_any_reason_it_says_so_and_the_list_stays_as_it_was(rec: Recommender) -> None:
    query = Query(session=["i00"], k=8)
    found = rec.recommend(query)
    explained = explain(rec, query, found)
    assert [i.item_id for i in explained.items] == [i.item_id for i in found.items]
    assert explained.trace is found.trace
    assert all(reasons.asked == () for reasons in reasons_for(rec, query, found))


def test_an_item_that_was_added_since_is_explained_too(artifact) -> None:
    import semrec

    rec = semrec.load(artifact)
    rec.add_items([{"item_id": "new", "title": "space space story new", "labels": ["space"]}])
    query = Query(intent="space", session=["i00"], filters={"labels": "space"}, k=20)
    found = explain(rec, query, rec.recommend(query))
    said = {item.item_id: item.explanation for item in found.items}
    assert said["new"].startswith("Space, as you asked")
    assert np.all([bool(text) for text in said.values()])


def test_a_genre_that_is_a_keyword_too_is_said_once(artifact) -> None:
    import semrec

    added = semrec.load(artifact)
    labelled = {"labels": ["space", "Space", "SPACE", "court"], "year": 1990}
    added.add_items([{"item_id": f"twin{n}", "title": f"Orbit {n}", **labelled} for n in (1, 2)])
    query = Query(intent="space, like Orbit 1", session=["twin1"], filters={"labels": "space"})
    found = reasons_for(added, query, added.recommend(query))
    assert any(reasons.asked for reasons in found)
    for reasons in found:
        for labels in (reasons.asked, reasons.shared):
            assert len({label.casefold() for label in labels}) == len(labels)
