"""What nobody should send: a 4xx or a correct answer, never a 500, and no key in the log."""

import json
import logging
from urllib.parse import quote

import httpx
import pytest
from serving import in_thread

from semrec.errors import ConfigError
from semrec.serve.admission import Rates
from semrec.serve.logs import JsonFormatter
from semrec.serve.settings import make_settings

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def client(artifact, tmp_path_factory):
    with in_thread(artifact, tmp_path_factory.mktemp("hostile") / "state") as client:
        yield client


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"null", b"", b"3", b'{"k": NaN}'])
@pytest.mark.parametrize("path", ["/v1/recommend", "/v1/events", "/v1/rerank", "/v1/embeddings"])
def test_what_is_not_such_json_is_refused(client, path, content):
    answer = client.post(path, content=content, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {"intent": "\ud800"},
        {"session": ["\ud800"], "trace": True},
        {"filters": {"\ud800": 1}},
        {"filters": {"labels": "\ud800"}},
        {"filters": {"labels": {"any": ["\ud800"]}}},
        {"session_id": "\ud800"},
        {"\ud800": 1},
    ],
)
def test_half_a_surrogate_pair_is_never_a_500(client, body):
    answer = client.post("/v1/recommend", content=json.dumps(body), headers=JSON)
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize("depth", [50, 400, 900, 5_000, 100_000])
@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_deep_json_is_refused(client, depth, opening):
    closing = "}" if opening.startswith("{") else "]"
    deep = '{"filters": {"year": ' + opening * depth + "1" + closing * depth + "}}"
    answer = client.post("/v1/recommend", content=deep, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["x" * 100_000, "no " * 33_000, "<script>alert(1)</script>", "\0"])
def test_long_and_odd_words_are_answered(client, text):
    answer = client.post("/v1/recommend", json={"intent": text, "k": 3})
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 3


def test_a_large_body_is_refused_whether_its_length_is_told_or_not(client):
    body = json.dumps({"intent": "x" * 10_000_000}).encode()

    def chunks():
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    for content in (body, chunks()):
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            answer = own.post("/v1/recommend", content=content, headers=JSON)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


def test_ids_in_paths_are_text(client):
    for session_id in ("../../state", "%2e%2e%2flog.sqlite", "a%00b", "%F0%9F%98%80", "%ff"):
        assert client.get(f"/v1/sessions/{session_id}").status_code in (200, 404, 422)
        assert client.delete(f"/v1/sessions/{session_id}").status_code in (200, 404, 405, 422)


@pytest.mark.parametrize("session_id", ["a/b", "a\nb\n", "../x?y#z", "similar", "ü 😀", "%2f"])
def test_whatever_a_session_is_called_it_can_be_erased(client, session_id):
    event = {"event_id": "1", "session_id": session_id, "item_id": "i01"}
    assert client.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1
    path = f"/v1/sessions/{quote(session_id, safe='')}"
    assert client.get(path).json()["events"][0]["item_id"] == "i01"
    assert client.delete(path).json()["events"] == 1
    assert client.get(path).json()["events"] == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "TRACE"])
def test_other_methods_are_problems(client, method):
    answer = client.request(method, "/v1/recommend")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/nothing").status_code == 404


def test_keys_let_in_and_are_never_logged(artifact, tmp_path, caplog):
    keys = {"api_keys": "key-one,key-two", "admin_key": "key-three"}
    lines = logging.Handler()
    found = []
    lines.emit = lambda record: found.append(JsonFormatter().format(record))
    logging.getLogger("semrec").addHandler(lines)
    caplog.set_level(logging.INFO)
    with in_thread(artifact, tmp_path / "state", **keys) as client:
        for headers, status in (
            ({}, 401),
            ({"authorization": "Bearer key"}, 401),
            ({"authorization": "Basic key-one"}, 401),
            ({"authorization": "Bearer key-one"}, 200),
            ({"x-api-key": "key-two"}, 200),
            ({"x-api-key": "key-three"}, 401),
        ):
            body = {"intent": "key-one please"}
            assert client.post("/v1/recommend", json=body, headers=headers).status_code == status
        assert client.post("/admin/reload", headers={"x-api-key": "key-one"}).status_code == 401
        assert client.post("/admin/reload", headers={"x-api-key": "key-three"}).status_code == 200
        assert client.get("/health/ready").status_code == 200
        shown = client.get("/v1/config", headers={"x-api-key": "key-one"})
        assert "key-" not in shown.text
        assert shown.json()["api_keys"] == 2
    logging.getLogger("semrec").removeHandler(lines)
    assert found
    assert not any("key-" in line for line in found)


def test_without_an_admin_key_keys_dont_reload(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state", api_keys="one") as client:
        assert client.post("/admin/reload", headers={"x-api-key": "one"}).status_code == 403


def test_who_asks_too_often_waits(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state", api_keys="a,b", rate_per_s=0.5) as client:
        first = client.get("/v1/models", headers={"x-api-key": "a"})
        second = client.get("/v1/models", headers={"x-api-key": "a"})
        assert (first.status_code, second.status_code) == (200, 429)
        assert int(second.headers["retry-after"]) >= 1
        assert client.get("/v1/models", headers={"x-api-key": "b"}).status_code == 200


def test_rates_refill():
    now = [0.0]
    rates = Rates(2.0, lambda: now[0])
    assert [rates.wait_s(b"a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    now[0] = 0.5
    assert rates.wait_s(b"a") == 0
    assert rates.wait_s(b"a") == 0.5
    assert Rates(0.0).wait_s(b"a") == 0


@pytest.mark.parametrize(
    ("variables", "wrong"),
    [
        ({"WORKERS": "0"}, "setting workers"),
        ({"SESSIONS": "postgres://x"}, "setting sessions"),
        ({"SESSIONS": "memory", "WORKERS": "2"}, "take sqlite"),
        ({"PORT": "many"}, "setting port"),
        ({"SETTINGS": "nowhere.yaml"}, "no such file"),
    ],
)
def test_wrong_settings_are_said(monkeypatch, variables, wrong):
    for name, value in variables.items():
        monkeypatch.setenv(f"SEMREC_{name}", value)
    with pytest.raises(ConfigError, match=wrong):
        make_settings(artifact="x")


def test_flags_come_before_variables_and_these_before_the_file(monkeypatch, tmp_path):
    file = tmp_path / "serve.yaml"
    file.write_text("port: 1\nworkers: 2\nmax_queue: 3\napi_keys: [first-key, second-key]\n")
    monkeypatch.setenv("SEMREC_SETTINGS", str(file))
    monkeypatch.setenv("SEMREC_PORT", "10")
    monkeypatch.setenv("SEMREC_WORKERS", "20")
    found = make_settings(artifact="x", port=100)
    assert (found.port, found.workers, found.max_queue) == (100, 20, 3)
    assert found.redacted()["api_keys"] == 2
    assert "first-key" not in repr(found)
    file.write_text("prot: 1\n")
    with pytest.raises(ConfigError, match="prot"):
        make_settings(artifact="x")
