"""`semrec train`: the long trainings by themselves, so that they can run on several processes.

    accelerate launch --num_processes 2 -m semrec train behaviour data/mine --config mine.yaml

(on two GPUs; on CPU ``ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 -m semrec …``) leaves
finished checkpoints in the cache, from which `semrec build` goes on with the same dataset and
configuration.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from semrec.cli.options import ConfigName, Sets
from semrec.errors import ConfigError
from semrec.terminal import Screen

train = typer.Typer(no_args_is_help=True, help="Train on one or several processes.")


@train.callback()
def _top() -> None:
    pass


@train.command("behaviour")
def train_behaviour(
    dataset: Path,
    config: ConfigName = "default",
    settings: Sets = [],
    max_minutes: Annotated[float | None, typer.Option(help="Stop training then.")] = None,
) -> None:
    """Train the sequence model of a configuration; `semrec build` goes on from there."""
    import numpy as np

    from semrec.assemble.behaviour import SEQUENCE_MODELS
    from semrec.choosing.cases import hold_out, validation_of
    from semrec.choosing.ground import make_ground
    from semrec.choosing.vectors import choose_vectors, refit_vectors
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.types import silent

    loaded = load_config(config, settings)
    if loaded.behaviour.kind not in SEQUENCE_MODELS:
        raise ConfigError(
            f"behaviour.kind is {loaded.behaviour.kind!r}, expected one that is trained in steps: "
            f"{' or '.join(SEQUENCE_MODELS)}; `semrec build` fits the others by itself"
        )
    found = read_dataset(dataset)
    learned = hold_out(found.positives, loaded.split).train
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    main = os.environ.get("LOCAL_RANK", "0") == "0"
    screen = Screen(quiet=not main)
    with screen.progress() as progress:
        rng = np.random.default_rng(loaded.seed)
        validation = validation_of(learned, loaded.split)
        report = progress if main else silent
        ground, _ = make_ground(validation, found, loaded, report, deadline, rng)
        best = choose_vectors(ground)[0]
        _, options = refit_vectors(best.options, learned, ground)
    trained = options["trained"]
    screen.line(
        f"{best.options['kind']}: validation NDCG@{loaded.fusion.cutoff} {best.score:.4f} after "
        f"{best.options['epochs']} epochs; trained again on all events for {trained['epochs']} "
        f"({trained['stopped']}). Now: semrec build {dataset} --config {config} …"
    )
