"""The command line: one binary, `semrec`. Prints; what it prints was computed elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from semrec import __version__
from semrec.cli.bench import bench
from semrec.cli.data import data
from semrec.cli.evaluate import evaluate
from semrec.cli.experiment import experiment
from semrec.cli.flow import flow
from semrec.cli.models import models
from semrec.cli.monitor import monitoring
from semrec.cli.options import ConfigName, Json, Sets, ids, limits, print_json
from semrec.cli.publish import publishing
from semrec.cli.serve import service
from semrec.cli.terminal import Screen, survive_any_encoding
from semrec.cli.train import train
from semrec.errors import DataError, SemrecError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Recommendations from what a person asks for and what people do.",
)
prompts = typer.Typer(no_args_is_help=True, help="Look at the prompts.")
app.add_typer(evaluate)
app.add_typer(service)
app.add_typer(monitoring)
app.add_typer(publishing)
app.add_typer(data, name="data")
app.add_typer(prompts, name="prompts")
app.add_typer(bench, name="bench")
app.add_typer(train, name="train")
app.add_typer(models, name="models")
app.add_typer(experiment, name="experiment")
app.add_typer(flow, name="flow")


def main() -> None:
    """Run the command line; a failure is one clear line and exit code 1."""
    survive_any_encoding()
    try:
        app()
    except SemrecError as error:
        Screen().error(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        Screen().error("stopped")
        sys.exit(130)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"semrec {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the artifact goes.")] = Path("artifacts/demo"),
    serve: Annotated[bool, typer.Option("--serve", help="Then serve it: the chat page.")] = False,
    port: Annotated[int, typer.Option(help="Where --serve serves it.")] = 8000,
    as_json: Json = False,
) -> None:
    """The main job on real data, end to end, in a few minutes."""
    from semrec.cli.demo import run_demo

    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        result = run_demo(out, progress=progress, show=screen.show_step)
    if as_json:
        print_json(result)
    else:
        screen.compared(result)
        screen.next_commands(out, result["seconds"])
    if serve:
        from semrec.cli.browser import open_when_ready
        from semrec.cli.serve import serve as run

        url = f"http://127.0.0.1:{port}"
        screen.line(f"\nThe page is at {url} (Ctrl-C ends it)")
        open_when_ready(url)
        run(out, port=port, state=out.with_name(f"{out.name}-state"))


@app.command()
def build(
    dataset: Path,
    out: Annotated[Path, typer.Option(help="Where the artifact goes.")],
    config: ConfigName = "default",
    intents: Annotated[list[Path], typer.Option(help="Files of requests to learn from.")] = [],
    settings: Sets = [],
    max_minutes: Annotated[float | None, typer.Option(help="Stop trying options then.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="What `encode` wrote; else items are encoded here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Learn from a dataset and write an artifact."""
    from semrec.data.checking import check
    from semrec.data.dataset import read_dataset
    from semrec.training.build import build as run

    screen = Screen(quiet=as_json)
    checked = read_dataset(dataset)
    for finding in check(checked):
        screen.line(f"{finding.level}: {finding}")
    with screen.progress(lines=True) as progress:
        recommender = run(
            checked,
            config=config,
            out=out,
            intents=intents,
            settings=settings,
            max_minutes=max_minutes,
            vectors=vectors,
            progress=progress,
        )
    manifest = {k: v for k, v in recommender.manifest.items() if k != "files"}
    print_json(manifest) if as_json else screen.built(out, manifest)


@app.command()
def encode(
    dataset: Path,
    out: Annotated[Path, typer.Option(help="A folder that all shards share.")],
    shard: Annotated[str, typer.Option(help="Which of how many: 3/8.")] = "1/1",
    config: ConfigName = "default",
    settings: Sets = [],
    as_json: Json = False,
) -> None:
    """Encode items, alone or as one of several; `build --vectors` reads what came out."""
    from dataclasses import asdict

    from semrec.config import load_config
    from semrec.data.dataset import read_dataset
    from semrec.training.shards import encode_shard

    which, slash, of = shard.partition("/")
    if not (which.isdecimal() and slash and of.isdecimal()):
        raise DataError(f"--shard {shard!r}: expected which of how many, such as 3/8")
    screen = Screen(quiet=as_json)
    with screen.progress(lines=True) as progress:
        report = encode_shard(
            read_dataset(dataset),
            load_config(config, settings),
            out,
            shard=int(which),
            of=int(of),
            progress=progress,
        )
    if as_json:
        print_json(asdict(report))
        return
    screen.line(
        f"{report.encoded} files written, {report.skipped} were there; "
        + (
            f"{report.missing} of other shards are missing"
            if report.missing
            else f"all are there. Now: semrec build {dataset} --vectors {out} …"
        )
    )


