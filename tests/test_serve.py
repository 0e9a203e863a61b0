"""The service: a real uvicorn on a real port, asked through httpx."""

import base64
import json
import sqlite3
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from serving import in_thread

from semrec.serve.app import make_app
from semrec.serve.replay import replay
from semrec.serve.settings import Settings

OPENAPI = Path(__file__).parent / "openapi.json"


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("serve") / "state"


@pytest.fixture(scope="module")
def client(artifact, state):
    with in_thread(artifact, state) as client:
        yield client


def test_it_answers_as_python_does(client, rec):
    body = {"intent": "ghost story", "session": ["i01", {"item_id": "i02", "type": "like"}], "k": 5}
    answer = client.post("/v1/recommend", json=body).json()
    found = rec.recommend(body)
    assert [item["item_id"] for item in answer["items"]] == [i.item_id for i in found.items]
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    assert answer["degraded"] is False
    assert answer["rerank"] == {"status": "off", "scored": 0}
    assert answer["version"] == rec.version
    assert answer["timings_ms"]["total"] >= answer["timings_ms"]["queue"] > 0
    assert answer["trace"] is None
    assert len(answer["recommendation_id"]) == 32


def test_an_empty_request_gives_popular_items(client):
    answer = client.post("/v1/recommend", json={"trace": True}).json()
    assert len(answer["items"]) == 10
    assert answer["trace"]["weights"]["popularity"] == 1.0
    assert any("most popular" in note for note in answer["trace"]["notes"])


def test_filters_are_applied_and_shown(client):
    filters = {"year": {"gte": 2010}}
    answer = client.post("/v1/recommend", json={"filters": filters, "k": 60}).json()
    assert {item["item_id"] for item in answer["items"]} == {f"i{row}" for row in range(50, 60)}
    assert answer["understood"] == {"filters": filters}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"intents": "x"}, "body.intents: unknown field"),
        ({"k": 0}, "body.k"),
        ({"k": "many"}, "body.k"),
        ({"semantic_weight": 2}, "body.semantic_weight"),
        ({"session": "i01"}, "body.session"),
        ({"session": [{"item_id": "i01", "type": "stare"}]}, "body.session"),
        ({"session": [""]}, "expected an id"),
        ({"session_id": ""}, "body.session_id"),
        ({"filters": {"yaer": 1}}, "did you mean 'year'"),
        ({"filters": {"year": {"any": 3}}}, "takes a list"),
        ({"exclude": ["x"] * 10_001}, "body.exclude"),
        ({"intent": "x" * 100_001}, "body.intent"),
    ],
)
def test_what_is_wrong_is_a_problem_with_a_reason(client, body, detail):
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert detail in problem["detail"]


def test_many_at_once_get_their_own_answers(client, rec):
    words = ["space", "heist", "wedding", "jungle", "court", "ghost"] * 4
    got = {}

    def ask(place, intent):
        body = {"intent": intent, "k": 3}
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            got[place] = own.post("/v1/recommend", json=body).json()["items"]

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(words)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, intent in enumerate(words):
        want = [item.item_id for item in rec.recommend(intent=intent, k=3).items]
        assert [item["item_id"] for item in got[place]] == want


