"""Another artifact takes the old one's place while requests come in."""

import gc
import json
import shutil
import threading
import time
import weakref
from pathlib import Path

import httpx
import pytest
from conftest import world_config
from serving import Process, in_thread

import semrec
from semrec.artifact.folder import MANIFEST
from semrec.serve.deployment import Deployment


@pytest.fixture(scope="module")
def other(world, tmp_path_factory):
    """An artifact that answers differently."""
    out = tmp_path_factory.mktemp("artifacts") / "other"
    semrec.build(world, config=world_config(lexical={"enabled": False}), out=out)
    return out


@pytest.fixture
def link(artifact, tmp_path):
    made = tmp_path / "current"
    made.symlink_to(artifact)
    return made


def turn(link, target):
    """As `ln -sfn` does it: in one step."""
    beside = link.with_name("beside")
    beside.symlink_to(target)
    beside.rename(link)


def version_of(folder):
    return json.loads((folder / MANIFEST).read_text())["checksum"][:12]


def asking(url, seen, stop, wanted):
    """Ask without pause; a list that isn't wholly of the version it names is an error."""
    with httpx.Client(base_url=url, timeout=60) as client:
        while not stop.is_set():
            body = {"session": ["i01", "i13"], "intent": "a ghost story", "k": 8}
            answer = client.post("/v1/recommend", json=body)
            if answer.status_code != 200:
                seen.append(answer.text)
                continue
            found = answer.json()
            scores = [(item["item_id"], round(item["score"], 3)) for item in found["items"]]
            seen.append("mixed" if scores != wanted[found["version"]] else found["version"])


def swap(url, link, artifacts, times):
    """Swap `times` under load by several clients: all that they have seen, and the versions."""
    query = {"session": ["i01", "i13"], "intent": "a ghost story", "k": 8}
    wanted = {
        version_of(folder): [
            (item.item_id, round(item.score, 3))
            for item in semrec.load(folder).recommend(query).items
        ]
        for folder in artifacts
    }
    assert len({str(lists) for lists in wanted.values()}) == len(artifacts)
    seen, stop = [], threading.Event()
    threads = [threading.Thread(target=asking, args=(url, seen, stop, wanted)) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        with httpx.Client(base_url=url, timeout=300) as client:
            for n in range(times):
                target = artifacts[(n + 1) % 2]
                turn(link, target)
                answer = client.post("/admin/reload")
                assert answer.status_code == 200, answer.text
                versions = {worker["version"] for worker in answer.json()["workers"]}
                assert versions == {version_of(target)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return set(seen), set(wanted)


def test_swapping_under_load_loses_and_mixes_nothing(artifact, other, link, tmp_path):
    with in_thread(link, tmp_path / "state") as client:
        seen, versions = swap(client.base_url, link, [artifact, other], times=2)
    assert seen == versions  # both, and neither an error nor a mixture


@pytest.mark.slow
def test_swapping_all_workers_under_load_twenty_times(artifact, other, link, tmp_path):
    with Process(link, tmp_path / "state", "--workers", 2) as service:
        seen, versions = swap(service.url, link, [artifact, other], times=20)
    assert seen == versions


def test_a_new_artifact_behind_the_link_is_taken_by_itself(artifact, other, link, tmp_path):
    with in_thread(link, tmp_path / "state") as client:
        turn(link, other)
        until = time.monotonic() + 60
        while client.get("/health/ready").json()["version"] != version_of(other):
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.mark.slow
def test_it_goes_back_and_forth(artifact, other, link, tmp_path):
    with in_thread(link, tmp_path / "state") as client:
        refused = client.post("/admin/reload", json={"to": "previous"})
        assert refused.status_code == 409
        assert "no earlier artifact" in refused.json()["detail"]
        turn(link, other)
        assert client.post("/admin/reload").json()["version"] == version_of(other)
        back = client.post("/admin/reload", json={"to": "previous"}).json()
        assert back["version"] == version_of(artifact)
        time.sleep(0.6)  # the link is as it was: nothing is to be loaded
        assert client.get("/health/ready").json()["version"] == version_of(artifact)
        forth = client.post("/admin/reload", json={"to": "previous"}).json()
        assert forth["version"] == version_of(other)


def test_the_collector_passes_over_artifacts_but_for_those_swapped_out(
    artifact, other, link, tmp_path
):
    deployment = Deployment(link, tmp_path / "state", semrec.load)
    try:
        assert gc.get_freeze_count() > 0
        first = weakref.ref(deployment.current)
        for target in (other, artifact):  # the one before is kept to go back to
            assert first() is not None
            turn(link, target)
            deployment.look()
        assert first() is None
        assert gc.get_freeze_count() > 0
    finally:
        deployment.close()
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("verify", ["full", "size"])
def test_a_broken_artifact_is_refused_and_the_old_one_stays(artifact, link, verify, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(artifact, broken)
    size = (broken / "fusion.safetensors").stat().st_size
    (broken / "fusion.safetensors").write_bytes(b"x" * size)
    with in_thread(link, tmp_path / "state", verify=verify) as client:
        turn(link, broken)
        answer = client.post("/admin/reload")
        assert answer.status_code == 409
        assert version_of(artifact) in answer.json()["detail"]
        assert client.post("/v1/recommend", json={}).json()["version"] == version_of(artifact)


def test_what_cant_be_loaded_doesnt_start(tmp_path):
    with pytest.raises(AssertionError, match="no such folder"):
        Process(Path("nowhere"), tmp_path / "state")
