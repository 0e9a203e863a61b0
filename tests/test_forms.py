"""Forms of OpenAI, Cohere, Jina and Voyage: honoured, without effect and said so, or refused."""

import base64
import json

import numpy as np
import pytest
from openai import APIStatusError, OpenAI, UnprocessableEntityError
from openai.types.chat import completion_create_params
from openai.types.embedding_create_params import EmbeddingCreateParams
from serving import in_thread

from semrec.serve.routes.completion_form import CompletionRequest
from semrec.serve.routes.openai import EmbeddingsRequest

HELLO = [{"role": "user", "content": "a space story, no jungle"}]
TOOL = {"type": "function", "function": {"name": "buy", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def client(artifact, tmp_path_factory):
    with in_thread(artifact, tmp_path_factory.mktemp("forms") / "state") as client:
        yield client


@pytest.fixture(scope="module")
def openai(client):
    base = f"{str(client.base_url).rstrip('/')}/v1"
    with OpenAI(base_url=base, api_key="none", max_retries=0) as openai:
        yield openai


def complete(client, **fields):
    answer = client.post("/v1/chat/completions", json={"messages": HELLO, **fields})
    assert answer.status_code == 200, answer.text
    return answer


def ids(answer):
    return [item["item_id"] for item in answer.json()["semrec"]["items"]]


def test_every_field_that_openais_client_documents_is_here():
    asked = completion_create_params.CompletionCreateParamsBase.__annotations__
    assert set(asked) - set(CompletionRequest.model_fields) == set()
    assert set(EmbeddingCreateParams.__annotations__) <= set(EmbeddingsRequest.model_fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": []},
        {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": True},
        {"tools": [TOOL], "tool_choice": "none"},
        {"functions": [{"name": "buy"}], "function_call": "auto"},
        {"logprobs": False, "top_logprobs": 0},
        {"response_format": {"type": "text"}},
        {"metadata": {"a": "b"}, "store": False, "service_tier": "auto", "user": "u"},
        {"reasoning_effort": "low", "verbosity": "low", "logit_bias": {"50256": -100}},
        {"temperature": 0.7, "top_p": 0.9, "seed": 1, "presence_penalty": 1, "n": 1},
        {"modalities": ["text"], "prediction": {"type": "content", "content": "x"}},
        {"tools": None, "stop": None, "n": None, "stream": None, "semrec": None, "model": None},
    ],
)
def test_what_the_form_documents_is_taken_and_changes_nothing(client, fields):
    assert ids(complete(client, **fields)) == ids(complete(client))


def test_what_has_no_effect_is_said(client):
    answer = complete(client, model="gpt-4o", temperature=0.7, tools=[TOOL], store=False, user=None)
    assert answer.headers["x-semrec-ignored"] == "model, temperature, tools"
    body = answer.json()
    assert body["model"] == "semrec"
    assert "there is no model 'gpt-4o' here, semrec answers" in body["semrec"]["notes"]
    assert "without effect: temperature, tools" in body["semrec"]["notes"]
    assert "x-semrec-ignored" not in complete(client, model="semrec").headers
    system = {"role": "system", "content": "You are a pirate."}
    answer = complete(client, messages=[system, *HELLO])
    assert answer.headers["x-semrec-ignored"] == "messages.system"
    assert any("system prompts aren't followed" in n for n in answer.json()["semrec"]["notes"])


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"n": 2}, "n", "expected 1"),
        ({"logprobs": True}, "logprobs", "no log probabilities"),
        ({"tools": [TOOL], "tool_choice": "required"}, "tool_choice", "no tool is ever called"),
        ({"tools": [TOOL], "tool_choice": TOOL}, "tool_choice", "no tool is ever called"),
        ({"function_call": {"name": "buy"}}, "function_call", "no tool is ever called"),
        ({"modalities": ["text", "audio"]}, "modalities", "answers are words"),
        ({"web_search_options": {}}, "web_search_options", "searched in the web"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format",
            "'json_object'} gives the list as JSON",
        ),
        ({"response_format": {"type": "xml"}}, "response_format", "expected text or json_object"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"semrec": {"kk": 3}}, "semrec.kk", "did you mean 'k'"),
        ({"semrec": {"k": 0}}, "semrec.k", "at least 1"),
        ({"mesages": []}, "mesages", "did you mean 'messages'"),
    ],
)
def test_what_cant_be_honoured_is_a_clear_error(openai, fields, param, words):
    with pytest.raises(APIStatusError) as caught:
        openai.chat.completions.create(model="semrec", messages=HELLO, extra_body=fields)
    assert caught.value.status_code == 422
    assert caught.value.param == param
    assert words in caught.value.message
    assert caught.value.body["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "image_url", "image_url": {"url": "http://x"}}, "'image_url', expected text"),
        ({"type": "input_audio", "input_audio": {}}, "'input_audio', expected text"),
        ({"type": "file", "file": {}}, "'file', expected text"),
        ({"text": "x"}, "messages.0.content.1.type: is missing"),
    ],
)
def test_a_picture_is_refused_in_words(client, part, words):
    messages = [{"role": "user", "content": [{"type": "text", "text": "like this"}, part]}]
    answer = client.post("/v1/chat/completions", json={"messages": messages})
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"].startswith("messages.0.content.1")


