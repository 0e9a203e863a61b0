"""What training a sequence model promises: batches, learning, ends, resuming."""

import random
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tiny_training import (
    N_ITEMS,
    Killed,
    OneNumber,
    Planted,
    Told,
    assert_same_numbers,
    fit,
    in_blocks,
    learned_blocks,
    log_softmax,
    scheduled,
    shaped,
)

from semrec.behaviour import sequence_training as training
from semrec.behaviour.sequence_training import NO_TARGET, Trained, padded, train
from semrec.config import BehaviourConfig, TrainingConfig
from semrec.errors import ArtifactError
from semrec.types import SessionRows

pytestmark = pytest.mark.usefixtures("one_thread")


# --- batches ---


def test_padded_reads_up_to_the_last_event_and_asks_for_the_next():
    sessions = [np.asarray(rows) for rows in ([1, 2, 3], [4, 5], [6, 7, 8, 9, 10])]
    inputs, targets = padded(sessions, 3, pad=99)
    assert inputs.tolist() == [[1, 2, 99], [4, 99, 99], [7, 8, 9]]
    assert targets.tolist() == [[2, 3, -1], [5, -1, -1], [8, 9, 10]]
    assert (inputs.dtype, targets.dtype, NO_TARGET) == (torch.int64, torch.int64, -1)


def passes_over(sessions, *, epochs=2, **changes):
    """What a network is given in each pass."""
    network = OneNumber()
    schedule = scheduled(epochs=epochs, **changes)
    train(network, sessions, pad=10_000, schedule=schedule, report=Told(), name="numbers")
    n = len(network.given) // epochs
    return [network.given[at : at + n] for at in range(0, len(network.given), n)]


def of_many_lengths(n=400):
    """Session number i starts with item i."""
    rng = np.random.default_rng(4)
    return [np.asarray([i, *rng.integers(n, size=rng.integers(1, 40))]) for i in range(n)]


def test_each_pass_has_every_session_once_in_an_order_of_its_own():
    sessions = of_many_lengths()
    orders = []
    for batches in passes_over(sessions, batch_size=8, max_length=50):
        assert all(len(inputs) <= 8 for inputs, _ in batches)
        met = [int(first) for inputs, _ in batches for first in inputs[:, 0]]
        assert sorted(met) == list(range(400))
        orders.append(met)
    assert orders[0] != orders[1]


def test_sessions_of_similar_length_are_batched_together():
    (batches,) = passes_over(of_many_lengths(), epochs=1, batch_size=8, max_length=50)
    padding = np.concatenate([(targets == NO_TARGET).ravel() for _, targets in batches])
    assert padding.mean() < 0.1  # at random it were some 45%
    lengths = [targets.shape[1] for _, targets in batches]
    assert (np.diff(lengths) < 0).any()  # the short ones don't all come first


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_each_process_has_as_many_batches_and_together_they_have_every_session(processes):
    sessions = of_many_lengths(n=90)
    batches = training._batches(sessions, scheduled(batch_size=8), 0, processes)
    assert len(batches) % processes == 0
    assert len(batches) - np.ceil(90 / 8) < processes
    met = np.concatenate(batches)
    assert set(met.tolist()) == set(range(90))
    if processes == 1:
        assert len(met) == 90


def test_more_processes_than_batches_repeat_them():
    batches = training._batches(in_blocks(3), scheduled(batch_size=8), 0, 4)
    assert [sorted(batch.tolist()) for batch in batches] == [[0, 1, 2]] * 4


def test_sessions_of_one_item_teach_nothing():
    """They are known, though, and have vectors."""
    with_them = fit(sessions=[*in_blocks(), *[np.asarray([row]) for row in range(6)]])
    assert_same_numbers(with_them, fit())
    told = Told()
    untaught = fit(sessions=[np.asarray([row]) for row in range(6)], report=told)
    assert untaught.trained == Trained(stopped="epochs")
    assert told.all == []
    assert untaught.item_vectors[:6].any(axis=1).all()
    asked = SessionRows.of([0, 1])
    np.testing.assert_array_equal(untaught.scores(asked), untaught.scores(asked))


