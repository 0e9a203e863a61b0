"""Who may use the tools, how much of them, and what becomes of calls that nobody waits for."""

import json
import socket
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from held_mcp import LIMITS, HeldByFile
from mcp_client import HTTP, over_http, over_stdio
from serving import in_thread
from test_overload import until

import semrec

JSON = {"content-type": "application/json", "accept": "application/json"}
BUSY = "too many requests wait already"


def message(method, identity=1, **params):
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}


PING = message("ping")


@pytest.fixture(scope="module")
def open_service(artifact, tmp_path_factory):
    with in_thread(artifact, tmp_path_factory.mktemp("open") / "state", mcp=True) as client:
        yield client


# Keys and limits


def test_it_is_off_by_default(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state") as client:
        assert client.post("/mcp", json=PING, headers=JSON).status_code == 404


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/mcp/x", "/mcpx"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_the_key_nothing_is_there(guarded, method, path):
    for headers in ({}, {"x-api-key": "boss"}, {"authorization": "Bearer other"}):
        answer = guarded.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "invalid_api_key"


@pytest.fixture(scope="module")
def guarded(artifact, tmp_path_factory):
    keys = {"api_keys": "shop,desk", "admin_key": "boss"}
    state = tmp_path_factory.mktemp("guarded") / "state"
    with in_thread(artifact, state, mcp=True, **keys) as client:
        yield client


@pytest.mark.parametrize("mode", HTTP)
def test_with_a_key_the_tools_answer(guarded, mode):
    for headers in ({"authorization": "Bearer shop"}, {"x-api-key": "desk"}):
        with over_http(guarded.base_url, mode, headers) as client:
            assert client.call("recommend", k=3)["items"]
    served = guarded.get("/admin/served", headers={"x-api-key": "boss"}).json()
    assert "POST /mcp" in [of["endpoint"] for of in served["endpoints"]]


def test_rates_and_sizes_are_those_of_all_requests(artifact, tmp_path):
    limits = {"rate_per_s": 0.5, "max_body_bytes": 1_000}
    with in_thread(artifact, tmp_path / "state", mcp=True, **limits) as client:
        long = message("tools/call", name="recommend", arguments={"intent": "x" * 2_000})
        assert client.post("/mcp", json=long, headers=JSON).status_code == 413
        answer = client.post("/mcp", json=PING, headers=JSON)
        assert answer.status_code == 429
        assert answer.headers["retry-after"]


def test_a_body_without_a_length_is_limited_too(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state", mcp=True, max_body_bytes=1_000) as client:
        pieces = (b" " * 500 for _ in range(10))
        assert client.post("/mcp", content=pieces, headers=JSON).status_code == 413


# Host and Origin


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8000", 200),
        ("[::1]:8000", 200),
        ("films.example.org", 200),
        ("films.example.org:8443", 200),
        ("only.example.org:8443", 200),
        ("only.example.org:8444", 421),
        ("evil.example.org", 421),
        ("localhost.evil.example.org", 421),
        ("127.0.0.1.evil.example.org:80", 421),
        ("films.example.org.evil.org", 421),
        ("", 421),
    ],
)
def test_other_names_are_refused(artifact, named, host, status):
    answer = named.post("/mcp", json=PING, headers=JSON | {"host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"found Host {host!r}" in answer.json()["detail"]
        assert "mcp_hosts" in answer.json()["detail"]
        assert 'semrec_refused_total{why="host"}' in named.get("/metrics").text


@pytest.fixture(scope="module")
def named(artifact, tmp_path_factory):
    names = {
        "mcp_hosts": "films.example.org, only.example.org:8443",
        "cors_origins": "https://chat.example.org",
    }
    state = tmp_path_factory.mktemp("named") / "state"
    with in_thread(artifact, state, mcp=True, **names) as client:
        yield client


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:6274", 200),
        ("https://films.example.org", 200),
        ("https://chat.example.org", 200),
        ("https://chat.example.org.evil.org", 403),
        ("http://chat.example.org", 403),
        ("https://evil.example.org", 403),
        ("http://localhost.evil.org", 403),
        ("null", 403),
    ],
)
def test_other_pages_are_refused(named, origin, status):
    answer = named.post("/mcp", json=PING, headers=JSON | {"origin": origin})
    assert answer.status_code == status
    if status == 403:
        assert f"found Origin {origin!r}" in answer.json()["detail"]


def test_a_page_that_is_let_in_may_send_the_protocols_headers(named):
    asked = {
        "origin": "https://chat.example.org",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,mcp-protocol-version,mcp-session-id",
    }
    answer = named.options("/mcp", headers=asked)
    assert answer.status_code == 200
    assert "mcp-protocol-version" in answer.headers["access-control-allow-headers"].lower()


def test_only_json_is_taken_and_only_sent(open_service):
    plain = JSON | {"content-type": "text/plain"}  # what a page may send anywhere
    assert open_service.post("/mcp", content="{}", headers=plain).status_code == 400
    for method in ("GET", "DELETE"):  # no stream to open, no session to end
        assert open_service.request(method, "/mcp").status_code == 405


# Calls that nobody waits for


def reached(folder):
    """What reached a held recommender."""
    path = folder / "reached"
    return path.read_text().splitlines() if path.exists() else []


