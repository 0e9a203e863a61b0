"""Catalogues that say nothing, the same of everything, or very much; and requests that say little.

Each is built, and each request gets a list and a trace that doesn't claim more than there was.
"""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run
from conftest import N_ITEMS, THEMES, item_id, theme, world_config, world_tables

import semrec
from semrec.data.dataset import read_dataset
from semrec.types import Case, Query

CYRILLIC = ("космос", "ограбление", "свадьба", "джунгли", "суд", "призрак")
REQUESTS = {
    "stop words": "the of and a to in",
    "what no item has": "zzqx blorp",
    "very much": "a space story " * 1_429,
    "signs": "?!… — ()",
    "another script": "призрак",
}


def titles(form):
    return [form(row) for row in range(N_ITEMS)]


CATALOGUES = {
    "nothing": {"title": titles(lambda row: "")},
    "labels alone": {
        "title": titles(lambda row: ""),
        "labels": titles(lambda row: [theme(row)]),
    },
    "one label": {
        "title": titles(lambda row: f"number {row}"),
        "category": titles(lambda row: ["Books"]),
    },
    "one title": {"title": titles(lambda row: "Book")},
    "a megabyte": {
        "title": titles(lambda row: f"{theme(row)} story"),
        "text": titles(lambda row: "a long space story " * 55_000 if row == 7 else ""),
    },
    "another script": {
        "title": titles(lambda row: f"{CYRILLIC[row % 6]} {CYRILLIC[row % 6]} рассказ {row}")
    },
}


def written(folder, columns):
    """A dataset of the planted events, and items that have these columns."""
    folder.mkdir()
    ids = titles(item_id)
    pq.write_table(pa.table({"item_id": ids, **columns}), folder / "items.parquet")
    pq.write_table(world_tables()[1], folder / "interactions.parquet")
    return folder


@pytest.fixture(scope="module", params=CATALOGUES)
def odd(request, tmp_path_factory):
    """The name of a catalogue, and what was built of it, read again."""
    folder = tmp_path_factory.mktemp("odd")
    data = written(folder / "data", CATALOGUES[request.param])
    semrec.build(data, config=world_config(), out=folder / "made")
    return request.param, semrec.load(folder / "made")


@pytest.mark.parametrize("words", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("session", [(), ("i01", "i02")], ids=["alone", "with a session"])
def test_there_is_a_list_and_a_trace_that_adds_up(odd, words, session):
    _, rec = odd
    found = rec.recommend(intent=words, session=session, k=10)
    shown = [item.item_id for item in found.items]
    assert len(set(shown)) == 10
    assert not set(shown) & set(session)
    assert all(math.isfinite(item.score) for item in found.items)
    weights = found.trace.weights
    named = ("semantic", "behavioural", "popularity", "domain")
    assert sum(weights[name] for name in named) == pytest.approx(1, abs=1e-5)
    if weights["popularity"] == 1.0:
        assert any("the most popular items" in note for note in found.trace.notes)
    assert not found.trace.understood.get("filters")


def test_a_session_is_followed_whatever_the_items_say(odd):
    """The users of the planted world stay within one group of ten."""
    _, rec = odd
    found = rec.recommend(session=["i01", "i02", "i03"], k=7)
    assert sum(int(item.item_id[1:]) < 10 for item in found.items) >= 5


def test_a_build_says_if_no_item_has_a_text(odd):
    name, rec = odd
    told = any("no item has a title or a text" in note for note in rec.manifest["notes"])
    assert told == (name in ("nothing", "labels alone"))


def test_words_weigh_nothing_where_nothing_has_any(tmp_path):
    data = written(tmp_path / "data", CATALOGUES["nothing"])
    found = semrec.build(data, config=world_config()).recommend(intent="a space story", k=5)
    assert found.trace.weights["semantic"] == 0.0
    assert "no signal in words or session: the most popular items" in found.trace.notes


def test_another_script_is_read(tmp_path):
    data = written(tmp_path / "data", CATALOGUES["another script"])
    rec = semrec.build(data, config=world_config())
    found = rec.recommend(intent="призрак", k=5, semantic_weight=1.0)
    assert all("призрак" in item.title for item in found.items)


def test_the_command_line_passes_the_note_on(tmp_path):
    data = written(tmp_path / "data", CATALOGUES["nothing"])
    small = ("encoder.kind=hashing", "behaviour.factors=12", "behaviour.alpha=5")
    sets = [part for one in small for part in ("--set", one)]
    done = run("build", data, "--out", "made", *sets, cwd=tmp_path)
    assert "note: no item has a title or a text" in " ".join(done.stdout.split())


@pytest.mark.slow
@pytest.mark.weights
@pytest.mark.parametrize("requests", [0, 300])
def test_the_good_configuration_builds_without_any_text(tmp_path, requests):
    """With enough requests to train the encoder on, of which no item can be told in words."""
    cases = [
        Case(
            case_id=str(n),
            query=Query(intent=f"a {THEMES[n % 6]} story", session=[item_id(7 * n % 60)] * (n % 2)),
            relevant=(item_id(n % 60),),
            unit=f"d{n}",
        )
        for n in range(requests)
    ]
    data = read_dataset(written(tmp_path / "data", CATALOGUES["nothing"]))
    quick = ("factors=12", "regularization=1", "alpha=5", "decay=1", "neighbours.kind=none")
    semrec.build(
        data,
        config="best",
        out=tmp_path / "made",
        intents=[cases],
        settings=[f"behaviour.{one}" for one in quick],
    )
    manifest = json.loads((tmp_path / "made" / "manifest.json").read_text("utf-8"))
    assert not manifest["encoder"]["trained"]
    if not requests:
        assert manifest["encoder"]["runtime"] == "torch"
        assert "no item has a text" in manifest["encoder"]["why"]
    assert len(semrec.load(tmp_path / "made").recommend(intent="a space story", k=5).items) == 5
