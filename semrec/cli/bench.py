"""`semrec bench`: measure how fast it is, how good its behavioural half, and its encoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from semrec.cli.options import ConfigName, Json, Sets, ids, print_json
from semrec.errors import ConfigError
from semrec.terminal import Screen

bench = typer.Typer(no_args_is_help=True, help="Measure how fast and how good it is.")


@bench.command("latency")
def bench_latency(
    artifact: Path,
    n: Annotated[int, typer.Option("-n", help="Requests of each kind.")] = 300,
    as_json: Json = False,
) -> None:
    """Milliseconds per stage of single warm requests."""
    from semrec.assemble.stored import load
    from semrec.evaluate.bench import latency

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        progress("load artifact", 0, 1)
        recommender = load(artifact)
        measured = latency(recommender, n=n, progress=progress)
    print_json(measured) if as_json else screen.latency(measured)


@bench.command("start")
def bench_start(
    artifact: Path,
    n: Annotated[int, typer.Option("-n", help="Starts.")] = 5,
    as_json: Json = False,
) -> None:
    """Seconds until `semrec serve` is ready."""
    from semrec.evaluate.serving import starting

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = starting(artifact, n=n, progress=progress)
    if as_json:
        print_json(measured)
        return
    taken = ", ".join(f"{seconds:.2f}" for seconds in measured["starts_s"])
    screen.line(f"ready after {taken} s; median {measured['median_s']:.2f} s")


@bench.command("throughput")
def bench_throughput(
    artifact: Path,
    n: Annotated[int, typer.Option("-n", help="Requests for each number of clients.")] = 400,
    as_json: Json = False,
) -> None:
    """Requests per second of 1 to 8 clients, beside the plain script as a service."""
    from semrec.evaluate.serving import throughput

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = throughput(artifact, n=n, progress=progress)
    print_json(measured) if as_json else screen.throughput(measured)


@bench.command("encode")
def bench_encode(
    dataset: Path,
    config: ConfigName = "default",
    settings: Sets = [],
    n: Annotated[int, typer.Option("-n", help="Texts.")] = 10_000,
    as_json: Json = False,
) -> None:
    """Items encoded per second, beside sentence-transformers' own `encode`."""
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.evaluate.encoding import encoding_speed

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = encoding_speed(
            read_dataset(dataset), load_config(config, settings), n=n, progress=progress
        )
    if as_json:
        print_json(measured)
        return
    for name, speed in measured["items_per_s"].items():
        screen.line(f"{name}: {speed:,.0f} items/s, {measured['cpu_s'][name]:,.0f} s of processor")
    screen.line(
        f"{measured['times_as_fast']:.2f} times as fast; least cosine {measured['least_cosine']}; "
        f"{measured['texts']:,} texts of at most {measured['tokens']} tokens, "
        f"{measured['encoder']}, {measured['cores']} cores"
    )


@bench.command("rerank")
def bench_rerank(
    artifact: Path,
    cases: Annotated[Path, typer.Option(help="Requests with what turned out right.")],
    budgets: Annotated[
        str, typer.Option(help="Milliseconds, and `none` for as long as it takes.")
    ] = "0,5,10,25,50,100,250,500,1000,2000,none",
    n: Annotated[int, typer.Option("-n", help="Requests; 0: all.")] = 500,
    clients: Annotated[int, typer.Option(help="Who ask at the same time.")] = 1,
    allow_seen: Annotated[bool, typer.Option(help="Also those that were learned from.")] = False,
    as_json: Json = False,
) -> None:
    """Quality against budget: what the reranker adds in the time it is given, and if it is late."""
    from semrec.assemble.stored import load
    from semrec.data.intents import read_cases, refuse_seen
    from semrec.evaluate.curve import rerank_curve

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        recommender = load(artifact)
        asked = [case for case in read_cases(cases) if case.relevant]
        if not allow_seen:
            refuse_seen(asked, {str(artifact): recommender.manifest["training_dialogs"]})
        measured = rerank_curve(
            recommender,
            asked[: n or None],
            budgets_ms=_budgets(budgets),
            clients=clients,
            progress=progress,
        )
    print_json(measured) if as_json else screen.rerank_curve(measured)


def _budgets(told: str) -> list[float | None]:
    try:
        return [None if one.strip() == "none" else float(one) for one in told.split(",")]
    except ValueError:
        raise ConfigError(
            f"--budgets {told!r}: expected numbers and `none`, such as 0,50,none"
        ) from None


