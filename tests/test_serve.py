"""The service: a real uvicorn on a real port, asked through httpx."""

import json
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn

import semrec
from semrec.serve.app import make_app

OPENAPI = Path(__file__).parent / "openapi.json"


@pytest.fixture(scope="module")
def client(artifact):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = make_app(lambda: semrec.load(artifact))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            for _ in range(200):
                if server.started:
                    break
                time.sleep(0.05)
            yield client
    finally:
        server.should_exit = True
        thread.join()


def test_it_answers_as_python_does(client, rec):
    body = {"intent": "ghost story", "session": ["i01", {"item_id": "i02", "type": "like"}], "k": 5}
    answer = client.post("/v1/recommend", json=body).json()
    found = rec.recommend(body)
    assert [item["item_id"] for item in answer["items"]] == [i.item_id for i in found.items]
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    assert answer["degraded"] is False
    assert answer["rerank"] == {"status": "off", "scored": 0}
    assert answer["version"] == rec.version
    assert answer["timings_ms"]["total"] > 0
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
        ({"intents": "x"}, "body.intents: Extra inputs are not permitted"),
        ({"k": 0}, "body.k"),
        ({"k": "many"}, "body.k"),
        ({"semantic_weight": 2}, "body.semantic_weight"),
        ({"session": "i01"}, "body.session"),
        ({"session": [{"item_id": "i01", "type": "stare"}]}, "body.session"),
        ({"session": [""]}, "expected an id"),
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


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"null", b"", b"3"])
def test_what_is_not_such_json_is_refused(client, content):
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/recommend", content=content, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {"intent": "\ud800"},
        {"session": ["\ud800"], "trace": True},
        {"filters": {"\ud800": 1}},
        {"filters": {"labels": "\ud800"}},
        {"filters": {"labels": {"any": ["\ud800"]}}},
        {"\ud800": 1},
    ],
)
def test_half_a_surrogate_pair_is_never_a_500(client, body):
    headers = {"content-type": "application/json"}
    answer = client.post("/v1/recommend", content=json.dumps(body), headers=headers)
    assert answer.status_code in (200, 422)


def test_an_unknown_path_is_a_problem_too(client):
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_health_and_docs(client, rec):
    assert client.get("/health/live").json() == {"status": "live", "version": rec.version}
    assert client.get("/health/ready").json() == {"status": "ready", "version": rec.version}
    assert client.get("/docs").status_code == 200


def test_many_at_once_get_their_own_answers(client, rec):
    words = ["space", "heist", "wedding", "jungle", "court", "ghost"] * 4
    got = {}

    def ask(place, intent):
        body = {"intent": intent, "k": 3}
        with httpx.Client(base_url=client.base_url, timeout=30) as own:
            got[place] = own.post("/v1/recommend", json=body).json()["items"]

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(words)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place, intent in enumerate(words):
        want = [item.item_id for item in rec.recommend(intent=intent, k=3).items]
        assert [item["item_id"] for item in got[place]] == want


def test_the_openapi_document_is_as_frozen():
    """A change here is a change of contract: it takes an issue, then this file.

    To write it anew: python tests/test_serve.py
    """
    assert document() == json.loads(OPENAPI.read_text())


def document():
    found = make_app(lambda: None).openapi()
    found["info"].pop("version")
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    OPENAPI.write_text(json.dumps(document(), indent=1, sort_keys=True) + "\n")
