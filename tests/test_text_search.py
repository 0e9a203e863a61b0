"""`text`: its frozen definition, what it leaves out, and where it stands by name."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest
from conftest import item_id, theme
from test_compare import CASES, systems_of

from semrec import Case, Query
from semrec.data.catalog import make_catalog
from semrec.encoders.hashing import HashingEncoder
from semrec.errors import ModelError, QueryError
from semrec.evaluate.systems import left_out
from semrec.evaluate.text_search import PROMPTS, text_search, text_systems, weights_of
from semrec.prompting import ItemTexts


@dataclass(frozen=True)
class Noting:
    """A hashing encoder that keeps what it was given to read."""

    inner: HashingEncoder = field(default_factory=lambda: HashingEncoder(dim=256))
    requests: list[str] = field(default_factory=list)
    name: str = "noting/one"

    @property
    def fingerprint(self):
        return f"{self.inner.fingerprint} {id(self)}"  # nothing is cached from one test to another

    @property
    def dim(self):
        return self.inner.dim

    def encode_items(self, texts):
        return self.inner.encode_items(texts)

    def encode_queries(self, texts):
        self.requests.extend(texts)
        return self.inner.encode_queries(texts)


@pytest.fixture(scope="module")
def search(world):
    return text_search(world.catalog, world.positives, HashingEncoder(dim=256))


def listed(search, **query):
    (answer,) = search.recommend_many([Query(**query)])
    return [item.item_id for item in answer.items]


def test_an_item_reads_as_it_did_when_the_definition_was_made(world):
    texts = ItemTexts(prompts=PROMPTS, catalog=world.catalog)
    assert texts[7] == "heist heist story number7 (1967). heist, odd"
    table = pa.table(
        {
            "item_id": ["1", "2", "3", "4"],
            "title": ["Alien", "Alien", "", ""],
            "text": ["A crew answers a call.", None, None, "Only a text."],
            "year": [1979, None, 1980, None],
            "genres": [["Horror", "Sci-Fi"], [], ["Drama"], ["War"]],
            "language": ["en", "en", "en", "en"],
        }
    )
    known = make_catalog(table, "planted")
    assert list(ItemTexts(prompts=PROMPTS, catalog=known)) == [
        "Alien (1979). Horror, Sci-Fi. A crew answers a call.",
        "Alien",
        "",
        ". War. Only a text.",
    ]


def test_scores_are_cosines_best_first_and_exact(world, search):
    (answer,) = search.recommend_many([Query(intent="ghost story", k=60)])
    encoder = HashingEncoder(dim=256)
    items = encoder.encode_items(list(ItemTexts(prompts=PROMPTS, catalog=world.catalog)))
    want = items @ encoder.encode_queries(["ghost story"])[0]
    scores = np.array([item.score for item in answer.items])
    assert scores == pytest.approx(np.sort(want)[::-1], abs=1e-6)
    assert [item.rank for item in answer.items] == list(range(1, 61))
    assert {theme(int(item.item_id[1:])) for item in answer.items[:10]} == {"ghost"}


def test_the_request_is_read_word_for_word_and_the_session_is_not(world):
    encoder = Noting()
    search = text_search(world.catalog, world.positives, encoder)
    search.recommend_many([Query(intent=" A ghost,  after 1990! ", session=["i01"])])
    assert encoder.requests == [" A ghost,  after 1990! "]


def test_what_was_touched_or_excluded_or_filtered_out_is_left_out(search):
    assert listed(search, intent="ghost", k=2)[:1] == ["i05"] or listed(search, intent="ghost")
    first, second, third = listed(search, intent="ghost", k=3)
    assert listed(search, intent="ghost", k=3, session=[first], exclude=[second])[0] == third
    years = {"year": {"gte": 2010}}
    assert all(int(one[1:]) >= 50 for one in listed(search, intent="ghost", filters=years))
    with pytest.raises(QueryError, match="did you mean 'year'"):
        listed(search, intent="ghost", filters={"yaer": 1})


def test_a_known_users_history_is_left_out(world, search):
    own = world.positives.history("u5")
    kept = listed(search, intent="ghost", user_id="u5", k=60)
    assert len(kept) == 60 - len(own)
    assert not set(kept) & {item_id(row) for row in own}


def test_without_words_or_texts_there_is_no_answer(search):
    assert listed(search, session=["i01"]) == listed(search, intent="  ") == []
    table = pa.table({"item_id": ["1", "2"], "title": ["ghost", ""]})
    known = make_catalog(table, "planted")
    bare = text_search(known, search.interactions, HashingEncoder(dim=256))
    assert listed(bare, intent="no such thing") == ["1"]


def test_it_is_timed_with_nothing_remembered(search):
    from semrec.evaluate.runners import Cached

    assert isinstance(search, Cached)
    assert search.uncached().encoder is search.encoder.encoder
    assert listed(search.uncached(), intent="ghost") == listed(search, intent="ghost")


# --- by name ---


def test_without_the_weights_it_is_left_out_and_said_by_name(artifact, without_minilm):
    names = [str(artifact)]
    systems = systems_of(names)
    assert "text" not in systems
    assert "`text` is left out: the packaged MiniLM" in left_out(names, systems, CASES)[0]
    silent = [Case(case_id="1", query=Query(session=["i01"]), relevant=("i02",), unit="u")]
    assert left_out(names, {"fused": None}, silent) == ()
    assert left_out(names, {"fused": None, "text": None}, CASES) == ()
    with pytest.raises(ModelError):
        systems_of([str(artifact), "text"])


def test_nothing_is_embedded_where_nothing_is_asked_in_words(world, monkeypatch):
    monkeypatch.setattr("semrec.evaluate.text_search.text_search", None)
    silent = [Case(case_id="1", query=Query(session=["i01"]), relevant=("i02",), unit="u")]
    assert text_systems(world.catalog, world.positives, silent, [HashingEncoder(dim=64)]) == {}


@pytest.mark.weights
def test_it_stands_beside_artifacts_by_name(artifact, world_folder):
    beside = systems_of([str(artifact), "text"])
    assert list(beside) == [artifact.name, "text", "text (hashing-64)"]
    assert "text" in systems_of([str(artifact)])
    assert list(systems_of(["text"], world_folder)) == ["text"]
    search = beside["text"]
    assert search.encoder.name == "sentence-transformers/all-MiniLM-L6-v2"
    assert theme(int(listed(search, intent="a story about ghosts")[0][1:])) == "ghost"


@pytest.mark.weights
def test_an_artifacts_own_minilm_is_not_another_one(world):
    from semrec.encoders.sentence import load_sentence_encoder

    own = load_sentence_encoder("minilm")
    made = text_systems(world.catalog, world.positives, CASES, [own])
    assert list(made) == ["text"]
    assert made["text"].encoder.fingerprint != own.fingerprint  # build's vectors may be rounded
    assert weights_of(made["text"].encoder.encoder) != weights_of(own)
