"""Items that come and go over HTTP: seen by every worker, kept over restarts, refused whole."""

import threading
import time

import httpx
import pytest
from conftest import world_config
from serving import Process, in_thread

import semrec
from semrec.errors import StateError
from semrec.serve.live_items import LiveItems
from semrec.sessions.item_journal import ItemChange, ItemJournal

NEW = {"item_id": "new", "title": "ghost story", "year": 1985, "labels": ["ghost"]}
ASK = {"intent": "ghost", "filters": {"year": 1985}, "k": 3}


def listed(client, **more):
    answer = client.post("/v1/recommend", json={**ASK, **more})
    assert answer.status_code == 200, answer.text
    return [item["item_id"] for item in answer.json()["items"]]


@pytest.fixture
def artifact(world, tmp_path):
    semrec.build(world, config=world_config(), out=tmp_path / "artifact")
    return tmp_path / "artifact"


def test_items_come_and_go_and_a_restart_keeps_them(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state") as client:
        first = listed(client)
        assert client.post("/admin/items", json={"items": [NEW]}).json() == {"added": 1}
        assert "new" in listed(client)
        gone = first[0]
        assert client.delete(f"/admin/items/{gone}").json() == {"removed": gone}
        assert gone not in listed(client)
        assert client.get(f"/v1/items/{gone}").status_code == 404
    with in_thread(artifact, tmp_path / "state") as client:
        assert "new" in listed(client)
        assert gone not in listed(client)
        assert client.post("/admin/items", json={"items": [{**NEW, "item_id": gone}]}).json() == {
            "added": 1
        }
        assert client.delete("/admin/items/new").status_code == 200
        assert "new" not in listed(client)
        assert gone in listed(client)
    with in_thread(artifact, tmp_path / "state") as client:
        assert "new" not in listed(client)
        assert gone in listed(client)


def test_what_is_wrong_is_refused_whole_and_said(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state") as client:
        for items, why in (
            ([NEW, {"item_id": "i00"}], "'i00' is already there"),
            ([NEW, NEW], "'new' is already there"),
            ([NEW, {"item_id": "b", "titel": "x"}], "unknown field 'titel'"),
            ([NEW, {"item_id": "b", "year": "old"}], "year is 'old'"),
            ([NEW, {"title": "x"}], "item_id"),
            ([], "at least 1"),
        ):
            refused = client.post("/admin/items", json={"items": items})
            assert refused.status_code == 422, refused.text
            assert why in refused.text
        assert client.delete("/admin/items/nowhere").status_code == 404
        assert "new" not in listed(client)


def test_the_admin_key_guards_them(artifact, tmp_path):
    keys = {"api_keys": ["shop"], "admin_key": "boss"}
    with in_thread(artifact, tmp_path / "state", **keys) as client:
        for key, status in (("", 401), ("shop", 401), ("boss", 200)):
            headers = {"x-api-key": key} if key else {}
            answer = client.post("/admin/items", json={"items": [NEW]}, headers=headers)
            assert answer.status_code == status


def test_a_journal_that_cannot_be_written_changes_nothing(artifact, tmp_path, monkeypatch):
    rec, items = semrec.load(artifact), LiveItems(ItemJournal(tmp_path))
    full = "SELECT RAISE(FAIL, 'full')"
    trigger = f"CREATE TRIGGER full BEFORE INSERT ON changes BEGIN {full}; END"
    items._journal._database._writer.execute(trigger)
    with pytest.raises(StateError, match="is the disk full"):
        items.add(rec, [NEW])
    assert rec.recommend(**ASK).items[0].item_id != "new"
    with pytest.raises(StateError):
        items.remove(rec, "i00")
    assert rec.catalog.row("i00") not in rec.removed
    items._journal._database._writer.execute("DROP TRIGGER full")
    assert items.add(rec, [NEW]) == 1
    items.close()


def test_another_artifact_takes_what_fits_it(artifact, tmp_path):
    """Its own items are left as they are; one with a column that it lacks is left out."""
    items = LiveItems(ItemJournal(tmp_path))
    rec = semrec.load(artifact)
    items.add(rec, [NEW, {**NEW, "item_id": "other"}])
    with items._journal.writing() as write:
        write([ItemChange(added={"item_id": "odd", "colour": "red"})])
    later = semrec.load(artifact)
    later.add_items([{"item_id": "other", "title": "its own"}])
    items.catch_up(later)
    assert later.catalog.titles[later.catalog.row("other")] == "its own"
    assert later.catalog.row("new") is not None
    assert later.catalog.row("odd") is None
    items.close()


@pytest.mark.slow
def test_all_workers_see_a_change_within_half_a_second_under_load(artifact, tmp_path):
    service = Process(artifact, tmp_path / "state", "--workers", "2")
    stop, statuses = threading.Event(), []

    def ask():
        with httpx.Client(base_url=service.url, timeout=30) as client:
            while not stop.is_set():
                statuses.append(client.post("/v1/recommend", json=ASK).status_code)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        with httpx.Client(base_url=service.url, timeout=30) as client:
            for number in range(5):
                name = f"new{number}"
                client.post("/admin/items", json={"items": [{**NEW, "item_id": name}]})
                time.sleep(0.5)
                for _ in range(20):  # each a connection of its own, to either worker
                    answer = httpx.post(f"{service.url}/v1/recommend", json={**ASK, "k": 20})
                    assert name in [item["item_id"] for item in answer.json()["items"]]
                client.delete(f"/admin/items/{name}")
                time.sleep(0.5)
                for _ in range(20):
                    answer = httpx.post(f"{service.url}/v1/recommend", json={**ASK, "k": 20})
                    assert name not in [item["item_id"] for item in answer.json()["items"]]
    finally:
        stop.set()
        thread.join()
        service.kill()
    assert set(statuses) == {200}
