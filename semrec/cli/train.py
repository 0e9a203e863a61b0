"""`semrec train`: the long trainings by themselves, so that they can run on several processes.

    accelerate launch --num_processes 2 -m semrec train behaviour data/mine --config mine.yaml

(on two GPUs; on CPU ``ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 -m semrec …``) leaves
finished checkpoints in the cache, from which `semrec build` goes on with the same dataset and
configuration. On several machines (docs/scale.md) rank 0 alone prints, and writes what is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semrec.cli.options import ConfigName, Json, Sets, print_json
from semrec.cli.terminal import Screen
from semrec.environment.ranks import from_main_rank, is_main_rank
from semrec.errors import ConfigError

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
    from semrec.artifact.behavioural_models import SEQUENCE_MODELS
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.training.job import start_job
    from semrec.training.search_context import make_search_context
    from semrec.training.validation import hold_out, validation_of
    from semrec.training.vector_models import choose_vectors, refit_vectors
    from semrec.types import silent

    loaded = load_config(config, settings)
    if loaded.behaviour.kind not in SEQUENCE_MODELS:
        raise ConfigError(
            f"behaviour.kind is {loaded.behaviour.kind!r}, expected one that is trained in steps: "
            f"{' or '.join(SEQUENCE_MODELS)}; `semrec build` fits the others by itself"
        )
    data = read_dataset(dataset)
    learned = hold_out(data.positives, loaded.split).train
    screen = Screen(quiet=not is_main_rank())
    with screen.progress(lines=True) as progress:
        validation = validation_of(learned, loaded.split)
        job = start_job(loaded.seed, progress if is_main_rank() else silent, max_minutes)
        context, _ = make_search_context(validation, data, loaded, job)
        best = choose_vectors(context)[0]
        _, options = refit_vectors(best.options, learned, context)
    trained = options["trained"]
    screen.line(
        f"{best.options['kind']}: validation NDCG {best.score:.4f} after "
        f"{best.options['epochs']} epochs; trained again on all events for {trained['epochs']} "
        f"({trained['stopped']}). Now: semrec build {dataset} --config {config} …"
    )


@train.command("encoder")
def train_encoder(
    dataset: Path,
    out: Annotated[Path, typer.Option(help="A folder for the encoder: absent or empty.")],
    config: ConfigName = "best",
    intents: Annotated[list[Path], typer.Option(help="Requests to learn from.")] = [],
    settings: Sets = [],
    max_minutes: Annotated[float | None, typer.Option(help="Stop training then.")] = None,
    as_json: Json = False,
) -> None:
    """Train the encoder of a configuration, and keep it as sentence-transformers does.

    Any build takes it: ``--set encoder.model=FOLDER``.
    """
    from semrec.artifact.encoder import make_encoder
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.data.intents import unit_hashes
    from semrec.encoders.checkpoints import save_sentence_encoder
    from semrec.training import encoder_training
    from semrec.training.job import start_job
    from semrec.training.preparation import prepare
    from semrec.types import silent

    loaded = load_config(config, settings)
    if not loaded.encoder.training.epochs:
        raise ConfigError("encoder.training.epochs is 0; set it, or take --config best")
    main = is_main_rank()
    if main and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: already there; take another --out, or remove it yourself")
    screen = Screen(quiet=as_json or not main)
    with screen.progress(lines=True) as progress:
        job = start_job(loaded.seed, progress if main else silent, max_minutes)
        encoder = make_encoder(loaded.encoder)
        prepared = prepare(read_dataset(dataset), loaded, intents, job)
        finetuned = encoder_training.finetune_encoder(prepared, encoder, job)
        if finetuned.folder is None:
            raise ConfigError(
                f"found {len(prepared.valid_queries)} real requests to validate the training on, "
                f"expected at least {encoder_training.MIN_VALID_QUERIES}; give --intents, or train "
                "on made-up requests alone with --set encoder.training.unjudged=true"
            )
        if main:
            save_sentence_encoder(finetuned.encoder, out, unit_hashes(prepared.train_queries))
        from_main_rank(None)  # waits until it is stored: then each rank's checkpoints can go
        encoder_training.forget_training(finetuned.folder)
    best = max(finetuned.looks.values())
    if as_json and main:
        print_json({"encoder": str(out), "validation_ndcg": dict(finetuned.looks)})
        return
    screen.line(
        f"validation NDCG@10 among a sample of the items: {finetuned.looks['0']:.4f} untrained, "
        f"{best:.4f} trained; written: {out}. Now: semrec build {dataset} "
        f"--set encoder.model={out} …"
    )
