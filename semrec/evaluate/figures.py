"""Plots of a report and of a list, for notebooks: matplotlib, extra ``plots``.

Every function takes the axes to draw on, or makes them, and gives them back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semrec.environment.optional import import_pyplot
from semrec.evaluate.report import Report
from semrec.types import Recommendations

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CANDIDATE, REFERENCE, OTHER = "#0f766e", "#1d2126", "#98a0aa"
BETTER, WORSE = "#15803d", "#b42318"


def plot_systems(report: Report, metric: str | None = None, ax: Axes | None = None) -> Axes:
    """Each system's metric with its 95 % interval; None: what the report's verdict is of.

    Raises:
        ModelError: If matplotlib isn't installed.
    """
    rows = report.rows[::-1]
    metric = metric or report.metric
    ax = ax or _axes(len(rows))
    for y, row in enumerate(rows):
        estimate, colour = row.metrics[metric], _colour(report, row.system)
        ax.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=2, alpha=0.6)
        ax.plot(estimate.mean, y, "o", color=colour)
    ax.set_yticks(range(len(rows)), [_text(row.system) for row in rows])
    ax.set_xlim(left=0)
    ax.set_xlabel(f"{metric}@{report.k}, 95 % interval")
    return _plain(ax)


def plot_slices(report: Report, ax: Axes | None = None) -> Axes:
    """The candidate's measure minus the reference's, slice by slice; grey: nothing can be said.

    Raises:
        ModelError: If matplotlib isn't installed.
    """
    parts = report.slices[::-1]
    ax = ax or _axes(len(parts))
    colours = {"better": BETTER, "worse": WORSE}
    for y, part in enumerate(parts):
        colour = colours.get(part.verdict, OTHER)
        ax.plot([part.low, part.high], [y, y], color=colour, linewidth=2, alpha=0.6)
        ax.plot(part.fused - part.behavioural, y, "o", color=colour)
    ax.axvline(0, color=OTHER, linewidth=1)
    ax.set_yticks(range(len(parts)), [_text(f"{part.name} ({part.n_units:,})") for part in parts])
    ax.set_xlabel(f"{report.measure} of {report.candidate} − {report.reference}")
    return _plain(ax)


def plot_latency(report: Report, ax: Axes | None = None) -> Axes:
    """The measure over the median milliseconds of one request, of the systems that were timed.

    Raises:
        ModelError: If matplotlib isn't installed.
    """
    ax = ax or _axes(8)
    for row in report.rows:
        if row.latency_ms:
            estimate, colour = row.metrics[report.metric], _colour(report, row.system)
            ms = row.latency_ms["p50"]
            ax.plot([ms, ms], [estimate.low, estimate.high], color=colour, linewidth=2, alpha=0.6)
            ax.plot(ms, estimate.mean, "o", color=colour)
            ax.annotate(
                _text(row.system), (ms, estimate.mean), xytext=(7, -3), textcoords="offset points"
            )
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("ms a request (p50)")
    ax.set_ylabel(report.measure)
    return _plain(ax)


def plot_scores(recommendations: Recommendations, ax: Axes | None = None) -> Axes:
    """The scores of a list, best on top.

    Raises:
        ModelError: If matplotlib isn't installed.
    """
    items = recommendations.items[::-1]
    ax = ax or _axes(len(items))
    ax.barh(range(len(items)), [item.score for item in items], color=CANDIDATE)
    ax.set_yticks(range(len(items)), [_text(item.title) for item in items])
    ax.set_xlabel("score")
    return _plain(ax)


def _axes(n_lines: int) -> Axes:
    _, ax = import_pyplot().subplots(figsize=(7, 1.2 + 0.32 * n_lines), layout="constrained")
    made: Axes = ax
    return made


def _colour(report: Report, system: str) -> str:
    return {report.candidate: CANDIDATE, report.reference: REFERENCE}.get(system, OTHER)


def _text(text: str) -> str:
    """Text that is shown as it is: no formula begins in it."""
    return text.replace("$", r"\$")


def _plain(ax: Axes) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    return ax
