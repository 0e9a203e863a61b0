"""Terminal output: progress, tables and errors, within 80 columns."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from semrec.cli.progress import Lines
from semrec.evaluate.report import Report
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED, SESSION
from semrec.types import Progress as OnProgress
from semrec.types import Recommendations, silent

if TYPE_CHECKING:
    from semrec.bench.cold import ColdStart
    from semrec.bench.encoders import EncoderCost

# The demo's comparisons: its name → what was asked.
COMPARED = {
    "time_split": "the next film, by the clock",
    "cold_items": "withheld films, among all",
    "cold_items_among_themselves": "withheld films alone",
}


class Screen:
    """Prints results to stdout, progress and errors to stderr; `quiet` keeps results back."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = Console(quiet=quiet, highlight=False)
        self._err = Console(stderr=True, highlight=False)

    def line(self, text: str) -> None:
        """One line."""
        self._out.print(escape(text), soft_wrap=True)

    def show(self, parts: Iterable[RenderableType]) -> None:
        """Tables and lines that somebody else made."""
        for part in parts:
            self._out.print(part)

    def error(self, text: str) -> None:
        """One error."""
        self._err.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)

    @contextmanager
    def progress(self, *, lines: bool = False) -> Iterator[OnProgress]:
        """A callback that draws one bar per stage.

        Where nobody watches it writes nothing, or with `lines` a line now and then: for what
        takes minutes.
        """
        # A notebook forces colours, which makes rich see a terminal where a file is written.
        if not (self._err.is_terminal and self._err.file.isatty()):
            yield Lines(self._progress_line) if lines else silent
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

    def _progress_line(self, text: str) -> None:
        # As it is: never wrapped, never coloured.
        print(text, file=self._err.file, flush=True)

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
        """One step of the demo: of its data a line, its lists; the comparison comes at the end."""
        if name == "data":
            self._out.print(
                f"[bold]MovieLens[/], {value['items']:,} films, {value['interactions']:,} ratings "
                "(GroupLens; research use)"
            )
        elif name == "answers":
            for answer in value:
                self._answer(answer)

    def compared(self, shown: Mapping[str, Any]) -> None:
        """The demo's comparison in six lines."""
        table = Table(box=None, pad_edge=False)
        columns = ("NDCG@10, without words", "cases", "behaviour", "text", "fused", "× (95 %)")
        for name in columns:
            table.add_column(name, justify="left" if name == columns[0] else "right")
        for name, about in COMPARED.items():
            table.add_row(about, *_figures(shown[name]))
        self._out.print("\n[bold]And is it worth it?[/] Asked of what was held back:")
        self._out.print(table)
        self._out.print(
            "[dim]×: fused over behaviour alone; no difference is shown if 1 lies between[/]"
        )

    def built(self, out: Path, manifest: Mapping[str, Any]) -> None:
        """A build in numbers, and the notes that it left."""
        self._learned(manifest)
        for note in manifest.get("notes", ()):
            self._out.print(f"[yellow]note:[/] {escape(note)}")
        self.line(f"written: {out}")

    def report(self, report: Report) -> None:
        """A comparison: tables, verdict, notes."""
        asked_for = report.asked_for or (report if report.kind == ASKED_FOR else None)
        if asked_for is not None:
            self._asked_for(asked_for)
        table = Table(box=None, pad_edge=False)
        first = LIKED if report.asked_for else "system"
        names = (first, f"R@{report.k}", report.measure, "95 %", "MRR", "coverage", "p50 ms")
        for name in names:
            table.add_column(name, justify="left" if name == first else "right")
        for row in report.rows:
            found = row.metrics[report.metric]
            table.add_row(
                escape(row.system),
                f"{row.metrics['recall'].mean:.4f}",
                f"{found.mean:.4f}",
                f"{found.low:.3f}–{found.high:.3f}",
                f"{row.metrics['mrr'].mean:.4f}",
                "" if row.coverage is None else f"{row.coverage:.1%}",
                f"{row.latency_ms['p50']:.1f}" if row.latency_ms else "",
            )
        self._out.print(table)
        self._out.print(f"{report.n_cases:,} cases, {report.n_units:,} independent units")
        if report.without_relevant:
            self._out.print(f"{report.without_relevant:,} more cases without a right answer")
        self._out.print(f"[bold]{escape(report.verdict())}[/]")
        for note in report.notes:
            self._out.print(f"[dim]note: {escape(note)}[/]")
        for alarm in report.alarms():
            self._out.print(f"[red]alarm: {escape(alarm)}[/]")
        if report.slices:
            self._slices(report)

    def _asked_for(self, report: Report) -> None:
        """Precision without a session and after one, beside that of `text`."""
        cut = [part for part in report.slices if part.family == SESSION]
        if not cut:
            return
        table = Table(box=None, pad_edge=False)
        table.add_column(ASKED_FOR, overflow="fold")
        for part in cut:
            heading = f"{report.measure} {part.name}".replace(" a session", "\na session")
            table.add_column(heading, justify="right", no_wrap=True)
            table.add_column(escape(f"over {report.reference}"), justify="right", no_wrap=True)
        for row in report.rows:
            cells = []
            for part in cut:
                over = part.ratios.get(row.system)
                told = f"{over.mean:.2f} ({over.low:.2f}–{over.high:.2f})" if over else ""
                cells += [f"{part.systems[row.system].mean:.4f}", told]
            table.add_row(escape(row.system), *cells)
        self._out.print(table)
        counts = ", ".join(f"{part.n_cases:,} {part.name}" for part in cut)
        self._out.print(f"{counts}; {report.n_units:,} independent units\n")

    def _slices(self, report: Report) -> None:
        """The candidate against the one to beat, case by kind of case."""
        table = Table(box=None, pad_edge=False)
        opponents = (escape(str(report.reference)), escape(str(report.candidate)))
        for name in ("slice", "cases", "units", *opponents, ""):
            table.add_column(name, justify="left" if name in ("slice", "") else "right")
        for part in report.slices:
            table.add_row(
                escape(part.name),
                str(part.n_cases),
                str(part.n_units),
                f"{part.behavioural:.4f}",
                f"{part.fused:.4f}",
                part.verdict,
            )
        self._out.print(table)

    def encoders(self, costs: Sequence[EncoderCost]) -> None:
        """Memory and time of each encoder."""
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

    def checks(self, found: Sequence[tuple[str, str, bool]]) -> None:
        """Checks of this machine, and whether each is well."""
        table = _plain()
        for name, value, well in found:
            table.add_row(name, escape(value) if well else f"[red]{escape(value)}[/]")
        self._out.print(table)

    def next_commands(self, out: Path, seconds: float) -> None:
        """The demo's artifact, and what to type next."""
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
        columns = ["words", "lexical", "texts", "behavioural", "popularity", "domain"]
        for name in ("weights by query", *columns):
            table.add_column(name, justify="left" if name.startswith("weights") else "right")
        for kind, weights in shown_weights(manifest["gate"]).items():
            table.add_row(kind, *(f"{weights[name]:.2f}" for name in columns))
        self._out.print(table)

    def _answer(self, answer: Mapping[str, Any]) -> None:
        asked = f"“{answer['intent']}”"
        if answer["session_titles"]:
            asked += f" after {', '.join(answer['session_titles'])}"
        self._out.print(f"\n[bold cyan]{escape(asked)}[/]")
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(justify="right")
        table.add_column(max_width=34, no_wrap=True, overflow="ellipsis")
        table.add_column(justify="right", min_width=4, no_wrap=True)
        table.add_column(max_width=34, no_wrap=True, overflow="ellipsis", style="dim")
        for item in answer["items"]:
            year, labels = item["year"] or "", ", ".join(item["labels"])
            table.add_row(str(item["rank"]), escape(item["title"]), str(year), escape(labels))
        self._out.print(table)
        weights = _weights(answer["weights"]).removeprefix("weights: ")
        self._out.print(f"[dim]{escape(_reading(answer['understood']))}{weights}[/]")


