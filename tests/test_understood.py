"""What a request states becomes exact: over the planted world, where it is known what is meant."""

import pytest
from conftest import item_id, theme
from hypothesis import given, settings
from hypothesis import strategies as st

import semrec
from semrec.pipeline.resolve import parse_intent
from semrec.types import Event, Query


def rows(found):
    return [int(item.item_id[1:]) for item in found.items]


def test_a_negation_is_exact_and_its_words_do_not_attract(rec):
    found = rec.recommend(intent="a story, no ghost", k=50)
    assert found.items
    assert "ghost" not in {theme(row) for row in rows(found)}
    assert found.trace.understood["filters"] == {"labels": {"none": ["ghost"]}}
    assert "ghost" not in found.trace.understood["intent"]


def test_a_decade_is_exact(rec):
    found = rec.recommend(intent="space story from the eighties", k=50)
    assert sorted(rows(found)) == list(range(20, 30))  # year 1960 + row


def test_a_given_filter_counts_alone_for_its_attribute(rec):
    found = rec.recommend(
        intent="no ghost, from the eighties", filters={"year": {"gte": 2010}}, k=50
    )
    assert min(rows(found)) >= 50
    assert "ghost" not in {theme(row) for row in rows(found)}


def test_a_named_title_joins_the_session_and_a_disliked_one_never_comes_back(rec):
    liked = rec.recommend(intent='something like "space space story number30"', k=10)
    assert liked.trace.understood["session"] == [item_id(30)]
    assert item_id(30) not in [item.item_id for item in liked.items]
    disliked = rec.recommend(intent='I hated "space space story number30"', k=60)
    assert disliked.trace.understood["session"] == [{"item_id": item_id(30), "type": "reject"}]
    assert item_id(30) not in [item.item_id for item in disliked.items]


def test_what_no_attribute_answers_is_said(rec):
    found = rec.recommend(intent="ghost, nothing gory", k=5)
    assert len(found.items) == 5
    assert any("gory" in limit for limit in found.trace.understood["not_understood"])


def test_contradictory_limits_say_what_would_help(rec):
    found = rec.recommend(intent="ghost", filters={"year": {"gte": 2000, "lt": 1990}})
    assert found.items == ()
    assert any("without year < 1990 there would be 20" in note for note in found.trace.notes)


@pytest.mark.parametrize(
    "intent",
    [
        "a ghost story, no jungle, from the eighties",
        'like "space space story number30", nothing gory',
        "ghost",
        "no ghost",
        "",
    ],
)
def test_what_was_understood_can_be_sent_back(rec, intent):
    first = rec.recommend(intent=intent, k=8)
    fields = {"intent": intent, **first.trace.understood}
    for told in ("not_understood", "named"):
        fields.pop(told, None)
    again = rec.recommend(**fields, k=8)
    assert [item.item_id for item in again.items] == [item.item_id for item in first.items]


def test_the_baseline_reads_nothing(rec):
    found = rec.baseline().recommend(intent="no ghost", session=["i05", "i11"], k=50)
    assert "ghost" in {theme(row) for row in rows(found)}
    assert found.trace.understood == {}
    same = rec.recommend(intent="no ghost", session=["i05", "i11"], k=50, semantic_weight=0)
    assert [item.item_id for item in same.items] == [item.item_id for item in found.items]


def test_it_can_be_switched_off(world):
    from conftest import world_config

    rec = semrec.build(world, config=world_config(intent={"enabled": False}))
    found = rec.recommend(intent="no ghost", k=50)
    assert "ghost" in {theme(row) for row in rows(found)}


@settings(deadline=None, max_examples=60)
@given(
    intent=st.text(max_size=200),
    words=st.lists(
        st.sampled_from(
            [
                "no",
                "not",
                "ghost",
                "like",
                '"',
                "from",
                "the",
                "80s",
                "before",
                "1990",
                "hated",
                "only",
            ]
        ),
        max_size=12,
    ),
)
def test_any_text_gives_a_query_that_can_be_asked(rec, intent, words):
    text = f"{intent} {' '.join(words)}"
    reading = parse_intent(Query(intent=text), rec.intent_parser, rec.catalog)
    query, understood = reading.query, reading.understood
    rec.catalog.mask(query.filters)
    assert set(understood) <= {
        *("intent", "filters", "session", "not_understood", "named", "interpreted"),
    }
    assert all(isinstance(event, Event) for event in query.events)
    assert len(query.intent) <= len(text) + 1
