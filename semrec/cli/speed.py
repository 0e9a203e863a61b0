"""`semrec bench`: how fast it is, at its sizes and under load."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from semrec.bench import tables as shown
from semrec.cli.options import ConfigName, Json, Sets, ids, print_json
from semrec.cli.terminal import Screen
from semrec.environment.files import write_text
from semrec.errors import ConfigError

speed = typer.Typer()


@speed.command("latency")
def bench_latency(
    artifact: Path,
    n: Annotated[int, typer.Option("-n", help="Requests of each kind.")] = 300,
    as_json: Json = False,
) -> None:
    """Milliseconds per stage of single warm requests."""
    from semrec.artifact.stored import load
    from semrec.bench.latency import latency

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        progress("load artifact", 0, 1)
        recommender = load(artifact)
        measured = latency(recommender, n=n, progress=progress)
    print_json(measured) if as_json else screen.show(shown.latency(measured))


@speed.command("start")
def bench_start(
    artifact: Path,
    n: Annotated[int, typer.Option("-n", help="Starts.")] = 5,
    as_json: Json = False,
) -> None:
    """Seconds until `semrec serve` is ready."""
    from semrec.bench.serving import starting

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = starting(artifact, n=n, progress=progress)
    if as_json:
        print_json(measured)
        return
    taken = ", ".join(f"{seconds:.2f}" for seconds in measured["starts_s"])
    screen.line(f"ready after {taken} s; median {measured['median_s']:.2f} s")


@speed.command("throughput")
def bench_throughput(
    artifact: Path,
    n: Annotated[int, typer.Option("-n", help="Requests for each number of clients.")] = 400,
    workers: Annotated[int, typer.Option(help="Processes of each service.")] = 1,
    as_json: Json = False,
) -> None:
    """Requests per second of 1 to 8 clients, beside the plain script as a service."""
    from semrec.bench.serving import throughput

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        measured = throughput(artifact, n=n, workers=workers, progress=progress)
    print_json(measured) if as_json else screen.show(shown.throughput(measured))


@speed.command("encode")
def bench_encode(
    dataset: Path,
    config: ConfigName = "default",
    settings: Sets = [],
    n: Annotated[int, typer.Option("-n", help="Texts.")] = 10_000,
    as_json: Json = False,
) -> None:
    """Items encoded per second, beside sentence-transformers' own `encode`."""
    from semrec.bench.encoding import encoding_speed
    from semrec.config import load_config
    from semrec.data.dataset import read_dataset

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