class Waiting:
    """A service that holds what it answers, and its client."""

    def __init__(self, client, folder, waits=None):
        self.client, self.folder, self.waits = client, folder, waits

    def hold(self):
        (self.folder / "reached").unlink(missing_ok=True)
        (self.folder / "hold").touch()

    def release(self):
        (self.folder / "hold").unlink(missing_ok=True)

    def start(self, intent):
        return self.client.start("recommend", intent=intent, k=1)

    def fill(self):
        """A call at work, one that waits, and the proof that there is room for no other."""
        self.hold()
        first = self.start("first")
        until(lambda: reached(self.folder) == ["first"])
        second = self.start("second")
        if self.waits is not None:  # over stdio calls arrive in their order
            until(lambda: len(self.waits) == 1)
        assert self.client.refusal("recommend", intent="probe") == BUSY
        return first, second

    def start_once_there_is_room(self, intent):
        calls = []

        def waits():
            calls.append(self.start(intent))
            time.sleep(0.3)
            return not calls[-1].done()

        until(waits)
        assert {call.result().content[0].text for call in calls[:-1]} <= {BUSY}
        return calls[-1]


@contextmanager
def held_in_thread(artifact, folder, **limits):
    def load(path):
        return HeldByFile(semrec.load(path), folder)

    with in_thread(artifact, folder / "state", load, mcp=True, **limits) as service:
        try:
            yield service
        finally:
            (folder / "hold").unlink(missing_ok=True)


@pytest.fixture(scope="module", params=[*HTTP, "stdio", "stdio legacy"])
def waiting(request, artifact, tmp_path_factory):
    folder = tmp_path_factory.mktemp("held")
    kind, _, mode = request.param.partition(" ")
    if kind == "stdio":
        script = Path(__file__).with_name("held_mcp.py")
        with over_stdio(
            script, artifact, folder, log=folder / "log", mode=mode or "auto"
        ) as client:
            yield Waiting(client, folder)
    else:
        with (
            held_in_thread(artifact, folder, **LIMITS) as service,
            over_http(service.base_url, kind) as client,
        ):
            yield Waiting(client, folder, service.app.state.service.engine._waiting)


def test_a_cancelled_call_frees_its_place(waiting):
    first, second = waiting.fill()
    second.cancel()
    third = waiting.start_once_there_is_room("third")
    waiting.release()
    for call in (first, third):
        assert len(call.result(60).structured_content["items"]) == 1
    with pytest.raises(CancelledError):
        second.result(60)
    assert "second" not in reached(waiting.folder)
    assert waiting.client.call("recommend", intent="after", k=1)["items"]


def test_past_the_queue_a_call_is_refused_in_words(waiting):
    first, second = waiting.fill()
    assert waiting.client.refusal("recommend", intent="third") == BUSY
    waiting.release()
    for call in (first, second):
        assert not call.result(60).is_error


def test_an_error_of_ours_says_nothing_of_it(waiting):
    answer = waiting.client.refusal("recommend", intent="break")
    assert answer == "an error of ours; it was logged"


def test_what_needs_no_engine_is_answered_all_the_time(waiting):
    first, second = waiting.fill()
    assert waiting.client.call("get_item", item_id="i07")["item_id"] == "i07"
    assert waiting.client.list_tools().tools
    waiting.release()
    for call in (first, second):
        assert not call.result(60).is_error


def call_of(url, session, identity, intent):
    """A connection on which a call was sent as clients up to 2025-11-25 send it."""
    arguments = {"intent": intent, "k": 1}
    body = json.dumps(message("tools/call", identity, name="recommend", arguments=arguments))
    connection = socket.create_connection((url.host, url.port), timeout=60)
    head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n"
    head += "content-type: application/json\r\nmcp-protocol-version: 2025-11-25\r\n"
    head += f"mcp-session-id: {session}\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())
    return connection


def test_a_notification_cancels_calls_of_its_own_session_alone(artifact, tmp_path):
    with held_in_thread(artifact, tmp_path, threads=1) as service:
        start = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        answers = [
            service.post("/mcp", json=message("initialize", **start), headers=JSON)
            for _ in range(2)
        ]
        sessions = [answer.headers["mcp-session-id"] for answer in answers]
        assert len(set(sessions)) == 2
        assert "mcp-session-id" not in service.post("/mcp", json=PING, headers=JSON).headers
        waits = service.app.state.service.engine._waiting
        (tmp_path / "hold").touch()
        connections = [call_of(service.base_url, "none", 7, "first")]
        until(lambda: reached(tmp_path) == ["first"])
        connections += [call_of(service.base_url, of, 7, of) for of in sessions]
        until(lambda: len(waits) == 2)
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
        headers = JSON | {"mcp-protocol-version": "2025-11-25"}
        for session, identity in (("", 7), ("none", 8), (sessions[0], 8), (sessions[1], 7)):
            body = cancelled | {"params": {"requestId": identity}}
            more = {"mcp-session-id": session} if session else {}
            assert service.post("/mcp", json=body, headers=headers | more).status_code == 202
        until(lambda: len(waits) == 1)
        assert waits[0].query.intent == sessions[0]
        (tmp_path / "hold").unlink()
        for connection in connections:
            assert connection.recv(9) == b"HTTP/1.1 "
            connection.close()
    assert reached(tmp_path) == ["first", sessions[0]]


def test_who_hung_up_takes_nobodys_place(artifact, tmp_path):
    with held_in_thread(artifact, tmp_path, **LIMITS) as service:
        waits = service.app.state.service.engine._waiting
        (tmp_path / "hold").touch()
        with call_of(service.base_url, "a", 1, "first"):
            until(lambda: reached(tmp_path) == ["first"])
            with call_of(service.base_url, "a", 2, "second"):
                until(lambda: len(waits) == 1)
            until(lambda: not waits)
        (tmp_path / "hold").unlink()
        assert httpx.get(f"{service.base_url}/health/ready").status_code == 200