def test_only_the_newest_events_are_learned_from():
    sessions = [np.concatenate([np.full(3, 7), rows]) for rows in in_blocks()]
    cut = [rows[-4:] for rows in sessions]  # three to read and a target
    shape = shaped(max_length=3)
    assert_same_numbers(fit(shape, sessions, max_length=3), fit(shape, cut, max_length=3))


# --- what it learns ---


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("sasrec", "full"),
        ("sasrec", "sampled"),
        ("sasrec", "in_batch"),
        ("two_tower", "full"),
        ("two_tower", "sampled"),
        ("two_tower", "in_batch"),
    ],
)
def test_every_loss_teaches_what_goes_with_what(kind, loss):
    told = Told()
    model = fit(shaped(kind, loss=loss, dropout=0.1), epochs=15, report=told)
    assert learned_blocks(model)
    first, last = (float(told.all[at][3].removeprefix("loss ")) for at in (0, -1))
    assert last < 0.8 * first


def test_in_a_batch_items_are_corrected_by_how_many_events_they_have():
    """At first all inner products are about 0, so that the correction is all there is."""
    sessions = [np.asarray([0, 0, 0, row]) for row in (0, 0, 0, 0, 1, 2)]
    told = Told()
    shape = shaped(loss="in_batch", dropout=0.0)
    fit(shape, sessions, n_items=3, epochs=1, report=told)
    logits = -np.log(np.asarray([22, 1, 1]) / 24)
    targets = [0] * 16 + [1, 2]
    want = -log_softmax(logits)[targets].mean()
    assert float(told.all[0][3].removeprefix("loss ")) == pytest.approx(want, abs=0.15)
    assert abs(want - np.log(3)) > 1  # as it were without


@pytest.mark.parametrize("kind", ["sasrec", "two_tower"])
def test_the_same_seed_gives_the_same_numbers(kind):
    assert_same_numbers(fit(shaped(kind)), fit(shaped(kind)))
    other = fit(shaped(kind), seed=4)
    assert not np.array_equal(other.item_vectors, fit(shaped(kind)).item_vectors)


def test_torchs_own_random_numbers_are_neither_used_nor_moved():
    with torch.random.fork_rng():
        states = []
        models = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
            models.append(fit(shaped(loss="sampled"), validate=Planted(0.1, 0.2, 0.3)))
            after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
            assert torch.equal(before[0], after[0])
            assert before[1:] == after[1:]
            states.append(after[0])
        assert not torch.equal(*states)
        assert_same_numbers(*models)


def test_many_sessions_at_once_are_read_as_one_by_one():
    """A SASRec of the default size: 128 dimensions, 2 blocks, 50 events."""
    rng = np.random.default_rng(0)
    sessions = [rng.integers(200, size=rng.integers(2, 60)) for _ in range(40)]
    defaults = TrainingConfig()
    shape = shaped(
        dim=BehaviourConfig().factors,
        blocks=defaults.blocks,
        heads=defaults.heads,
        dropout=defaults.dropout,
        max_length=defaults.max_length,
    )
    assert (shape.dim, shape.blocks, shape.max_length) == (128, 2, 50)
    model = fit(shape, sessions, n_items=202, epochs=1, max_length=50)
    asked = [*sessions, np.asarray([], np.int64), np.asarray([200, 201]), np.asarray([200, 3])]
    found = model.session_vectors(asked)
    assert found.shape == (43, 128)
    assert found.dtype == np.float32
    for rows, vector in zip(asked, found, strict=True):
        np.testing.assert_allclose(model.session_vector(SessionRows.of(rows)), vector, atol=1e-5)
    assert (np.abs(found).max(axis=1) > 0.1).tolist() == [True] * 40 + [False, False, True]
    assert model.session_vectors([]).shape == (0, 128)


# --- when it ends ---


