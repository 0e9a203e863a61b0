"""Any body to any endpoint: an answer, or a refusal that names a field of the document."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving import in_thread

RIGHT = {
    "/v1/recommend": {
        "intent": "a heist, no ghost",
        "session": ["i01", {"item_id": "i02", "type": "like", "timestamp": 5}],
        "user_id": "u1",
        "k": 3,
        "exclude": ["i03"],
        "filters": {"year": {"gte": 1970, "any": [1980, 2000]}, "labels": {"none": ["ghost"]}},
        "budget_ms": 1_000,
        "rerank": False,
        "semantic_weight": 0.5,
        "diversity": 0.3,
        "max_per": {"labels": 3},
        "include_seen": True,
        "session_id": "any",
        "explain": False,
        "trace": True,
    },
    "/v1/chat": {
        "message": "a heist",
        "session_id": "any",
        "understood": {"filters": {"year": 1990}, "session": ["i01"], "shown": ["i02"]},
        "k": 3,
    },
    "/v1/chat/completions": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "a heist"}]},
        ],
        "semrec": {"k": 3, "filters": {"language": "en"}},
        "stop": ["x"],
        "tool_choice": "auto",
        "response_format": {"type": "text"},
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
    },
    "/v1/events": {
        "events": [
            {"event_id": 1, "session_id": "any", "item_id": "i01", "timestamp": "2024-05-01"}
        ]
    },
    "/v1/embeddings": {"input": ["a", "b"], "dimensions": 64, "encoding_format": "base64"},
    "/v1/rerank": {"query": "a", "documents": ["a", {"text": "b"}], "top_n": 1, "top_k": 1},
    "/v2/rerank": {"query": "a", "documents": [{"t": "a"}], "rank_fields": ["t"]},
    "/admin/reload": {"to": "nowhere"},
}
KINDS = ("application/json", "text/plain", "application/x-www-form-urlencoded", "a/b", None)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "i01", "like", "reject", "1990", "\ud800", 10**25, 1.6e12, "auto"])
    | st.text(max_size=8)
)
words = st.sampled_from(["year", "labels", "any", "gte", "type", "text", "item_id", "k", "filters"])
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def changed(draw, document):
    """A right document in which one place holds anything, or is gone, or has a neighbour."""
    if not isinstance(document, dict | list) or not document or not draw(st.integers(0, 4)):
        return draw(documents)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key, copy = draw(st.sampled_from(keys)), json.loads(json.dumps(document))
    if isinstance(copy, dict) and draw(st.integers(0, 5)) == 0:
        copy[draw(st.text(max_size=5))] = draw(documents)
    elif isinstance(copy, dict) and draw(st.integers(0, 5)) == 0:
        del copy[key]
    else:
        copy[key] = draw(changed(copy[key]))
    return copy


@st.composite
def requests(draw):
    path = draw(st.sampled_from(sorted(RIGHT)))
    return path, draw(changed(RIGHT[path])), draw(st.sampled_from(KINDS))


@pytest.fixture(scope="module")
def client(artifact, tmp_path_factory):
    with in_thread(artifact, tmp_path_factory.mktemp("any") / "state") as client:
        yield client


def keys_of(document):
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from keys_of(value)
    elif isinstance(document, list):
        for value in document:
            yield from keys_of(value)


def names_a_field(problem, document):
    """Each error's place is in the document, or its parent is where something is missing."""
    for error in problem["errors"]:
        value = document
        parts = error["pointer"].removeprefix("#").split("/")[1:]
        for place, part in enumerate(parts):
            part = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                is_missing = place == len(parts) - 1 and "missing" in error["detail"]
                assert is_missing or "surrogate" in error["detail"], (error, document)
    if not problem["errors"]:
        shown = [text for key in keys_of(document) for text in (key, repr(key)[1:-1])]
        assert any(text and text in problem["detail"] for text in shown), (problem, document)


def ask(client, n):
    n_refused = 0

    @settings(
        max_examples=n,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests())
    def ask_one(request):
        nonlocal n_refused
        path, document, kind = request
        headers = {} if kind is None else {"content-type": kind}
        answer = client.post(path, content=json.dumps(document), headers=headers)
        assert answer.status_code in (200, 409, 422), (answer.text, request)
        if answer.status_code == 422:
            n_refused += 1
            problem = answer.json()
            assert problem["error"]["message"] == problem["detail"]
            names_a_field(problem, document)

    ask_one()
    return n_refused


def test_any_body(client):
    assert ask(client, 300) > 50


@pytest.mark.slow
def test_ten_thousand_bodies(client):
    assert ask(client, 10_000) > 2_000
