"""`semrec publish`: an artifact's rows into an index elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from semrec.cli.options import Json, print_json
from semrec.cli.terminal import Screen
from semrec.errors import ConfigError

if TYPE_CHECKING:
    from semrec.index.milvus_server import Engine

publishing = typer.Typer()


def engine_named(name: str) -> Engine | None:
    """The engine of an option; None: as it takes.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in ("auto", "flat", "hnsw"):
        raise ConfigError(f"--engine {name!r}: expected auto, flat or hnsw")
    return None if name == "auto" else cast("Engine", name)


@publishing.command()
def publish(
    artifact: Path,
    index: Annotated[str, typer.Option(help="milvus+http://HOST:PORT; its token is MILVUS_TOKEN.")],
    engine: Annotated[
        str, typer.Option(help="flat, hnsw, or auto: the quicker one that finds enough.")
    ] = "auto",
    as_json: Json = False,
) -> None:
    """Put an artifact's rows into Milvus, and measure what is found there.

    What is there already isn't written again. Then: semrec serve ARTIFACT --index ...
    """
    from semrec.endpoint import index_at
    from semrec.training.publication import publish_artifact

    wanted = engine_named(engine)
    screen = Screen(quiet=as_json)
    with screen.progress() as progress:
        said = publish_artifact(artifact, index_at(index), engine=wanted, progress=progress)
    if as_json:
        print_json(said)
        return
    breadth = f", breadth {said['breadth']}" if said["breadth"] else ""
    screen.line(f"{said['collection']}: {said['rows']:,} rows, {said['engine']}{breadth}")
    if not said["recall"]:
        screen.line("  it was there already")
    for name, share in said["recall"].items():
        screen.line(f"  recall@100 {share:.3f} at {name}")
    screen.line(f"semrec serve {artifact} --index {index}")
