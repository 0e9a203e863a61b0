"""Grids: every combination once, kept, traced to its hashes, and taken up again."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import world_config
from test_compare import CASES

from semrec.errors import ConfigError, DataError
from semrec.evaluate.grid import compare_grid, read_grid, read_values, runs_of

VARY = {"fusion.semantic": [True, False], "behaviour.factors": [12]}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A configuration and cases on disk."""
    folder = tmp_path_factory.mktemp("grid")
    values = world_config().model_dump(mode="json")
    (folder / "quick.yaml").write_text(yaml.safe_dump(values))
    columns = {
        "intent_id": [case.case_id for case in CASES],
        "dialog_id": [case.unit for case in CASES],
        "text": [case.query.intent for case in CASES],
        "session": [[event.item_id for event in case.query.events] for case in CASES],
        "relevant": [list(case.relevant) for case in CASES],
    }
    pq.write_table(pa.table(columns), folder / "cases.parquet")
    return folder


def run(world_folder, place, vary=VARY, **options):
    return compare_grid(
        world_folder,
        str(place / "cases.parquet"),
        vary,
        folder=place / "runs",
        config=place / "quick.yaml",
        **options,
    )


@pytest.fixture(scope="module")
def report(world_folder, place):
    return run(world_folder, place)


def test_every_combination_is_a_system_beside_the_baseline(report):
    names = ["semantic true, factors 12", "semantic false, factors 12"]
    assert [row.system for row in report.rows] == ["baseline", *names]
    assert (report.reference, report.candidate) == ("baseline", names[0])
    assert report.pair(*names).verdict == "better"
    assert any("best of 2 configurations" in note for note in report.notes)


def test_every_run_is_recorded_with_its_hashes(report, place):
    for row in report.rows[1:]:
        origin = report.origins[row.system]
        record = json.loads((place / "runs" / f"{origin['run']}.json").read_text())
        assert record["name"] == row.system
        assert record["version"] == origin["version"]
        assert record["hashes"]["config"] == origin["config_hash"]
        assert record["hashes"]["data"] == origin["dataset_hash"]
        assert record["hashes"]["code"] == origin["code_hash"] == report.code_hash
        assert set(record["settings"]) == set(VARY)


def test_a_second_time_nothing_is_built_or_asked(report, world_folder, place):
    before = {path: path.stat().st_mtime_ns for path in (place / "runs").rglob("*")}
    again = run(world_folder, place)
    assert {path: path.stat().st_mtime_ns for path in (place / "runs").rglob("*")} == before
    for one, other in zip(report.rows[1:], again.rows[1:], strict=True):
        assert one == other  # latencies too: they are the ones that were measured


def test_what_was_stopped_goes_on(report, world_folder, place):
    key = report.origins["semantic false, factors 12"]["run"]
    other = report.origins["semantic true, factors 12"]["run"]
    kept = (place / "runs" / other / "manifest.json").stat().st_mtime_ns
    shutil.rmtree(place / "runs" / key)
    again = run(world_folder, place)
    assert (place / "runs" / other / "manifest.json").stat().st_mtime_ns == kept
    assert [row.metrics for row in again.rows] == [row.metrics for row in report.rows]


def test_a_key_changes_with_whatever_decides_the_artifact(world, place, tmp_path):
    def key(vary=VARY, **options):
        return runs_of(vary, world, config=place / "quick.yaml", **options)[0].key

    requests = tmp_path / "requests.jsonl"
    requests.write_text("{}")
    prompt = tmp_path / "mine.j2"
    prompt.write_text("{{ intent }}")
    keys = {
        key(),
        key(settings=["behaviour.decay=0.9"]),
        key({**VARY, "behaviour.factors": [13]}),
        key(intents=[requests]),
        key(settings=[f"prompts.query={prompt}"]),
    }
    prompt.write_text("I want {{ intent }}")
    keys.add(key(settings=[f"prompts.query={prompt}"]))
    assert len(keys) == 6


def test_what_varies_is_read_from_a_file_and_from_words(tmp_path):
    path = tmp_path / "grid.yaml"
    path.write_text("behaviour.factors: [64, 128]\n")
    assert read_grid(path) == read_values(["behaviour.factors=[64, 128]"])
    path.write_text("- 1\n")
    with pytest.raises(ConfigError, match="found list"):
        read_grid(path)
    with pytest.raises(ConfigError, match="not readable"):
        read_grid(tmp_path / "none.yaml")
    for wrong in ("behaviour.factors", "behaviour.factors=64", "=[1]", "a=[1"):
        with pytest.raises(ConfigError, match="expected key="):
            read_values([wrong])


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"behaviour.factor": [1]}, "did you mean 'factors'"),
        ({"behaviour.factors": 64}, "expected a list of values"),
        ({"behaviour.factors": []}, "expected a list of values"),
        ({"behaviour.factors": ["many"]}, "found 'many'"),
        ({"behaviour.factors": [12, 12]}, "two combinations are the same"),
    ],
)
def test_a_wrong_grid_is_refused(world_folder, place, vary, message):
    with pytest.raises(ConfigError, match=message):
        run(world_folder, place, vary)


def test_a_broken_file_of_answers_is_named(report, world_folder, place):
    key = report.origins["semantic true, factors 12"]["run"]
    (path,) = (place / "runs").glob(f"{key}-*.json")
    whole = path.read_text()
    path.write_text("{}")
    try:
        with pytest.raises(DataError, match="remove the file"):
            run(world_folder, place)
    finally:
        path.write_text(whole)
