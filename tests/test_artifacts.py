"""Artifacts: whole or not at all, checked, movable, and not in anybody's way."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import world_config
from resident import linux_only, resident_kb

import semrec
from semrec import ArtifactError, Query
from semrec.artifact.manifest import FORMAT
from semrec.encoders.hashing import HashingEncoder

FORMER = Path(__file__).parent / "artifact_of_format_1"
QUERIES = [
    Query(intent="ghost story", session=["i01", "i02"]),
    Query(session=["i30"]),
    Query(intent="court", filters={"year": {"gte": 1990}}),
    Query(),
    Query(user_id="u3", semantic_weight=0),
]


def answers(rec):
    return [[(i.item_id, i.score) for i in found.items] for found in rec.recommend_many(QUERIES)]


@pytest.fixture
def copy(artifact, tmp_path):
    return shutil.copytree(artifact, tmp_path / "copy")


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", ["exact", "flat", "hnsw", "ivf"])
@pytest.mark.parametrize("behaviour", ["als", "pure_svd"])
def test_a_loaded_artifact_answers_as_the_built_one(world, tmp_path, kind, behaviour):
    config = world_config(index={"kind": kind}, behaviour={"kind": behaviour})
    built = semrec.build(world, config=config, out=tmp_path / "a")
    assert answers(semrec.load(tmp_path / "a")) == answers(built)
    assert answers(semrec.load(tmp_path / "a", verify="size")) == answers(built)


@linux_only
def test_loading_reads_no_vector_of_a_catalogue_with_an_approximate_index(world, tmp_path):
    semrec.build(world, config=world_config(index={"kind": "ivf"}), out=tmp_path / "a")
    rec = semrec.load(tmp_path / "a", verify="size")
    assert resident_kb(tmp_path / "a" / "vectors.npy") == 0
    answers(rec)
    assert resident_kb(tmp_path / "a" / "vectors.npy") == 0
    told = rec.manifest["index"]
    assert told["kind"] == "ivf"
    assert told["recall"].keys() == {"0", "gate", "1"}


def test_building_twice_gives_the_same(world, rec):
    assert answers(semrec.build(world, config=world_config())) == answers(rec)


def test_it_holds_what_the_contract_says(artifact):
    manifest = json.loads((artifact / "manifest.json").read_text())
    wanted = {"format", "semrec_version", "config", "config_hash", "dataset", "prompt_hashes"}
    wanted |= {"encoder", "counts", "dim", "files", "time_cut", "training_dialogs"}
    assert wanted <= manifest.keys()
    assert manifest["encoder"].keys() == {"name", "fingerprint", "dim", "trained", "runtime", "why"}
    assert set(manifest["files"]) | {"manifest.json", "prompts"} == set(names(artifact))
    assert not [name for name in names(artifact) if name.endswith((".pkl", ".pickle"))]


def test_no_path_of_this_machine_is_in_it(artifact, world_folder):
    for path in artifact.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(artifact.parent).encode() not in content
            assert str(world_folder.parent).encode() not in content


def test_one_flipped_byte_in_any_file_is_found_and_named(artifact, tmp_path):
    for name in names(artifact):
        if not (artifact / name).is_file():
            continue
        broken = shutil.copytree(artifact, tmp_path / name.replace("/", "-"))
        content = bytearray((broken / name).read_bytes())
        content[len(content) // 2] ^= 1
        (broken / name).write_bytes(bytes(content))
        with pytest.raises(ArtifactError, match=name):
            semrec.load(broken)


def test_a_missing_file_is_named_even_by_the_quick_check(copy):
    (copy / "behaviour.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"behaviour\.safetensors: missing"):
        semrec.load(copy, verify="size")


def test_a_truncated_file_is_found_by_the_quick_check(copy):
    path = copy / "catalog.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match=r"catalog\.parquet: \d+ bytes, expected"):
        semrec.load(copy, verify="size")


def test_another_encoder_is_refused(copy):
    with pytest.raises(ArtifactError, match="made with encoder 'hashing-64'"):
        semrec.load(copy, encoder=HashingEncoder(dim=128))


def test_what_is_no_artifact_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="no such folder"):
        semrec.load(tmp_path / "nothing")
    with pytest.raises(ArtifactError, match=r"no manifest\.json"):
        semrec.load(tmp_path)
    with pytest.raises(ArtifactError, match="'full' or 'size'"):
        semrec.load(tmp_path, verify="no")


def test_a_former_format_is_refused_and_may_be_built_again(world, tmp_path):
    former = shutil.copytree(FORMER, tmp_path / "former")
    with pytest.raises(ArtifactError) as refused:
        semrec.load(former)
    assert str(refused.value) == (
        f"{former}/manifest.json: found format 1 (written by semrec 0.1.0), "
        f"expected format {FORMAT}; build the artifact again with `semrec build`"
    )
    semrec.build(world, config=world_config(), out=former)
    assert semrec.load(former).manifest["format"] == FORMAT


def rewritten(artifact, change):
    """The artifact with another manifest, whose checksum is right."""
    path = artifact / "manifest.json"
    values = json.loads(path.read_text())
    change(values)
    del values["checksum"]
    content = json.dumps(values, sort_keys=True).encode()
    path.write_text(json.dumps({**values, "checksum": hashlib.sha256(content).hexdigest()}))
    return artifact


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.pop("gate"), "gate: Field required"),
        (lambda m: m["encoder"].update(dim="64"), r"encoder\.dim: .* integer"),
        (lambda m: m["counts"].update(item=1), r"counts\.item: Extra inputs"),
        (lambda m: m["behaviour"].pop("kind"), r"behaviour\.kind: Field required"),
        (lambda m: m["validation"]["words"].update(cases="all"), r"validation\.words\.cases"),
    ],
)
def test_what_a_manifest_misses_or_says_wrongly_is_named(copy, change, named):
    with pytest.raises(
        ArtifactError, match=rf"manifest\.json: {named}.*; build the artifact again"
    ):
        semrec.load(rewritten(copy, change))


def test_a_manifest_is_given_back_as_it_was_written(artifact, rec):
    semrec.load(rewritten(shutil.copytree(artifact, artifact.with_name("same")), lambda _: None))
    assert rec.manifest == json.loads((artifact / "manifest.json").read_text())


def test_a_newer_format_is_refused(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(ArtifactError, match="format 99"):
        semrec.load(copy)


def test_a_folder_that_is_not_ours_stays_untouched(world, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("three years of work")
    with pytest.raises(ArtifactError, match="isn't a semrec artifact"):
        semrec.build(world, config=world_config(), out=out)
    assert names(tmp_path) == ["mine", "mine/thesis.txt"]
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(ArtifactError, match="is a file"):
        semrec.build(world, config=world_config(), out=file)


def test_an_empty_folder_is_written_and_an_artifact_swapped(world, tmp_path, artifact):
    out = tmp_path / "out"
    out.mkdir()
    semrec.build(world, config=world_config(), out=out)
    first = semrec.load(out)
    semrec.build(world, config=world_config(fusion={"decay": 0.5}), out=out)
    second = semrec.load(out)
    assert first.version != second.version
    assert names(tmp_path / "out") == names(artifact)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_build_that_fails_leaves_the_old_artifact_and_nothing_else(world, tmp_path):
    class Interrupted(HashingEncoder):
        def encode_items(self, texts):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    semrec.build(world, config=world_config(), out=out)
    before = semrec.load(out).version
    with pytest.raises(KeyboardInterrupt):
        semrec.build(world, config=world_config(), out=out, encoder=Interrupted(dim=64))
    assert semrec.load(out).version == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_copied_artifact_answers_the_same_in_another_process(copy, rec):
    code = (
        "import sys, json, semrec; rec = semrec.load(sys.argv[1]); "
        "print(json.dumps([i.item_id for i in rec.recommend(intent='ghost story', k=5).items]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(copy)],
        capture_output=True,
        text=True,
        check=True,
        cwd=copy.parent,
        env={**os.environ, "PYTHONPATH": ""},
    )
    here = [item.item_id for item in rec.recommend(intent="ghost story", k=5).items]
    assert json.loads(done.stdout) == here


def test_time_that_is_up_before_all_is_embedded_ends_the_build(world, tmp_path):
    with pytest.raises(semrec.DataError, match="0 of 60 items embedded"):
        semrec.build(world, config=world_config(), out=tmp_path / "x", max_minutes=0)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_stage_by_stage(world):
    told = []
    config = world_config(behaviour={"kind": "auto", "neighbours": {"kind": "auto"}})
    semrec.build(world, config=config, progress=lambda *step: told.append(step))
    told = [step[:3] for step in told]
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == [
        "load encoder",
        "choose als",
        "choose pure_svd",
        "choose item_knn",
        "choose ease",
        "embed items",
        "embed items, without titles",
        "tune fusion",
        "fit neighbours",
        "build index",
    ]
    for stage in stages:
        assert [(done, total) for s, done, total in told if s == stage][-1][0] == (
            [(done, total) for s, done, total in told if s == stage][-1][1]
        )
