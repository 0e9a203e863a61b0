"""Items that come and go on a running recommender: found at once, gone at once."""

import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import N_ITEMS, item_id, theme, world_config

import semrec
from semrec.errors import DataError


@pytest.fixture
def running(artifact):
    return semrec.load(artifact, verify="size")


def ids(found):
    return [item.item_id for item in found.items]


NEW = {
    "item_id": "new",
    "title": "ghost ghost ghost story",
    "year": 1985,
    "labels": ["ghost", "even"],
    "language": "fr",
}


def test_an_added_item_is_found_by_its_words_its_filters_and_its_title(running):
    assert running.add_items([NEW]) == 1
    assert "new" in ids(running.recommend(intent="ghost", k=12))
    assert ids(running.recommend(intent="ghost", filters={"year": 1985, "language": "fr"})) == [
        "new"
    ]
    linked = running.recommend(intent='like "ghost ghost ghost story"', k=5)
    assert linked.trace.understood["session"] == ["new"]
    assert "new" not in ids(linked)


def test_an_added_item_in_a_session_is_excluded_and_pulls_by_its_text(running):
    running.add_items([NEW])
    found = running.recommend(session=["new"], k=8, semantic_weight=1)
    assert "new" not in ids(found)
    assert {theme(int(i[1:])) for i in ids(found)} == {"ghost"}


def test_the_baseline_knows_it_and_never_shows_it(running):
    before = ids(running.baseline().recommend(session=["i03"], k=N_ITEMS))
    running.add_items([NEW])
    assert ids(running.baseline().recommend(session=["i03", "new"], k=N_ITEMS)) == before
    assert ids(running.recommend(session=["i03"], k=N_ITEMS, semantic_weight=0)) == before


def test_other_lists_stay_as_they_were(running):
    asked = [{"intent": "heist", "k": 5}, {"session": ["i03", "i08"], "k": 5}]
    before = [ids(running.recommend(q)) for q in asked]
    running.add_items([NEW])
    assert [ids(running.recommend(q)) for q in asked] == before


def test_a_removed_item_is_gone_at_once_from_every_list(running):
    victim = ids(running.recommend(intent="ghost", k=1))[0]
    assert running.remove_items([victim]) == 1
    for rec in (running, running.baseline()):
        assert victim not in ids(rec.recommend(intent="ghost", session=["i03"], k=N_ITEMS))
    assert victim not in ids(running.recommend(filters={"labels": "ghost"}, k=N_ITEMS))
    assert victim not in ids(running.recommend(k=N_ITEMS))


def test_a_removed_id_can_be_used_again(running):
    running.remove_items(["i05"])
    running.add_items([{**NEW, "item_id": "i05", "title": "jungle jungle story"}])
    found = running.recommend(intent="jungle jungle story", k=N_ITEMS + 1)
    assert ids(found).count("i05") == 1
    assert next(i for i in found.items if i.item_id == "i05").title == "jungle jungle story"
    running.remove_items(["i05"])
    assert "i05" not in ids(running.recommend(k=N_ITEMS + 1))


def test_all_or_none(running):
    before = ids(running.recommend(intent="ghost", k=N_ITEMS))
    with pytest.raises(DataError, match="'i05' is already there"):
        running.add_items([NEW, {**NEW, "item_id": "i05"}])
    with pytest.raises(DataError, match="unknown field 'yaer'; did you mean 'year'"):
        running.add_items([NEW, {"item_id": "x", "yaer": 1}])
    with pytest.raises(DataError, match="another type"):
        running.add_items([NEW, {"item_id": "x", "year": "soon"}])
    with pytest.raises(DataError, match=r"item 1: item_id holds 7\.5"):
        running.add_items([{"item_id": 7.5}])
    with pytest.raises(DataError, match="item_id holds nothing"):
        running.add_items([{"title": "x"}])
    with pytest.raises(DataError, match="'new' is already there"):
        running.add_items([NEW, NEW])
    with pytest.raises(DataError, match="no item 'nobody'"):
        running.remove_items(["i05", "nobody"])
    assert ids(running.recommend(intent="ghost", k=N_ITEMS)) == before
    assert running.add_items([]) == running.remove_items([]) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rec: rec.remove_items("318"), r"single str, expected a sequence: write \['318'\]"),
        (lambda rec: rec.remove_items(318), "expected a sequence"),
        (lambda rec: rec.remove_items([3.5]), "expected an id"),
        (lambda rec: rec.add_items({"item_id": "n"}), "single dict, expected a sequence"),
        (lambda rec: rec.add_items("n"), "single str"),
        (lambda rec: rec.add_items(["n"]), "item 1 is 'n', expected a mapping"),
        (lambda rec: rec.add_items([7]), "item 1 is 7, expected a mapping"),
        (lambda rec: rec.add_items([{"item_id": "n", "labels": "ghost"}]), r"write \['ghost'\]"),
        (lambda rec: rec.add_items([{"item_id": "n", "labels": [1]}]), "expected a list of text"),
        (lambda rec: rec.add_items([{"item_id": "n", "year": 1999.5}]), "expected a whole number"),
        (lambda rec: rec.add_items([{"item_id": "n", "year": True}]), "expected a whole number"),
        (lambda rec: rec.add_items([{"item_id": "n", "year": 10**400}]), "of 401 digits"),
        (lambda rec: rec.add_items([{"item_id": "n", "title": 3}]), "title is 3, .* expected text"),
        (lambda rec: rec.add_items([{"item_id": "n", 3: 3}]), "unknown field 3"),
    ],
)
def test_what_is_of_another_kind_is_refused_and_nothing_changes(running, call, message):
    before = (len(running.catalog), len(running.removed))
    with pytest.raises(DataError, match=message):
        call(running)
    assert (len(running.catalog), len(running.removed)) == before