@bench.command("load")
def bench_load(
    artifact: Path,
    workers: Annotated[int, typer.Option(help="Of the service.")] = 1,
    seconds: Annotated[float, typer.Option(help="Of each of the two loads.")] = 60,
    session_per_s: Annotated[float, typer.Option(help="Requests with a session only.")] = 200,
    words_per_s: Annotated[float, typer.Option(help="Requests with new words.")] = 25,
    times: Annotated[float, typer.Option(help="How much heavier the second load is.")] = 4,
    as_json: Json = False,
) -> None:
    """Serve an artifact and ask it at given rates (open loop), then at several times these."""
    from semrec.evaluate.load import load_test

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = load_test(
            artifact,
            workers=workers,
            seconds=seconds,
            session_per_s=session_per_s,
            words_per_s=words_per_s,
            times=times,
            progress=progress,
        )
    print_json(measured) if as_json else screen.load(measured)


@bench.command("scale")
def bench_scale(
    artifact: Path,
    sizes: Annotated[str, typer.Option(help="Of catalogues.")] = "10000,100000,1000000",
    cases: Annotated[
        Path | None, typer.Option(help="An intents file to ask; else sessions and titles.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Of the index, as index.kind.")] = "auto",
    noise: Annotated[float, typer.Option(help="Of resampled items; 1: as between items.")] = 0.5,
    n: Annotated[int, typer.Option("-n", help="Requests that are timed.")] = 1000,
    seed: int = 0,
    out: Annotated[Path | None, typer.Option(help="Write scale.json, scale.png.")] = None,
    as_json: Json = False,
) -> None:
    """Catalogues of other sizes: build, start-up, memory, recall and milliseconds."""
    from semrec.data.intents import read_cases
    from semrec.evaluate.plots import plot_scale
    from semrec.evaluate.scale import scale

    try:
        wanted = [int(size) for size in ids(sizes)]
    except ValueError:
        raise ConfigError(f"--sizes {sizes!r}: expected whole numbers with , between") from None
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = scale(
            artifact,
            sizes=wanted,
            cases=read_cases(cases) if cases else (),
            kind=kind,
            noise=noise,
            n=n,
            seed=seed,
            progress=progress,
        )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "scale.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
        if not plot_scale(measured, out / "scale.png"):
            screen.line("no plot: that takes matplotlib, pip install 'semrec[plots]'")
    print_json(measured) if as_json else screen.scale(measured)


@bench.command("behaviour")
def bench_behaviour(
    dataset: Path,
    config: Annotated[list[str], typer.Option(help="Packaged names, or paths.")],
    settings: Sets = [],
    out: Annotated[Path | None, typer.Option(help="Write report.json, report.md, …")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    max_minutes: Annotated[float | None, typer.Option(help="To choose and fit each.")] = None,
    as_json: Json = False,
) -> None:
    """Behavioural models alone, chosen on validation and asked held-out events once."""
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.evaluate.leaderboard import behavioural_report, write_details

    configs = {Path(name).stem: load_config(name, settings) for name in config}
    if len(configs) != len(config):
        raise ConfigError("two configurations have the same name; rename one of the files")
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
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
    cases: Annotated[Path, typer.Option(help="An intents file: what is asked.")],
    config: ConfigName = "default",
    settings: Sets = [],
    intents: Annotated[list[Path], typer.Option(help="Files of requests to learn from.")] = [],
    out: Annotated[Path | None, typer.Option(help="Write report.json, report.md, …")] = None,
    k: Annotated[int, typer.Option("-k", help="Cutoff.")] = 10,
    as_json: Json = False,
) -> None:
    """Encoders compared on recommendation: one build each, all else the same."""
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.data.intents import read_cases
    from semrec.evaluate.encoders import encoders_report, write_costs

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        report, costs = encoders_report(
            read_dataset(data),
            encoders,
            read_cases(cases),
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
    screen.encoders(costs)
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
    from semrec.assemble.models import make_encoder
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.evaluate.cold import cold_start

    loaded = load_config(config, settings)
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = cold_start(
            read_dataset(dataset),
            config=loaded,
            encoder=make_encoder(loaded.encoder),
            seeds=range(seeds),
            progress=progress,
        )
    if as_json:
        print_json([one.to_dict() for one in measured])
        return
    screen.cold(measured)