def test_the_best_epochs_weights_are_kept():
    validate = Planted(0.1, 0.2, 0.5, 0.5, 0.2, 0.9)
    model = fit(epochs=9, patience=2, validate=validate)
    assert model.trained == Trained(epochs=5, best_epoch=3, best_score=0.5, stopped="patience")
    assert len(validate.shown) == 5
    assert_same_numbers(model, validate.shown[2])
    assert not np.array_equal(model.item_vectors, validate.shown[4].item_vectors)


def test_a_better_epoch_renews_the_patience():
    model = fit(epochs=7, patience=2, validate=Planted(0.3, 0.2, 0.4, 0.1, 0.6, 0.1, 0.1))
    assert model.trained == Trained(epochs=7, best_epoch=5, best_score=0.6, stopped="epochs")


def test_without_validation_the_last_weights_are_kept():
    model = fit(epochs=3)
    assert model.trained == Trained(epochs=3, best_epoch=3, best_score=None, stopped="epochs")
    validate = Planted(0.3, 0.2, 0.1)
    fit(epochs=3, validate=validate)
    assert_same_numbers(model, validate.shown[2])


def test_a_model_is_validated_without_dropout_and_goes_on_with_it():
    validate = Planted(0.1, 0.2, 0.3)
    model = fit(validate=validate)
    assert [model.tower.training for model in validate.shown] == [False] * 3
    assert_same_numbers(model, fit())


def test_a_network_is_validated_in_eval_mode_and_ends_in_it():
    modes = []
    network = OneNumber()
    train(
        network,
        in_blocks(),
        pad=18,
        schedule=scheduled(),
        validate=lambda network: modes.append(network.training) or 0.0,
        report=Told(),
        name="numbers",
    )
    assert modes == [False] * 3
    assert not network.training


@pytest.mark.parametrize("score", [None, 0.25], ids=["plain", "validated"])
def test_when_the_time_is_up_it_stops_at_the_first_look_at_the_clock(tmp_path, score):
    told = Told()
    model = fit(
        batch_size=4,
        deadline=time.monotonic() - 1,
        report=told,
        validate=None if score is None else Planted(score),
        checkpoint=tmp_path / "checkpoint",
    )
    assert [(done, total) for _, done, total, _ in told.all] == [(10, 3 * 23)]
    assert model.trained == Trained(epochs=0, best_epoch=1, best_score=score, stopped="time")
    assert list(tmp_path.iterdir()) == []  # a whole pass is what one can go on from
    scores = model.scores(SessionRows.of([0, 1]))
    assert np.isfinite(scores).all()
    assert scores.std() > 0


def test_a_pass_that_is_whole_when_the_time_is_up_counts_and_one_can_go_on_from_it(tmp_path):
    late = {"batch_size": 90, "checkpoint": tmp_path / "checkpoint"}
    model = fit(deadline=time.monotonic() - 1, **late)
    assert model.trained == Trained(epochs=1, best_epoch=1, best_score=None, stopped="time")
    assert_same_numbers(model, fit(batch_size=90, epochs=1))
    assert_same_numbers(fit(**late), fit(batch_size=90))


def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "checkpoint"
    fit(epochs=1, checkpoint=path)
    for content in (path.read_bytes()[:-9], b"", b"no checkpoint"):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match=r"checkpoint: not a checkpoint .* remove it"):
            fit(checkpoint=path)


def test_a_deadline_that_is_far_off_changes_nothing():
    assert_same_numbers(fit(deadline=time.monotonic() + 1000), fit())


# --- what is told ---


def test_progress_tells_the_loss_and_the_best_score_so_far():
    told = Told()
    fit(batch_size=4, epochs=3, report=told, validate=Planted(0.2, 0.1, 0.3))
    assert {stage for stage, *_ in told.all} == {"train sasrec"}
    steps = [done + 23 * epoch for epoch in range(3) for done in (10, 20, 23)]
    assert [(done, total) for _, done, total, _ in told.all] == [(step, 69) for step in steps]
    details = [detail for *_, detail in told.all]
    assert all(re.fullmatch(r"loss \d\.\d{3}", detail) for detail in details[:3])
    assert all(re.fullmatch(r"loss \d\.\d{3}, NDCG 0\.2000", detail) for detail in details[3:])