def test_ids_may_be_whole_numbers_and_items_a_frame(running):
    records = [{"item_id": 318, "title": "ghost ghost story", "year": 1999.0}]
    assert running.add_items(records) == 1
    frame = pd.DataFrame({"item_id": [319, 320], "title": ["a ghost", None], "year": [1950, None]})
    assert running.add_items(frame) == 2
    assert running.add_items(pa.table({"item_id": ["321"], "labels": [["ghost"]]})) == 1
    rows = [running.catalog.record(row) for row in range(N_ITEMS, N_ITEMS + 4)]
    assert rows == [
        {"item_id": "318", "title": "ghost ghost story", "year": 1999},
        {"item_id": "319", "title": "a ghost", "year": 1950},
        {"item_id": "320"},
        {"item_id": "321", "labels": ["ghost"]},
    ]
    assert running.remove_items(np.array([318, 319])) == 2


def test_a_baseline_is_not_changed_behind_its_recommenders_back(running):
    with pytest.raises(DataError, match="follows its recommender"):
        running.baseline().add_items([NEW])
    with pytest.raises(DataError, match="follows its recommender"):
        running.baseline().remove_items(["i05"])


def test_an_item_without_text_is_added_and_can_be_filtered(running):
    running.add_items([{"item_id": "blank", "year": 2050}])
    assert ids(running.recommend(intent="ghost", filters={"year": 2050})) == ["blank"]
    found = running.recommend(session=["blank"], k=3)
    assert len(found.items) == 3


def test_an_update_makes_another_pipeline_and_leaves_the_one_before(running):
    before, baseline = running.pipeline, running.baseline()
    query = semrec.Query(intent="ghost", k=N_ITEMS + 1)
    lists = ids(before.answer([query])[0])
    running.add_items([NEW])
    running.remove_items(lists[:1])
    assert ids(before.answer([query])[0]) == lists
    assert len(before.catalog) == N_ITEMS
    assert baseline.pipeline is running.pipeline.baseline
    assert len(baseline.catalog) == N_ITEMS + 1


def test_parts_can_be_read_and_not_set(running):
    with pytest.raises(AttributeError):
        running.index = None
    with pytest.raises(AttributeError, match="nothing"):
        running.nothing  # noqa: B018


def test_requests_go_on_while_items_come_and_go(running):
    errors, stop = [], threading.Event()

    def ask():
        try:
            while not stop.is_set():
                found = running.recommend(intent="ghost story", session=["i03"], k=20)
                assert len(found.items) == 20
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(15):
        running.add_items([{**NEW, "item_id": f"n{number}"}])
        if number % 3 == 0:
            running.remove_items([f"n{number}"])
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(running.catalog) == N_ITEMS + 15
    np.testing.assert_array_equal(running.removed, N_ITEMS + np.arange(0, 15, 3))
    assert item_id(3) not in ids(running.recommend(session=["i03"], k=5))


def test_a_mapped_catalogue_takes_items_beside_it_and_loses_some(world, tmp_path, monkeypatch):
    """Its vectors lie in the artifact's file, which stays as it is."""
    semrec.build(world, config=world_config(index={"kind": "ivf"}), out=tmp_path / "a")
    running = semrec.load(tmp_path / "a")
    running.add_items([NEW])
    assert "new" in ids(running.recommend(intent="ghost", k=N_ITEMS))
    assert ids(running.recommend(intent="ghost", k=5, filters={"year": 1985}))[0] == "new"
    first, *others = ids(running.recommend(intent="ghost", k=6))
    running.remove_items([first])
    assert ids(running.recommend(intent="ghost", k=6))[:5] == others
    monkeypatch.setattr("semrec.index.grown.MAX_ADDED", 3)
    more = [{"item_id": f"more{number}", "title": "A ghost"} for number in range(3)]
    with pytest.raises(DataError, match=r"4 items would have been added since .* and 3 can be"):
        running.add_items(more)
    assert running.add_items(more[:2]) == 2
    assert running.remove_items(["more1"]) == 1
    assert "more0" in ids(running.recommend(intent="ghost", k=N_ITEMS + 3))
