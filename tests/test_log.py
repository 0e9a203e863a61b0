"""The log: what was done and shown, back as it was, as interactions, or erased."""

import sqlite3
from dataclasses import replace

import pytest

from semrec.errors import DataError, StateError
from semrec.sessions.importing import from_log
from semrec.sessions.log import FILE, Log, open_log, served_list
from semrec.types import Event, Query


@pytest.fixture
def log(tmp_path):
    log = Log(tmp_path / "state")
    yield log
    log.close()


def test_a_served_list_comes_back_as_it_was(log, rec):
    query = Query(
        intent="a “ghost” story",
        session=["i01", Event("i02", "like", 5.0, "e1")],
        filters={"year": {"gte": 1990}},
        exclude=["i55"],
        k=5,
        budget_ms=100,
    )
    items = rec.recommend(query).items
    log.add_served(served_list("r1", "s", query, items, version=rec.version, artifact="x"))
    found = log.served("r1")
    assert found.query == query
    assert found.items == tuple((item.item_id, item.score) for item in items)
    assert (found.session_id, found.version, found.artifact) == ("s", rec.version, "x")
    assert log.served("r2") is None


def test_what_an_experiment_did_is_kept_item_by_item(log, rec):
    found = rec.recommend(session=["i01"], k=3).items
    plain = served_list("r1", "s", Query(), found, version="v", artifact="x")
    assert [(one.item_id, one.position) for one in plain.placements] == [
        (item.item_id, item.rank) for item in found
    ]
    assert {(one.team, one.propensity) for one in plain.placements} == {(None, None)}
    placements = tuple(
        replace(one, team="ab"[one.position % 2], propensity=0.5) for one in plain.placements
    )
    part = replace(plain, experiment="words", arm="interleaved", placements=placements)
    log.add_served(part)
    assert log.served("r1") == part


def test_a_file_of_before_is_read_and_goes_on(tmp_path, rec):
    folder = tmp_path / "old"
    folder.mkdir()
    old = sqlite3.connect(folder / FILE)
    old.execute(
        "CREATE TABLE served (recommendation_id TEXT PRIMARY KEY, session_id TEXT, "
        "timestamp REAL NOT NULL, version TEXT NOT NULL, artifact TEXT NOT NULL, "
        "query TEXT NOT NULL, items TEXT NOT NULL)"
    )
    row = ("r1", "s", 5.0, "v", "x", '{"intent": "a ghost"}', '[["i01", 0.5]]')
    old.execute("INSERT INTO served VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    old.commit()
    old.close()
    for _ in range(2):  # and is left alone the second time
        log = open_log(folder)
        found = log.served("r1")
        assert (found.query.intent, found.items) == ("a ghost", (("i01", 0.5),))
        assert (found.experiment, found.arm, found.placements) == (None, None, ())
        log.close()
    log = open_log(folder)
    items = rec.recommend(session=["i01"]).items
    log.add_served(served_list("r2", "s", Query(), items, version="v", artifact="x"))
    assert len(log.served("r2").placements) == len(items)
    assert log.erase("s") == (0, 2)
    log.close()


def test_events_are_logged_once_with_the_time_they_came(log):
    events = {"s": [Event("i01", "like", None, "e1"), Event("i02", "view", 7.0, "e2")]}
    log.add_events(events)
    log.add_events(events)
    first, second = log.events()
    assert first.timestamp > 1_600_000_000
    assert (second.session_id, second.event.item_id, second.timestamp) == ("s", "i02", 7.0)


def test_a_session_is_erased_and_others_stay(log, rec, tmp_path):
    found = rec.recommend(session=["i01"])
    for session_id in ("gone-for-good", "stays", None):
        given = {"session_id": session_id, "query": Query(), "items": found.items}
        log.add_served(served_list(f"r-{session_id}", **given, version="v", artifact="x"))
        if session_id:
            log.add_events({session_id: [Event("i01", "view", None, "e1")]})
    assert log.erase("gone-for-good") == (1, 1)
    assert log.served("r-gone-for-good") is None
    assert log.served("r-stays")
    assert log.served("r-None")
    assert [one.session_id for one in log.events()] == ["stays"]
    for path in (tmp_path / "state").iterdir():
        assert b"gone-for-good" not in path.read_bytes(), path


def test_old_lists_are_forgotten_and_events_stay(log):
    log.add_served(served_list("r1", "s", Query(), [], version="v", artifact="x"))
    log.add_events({"s": [Event("i01", "view", 1.0, "e1")]})
    assert log.forget_served(log.served("r1").timestamp) == 0
    assert log.forget_served(log.served("r1").timestamp + 1) == 1
    assert log.served("r1") is None
    assert len(list(log.events())) == 1


def test_the_log_becomes_interactions_for_the_next_build(log, world, world_folder, tmp_path):
    log.add_events(
        {
            "visitor": [
                Event("i01", "like", 1_700_000_000.0, "e1"),
                Event("i02", "reject", 1_700_000_001.0, "e2"),
                Event("unknown", "view", 1_700_000_002.0, "e3"),
                Event("i59", "view", 1_700_000_003.0, "e4"),
            ]
        }
    )
    made = from_log(tmp_path / "state", tmp_path / "next", data=world_folder)
    assert len(made.interactions) == len(world.interactions) + 2
    history = made.interactions.history("visitor")
    assert [made.catalog.item_ids[row] for row in history] == ["i01", "i59"]
    assert made.catalog.item_ids == world.catalog.item_ids
    assert made.catalog.attribute_names == world.catalog.attribute_names
    before = world.interactions.history("u3")
    assert made.interactions.history("u3").tolist() == before.tolist()


def test_what_cant_be_imported_is_said(log, world_folder, tmp_path):
    with pytest.raises(DataError, match="nothing to import"):
        from_log(tmp_path / "state", tmp_path / "next", data=world_folder)
    with pytest.raises(StateError, match="--state"):
        open_log(tmp_path)
    assert not (tmp_path / "next").exists()
