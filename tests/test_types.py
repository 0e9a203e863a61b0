import numpy as np
import pytest

from semrec import Event, Query, QueryError
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
        to_query("a film")


def test_recency_halves_with_every_newer_event():
    session = SessionRows.of([4, 5, 6])
    np.testing.assert_allclose(session.recency(0.5), [0.25, 0.5, 1.0])
    np.testing.assert_allclose(SessionRows.of([]).recency(0.5), [])
