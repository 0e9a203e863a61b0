"""Training callbacks: progress, validation, keeping the best, stopping."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from semrec.encoders.sentence import SentenceEncoder
from semrec.environment.files import replacing, write_text
from semrec.environment.ranks import from_main_rank, is_main_rank, n_ranks
from semrec.types import Progress

Validate = Callable[[SentenceEncoder], float]
"""NDCG of an encoder on validation requests."""


class Watch(TrainerCallback):
    """Shows each step, validates every few, remembers the best, and stops when the time is up.

    On several ranks the first one does all of that, and the others learn what it saw.

    Attributes:
        seen: Validation NDCG by step; ``"0"`` is the untrained encoder.
    """

    def __init__(
        self,
        encoder: SentenceEncoder,
        *,
        validate: Validate,
        folder: Path,
        every: int,
        report: Progress,
        deadline: float | None,
    ) -> None:
        """`encoder.model` is the one in training; `folder` keeps the best between runs."""
        self._encoder, self._validate, self._folder = encoder, validate, folder
        self._every, self._report, self._deadline = every, report, deadline
        self.seen: dict[str, float] = {}
        if self._record.is_file() and self._weights.is_file():
            self.seen = json.loads(self._record.read_text(encoding="utf-8"))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Validate the untrained encoder, unless an earlier run did."""
        self.seen = from_main_rank(self.seen)
        if not self.seen:
            self._look(0)
        self._report("train encoder", state.global_step, state.max_steps, self._progress_text())

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Show how far it is; validate now and then, and at the end."""
        step, last = state.global_step, state.global_step >= state.max_steps
        timed_out = self._deadline is not None and from_main_rank(time.monotonic() > self._deadline)
        if step % self._every == 0 or last or timed_out:
            self._look(step)
        if timed_out:
            control.should_training_stop = True
            control.should_save = True
        self._report("train encoder", step, state.max_steps, self._progress_text())

    def restore_best(self) -> None:
        """Give the model the best weights by validation; of equals the earliest."""
        model = self._encoder.model
        if is_main_rank():
            model.load_state_dict(load_file(self._weights))
        if n_ranks() > 1:
            model.load_state_dict(broadcast(model.state_dict()))

    def _look(self, step: int) -> None:
        score = from_main_rank(self._score() if is_main_rank() else 0.0)
        is_best = score > max(self.seen.values(), default=-1.0)
        self.seen[str(step)] = round(score, 6)
        if not is_main_rank():
            return
        if is_best:
            weights = self._encoder.model.state_dict()
            with replacing(self._weights) as made:
                save_file({k: v.contiguous() for k, v in weights.items()}, made)
        write_text(self._record, json.dumps(self.seen))

    def _score(self) -> float:
        model = self._encoder.model
        model.eval()
        with torch.no_grad():
            score = self._validate(self._encoder)
        model.train()
        return score

    def _progress_text(self) -> str:
        best = max(self.seen, key=lambda step: self.seen[step])
        now = next(reversed(self.seen))
        return f"NDCG {self.seen[now]:.4f} (best {self.seen[best]:.4f} at step {best})"

    @property
    def _weights(self) -> Path:
        return self._folder / "best.safetensors"

    @property
    def _record(self) -> Path:
        return self._folder / "seen.json"
