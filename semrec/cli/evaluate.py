"""`semrec compare`, `crossfit`, `ablate`: how good it is, on the same cases for all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semrec.cli.options import ConfigName, Json, Sets, finish
from semrec.terminal import Screen

evaluate = typer.Typer()


@evaluate.command()
def compare(
    systems: Annotated[list[str], typer.Argument(help="Artifacts, or names of baselines.")],
    cases: Annotated[str, typer.Option(help="An intents file; or `test`: held-out events.")],
    data: Annotated[Path | None, typer.Option(help="Dataset, for `test` and baselines.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write report.json and report.md.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    seed: int = 0,
    allow_seen: Annotated[bool, typer.Option(help="Cases from training dialogs.")] = False,
    as_json: Json = False,
) -> None:
    """Compare systems on the same cases, with intervals over dialogs or users.

    One artifact alone is shown as baseline, semantic-only and fused, beside tuned EASE and
    item-kNN.
    """
    from semrec.evaluate.compare import compare as run
    from semrec.evaluate.systems import cases_for, load_artifacts, make_systems

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        artifacts = load_artifacts(systems, progress)
        asked = cases_for(cases, artifacts, data)
        report = run(
            make_systems(systems, artifacts, asked, data, progress),
            asked,
            k=k,
            seed=seed,
            allow_seen=allow_seen,
            progress=progress,
        )
    finish(screen, report, out, as_json=as_json)


@evaluate.command()
def crossfit(
    dataset: Path,
    cases: Annotated[Path, typer.Option(help="An intents file.")],
    folds: int = 3,
    config: ConfigName = "default",
    intents: Annotated[list[Path], typer.Option(help="Requests always learned from.")] = [],
    settings: Sets = [],
    out: Annotated[Path | None, typer.Option(help="Write report.json and report.md.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    as_json: Json = False,
) -> None:
    """Answer each dialog by a recommender that learned from the other dialogs."""
    from semrec.assemble.models import make_encoder
    from semrec.config import load_config
    from semrec.evaluate.crossfit import crossfit as run

    loaded = load_config(config, settings)
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        report = run(
            dataset,
            cases,
            config=loaded,
            encoder=make_encoder(loaded.encoder),
            folds=folds,
            intents=intents,
            k=k,
            progress=progress,
        )
    finish(screen, report, out, as_json=as_json)


@evaluate.command()
def ablate(
    dataset: Path,
    cases: Annotated[Path, typer.Option(help="An intents file.")],
    config: ConfigName = "best",
    intents: Annotated[list[Path], typer.Option(help="Requests to learn from.")] = [],
    without: Annotated[list[str], typer.Option(help="Only these ingredients.")] = [],
    settings: Sets = [],
    out: Annotated[Path | None, typer.Option(help="Write report.json and report.md.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    as_json: Json = False,
) -> None:
    """What each ingredient adds: each is left out in turn, the rest is built again."""
    from semrec.assemble.models import make_encoder
    from semrec.config import load_config
    from semrec.evaluate.ablate import INGREDIENTS
    from semrec.evaluate.ablate import ablate as run

    loaded = load_config(config, settings)
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        report = run(
            dataset,
            cases,
            config=loaded,
            encoder=make_encoder(loaded.encoder),
            intents=intents,
            without=without or tuple(INGREDIENTS),
            k=k,
            progress=progress,
        )
    finish(screen, report, out, as_json=as_json)
