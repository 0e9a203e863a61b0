"""Moods and audiences: read into what a catalogue has, and never against what was said."""

from pathlib import Path

import pyarrow as pa
import pytest
from audience_requests import MEANT, NOT_MEANT, AudienceRequest

from semrec.data.catalog import make_catalog, read_catalog
from semrec.errors import ConfigError
from semrec.intent.audience import load_audience, parse_audience
from semrec.intent.intent_parser import learn_vocabulary
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
    assert "children" in found.about
    assert not {"four", "old"} & set(found.about.split())


@pytest.mark.parametrize("text", ["WW2, not too sad", "world war two, but nothing too sad"])
def test_what_is_asked_for_in_other_words_is_not_ruled_out(text):
    table = pa.table(
        {
            "item_id": ["1", "2", "3", "4", "5"],
            "title": ["Patton", "Downfall", "Up", "Big", "Jaws"],
            "genres": [["War"], ["War", "Drama"], ["Comedy"], ["Comedy"], ["Thriller"]],
            "keywords": [["world war ii"], ["wwii", "depressing"], ["sad"], ["bleak"], ["shark"]],
        }
    )
    read = learn_vocabulary(make_catalog(table, Path("films"))).parse_intent(text)
    assert ("keywords", "world war ii") in read.named
    assert "depressing" in ruled_out(read, "keywords")
    assert "War" not in ruled_out(read)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("something warm and comforting", "feel-good"),
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


def test_what_is_lighter_is_searched_for_as_what_is_light(films):
    lighter, light = (films.parse_intent(f"anything {word}") for word in ("lighter", "light"))
    assert lighter.about == light.about != "anything lighter"
    assert set(ruled_out(lighter)) == {"Horror", "War"}


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


def test_who_watches_is_searched_for_only_where_nothing_is_named(films):
    assert films.parse_intent("a drama with my wife").about == "a drama"
    assert "romance" in films.parse_intent("something good with my wife").about
    assert ("genres", "Horror") not in films.parse_intent("a drama with my wife").named
    assert "Horror" in ruled_out(films.parse_intent("a drama with my wife"))


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
    assert found.about == "children animation"


def test_every_phrase_is_read_where_it_stands(films):
    for mood in load_audience().moods:
        for phrase in mood.said:
            text = " ".join(word.split("/")[0] for word in phrase.split())
            [(first, match)] = films.moods.moods.matches(read_tokens(text).stems)
            assert (first, match.end) == (0, len(read_tokens(text))), phrase


def complaints(rec, request: AudienceRequest) -> list[str]:
    """What a person who knows films would say against the list, in words."""
    items = rec.recommend(intent=request.text, k=10).items
    rows = [rec.catalog.row(item.item_id) for item in items]
    labels = [set(rec.catalog.record(row).get("genres", ())) for row in rows]
    wrong = [item.title for item, of in zip(items, labels, strict=True) if of & {*request.never}]
    n_fitting = sum(bool(of & set(request.must)) for of in labels[:5])
    found = [f"{request.text}: {title} is {request.never}" for title in wrong]
    if request.must and n_fitting < 3:
        found.append(f"{request.text}: {n_fitting} of five are {request.must}")
    return found


def audience_complaints(rec) -> list[str]:
    """Every complaint about the fifty."""
    return [one for request in MEANT for one in complaints(rec, request)]


@pytest.fixture(scope="module")
def movielens(shared_data):
    return learn_vocabulary(read_catalog(shared_data / "movielens-small" / "items.parquet"))


@pytest.mark.parametrize("request_", NOT_MEANT, ids=lambda one: one.text)
def test_what_only_looks_like_an_audience_rules_nothing_out(movielens, request_):
    found = movielens.parse_intent(request_.text)
    assert not found.moods
    assert not found.filters


@pytest.mark.parametrize("request_", MEANT, ids=lambda one: one.text)
def test_what_must_not_show_is_a_limit(movielens, request_):
    if request_.never:
        none = movielens.parse_intent(request_.text).filters["genres"]["none"]
        assert set(request_.never) <= set(none)


def test_what_is_for_a_child_is_only_for_children(movielens):
    found = movielens.parse_intent("pirates for my kids")
    assert found.filters["genres"]["any"] == ["Children"]
    assert found.about == "pirates children animation"


