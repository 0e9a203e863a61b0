"""Replies by a language model: against a real server that is good, wrong, slow, broken, hostile."""

import json
import time

import pytest
from conftest import world_config
from model_server import serving
from serving import in_thread
from twelve_films import write_films

import semrec
from semrec.chat.answering import respond
from semrec.chat.llm_replies import ReplyWriter, is_grounded
from semrec.endpoint import Address, Endpoint
from semrec.errors import ConfigError
from semrec.serve.settings import make_settings

KEY = "secret-key"
MESSAGE = "a quiet heist, no horror, by Tarkovsky"
GOOD = "A quiet heist without horror: “Rififi” from 1955 is a crime drama that fits."


def answer(text):
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@pytest.fixture(scope="module")
def artifact_of_films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    semrec.build(write_films(folder / "data"), config=world_config(), out=folder / "artifact")
    return folder / "artifact"


@pytest.fixture(scope="module")
def films(artifact_of_films):
    return semrec.load(artifact_of_films)


@pytest.fixture(scope="module")
def turn(films):
    turn = respond(films, MESSAGE)
    assert {"Rififi", "Heat"} <= {item.title for item in turn.recommendations.items}
    return turn


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def writer(server, monkeypatch):
    monkeypatch.setenv("REPLY_TEST_KEY", KEY)
    endpoint = Endpoint(
        address=Address(url=f"{server.url}/chat/completions", key_variable="REPLY_TEST_KEY"),
        what="chat_reply model",
    )
    yield ReplyWriter(endpoint=endpoint, model="words-1", budget_ms=3_000)
    endpoint.close()


def reworded(writer, turn, films, left_ms=float("inf")):
    return writer.reworded(turn, MESSAGE, films, left_ms).reply


def test_a_grounded_reply_is_sent_with_what_cannot_be_checked(server, writer, turn, films):
    server.mode = answer(GOOD)
    assert reworded(writer, turn, films) == f"{GOOD} I can’t check “by Tarkovsky” here."
    [(path, headers, body, _)] = server.asked
    assert path == "/v1/chat/completions"
    assert {name.lower(): v for name, v in headers.items()}["authorization"] == f"Bearer {KEY}"
    assert body["model"] == "words-1"
    assert "“Rififi”" in body["messages"][0]["content"]
    assert MESSAGE in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "text",
    [
        "Try “The Godfather”, a crime drama.",  # not in the catalogue
        "Try The Godfather, a crime drama.",
        "Rififi comes first. Then Topkapi.",
        "“Rififi” is a comedy.",  # another item's label
        "“Rififi” is from 1954.",
        "“Rififi” was directed by Jules Dassin.",
        "“Rififi” has won 3 prizes.",
        "Dassin made “Rififi”.",
        "“Rififi” <script>alert(1)</script>",
        "**“Rififi”** fits.",
        "See https://evil.example for “Rififi”.",
        "“Rififi” " + "fits so well " * 30,
        "",
        "\x1b[2J “Rififi”",
    ],
)
def test_what_is_not_grounded_is_the_templates(server, writer, turn, films, text):
    server.mode = answer(text)
    assert reworded(writer, turn, films) == turn.reply


@pytest.mark.parametrize("text", [GOOD, "I’d start with “Rififi”, then “Heat”.", "Rififi fits."])
def test_what_is_grounded_holds(turn, films, text):
    assert is_grounded(text, turn, films)


@pytest.mark.parametrize(
    "mode",
    [
        "error",
        "redirect",
        "hang up",
        "truncated",
        b"{",
        b"[]",
        b'{"choices": []}',
        b"x" * 2_000_000,
    ],
)
def test_a_broken_endpoint_leaves_the_templates(server, writer, turn, films, mode, caplog):
    server.mode = mode
    assert reworded(writer, turn, films) == turn.reply
    assert len(server.asked) == 1  # no redirect was followed
    assert KEY not in caplog.text


@pytest.mark.parametrize("mode", ["slow", "drip", "drip head"])
def test_a_slow_one_is_left_in_time(server, writer, turn, films, mode):
    server.mode = mode
    began = time.monotonic()
    assert reworded(writer, turn, films, left_ms=300) == turn.reply
    assert time.monotonic() - began < 5


def test_acts_keep_their_words(server, writer, turn, films):
    thanks = respond(films, "thanks", turn.conversation)
    assert reworded(writer, thanks, films) == thanks.reply
    assert not server.asked


def test_the_service_takes_it_from_its_settings_alone(server, artifact_of_films, tmp_path):
    server.mode = answer(GOOD)
    given = {
        "chat_reply": "llm",
        "chat_reply_url": f"{server.url}/chat/completions",
        "chat_reply_model": "words-1",
    }
    with in_thread(artifact_of_films, tmp_path / "state", **given) as client:
        body = {"message": MESSAGE, "k": 10}
        assert client.post("/v1/chat", json=body).json()["reply"].startswith(GOOD)
        refused = client.post("/v1/chat", json={**body, "chat_reply_url": "http://evil.example"})
        assert refused.status_code == 422
        server.mode = answer("Try “The Godfather”.")
        assert "Godfather" not in client.post("/v1/chat", json=body).json()["reply"]


def test_settings_without_an_address_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="chat_reply_url"):
        make_settings(artifact=tmp_path, chat_reply="llm")
    shown = make_settings(
        artifact=tmp_path, chat_reply="llm", chat_reply_url="http://inside/v1", chat_reply_model="m"
    ).redacted()
    assert "inside" not in json.dumps(shown)
