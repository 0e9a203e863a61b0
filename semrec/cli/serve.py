"""`semrec serve`, `mcp` and `replay`: answer over HTTP or stdio, and make an answer again."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from semrec.cli.options import Json, Sets, pair, print_json
from semrec.cli.terminal import Screen

if TYPE_CHECKING:
    from semrec.serve.settings import Settings

DRAIN_S = 30  # what was accepted is finished, within this
HUNG_S = 60  # a worker that gives no sign for so long is replaced

service = typer.Typer()


@service.command()
def serve(
    artifact: Annotated[Path, typer.Argument(help="A folder, or a link to one.")],
    host: Annotated[str | None, typer.Option(help="Default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Default 8000.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; default 1.")] = None,
    state: Annotated[Path | None, typer.Option(help="Sessions and log; default ./state.")] = None,
    sessions: Annotated[
        str | None, typer.Option(help="sqlite (default), memory, or redis://host:port/0.")
    ] = None,
    encoder_url: Annotated[
        str | None, typer.Option(help="Where the encoder is, if it is served elsewhere.")
    ] = None,
    rerank_url: Annotated[
        str | None, typer.Option(help="Where the reranker is, if it is served elsewhere.")
    ] = None,
    intent_url: Annotated[
        str | None, typer.Option(help="Where a chat model is that reads requests, if it is used.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(help="Where its rows are published: milvus+http://HOST:PORT.")
    ] = None,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Tools for language models too, at /mcp (extra mcp).")
    ] = False,
    experiments: Annotated[Path | None, typer.Option(help="A YAML file of experiments.")] = None,
    settings: Annotated[Path | None, typer.Option(help="A YAML file of settings.")] = None,
    values: Sets = [],
) -> None:
    """Answer over HTTP; the documentation is at /docs.

    Whatever isn't said here comes from variables SEMREC_NAME, then from the file of settings.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # requests are what runs in parallel

    import uvicorn

    from semrec.serve.logs import LOGGING
    from semrec.serve.settings import export
    from semrec.serve.state import held

    export(host=host, port=port, workers=workers, sessions=sessions, mcp=mcp or None)
    export(encoder_url=encoder_url, rerank_url=rerank_url, intent_url=intent_url)
    export(index=index, experiments=experiments)
    effective = _effective(artifact, state, settings, values)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn comes to it when it is done
    with held(effective.state):
        if effective.mcp:  # a missing extra is said here, before workers start
            importlib.import_module("semrec.serve.mcp")
        uvicorn.run(
            "semrec.serve.app:create_app",
            factory=True,
            host=effective.host,
            port=effective.port,
            workers=effective.workers,
            log_config=LOGGING,
            access_log=False,
            timeout_graceful_shutdown=DRAIN_S,
            timeout_worker_healthcheck=HUNG_S,
        )


@service.command()
def mcp(
    artifact: Annotated[Path, typer.Argument(help="A folder, or a link to one.")],
    state: Annotated[
        Path | None, typer.Option(help="Sessions and log; without it nothing is kept.")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="A YAML file of settings.")] = None,
    values: Sets = [],
) -> None:
    """Answer one MCP client over stdin and stdout: tools for a language model (extra mcp)."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    from semrec.serve.settings import make_settings
    from semrec.serve.state import held

    effective = _effective(artifact, state, settings, values)
    with TemporaryDirectory() as folder:

        def end(number: int, _: object) -> None:
            # The thread that waits for stdin can't be woken. What was accepted is written already.
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(130 if number == signal.SIGINT else 0)

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        keeps = "state" in effective.model_fields_set
        if not keeps:
            effective = make_settings(state=Path(folder), sessions="memory", workers=1)
        with held(effective.state):
            from semrec.serve.mcp import serve_stdio

            serve_stdio(effective, records=keeps)


def _effective(
    artifact: Path, state: Path | None, settings: Path | None, values: list[str]
) -> Settings:
    """The settings of a service; whatever workers it starts find the same in their variables."""
    from semrec.artifact.folder import read_manifest
    from semrec.experiments.plan import read_experiments
    from semrec.serve.settings import export, make_settings

    export(settings=settings, artifact=artifact, state=state)
    export(**dict(pair(text, "--set") for text in values))
    effective = make_settings()
    # A wrong path fails here, before anything starts.
    read_manifest(effective.artifact, "size")
    if effective.experiments is not None:
        for experiment in read_experiments(effective.experiments):
            for folder in experiment.artifacts:
                read_manifest(Path(folder), "size")
    return effective


@service.command()
def replay(
    recommendation_id: Annotated[str, typer.Argument(help="As it came with the list.")],
    state: Annotated[Path, typer.Option(help="The service's --state.")] = Path("state"),
    artifact: Annotated[Path | None, typer.Option(help="If it lies elsewhere now.")] = None,
    as_json: Json = False,
) -> None:
    """Make a list that was served again, from the log; exit code 1 if it is another one."""
    from semrec.serve.replay import replay as run

    replayed = run(recommendation_id, state, artifact)
    if as_json:
        print_json(asdict(replayed))
    else:
        screen = Screen()
        for rank, (item_id, score) in enumerate(replayed.now, start=1):
            screen.line(f"{rank:>4}  {item_id}  {score:.4f}")
        then = "as it was served" if replayed.same else f"it was served as {replayed.then}"
        screen.line(f"{len(replayed.now)} items of artifact {replayed.version}: {then}")
    if not replayed.same:
        raise typer.Exit(1)
