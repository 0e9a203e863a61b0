"""Items that come and go on a running recommender: found at once, gone at once."""

import threading

import numpy as np
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
    with pytest.raises(DataError, match="item_id is 7"):
        running.add_items([{"item_id": 7}])
    with pytest.raises(DataError, match="'new' is already there"):
        running.add_items([NEW, NEW])
    with pytest.raises(DataError, match="no item 'nobody'"):
        running.remove_items(["i05", "nobody"])
    assert ids(running.recommend(intent="ghost", k=N_ITEMS)) == before
    assert running.add_items([]) == running.remove_items([]) == 0


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


def test_a_mapped_catalogue_loses_items_and_says_that_it_takes_none(world, tmp_path):
    semrec.build(world, config=world_config(index={"kind": "ivf"}), out=tmp_path / "a")
    running = semrec.load(tmp_path / "a")
    with pytest.raises(DataError, match="to add some build again"):
        running.add_items([NEW])
    assert "new" not in ids(running.recommend(intent="ghost", k=N_ITEMS))
    first, *others = ids(running.recommend(intent="ghost", k=5))
    running.remove_items([first])
    assert ids(running.recommend(intent="ghost", k=5))[:4] == others
