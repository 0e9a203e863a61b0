"""Chat over HTTP: kept conversations, streams, OpenAI's own client."""

import json

import pytest
from openai import OpenAI
from serving import in_thread


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("chat") / "state"


@pytest.fixture(scope="module")
def client(artifact, state):
    with in_thread(artifact, state) as client:
        yield client


def say(client, session_id, message, **fields):
    body = {"message": message, "session_id": session_id, **fields}
    answer = client.post("/v1/chat", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def test_a_conversation_goes_on_where_it_was(client):
    first = say(client, "a", "a space story, no jungle")
    assert first["understood"]["filters"] == {"labels": {"none": ["jungle"]}}
    assert first["reply"].startswith("A space story, no jungle: “")
    second = say(client, "a", "the second one looks good, and from 1980 or later")
    assert second["understood"]["filters"]["year"] == {"gte": 1980}
    assert ids(first)[1] not in ids(second)
    session = client.get("/v1/sessions/a").json()
    assert [(e["item_id"], e["type"]) for e in session["events"]] == [(ids(first)[1], "like")]
    third = say(client, "a", "jungle is fine")
    assert third["understood"]["filters"] == {"year": {"gte": 1980}}
    assert say(client, "other", "hello")["understood"]["filters"] == {}


def test_undo_takes_stored_events_back_too(client):
    first = say(client, "u", "a space story")
    liked = say(client, "u", "the second one looks good")
    assert ids(first)[1] not in ids(liked)
    assert len(client.get("/v1/sessions/u").json()["events"]) == 1
    undone = say(client, "u", "undo that")
    assert ids(undone) == ids(first)
    assert undone["understood"]["session"] == []
    assert client.get("/v1/sessions/u").json()["events"] == []
    assert "nothing to take back" in say(client, "fresh", "undo")["reply"]


def test_one_event_can_be_taken_back(client):
    event = {"event_id": "like-1", "session_id": "t", "item_id": "i03", "type": "like"}
    client.post("/v1/events", json={"events": [event]})
    gone = client.delete("/v1/sessions/t/events/like-1")
    assert gone.json() == {"session_id": "t", "events": 1, "recommendations": 0}
    assert client.get("/v1/sessions/t").json()["events"] == []
    assert client.delete("/v1/sessions/t/events/like-1").json()["events"] == 0


def test_events_from_elsewhere_are_heard(client):
    first = say(client, "b", "a space story")
    event = {"event_id": "1", "session_id": "b", "item_id": ids(first)[0], "type": "reject"}
    client.post("/v1/events", json={"events": [event]})
    again = say(client, "b", "")
    assert ids(first)[0] not in ids(again)
    assert {"item_id": ids(first)[0], "type": "reject"} in again["understood"]["session"]


def test_another_process_goes_on_with_it_and_erasing_ends_it(artifact, state, client):
    first = say(client, "c", "no jungle")
    with in_thread(artifact, state) as other:
        second = say(other, "c", "no court")
        assert second["understood"]["filters"] == {"labels": {"none": ["jungle", "court"]}}
    assert first["recommendation_id"] != second["recommendation_id"]
    client.delete("/v1/sessions/c")
    assert say(client, "c", "hello")["understood"]["filters"] == {}


def test_a_limit_that_another_artifact_knew_holds_no_longer(client):
    sessions = client.app.state.service.sessions
    kept = {"wishes": ["a story"], "filters": {"director": {"any": ["X"]}, "year": {"gte": 1980}}}
    sessions.keep("swapped", json.dumps(kept))
    assert say(client, "swapped", "hello")["understood"]["filters"] == {"year": {"gte": 1980}}


def test_understood_may_be_sent_back_edited(client):
    first = say(client, "d", "a space story, no jungle, from 1990 or later")
    edited = {**first["understood"], "filters": {"labels": {"none": ["jungle"]}}}
    assert say(client, "d", "", understood=edited)["understood"]["filters"] == edited["filters"]
    assert say(client, "d", "no court")["understood"]["filters"] == {
        "labels": {"none": ["jungle", "court"]}
    }
    alone = client.post("/v1/chat", json={"message": "not the first one", "understood": edited})
    assert edited["shown"][0] not in ids(alone.json())  # without a session, too


def test_a_list_of_a_chat_is_in_the_log(client, state):
    from semrec.serve.replay import replay

    answer = say(client, "e", "a ghost story, not in French", k=4)
    assert replay(answer["recommendation_id"], state).same


def test_explanations_and_trace(client):
    answer = say(client, "f", "a space story", explain=True, trace=True, k=3)
    assert all(item["explanation"] for item in answer["items"])
    assert answer["trace"]["weights"]
    body = {"intent": "a space story", "explain": True, "k": 3}
    found = client.post("/v1/recommend", json=body).json()
    assert found["items"][0]["explanation"].startswith("Space, as you asked")


def test_a_stream_gives_the_list_first_and_then_the_words(client):
    body = {"message": "a space story, no jungle", "stream": True, "k": 3}
    with client.stream("POST", "/v1/chat", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    events = []
    for part in text.strip().split("\n\n"):
        name, data = part.split("\n")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    names = [name for name, _ in events]
    assert names[0] == "items"
    assert names[-1] == "done"
    assert set(names[1:-1]) == {"words"}
    assert len(events[0][1]["items"]) == 3
    assert (
        "".join(data["text"] for name, data in events if name == "words") == events[-1][1]["reply"]
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "either `message` or `messages`"),
        ({"message": "x", "messages": [{"role": "user", "content": "x"}]}, "either"),
        ({"messages": []}, "body.messages"),
        ({"messages": [{"role": "dog", "content": "x"}]}, "role"),
        ({"message": "x", "understood": {"filter": {}}}, "did you mean 'filters'"),
        ({"message": "x", "understood": {"filters": {"yaer": 3}}}, "did you mean 'year'"),
        ({"message": "x", "understood": {"shown": [1]}}, "expected a list of texts"),
        ({"message": "x", "understood": {"session": [{}]}}, "understood: the event {} has no"),
        ({"message": "x" * 100_001}, "body.message"),
        ({"message": "x", "stranger": 1}, "stranger"),
    ],
)
def test_what_is_wrong_is_a_problem_with_a_reason(client, body, detail):
    answer = client.post("/v1/chat", json=body)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]


