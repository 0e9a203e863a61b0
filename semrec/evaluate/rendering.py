"""A report as a page, and as the output of a notebook's cell."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from semrec import __version__
from semrec.evaluate.charts import Scale, Series, plot, scale_of, track
from semrec.evaluate.report import Report
from semrec.evaluate.slices import MIN_UNITS, Slice
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED, SESSION, outcome, sentences
from semrec.metrics.significance import N_RESAMPLES, Estimate

BEYOND = {
    "coverage": "coverage",
    "gini": "Gini",
    "popularity": "popularity",
    "novelty": "novelty",
    "diversity": "diversity",
}
# Titles, requests and names come from others: everything that is filled in is escaped.
_PAGES = Environment(
    loader=PackageLoader("semrec.evaluate"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def as_html(report: Report) -> str:
    """One self-contained page: no script, no request to anywhere."""
    kinds = _kinds(report)
    gaps = [_gap(part) for part in report.slices]
    words, came_to = outcome(report)
    rows = report.rows
    asked_for = report.asked_for or (report if report.kind == ASKED_FOR else None)
    return _PAGES.get_template("report.html.j2").render(
        report=report,
        sentences=_headline(report),
        outcome=words,
        came_to=came_to,
        alarms=report.alarms(),
        kinds=kinds,
        asked_for=asked_for,
        asked_for_kinds={} if asked_for is None else _kinds(asked_for),
        asked_for_parts=[] if asked_for is None else _asked_for(asked_for),
        track=track,
        cutoffs=sorted(rows[0].at) if rows else [],
        systems_scale=scale_of([row.metrics[report.metric] for row in rows]),
        slices_scale=scale_of(gaps) if gaps else None,
        families=_families(report.slices),
        pairs=report.pairs_seen(),
        n_own_pairs=len(rows) - 1,
        latency_plot=_latency_plot(report, kinds),
        budget_plot=_budget_plot(report),
        beyond=[name for name in BEYOND if any(name in row.beyond for row in rows)],
        beyond_names=BEYOND,
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


def as_cell(report: Report) -> str:
    """Verdict and table, for a notebook."""
    asked_for = report.asked_for or (report if report.kind == ASKED_FOR else None)
    return _PAGES.get_template("cell.html.j2").render(
        report=report,
        sentences=_headline(report),
        outcome=outcome(report)[0],
        alarms=report.alarms(),
        asked_for=asked_for,
        parts=[] if asked_for is None else [part for part, _ in _asked_for(asked_for)],
    )


def _headline(report: Report) -> list[str]:
    """The verdict's sentences, without its last words."""
    told = [one.replace(" x ", " × ") for one in sentences(report)]
    kinds = (f"{ASKED_FOR}: ", f"{LIKED}: ")  # a system's name keeps its own first letter
    return [one[0].upper() + one[1:] if one.startswith(kinds) else one for one in told]


def _kinds(report: Report) -> dict[str, str]:
    """The drawing style of each system."""
    kinds = {row.system: "other" for row in report.rows}
    if report.reference is not None and report.candidate is not None:
        kinds |= {report.reference: "reference", report.candidate: "candidate"}
    return kinds


def _asked_for(report: Report) -> list[tuple[Slice, Scale]]:
    """The parts of what was asked for, on one scale."""
    cut = [part for part in report.slices if part.family == SESSION]
    scale = scale_of([one for part in cut for one in part.systems.values()])
    return [(part, scale) for part in cut]


def _gap(part: Slice) -> Estimate:
    return Estimate(mean=part.fused - part.behavioural, low=part.low, high=part.high)


def _families(slices: Sequence[Slice]) -> list[tuple[str, list[tuple[Slice, Estimate, str]]]]:
    found: dict[str, list[tuple[Slice, Estimate, str]]] = {}
    for part in slices:
        kind = part.verdict if part.verdict in ("better", "worse") else "other"
        found.setdefault(part.family, []).append((part, _gap(part), kind))
    return list(found.items())


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
