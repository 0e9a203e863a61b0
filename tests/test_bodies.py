"""What clients send in place of the JSON that was meant: read, or refused with the field's name."""

import json

import pytest
from serving import in_thread

POSTS = {
    "/v1/recommend": {"intent": "heist"},
    "/v1/chat": {"message": "heist"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "heist"}]},
    "/v1/events": {"events": [{"event_id": "1", "session_id": "s", "item_id": "i01"}]},
    "/v1/embeddings": {"input": "heist"},
    "/v1/rerank": {"query": "heist", "documents": ["a heist"]},
}


@pytest.fixture(scope="module")
def client(artifact, tmp_path_factory):
    with in_thread(artifact, tmp_path_factory.mktemp("bodies") / "state") as client:
        yield client


def send(client, path, content, kind=None, **headers):
    """A request with exactly this content type, or with none."""
    if kind is not None:
        headers["content-type"] = kind
    return client.post(path, content=content, headers=headers)


def problem(answer, status=422):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["error"]["message"] == found["detail"]
    return found


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",  # what curl -d says
        "application/json; charset=utf-8",
        "application/vnd.api+json",
        "nonsense",
    ],
)
def test_what_parses_as_json_is_read_whatever_it_is_called(client, path, kind):
    answer = send(client, path, json.dumps(POSTS[path]), kind)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", POSTS)
def test_a_form_is_refused_with_the_header_to_send(client, path):
    sent = [
        client.post(path, data={"intent": "heist"}),
        client.post(path, files={"intent": (None, "heist")}),
        send(client, path, b"heist"),
        send(client, path, b"\xff\xd8\xff", "image/jpeg"),
        send(client, path, b"<intent/>", "application/xml"),
    ]
    for answer in sent:
        found = problem(answer, 415)
        assert "content-type: application/json" in found["detail"]
        assert found["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{'intent': 'heist'}", 422, "isn't JSON: Expecting property name"),
        (b'[{"intent": "heist"', 422, "at line 1, column 20"),
        ('{"intent": "h\xefst"}'.encode("latin-1"), 400, "no text in UTF-8"),
    ],
)
def test_what_is_meant_as_json_is_told_where_it_is_broken(client, body, status, words):
    assert words in problem(send(client, "/v1/recommend", body), status)["detail"]


def test_a_wrong_path_or_method_names_the_right_one(client):
    found = problem(client.post("/v1/recomend", json={}), 404)
    assert found["detail"] == "nothing is at '/v1/recomend'; did you mean '/v1/recommend'?"
    found = problem(client.get("/v1/recommend"), 405)
    assert found["detail"] == "GET isn't taken at /v1/recommend, expected POST"
    found = problem(client.get("/v1/items/nothing"), 404)
    assert found["detail"] == "there is no item with this id"


def test_a_page_of_elsewhere_cant_send_json_by_another_name(client):
    body = json.dumps(POSTS["/v1/recommend"])
    found = problem(send(client, "/v1/recommend", body, "text/plain", origin="https://x.org"), 415)
    assert "from a page in a browser" in found["detail"]
    assert send(
        client, "/v1/recommend", body, "application/json", origin="https://x.org"
    ).is_success


