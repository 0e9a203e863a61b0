"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.evaluate.report import Report
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED, SESSION
from semrec.metrics.significance import Estimate


def as_markdown(report: Report) -> str:
    """Verdict, tables, notes."""
    k = report.k
    lines = [report.verdict(), ""]
    asked_for = report.asked_for or (report if report.kind == ASKED_FOR else None)
    if asked_for is not None:
        lines += [*_asked_for(asked_for), ""]
    first = LIKED if report.asked_for else "system"
    lines += _table(
        [first, f"R@{k}", report.measure, "95 % interval", "MRR", "MAP", "coverage", "p50 ms"],
        [
            [
                row.system,
                f"{row.metrics['recall'].mean:.4f}",
                f"{row.metrics[report.metric].mean:.4f}",
                _interval(row.metrics[report.metric]),
                f"{row.metrics['mrr'].mean:.4f}",
                f"{row.metrics['map'].mean:.4f}",
                "" if row.coverage is None else f"{row.coverage:.1%}",
                f"{row.latency_ms['p50']:.1f}" if row.latency_ms else "",
            ]
            for row in report.rows
        ],
    )
    units = f"{report.n_cases} cases, {report.n_units} independent units"
    rest = f", {report.without_relevant} more without a right answer"
    lines += ["", units + (rest if report.without_relevant else "")]
    lines += [f"- {_plain(note)}" for note in report.notes]
    lines += [f"- ALARM: {_plain(alarm)}" for alarm in report.alarms()]
    if report.pairs:
        lines.append("")
        lines += _table(
            ["systems", "difference", "95 % interval", "p (Holm)", "the first is"],
            [
                [
                    f"{pair.first} − {pair.second}",
                    f"{pair.difference:+.4f}",
                    f"{pair.low:+.4f} to {pair.high:+.4f}",
                    f"{pair.p_holm:.4f}",
                    pair.verdict,
                ]
                for pair in report.pairs_seen()
            ],
        )
    if report.slices:
        lines.append("")
        lines += _table(
            [
                "slice",
                "cases",
                "units",
                str(report.reference),
                str(report.candidate),
                "difference",
                "verdict",
            ],
            [
                [
                    part.name,
                    str(part.n_cases),
                    str(part.n_units),
                    f"{part.behavioural:.4f}",
                    f"{part.fused:.4f}",
                    f"{part.low:+.4f} to {part.high:+.4f}",
                    part.verdict,
                ]
                for part in report.slices
            ],
        )
    hashes = f"cases {report.cases_hash[:16]}, code {report.code_hash[:16]}, seed {report.seed}"
    lines += ["", hashes]
    if report.command:
        lines += ["", "```", report.command.replace("```", "` ` `"), "```"]
    return "\n".join(lines) + "\n"


def _asked_for(report: Report) -> list[str]:
    """Precision without a session and after one, beside that of `text`."""
    cut = [part for part in report.slices if part.family == SESSION]
    if not cut:
        return []
    header, rows = [ASKED_FOR], [[row.system] for row in report.rows]
    for part in cut:
        header += [f"{report.measure} {part.name}", "95 % interval", f"over {report.reference}"]
        for cells, row in zip(rows, report.rows, strict=True):
            found, over = part.systems[row.system], part.ratios.get(row.system)
            cells += [f"{found.mean:.4f}", _interval(found)]
            cells.append(f"{over.mean:.2f} ({over.low:.2f} to {over.high:.2f})" if over else "")
    counts = ", ".join(f"{part.n_cases} {part.name}" for part in cut)
    return [*_table(header, rows), "", f"{counts}; {report.n_units} independent units"]


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.4f} to {estimate.high:.4f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(header), _line(["---"] * len(header)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text that stays in its place: no line break, no end of a cell, no tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
