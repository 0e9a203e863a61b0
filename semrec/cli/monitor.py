"""`semrec monitor`: compares what a service is asked and serves with what its artifact knows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semrec.cli.options import Json, print_json, seconds
from semrec.cli.terminal import Screen

if TYPE_CHECKING:
    from semrec.evaluate.table import Table
    from semrec.monitor.overview import Overview

ALARM = 3  # the exit code

monitoring = typer.Typer()


@monitoring.command()
def monitor(
    state: Annotated[Path, typer.Argument(help="The service's --state.")],
    artifact: Annotated[Path, typer.Argument(help="The artifact that it serves.")],
    window: Annotated[str, typer.Option(help="Of what length: 30m, 1h, 1d.")] = "1h",
    windows: Annotated[int, typer.Option(min=1, help="How many, up to the newest list.")] = 24,
    html: Annotated[Path | None, typer.Option(help="Write a page, too.")] = None,
    as_json: Json = False,
) -> None:
    """Say what drifts; exit code 3 if anything does."""
    from semrec.environment.files import write_text
    from semrec.monitor.overview import make_overview
    from semrec.monitor.reference import load_reference
    from semrec.sessions.log import open_log

    window_s = seconds(window, "--window")
    reference, popularity_of = load_reference(artifact)
    log = open_log(state)
    try:
        overview = make_overview(log, reference, popularity_of, window_s, windows)
    finally:
        log.close()
    screen = Screen(quiet=as_json)
    if as_json:
        print_json(overview.to_dict())
    else:
        screen.show(_tables(overview))
    if html is not None:
        from semrec.evaluate.table import PAGES, as_html

        page = PAGES.get_template("monitor.html.j2")
        tables = [(table.title, as_html(table)) for table in _tables(overview)]
        write_text(html, page.render(tables=tables))
        screen.line(f"written: {html}")
    if overview.alarms:
        raise typer.Exit(ALARM)


def _tables(overview: Overview) -> list[Table]:
    """Alarms with examples, the windows, the quality of lists."""
    from semrec.evaluate.table import Column, Table

    alarms = Table(
        title="Alarms",
        columns=(
            Column("signal", "{0[0]}"),
            Column("since", "{0[1]}"),
            Column("drift", "{0[2]:.1f}"),
            Column("such as", "{0[3]}"),
        ),
        rows=[
            (
                alarm.signal,
                _moment(alarm.since_s),
                alarm.drift,
                " · ".join(text[:80] for text in overview.examples.get(alarm.signal, ())),
            )
            for alarm in overview.alarms
        ],
        notes=["drift: 1 is what 1 clean window in 200 exceeds"] if overview.alarms else ["none"],
    )
    signals = list(dict.fromkeys(name for window in overview.windows for name in window.drift))
    latest = [window for window in overview.windows if window.n_lists][-8:]
    windows = Table(
        title="Windows",
        columns=(
            Column("from", "{0[0]}"),
            Column("lists", "{0[1].n_lists:,}"),
            Column("furthest", "{0[2]}"),
            *(
                Column(name, f"{{0[1].drift[{name}]:.2f}}", optional=True, wide=True)
                for name in signals
            ),
        ),
        rows=[
            (
                _moment(window.from_s),
                window,
                max(window.drift, key=lambda name: window.drift[name], default="too few sessions"),
            )
            for window in latest
        ],
        notes=[] if latest else ["nothing was served with statistics in this time"],
    )
    quality = Table(
        title="Quality of served lists (observational: what stands first is touched first)",
        columns=(
            Column("day", "{0.day}"),
            Column("version", "{0.version}"),
            Column("lists", "{0.n_lists:,}"),
            Column("sessions", "{0.n_sessions:,}"),
            Column("hit@10, 95 %", "{0.hit.mean:.3f} [{0.hit.low:.3f}, {0.hit.high:.3f}]"),
            Column("MRR@10, 95 %", "{0.mrr.mean:.3f} [{0.mrr.low:.3f}, {0.mrr.high:.3f}]"),
        ),
        rows=overview.quality,
        notes=[] if overview.quality else ["no list was followed by an event within 30 minutes"],
    )
    return [alarms, windows, quality]


def _moment(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