def test_a_hundred_thousand_characters_are_answered(client):
    text = "<script>alert(1)</script> no jungle, " * 2_700
    assert say(client, "g", text)["understood"]["filters"] == {"labels": {"none": ["jungle"]}}


@pytest.fixture(scope="module")
def openai(client):
    base = f"{str(client.base_url).rstrip('/')}/v1"
    with OpenAI(base_url=base, api_key="none", max_retries=0) as openai:
        yield openai


def test_openais_client_talks_to_it(openai):
    messages = [{"role": "user", "content": "a space story, no jungle"}]
    first = openai.chat.completions.create(model="semrec", messages=messages, temperature=0.7)
    words = first.choices[0].message.content
    assert words.startswith("A space story, no jungle: “")
    shown = [item["item_id"] for item in first.semrec["items"]]
    messages += [
        {"role": "assistant", "content": words},
        {"role": "user", "content": [{"type": "text", "text": "not the second one"}]},
    ]
    second = openai.chat.completions.create(model="semrec", messages=messages)
    again = [item["item_id"] for item in second.semrec["items"]]
    assert shown[1] not in again
    assert all("jungle" not in line for line in second.choices[0].message.content.split("\n")[1:])
    assert second.usage.total_tokens == second.usage.prompt_tokens + second.usage.completion_tokens


def test_openais_client_streams(openai):
    messages = [{"role": "user", "content": "a space story"}]
    whole = openai.chat.completions.create(model="semrec", messages=messages)
    stream = openai.chat.completions.create(
        model="semrec", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    words = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert words == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens > 0


def test_an_answer_without_a_question_is_refused(openai):
    from openai import UnprocessableEntityError

    with pytest.raises(UnprocessableEntityError, match="isn't the user's"):
        openai.chat.completions.create(
            model="semrec", messages=[{"role": "assistant", "content": "hi"}]
        )
