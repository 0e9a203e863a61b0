"""A report as a page, and as the output of a notebook's cell."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from semrec import __version__
from semrec.evaluate import report_tables
from semrec.evaluate.charts import Series, axis, plot, scale_of, track
from semrec.evaluate.report import Report
from semrec.evaluate.report_tables import session_parts, topics_of
from semrec.evaluate.slices import MIN_UNITS, Slice
from semrec.evaluate.table import PAGES, Table, as_html
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED, headline, outcome, sentences
from semrec.metrics.significance import N_RESAMPLES, Estimate

CHIPS = {
    verdict: f"chip {verdict.replace(' ', '-')}"
    for verdict in ("better", "worse", "not worse", "no difference shown")
}


def report_page(report: Report) -> str:
    """One self-contained page: no script, no request to anywhere."""
    asked_for = topics_of(report)
    parts = [] if asked_for is None else session_parts(asked_for)
    enough = [part for part in report.slices if part.n_units >= MIN_UNITS]
    few = [part for part in report.slices if part.n_units < MIN_UNITS]
    return PAGES.get_template("report.html.j2").render(
        report=report,
        **_verdict(report),
        kinds=_kinds(report),
        asked_for=asked_for,
        asked_for_kinds={} if asked_for is None else _kinds(asked_for),
        asked_for_parts=parts,
        topics_scale=scale_of([estimate for part in parts for estimate in part.systems.values()]),
        systems_scale=scale_of([row.metrics[report.metric] for row in report.rows]),
        tables=report_tables,
        shown=_shown,
        track=track,
        axis=axis,
        gap=_gap,
        enough=_families(enough),
        enough_scale=scale_of(list(map(_gap, enough))),
        few=_families(few),
        few_scale=scale_of(list(map(_gap, few))),
        n_few=len(few),
        pairs=report.pairs_seen(),
        n_own_pairs=len(report.rows) - 1,
        latency_plot=_latency_plot(report, _kinds(report)),
        budget_plot=_budget_plot(report),
        gained=[example for example in report.examples if example.difference > 0],
        lost=[example for example in report.examples if example.difference < 0],
        notes=[note for note in report.notes if not note.startswith("NOT A FAIR TEST")],
        datasets=sorted({o["dataset"] for o in report.origins.values() if o.get("dataset")}),
        origins={name: origin for name, origin in report.origins.items() if origin},
        least_units=MIN_UNITS,
        version=__version__,
        resamples=N_RESAMPLES,
        machine=f"{os.cpu_count()} cores, {platform.machine()}",
    )


def report_cell(report: Report) -> str:
    """Verdict and tables, for a notebook."""
    tables = [as_html(table) for table in report_tables.report_tables(report)]
    return PAGES.get_template("cell.html.j2").render(
        report=report, **_verdict(report), tables=tables
    )


def _shown(table: Table, kinds: Mapping[str, str]) -> Markup:
    """A table with systems in their colours."""
    return as_html(table, {name: f"{kind}-name" for name, kind in kinds.items()} | CHIPS)


def _verdict(report: Report) -> dict[str, Any]:
    """The verdict in words, its figures, what it comes to, and the candidate's regressions."""
    words, came_to = outcome(report)
    return {
        "headline": headline(report),
        "sentences": _figures(report),
        "outcome": words,
        "came_to": came_to,
        "regressions": report.regressions(),
    }


def _figures(report: Report) -> list[str]:
    """The verdict's sentences, without its last words."""
    figures = [sentence.replace(" x ", " × ") for sentence in sentences(report)]
    kinds = (f"{ASKED_FOR}: ", f"{LIKED}: ")  # a system's name keeps its own first letter
    return [s[0].upper() + s[1:] if s.startswith(kinds) else s for s in figures]


def _kinds(report: Report) -> dict[str, str]:
    """The drawing style of each system."""
    kinds = {row.system: "other" for row in report.rows}
    if report.reference is not None and report.candidate is not None:
        kinds |= {report.reference: "reference", report.candidate: "candidate"}
    return kinds


def _gap(part: Slice) -> Estimate:
    return Estimate(mean=part.fused - part.behavioural, low=part.low, high=part.high)


def _families(slices: Sequence[Slice]) -> list[tuple[str, list[Slice]]]:
    by_family: dict[str, list[Slice]] = {}
    for part in slices:
        by_family.setdefault(part.family, []).append(part)
    return list(by_family.items())


def _latency_plot(report: Report, kinds: dict[str, str]) -> str:
    timed = [row for row in report.rows if row.latency_ms]
    if not timed:
        return ""
    return plot(
        [
            Series(
                name=row.system,
                kind=kinds[row.system],
                xs=[max(row.latency_ms["p50"], 0.01)],
                ys=[row.metrics[report.metric]],
                ends=[max(row.latency_ms["p95"], 0.01)],
            )
            for row in timed
        ],
        x_name="ms a request",
        label=f"{report.measure} over latency",
        logarithmic=True,
    )


def _budget_plot(report: Report) -> str:
    limited = (
        sorted(
            (row.budget_ms, row.metrics[report.metric])
            for row in report.rows
            if row.budget_ms is not None
        )
        if sum(row.budget_ms is not None for row in report.rows) > 1
        else []
    )
    if not limited:
        return ""
    xs, ys = zip(*limited, strict=True)
    return plot(
        [Series(name=report.candidate or "", kind="candidate", xs=xs, ys=ys)],
        x_name="ms of budget",
        label=f"{report.measure} by budget",
    )