def send(client, session_id, *events):
    body = {"events": [{"session_id": session_id, **event} for event in events]}
    answer = client.post("/v1/events", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_next_request_sees_the_events(client, rec):
    liked = {"event_id": "1", "item_id": "i21", "type": "like"}
    rejected = {"event_id": "2", "item_id": "i22", "type": "reject", "timestamp": 1.6e9}
    assert send(client, "sees", liked, rejected) == {"accepted": 2, "duplicates": 0}
    assert send(client, "sees", liked, rejected) == {"accepted": 0, "duplicates": 2}
    answer = client.post("/v1/recommend", json={"session_id": "sees", "session": ["i23"]}).json()
    session = [{"item_id": "i21", "type": "like"}, {"item_id": "i22", "type": "reject"}, "i23"]
    assert [one["item_id"] for one in answer["items"]] == [
        item.item_id for item in rec.recommend(session=session).items
    ]
    shown = client.get("/v1/sessions/sees").json()
    assert shown["events"][0] == {
        "item_id": "i21",
        "type": "like",
        "timestamp": None,
        "event_id": "1",
    }
    assert len(shown["events"]) == 2


def test_a_list_can_be_made_again_and_is_erased_with_its_session(client, state):
    send(client, "to-erase", {"event_id": "1", "item_id": "i21"})
    body = {"intent": "a ghost story", "session_id": "to-erase", "k": 7, "budget_ms": 10_000}
    answer = client.post("/v1/recommend", json=body).json()
    replayed = replay(answer["recommendation_id"], state)
    assert replayed.same
    assert [item_id for item_id, _ in replayed.now] == [i["item_id"] for i in answer["items"]]

    erased = client.delete("/v1/sessions/to-erase").json()
    assert erased == {"session_id": "to-erase", "events": 1, "recommendations": 1}
    assert client.get("/v1/sessions/to-erase").json()["events"] == []
    for name in ("sessions", "log"):
        with sqlite3.connect(state / f"{name}.sqlite") as file:
            assert not any("to-erase" in line for line in file.iterdump())
        file.close()


@pytest.mark.parametrize(
    "event",
    [
        {"session_id": "s", "item_id": "i01"},
        {"event_id": "", "session_id": "s", "item_id": "i01"},
        {"event_id": "1", "session_id": "s", "item_id": "i01", "type": "stare"},
        {"event_id": "1", "session_id": "s", "item_id": "i01", "timestamp": -1},
        {"event_id": "1", "session_id": "s", "item_id": "i01", "timestamp": 1.6e12},
        {"event_id": "1", "session_id": "s" * 513, "item_id": "i01"},
        {"event_id": "1", "session_id": "s", "item_id": "i01", "extra": 1},
    ],
)
def test_events_that_arent_are_refused_all_together(client, event):
    good = {"event_id": "g", "session_id": "refused", "item_id": "i01"}
    assert client.post("/v1/events", json={"events": [good, event]}).status_code == 422
    assert client.get("/v1/sessions/refused").json()["events"] == []


def test_items(client, rec):
    item = client.get("/v1/items/i05").json()
    assert item["item_id"] == "i05"
    assert item["title"] == rec.catalog.titles[5]
    assert item["attributes"] == {"year": 1965, "labels": ["ghost", "odd"], "language": "en"}
    found = client.get("/v1/items", params={"q": "GHOST", "k": 3}).json()["items"]
    assert len(found) == 3
    assert all("ghost" in one["title"] for one in found)
    assert client.get("/v1/items", params={"q": "number59"}).json()["items"][0]["item_id"] == "i59"
    assert client.get("/v1/items", params={"q": "no such title"}).json()["items"] == []
    several = client.get("/v1/items", params={"id": ["i07", "nothing", "i05", "i07"]}).json()
    assert several == {"items": [client.get("/v1/items/i07").json(), item]}
    similar = client.get("/v1/items/i05/similar", params={"k": 4}).json()
    want = [one.item_id for one in rec.recommend(session=["i05"], k=4).items]
    assert [one["item_id"] for one in similar["items"]] == want


@pytest.mark.parametrize(
    "path", ["nothing", "../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "i05%00", "'--", "{}"]
)
@pytest.mark.parametrize("ending", ["", "/similar"])
def test_an_id_is_only_an_id(client, path, ending):
    answer = client.get(f"/v1/items/{path}{ending}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "root:" not in answer.text


def test_embeddings_are_the_encoders(client, rec):
    want = rec.encoder.encode_items(["a ghost", "a heist"])
    body = {"input": ["a ghost", "a heist"], "model": "semrec"}
    answer = client.post("/v1/embeddings", json=body).json()
    assert [one["index"] for one in answer["data"]] == [0, 1]
    np.testing.assert_allclose([one["embedding"] for one in answer["data"]], want, rtol=1e-5)
    body = {"input": "a ghost", "encoding_format": "base64", "model": rec.encoder.name}
    packed = client.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    vector = np.frombuffer(base64.b64decode(packed), dtype="<f4")
    np.testing.assert_array_equal(vector, rec.encoder.encode_items(["a ghost"])[0])


def test_rerank_sorts_by_cosine(client, rec):
    documents = ["a wedding", {"text": "a ghost story"}, "ghost ghost"]
    body = {"query": "ghost", "documents": documents, "top_n": 2, "return_documents": True}
    answer = client.post("/v1/rerank", json=body).json()
    texts = ["a wedding", "a ghost story", "ghost ghost"]
    scores = rec.encoder.encode_items(texts) @ rec.encoder.encode_queries(["ghost"])[0]
    best = np.argsort(-scores)[:2]
    assert [one["index"] for one in answer["results"]] == best.tolist()
    assert [one["document"]["text"] for one in answer["results"]] == [texts[i] for i in best]
    np.testing.assert_allclose(
        [one["relevance_score"] for one in answer["results"]], scores[best], rtol=1e-5
    )


def test_health_docs_and_config(client, rec):
    assert client.get("/health/live").json() == {"status": "live", "version": rec.version}
    assert client.get("/health/ready").json() == {"status": "ready", "version": rec.version}
    assert client.get("/docs").status_code == 200
    shown = client.get("/v1/config").json()
    assert shown["max_queue"] == 20
    assert shown["sessions"] == "sqlite"
    assert "artifact" not in shown


def test_metrics_count_what_was_answered(client):
    client.post("/v1/recommend", json={"rerank": True})
    client.get("/secret-looking-path")
    text = client.get("/metrics").text
    assert 'semrec_request_seconds_count{endpoint="/v1/recommend",method="POST",status="200"}' in (
        text
    )
    assert 'semrec_stage_seconds_count{stage="search"}' in text
    assert 'semrec_rerank_total{status="off"}' in text
    assert "semrec_degraded_total" in text
    assert "semrec_queue_depth" in text
    assert "secret-looking" not in text


def test_a_request_has_an_id(client):
    given = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
    answer = client.get("/health/live", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given
    made = client.get("/nothing", headers={"x-request-id": "sk-secret"})
    assert len(made.headers["x-request-id"]) == 32


def test_without_origins_there_is_no_cors(client):
    headers = {"origin": "https://example.org", "access-control-request-method": "POST"}
    assert client.options("/v1/recommend", headers=headers).status_code == 405
    answer = client.get("/health/live", headers=headers)
    assert "access-control-allow-origin" not in answer.headers


def test_the_openapi_document_is_as_frozen():
    """A change here is a change of contract: it takes an issue, then this file.

    To write it anew: python tests/test_serve.py
    """
    assert document() == json.loads(OPENAPI.read_text())


def document():
    found = make_app(Settings(artifact=Path("none"))).openapi()
    found["info"].pop("version")
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    OPENAPI.write_text(json.dumps(document(), indent=1, sort_keys=True) + "\n")
