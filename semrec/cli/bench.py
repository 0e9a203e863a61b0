"""`semrec bench`: how good its behavioural half is, its encoders, its answers to the new."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from semrec.bench import tables
from semrec.cli.options import ConfigName, Json, Sets, print_json
from semrec.cli.speed import speed
from semrec.cli.terminal import Screen
from semrec.errors import ConfigError

bench = typer.Typer(no_args_is_help=True, help="Measure how fast and how good it is.")
bench.add_typer(speed)


@bench.command("behaviour")
def bench_behaviour(
    dataset: Path,
    config: Annotated[list[str], typer.Option(help="Packaged names, or paths.")],
    settings: Sets = [],
    out: Annotated[Path | None, typer.Option(help="Write report.json, .md and others.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    max_minutes: Annotated[float | None, typer.Option(help="To choose and fit each.")] = None,
    as_json: Json = False,
) -> None:
    """Behavioural models alone, chosen on validation and asked held-out events once."""
    from semrec.bench.behaviour_models import behavioural_report, write_details
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset

    configs = {Path(name).stem: load_config(name, settings) for name in config}
    if len(configs) != len(config):
        raise ConfigError("two configurations have the same name; rename one of the files")
    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        report, details = behavioural_report(
            read_dataset(dataset), configs, k=k, max_minutes=max_minutes, progress=progress
        )
    written = [*report.save(out), write_details(out, details)] if out else []
    if as_json:
        print_json({**report.to_dict(), "systems": details})
        return
    screen.report(report)
    for system in details:
        screen.line(
            f"{system['system']}: fitted in {system['fit_s']:.0f} s, "
            f"a session's vector in {system['session_vector_ms']:.1f} ms"
        )
    for path in written:
        screen.line(f"written: {path}")


@bench.command("encoders")
def bench_encoders(
    encoders: Annotated[
        list[str], typer.Argument(help="minilm, smollm2, hashing, hub names, or paths.")
    ],
    data: Annotated[Path, typer.Option(help="Dataset to learn from.")],
    cases: Annotated[list[Path], typer.Option(help="Intents files: what is asked.")],
    config: ConfigName = "default",
    settings: Sets = [],
    intents: Annotated[list[Path], typer.Option(help="Files of requests to learn from.")] = [],
    out: Annotated[Path | None, typer.Option(help="Write report.json, .md and others.")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    as_json: Json = False,
) -> None:
    """Encoders compared on recommendation: one build each, all else the same."""
    from semrec.bench.encoders import encoders_report, write_costs
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.data.intents import cases_from

    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        report, costs = encoders_report(
            read_dataset(data),
            encoders,
            cases_from(cases),
            config=load_config(config, settings),
            intents=intents,
            k=k,
            progress=progress,
        )
    written = [*report.save(out), write_costs(out, costs)] if out else []
    if as_json:
        print_json({**report.to_dict(), "encoders": [cost.to_dict() for cost in costs]})
        return
    screen.report(report)
    screen.show(tables.encoders(costs, os.cpu_count()))
    for path in written:
        screen.line(f"written: {path}")


@bench.command("cold")
def bench_cold(
    dataset: Path,
    config: ConfigName = "default",
    settings: Sets = [],
    seeds: Annotated[int, typer.Option(help="So many draws of withheld items.")] = 3,
    as_json: Json = False,
) -> None:
    """Items that nobody has touched: are they found, and what does that cost the others?"""
    from semrec.artifact.encoder import make_encoder
    from semrec.bench.cold import cold_start
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset

    loaded = load_config(config, settings)
    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        measured = cold_start(
            read_dataset(dataset),
            config=loaded,
            encoder=make_encoder(loaded.encoder),
            seeds=range(seeds),
            progress=progress,
        )
    if as_json:
        print_json([draw.to_dict() for draw in measured])
        return
    screen.show(tables.cold(measured))
