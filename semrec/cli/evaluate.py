"""`semrec compare`, `crossfit`, `ablate`: how good it is, on the same cases for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from semrec.cli.options import ConfigName, Json, Sets, command_line, finish
from semrec.cli.terminal import Screen

evaluate = typer.Typer()

Groups = Annotated[str, typer.Option(help="Of topics: odd, even or all by the number.")]


@evaluate.command()
def compare(
    systems: Annotated[list[str], typer.Argument(help="Artifacts, baselines, or `text`.")],
    cases: Annotated[list[str], typer.Option(help="Intents files; or `test`: held-out events.")],
    groups: Groups = "all",
    data: Annotated[Path | None, typer.Option(help="Dataset, for `test` and baselines.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write report.html, .md and .json.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    at: Annotated[list[int], typer.Option(help="Other cutoffs that are shown.")] = [1, 5, 10, 20],
    slices: Annotated[
        list[str], typer.Option("--slice", help="Also cut by this attribute of the targets.")
    ] = [],
    budgets: Annotated[
        list[float], typer.Option("--budget", help="Also rerank within so many milliseconds.")
    ] = [],
    diversity: Annotated[
        list[float], typer.Option(help="Also with lists diversified so much, 0 to 1.")
    ] = [],
    seed: int = 0,
    allow_seen: Annotated[bool, typer.Option(help="Cases that a system learned from.")] = False,
    as_json: Json = False,
) -> None:
    """Compare systems on the same cases, with intervals over dialogs or users.

    One artifact alone is shown as baseline, semantic-only and fused, beside tuned EASE, item-kNN
    and `text`. Cases with a `topic` are what words ask for, others what somebody liked: with
    --cases for both, the verdict is on both.
    """
    from semrec.data.intents import of_groups
    from semrec.evaluate.compare import compare as run
    from semrec.evaluate.systems import (
        left_out,
        load_artifacts,
        make_systems,
        marked_cases,
        with_diversity,
        within_budgets,
    )

    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        artifacts = load_artifacts(systems, progress)
        read, marks = marked_cases(cases, artifacts, data, allow_seen=allow_seen)
        read = of_groups(read, groups)
        made = make_systems(systems, artifacts, read, data, progress)
        report = run(
            {**made, **within_budgets(made, budgets), **with_diversity(made, diversity)},
            read,
            k=k,
            cutoffs=at,
            seed=seed,
            allow_seen=allow_seen,
            slices=slices,
            progress=progress,
        )
    marks += left_out(systems, made, read)
    marks += (f"only the {groups} groups",) if groups != "all" else ()
    report = replace(report, notes=(*marks, *report.notes), command=command_line())
    finish(screen, report, out, as_json=as_json)


@evaluate.command()
def crossfit(
    dataset: Path,
    cases: Annotated[list[Path], typer.Option(help="Intents files.")],
    folds: int = 3,
    config: ConfigName = "default",
    intents: Annotated[list[Path], typer.Option(help="Requests always learned from.")] = [],
    settings: Sets = [],
    out: Annotated[Path | None, typer.Option(help="Write report.html, .md and .json.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    as_json: Json = False,
) -> None:
    """Answer each dialog by a recommender that learned from the other dialogs."""
    from semrec.artifact.encoder import make_encoder
    from semrec.config import load_config
    from semrec.evaluate.crossfit import crossfit as run

    loaded = load_config(config, settings)
    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
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
    cases: Annotated[list[Path], typer.Option(help="Intents files.")],
    config: ConfigName = "best",
    intents: Annotated[list[Path], typer.Option(help="Requests to learn from.")] = [],
    groups: Groups = "all",
    without: Annotated[list[str], typer.Option(help="Only these ingredients.")] = [],
    settings: Sets = [],
    out: Annotated[Path | None, typer.Option(help="Write report.html, .md and .json.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    as_json: Json = False,
) -> None:
    """Leave out each ingredient in turn, build the rest again, and compare."""
    from semrec.artifact.encoder import make_encoder
    from semrec.config import load_config
    from semrec.data.intents import cases_from, of_groups
    from semrec.evaluate.ablate import INGREDIENTS
    from semrec.evaluate.ablate import ablate as run

    loaded = load_config(config, settings)
    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        report = run(
            dataset,
            of_groups(cases_from(cases), groups),
            config=loaded,
            encoder=make_encoder(loaded.encoder),
            intents=intents,
            without=without or tuple(INGREDIENTS),
            k=k,
            progress=progress,
        )
    finish(screen, report, out, as_json=as_json)
