"""Terminal output: progress, tables and errors, within 80 columns."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from semrec.cli import result_tables
from semrec.cli.progress import Lines
from semrec.evaluate.report import Report
from semrec.evaluate.report_tables import report_tables, slices
from semrec.evaluate.table import Table, for_terminal
from semrec.types import Progress as OnProgress
from semrec.types import Recommendations, silent
from semrec.types.display import understood_lines

ASCII = str.maketrans(
    {"×": "x", "–": "-", "−": "-", "·": "*", "→": ">", "…": "...", "✓": "v", "≤": "<=", "≥": ">="}
    | dict.fromkeys("“”„", '"')
    | dict.fromkeys("‘’", "'")
)


def survive_any_encoding() -> None:
    """Let stdout and stderr write what their encoding lacks by what comes nearest, not fail."""
    codecs.register_error("nearest", _nearest)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="nearest")


def _nearest(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    text = unicodedata.normalize("NFKD", error.object[error.start : error.end].translate(ASCII))
    known = "".join(char for char in text if not unicodedata.combining(char))
    return known.encode("ascii", "replace").decode(), error.end


class Screen:
    """Prints results to stdout, progress and errors to stderr; `quiet` keeps results back."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._out = Console(quiet=quiet, highlight=False)
        self._err = Console(stderr=True, highlight=False)

    def line(self, text: str) -> None:
        """One line."""
        self._out.print(escape(text), soft_wrap=True)

    def show(self, tables: Iterable[Table]) -> None:
        """Tables, each with its notes, an empty line between."""
        for index, table in enumerate(tables):
            if index:
                self._out.print()
            for part in for_terminal(table):
                self._out.print(part)

    def error(self, text: str) -> None:
        """One error."""
        self._err.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)

    def notes(self, notes: Iterable[str], label: str = "note", style: str = "dim") -> None:
        """A line each, with what sort of line it is before it."""
        for note in notes:
            self._out.print(f"[{style}]{label}: {escape(note)}[/]")

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

    def description(self, values: Mapping[str, Any]) -> None:
        """A dataset in numbers."""
        self.show([result_tables.described(values)])
        self.notes(values.get("warnings", ()), style="yellow")

    def show_step(self, name: str, value: Any) -> None:  # noqa: ANN401
        """One step of the demo: of its data a line, its lists; the comparison comes at the end."""
        if name == "data":
            self._out.print(
                f"[bold]MovieLens[/], {value['items']:,} films, {value['interactions']:,} ratings "
                "(GroupLens; research use)"
            )
        elif name == "answers":
            for entry in value:
                question = f"“{entry['intent']}”"
                if entry["session_titles"]:
                    question += f" after {', '.join(entry['session_titles'])}"
                self._out.print(f"\n[bold cyan]{escape(question)}[/]")
                self.show([result_tables.answer(entry)])

    def compared(self, results: Mapping[str, Any]) -> None:
        """The demo's comparison in six lines."""
        self._out.print("\n[bold]And is it worth it?[/] Asked of what was held back:")
        self.show([result_tables.compared(results)])

    def built(self, out: Path, manifest: Mapping[str, Any]) -> None:
        """A build in numbers, and the notes that it left."""
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
        self.show([result_tables.learned(manifest["gate"])])
        self.notes(manifest.get("notes", ()), style="yellow")
        self.line(f"written: {out}")

    def report(self, report: Report) -> None:
        """A comparison: tables, verdict, notes."""
        self.show(report_tables(report))
        self._out.print(f"[bold]{escape(report.verdict())}[/]")
        self.notes(report.notes)
        self.notes(report.regressions(), "regression", "red")
        if report.slices:
            self.show([slices(report)])

    def recommendations(self, answer: Recommendations, titles: Mapping[str, str]) -> None:
        """A list, what was understood, and how it came about; `titles` by item id."""
        self.show([result_tables.list_of(answer)])
        for name, text in understood_lines(answer.trace.understood, titles):
            style = "yellow" if name == "can’t check" else "dim"
            self._out.print(f"[{style}]{name}: {escape(text)}[/]")
        if raised := result_tables.raised(answer.trace.moved, titles):
            self._out.print(f"[dim]moved up: {escape(raised)}[/]")
        ms = answer.trace.timings_ms["total"]
        self._out.print(
            f"[dim]weights: {result_tables.weights(answer.trace.weights)}; {ms:.0f} ms[/]"
        )
        self.notes(answer.trace.notes)

    def next_commands(self, out: Path, seconds: float) -> None:
        """The demo's artifact, and what to type next."""
        self._out.print(
            f"\n[bold]Done in {seconds:.0f} s.[/] The artifact lies in {escape(str(out))}"
        )
        for command in (
            f'semrec recommend {out} --intent "a quiet heist film" --session 296,50',
            f"semrec bench latency {out}",
            f"semrec serve {out}  # the chat page, at http://127.0.0.1:8000",
        ):
            self._out.print(f"  {escape(command)}", soft_wrap=True)