def _reading(understood: Mapping[str, Any]) -> str:
    """The labels and limits that the words were taken for; empty if there are none."""
    named = [label for labels in understood.get("named", {}).values() for label in labels]
    parts = [f"named: {', '.join(named)}"] if named else []
    if understood.get("filters"):
        parts.append(f"limits: {understood['filters']}")
    return "".join(f"{part}; " for part in parts)


def _figures(report: Mapping[str, Any]) -> list[str]:
    """A comparison in one row: cases, NDCG of three systems, the ratio with its interval."""
    means = {row["system"]: row["metrics"]["ndcg"]["mean"] for row in report["rows"]}
    best = report["behavioural_only"]
    names = (best, "semantic-only", "fused")
    ratio = report["ratios"].get("fused")
    told = f"{ratio['mean']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f})" if ratio else "–"
    return [f"{report['n_cases']:,}", *(f"{means[name]:.4f}" for name in names), told]


def shown_weights(gate: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """A gate's weights by kind of query, each row in shares of 1."""
    rows = {kind: dict(gate[kind]) for kind in ("topical", "conversational")}
    for kind in ("session", "baseline"):
        rows[kind] = {**gate[kind], "words": 0.0, "lexical": 0.0, "texts": gate[kind]["semantic"]}
    names = ("words", "lexical", "texts", "behavioural", "popularity", "domain")
    return {
        kind: {name: row[name] / sum(row[one] for one in names) for name in names}
        for kind, row in rows.items()
    }


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
