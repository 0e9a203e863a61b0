"""Sequence models as configured: labels, options, several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tiny_training import (
    N_ITEMS,
    SCRIPT,
    assert_same_numbers,
    events_of,
    fit,
    in_blocks,
    learned_blocks,
    shaped,
)
from torchrun_nodes import alone, on_two_nodes

from semrec.artifact import behavioural_models as behaviour
from semrec.behaviour.sequence_training import Trained
from semrec.behaviour.sequential import load_sequence_model
from semrec.config import BehaviourConfig, TrainingConfig
from semrec.environment.ranks import is_main_rank, n_ranks
from semrec.errors import ConfigError

pytestmark = pytest.mark.usefixtures("one_thread")


# --- as it is configured ---


def fit_configured(kind="sasrec", *, factors=8, options=None, label_lists=None, **changes):
    values = {"blocks": 1, "epochs": 2, "batch_size": 16, **changes}
    config = BehaviourConfig(kind=kind, factors=factors, training=TrainingConfig(**values))
    events = events_of([*in_blocks(), [], [3]], N_ITEMS)
    return behaviour.fit_behaviour(
        kind,
        events,
        config,
        {"decay": 0.9, **(options or {})},
        seed=3,
        fit=behaviour.SequenceFit(labels=label_lists),
    )


def test_a_users_events_are_one_session():
    shape = shaped(dropout=0.1, decay=0.9, negatives=5)
    want = fit(shape, [*in_blocks(), np.asarray([3])], epochs=2, learning_rate=0.002)
    found = fit_configured(dropout=0.1, max_length=10, negatives=5)
    assert_same_numbers(found, want)
    assert found.shape == shape


def test_the_epochs_among_the_options_come_before_the_configured_ones():
    assert fit_configured().trained.epochs == 2
    assert fit_configured(options={"epochs": 1}).trained.epochs == 1


def test_the_loss_is_chosen_by_kind_and_by_the_number_of_items(monkeypatch):
    assert fit_configured("sasrec").shape.loss == "full"
    assert fit_configured("two_tower").shape.loss == "in_batch"
    assert fit_configured("two_tower", loss="full").shape.loss == "full"
    monkeypatch.setattr(behaviour, "FULL_SOFTMAX_UP_TO", N_ITEMS - 1)
    assert fit_configured("sasrec").shape.loss == "sampled"
    assert fit_configured("two_tower").shape.loss == "in_batch"
    monkeypatch.setattr(behaviour, "FULL_SOFTMAX_UP_TO", N_ITEMS)
    assert fit_configured("sasrec").shape.loss == "full"


def test_labels_can_be_left_out():
    lists = [[row // 3] for row in range(N_ITEMS)]
    plain, learned = fit_configured(), fit_configured(label_lists=lists)
    assert_same_numbers(fit_configured(label_lists=lists, labels=False), plain)
    assert not np.array_equal(learned.item_vectors, plain.item_vectors)


def test_heads_must_share_the_factors():
    with pytest.raises(ConfigError, match=r"factors is 9, expected a multiple of .*heads \(2\)"):
        fit_configured("sasrec", factors=9)
    assert fit_configured("two_tower", factors=9).item_vectors.shape == (N_ITEMS, 9)


# --- in processes of their own ---


NODES = Path(__file__).parent / "two_nodes.py"


def start(out, *before, **env):
    """Run the script, which writes into `out`."""
    out.mkdir()
    plain = {k: v for k, v in os.environ.items() if not k.startswith("ACCELERATE_")}
    done = subprocess.run(
        [sys.executable, *before, str(SCRIPT), str(out)],
        env={**plain, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def read(out, name, rank=0):
    told = json.loads((out / f"{name}-{rank}.json").read_text())
    return load_file(out / f"{name}-{rank}.safetensors"), told["trained"], told["told"]


@pytest.mark.slow
def test_in_two_processes_both_end_with_the_same_weights(tmp_path):
    # `accelerate launch --cpu --num_processes 2` starts one process only, unless there is mpirun.
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    start(tmp_path / "two", *launcher)
    start(tmp_path / "one")
    weights, trained, told = read(tmp_path / "two", "whole", 0)
    others, others_trained, _ = read(tmp_path / "two", "whole", 1)
    assert trained == others_trained
    assert trained == {"epochs": 10, "best_epoch": 8, "best_score": 0.8, "stopped": "epochs"}
    assert weights.keys() == others.keys()
    for name, array in weights.items():
        assert np.isfinite(array).all()
        np.testing.assert_array_equal(array, others[name], err_msg=name)
    model = load_sequence_model(weights, shaped(), Trained())
    assert learned_blocks(model)
    # Each has half of the batches: ninety sessions by four are 23, the 24th stands in twice.
    assert told[-1][:3] == ["train sasrec", 120, 120]
    assert read(tmp_path / "one", "whole")[2][-1][:3] == ["train sasrec", 230, 230]
    assert [path.name for path in (tmp_path / "two" / "whole").iterdir()] == ["checkpoint"]
    for rank in (0, 1):
        weights, trained, told = read(tmp_path / "two", "timed", rank)
        assert trained["stopped"] == "time"
        assert [step for _, step, *_ in told] == [10]
        np.testing.assert_array_equal(
            weights["item_vectors"], read(tmp_path / "two", "timed")[0]["item_vectors"]
        )


def what_counts(kind, name, array):
    """Without what no loss depends on: its gradient is rounding, of which Adam makes whole steps.

    A bias of keys adds the same to all weights of attention, one of all items to all logits.
    """
    if name.endswith("qkv.bias"):
        return np.delete(array.reshape(3, -1), 1, axis=0)
    if (kind, name) == ("two_tower", "item_vectors"):
        return array - array.mean(axis=0)
    return array


def assert_nodes_have_its_weights(out, kind):
    first, second, one = (
        load_file(out / f"{kind}-{name}.safetensors") for name in ("2-0", "2-1", "1-0")
    )
    for name, array in one.items():
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        np.testing.assert_allclose(
            what_counts(kind, name, first[name]), what_counts(kind, name, array), atol=1e-5
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "loss"), [("sasrec", "full"), ("sasrec", "sampled"), ("two_tower", "in_batch")]
)
def test_two_nodes_learn_what_one_process_does_on_twice_the_batch(tmp_path, kind, loss):
    """On loopback: the mean of their losses is its loss, step by step; only the first writes."""
    done = on_two_nodes(NODES, tmp_path, kind, loss)
    assert [node.returncode for node in done] == [0, 0], done
    assert [path.name for path in tmp_path.glob("*.checkpoint")] == [f"{kind}-2-0.checkpoint"]
    alone(NODES, tmp_path, kind, loss)
    first, second, one = (
        json.loads((tmp_path / f"{kind}-{name}.json").read_text()) for name in ("2-0", "2-1", "1-0")
    )
    assert len(one["losses"]) >= 20
    assert np.ptp([first["n_targets"], second["n_targets"]], axis=0).max() > 2
    means = np.mean([first["losses"], second["losses"]], axis=0)
    np.testing.assert_allclose(means, one["losses"], atol=1e-5)
    assert one["losses"][-1] < one["losses"][0] - 0.1
    assert_nodes_have_its_weights(tmp_path, kind)


@pytest.mark.slow
def test_two_nodes_with_disks_of_their_own_go_on_where_the_first_was_killed(tmp_path):
    """The other one has no checkpoint: it is sent what the first one reads."""
    done = on_two_nodes(NODES, tmp_path, "two_tower", "in_batch", 20)
    assert 0 not in [node.returncode for node in done]
    assert [path.name for path in tmp_path.iterdir()] == ["two_tower-2-0.checkpoint"]
    done = on_two_nodes(NODES, tmp_path, "two_tower", "in_batch")
    assert [node.returncode for node in done] == [0, 0], done
    for rank in (0, 1):  # the second pass alone
        told = json.loads((tmp_path / f"two_tower-2-{rank}.json").read_text())
        assert len(told["losses"]) == 12
    alone(NODES, tmp_path, "two_tower", "in_batch")
    assert_nodes_have_its_weights(tmp_path, "two_tower")


@pytest.mark.slow
def test_processes_that_would_each_train_alone_are_refused(tmp_path):
    alone_each = {"ACCELERATE_USE_CPU": "false", "CUDA_VISIBLE_DEVICES": ""}
    done = on_two_nodes(NODES, tmp_path, "sasrec", "full", environments=(alone_each, alone_each))
    for node in done:
        assert node.returncode != 0
        assert "on CPU set ACCELERATE_USE_CPU=true" in node.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("names", [("RANK", "WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")])
def test_a_rank_is_known_by_any_launcher(monkeypatch, names):
    assert (is_main_rank(), n_ranks()) == (True, 1)
    for name, value in zip(names, ("1", "2"), strict=True):
        monkeypatch.setenv(name, value)
    assert (is_main_rank(), n_ranks()) == (False, 2)


@pytest.mark.slow
def test_in_mixed_precision_it_learns_the_same(tmp_path):
    start(tmp_path / "bf16", ACCELERATE_MIXED_PRECISION="bf16")
    start(tmp_path / "no")
    half, whole = (read(tmp_path / name, "whole")[0] for name in ("bf16", "no"))
    for name, array in half.items():
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
        assert not np.array_equal(array, whole[name]), name
    assert learned_blocks(load_sequence_model(half, shaped(), Trained()))
    assert learned_blocks(load_sequence_model(whole, shaped(), Trained()))