@app.command()
def recommend(
    artifact: Path,
    intent: Annotated[str, typer.Option(help="What is wanted, in words.")] = "",
    session: Annotated[str, typer.Option(help="Item ids, oldest first: ID,ID")] = "",
    k: Annotated[int, typer.Option("-k", help="How many.")] = 10,
    filters: Annotated[str, typer.Option(help="Conditions as JSON.")] = "{}",
    user_id: Annotated[str | None, typer.Option(help="A known user.")] = None,
    semantic_weight: Annotated[float | None, typer.Option(help="0 to 1.")] = None,
    diversity: Annotated[
        float | None, typer.Option(help="0 (as ranked) to 1; else as configured.")
    ] = None,
    max_per: Annotated[list[str], typer.Option(help="At most so many of a label: genres=3.")] = [],
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Items of session and history may come back.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why, for each item.")] = False,
    as_json: Json = False,
) -> None:
    """Answer one request."""
    from semrec.artifact.stored import load
    from semrec.chat.explanations import explain as explained
    from semrec.types import to_query

    try:
        conditions = json.loads(filters)
    except ValueError as error:
        raise DataError(f"--filters: not readable as JSON: {error}") from None
    query = to_query(
        intent=intent,
        session=ids(session),
        k=k,
        filters=conditions,
        user_id=user_id,
        semantic_weight=semantic_weight,
        diversity=diversity,
        max_per=limits(max_per),
        include_seen=include_seen,
    )
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        progress("load artifact", 0, 1)
        recommender = load(artifact)
        answer = recommender.recommend(query)
        answer = explained(recommender, query, answer) if explain else answer
    if as_json:
        from dataclasses import asdict

        values = asdict(answer)
        del values["trace"]["stats"]  # of the service's log
        print_json(values)
    else:
        catalog = recommender.catalog
        screen.recommendations(answer, dict(zip(catalog.item_ids, catalog.titles, strict=True)))


@prompts.command("list")
def prompts_list() -> None:
    """Names of the packaged prompts."""
    from semrec.environment.packaged import packaged_names

    for name in packaged_names("prompts"):
        Screen().line(name)


@prompts.command("show")
def prompts_show(name: str) -> None:
    """A template as it is."""
    from semrec.environment.packaged import find_packaged

    sys.stdout.write(find_packaged("prompts", name, ".j2").read_text(encoding="utf-8"))


@prompts.command("render")
def prompts_render(
    artifact: Path,
    intent: Annotated[str, typer.Option(help="A request.")] = "",
    session: Annotated[str, typer.Option(help="Its session: ID,ID")] = "",
    item: Annotated[str, typer.Option(help="Render this item instead.")] = "",
) -> None:
    """Print the text that an artifact's encoder reads: of a request, or of an item."""
    from semrec.artifact.stored import load

    recommender = load(artifact, verify="size")
    catalog = recommender.catalog
    titles = [catalog.titles[row] for row in catalog.rows(ids(session))]
    text = recommender.prompts.query_text(intent, titles)
    if item:
        row = catalog.row(item)
        if row is None:
            raise DataError(f"no item {item!r} in {artifact}")
        text = recommender.prompts.text_of(catalog, row)
    sys.stdout.write(f"{text}\n")


@app.command()
def doctor() -> None:
    """Look at what semrec finds on this machine."""
    from semrec.cli.doctor import examine
    from semrec.cli.result_tables import checks

    checked = examine()
    Screen().show([checks(checked)])
    if not all(well for _, _, well in checked):
        raise typer.Exit(1)
