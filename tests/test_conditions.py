"""Conditions and their sum against an oracle, and what is said when nothing satisfies them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semrec.data.catalog import Catalog, make_catalog
from semrec.intent.conditions import Filters, Has, Span, Unanswerable
from semrec.intent.filters import explain_nothing
from semrec.intent.intent_parser import learn_vocabulary


@pytest.fixture(scope="module")
def films() -> Catalog:
    years = [*range(1950, 2020), 1984, 2001]
    table = {
        "item_id": [f"f{row}" for row in range(len(years))],
        "title": [f"Untold {row}" for row in range(len(years))],
        "genres": [["Comedy", "Drama"][row % 2] for row in range(len(years))],
        "year": years,
        "language": ["en" for _ in years],
    }
    return make_catalog(pa.table(table), Path("films"))


BOUNDS = st.integers(1950, 2019)


@given(low=BOUNDS, span=st.integers(0, 30), negated=st.booleans(), open_=st.booleans())
def test_a_span_and_its_negation_share_out_the_years(
    films: Catalog, low: int, span: int, negated: bool, open_: bool
) -> None:
    """Against an oracle: each film's year tested by hand."""
    condition = Span(attribute="year", intervals=((low, low + span),), open_=open_, whole=True)
    filters = Filters()
    assert filters.add(condition, negated=negated)
    values = np.asarray(films.table["year"])
    inside = (
        (values > low) & (values < low + span)
        if open_
        else ((values >= low) & (values <= low + span))
    )
    mask = films.mask(filters.limits)
    assert mask is not None
    np.testing.assert_array_equal(mask, ~inside if negated else inside)


def test_what_filters_cannot_say_is_refused_and_changes_nothing() -> None:
    filters = Filters()
    two_sided = Span(attribute="rating", intervals=((2, 3),))
    too_many = Span(attribute="year", intervals=((0, 5_000),), whole=True)
    assert not filters.add(two_sided, negated=True)
    assert not filters.add(too_many, negated=True)
    assert not filters.add(Unanswerable())
    assert filters.limits == {}
    assert filters.add(Span(attribute="rating", intervals=((-math.inf, 3),)), negated=True)
    assert filters.limits == {"rating": {"gt": 3}}


def test_two_statements_must_both_hold() -> None:
    filters = Filters()
    for label in ("Comedy", "Western"):
        assert filters.add(Has(attribute="genres", labels=(label,)))
    assert filters.limits == {"genres": {"any": ["Comedy"], "all": ["Western"]}}


def test_contradictory_limits_are_explained(films: Catalog) -> None:
    found = learn_vocabulary(films).parse_intent("from after 2000 but before 1990")
    assert found.filters == {"year": {"gte": 2001, "lte": 1989}}
    n_new = sum(value >= 2001 for value in films.table["year"].to_pylist())
    n_old = sum(value <= 1989 for value in films.table["year"].to_pylist())
    assert explain_nothing(found.filters, films) == (
        "nothing satisfies year >= 2001 and year <= 1989; "
        f"without year >= 2001 there would be {n_old} and "
        f"without year <= 1989 there would be {n_new}"
    )


def test_explaining_takes_filters_as_queries_give_them(films: Catalog) -> None:
    assert explain_nothing({}, films) is None
    assert explain_nothing({"year": {"gte": 1990}}, films) is None
    assert explain_nothing({"genres": "Opera"}, films) == (
        "nothing satisfies genres Opera; without genres Opera there would be 72"
    )
    hopeless = {"genres": "Opera", "language": {"any": ["xx"]}}
    assert explain_nothing(hopeless, films) == (
        "nothing satisfies genres Opera and language xx, and leaving out one of them would not help"
    )
