"""Items encoded by several processes: the same bytes as by one, gone on with, never mixed up."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run
from conftest import world_config, write_world

import semrec
from semrec.data.dataset import read_dataset
from semrec.errors import DataError
from semrec.training.shards import CHUNK, encode_shard

HASHING = ("--set", "encoder.kind=hashing", "--set", "encoder.dim=64")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A dataset of two chunks and a half, with items that have no text."""
    folder = write_world(tmp_path_factory.mktemp("many") / "data")
    n = 2 * CHUNK + CHUNK // 2
    words = np.random.default_rng(3).choice(["ghost", "heist", "court", "moon"], (n, 3)).tolist()
    table = pa.table(
        {
            "item_id": [f"i{row:02d}" for row in range(n)],
            "title": ["" if row % 97 == 0 else " ".join(words[row]) for row in range(n)],
        }
    )
    pq.write_table(table, folder / "items.parquet")
    return folder


def encode(data, out, *options):
    command = [sys.executable, "-m", "semrec", "encode", data, "--out", out, *HASHING, *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def contents(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


@pytest.mark.slow
def test_two_shards_write_what_one_does_byte_for_byte(many, tmp_path):
    assert encode(many, tmp_path / "one").returncode == 0
    first = encode(many, tmp_path / "two", "--shard", "2/2")
    assert "1 files written, 0 were there; 2 of other shards are missing" in first.stdout
    second = encode(many, tmp_path / "two", "--shard", "1/2")
    assert "all are there. Now: semrec build" in second.stdout
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 2 * 3 + 1


@pytest.mark.slow
def test_one_that_was_killed_goes_on(many, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    encode(many, whole)
    command = [sys.executable, "-m", "semrec", "encode", many, "--out", killed, *HASHING]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not list(killed.glob("*.npy")) and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in killed.glob("*.sha256")}
    assert encode(many, killed).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(killed) == contents(whole)


def test_a_build_that_reads_them_is_the_build_that_encodes(world, artifact, tmp_path):
    encode_shard(world, world_config(), tmp_path / "vectors")
    rec = semrec.build(
        world, config=world_config(), out=tmp_path / "artifact", vectors=tmp_path / "vectors"
    )
    files = {name: entry["sha256"] for name, entry in rec.manifest["files"].items()}
    loaded = semrec.load(artifact)
    assert files == {name: entry["sha256"] for name, entry in loaded.manifest["files"].items()}


def test_another_datasets_or_encoders_vectors_are_refused(world, many, tmp_path):
    encode_shard(world, world_config(), tmp_path)
    other = world_config(encoder={"dim": 32})
    with pytest.raises(DataError, match=r"vectors are of another encoder \('hashing-64', expect"):
        encode_shard(world, other, tmp_path)
    with pytest.raises(DataError, match="vectors are of another dataset"):
        encode_shard(read_dataset(many), world_config(), tmp_path)
    with pytest.raises(DataError, match="vectors are of another encoder"):
        semrec.build(world, config=other, vectors=tmp_path)


def test_what_is_missing_or_changed_is_named(world, tmp_path):
    with pytest.raises(DataError, match=r"no encoding\.json; expected a folder"):
        semrec.build(world, config=world_config(), vectors=tmp_path)
    encode_shard(world, world_config(), tmp_path)
    made = tmp_path / "vectors-00000.npy"
    content = bytearray(made.read_bytes())
    content[-1] ^= 1
    made.write_bytes(content)
    with pytest.raises(DataError, match=r"vectors-00000\.npy: changed since it was written"):
        semrec.build(world, config=world_config(), vectors=tmp_path)
    made.unlink()
    with pytest.raises(DataError, match=r"1 of 1 files are missing \(vectors-00000\.npy\)"):
        semrec.build(world, config=world_config(), vectors=tmp_path)


@pytest.mark.parametrize("shard", ["3", "0/2", "3/2", "a/b", "1/0", "-1/2"])
def test_a_shard_that_there_is_none_of_is_refused_in_a_line(many, tmp_path, shard):
    found = run("encode", many, "--out", tmp_path, "--shard", shard, cwd=tmp_path, ok=False)
    assert "shard" in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1
