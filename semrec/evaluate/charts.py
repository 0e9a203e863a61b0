"""Charts as SVG that lies in a page: no script, no font, no colour of its own.

Horizontal places are percentages, so that a chart is as wide as its column and its words keep
their size on a phone; colours are classes that the page's style sheet knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from semrec.metrics.significance import Estimate

HEIGHT = 260  # px, of a chart with two axes
_TOP, _BOTTOM = 18, 34  # px
_LEFT, _RIGHT = 10.0, 74.0  # %, the rest is for names
_LINE = 16  # px between two names at least
_TICK = Markup('<text class="tick middle" x="{}%" y="{}">{}</text>')


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From values to percent of a width."""

    low: float
    high: float
    first: float = 3.0
    last: float = 97.0

    def __call__(self, value: float) -> float:
        """The x of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.first + (self.last - self.first) * share, 2)


@dataclass(frozen=True, kw_only=True)
class Series:
    """A named line, or a point: x values, and an estimate at each; `kind` is its class."""

    name: str
    kind: str
    xs: Sequence[float]
    ys: Sequence[Estimate]
    ends: Sequence[float] = ()  # for points: where a whisker to the right ends


def scale_of(estimates: Sequence[Estimate], *, zero: bool = True) -> Scale:
    """A scale that holds all intervals, and 0 with `zero`."""
    lows, highs = [e.low for e in estimates], [e.high for e in estimates]
    return Scale(low=min([*lows, 0.0] if zero else lows), high=max([*highs, 0.0]))


def track(estimate: Estimate, scale: Scale, kind: str) -> Markup:
    """An interval on one line, with a mark at 0."""
    return Markup(
        '<svg class="track {kind}" role="img" aria-label="{label}">'
        '<line class="zero" x1="{zero}%" x2="{zero}%" y1="0" y2="100%"/>'
        '<line class="whisker" x1="{low}%" x2="{high}%" y1="50%" y2="50%"/>'
        '<circle cx="{mean}%" cy="50%" r="4"/></svg>'
    ).format(
        kind=kind,
        label=f"{estimate.mean:.4f}, 95 % interval {estimate.low:.4f} to {estimate.high:.4f}",
        zero=scale(0.0),
        low=scale(estimate.low),
        high=scale(estimate.high),
        mean=scale(estimate.mean),
    )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values from `low` to `high`, at most `most` + 1 and evenly spaced."""
    span = high - low
    if span <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(power * times for times in (1, 2, 5, 10) if span / (power * times) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def axis(scale: Scale) -> Markup:
    """The axis below intervals that share a scale."""
    parts = [_line(scale.first, 1, scale.last, 1, "grid")]
    for tick in ticks(scale.low, scale.high, 3):
        parts.append(_line(scale(tick), 1, scale(tick), 6, "tick"))
        parts.append(_TICK.format(scale(tick), 18, f"{tick:g}"))
    return Markup('<svg class="axis" height="22" aria-hidden="true">{}</svg>').format(
        Markup("").join(parts)
    )


def plot(series: Sequence[Series], *, x_name: str, label: str, logarithmic: bool = False) -> Markup:
    """Lines or points with vertical intervals over an x axis; the names stand to the right.

    Args:
        series: What is drawn.
        x_name: What the x axis shows, with its unit.
        label: What a screen reader says.
        logarithmic: Whether the x axis is.
    """
    forward = math.log10 if logarithmic else float
    xs = [x for line in series for x in (*line.xs, *line.ends)]
    x_at = Scale(low=forward(min(xs)), high=forward(max(xs)), first=_LEFT, last=_RIGHT)
    top = max(y.high for line in series for y in line.ys) or 1.0
    parts = [_grid(top), *_x_ticks(xs, x_at, x_name, logarithmic)]
    for line in series:
        points = [(x_at(forward(x)), y) for x, y in zip(line.xs, line.ys, strict=True)]
        for (x, y), (next_x, next_y) in pairwise(points):
            parts.append(_line(x, _down(y.mean, top), next_x, _down(next_y.mean, top), line.kind))
        dense = len(points) > 1 and line.kind == "other"  # their intervals would hide the rest
        for x, y in () if dense else points:
            parts.append(_line(x, _down(y.low, top), x, _down(y.high, top), f"whisker {line.kind}"))
        for (x, y), end in zip(points, line.ends, strict=False):
            height = _down(y.mean, top)
            parts.append(_line(x, height, x_at(forward(end)), height, f"tail {line.kind}"))
        for x, y in points:
            parts.append(
                Markup('<circle class="{}" cx="{}%" cy="{}" r="4.5"/>').format(
                    line.kind, x, _down(y.mean, top)
                )
            )
    parts += _names(series, top, lambda x: x_at(forward(x)))
    return Markup('<svg class="plot" height="{}" role="img" aria-label="{}">{}</svg>').format(
        HEIGHT, label, Markup("").join(parts)
    )


def _down(value: float, top: float) -> float:
    """The y of a value, in px from the top."""
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 1)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(
        kind, x1, y1, x2, y2
    )


def _grid(top: float) -> Markup:
    parts = []
    for tick in ticks(0.0, top, 5):
        y = _down(tick, top)
        parts.append(_line(_LEFT - 3, y, _RIGHT, y, "grid"))
        parts.append(Markup('<text class="tick" x="0" y="{}">{}</text>').format(y + 4, f"{tick:g}"))
    return Markup("").join(parts)


def _x_ticks(xs: Sequence[float], x_at: Scale, x_name: str, logarithmic: bool) -> list[Markup]:
    if logarithmic:
        first, last = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
        candidates = [m * 10.0**power for power in range(first, last + 1) for m in (1, 2, 5)]
        marks = [tick for tick in candidates if min(xs) <= tick <= max(xs)] or [min(xs)]
        marks = marks[:: max(1, math.ceil(len(marks) / 6))]
    else:
        marks = sorted(set(xs))
    forward = math.log10 if logarithmic else float
    ticks = [_TICK.format(x_at(forward(tick)), HEIGHT - 16, f"{tick:g}") for tick in marks]
    return [*ticks, _TICK.format((_LEFT + _RIGHT) / 2, HEIGHT - 1, x_name)]


def _names(series: Sequence[Series], top: float, x_at: Callable[[float], float]) -> list[Markup]:
    """Names at the right edge, in the order of the last values, none over another."""
    ordered = sorted(series, key=lambda line: -line.ys[-1].mean)
    heights: list[float] = []
    for line in ordered:
        wanted = _down(line.ys[-1].mean, top)
        heights.append(max(wanted, heights[-1] + _LINE) if heights else wanted)
    over = max(0.0, heights[-1] - (HEIGHT - _BOTTOM)) if heights else 0.0
    parts = []
    for line, height in zip(ordered, heights, strict=True):
        y = round(height - over, 1)
        last = [*line.xs, *line.ends][-1]
        parts.append(_line(x_at(last), _down(line.ys[-1].mean, top), _RIGHT + 1.5, y, "leader"))
        parts.append(
            Markup('<text class="name {}" x="{}%" y="{}">{}</text>').format(
                line.kind, _RIGHT + 2, y + 4, line.name
            )
        )
    return parts
