"""The tables of a report, and the report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.evaluate.report import Pair, Report
from semrec.evaluate.slices import Slice
from semrec.evaluate.table import Column, Table, as_markdown, plain
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED, SESSION

GAIN = "{0.low:+.4f} to {0.high:+.4f}"
BEYOND = (
    Column("coverage", "{0.beyond[coverage]:.1%}", optional=True),
    Column("Gini", "{0.beyond[gini]:.3f}", optional=True),
    Column("popularity", "{0.beyond[popularity]:.1f}", optional=True),
    Column("novelty", "{0.beyond[novelty]:.1f}", optional=True),
    Column("diversity", "{0.beyond[diversity]:.3f}", optional=True),
)
ABOUT_BEYOND = (
    "Gini: how unequally items are shown, 0 all alike, 1 one only. Popularity: mean number of "
    "people who touched a shown item in training. Novelty: mean bits of surprise. Diversity: 1 − "
    "mean overlap of two items' labels in a list."
)


def report_tables(report: Report) -> list[Table]:
    """Tables of what was asked for, and of all systems."""
    asked_for = topics_of(report)
    first = [] if asked_for is None or not session_parts(asked_for) else [topics(asked_for)]
    return [*first, systems(report)]


def topics_of(report: Report) -> Report | None:
    """The report on what was asked for, if anything was."""
    return report.asked_for or (report if report.kind == ASKED_FOR else None)


def session_parts(report: Report) -> list[Slice]:
    """Its cases without a session, and those after one."""
    return [part for part in report.slices if part.family == SESSION]


def systems(report: Report) -> Table:
    """Each system's metrics."""
    notes = [f"{report.n_cases:,} cases, {report.n_units:,} independent units"]
    if report.without_relevant:
        notes.append(f"{report.without_relevant:,} more cases without a right answer")
    own = f"0.metrics[{report.metric}]"
    columns = (
        Column(LIKED if report.asked_for else "system", "{0.system}"),
        Column(f"R@{report.k}", "{0.metrics[recall].mean:.4f}"),
        Column(report.measure, f"{{{own}.mean:.4f}}"),
        Column("95 %", f"{{{own}.low:.4f}}–{{{own}.high:.4f}}"),
        Column("MRR", "{0.metrics[mrr].mean:.4f}"),
        Column("MAP", "{0.metrics[map].mean:.4f}", wide=True),
        Column("hit", "{0.metrics[hit].mean:.4f}", wide=True),
        Column("coverage", "{0.coverage:.1%}", optional=True),
        Column("p50 ms", "{0.latency_ms[p50]:.1f}", optional=True),
        Column("p95 ms", "{0.latency_ms[p95]:.1f}", optional=True, wide=True),
    )
    return Table(columns=columns, rows=report.rows, notes=notes)


def topics(report: Report) -> Table:
    """Precision without a session and after one, beside that of `text`."""
    columns, parts = [Column(ASKED_FOR, "{0[0]}")], session_parts(report)
    for n, part in enumerate(parts):
        own, over = f"0[1][{n}]", f"0[2][{n}]"
        columns += [
            Column(f"{report.measure} {part.name}", f"{{{own}.mean:.4f}}"),
            Column("95 %", f"{{{own}.low:.4f}}–{{{own}.high:.4f}}", wide=True),
            Column(
                f"over {report.reference}",
                f"{{{over}.mean:.2f}} ({{{over}.low:.2f}}–{{{over}.high:.2f}})",
                optional=True,
            ),
        ]
    rows = [
        (name, [part.systems[name] for part in parts], [part.ratios.get(name) for part in parts])
        for name in (row.system for row in report.rows)
    ]
    counts = ", ".join(f"{part.n_cases:,} {part.name}" for part in parts)
    note = f"{counts}; {report.n_units:,} independent units"
    return Table(columns=columns, rows=rows, notes=[note])


def differences(pairs: Sequence[Pair]) -> Table:
    """Pairs of systems, their differences and whether these are real."""
    columns = (
        Column("systems", "{0.first} − {0.second}"),
        Column("the first is", "{0.verdict}"),
        Column("difference", "{0.difference:+.4f}"),
        Column("95 % interval", GAIN),
        Column("p (Holm)", "{0.p_holm:.4f}"),
    )
    return Table(columns=columns, rows=pairs)


def slices(report: Report) -> Table:
    """The candidate against the one to beat, case by kind of case."""
    columns = (
        Column("slice", "{0.name}"),
        Column("cases", "{0.n_cases:,}"),
        Column("units", "{0.n_units:,}"),
        Column(str(report.reference), "{0.behavioural:.4f}"),
        Column(str(report.candidate), "{0.fused:.4f}"),
        Column("difference", GAIN, wide=True),
        Column("verdict", "{0.verdict}"),
    )
    return Table(columns=columns, rows=report.slices)


def cutoffs(report: Report) -> Table:
    """Metrics at all cutoffs."""
    columns = [Column("system", "{0.system}")]
    for metric, short in (("recall", "R"), ("ndcg", "NDCG"), ("map", "MAP")):
        for k in sorted(report.rows[0].at):
            columns.append(Column(f"{short}@{k}", f"{{0.at[{k}][{metric}].mean:.4f}}"))
    return Table(columns=columns, rows=report.rows)


def beyond(report: Report) -> Table:
    """Figures of the lists besides being right."""
    filled = [column for column in BEYOND if any(map(column.cell, report.rows))]
    columns = [Column("system", "{0.system}"), *filled]
    return Table(columns=columns, rows=report.rows, notes=[ABOUT_BEYOND])


def report_markdown(report: Report) -> str:
    """Verdict, tables, notes."""
    parts = [report.verdict(), *map(as_markdown, report_tables(report))]
    bullets = [f"- {plain(note)}" for note in report.notes]
    bullets += [f"- REGRESSION: {plain(loss)}" for loss in report.regressions()]
    parts += ["\n".join(bullets)] if bullets else []
    parts += [as_markdown(differences(report.pairs_seen()))] if report.pairs else []
    parts += [as_markdown(slices(report))] if report.slices else []
    parts.append(
        f"cases {report.cases_hash[:16]}, code {report.code_hash[:16]}, seed {report.seed}"
    )
    if report.command:
        parts.append("```\n" + report.command.replace("```", "` ` `") + "\n```")
    return "\n\n".join(parts) + "\n"
