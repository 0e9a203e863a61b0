from datetime import datetime

import numpy as np
import pytest

from semrec import Case, Event, Item, Query, QueryError, Recommendations, Trace
from semrec.types import SessionRows, to_query


def test_a_session_is_any_sequence_of_ids_or_events():
    want = (Event("1"), Event("2"))
    for session in (
        ["1", "2"],
        ("1", "2"),
        np.array(["1", "2"]),
        np.array([1, 2]),
        [1, Event("2")],
    ):
        assert Query(session=session).session == want
    assert Query(session=[{"item_id": "1", "type": "like"}]).session == (Event("1", "like"),)
    assert all(type(event.item_id) is str for event in Query(session=np.array(["a"])).events)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"session": "1240"}, r"write \['1240'\]"),
        ({"session": Event("1")}, "single Event"),
        ({"session": [1.5]}, "expected an id"),
        ({"session": [""]}, "expected an id"),
        ({"session": [True]}, "expected an id"),
        ({"session": [{"type": "view"}]}, "no item_id"),
        ({"session": [{"item_id": "1", "kind": "view"}]}, "no field 'kind'"),
        ({"session": ["1"] * 100_001}, "at most"),
        ({"exclude": "1"}, "expected a sequence"),
        ({"k": 0}, "expected 1 to 1000"),
        ({"k": 1001}, "expected 1 to 1000"),
        ({"k": 2.0}, "whole number"),
        ({"k": True}, "whole number"),
        ({"intent": None}, "expected text"),
        ({"intent": "x" * 100_001}, "at most"),
        ({"semantic_weight": 1.1}, "from 0.0 to 1.0"),
        ({"semantic_weight": float("nan")}, "from 0.0 to 1.0"),
        ({"semantic_weight": "half"}, "from 0.0 to 1.0"),
        ({"budget_ms": -1}, "expected a number"),
        ({"filters": ["year"]}, "expected a mapping"),
        ({"user_id": ""}, "expected an id"),
        ({"user_id": 3.0}, "write 3"),
        ({"session": [float("nan")]}, "expected an id"),
        ({"k": 10**400}, "a number of 401 digits"),
        ({"budget_ms": 10**400}, "a number of 401 digits"),
        ({"semantic_weight": True}, "is true"),
        ({"rerank": "yes"}, "expected True or False"),
        ({"include_seen": None}, "expected True or False"),
        ({"include_seen": 1}, "expected True or False"),
    ],
)
def test_a_wrong_query_is_refused_with_a_reason(fields, message):
    with pytest.raises(QueryError, match=message):
        Query(**fields)


def test_an_unknown_event_type_names_the_nearest():
    with pytest.raises(QueryError, match="did you mean 'like'"):
        Event("1", "liked")


def test_an_unknown_field_names_the_nearest():
    with pytest.raises(QueryError, match="did you mean 'session'"):
        to_query(sesion=["1"])
    with pytest.raises(QueryError, match="not both"):
        to_query(Query(), k=3)
    with pytest.raises(QueryError, match="expected a Query"):
        to_query(["a film"])
    with pytest.raises(QueryError, match="unknown field 7"):
        to_query({7: 1})


def test_a_text_is_an_intent():
    assert to_query("a film", k=3) == Query(intent="a film", k=3)
    with pytest.raises(QueryError, match="given twice"):
        to_query("a film", intent="another")


def test_recency_halves_with_every_newer_event():
    session = SessionRows.of([4, 5, 6])
    np.testing.assert_allclose(session.recency(0.5), [0.25, 0.5, 1.0])
    np.testing.assert_allclose(SessionRows.of([]).recency(0.5), [])


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (1_700_000_000, 1.7e9),
        (np.float32(5.0), 5.0),
        ("2024-05-01T12:00:00Z", 1_714_564_800.0),
        ("2024-05-01 12:00", 1_714_564_800.0),
        ("2024-05-01T14:00:00+02:00", 1_714_564_800.0),
        (datetime(2024, 5, 1, 12), 1_714_564_800.0),
        (None, None),
    ],
)
def test_a_time_is_seconds_or_iso_8601(given, seconds):
    assert Event("1", timestamp=given).timestamp == seconds


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (1.7e12, "milliseconds: divide by 1,000"),
        (1_700_000_000_000_000, "microseconds: divide by 1,000,000"),
        (1_700_000_000_000_000_000, "nanoseconds"),
        (10**400, "a number of 401 digits"),
        (-1, "expected Unix seconds"),
        (float("nan"), "expected Unix seconds"),
        ("yesterday", "ISO 8601"),
        (True, "expected Unix seconds"),
        ([1], "expected Unix seconds"),
    ],
)
def test_a_time_in_other_units_is_refused_with_a_hint(given, message):
    with pytest.raises(QueryError, match=message):
        Event("1", timestamp=given)


def test_reprs_are_short_and_say_what_was_given():
    assert repr(Query(intent="a film", k=3)) == "Query(intent='a film', k=3)"
    long = Query(
        intent="x" * 9_000, session=[str(i) for i in range(9_000)], filters={"y": [1] * 99}
    )
    assert len(repr(long)) < 600
    assert len(repr(Case(case_id="1", query=long, relevant=("1",) * 9_000, unit="u"))) < 600
    items = tuple(Item(str(i), "Alien" * 50, 1.0, i) for i in range(1, 1_001))
    trace = Trace(weights={"semantic": 1.0}, timings_ms={}, notes=("n" * 9_000,) * 99)
    assert len(repr(trace)) < 600
    found = Recommendations(items=items, trace=trace)
    assert repr(found).startswith("Recommendations(1000 items: ['Alien")
    assert len(repr(found)) < 600