def test_the_loss_that_is_told_is_the_mean_of_the_pass_so_far():
    told = Told()
    sessions = in_blocks(60)  # 15 batches: OneNumber's loss is the number of the batch
    schedule = scheduled(epochs=2, batch_size=4)
    train(OneNumber(), sessions, pad=18, schedule=schedule, report=told, name="numbers")
    means = [np.mean(range(1, 11)), np.mean(range(1, 16)), np.mean(range(16, 26))]
    assert [detail for *_, detail in told.all[:3]] == [f"loss {mean:.3f}" for mean in means]


# --- killed and gone on ---

SCORES = (0.1, 0.5, 0.3, 0.2, 0.4)


@pytest.mark.parametrize("kind", ["sasrec", "two_tower"])
@pytest.mark.parametrize("killed_in", ["training", "training after validation", "validation"])
def test_a_training_that_was_killed_arrives_at_the_same_numbers(tmp_path, kind, killed_in):
    """Killed in its third epoch of five; where it is validated the second is the best."""
    labels = [[row // 3, 9] for row in range(N_ITEMS)]
    checkpoint = tmp_path / "not" / "there" / "checkpoint"
    validated = killed_in != "training"

    def run(*, report=None, first=0, kill_at=None, **rest):
        validate = Planted(*SCORES[first:], kill_at=kill_at) if validated else None
        shape = shaped(kind, loss="sampled")
        return fit(shape, labels=labels, epochs=5, validate=validate, report=report, **rest)

    whole = run()
    best = (2, 0.5) if validated else (5, None)
    assert whole.trained == Trained(
        epochs=5, best_epoch=best[0], best_score=best[1], stopped="epochs"
    )
    report = None if killed_in == "validation" else Told(kill_at=2 * 6 + 1)
    with pytest.raises(Killed):
        run(checkpoint=checkpoint, report=report, kill_at=3)
    told = Told()
    again = run(checkpoint=checkpoint, first=2, report=told)
    assert [done for _, done, *_ in told.all] == [18, 24, 30]  # two passes of six were done
    assert again.trained == whole.trained
    assert_same_numbers(again, whole)
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


@pytest.mark.parametrize("validated", [False, True])
def test_a_training_that_is_done_is_not_done_again(tmp_path, validated):
    def run(scores, report):
        validate = Planted(*scores) if validated else None
        return fit(epochs=4, checkpoint=tmp_path / "done", validate=validate, report=report)

    first = run((0.2, 0.4, 0.3, 0.1), Told())
    told = Told()
    again = run((), told)
    assert told.all == []
    assert again.trained == first.trained
    assert_same_numbers(again, first)


def test_a_checkpoint_that_could_not_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    checkpoint = tmp_path / "checkpoint"
    write = training.save_file
    written = []

    def full_disk(tensors, path, metadata):
        written.append(path)
        if len(written) == 3:
            Path(path).write_bytes(b"half")
            raise OSError("no space left")
        write(tensors, path, metadata=metadata)

    monkeypatch.setattr(training, "save_file", full_disk)
    with pytest.raises(OSError, match="no space"):
        fit(epochs=4, checkpoint=checkpoint)
    monkeypatch.undo()
    assert checkpoint not in written  # always beside it, and then in its place
    told = Told()
    assert_same_numbers(fit(epochs=4, checkpoint=checkpoint, report=told), fit(epochs=4))
    assert told.all[0][1] == 18  # from the third pass on


def test_while_it_trains_there_is_one_whole_checkpoint(tmp_path):
    seen = []

    def report(_stage, done, _total, _detail=""):
        seen.append([path.name for path in tmp_path.iterdir()])
        if done > 6:
            assert "now.table.ids" in load_file(tmp_path / "one")

    fit(epochs=3, checkpoint=tmp_path / "one", report=report)
    assert seen == [[], ["one"], ["one"]]
