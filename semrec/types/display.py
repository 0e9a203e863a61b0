"""Values as people see them: a list as HTML in notebooks, short reprs everywhere."""

from __future__ import annotations

from dataclasses import MISSING, fields
from html import escape
from typing import TYPE_CHECKING, Any

from semrec.errors import SHORT

if TYPE_CHECKING:
    from semrec.types import Recommendations

SIGNALS = ("semantic", "behavioural", "popularity", "domain")


def as_html(recommendations: Recommendations) -> str:
    """The list as a table; below it what weighed how much, the time, and the notes."""
    rows = "".join(
        f"<tr><td>{item.rank}</td><td style='text-align: left'>{escape(item.title)}</td>"
        f"<td>{escape(item.item_id)}</td><td>{item.score:.3f}</td></tr>"
        for item in recommendations.items
    )
    head = "<th></th><th style='text-align: left'>title</th><th>item_id</th><th>score</th>"
    trace = recommendations.trace
    weights = [f"{name} {trace.weights[name]:.2f}" for name in SIGNALS if trace.weights.get(name)]
    footer = [", ".join(weights)] if weights else []
    if "total" in trace.timings_ms:
        footer.append(f"{trace.timings_ms['total']:.0f} ms")
    footer += [escape(note) for note in trace.notes]
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<small>{'; '.join(footer)}</small>"
    )


def short_repr(self: Any) -> str:  # noqa: ANN401 (any dataclass)
    """A dataclass's fields that aren't as they come, each in a few words."""
    given = []
    for field in fields(self):
        value, usual = getattr(self, field.name), field.default
        if field.default_factory is not MISSING:
            usual = field.default_factory()
        if usual is MISSING or value != usual:
            given.append(f"{field.name}={SHORT.repr(value)}")
    return f"{type(self).__name__}({', '.join(given)})"