def test_a_compressed_body_is_refused_in_words(client):
    answer = send(
        client, "/v1/recommend", b"\x1f\x8b", "application/json", **{"content-encoding": "gzip"}
    )
    assert "content-encoding gzip" in problem(answer, 415)["detail"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_other_encodings_of_json_are_read(client, encoding):
    assert send(client, "/v1/recommend", '{"intent": "café"}'.encode(encoding)).is_success


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ('{"filters": {"year": {"gte": 1%s}}}' % ("0" * 400), "filters.year.gte", "401 digits"),
        ('{"filters": {"year": 1%s}}' % ("0" * 5_000), "filters.year", "5001 digits"),
        ('{"k": 1%s}' % ("0" * 400), "k", "401 digits"),
        ('{"semantic_weight": NaN}', "semantic_weight", "NaN"),
        ('{"budget_ms": -Infinity}', "budget_ms", "-Infinity"),
        ('{"filters": {"year": {"any": [1990, 1e999]}}}', "filters.year.any.1", "smaller"),
        ('{"intent": "\\ud800"}', "intent", "surrogate"),
        ('{"session": ["i01", {"item_id": "\\udc00x"}]}', "session.1.item_id", "surrogate"),
        ('{"filters": {"\\ud800": 1}}', "filters.", "surrogate"),
        ('{"k": 3, "k": 4}', "k", "twice"),
        ('{"filters": {"year": {"gte": 1, "gte": 2}}}', "filters.year.gte", "twice"),
        ('{"filters": {"year": %s}}' % ("[" * 200 + "]" * 200), "filters.year.0", "nested"),
    ],
)
def test_what_json_cant_mean_is_refused_by_its_field(client, body, field, words):
    found = problem(send(client, "/v1/recommend", body, "application/json"))
    assert found["detail"].startswith(f"body.{field}")
    assert words in found["detail"]
    assert found["error"]["param"].startswith(field.rstrip("."))
    assert found["errors"][0]["pointer"].startswith("#/" + field.split(".")[0])


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000])
def test_what_is_nested_beyond_reading_is_refused(client, body):
    assert problem(send(client, "/v1/recommend", body))["detail"].startswith("body")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"session": [{"item_id": "1", "type": "purchase"}]},
            "body.session.0.type: found 'purchase', "
            "expected 'view', 'like', 'play', 'buy', 'reject'",
        ),
        ({"session": [{"item": "1"}]}, "body.session.0.item_id: is missing"),
        (
            {"session": [{"item": "1"}]},
            "body.session.0.item: unknown field; did you mean 'item_id'",
        ),
        ({"session": [[1]]}, "body.session.0: it holds [1], expected an id"),
        ({"session": [1.5]}, "body.session.0: it holds 1.5, expected an id"),
        ({"session": [296.0]}, "write 296"),
        ({"session": "i01"}, "body.session: found 'i01', expected a list"),
        ({"session": {"0": "i01"}}, "body.session: found {'0': 'i01'}, expected a list"),
        ({"k": "many"}, "body.k: found 'many', expected a whole number"),
        ({"k": 0}, "body.k: found 0, expected at least 1"),
        ({"k": 1_001}, "body.k: found 1001, expected at most 1000"),
        ({"k": 2.5}, "body.k: found 2.5, expected a whole number"),
        ({"k": True}, "body.k: found true, expected a whole number"),
        ({"budget_ms": False}, "body.budget_ms: found false, expected a number"),
        ({"explain": "perhaps"}, "body.explain: found 'perhaps', expected true or false"),
        ({"intent": 3}, "body.intent: found 3, expected text"),
        ({"intent": "x" * 100_001}, "found 100001 characters, expected at most 100000 characters"),
        ({"exclude": ["x"] * 10_001}, "found 10001 entries, expected at most 10000 entries"),
        ({"session_id": ""}, "body.session_id: it holds '', expected an id"),
        ({"user_id": "x" * 513}, "found 513 characters, expected at most 512"),
        ({"intents": "x"}, "body.intents: unknown field; did you mean 'intent'?"),
        ({"filters": []}, "body.filters: found [], expected an object"),
        ([], "body: found [], expected an object"),
        (3, "body: found 3, expected an object"),
        (None, "body: "),
    ],
)
def test_an_error_says_what_was_found_and_expected_in_the_branch_that_fits(client, body, detail):
    found = problem(client.post("/v1/recommend", json=body))["detail"]
    assert detail in found
    for inner in ("str", "WireEvent", "constrained", "function", "Input", "valid "):
        assert inner not in found.replace("'i01'", "")


def test_ids_may_be_whole_numbers(client):
    answer = client.post("/v1/recommend", json={"session": [296, "i01"], "user_id": 1}).json()
    assert any("1 unknown item ids in the session were skipped: 296" in n for n in answer["notes"])
    assert any("unknown user '1'" in note for note in answer["notes"])
    event = {"event_id": 1, "session_id": 7, "item_id": 296}
    assert client.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1
    assert client.get("/v1/sessions/7").json()["events"][0]["item_id"] == "296"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [(1_714_564_800, 1_714_564_800.0), ("2024-05-01T12:00:00Z", 1_714_564_800.0), (0.5, 0.5)],
)
def test_times_are_seconds_or_iso_8601(client, time, seconds):
    event = {"event_id": str(time), "session_id": "times", "item_id": "i01", "timestamp": time}
    assert client.post("/v1/events", json={"events": [event]}).is_success
    assert client.get("/v1/sessions/times").json()["events"][-1]["timestamp"] == seconds


