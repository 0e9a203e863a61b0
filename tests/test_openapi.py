"""Requests generated from the OpenAPI document: no 500, nothing that the document doesn't say."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from serving import in_thread

checks.load_all_checks()
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


@pytest.fixture(scope="module")
def client(artifact, tmp_path_factory):
    with in_thread(artifact, tmp_path_factory.mktemp("openapi") / "state") as client:
        yield client


def bare(client, case):
    """A generated body as `curl -d` or a script would send it: under another name, or none."""
    sent = case.as_transport_kwargs()
    content = json.dumps(sent["json"]).encode()
    for kind in ({}, {"content-type": "application/x-www-form-urlencoded"}):
        path = case.formatted_path
        case.validate_response(
            client.request(case.method, path, params=case.query, content=content, headers=kind),
            checks=CHECKS,
        )


def ask_one(client, operation, mode, n):
    """At most `n` generated requests of one endpoint; how many there were."""
    asked = 0

    @settings(
        max_examples=n,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        nonlocal asked
        asked += 1
        case.call_and_validate(checks=CHECKS, timeout=60)
        if asked % 4 == 1 and "json" in case.as_transport_kwargs():
            bare(client, case)

    try:
        ask()
    except Unsatisfiable:  # what takes nothing can't be asked wrongly
        assert mode is GenerationMode.NEGATIVE
    return asked


def ask_all(client, n):
    """`n` right and `n` wrong requests of each endpoint at most; how many of each."""
    schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return {
        (operation.label, mode): ask_one(client, operation, mode, n)
        for operation in operations
        for mode in modes
    }


@pytest.mark.slow
def test_two_thousand_generated_requests(client):
    asked = ask_all(client, 110)
    assert sum(asked.values()) >= 2_000
    labels = {label for label, _ in asked}
    assert {"POST /v1/recommend", "POST /v1/events", "GET /v1/items/{item_id}"} <= labels
