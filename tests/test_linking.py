"""Titles named in a text, on a tiny catalogue: which are meant, and whether with approval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from semrec.data.catalog import make_catalog
from semrec.intent.intent_parser import IntentParser, learn_vocabulary
from semrec.intent.titles import Titles

TITLES = (
    ("Alien", 1979, 50),
    ("Matrix, The", 1999, 60),
    ("Blade Runner", 1982, 40),
    ("Blade Runner 2049", 2017, 20),
    ("It", 1990, 10),
    ("It", 2017, 30),
    ("Her", 2013, 10),
    ("Up", 2009, 30),
    ("Seven (a.k.a. Se7en)", 1995, 40),
    ("Drama", 2010, 1),
    ("Amélie", 2001, 20),
    ("Star Wars: Episode IV - A New Hope", 1977, 90),
    ("Star Wars: Episode V - The Empire Strikes Back", 1980, 80),
    ("Silence of the Lambs, The", 1991, 50),
    ("Inception (2010)", None, 70),
    ("Monsters, Inc.", 2001, 30),
    ("One, The", 2001, 5),
    ("Adam", 2009, 3),
    ("No Country for Old Men", 2007, 30),
    ("Fast & Furious", 2009, 5),
    ("Dunkirk", 1958, 2),
    ("Dunkirk", 2017, 30),
    ("2001: A Space Odyssey", 1968, 30),
)
ROW = {(title, year): row for row, (title, year, _) in enumerate(TITLES)}


def row(title: str) -> int:
    """The most interacted film whose title begins so."""
    rows = [n for n, (name, _, _) in enumerate(TITLES) if name.startswith(title)]
    return max(rows, key=lambda n: TITLES[n][2])


@pytest.fixture(scope="module")
def intent_parser() -> IntentParser:
    table = pa.table(
        {
            "item_id": [f"f{n}" for n in range(len(TITLES))],
            "title": [title for title, _, _ in TITLES],
            # "alien" is an ordinary word of these texts, "inception" is not
            "text": ["An alien and a drama." for _ in TITLES],
            "year": pa.array([year for _, year, _ in TITLES], pa.int64()),
            "genres": [["Drama"] for _ in TITLES],
        }
    )
    return learn_vocabulary(make_catalog(table, Path("films")), [n for _, _, n in TITLES])


LIKED = {
    "something like Alien (1979)": ["Alien"],
    "ALIEN (1979)!": ["Alien"],
    "alien (1980) was released a year late in some catalogues": ["Alien"],
    "I loved The Matrix": ["Matrix"],
    "I loved the matrix": ["Matrix"],
    "similar to Blade Runner 2049": ["Blade Runner 2049"],
    "similar to Blade Runner": ["Blade Runner"],
    'have you got "Up"?': ["Up"],
    "I enjoyed “Her”, and Up": ["Her", "Up"],
    "movies like Amelie": ["Amélie"],
    "in the vein of Amélie": ["Amélie"],
    "I liked Se7en and Alien": ["Seven", "Alien"],
    "anything like Star Wars": ["Star Wars: Episode IV"],
    "such as the silence of the lambs": ["Silence"],
    "films like inception": ["Inception"],
    "Monsters Inc (2001) is great": ["Monsters"],
    "like Fast and Furious": ["Fast"],
    "I saw no country for old men": ["No Country"],
    "Have you seen Dunkirk?": ["Dunkirk"],
    "watched 2001: A Space Odyssey": ["2001"],
    "I didn't hate Alien (1979)": ["Alien"],
    "Alien (1979) was not bad": ["Alien"],
    "what about The Silence of the Lambs": ["Silence"],
}


@pytest.mark.parametrize("text", LIKED)
def test_titles_named_with_approval(intent_parser: IntentParser, text: str) -> None:
    found = intent_parser.parse_intent(text)
    assert found.liked == tuple(row(title) for title in LIKED[text])
    assert found.rejected == ()
    assert found.filters == {}
    assert found.words == text


REJECTED = {
    "I hated The Matrix": ["Matrix"],
    "I didn't like Alien (1979)": ["Alien"],
    "nothing like Alien (1979)": ["Alien"],
    "not like Amelie please": ["Amélie"],
    "not Alien (1979)": ["Alien"],
    "Alien (1979) was awful": ["Alien"],
    "Alien (1979) was too slow": ["Alien"],
    "I saw Alien (1979) but I didn't like it": ["Alien"],
    "Alien (1979) wasn't really my thing": ["Alien"],
    "I hated Alien and The Matrix": ["Alien", "Matrix"],
    "I'm not a fan of Amélie": ["Amélie"],
    "I couldn't stand It (2017)": ["It"],
}


@pytest.mark.parametrize("text", REJECTED)
def test_titles_named_with_dislike_are_cut_out(intent_parser: IntentParser, text: str) -> None:
    found = intent_parser.parse_intent(text)
    assert found.rejected == tuple(row(title) for title in REJECTED[text])
    assert found.liked == ()
    assert "Alien" not in found.words
    assert "Matrix" not in found.words


NONE = (
    "I like it",
    "I loved her in that film",
    "what's up with seven of them",
    "I like Drama",
    "I like drama",
    "liked the one with the aliens",
    "Adam is my name",
    "I love Adam Sandler",
    "Blade Runner 2052",
    "an alien invasion",
    "Alien (1951)",
    "I haven't seen Alien (1979)",
    "I want to see Alien (1979) some day",
    "like Qwertyuiop (1979)",
    "I LIKE IT WHEN PEOPLE LAUGH A LOT",
)


@pytest.mark.parametrize("text", NONE)
def test_ordinary_words_other_years_and_unseen_titles_are_no_links(
    intent_parser: IntentParser, text: str
) -> None:
    found = intent_parser.parse_intent(text)
    assert found.liked == found.rejected == ()


def test_a_year_tells_films_of_one_title_apart(intent_parser: IntentParser) -> None:
    assert intent_parser.parse_intent("I liked It (1990)").liked == (ROW["It", 1990],)
    assert intent_parser.parse_intent("I liked It (2017)").liked == (ROW["It", 2017],)
    assert intent_parser.parse_intent("I liked Dunkirk 1958").liked == (ROW["Dunkirk", 1958],)


def test_both_at_once_and_limits_beside_them(intent_parser: IntentParser) -> None:
    found = intent_parser.parse_intent(
        "I loved Alien (1979) but hated The Matrix (1999), nothing from before 1990"
    )
    assert found.liked == (row("Alien"),)
    assert found.rejected == (row("Matrix"),)
    assert found.filters == {"year": {"gte": 1990}}
    assert found.words == "I loved Alien (1979)"


def test_a_title_liked_and_rejected_is_rejected(intent_parser: IntentParser) -> None:
    found = intent_parser.parse_intent(
        "I loved Alien (1979). On second thought I hated Alien (1979)"
    )
    assert (found.liked, found.rejected) == ((), (row("Alien"),))


def test_words_within_a_title_state_no_limit(intent_parser: IntentParser) -> None:
    found = intent_parser.parse_intent("I loved No Country for Old Men (2007)")
    assert found.filters == {}
    assert found.not_understood == ()


def test_titles_need_neither_attributes_nor_counts() -> None:
    table = pa.table({"item_id": ["a", "b"], "title": ["Jaws (1975)", ""]})
    intent_parser = learn_vocabulary(make_catalog(table, Path("films")))
    assert intent_parser.parse_intent("films like Jaws").liked == (0,)
    assert intent_parser.parse_intent("films like jaws").liked == ()
    assert intent_parser.parse_intent("jaws (1975)").liked == (0,)
    assert intent_parser.parse_intent("jaws (1995)").liked == ()


@pytest.mark.parametrize("text", ["no Star Wars", "anything but star wars movies", "not star wars"])
def test_a_denied_series_is_left_out_whole(intent_parser, text):
    found = intent_parser.parse_intent(text)
    episodes = [n for n, (title, _, _) in enumerate(TITLES) if title.startswith("Star Wars")]
    assert sorted(found.rejected) == episodes


def test_a_ruled_out_title_takes_its_parts_along_and_a_hated_one_does_not(intent_parser):
    assert set(intent_parser.parse_intent("a thriller, no Blade Runner").rejected) == {
        row("Blade Runner"),
        row("Blade Runner 2049"),
    }
    assert intent_parser.parse_intent("I hated Blade Runner").rejected == (row("Blade Runner"),)


def test_a_series_spares_what_is_liked_and_what_only_begins_like_a_word(intent_parser):
    found = intent_parser.parse_intent("I loved Blade Runner 2049 (2017), but no Blade Runner")
    assert found.liked == (row("Blade Runner 2049"),)
    assert intent_parser.parse_intent("nothing too adam").rejected == ()
    assert intent_parser.parse_intent("not up").rejected == ()


@pytest.fixture(scope="module")
def without_texts():
    """Known films, as a catalogue without any text has them."""
    titles = [
        "The Matrix",
        "Titanic",
        "Jurassic Park",
        "The Dark Knight",
        "Aliens",
        "Alien",
        "Heat",
    ]
    titles += ["Star Wars: Episode IV - A New Hope", "The Godfather", "The Beach", "Goodfellas"]
    titles += [f"Film number {n}" for n in range(400)]
    table = pa.table({"item_id": [str(n) for n in range(len(titles))], "title": titles})
    counts = np.array([100] * 9 + [5, 50] + [1] * 400)
    return learn_vocabulary(make_catalog(table, Path("items.parquet")), counts), titles


@pytest.mark.parametrize(
    ("text", "liked", "rejected"),
    [
        ("like the matrix", ["The Matrix"], []),
        ("like The Dark Knight", ["The Dark Knight"], []),
        ("like the dark knight", ["The Dark Knight"], []),
        ("i loved the godfather", ["The Godfather"], []),
        ("LIKE THE MATRIX", ["The Matrix"], []),
        ("something like Teh Matrx", ["The Matrix"], []),
        ("like jurasic park", ["Jurassic Park"], []),
        ("no Titanic", [], ["Titanic"]),
        ("anything but Titanic", [], ["Titanic"]),
        ("hated Titanic", [], ["Titanic"]),
        ("like Alien, but not Aliens", ["Alien"], ["Aliens"]),
        ("Looking For A Good Horror Movie", [], []),
        ("no heat please", [], []),
    ],
)
def test_titles_are_told_by_case_cues_and_slips_even_without_texts(
    without_texts, text, liked, rejected
):
    parser, titles = without_texts
    read = parser.parse_intent(text)
    assert [titles[row] for row in read.liked] == liked
    assert [titles[row] for row in read.rejected] == rejected
    assert "hated" not in read.words


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        ("by Tarkovsky", ("by Tarkovsky",)),
        ("a comedy with Bruce Willis", ("with Bruce Willis",)),
        ("films by the Coen Brothers", ("by the Coen Brothers",)),
        ("1h30 max", ("90 minutes max",)),
        ("under 2h", ("under 120 minutes",)),
        ("a film with Robots", ()),
        ("by the sea", ()),
    ],
)
def test_people_and_lengths_that_no_attribute_knows_are_said(without_texts, text, missed):
    assert without_texts[0].parse_intent(text).not_understood == missed


def test_slips_are_looked_up_a_few_times_however_many_there_are(without_texts, monkeypatch):
    parser, _ = without_texts
    asked = []
    near = Titles.near
    monkeypatch.setattr(
        Titles, "near", lambda self, words: asked.append(words) or near(self, words)
    )
    parser.parse_intent("like Jurasic Park. " + "I liked Qzxqzx. " * 500)
    assert 1 < len(asked) <= 3
    assert parser.parse_intent("like Jurasic Park").liked