@pytest.mark.parametrize(
    ("time", "hint"),
    [(1.6e12, "divide by 1,000"), ("1. May", "ISO 8601"), (True, "Unix seconds"), ({}, "seconds")],
)
def test_other_times_are_refused_with_a_hint(client, time, hint):
    event = {"event_id": "1", "session_id": "other", "item_id": "i01", "timestamp": time}
    found = problem(client.post("/v1/events", json={"events": [event]}))
    assert found["detail"].startswith("body.events.0.timestamp: it is ")
    assert hint in found["detail"]


def test_an_empty_list_says_why_without_being_asked(client):
    body = {"filters": {"year": {"gte": 2000}, "language": "fr", "labels": {"any": ["heist"]}}}
    answer = client.post("/v1/recommend", json=body).json()
    assert answer["items"] == []
    assert any("nothing satisfies" in note for note in answer["notes"])
    body = {"filters": {"labels": {"none": ["hiest"]}}}
    for path, also in (("recommend", {}), ("recommend", {"trace": True})):
        notes = client.post(f"/v1/{path}", json=body | also).json()["notes"]
        assert "filter 'labels': no item has 'hiest'; did you mean 'heist'?" in notes
    chat = client.post("/v1/chat", json={"message": "a heist", "user_id": "stranger"}).json()
    assert any("stranger" in note for note in chat["notes"])


def test_null_is_as_if_it_werent_there(client):
    plain = client.post("/v1/recommend", json={"intent": "heist"}).json()
    nulls = {"session": None, "k": None, "filters": None, "exclude": None, "explain": None}
    same = client.post("/v1/recommend", json={"intent": "heist", **nulls}).json()
    assert same["items"] == plain["items"]
    assert (
        "unknown field" in problem(client.post("/v1/recommend", json={"nothing": None}))["detail"]
    )


def test_seen_items_come_back_where_they_may(client):
    body = {"session": ["i01", "i02"], "k": 60}
    for seen in (False, True):
        answer = client.post("/v1/recommend", json={**body, "include_seen": seen}).json()
        assert ("i01" in [item["item_id"] for item in answer["items"]]) == seen


def test_every_error_has_an_error_object(client, artifact, tmp_path):
    sent = [
        (client.get("/v1/nothing"), 404, "not_found"),
        (client.get("/v1/items/nothing"), 404, "not_found"),
        (client.delete("/v1/recommend"), 405, None),
        (client.get("/v1/items", params={"k": 3}), 422, "missing_required_parameter"),
        (client.get("/v1/items", params={"q": "x", "k": 0}), 422, "invalid_value"),
        (client.post("/v1/recommend", json={"intents": 1}), 422, "unknown_parameter"),
        (client.post("/v1/recommend", json={"filters": {"yaer": 1}}), 422, None),
        (client.post("/v1/recommend", content=b"x" * 2_000_001), 413, "body_too_large"),
        (client.post("/v1/recommend", content=b"x", headers={"content-type": "a/json"}), 415, None),
    ]
    with in_thread(artifact, tmp_path / "state", api_keys="one") as other:
        sent.append((other.get("/v1/models"), 401, "invalid_api_key"))
    for answer, status, code in sent:
        found = problem(answer, status)
        assert found["error"]["code"] == (code or found["error"]["code"])
        assert found["error"]["type"].endswith("_error")


def test_the_page_of_the_api_needs_no_other_host(client):
    page = client.get("/docs").text
    assert "http" not in page.replace(str(client.base_url), "")
    for file in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f'"/docs/files/{file}"' in page.replace("'", '"')
        assert len(client.get(f"/docs/files/{file}").content) > 1_000
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")


def test_every_field_is_described_and_every_body_and_answer_has_an_example(client):
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def resolved(node):
        return schemas[node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node

    bare = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if "HTTPValidation" not in name and name != "ValidationError"
        for field, of in schema.get("properties", {}).items()
        if not of.get("description") and "const" not in of
    ]
    assert bare == []
    without = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            bodies = [operation.get("requestBody", {}), operation["responses"].get("200", {})]
            for place in bodies:
                content = place.get("content", {}).get("application/json")
                if content is None or "example" in content:
                    continue
                schema = content["schema"]
                branches = [schema, *schema.get("anyOf", ())]
                if not any(resolved(one).get("examples") for one in branches):
                    without.append(f"{method} {path}")
    assert without == []
