"""Judges behind HTTP: in time whatever the server does, and keys that stay in the environment."""

import json
import time

import numpy as np
import pytest
from model_server import serving

from semrec.deadline import NEVER, Deadline
from semrec.endpoint import Address, Endpoint
from semrec.errors import ConfigError, ModelError
from semrec.prompting import load_prompt
from semrec.rerankers.remote import ChatReranker, ServiceReranker

TEXTS = ["Alien", "a ghost story", "The wedding"]
KEY = "secret-key"


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def service(server):
    endpoint = Endpoint(
        address=Address(url=f"{server.url}/rerank", key_variable="RERANK_TEST_KEY"), what="reranker"
    )
    yield ServiceReranker(endpoint=endpoint, model="judge-1")
    endpoint.close()


@pytest.fixture
def chat(server):
    endpoint = Endpoint(address=Address(url=f"{server.url}/chat/completions"), what="reranker")
    prompt = load_prompt("rerank_listwise", "rerank_listwise")
    yield ChatReranker(endpoint=endpoint, model="chat-1", prompt=prompt)
    endpoint.close()


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("RERANK_TEST_KEY", KEY)


def test_a_service_is_asked_in_its_own_form_over_one_connection(server, service):
    for _ in range(3):
        [judged] = service.rerank("a ghost", TEXTS, NEVER)
    assert judged.positions[np.argmax(judged.scores)] == 1
    paths, headers, bodies, addresses = zip(*server.asked, strict=True)
    assert paths[0] == "/v1/rerank"
    assert {name.lower(): v for name, v in headers[0].items()}["authorization"] == f"Bearer {KEY}"
    assert bodies[0] == {"model": "judge-1", "query": "a ghost", "documents": TEXTS, "top_n": 3}
    assert len(set(addresses)) == 1


@pytest.mark.parametrize(
    ("form", "path", "sent"),
    [
        ("tei", "rerank", {"query": "a ghost", "texts": TEXTS, "truncate": True}),
        ("score", "score", {"text_1": "a ghost", "text_2": TEXTS}),
    ],
)
def test_a_service_of_another_form_is_asked_in_that(server, form, path, sent):
    endpoint = Endpoint(address=Address(url=f"{server.url}/{path}"), what="reranker")
    [judged] = ServiceReranker(endpoint=endpoint, model="m", form=form).rerank(
        "a ghost", TEXTS, NEVER
    )
    assert judged.positions[np.argmax(judged.scores)] == 1
    assert (judged.missing, judged.invented) == (0, 0)
    [(_, _, body, _)] = server.asked
    assert body == {"model": "m", **sent}
    endpoint.close()


def test_a_chat_model_ranks_the_list(server, chat):
    [judged] = chat.rerank("a ghost", TEXTS, NEVER)
    assert judged.positions[0] == 1
    [(path, headers, body, _)] = server.asked
    assert path == "/v1/chat/completions"
    assert "authorization" not in {name.lower() for name in headers}
    assert body["model"] == "chat-1"
    assert "[2] a ghost story" in body["messages"][0]["content"]


@pytest.mark.parametrize("mode", ["slow", "drip", "drip head"])
def test_it_is_cut_at_the_deadline_and_works_again_afterwards(server, service, mode):
    server.mode = mode
    start = time.monotonic()
    assert list(service.rerank("a ghost", TEXTS, Deadline.within(300))) == []
    assert 0.3 <= time.monotonic() - start < 10
    server.mode = "right"
    assert list(service.rerank("a ghost", TEXTS, NEVER))


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ("error", "answered 500"),
        ("redirect", "answered 302"),
        ("truncated", "RemoteProtocolError"),
        ("hang up", "RemoteProtocolError"),
        (b"<html><body>Welcome</body></html>", "JSONDecodeError"),
        (b" " * 3_000_000, "over 1,000,000 bytes"),
        (b"[" * 500_000, "RecursionError"),
        (b'"no"', "without a list of results"),
        (b'{"results": {"0": 1}}', "without a list of results"),
    ],
)
def test_what_is_no_answer_is_told_without_the_key(server, service, mode, found):
    server.mode = mode
    with pytest.raises(ModelError, match=found) as raised:
        list(service.rerank("a ghost", TEXTS, NEVER))
    assert KEY not in str(raised.value)
    assert KEY not in repr(service)
    assert [path for path, *_ in server.asked] == ["/v1/rerank"]  # no redirect was followed


def test_faults_in_an_answer_are_counted_and_the_rest_counts(server, service):
    results = [
        {"index": 2, "relevance_score": 0.5},
        {"index": 2, "relevance_score": 0.9},
        {"index": 7, "relevance_score": 0.9},
        {"index": -1, "relevance_score": 0.9},
        {"index": True, "relevance_score": 0.9},
        {"index": 0, "relevance_score": "high"},
        {"index": 0, "relevance_score": 10**400},
        {"index": 1},
        "nonsense",
    ]
    server.mode = json.dumps({"results": results}).encode()
    [judged] = service.rerank("a ghost", TEXTS, NEVER)
    assert judged.positions.tolist() == [2]
    assert judged.scores.tolist() == [0.5]
    assert (judged.missing, judged.doubled, judged.invented) == (2, 1, 7)


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"message": None}]}, [1]])
def test_a_chat_answer_without_content_is_told(server, chat, answer):
    server.mode = json.dumps(answer).encode()
    with pytest.raises(ModelError, match="without choices"):
        list(chat.rerank("a ghost", TEXTS, NEVER))


def test_chatter_judges_nothing(server, chat):
    answer = {"choices": [{"message": {"content": "I'd rather not."}}]}
    server.mode = json.dumps(answer).encode()
    [judged] = chat.rerank("a ghost", TEXTS, NEVER)
    assert len(judged.positions) == 0
    assert judged.missing == 3


def test_an_absent_server_is_told():
    endpoint = Endpoint(address=Address(url="http://127.0.0.1:9/rerank"), what="reranker")
    with pytest.raises(ModelError, match=r"reranker at 127\.0\.0\.1:9: ConnectError"):
        list(ServiceReranker(endpoint=endpoint, model="m").rerank("a ghost", TEXTS, NEVER))
    endpoint.close()


def test_a_missing_key_is_told_before_anything_is_sent(server, service, monkeypatch):
    monkeypatch.delenv("RERANK_TEST_KEY")
    with pytest.raises(ModelError, match="RERANK_TEST_KEY isn't set"):
        list(service.rerank("a ghost", TEXTS, NEVER))
    assert not server.asked


@pytest.mark.parametrize("bad", ["secret\nkey", "secret\u00e9key"])
def test_a_key_that_can_not_be_sent_is_not_quoted(server, service, monkeypatch, bad):
    monkeypatch.setenv("RERANK_TEST_KEY", bad)
    with pytest.raises(ModelError) as raised:
        list(service.rerank("a ghost", TEXTS, NEVER))
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "url",
    ["", "localhost:80/rerank", "ftp://host/rerank", "http:///x", "http://me:secret@host/rerank",
     "https://host/rerank?key=secret"],
)  # fmt: skip
def test_a_url_without_host_or_with_a_secret_is_refused(url):
    with pytest.raises(ConfigError) as raised:
        Endpoint(address=Address(url=url), what="reranker")
    assert "secret" not in str(raised.value)
