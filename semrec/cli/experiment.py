"""`semrec experiment`: what came of the experiments of a service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from semrec.cli.options import Json, print_json
from semrec.cli.terminal import Screen

experiment = typer.Typer(no_args_is_help=True, help="Analyse experiments of a service.")


@experiment.callback()
def group() -> None:
    """Analyse experiments of a service."""


@experiment.command("report")
def report(
    state: Annotated[Path, typer.Argument(help="The service's --state.")],
    name: Annotated[str, typer.Option(help="The experiment's.")],
    metric: Annotated[
        str, typer.Option(help="Such as like_or_buy@10; default: the experiment's.")
    ] = "",
    temperature: Annotated[
        float | None,
        typer.Option(help="Of kind explore: the policy that is estimated; 0: lists as ranked."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare an experiment's arms; refused where the log can't say."""
    from semrec.experiments.experiment_report import experiment_report

    made = experiment_report(state, name, metric=metric, temperature=temperature)
    if as_json:
        print_json(made)
        return
    screen = Screen()
    screen.line(
        f"{made['experiment']} ({made['kind']}): {made['lists']:,} lists of {made['units']:,} "
        f"{made['unit']}s, {made['metric']}"
    )
    for line in _LINES[made["kind"]](made):
        screen.line(line)


def _ab(made: Mapping[str, Any]) -> list[str]:
    arms = [
        f"{arm}: {of['mean']:.4f} a {made['unit']}, {of['units']:,} of them"
        for arm, of in made["arms"].items()
    ]
    return [
        *arms,
        *_differences("b - a", made["difference"]),
        *_differences("b - a, with CUPED", made["cuped"]),
        f"split: p = {made['ratio_p']:.3f}",
    ]


def _interleave(made: Mapping[str, Any]) -> list[str]:
    prefer = made["prefer"]
    return [
        f"{prefer['b']:,} {made['unit']}s prefer b, {prefer['a']:,} a: sign test p = "
        f"{made['sign_p']:.4f}",
        *_differences("credit of b - a", made["difference"]),
        f"first picks: p = {made['ratio_p']:.3f}",
    ]


def _differences(what: str, of: Mapping[str, float]) -> list[str]:
    return [
        f"{what}: {of['mean']:+.4f} [{of['low']:+.4f}, {of['high']:+.4f}], p = {of['p']:.4f}, at "
        "an end that was fixed beforehand",
        f"{what}: [{of['always_low']:+.4f}, {of['always_high']:+.4f}], p = {of['always_p']:.4f}, "
        "whenever looked at",
    ]


def _explore(made: Mapping[str, Any]) -> list[str]:
    estimates = [
        f"{name}: {of['mean']:.4f} [{of['low']:.4f}, {of['high']:.4f}]"
        for name, of in ((name, made[name]) for name in ("ips", "snips", "dr"))
    ]
    return [
        f"drawn with temperature {made['drawn_with']:g}: {made['logged_mean']:.4f} a list",
        f"with {made['temperature']:g} it would be, from {made['effective']:,.0f} effective lists:",
        *estimates,
    ]


_LINES = {"ab": _ab, "interleave": _interleave, "explore": _explore}
