"""Trainings of a second or less, planted so that what they should learn is known."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from semrec.behaviour.sequence_training import Schedule
from semrec.behaviour.sequential import Shape, fit_sequence_model
from semrec.data.interactions import Interactions
from semrec.types import SessionRows

N_BLOCKS, BLOCK = 3, 6
N_ITEMS = N_BLOCKS * BLOCK
SCRIPT = Path(__file__).parent / "two_processes.py"


class Killed(Exception):
    """Stands for a process that ends in the middle."""


class Told:
    """Keeps what is reported; from step `kill_at` on the process is no more."""

    def __init__(self, kill_at=None):
        self.all, self.kill_at = [], kill_at

    def __call__(self, stage, done, total, detail=""):
        if self.kill_at is not None and done >= self.kill_at:
            raise Killed
        self.all.append((stage, done, total, detail))


class Planted:
    """Validates by scores given beforehand, and keeps the models it was shown."""

    def __init__(self, *scores, kill_at=None):
        self.scores, self.shown, self.kill_at = scores, [], kill_at

    def __call__(self, model):
        self.shown.append(model)
        if len(self.shown) == self.kill_at:
            raise Killed
        return self.scores[len(self.shown) - 1]


class OneNumber(nn.Module):
    """A network of one number, which goes up a bit with every step; keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.number = nn.Parameter(torch.zeros(()))
        self.given = []

    def forward(self, inputs, targets):
        self.given.append((inputs.numpy(), targets.numpy()))
        return len(self.given) - self.number + self.number.detach()


def in_blocks(n_users=90):
    """Users who each took four of the six items of their block."""
    rng = np.random.default_rng(5)
    return [user % N_BLOCKS * BLOCK + rng.permutation(BLOCK)[:4] for user in range(n_users)]


def shaped(kind="sasrec", **changes):
    values = {
        "dim": 8,
        "blocks": 1,
        "heads": 2,
        "dropout": 0.2,
        "decay": 0.8,
        "max_length": 10,
        "loss": "full" if kind == "sasrec" else "in_batch",
        "negatives": 16,
    }
    return Shape(kind=kind, **{**values, **changes})


def scheduled(**changes):
    values = {
        "epochs": 3,
        "patience": 9,
        "batch_size": 16,
        "max_length": 10,
        "learning_rate": 0.01,
        "seed": 3,
    }
    return Schedule(**{**values, **changes})


def fit(shape=None, sessions=None, *, n_items=N_ITEMS, report=None, labels=None, **rest):
    known = {name: rest.pop(name) for name in ("validate",) if name in rest}
    return fit_sequence_model(
        in_blocks() if sessions is None else sessions,
        n_items,
        shape=shape or shaped(),
        schedule=scheduled(**rest),
        labels=labels,
        report=report or Told(),
        **known,
    )


def assert_same_numbers(one, other):
    """Bit for bit."""
    first, second = one.state(), other.state()
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def learned_blocks(model):
    """Whether a session of two items ranks the rest of their block first, for each block."""
    ranked = []
    for first in range(0, N_ITEMS, BLOCK):
        scores = model.scores(SessionRows.of([first, first + 1]))
        scores[[first, first + 1]] = -np.inf
        ranked.append(set(np.argsort(-scores)[:4]) == set(range(first + 2, first + 6)))
    return all(ranked)


def positions(n=13, n_items=7, dim=4, seed=0):
    """Hidden states, item vectors and targets, some of which occur several times."""
    rng = np.random.default_rng(seed)
    hidden, items = (rng.standard_normal((size, dim)).astype(np.float32) for size in (n, n_items))
    return hidden, items, rng.integers(n_items, size=n)


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def events_of(sessions, n_items):
    """Interactions of users who took these rows, oldest first."""
    lengths = [len(rows) for rows in sessions]
    n = sum(lengths)
    return Interactions(
        user_ids=tuple(f"u{user}" for user in range(len(sessions))),
        users=np.repeat(np.arange(len(sessions)), lengths),
        rows=np.asarray([row for rows in sessions for row in rows], dtype=np.int64),
        timestamps=np.arange(n, dtype=np.float64),
        weights=np.ones(n, dtype=np.float32),
        clock=False,
        n_items=n_items,
    )
