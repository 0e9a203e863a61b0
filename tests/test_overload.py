"""More than the engine can do: refused before it is read, dropped when nobody waits any more."""

import json
import socket
import threading
import time
from http.client import HTTPResponse

import httpx
import pytest
from serving import in_thread

import semrec


class Held:
    """A recommender that answers when it is let, and notes what reached it."""

    def __init__(self, recommender):
        self._recommender = recommender
        self.go = threading.Event()
        self.go.set()
        self.reached = []

    def __getattr__(self, name):
        return getattr(self._recommender, name)

    def recommend_many(self, queries):
        self.reached += [query.intent for query in queries]
        if any(query.intent == "break" for query in queries):
            raise RuntimeError("something of ours")
        self.go.wait(60)
        return self._recommender.recommend_many(queries)


@pytest.fixture(scope="module")
def held(artifact):
    return Held(semrec.load(artifact))


@pytest.fixture(scope="module")
def client(artifact, held, tmp_path_factory):
    settings = {"threads": 1, "max_queue": 2}
    state = tmp_path_factory.mktemp("overload") / "state"
    with in_thread(artifact, state, lambda _: held, **settings) as client:
        yield client


@pytest.fixture
def asked(client, held):
    """Ask in the background; answers are collected once the recommender is let go."""
    yield from asking(client, held)


def asking(client, held):
    held.go.clear()
    held.reached.clear()
    answers, threads = {}, []

    def ask(intent, **fields):
        def run():
            body = {"intent": intent, "k": 1, **fields}
            answers[intent] = httpx.post(
                f"{client.base_url}/v1/recommend", json=body, timeout=60
            ).status_code

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    def collect():
        held.go.set()
        for thread in threads:
            thread.join()
        return answers

    ask.collect = collect
    yield ask
    collect()


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def waiting(client):
    return len(client.app.state.service.engine._waiting)


def announce(client, path="/v1/recommend"):
    """A connection that has announced a body and sends nothing of it."""
    url = client.base_url
    connection = socket.create_connection((url.host, url.port), timeout=60)
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    connection.sendall(f"{head}content-length: 1000\r\n\r\n".encode())
    return connection


def test_past_the_queue_a_503_comes_before_the_body_is_sent(client, held, asked):
    asked("first")
    until(lambda: held.reached)
    asked("second")
    asked("third")
    until(lambda: waiting(client) == 2)
    with announce(client) as connection:
        answer = HTTPResponse(connection)
        answer.begin()
        problem = json.loads(answer.read())
        answer.close()
    assert (answer.status, problem["status"]) == (503, 503)
    assert answer.getheader("retry-after") == "1"
    # What doesn't need the engine is served all the time.
    event = {"event_id": "1", "session_id": "s", "item_id": "i01"}
    assert client.post("/v1/events", json={"events": [event]}).status_code == 200
    assert client.get("/health/ready").status_code == 200
    assert 'semrec_refused_total{why="queue"} 1.0' in client.get("/metrics").text
    assert asked.collect() == {"first": 200, "second": 200, "third": 200}
    assert client.post("/v1/recommend", json={}).status_code == 200


def test_whose_budget_passed_is_told_and_never_reaches_the_recommender(client, held, asked):
    asked("first")
    until(lambda: held.reached)
    asked("late", budget_ms=50)
    until(lambda: waiting(client) == 1)
    time.sleep(0.1)
    assert asked.collect() == {"first": 200, "late": 503}
    assert held.reached == ["first"]


def test_who_hung_up_never_reaches_the_recommender(client, held, asked):
    asked("first")
    until(lambda: held.reached)
    body = json.dumps({"intent": "gone"}).encode()
    with announce(client) as connection:
        connection.sendall(body + b" " * (1000 - len(body)))
        until(lambda: waiting(client) == 1)
    until(lambda: waiting(client) == 0)  # who is gone takes nobody's room
    asked("last")
    until(lambda: waiting(client) == 1)
    assert asked.collect() == {"first": 200, "last": 200}
    assert held.reached == ["first", "last"]


def test_an_error_of_ours_is_a_problem_with_an_id_and_no_more(client):
    answer = client.post("/v1/recommend", json={"intent": "break"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] in answer.json()["detail"]
    assert "something of ours" not in answer.text


def test_a_budget_of_nothing_still_gets_a_list(client):
    answer = client.post("/v1/recommend", json={"budget_ms": 0, "k": 3})
    assert len(answer.json()["items"]) == 3


def test_at_the_end_what_was_accepted_is_answered(artifact, held, tmp_path):
    with in_thread(artifact, tmp_path / "state", lambda _: held, threads=1) as client:
        asking_here = asking(client, held)
        asked = next(asking_here)
        asked("first")
        until(lambda: held.reached)
        asked("second")
        until(lambda: waiting(client) == 1)
        client.server.should_exit = True  # what SIGTERM does
        time.sleep(0.5)
        assert asked.collect() == {"first": 200, "second": 200}
