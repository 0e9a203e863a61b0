"""Behavioural models alone under the full protocol, on the planted world."""

import json
from itertools import pairwise

import numpy as np
import pytest
from conftest import world_config
from typer.testing import CliRunner

from semrec.bench.behaviour_models import _cases, _windows, behavioural_report
from semrec.cli import app
from semrec.data.dataset import read_dataset
from semrec.errors import ConfigError, DataError


def config_of(kind="als", test="time", **split):
    return world_config(
        behaviour={"kind": kind, "neighbours": {"kind": "ease" if kind == "none" else "none"}},
        split={"test": test, "test_share": 0.1, **split},
    )


def test_each_configuration_is_chosen_fitted_and_asked_the_same_cases(world):
    configs = {kind: config_of(kind, "last") for kind in ("als", "none")}
    report, details = behavioural_report(world, configs)
    assert report.n_cases == report.n_units == 180
    assert [row.system for row in report.rows] == ["als", "none"]
    for row in report.rows:  # nine others of the group, of which the session holds five
        assert row.metrics["recall"].mean > 0.9
    assert [one["system"] for one in details] == ["als", "none"]
    assert details[1]["neighbours"]["kind"] == "ease"
    assert all(one["fit_s"] >= 0 and one["session_vector_ms"] > 0 for one in details)


def test_at_each_cut_only_the_past_is_learned_and_the_next_window_asked(world):
    config = config_of(cuts=3)
    windows = _windows(world.positives, config)
    assert len(windows) == 3
    everything = len(world.positives)
    for cut, window in enumerate(windows):
        assert window.train.timestamps.max() < window.cut <= window.test.timestamps.min()
        assert len(window.train) == pytest.approx(everything * (0.7 + 0.1 * cut), abs=2)
        assert len(window.test) == pytest.approx(everything * 0.1, abs=2)
    for window, later in pairwise(windows):
        assert window.test.timestamps.max() < later.cut
    report, details = behavioural_report(world, {"als": config})
    assert {one["cut"] for one in details} == {0, 1, 2}
    assert report.n_cases == sum(len(some) for some in _cases(windows, world, config))


@pytest.mark.parametrize("most", [1, 2, 20])
def test_a_user_has_at_most_so_many_targets_over_all_cuts(world, most):
    config = config_of(cuts=3, max_targets=most)
    cases = [
        case for some in _cases(_windows(world.positives, config), world, config) for case in some
    ]
    per_user = np.unique([case.unit for case in cases], return_counts=True)[1]
    assert per_user.max() == min(most, 6)
    assert len({case.case_id for case in cases}) == len(cases)


def test_what_can_not_be_tested_is_refused(world, tmp_path):
    with pytest.raises(ConfigError, match=r"split\.test is none"):
        behavioural_report(world, {"als": config_of(test="none")})
    with pytest.raises(ConfigError, match="the same `split`"):
        behavioural_report(world, {"a": config_of(), "b": config_of(cuts=2)})
    with pytest.raises(ConfigError, match="leave none to learn from"):
        behavioural_report(world, {"a": config_of(cuts=10)})


def test_cuts_in_time_need_clock_times(world_folder, tmp_path):
    for file in world_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "dataset.yaml").write_text("name: ordered\ntime: order\n")
    with pytest.raises(DataError, match="need clock times"):
        behavioural_report(read_dataset(tmp_path), {"a": config_of(cuts=2)})


def test_the_command_prints_and_writes_what_it_found(world_folder, tmp_path):
    config = tmp_path / "small.yaml"
    config.write_text(
        "behaviour: {kind: als, factors: 12, regularization: 1, alpha: 5, decay: 1,\n"
        "  neighbours: {kind: none}}\nsplit: {test: last}\n"
    )
    command = ["bench", "behaviour", str(world_folder), "--config", str(config)]
    shown = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert shown.exit_code == 0, shown.output
    assert "small: fitted in" in shown.stdout
    assert all(len(line) <= 80 or "written" in line for line in shown.stdout.splitlines())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (system,) = json.loads((tmp_path / "out" / "systems.json").read_text())
    assert report["rows"][0]["system"] == system["system"] == "small"
    as_json = CliRunner().invoke(app, [*command, "--json"])
    again = json.loads(as_json.stdout)
    assert again["rows"] == report["rows"], "the same seed gives the same numbers"
    assert again["systems"][0]["behaviour"]["kind"] == "als"
    twice = CliRunner().invoke(app, [*command, "--config", str(config)])
    assert isinstance(twice.exception, ConfigError)


def test_every_configuration_of_the_leaderboard_is_valid():
    from semrec.config import load_config
    from semrec.environment.packaged import find_packaged

    folder = find_packaged("configs", "default", ".yaml").parent / "leaderboard"
    files = sorted(folder.glob("*.yaml"))
    assert len(files) >= 12
    for file in files:
        config = load_config(file)
        assert config.split.test in ("last", "time")


@pytest.mark.slow
def test_train_leaves_what_build_goes_on_from(world_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMREC_CACHE", str(tmp_path / "cache"))
    options = [
        *("--set", "encoder.kind=hashing", "--set", "behaviour.kind=sasrec"),
        *("--set", "behaviour.factors=8", "--set", "behaviour.neighbours.kind=none"),
        *("--set", "behaviour.training={epochs: 3, heads: 1, blocks: 1}"),
    ]
    trained = CliRunner().invoke(app, ["train", "behaviour", str(world_folder), *options])
    assert trained.exit_code == 0, trained.output
    assert "validation NDCG" in trained.stdout
    left = list((tmp_path / "cache" / "semrec" / "training").glob("*.safetensors"))
    assert len(left) == 2
    command = ["build", str(world_folder), "--out", str(tmp_path / "a"), *options, "--json"]
    built = CliRunner().invoke(app, command)
    assert built.exit_code == 0, built.output
    assert json.loads(built.stdout)["behaviour"]["kind"] == "sasrec"
    assert not list((tmp_path / "cache" / "semrec" / "training").glob("*.safetensors"))


def test_train_refuses_what_is_not_trained_in_steps(world_folder):
    refused = CliRunner().invoke(app, ["train", "behaviour", str(world_folder)])
    assert isinstance(refused.exception, ConfigError)
    assert "sasrec or two_tower" in str(refused.exception)
