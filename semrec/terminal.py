"""What a person sees in a terminal: progress, tables and errors, within 80 columns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from semrec.evaluate.report import Report
from semrec.types import Progress as OnProgress
from semrec.types import Recommendations, silent

if TYPE_CHECKING:
    from semrec.evaluate.cold import ColdStart
    from semrec.evaluate.encoders import EncoderCost

STEPS = {
    "data": "The data",
    "build": "What was learned",
    "time_split": "What did each user touch next? (global time split)",
    "cold_items": "Cold start: items withheld with all their events, asked for",
    "cold_items_among_themselves": "The same, ranked among the withheld items only",
    "answers": "Three requests",
}


class Screen:
    """Prints results to stdout, progress and errors to stderr; `quiet` keeps results back."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = Console(quiet=quiet, highlight=False)
        self._err = Console(stderr=True, highlight=False)

    def line(self, text: str) -> None:
        """One line."""
        self._out.print(escape(text), soft_wrap=True)

    def error(self, text: str) -> None:
        """One error."""
        self._err.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[OnProgress]:
        """A callback that draws one bar per stage, and nothing where nobody watches."""
        if not self._err.is_terminal:
            yield silent
            return
        columns = (
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, console=self._err, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def report(stage: str, done: int, total: int, detail: str = "", /) -> None:
                if stage not in tasks or done == 0:
                    for task in tasks.values():
                        bars.remove_task(task)
                    tasks.clear()
                    tasks[stage] = bars.add_task(stage, total=total, detail="")
                bars.update(tasks[stage], completed=done, total=total, detail=detail)

            yield report

    def description(self, described: Mapping[str, Any]) -> None:
        """A dataset in numbers."""
        table = _plain()
        for name, value in described.items():
            if name == "warnings" or value in (None, ""):
                continue
            shown = ", ".join(value) if isinstance(value, list) else value
            shown = f"{shown:,}" if isinstance(shown, int) else str(shown)
            table.add_row(name.replace("_", " "), escape(shown))
        self._out.print(table)
        for warning in described.get("warnings", ()):
            self._out.print(f"[yellow]note:[/] {escape(warning)}")

    def show_step(self, name: str, value: Any) -> None:  # noqa: ANN401
        """One step of the demo."""
        self._out.print(f"\n[bold]{STEPS[name]}[/]")
        if name == "data":
            self.description(value)
        elif name == "build":
            self._learned(value)
        elif isinstance(value, Report):
            self.report(value)
        else:
            for answer in value:
                self._answer(answer)

    def built(self, out: Path, manifest: Mapping[str, Any]) -> None:
        """What a build made."""
        self._learned(manifest)
        self.line(f"written: {out}")

    def report(self, report: Report) -> None:
        """A comparison: table, verdict, notes."""
        table = Table(box=None, pad_edge=False)
        for name in ("system", f"R@{report.k}", f"NDCG@{report.k}", "95 %", "MRR", "coverage"):
            table.add_column(name, justify="left" if name == "system" else "right")
        for row in report.rows:
            ndcg = row.metrics["ndcg"]
            table.add_row(
                escape(row.system),
                f"{row.metrics['recall'].mean:.4f}",
                f"{ndcg.mean:.4f}",
                f"{ndcg.low:.3f}–{ndcg.high:.3f}",
                f"{row.metrics['mrr'].mean:.4f}",
                "" if row.coverage is None else f"{row.coverage:.1%}",
            )
        self._out.print(table)
        self._out.print(f"{report.n_cases:,} cases, {report.n_units:,} independent units")
        if report.without_relevant:
            self._out.print(f"{report.without_relevant:,} more cases without a right answer")
        self._out.print(f"[bold]{escape(report.verdict())}[/]")
        for note in report.notes:
            self._out.print(f"[dim]note: {escape(note)}[/]")
        if report.slices:
            self._slices(report)

    def _slices(self, report: Report) -> None:
        """Fused against behavioural-only, case by kind of case."""
        table = Table(box=None, pad_edge=False)
        for name in ("slice", "cases", "units", "behavioural", "fused", ""):
            table.add_column(name, justify="left" if name in ("slice", "") else "right")
        for part in report.slices:
            table.add_row(
                part.name,
                str(part.n_cases),
                str(part.n_units),
                f"{part.behavioural:.4f}",
                f"{part.fused:.4f}",
                part.verdict,
            )
        self._out.print(table)

    def encoders(self, costs: Sequence[EncoderCost]) -> None:
        """What each encoder asks for."""
        table = Table(box=None, pad_edge=False)
        for name in ("encoder", "dim", "weights", "in memory", "p50 ms", "p95 ms"):
            table.add_column(name, justify="left" if name == "encoder" else "right")
        for cost in costs:
            spent = [f"{cost.query_ms[p]:.1f}" if cost.query_ms else "" for p in ("p50", "p95")]
            table.add_row(
                escape(cost.encoder),
                str(cost.dim),
                cost.quantisation,
                f"{cost.weights_mb:,.0f} MB",
                *spent,
            )
        self._out.print(table)
        queries = max(cost.timed_queries for cost in costs)
        self._out.print(f"[dim]{queries} requests encoded one at a time, {os.cpu_count()} cores[/]")

    def cold(self, measured: Sequence[ColdStart]) -> None:
        """Withheld items, draw by draw."""
        table = Table(box=None, pad_edge=False)
        for name in ("seed", "withheld", "cases", "fused R@50", "by text", "chance"):
            table.add_column(name, justify="right")
        for name in ("known NDCG@10", "alone"):
            table.add_column(name, justify="right")
        for one in measured:
            table.add_row(
                str(one.seed),
                str(one.n_items),
                str(one.n_cases),
                f"{one.fused:.4f}",
                f"{one.semantic:.4f}",
                f"{one.chance:.4f}",
                f"{one.known:.4f}",
                f"{one.known_alone:.4f}",
            )
        self._out.print(table)

    def recommendations(self, found: Recommendations) -> None:
        """A list, and how it came about."""
        table = Table(box=None, pad_edge=False)
        for name in ("rank", "item_id", "title", "score"):
            table.add_column(name, justify="left" if name == "title" else "right")
        for item in found.items:
            table.add_row(
                str(item.rank), escape(item.item_id), escape(item.title), f"{item.score:.3f}"
            )
            if item.explanation:
                table.add_row("", "", f"[dim]{escape(item.explanation)}[/]", "")
        self._out.print(table)
        self._out.print(
            f"[dim]{_weights(found.trace.weights)}; {found.trace.timings_ms['total']:.0f} ms[/]"
        )
        for note in found.trace.notes:
            self._out.print(f"[dim]note: {escape(note)}[/]")

    def load(self, measured: Mapping[str, Any]) -> None:
        """A service under load: what was asked, how fast it was, what was refused."""
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        for name in ("sent", "errors", "503", "p50", "p99", "503 p99", "late p99"):
            table.add_column(name, justify="right")
        for stage in ("load", "overload"):
            for kind in measured["rates_per_s"]:
                one = measured[stage][kind]
                times = [one["accepted"].get("p50_ms"), one["accepted"].get("p99_ms")]
                times += [one["refused"].get("p99_ms"), one["late"].get("p99_ms")]
                table.add_row(
                    f"{stage}: {kind}",
                    str(one["sent"]),
                    str(one["errors"]),
                    f"{one['refused_share']:.1%}",
                    *("" if ms is None else f"{ms:.1f}" for ms in times),
                )
        self._out.print(table)
        for stage in ("load", "overload"):
            one = measured[stage]
            self._out.print(
                f"[dim]{stage}: the service took {one['service_cores']} cores, the generator "
                f"{one['generator_cores']}[/]"
            )
        memory = measured["rss_mb"]
        self._out.print(f"[dim]memory: {memory['before']} MB before, {memory['after']} after[/]")

    def turns(self, measured: Mapping[str, Any]) -> None:
        """CPU milliseconds by turn of conversations."""
        for name, turns in measured.items():
            table = Table(box=None, pad_edge=False, title=name, title_justify="left")
            for column in ("turn", "n", "p50 ms", "p95 ms"):
                table.add_column(column, justify="right")
            for turn, spent in turns.items():
                numbers = (f"{spent['n']:.0f}", f"{spent['p50']:.1f}", f"{spent['p95']:.1f}")
                table.add_row(str(turn), *numbers)
            self._out.print(table)

    def latency(self, measured: Mapping[str, Any]) -> None:
        """Milliseconds by kind of request and stage."""
        for kind, stages in measured.items():
            if kind == "encoder" or not isinstance(stages, Mapping):
                continue
            table = Table(box=None, pad_edge=False, title=kind, title_justify="left")
            table.add_column("ms")
            for percentile in next(iter(stages.values())):
                table.add_column(percentile, justify="right")
            for stage, spent in stages.items():
                table.add_row(
                    stage.replace("_", " "), *(f"{value:.2f}" for value in spent.values())
                )
            self._out.print(table)
        self._out.print(
            f"{measured['requests']} requests of each kind, {measured['items']:,} items, "
            f"{measured['dim']} dimensions, {measured['index']}, {measured['cores']} cores"
        )
        encoder = measured["encoder"]
        if "runtime" in encoder:
            reached = ", ".join(f"{of} {ndcg:.4f}" for of, ndcg in encoder.get("ndcg", {}).items())
            self._out.print(
                f"encoder {escape(encoder['name'])}, served by {encoder['runtime']}"
                + (f"; validation NDCG {reached}" if reached else "")
            )

    def checks(self, found: Sequence[tuple[str, str, bool]]) -> None:
        """What was looked at, and whether it is well."""
        table = _plain()
        for name, value, well in found:
            table.add_row(name, escape(value) if well else f"[red]{escape(value)}[/]")
        self._out.print(table)

    def next_commands(self, out: Path, seconds: float) -> None:
        """Where the demo's artifact lies, and what to type next."""
        self._out.print(
            f"\n[bold]Done in {seconds:.0f} s.[/] The artifact lies in {escape(str(out))}"
        )
        commands: Sequence[str] = (
            f'semrec recommend {out} --intent "a quiet heist film" --session 296,50',
            f"semrec bench latency {out}",
            f"semrec serve {out}  # the chat page, at http://127.0.0.1:8000",
        )
        for command in commands:
            self._out.print(f"  {escape(command)}", soft_wrap=True)

    def _learned(self, manifest: Mapping[str, Any]) -> None:
        counts, behaviour = manifest["counts"], manifest["behaviour"]
        self._out.print(
            f"{counts['items']:,} items ({counts['cold_items']:,} without events), "
            f"{counts['users']:,} users, {counts['interactions']:,} interactions"
        )
        looks = manifest.get("validation", {}).get("encoder")
        trained = (
            f", trained: validation NDCG {looks['0']:.3f} before, {max(looks.values()):.3f} after"
            if looks
            else ""
        )
        self._out.print(f"encoder {escape(manifest['encoder']['name'])}{trained}")
        names = [name for name in ("regularization", "alpha", "decay") if name in behaviour]
        chosen = ", ".join(f"{name} {behaviour[name]:g}" for name in names)
        self._out.print(f"behaviour {behaviour['kind']}, chosen on validation: {chosen}")
        table = Table(box=None, pad_edge=False)
        columns = ["semantic", "behavioural", "popularity", "domain"]
        for name in ("weights by query", *columns, "words' share", ""):
            table.add_column(name, justify="left" if name.startswith("weights") else "right")
        gate = dict(manifest["gate"])
        tilts = gate.pop("tilts")
        for kind, weights in gate.items():
            share = f"{weights['intent_share']:.1f}" if kind == "both" else ""
            varied = "varied" if kind in tilts else ""
            table.add_row(kind, *(f"{weights[name]:.1f}" for name in columns), share, varied)
        self._out.print(table)

    def _answer(self, answer: Mapping[str, Any]) -> None:
        asked = f"“{answer['intent']}”"
        if answer["session_titles"]:
            asked += f" after {', '.join(answer['session_titles'])}"
        if "filters" in answer:
            asked += f" with {answer['filters']}"
        self._out.print(f"[bold cyan]{escape(asked)}[/]")
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(justify="right")
        table.add_column(max_width=38, no_wrap=True, overflow="ellipsis")
        table.add_column(max_width=34, no_wrap=True, overflow="ellipsis", style="dim")
        for item in answer["items"]:
            table.add_row(str(item["rank"]), escape(item["title"]), escape(item["about"]))
        self._out.print(table)
        self._out.print(f"[dim]{_weights(answer['weights'])}; {answer['total_ms']:.0f} ms[/]")


def _weights(weights: Mapping[str, float]) -> str:
    names = ("semantic", "behavioural", "popularity", "domain")
    return "weights: " + ", ".join(
        f"{name} {weights[name]:.2f}" for name in names if name != "domain" or weights[name]
    )


def _plain() -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
