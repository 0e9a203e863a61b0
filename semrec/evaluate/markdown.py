"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.evaluate.report import Report


def as_markdown(report: Report) -> str:
    """Verdict, tables, notes."""
    k = report.k
    lines = [report.verdict(), ""]
    lines += _table(
        ["system", f"R@{k}", f"NDCG@{k}", "95 % interval", "MRR", "MAP", "coverage", "p50 ms"],
        [
            [
                row.system,
                f"{row.metrics['recall'].mean:.4f}",
                f"{row.metrics['ndcg'].mean:.4f}",
                f"{row.metrics['ndcg'].low:.4f} to {row.metrics['ndcg'].high:.4f}",
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
    if report.replay:
        turns = range(1, len(report.replay.reached) + 1)
        lines += ["", f"{report.replay.n_dialogs} dialogs replayed turn by turn", ""]
        lines += _table(
            ["succeeded by turn", *map(str, turns), "limits kept"],
            [
                [
                    one.system,
                    *(f"{by.mean:.1%}" for by in one.success),
                    "" if one.kept is None else f"{one.kept.mean:.0%}",
                ]
                for one in report.replay.systems
            ],
        )
    hashes = f"cases {report.cases_hash[:16]}, code {report.code_hash[:16]}, seed {report.seed}"
    lines += ["", hashes]
    if report.command:
        lines += ["", "```", report.command.replace("```", "` ` `"), "```"]
    return "\n".join(lines) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(header), _line(["---"] * len(header)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text that stays in its place: no line break, no end of a cell, no tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