def test_a_second_turn_is_sent_as_the_client_dumps_the_first(openai):
    first = openai.chat.completions.create(model="semrec", messages=HELLO)
    shown = [item["item_id"] for item in first.semrec["items"]]
    for dumped in (
        first.choices[0].message.model_dump(),
        first.choices[0].message,
        {**first.choices[0].message.model_dump(), "reasoning_content": None, "parts": []},
    ):
        messages = [*HELLO, dumped, {"role": "user", "content": "not the second one"}]
        second = openai.chat.completions.create(model="semrec", messages=messages)
        assert shown[1] not in [item["item_id"] for item in second.semrec["items"]]


def test_a_conversation_with_tools_of_another_model_goes_on(client):
    call = {"id": "1", "type": "function", "function": {"name": "buy", "arguments": "{}"}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]
    answer = complete(client, messages=messages)
    assert ids(answer) == ids(complete(client))
    assert answer.headers["x-semrec-ignored"] == "messages.developer, messages.tool"


def test_the_reply_is_cut_where_it_is_asked(client):
    whole = complete(client).json()["choices"][0]
    short = complete(client, max_tokens=5).json()
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens"] == 5
    assert whole["message"]["content"].startswith(short["choices"][0]["message"]["content"])
    stopped = complete(client, stop=["1.", "\n"]).json()["choices"][0]
    assert stopped["finish_reason"] == "stop"
    assert stopped["message"]["content"] == whole["message"]["content"].split("\n")[0]


def test_the_list_comes_as_json_where_json_is_asked_for(openai):
    answer = openai.chat.completions.create(
        model="semrec", messages=HELLO, response_format={"type": "json_object"}
    )
    content = json.loads(answer.choices[0].message.content)
    assert [item["item_id"] for item in content["items"]] == [
        item["item_id"] for item in answer.semrec["items"]
    ]
    assert content["items"][0]["labels"][0] == "space"
    assert content["reply"]


def test_k_filters_and_the_session_go_into_an_object_of_their_own(client):
    asked = {"k": 3, "filters": {"year": {"gte": 1990}}, "session_id": "form"}
    answer = complete(client, semrec=asked)
    assert len(ids(answer)) == 3
    assert all(int(item_id[1:]) >= 30 for item_id in ids(answer))
    liked = [{"role": "user", "content": "the first one looks good"}]
    complete(client, messages=liked, semrec={"session_id": "form"})
    events = client.get("/v1/sessions/form").json()["events"]
    assert [event["item_id"] for event in events] == [ids(answer)[0]]


def test_a_stream_has_the_list_the_words_and_the_usage(openai, client):
    asked = {"model": "gpt-4o", "messages": HELLO, "stream": True}
    with openai.chat.completions.with_streaming_response.create(**asked) as answer:
        assert answer.headers["x-semrec-ignored"] == "model"
    chunks = list(openai.chat.completions.create(**asked, stream_options={"include_usage": True}))
    assert [item["item_id"] for item in chunks[0].semrec["items"]] == ids(complete(client))
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_models_are_had_one_by_one(openai, rec):
    names = [model.id for model in openai.models.list()]
    assert names == ["semrec", rec.encoder.name]
    assert [openai.models.retrieve(name).id for name in names] == names
    with pytest.raises(APIStatusError) as caught:
        openai.models.retrieve("gpt-9")
    assert caught.value.status_code == 404
    assert "semrec" in caught.value.message


def test_embeddings_of_two_thousand_texts(openai, rec):
    texts = [f"a ghost {number}" for number in range(2_048)]
    answer = openai.embeddings.create(model="text-embedding-3-small", input=texts)
    assert answer.model == rec.encoder.name
    got = np.asarray([one.embedding for one in answer.data], dtype=np.float32)
    np.testing.assert_allclose(got, rec.encoder.encode_items(texts), rtol=1e-5)
    with pytest.raises(UnprocessableEntityError, match="found 2049 entries, expected at most 2048"):
        openai.embeddings.create(model="semrec", input=["x"] * 2_049)


@pytest.mark.parametrize("tokens", [[1, 2], [[1, 2], [3]]])
def test_token_ids_are_refused_in_words(openai, tokens):
    with pytest.raises(
        UnprocessableEntityError, match="check_embedding_ctx_length=False"
    ) as caught:
        openai.embeddings.create(model="semrec", input=tokens)
    assert caught.value.param == "input"


