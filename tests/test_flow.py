"""The flow as people run it: promoted, refused, offline, rolled back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import world_config, write_world
from milvus_server import MilvusServer
from serving import Process
from test_flow_gates import CASES, shuffled_world

import semrec
from semrec.endpoint import Address, Addresses
from semrec.flow.measuring import build_candidate
from semrec.flow.promoting import promote
from semrec.index.milvus_server import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path):
    """A folder with a dataset, a configuration, gates and cases."""
    write_world(tmp_path / "data")
    written = world_config().model_dump(mode="json", exclude_unset=True)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(written))
    (tmp_path / "gates.yaml").write_text("quality: {against: [champion]}\n")
    table = pa.table(
        {
            "intent_id": [case.case_id for case in CASES],
            "text": [case.query.intent for case in CASES],
            "session": [[event.item_id for event in case.query.events] for case in CASES],
            "relevant": [list(case.relevant) for case in CASES],
            "dialog_id": [case.unit for case in CASES],
            "topic": pa.array([case.topic for case in CASES], pa.string()),
        }
    )
    pq.write_table(table, tmp_path / "cases.parquet")
    return tmp_path


RUN = (
    *("run", "data", "--config", "config.yaml", "--cases", "cases.parquet"),
    *("--gate", "gates.yaml", "--promote", "artifacts/current"),
)


def command(*words):
    return [sys.executable, "-m", "semrec", "flow", *map(str, words)]


def flow(home, *words, before=(), code=0):
    """What a command prints as JSON."""
    whole = [*before, *command(*words), "--json"]
    done = subprocess.run(whole, cwd=home, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def outside(home):
    return sorted(path.name for path in home.iterdir())


def test_a_tie_is_promoted_and_a_worse_candidate_is_not(home):
    before = outside(home)
    first = flow(home, *RUN)
    link = home / "artifacts" / "current"
    champion = link.resolve()
    assert first["values"]["promoted"] == champion.name
    assert f"artifact:{champion.name}" in first["tags"]
    assert (
        manifest_of(champion)["run"] == f"TrainFlow/{first['run']}" == first["values"]["built_by"]
    )
    assert outside(home) == sorted([*before, "artifacts"])
    worse = shuffled_world(0)
    events = worse.positives
    pq.write_table(
        pa.table(
            {
                "user_id": [events.user_ids[user] for user in events.users],
                "item_id": [worse.catalog.item_ids[row] for row in events.rows],
                "timestamp": events.timestamps.astype("int64"),
            }
        ),
        home / "data" / "interactions.parquet",
    )
    refused = flow(home, *RUN, code=3)
    assert refused["steps"] == ["start", "build", "evaluate", "gate", "end"]
    failed = [verdict["gate"] for verdict in refused["values"]["verdicts"] if not verdict["passed"]]
    assert "quality (liked) against champion" in failed
    assert link.resolve() == champion
    known = flow(home, "runs")
    assert [run["run"] for run in known] == [refused["run"], first["run"]]
    assert "html" in (home / "artifacts/.flow/reports" / first["run"] / "report.html").read_text()
    assert list((home / "artifacts/.flow/.metaflow").rglob("*.html")), "the card"


def test_a_run_asks_no_network(home):
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-n", "true"]).returncode:
        pytest.skip("no network namespaces here")
    assert flow(home, *RUN, before=[unshare, "-n"])["finished"]


def test_a_candidate_is_published_before_it_is_promoted(home):
    server = MilvusServer(home.parent / f"{home.name}-milvus")
    try:
        run = flow(home, *RUN, "--index", server.url)
        assert run["steps"] == ["start", "build", "evaluate", "gate", "publish", "promote", "end"]
        client = Server(uri=server.uri).client(5)
        assert run["values"]["collection"] in client.list_collections()
        published = semrec.load(
            home / "artifacts" / "current", addresses=Addresses(index=Address(url=server.url))
        )
        assert not published.recommend(intent="a ghost story").trace.degraded
    finally:
        server.kill()
    wrong = subprocess.run(
        command(*RUN, "--index", "http://x:1"), cwd=home, capture_output=True, text=True
    )
    assert wrong.returncode == 1
    assert "milvus+http://HOST:PORT" in wrong.stderr


def manifest_of(artifact):
    return json.loads((artifact / "manifest.json").read_text())


def files_of(artifact):
    """Its files' hashes."""
    return {name: of["sha256"] for name, of in manifest_of(artifact)["files"].items()}


def test_a_run_that_is_killed_goes_on_and_ends_with_the_same_files(home):
    whole = Path(flow(home, *RUN)["values"]["artifact"])
    expected = files_of(whole)
    shutil.rmtree(home / "artifacts")
    first = subprocess.Popen(
        command(*RUN), cwd=home, stderr=subprocess.DEVNULL, start_new_session=True
    )
    built = home / "artifacts" / whole.name / "manifest.json"
    until = time.monotonic() + 300
    while not built.exists():
        assert time.monotonic() < until
        assert first.poll() is None
        time.sleep(0.05)
    time.sleep(3)  # the step is over, the next has begun
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    written = built.stat().st_mtime_ns
    run = (home / "artifacts" / ".flow" / "run-id").read_text().strip()
    resumed = flow(home, "resume", run)
    assert resumed["run"] != run
    assert resumed["steps"] == ["start", "build", "evaluate", "gate", "promote", "end"]
    assert built.stat().st_mtime_ns == written, "what was built isn't built again"
    assert files_of(Path(resumed["values"]["artifact"])) == expected
    assert (home / "artifacts" / "current").resolve() == built.parent
    assert manifest_of(built.parent)["run"] == f"TrainFlow/{run}", "the one that built it"
    assert resumed["values"]["built_by"] == f"TrainFlow/{run}"


def test_two_runs_at_once_are_one_and_a_line(home):
    first = subprocess.Popen(command(*RUN), cwd=home, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while not (home / "artifacts/.flow/run-id").exists():
        assert time.monotonic() < until
        assert first.poll() is None
        time.sleep(0.05)
    second = subprocess.run(command(*RUN), cwd=home, capture_output=True, text=True)
    assert second.returncode == 1
    assert "another run is under way" in second.stderr + second.stdout
    assert first.wait(timeout=300) == 0


def test_a_step_that_fails_names_the_run_to_resume(home):
    done = subprocess.run(
        command("run", "nowhere", "--out", "artifacts"), cwd=home, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "semrec flow resume" in done.stderr + done.stdout


def test_a_rollback_under_load_is_seen_at_once_and_nobody_is_refused(world, tmp_path):
    out = tmp_path / "artifacts"
    first = build_candidate(world, world_config(), out)
    second = build_candidate(world, world_config(lexical={"enabled": False}), out)
    link = out / "current"
    promote(link, first)
    promote(link, second)
    with Process(link, tmp_path / "state") as service:
        seen, stop = [], threading.Event()

        def ask():
            with httpx.Client(base_url=service.url, timeout=60) as client:
                while not stop.is_set():
                    body = {"session": ["i01", "i13"], "intent": "a ghost story", "k": 8}
                    answer = client.post("/v1/recommend", json=body)
                    version = answer.json().get("version")
                    seen.append((time.monotonic(), answer.status_code, version))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        turned = flow(tmp_path, "rollback", "artifacts/current")
        began = time.monotonic()
        while seen[-1][2] != first.name:
            assert time.monotonic() - began < 60
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join()
    assert turned["version"] == first.name
    assert {status for _, status, _ in seen} == {200}
    assert {version for _, _, version in seen} == {first.name, second.name}
