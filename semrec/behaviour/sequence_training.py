"""The training loop of the sequence models, on accelerate.

One process or several, any device, mixed precision: as `accelerate launch` or its environment
variables say. Each epoch starts from seeds of its own and ends in a checkpoint, so a training that
was killed goes on and arrives at the same numbers. Knows nothing of what the network is, only
that calling it gives the loss.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.optimizer import AcceleratedOptimizer
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from semrec.environment.files import replacing
from semrec.environment.ranks import from_main_rank, n_ranks
from semrec.errors import ArtifactError
from semrec.types import Progress, RowArray

NO_TARGET = -1
BUCKET = 20  # batches whose sessions are sorted by length together, so that little is padding
CLIP = 5.0
CLOCK_EVERY = 10  # batches between looks at the clock


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Length and step size of a training.

    Attributes:
        epochs: At most so many passes over the sessions.
        patience: Stop after so many epochs without a better validation score.
        batch_size: Sessions per step and process.
        max_length: How many events of a session, the newest ones, are looked at.
        learning_rate: Of AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).
        seed: Of the batches' order and the dropout.
        deadline: When to stop, as `time.monotonic()` gives it in seconds; None: never.
        checkpoint: File to go on from if it is there, and to write after each epoch; None: none.
    """

    epochs: int
    patience: int
    batch_size: int
    max_length: int
    learning_rate: float
    seed: int
    deadline: float | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained network, and how the training went.

    Attributes:
        epochs: Whole passes done.
        best_epoch: The pass whose weights are kept.
        best_score: Its validation score; None without validation.
        stopped: Why it ended; empty while it goes on.
    """

    epochs: int = 0
    best_epoch: int = 0
    best_score: float | None = None
    stopped: Literal["", "epochs", "patience", "time"] = ""


def train(
    network: nn.Module,
    sessions: Sequence[RowArray],
    *,
    pad: int,
    schedule: Schedule,
    validate: Callable[[nn.Module], float] | None = None,
    report: Progress,
    name: str,
) -> Trained:
    """Train `network` in place; it ends with its best weights, or its last without `validate`.

    Args:
        network: ``network(inputs, targets)`` is the loss; both (b, length) int64.
        sessions: Items of each session, oldest first; those of one item have nothing to learn from.
        pad: Stands in the inputs where a session has ended.
        schedule: How long and how fast, and what to go on from.
        validate: Scores the network after each epoch, higher is better.
        report: Called as batches are done.
        name: For progress.

    Raises:
        ConfigError: If a launcher's processes can't meet.
    """
    usable = [session for session in sessions if len(session) > 1]
    if not usable:
        return Trained(stopped="epochs")
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=schedule.learning_rate, betas=(0.9, 0.98), weight_decay=0.0
    )
    accelerator, checkpoint = Accelerator(), schedule.checkpoint
    state, best = _start(checkpoint, network, optimizer, accelerator)
    wrapped, stepper = accelerator.prepare(network, optimizer)
    passes = _Passes(
        accelerator=accelerator,
        network=wrapped,
        optimizer=stepper,
        sessions=usable,
        pad=pad,
        schedule=schedule,
        report=report,
        stage=f"train {name}",
    )
    with torch.random.fork_rng():
        while not state.stopped:
            timed_out = passes.run(state)
            is_over = timed_out or passes.time_is_up()
            wrapped.eval()
            score = None if validate is None else passes.validated(lambda: validate(network))
            state, is_best = _after_epoch(state, score, schedule, whole=not timed_out)
            if is_best:
                best = _weights(network)
            if checkpoint is not None and accelerator.is_main_process and not timed_out:
                _write(checkpoint, network, optimizer, best, state)
            if is_over:  # with more time a later run goes on from the checkpoint
                state = replace(state, stopped=state.stopped or "time")
    accelerator.wait_for_everyone()
    network.cpu().eval()
    network.load_state_dict(best)
    return state


@dataclass(frozen=True, kw_only=True)
class _Passes:
    """Passes over the sessions; this process takes its share of each."""

    accelerator: Accelerator
    network: nn.Module
    optimizer: AcceleratedOptimizer
    sessions: Sequence[RowArray]
    pad: int
    schedule: Schedule
    report: Progress
    stage: str

    def run(self, state: Trained) -> bool:
        """The pass after `state`; whether the time was up before its end."""
        mine, of = self.accelerator.process_index, self.accelerator.num_processes
        torch.manual_seed(_seed(self.schedule, state.epochs, mine))
        batches = _batches(self.sessions, self.schedule, state.epochs, of)[mine::of]
        self.network.train()
        loss = 0.0
        for done, batch in enumerate(batches, start=1):
            loss += (self._step(batch) - loss) / done
            if done % CLOCK_EVERY == 0 or done == len(batches):
                score = "" if state.best_score is None else f", NDCG {state.best_score:.4f}"
                before, total = state.epochs * len(batches), self.schedule.epochs * len(batches)
                self.report(self.stage, before + done, total, f"loss {loss:.3f}{score}")
                if done < len(batches) and self.time_is_up():
                    return True
        return False

    def _step(self, batch: RowArray) -> float:
        sessions = [self.sessions[index] for index in batch]
        inputs, targets = padded(sessions, self.schedule.max_length, self.pad)
        device = self.accelerator.device
        with self.accelerator.autocast():
            loss = self.network(inputs.to(device), targets.to(device))
        if self.accelerator.num_processes > 1:
            loss = loss * self._share(targets)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return float(loss.detach())

    def _share(self, targets: Tensor) -> Tensor:
        """This process's number of targets over the mean of all: their mean is that of all targets.

        Gradients are averaged over processes, each of which knows the mean over its own targets.
        """
        n_targets = (targets != NO_TARGET).sum().float().to(self.accelerator.device)
        mean: Tensor = self.accelerator.reduce(n_targets, reduction="mean")
        return n_targets / mean

    def validated(self, score: Callable[[], float]) -> float:
        """The main process's score, the same on all processes, whatever their rounding."""
        return from_main_rank(score() if self.accelerator.is_main_process else 0.0)

    def time_is_up(self) -> bool:
        """True if time is up on any process: all of them have to stop together."""
        if self.schedule.deadline is None:
            return False
        is_over = float(time.monotonic() > self.schedule.deadline)
        over = torch.tensor(is_over, device=self.accelerator.device)
        return bool(self.accelerator.reduce(over, reduction="sum") > 0)