def test_a_mood_spares_what_is_asked_for_but_harm_is_strict(movielens):
    cozy = movielens.parse_intent("a cozy crime film").filters["genres"]["none"]
    assert "Crime" not in cozy
    assert "Horror" in cozy
    kids = movielens.parse_intent("a horror film for my six year old").filters["genres"]["none"]
    assert "Horror" in kids


# --- denials ---


def tagged(n_tagged=30):
    """Films of which the tagged ones are crime and action, mostly; all in equal numbers."""
    genres = ["Action", "Crime", "Comedy", "Drama", "Horror"]
    rows = [[genres[n % 5]] for n in range(200)]
    tags = [[] for _ in rows]
    for n in range(n_tagged):
        rows[n], tags[n] = [["Crime"], ["Crime"], ["Comedy"]][n % 3], ["violence"]
    table = pa.table(
        {
            "item_id": [f"i{n}" for n in range(200)],
            "title": [f"Title {n}" for n in range(200)],
            "genres": rows,
            "tags": tags,
        }
    )
    return learn_vocabulary(make_catalog(table, Path("films")))


def test_a_denial_rules_out_what_it_means_and_what_comes_with_it():
    found = tagged().parse_intent("a comedy, nothing violent")
    assert found.filters["tags"]["none"] == ["violence"]
    assert set(ruled_out(found)) == {"Horror", "Action", "Crime"}
    assert found.interpreted == {"nothing violent": "not Horror, Action, Crime, violence"}
    assert found.words == "a comedy"


def test_what_would_leave_too_few_is_neither_ruled_out_nor_said_to_be():
    """Of forty films three are no horror: horror stays, and the answer doesn't claim otherwise."""
    rows = [["Horror"] if n >= 3 else ["Comedy"] for n in range(40)]
    table = pa.table(
        {
            "item_id": [f"i{n}" for n in range(40)],
            "title": [f"Title {n}" for n in range(40)],
            "genres": rows,
            "tags": [["violence"] if n >= 20 else [] for n in range(40)],
        }
    )
    found = learn_vocabulary(make_catalog(table, Path("films"))).parse_intent("nothing violent")
    assert found.filters == {"tags": {"none": ["violence"]}}
    assert found.interpreted == {"nothing violent": "not violence"}


def test_a_denial_spares_what_is_asked_for():
    assert set(ruled_out(tagged().parse_intent("crime, nothing violent"))) == {"Horror", "Action"}
    assert ruled_out(tagged().parse_intent("a horror film, not too violent")) == ["Action"]
    before = tagged().parse_intent("not too violent", wanted=[("genres", "Action")])
    assert ruled_out(before) == ["Horror"]


def test_few_tagged_items_say_nothing_of_genres():
    assert set(ruled_out(tagged(15).parse_intent("nothing violent"))) == {"Horror", "Action"}


def test_what_nothing_in_the_catalogue_means_is_said(movielens):
    found = movielens.parse_intent("a comedy, nothing gory")
    assert found.not_understood == ("nothing gory",)
    assert not found.filters


def test_a_denied_label_takes_those_that_mean_the_same_along():
    table = pa.table(
        {
            "item_id": ["a", "b", "c"],
            "title": ["A", "B", "C"],
            "genres": [["Animation"], ["Drama"], ["Drama"]],
            "tags": [["pixar animation"], ["cartoon"], []],
        }
    )
    found = learn_vocabulary(make_catalog(table, Path("f"))).parse_intent("no cartoons, please")
    assert ruled_out(found) == ["Animation"]
    assert set(ruled_out(found, "tags")) == {"cartoon", "pixar animation"}


# --- the table ---

BOOKS = """
words: {who: class/pupil}
labels: {grim: [war]}
moods:
  - {said: ["for my {who}"], asks: classics, never: [grim]}
"""


def test_another_catalogue_has_its_own_table(films):
    table = parse_audience(BOOKS, "books.yaml")
    found = learn_vocabulary(films.catalog, None, table).parse_intent("something for my class")
    assert ruled_out(found) == ["War"]
    assert found.about == "something  classics".replace("  ", " ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mood: []", "expected kind, words, labels, moods, denied; did you mean 'moods'"),
        ("moods: [{said: [a], never: 3}]", "not a table of moods"),
        ("moods: [{said: [a], ask: b}]", "moods.0.ask"),
        ("moods: [{said: ['for {who}']}]", "not a table of moods: KeyError('who')"),
        ("[1", "not readable as YAML"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(text, says):
    with pytest.raises(ConfigError, match=r"mine\.yaml") as error:
        parse_audience(text, "mine.yaml")
    assert says in str(error.value)
