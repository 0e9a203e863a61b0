"""How well known items should be: read from the words, and kept to."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from semrec.chat.intent_texts import plainly
from semrec.chat.wishes import adds_to_wishes
from semrec.data.catalog import make_catalog
from semrec.intent.familiarity import familiar
from semrec.intent.intent_parser import learn_vocabulary
from semrec.intent.tokens import read_tokens
from semrec.pipeline.resolve import kind_alone


@pytest.fixture(scope="module")
def parser():
    table = pa.table(
        {
            "item_id": ["a", "b", "c"],
            "title": ["Almost Famous", "Alien", "Heat"],
            "genres": [["Drama"], ["Horror", "Sci-Fi"], ["Thriller"]],
        }
    )
    return learn_vocabulary(make_catalog(table, Path("films")))


@pytest.mark.parametrize(
    ("text", "familiarity"),
    [
        ("less known thrillers", "less"),
        ("hidden gems", "less"),
        ("hidden gems set in space", "less"),
        ("obscure films about trains", "less"),
        ("something obscure, please", "less"),
        ("a not so well known drama", "less"),
        ("underrated sci-fi", "less"),
        ("nothing too mainstream, sci-fi", "less"),
        ("thrillers that are off the beaten path", "less"),
        ("popular ones", "more"),
        ("the most popular horror movies", "more"),
        ("a drama, nothing too obscure", "more"),
        ("famous films", "more"),
        ("less known. more popular ones", "more"),
        ("popular. hidden gems", "less"),
        ("a film about a famous painter", ""),
        ("a popular girl at school", ""),
        ("an obscure writer in Prague", ""),
        ("Almost Famous", ""),
        ("something like Almost Famous", ""),
    ],
)
def test_a_text_says_how_well_known_items_should_be(parser, text, familiarity):
    found = parser.parse_intent(text)
    assert found.familiarity == familiarity
    assert not found.not_understood
    assert not found.filters


def test_the_words_are_done_not_searched(parser):
    found = parser.parse_intent("less known thrillers")
    assert found.about == "thrillers"
    assert found.interpreted == {"less known": "not the best known"}
    assert found.words == "less known thrillers"  # a conversation goes on with them


def masks(counts):
    every = np.ones(len(counts), dtype=bool)
    return np.asarray(counts), every, every


def known(familiarity, counts, pool, permitted):
    return familiar(familiarity, counts, pool, permitted).within(counts) & permitted


def test_head_and_tail_of_a_long_tail():
    counts = [1000] * 30 + [20] * 1000 + [5] * 200 + [1] * 500
    head = known("more", *masks(counts))
    assert head[:30].all()
    assert not head[30:].any()
    tail = known("less", *masks(counts))
    assert not tail[:30].any()
    assert tail[30:1230].all()
    assert not tail[1230:].any()  # what one person knows is no gem where others are left


def test_a_kind_is_compared_with_its_own():
    counts = np.asarray([1000] * 100 + [40] * 25 + [2] * 300)
    pool = np.asarray([False] * 100 + [True] * 325)
    every = np.ones(len(counts), dtype=bool)
    assert known("more", counts, pool, every)[:125].all()
    assert not known("more", counts, pool, every)[125:].any()
    less = known("less", counts, pool, every)
    assert not less[:125].any()
    assert less[125:].all()


@pytest.mark.parametrize("familiarity", ["less", "more"])
@pytest.mark.parametrize("counts", [[], [0, 0, 0], [5, 5, 5], [3]])
def test_a_list_is_never_emptied(familiarity, counts):
    allowed = masks(np.asarray(counts, dtype=np.int64))[1]
    assert known(familiarity, *masks(np.asarray(counts, np.int64))).any() == allowed.any()


def test_in_a_conversation_it_adds_to_what_was_asked():
    for text in ("less known", "something obscure", "hidden gems", "more popular ones"):
        assert adds_to_wishes(read_tokens(text)), text
        assert plainly(text) == text
    assert not adds_to_wishes(read_tokens("christmas films"))


def test_a_genre_alone_is_a_limit_and_a_topic_within_it_is_not(parser):
    catalog = parser.catalog
    named = [("genres", "Thriller")]
    assert kind_alone("a thriller", named, catalog) == {"genres": {"any": ["Thriller"]}}
    assert kind_alone("some sci-fi movies", [("genres", "Sci-Fi")], catalog) == {
        "genres": {"any": ["Sci-Fi"]}
    }
    assert kind_alone("a thriller about boats", named, catalog) == {}
    assert kind_alone("boats", [], catalog) == {}