@speed.command("rerank")
def bench_rerank(
    artifact: Path,
    cases: Annotated[Path, typer.Option(help="Requests with what turned out right.")],
    budgets: Annotated[
        str, typer.Option(help="Milliseconds, and `none` for as long as it takes.")
    ] = "0,5,10,25,50,100,250,500,1000,2000,none",
    n: Annotated[int, typer.Option("-n", help="Requests; 0: all.")] = 500,
    clients: Annotated[int, typer.Option(help="Who ask at the same time.")] = 1,
    allow_seen: Annotated[bool, typer.Option(help="Also those that were learned from.")] = False,
    broken: Annotated[
        str, typer.Option(help="In the reranker's place: hanging, failing or nonsense.")
    ] = "",
    unchecked: Annotated[
        bool, typer.Option(help="Ask also a reranker that failed its check.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Quality against budget: what the reranker adds in the time it is given, and if it is late."""
    from semrec.artifact.stored import load
    from semrec.bench.broken_rerankers import with_broken
    from semrec.bench.rerank_curve import rerank_curve
    from semrec.data.intents import read_cases, refuse_seen
    from semrec.serve.gc_freeze import set_apart

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        recommender = load(artifact)
        if unchecked and recommender.reranking is not None:
            reranking = replace(recommender.reranking, complaint="")
            recommender = recommender.with_parts(reranking=reranking)
        set_apart()  # as the service does
        scored = [case for case in read_cases(cases) if case.relevant]
        if not allow_seen:
            refuse_seen(scored, {str(artifact): recommender.manifest["training_dialogs"]})
        measured = rerank_curve(
            with_broken(recommender, broken) if broken else recommender,
            scored[: n or None],
            budgets_ms=_budgets(budgets),
            clients=clients,
            progress=progress,
        )
    print_json(measured) if as_json else screen.show(shown.rerank_curve(measured))


def _budgets(budgets: str) -> list[float | None]:
    try:
        return [None if ms.strip() == "none" else float(ms) for ms in budgets.split(",")]
    except ValueError:
        raise ConfigError(
            f"--budgets {budgets!r}: expected numbers and `none`, such as 0,50,none"
        ) from None


@speed.command("turns")
def bench_turns(
    artifact: Path,
    cases: Annotated[Path, typer.Option(help="Requests with dialog_id, turn, last_utterance.")],
    n_long: Annotated[int, typer.Option(help="Conversations of 50 turns.")] = 10,
    as_json: Json = False,
) -> None:
    """CPU milliseconds by turn of conversations: what was said before must not cost more."""
    from semrec.artifact.stored import load
    from semrec.bench.chat_turns import read_dialogs, turn_times

    dialogs = read_dialogs(cases)
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        progress("load artifact", 0, 1)
        measured = turn_times(load(artifact), dialogs, n_long=n_long, progress=progress)
    print_json(measured) if as_json else screen.show(shown.turns(measured))


@speed.command("load")
def bench_load(
    artifact: Path,
    workers: Annotated[int, typer.Option(help="Of the service.")] = 1,
    seconds: Annotated[float, typer.Option(help="Of each of the two loads.")] = 60,
    session_per_s: Annotated[float, typer.Option(help="Requests with a session only.")] = 200,
    words_per_s: Annotated[float, typer.Option(help="Requests with new words.")] = 25,
    times: Annotated[float, typer.Option(help="How much heavier the second load is.")] = 4,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Words are reranked; some have no budget.")
    ] = False,
    budget_ms: Annotated[float, typer.Option(help="Of words, with --rerank.")] = 100,
    as_json: Json = False,
) -> None:
    """Serve an artifact and ask it at given rates (open loop), then at several times these."""
    from semrec.bench.load import Rates, load_test

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        rates = Rates(
            seconds=seconds,
            session_per_s=session_per_s,
            words_per_s=words_per_s,
            times=times,
            budget_ms=budget_ms if rerank else None,
        )
        measured = load_test(artifact, rates, workers=workers, progress=progress)
    print_json(measured) if as_json else screen.show(shown.load(measured))


@speed.command("scale")
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
    from semrec.bench.plots import plot_scale
    from semrec.bench.scale import Catalogues, scale
    from semrec.data.intents import read_cases

    try:
        wanted = [int(size) for size in ids(sizes)]
    except ValueError:
        raise ConfigError(f"--sizes {sizes!r}: expected whole numbers with , between") from None
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        sizing = Catalogues(sizes=wanted, kind=kind, noise=noise, seed=seed)
        requests = read_cases(cases) if cases else ()
        measured = scale(artifact, sizing, cases=requests, n=n, progress=progress)
    if out is not None:
        write_text(out / "scale.json", json.dumps(measured, indent=2) + "\n")
        if not plot_scale(measured, out / "scale.png"):
            screen.line("no plot: that takes matplotlib, pip install 'semrec[plots]'")
    print_json(measured) if as_json else screen.show(shown.scale(measured))


@speed.command("simulate")
def bench_simulate(
    artifact: Path,
    items: Annotated[int, typer.Option(help="Of the catalogue.")],
    per_s: Annotated[float, typer.Option(help="Requests a second.", min=0.01)] = 10,
    dim: Annotated[int, typer.Option(help="Of fused vectors; 0: as the artifact's.")] = 0,
    cores: Annotated[int, typer.Option(help="0: busy for half of the time.", min=0)] = 0,
    cases: Annotated[
        Path | None, typer.Option(help="An intents file to ask; else sessions and titles.")
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Requests that are timed at each size.")] = 300,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """A service of another size: memory, cores and milliseconds, from two smaller ones."""
    from semrec.bench.simulate import Target, simulate
    from semrec.data.intents import read_cases

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        target = Target(items=items, dim=dim, per_s=per_s, cores=cores)
        requests = read_cases(cases) if cases else ()
        measured = simulate(artifact, target, cases=requests, n=n, seed=seed, progress=progress)
    print_json(measured) if as_json else screen.show(shown.simulated(measured))


@speed.command("index")
def bench_index(
    artifact: Path,
    index: Annotated[str, typer.Option(help="milvus+http://HOST:PORT.")],
    items: Annotated[int, typer.Option(help="Resample the catalogue to so many.")] = 0,
    engine: Annotated[str, typer.Option(help="flat, hnsw or auto.")] = "auto",
    k: Annotated[int, typer.Option("-k", help="Rows that are asked for.")] = 200,
    n: Annotated[int, typer.Option("-n", help="Queries of each kind.")] = 200,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """An index elsewhere beside the local one: milliseconds and recall of the same queries."""
    from semrec.bench.index_speed import Sizes, index_speed
    from semrec.cli.publish import engine_named
    from semrec.endpoint import index_at

    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        sizes = Sizes(items=items, n=n, k=k, engine=engine_named(engine), seed=seed)
        measured = index_speed(artifact, index_at(index), sizes, progress=progress)
    print_json(measured) if as_json else screen.show(shown.index_speed(measured))
