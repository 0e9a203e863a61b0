"""The flow with its state in S3, and compiled for a cluster; S3 is a server on this machine."""

import json
import shutil
import subprocess
import time
from importlib.util import find_spec
from xml.etree import ElementTree

import httpx
import pytest
from redis_server import free_port, needs
from test_flow import RUN, command, flow, home  # noqa: F401 (a fixture)

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket's address; Metaflow is told of it."""
    # Not in the extra `dev`: with these pip tries botocore's versions for many minutes. `.ci/run`
    # names each version.
    needs("s3", find_spec("kubernetes") and shutil.which("moto_server"))
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    started = subprocess.Popen(
        ["moto_server", "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                httpx.put(f"{server}/semrec-flow").raise_for_status()
                break
            except httpx.TransportError:
                assert time.monotonic() < until
                assert started.poll() is None
                time.sleep(0.1)
        monkeypatch.setenv("METAFLOW_S3_ENDPOINT_URL", server)
        monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_S3", "s3://semrec-flow/metaflow")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "any")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield f"{server}/semrec-flow"
    finally:
        started.kill()
        started.wait()


def keys(bucket):
    listed = ElementTree.fromstring(httpx.get(bucket).text)
    return [of.text for of in listed.iter() if of.tag.endswith("Key")]


def test_a_run_keeps_its_state_there(bucket, home, monkeypatch):  # noqa: F811
    monkeypatch.setenv("METAFLOW_DEFAULT_DATASTORE", "s3")
    run = flow(home, *RUN)
    assert run["values"]["promoted"] == (home / "artifacts" / "current").resolve().name
    for step in ("start", "build", "evaluate", "gate", "promote", "end"):
        assert any(f"/{run['run']}/{step}/" in key for key in keys(bucket)), step


def test_it_compiles_for_argo(bucket, home):  # noqa: F811
    words = ("compile", "--to", "argo", "--with", "kubernetes:image=semrec:1")
    done = subprocess.run(command(*words), cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    template = json.loads(done.stdout)
    assert template["kind"] == "WorkflowTemplate"
    steps = {of["name"]: of for of in template["spec"]["templates"]}
    assert {"start", "build", "evaluate", "gate", "publish", "promote", "end"} <= steps.keys()
    assert steps["build"]["container"]["image"] == "semrec:1"
    names = {of["name"] for of in template["spec"]["arguments"]["parameters"]}
    assert {"data", "config", "cases", "gates", "promote", "engine"} <= names
    assert keys(bucket), "the flow's code"


def test_without_s3_it_says_what_to_set(home):  # noqa: F811
    needs("kubernetes", find_spec("kubernetes"))
    done = subprocess.run(command("compile"), cwd=home, capture_output=True, text=True)
    assert done.returncode == 1
    assert "METAFLOW_DATASTORE_SYSROOT_S3 isn't set: expected s3://" in done.stderr
