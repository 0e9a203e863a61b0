"""Moods and audiences: read into what a catalogue has, and never against what was said."""

from pathlib import Path

import pyarrow as pa
import pytest

from semrec.data.catalog import make_catalog
from semrec.intent.intent_parser import learn_vocabulary
from semrec.intent.moods import MOODS, learn_moods
from semrec.intent.tokens import read_tokens

GENRES = [["Horror"], ["Children", "Comedy"], ["War", "Drama"], ["Crime", "Thriller"], ["Drama"]]
KEYWORDS = [["gory"], ["family"], ["nudity (topless)"], ["feel-good"], ["heartwarming", "french"]]


@pytest.fixture(scope="module")
def films():
    table = pa.table(
        {
            "item_id": [f"i{n}" for n in range(5)],
            "title": ["Scream", "Paddington", "Date Night", "Heat", "Amelie"],
            "genres": GENRES,
            "keywords": KEYWORDS,
        }
    )
    return learn_vocabulary(make_catalog(table, Path("films")))


def ruled_out(found, attribute="genres"):
    return found.filters.get(attribute, {}).get("none", [])


@pytest.mark.parametrize(
    "text",
    [
        "something for a child of four",
        "a film for my four year old",
        "a film my six-year-old and I can both enjoy",
        "what can I watch with my kids?",
        "for our little daughter, aged 7",
        "for the whole family",
    ],
)
def test_what_is_for_a_child_has_nothing_grim(films, text):
    found = films.parse_intent(text)
    assert ("genres", "Children") in found.named
    assert set(ruled_out(found)) == {"Horror", "War", "Crime", "Thriller"}
    assert set(ruled_out(found, "keywords")) == {"gory", "nudity (topless)"}
    assert found.about.endswith("children family")
    assert not {"four", "old"} & set(found.about.split())


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("something warm and comforting", "heartwarming"),
        ("for a rainy Sunday", "heartwarming"),
        ("I just broke up, cheer me up", "feel-good"),
        ("after a hard day at work", "feel-good"),
        ("help me unwind", "feel-good"),
    ],
)
def test_a_mood_names_what_the_catalogue_has(films, text, label):
    found = films.parse_intent(text)
    assert ("keywords", label) in found.named
    assert found.moods


def test_what_comforts_is_not_grim(films):
    found = films.parse_intent("something warm and comforting")
    assert set(ruled_out(found)) == {"Horror", "War", "Crime", "Thriller"}


def test_what_is_said_twice_is_searched_once(films):
    about = films.parse_intent("warm and comforting, for a lazy Sunday").about
    assert about.count("heartwarming") == 1


@pytest.mark.parametrize(
    "text",
    [
        "it made me cry and laugh",
        "a four hour epic about old people",
        "warm weather",
        "a bad man",
        "children of war",
    ],
)
def test_words_that_only_look_like_a_mood_stay(films, text):
    assert not films.parse_intent(text).moods


def test_for_adults_rules_children_out(films):
    found = films.parse_intent("a cartoon for grown-ups")
    assert ruled_out(found) == ["Children"]
    assert ruled_out(found, "keywords") == ["family"]


def test_what_is_denied_is_no_mood(films):
    found = films.parse_intent("nothing for kids")
    assert not found.moods
    assert "Children" in ruled_out(found)


def test_a_language_that_is_only_a_label_is_searched(films):
    found = films.parse_intent("a French film about love")
    assert ("keywords", "french") in found.named
    assert not found.not_understood


def test_a_catalogue_without_such_labels_loses_nothing():
    table = pa.table({"item_id": ["a", "b"], "title": ["Screws", "Nails"]})
    found = learn_vocabulary(make_catalog(table, Path("shop"))).parse_intent("for my six year old")
    assert not found.filters
    assert not found.named
    assert found.about == "children family"


def test_every_phrase_is_read_where_it_stands(films):
    moods = learn_moods(films.vocabulary)
    for mood in MOODS:
        for phrase in mood.said:
            text = " ".join(word.split("/")[0] for word in phrase.split())
            [(first, match)] = moods.matches(read_tokens(text).stems)
            assert (first, match.end) == (0, len(read_tokens(text))), phrase
