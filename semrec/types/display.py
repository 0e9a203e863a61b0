"""Values as people see them: a list as HTML in notebooks, short reprs everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from html import escape
from typing import TYPE_CHECKING, Any

from semrec.errors import SHORT

if TYPE_CHECKING:
    from semrec.types import Recommendations

SIGNALS = ("semantic", "behavioural", "popularity", "domain")
MAX_VALUES, MAX_EVENTS = 5, 5  # of a limit, of a session
_SIGNS = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}
_BEFORE = {"none": "no ", "any": "", "all": ""}


def as_html(recommendations: Recommendations) -> str:
    """The list as a table; below it what was understood, what weighed how much, and the notes."""
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
    read = [f"{escape(name)}: {escape(said)}" for name, said in understood_lines(trace.understood)]
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<small>{'<br>'.join([*read, '; '.join(footer)])}</small>"
    )


def understood_lines(
    understood: Mapping[str, Any], titles: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """Lines that say what was understood of a request, and what wasn't: name and text of each.

        understood_lines({"filters": {"year": {"gte": 1990}}}) == [("limits", "year ≥ 1990")]

    Args:
        understood: As `Trace.understood`.
        titles: Item id → title, for the session; an id without one is shown itself.
    """
    session = {"like": list[str](), "left out": list[str]()}
    for event in understood.get("session", ()):
        of = event if isinstance(event, Mapping) else {"item_id": event}
        item_id = str(of["item_id"])
        shown = (titles or {}).get(item_id, item_id)
        session["left out" if of.get("type") == "reject" else "like"].append(shown)
    named = [str(label) for labels in understood.get("named", {}).values() for label in labels]
    limits = [_limit(name, of) for name, of in understood.get("filters", {}).items()]
    lines = {
        "searched for": [f"“{understood['intent']}”"] if understood.get("intent") else [],
        "labels": list(dict.fromkeys(named)),
        "read as": [f"“{a}” → {b}" for a, b in understood.get("interpreted", {}).items()],
        "limits": limits,
        "like": session["like"][-MAX_EVENTS:],
        "left out": session["left out"][-MAX_EVENTS:],
        "can’t check": [f"“{phrase}”" for phrase in understood.get("not_understood", ())],
    }
    return [
        (name, ("; " if name == "limits" else ", ").join(said))
        for name, said in lines.items()
        if said
    ]


def _limit(name: str, condition: Any) -> str:  # noqa: ANN401
    """A limit in signs: "genres no Horror, War", "year ≥ 1990, ≤ 1999"."""
    of = condition if isinstance(condition, Mapping) else {"any": [condition]}
    parts = [f"{_SIGNS[sign]} {value}" for sign, value in of.items() if sign in _SIGNS]
    for operator, before in _BEFORE.items():
        values = [str(value) for value in of.get(operator) or ()]
        if values:
            more = [f"{len(values) - MAX_VALUES} more"] if len(values) > MAX_VALUES else []
            joint = " and " if operator == "all" else ", "
            parts.append(before + joint.join([*values[:MAX_VALUES], *more]))
    return f"{name} {', '.join(parts)}"


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