def test_dimensions_are_the_encoders_or_refused(client, rec):
    for given, status in ((rec.encoder.dim, 200), (None, 200), (7, 422)):
        body = {"input": "x", "dimensions": given, "encoding_format": None, "user": "u"}
        answer = client.post("/v1/embeddings", json=body)
        assert answer.status_code == status
    packed = client.post("/v1/embeddings", json={"input": "x", "encoding_format": "base64"}).json()
    assert len(base64.b64decode(packed["data"][0]["embedding"])) == 4 * rec.encoder.dim


@pytest.mark.parametrize(
    ("fields", "is_query", "ignored"),
    [
        ({"input_type": "query", "truncation": True}, True, "truncation"),
        ({"input_type": "search_query"}, True, None),
        ({"input_type": "search_document"}, False, None),
        ({"task": "retrieval.query", "normalized": True}, True, "normalized"),
        ({"task": "retrieval.passage", "truncate": "END"}, False, "truncate"),
        ({"embedding_type": "base64"}, False, None),
    ],
)
def test_embeddings_take_what_other_forms_document(client, rec, fields, is_query, ignored):
    answer = client.post("/v1/embeddings", json={"input": "a heist", **fields})
    assert answer.headers.get("x-semrec-ignored") == ignored
    vector = answer.json()["data"][0]["embedding"]
    if isinstance(vector, str):
        vector = np.frombuffer(base64.b64decode(vector), "<f4")
    encode = rec.encoder.encode_queries if is_query else rec.encoder.encode_items
    np.testing.assert_allclose(vector, encode(["a heist"])[0], rtol=1e-5)


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
def test_an_empty_document_is_last(client, path):
    documents = ["", "a bank heist", " \n", {"text": ""}, "a wedding"]
    results = client.post(path, json={"query": "heist", "documents": documents}).json()["results"]
    assert results[0]["index"] == 1
    assert sorted(one["index"] for one in results[2:]) == [0, 2, 3]
    scores = [one["relevance_score"] for one in results]
    assert scores == sorted(scores, reverse=True)
    only = client.post(path, json={"query": "heist", "documents": ["", ""]}).json()["results"]
    assert [one["index"] for one in only] == [0, 1]


def test_rerank_takes_what_the_forms_document(client):
    documents = ["a wedding", {"text": "a heist", "id": 7, "meta": {"a": 1}}, "a ghost"]
    body = {
        "query": "heist",
        "documents": documents,
        "model": "rerank-v3.5",
        "top_k": 2,
        "top_n": None,
        "return_documents": None,
        "max_tokens_per_doc": 4096,
        "max_chunks_per_doc": 10,
        "priority": 1,
        "truncation": True,
        "return_embeddings": False,
    }
    answer = client.post("/v2/rerank", json=body)
    assert answer.status_code == 200, answer.text
    ignored = "model, max_chunks_per_doc, priority, truncation"
    assert answer.headers["x-semrec-ignored"] == ignored
    assert answer.json()["results"][0]["index"] == 1
    assert len(answer.json()["results"]) == 2
    full = client.post("/v1/rerank", json={**body, "return_documents": True, "top_n": 1}).json()
    assert [one["document"] for one in full["results"]] == [documents[1]]
    cut = {"query": "heist", "documents": ["a b c heist heist", "a heist"], "max_tokens_per_doc": 2}
    assert client.post("/v1/rerank", json=cut).json()["results"][0]["index"] == 1
    named = {"query": "heist", "rank_fields": ["title"], "return_documents": True}
    named["documents"] = [{"title": "a ghost", "text": "heist"}, {"title": "a heist"}]
    assert client.post("/v1/rerank", json=named).json()["results"][0]["index"] == 1
    thousand = {"query": "heist", "documents": ["a ghost"] * 999 + ["heist"], "top_n": 1}
    assert client.post("/v1/rerank", json=thousand).json()["results"][0]["index"] == 999


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"documents": ["x"] * 1_001}, "found 1001 entries, expected at most 1000"),
        ({"documents": []}, "at least 1"),
        ({"documents": ["x", {"title": "y"}]}, "documents.1: found the fields ['title']"),
        ({"documents": ["x", 3]}, "body.documents.1: found 3, expected text or an object"),
        ({"documents": ["x"], "query": " "}, "body.query: found no words"),
        ({"documents": ["x"], "return_embeddings": True}, "ask /v1/embeddings"),
        ({"documents": ["x"], "topk": 1}, "did you mean 'top_k'"),
    ],
)
def test_what_rerank_cant_take_is_refused_in_words(client, fields, words):
    answer = client.post("/v1/rerank", json={"query": "heist", **fields})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert answer.json()["error"]["message"] == answer.json()["detail"]


def test_keys_guard_the_second_version_too(artifact, tmp_path):
    with in_thread(artifact, tmp_path / "state", api_keys="one") as client:
        body = {"query": "heist", "documents": ["x"]}
        assert client.post("/v2/rerank", json=body).status_code == 401