def padded(sessions: Sequence[RowArray], max_length: int, pad: int) -> tuple[Tensor, Tensor]:
    """Inputs and next items, both (b, length) int64 with sessions at the left."""
    newest = [session[-max_length - 1 :] for session in sessions]
    length = max(len(session) for session in newest) - 1
    inputs = np.full((len(newest), length), pad, dtype=np.int64)
    targets = np.full((len(newest), length), NO_TARGET, dtype=np.int64)
    for row, session in enumerate(newest):
        inputs[row, : len(session) - 1] = session[:-1]
        targets[row, : len(session) - 1] = session[1:]
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _batches(
    sessions: Sequence[RowArray], schedule: Schedule, epoch: int, processes: int
) -> list[RowArray]:
    """Places of the sessions of each batch, in random order; as many for each process."""
    rng = np.random.default_rng([schedule.seed, epoch])
    lengths = np.asarray([len(session) for session in sessions])
    size, shuffled = schedule.batch_size, rng.permutation(len(sessions))
    batches = []
    for start in range(0, len(shuffled), size * BUCKET):
        bucket = shuffled[start : start + size * BUCKET]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    order = rng.permutation(len(batches))
    order = np.resize(order, math.ceil(len(order) / processes) * processes)
    return [batches[index] for index in order]


def _seed(schedule: Schedule, epoch: int, process: int) -> int:
    sequence = np.random.SeedSequence([schedule.seed, epoch, process])
    return int(sequence.generate_state(1)[0])


def _after_epoch(
    state: Trained, score: float | None, schedule: Schedule, *, whole: bool
) -> tuple[Trained, bool]:
    """The new state, and whether the weights are the best so far."""
    epochs = state.epochs + whole
    is_best = score is None or state.best_score is None or score > state.best_score
    if is_best:
        state = replace(state, best_epoch=max(1, epochs), best_score=score)
    stopped: Literal["", "epochs", "patience", "time"] = ""
    if epochs >= schedule.epochs:
        stopped = "epochs"
    elif score is not None and epochs - state.best_epoch >= schedule.patience:
        stopped = "patience"
    return replace(state, epochs=epochs, stopped=stopped), is_best


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _write(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    best: dict[str, Tensor],
    state: Trained,
) -> None:
    """One file, replaced in whole: a kill leaves the old one or the new one."""
    tensors = {f"now.{name}": value for name, value in _weights(network).items()}
    tensors |= {f"best.{name}": value.clone() for name, value in best.items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value.cpu() for name, value in moments.items()}
    with replacing(path) as made:
        save_file(tensors, made, metadata={"state": json.dumps(asdict(state))})


def _start(
    checkpoint: Path | None,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    accelerator: Accelerator,
) -> tuple[Trained, dict[str, Tensor]]:
    """The state and the best weights to go on from: rank 0's, whose file other machines haven't."""
    state, best = Trained(), _weights(network)
    if checkpoint is not None and accelerator.is_main_process and checkpoint.is_file():
        state, best = _resume(checkpoint, network, optimizer)
    if n_ranks() > 1:  # the weights themselves `prepare` sends
        state, best, moments = from_main_rank((state, best, optimizer.state_dict()))
        optimizer.load_state_dict(moments)
    return state, best


def _resume(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Trained, dict[str, Tensor]]:
    """The state and the best weights; `network` and `optimizer` are as they were.

    Raises:
        ArtifactError: If the file isn't a checkpoint of this network.
    """
    try:
        return _read(path, network, optimizer)
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ArtifactError(
            f"{path}: not a checkpoint to go on from ({error}); remove it to train anew"
        ) from error


def _read(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[Trained, dict[str, Tensor]]:
    now: dict[str, Tensor] = {}
    best: dict[str, Tensor] = {}
    moments: dict[int, dict[str, Tensor]] = {}
    with safe_open(path, framework="pt") as file:
        state = Trained(**json.loads(file.metadata()["state"]))
        for key in file.keys():  # noqa: SIM118 (no mapping)
            kind, _, name = key.partition(".")
            if kind == "adam":
                index, _, moment = name.partition(".")
                moments.setdefault(int(index), {})[moment] = file.get_tensor(key)
            else:
                (now if kind == "now" else best)[name] = file.get_tensor(key)
    network.load_state_dict(now)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return state, best
