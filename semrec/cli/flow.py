"""`semrec flow`: from data to the artifact that serves, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semrec.cli.options import ConfigName, Json, Sets, print_json, seconds
from semrec.cli.terminal import Screen
from semrec.errors import DataError

if TYPE_CHECKING:
    from semrec.flow.promoting import Promotion
    from semrec.flow.running import Run

flow = typer.Typer(no_args_is_help=True, help="Build, compare, hold to gates, promote.")

Out = Annotated[Path, typer.Option(help="The folder of artifacts.")]
State = Annotated[Path | None, typer.Option(help="Metaflow's state; else OUT/.flow.")]
Link = Annotated[Path, typer.Argument(help="The link that a service follows.")]
ARTIFACTS = Path("artifacts")


REFUSED = 3  # exit code of a run whose candidate kept not to all gates


class Target(StrEnum):
    """Schedulers of clusters."""

    argo = "argo"


@flow.command()
def run(
    data: Path,
    config: ConfigName = "default",
    settings: Sets = [],
    intents: Annotated[list[Path], typer.Option(help="Requests to learn from.")] = [],
    cases: Annotated[
        list[str], typer.Option(help="Compare on these; else held-out events and topics.")
    ] = [],
    out: Out = ARTIFACTS,
    gate: Annotated[Path | None, typer.Option(help="A YAML file of gates.")] = None,
    promote: Annotated[Path | None, typer.Option(help="The link to turn, if all pass.")] = None,
    index: Annotated[str, typer.Option(help="Publish there before: milvus+http://HOST:PORT.")] = "",
    log: Annotated[
        Path | None, typer.Option(help="A service's --state: its events and requests, too.")
    ] = None,
    if_drift: Annotated[bool, typer.Option("--if-drift", help="Only if --log drifts.")] = False,
    window: Annotated[str, typer.Option(help="Of --if-drift, as 30m, 1h, 1d.")] = "1h",
    recent: Annotated[str, typer.Option(help="Requests of --log that count: the newest.")] = "7d",
    state: State = None,
    as_json: Json = False,
) -> None:
    """Snapshot, build, evaluate, gate, publish, promote; exit code 3 if a gate fails.

    With --log a service's log comes first, as a new version of DATA beside it; with
    --if-drift it is a line for cron: without an alarm nothing is done, exit code 0.
    """
    from semrec.flow.running import start_run
    from semrec.flow.steps import Plan

    if if_drift and (log is None or promote is None):
        raise DataError("--if-drift: expected --log STATE and --promote LINK, to compare the two")
    screen = Screen(quiet=as_json)
    since_s = _since_s(log, promote if if_drift else None, window, recent, screen)
    if since_s is None:
        screen.line("nothing drifted: nothing to do")
        if as_json:
            print_json({"drifted": False})
        return
    plan = Plan(
        data=str(data),
        config=config,
        settings=settings,
        intents=[str(path) for path in intents],
        cases=cases,
        out=str(out),
        gates="" if gate is None else str(gate),
        link="" if promote is None else str(promote),
        index=index,
        log="" if log is None else str(log),
        since_s=since_s,
    )
    _finish(start_run(plan, state or out / ".flow"), as_json=as_json)


@flow.command()
def resume(run: str, out: Out = ARTIFACTS, state: State = None, as_json: Json = False) -> None:
    """Go on with a run that ended early; finished steps aren't run again."""
    from semrec.flow.running import resume_run

    _finish(resume_run(run, state or out / ".flow"), as_json=as_json)


@flow.command()
def runs(out: Out = ARTIFACTS, state: State = None, as_json: Json = False) -> None:
    """All runs, the newest first."""
    from semrec.flow.running import read_runs

    known = read_runs(state or out / ".flow")
    if as_json:
        print_json([asdict(run) for run in known])
        return
    for run in known:
        Screen().line(f"{run.run}  {run.created}  {_status(run)}  {' '.join(run.tags)}")


@flow.command()
def show(run: str, out: Out = ARTIFACTS, state: State = None, as_json: Json = False) -> None:
    """A run: its figures, each gate's verdict, and its report's folder."""
    from semrec.flow.running import read_run

    known = read_run(run, state or out / ".flow")
    print_json(asdict(known)) if as_json else _print(known)


@flow.command("compile")
def compile_for(
    to: Annotated[Target, typer.Option(help="What runs it.")] = Target.argo,
    decorators: Annotated[
        list[str], typer.Option("--with", help="Of every step: kubernetes:image=IMAGE.")
    ] = [],
    out: Out = ARTIFACTS,
    state: State = None,
) -> None:
    """Print the flow as a cluster's workflow, JSON; its code is stored in S3."""
    from semrec.flow.running import compile_workflow

    assert to is Target.argo
    print_json(compile_workflow(state or out / ".flow", decorators))


@flow.command()
def promote(artifact: Path, link: Link, as_json: Json = False) -> None:
    """Turn a link to an artifact by hand, past all gates."""
    from semrec.flow.promoting import promote as turn

    _turned(turn(link, artifact), link, as_json=as_json)


@flow.command()
def rollback(link: Link, as_json: Json = False) -> None:
    """Turn a link back to the artifact before; again: one further back."""
    from semrec.flow.promoting import rollback as back

    _turned(back(link), link, as_json=as_json)


@flow.command()
def prune(
    out: Out = ARTIFACTS,
    links: Annotated[
        list[Path], typer.Option("--link", help="A link elsewhere that needs its artifacts.")
    ] = [],
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest stay.")] = 5,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Remove old artifacts; those that links of OUT need, and could go back to, stay."""
    from semrec.flow.promoting import links_in, locked
    from semrec.flow.promoting import prune as remove

    with locked(state or out / ".flow", "run"):
        removed = remove(out, [*links_in(out), *links], keep)
    if as_json:
        print_json([str(path) for path in removed])
        return
    Screen().line(
        f"{len(removed)} artifacts removed{': ' if removed else ''}"
        + ", ".join(path.name for path in removed)
    )


def _since_s(
    log: Path | None, link: Path | None, window: str, recent: str, screen: Screen
) -> float | None:
    """From when on the log's requests count; None: compared with the link's, nothing drifted."""
    window_s, recent_s = seconds(window, "--window"), seconds(recent, "--recent")
    if log is None:
        return 0.0
    from semrec.flow.log_drift import read_log_state

    read = read_log_state(log, link, window_s)
    for alarm in read.alarms or ():
        screen.line(f"alarm: {alarm.signal}, {alarm.drift:.1f} times the critical value")
    return None if read.is_quiet else read.since_s(recent_s)


def _finish(run: Run, *, as_json: bool) -> None:
    print_json(asdict(run)) if as_json else _print(run)
    if not run.values.get("passed"):
        raise typer.Exit(REFUSED)


def _print(run: Run) -> None:
    screen = Screen()
    screen.line(f"run {run.run}: {_status(run)}; {' → '.join(run.steps)}")
    for verdict in run.values.get("verdicts", ()):
        passed = "passed" if verdict["passed"] else "FAILED"
        screen.line(f"{passed}  {verdict['gate']}: {verdict['reason']}")
    for name in ("dataset", "comparison", "artifact", "built_by", "collection", "report"):
        if name in run.values:
            screen.line(f"{name}: {run.values[name]}")


def _status(run: Run) -> str:
    if not run.finished:
        return "unfinished"
    if run.values.get("promoted"):
        return "promoted"
    return "passed" if run.values.get("passed") else "refused"


def _turned(promotion: Promotion, link: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(promotion))
    else:
        Screen().line(f"{link} → {promotion.version} ({promotion.artifact})")
