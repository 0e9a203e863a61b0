"""Training a small cross-encoder on lists: CrossEncoderTrainer, which runs on accelerate.

Listwise (Cao et al. 2007, ListNet): a softmax over each request's candidates is to be like that of
its labels, in which what was right stands far above and teachers order the rest.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from semrec.errors import ModelError
from semrec.types import Progress


@dataclass(frozen=True, kw_only=True)
class TaughtList:
    """A request, candidates, and what they are to get: higher is better.

    Attributes:
        request: In words.
        texts: The candidates in words.
        labels: One for each; only differences within a list count.
    """

    request: str
    texts: Sequence[str]
    labels: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Options of a training.

    Attributes:
        epochs: Over all lists; may be a fraction.
        seed: Of the order of the lists and of dropout.
        batch_size: Lists per step.
        learning_rate: At its highest.
        deadline: When to stop, as `time.monotonic()` gives it in seconds; None: never.
    """

    epochs: float
    seed: int
    batch_size: int = 8
    learning_rate: float = 1e-4
    deadline: float | None = None


def train_cross_encoder(
    base: Path,
    lists: Sequence[TaughtList],
    steps: Steps,
    *,
    folder: Path,
    report: Progress,
) -> Any:  # noqa: ANN401 (a CrossEncoder)
    """A CrossEncoder trained from `base`. Killed, it goes on from the last checkpoint in `folder`.

    Args:
        base: A CrossEncoder's folder, such as `cut_layers` writes.
        lists: At least one batch.
        steps: How.
        folder: For checkpoints; its caller removes it when the result is stored.
        report: Called at every step, with the loss.

    Raises:
        ModelError: If the library that feeds the trainer isn't installed (extra ``train``).
    """
    try:
        from datasets import Dataset, disable_progress_bars
    except ImportError as error:
        raise ModelError(
            "training a reranker needs the extra `train`: pip install 'semrec[train]'"
        ) from error
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import losses
    from sentence_transformers.cross_encoder.trainer import CrossEncoderTrainer
    from sentence_transformers.cross_encoder.training_args import CrossEncoderTrainingArguments
    from transformers.trainer_callback import PrinterCallback

    disable_progress_bars()
    model = CrossEncoder(str(base), local_files_only=True)
    data = {
        "request": [one.request for one in lists],
        "texts": [list(one.texts) for one in lists],
        "labels": [list(one.labels) for one in lists],
    }
    on_cpu = model.device.type == "cpu"
    trainer = CrossEncoderTrainer(
        model=model,
        args=CrossEncoderTrainingArguments(**_arguments(steps, len(lists), folder, on_cpu=on_cpu)),
        train_dataset=Dataset.from_dict(data),
        loss=losses.ListNetLoss(model),
        callbacks=[_Shown(report, steps.deadline)],
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, where results go
    checkpoints = sorted(folder.glob("checkpoint-*"), key=lambda path: path.stat().st_mtime)
    trainer.train(resume_from_checkpoint=str(checkpoints[-1]) if checkpoints else None)
    model.eval()
    return model


def _arguments(steps: Steps, n_lists: int, folder: Path, *, on_cpu: bool) -> dict[str, Any]:
    """The trainer's arguments: a warm-up, then down to 0; a checkpoint at each fifth."""
    n_steps = max(1, round(steps.epochs * n_lists / steps.batch_size))
    return {
        "output_dir": str(folder),
        "max_steps": n_steps,
        "per_device_train_batch_size": steps.batch_size,
        "learning_rate": steps.learning_rate,
        "warmup_steps": max(1, n_steps // 10),
        "lr_scheduler_type": "linear",
        "use_cpu": on_cpu,
        "seed": steps.seed,
        "data_seed": steps.seed,
        "save_strategy": "steps",
        "save_steps": max(1, n_steps // 5),
        "save_total_limit": 1,
        "logging_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


class _Shown(TrainerCallback):
    """Shows each step, and stops when the time is up."""

    def __init__(self, report: Progress, deadline: float | None) -> None:
        self._report, self._deadline = report, deadline

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        if self._deadline is not None and time.monotonic() > self._deadline:
            control.should_training_stop = control.should_save = True
        self._report("train reranker", state.global_step, state.max_steps)
