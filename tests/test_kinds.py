"""Kinds of catalogue: nothing in the library but its configuration knows what a film is."""

import ast
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import semrec
from semrec.data.catalog import load_catalog, save_catalog
from semrec.data.kinds import kind_of, kinds, words_of_all
from semrec.errors import DataError
from semrec.lexical.analysis import content_words

TOP = Path(semrec.__file__).parent.parent
FILM_WORDS = re.compile(
    r"(?i)\b(?:films?|movies?|flicks?|cinemas?|actors?|actress|actresses|filmmakers?|noir|starring"
    r"|screenplay|watch(?:ed|ing)? (?:it|them|a|the|something)|to watch)\b"
)
# Names of columns and values in the files that people have, as they are downloaded; and the demo.
FILES = {"data/columns.py", "cli/demo.py", "cli/terminal.py"}


def code_of(path: Path) -> list[tuple[int, str]]:
    """Names and texts in a module, with their lines; its docstrings and comments are no code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    holders = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    spoken = {
        id(node.value)
        for holder in ast.walk(tree)
        if isinstance(holder, holders)
        for node in holder.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in spoken
        ):
            parts.append((node.lineno, node.value))
        elif isinstance(node, ast.Name):
            parts.append((node.lineno, node.id.replace("_", " ")))
    return parts


def test_no_film_words_in_the_library():
    wrong = [
        f"{path.relative_to(TOP)}:{line}: {text.strip()[:80]!r}"
        for path in sorted((TOP / "semrec").rglob("*.py"))
        if "demo_data" not in path.parts
        and path.relative_to(TOP / "semrec").as_posix() not in FILES
        for line, text in code_of(path)
        if FILM_WORDS.search(text)
    ]
    assert wrong == []


def test_no_film_words_in_prompts_and_pages():
    notes = re.compile(r"\{#.*?#\}|/\*.*?\*/|<!--.*?-->|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
    files = [
        *(TOP / "prompts").glob("*.j2"),
        *(
            path
            for path in (TOP / "semrec").rglob("*")
            if path.suffix in (".j2", ".html", ".js", ".css")
        ),
    ]
    assert len(files) > 15
    wrong = [
        f"{path.relative_to(TOP)}: {match.group()}"
        for path in files
        for match in FILM_WORDS.finditer(notes.sub("", path.read_text(encoding="utf-8")))
    ]
    assert wrong == []


ITEMS = {
    "item_id": [str(n) for n in range(6)],
    "title": ["Dune", "Emma", "Ulysses", "Hyperion", "Beloved", "Solaris"],
    "text": ["a book about sand", "a novel", "a book about a day", "stars", "ghosts", "an ocean"],
}
EVENTS = {
    "user_id": ["a", "a", "b", "b"],
    "item_id": ["0", "1", "1", "2"],
    "timestamp": [1_600_000_000, 1_600_000_001, 1_600_000_002, 1_600_000_003],
}


def dataset_of(**choices):
    return semrec.from_frames(ITEMS, EVENTS, **choices)


@pytest.mark.parametrize(
    ("attributes", "texts", "kind"),
    [
        (["price", "category"], [], "products"),
        (["Author", "year"], [], "books"),
        (["cast", "price"], ["a film"] * 5, "films"),  # two kinds have these: the texts tell
        (["year"], ["a movie about war", "a film about love", "a quiet life"], "films"),
        (["price", "genres"], ["a film about love", "a movie"], "films"),  # films have prices, too
        (["price"], ["a place for your keys"] + ["a tent"] * 50, "products"),
        (["year"], ["a film of a book", "a book about a film"], ""),
        (["year"], ["a quiet life"], ""),
        ([], [], ""),
    ],
)
def test_a_catalogues_kind_is_told_by_attributes_then_by_texts(attributes, texts, kind):
    assert kind_of(attributes, texts) == kind


def test_every_kind_says_what_it_must():
    for name, kind in kinds().items():
        assert kind.nouns, name
        assert len(kind.openers) > 1, name
        assert all("{}" in opener for opener in kind.openers), name
        assert all(
            question.attributes and question.plural for question in kind.questions.values()
        ), name
    assert {"film", "book", "item"} <= words_of_all("nouns")


def test_what_is_filler_depends_on_the_kind():
    text = "I want to read a good book about a game"
    assert content_words(text, "books") == ["game"]
    assert content_words(text, "films") == ["read", "book", "game"]
    assert content_words("a movie to watch, about films and a game", "films") == ["films", "game"]
    assert content_words("a leather watch for my father", "products") == [
        "leather",
        "watch",
        "father",
    ]
    assert content_words("a book, a film, a game") == []  # unknown: the nouns of all kinds


def test_a_dataset_says_its_kind_or_it_is_told(tmp_path):
    assert dataset_of().catalog.kind == "books"
    assert dataset_of(kind="games").catalog.kind == "games"
    told = semrec.from_frames(ITEMS, EVENTS, out=tmp_path / "data", kind="films")
    assert told.catalog.kind == "films"
    assert "kind: films" in (tmp_path / "data" / "dataset.yaml").read_text()
    with pytest.raises(DataError, match=r"expected one of films, .*did you mean 'books'"):
        dataset_of(kind="boks")


@pytest.mark.parametrize("mapped", [False, True])
def test_the_kind_is_kept_with_the_items(tmp_path, mapped):
    catalog = dataset_of(kind="games").catalog
    save_catalog(catalog, tmp_path, mapped=mapped)
    loaded = load_catalog(tmp_path)
    assert loaded.kind == "games"
    more = loaded.with_items([{"item_id": "new", "title": "New"}], frozenset())
    assert more.kind == "games"


def test_an_older_artifact_is_told_by_its_items(tmp_path):
    table = dataset_of().catalog.table.replace_schema_metadata(None)
    pq.write_table(table, tmp_path / "catalog.parquet")
    assert load_catalog(tmp_path).kind == "books"
