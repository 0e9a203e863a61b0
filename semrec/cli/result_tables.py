"""Results of commands as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from semrec.evaluate.table import Column, Table
from semrec.types import Moved, Recommendations
from semrec.types.display import understood_lines

# The demo's comparisons: its name → what was asked.
COMPARED = {
    "time_split": "the next item, by the clock",
    "cold_items": "withheld items, among all",
    "cold_items_among_themselves": "withheld items alone",
}
WEIGHTS = ("words", "lexical", "texts", "behavioural", "popularity", "domain")
MAX_RAISED = 5  # items that are said to have moved up
MAX_TITLE = 34  # characters of a title in the demo, and of its labels


def described(values: Mapping[str, Any]) -> Table:
    """A dataset in numbers."""
    rows = []
    for name, value in values.items():
        if name != "warnings" and value not in (None, ""):
            text = ", ".join(value) if isinstance(value, list) else value
            text = f"{text:,}" if isinstance(text, int) else str(text)
            rows.append((name.replace("_", " "), text))
    return Table(columns=(Column("", "{0[0]}", style="dim"), Column("", "{0[1]}")), rows=rows)


def checks(checked: Sequence[tuple[str, str, bool]]) -> Table:
    """Checks of this machine; what isn't well stands apart."""
    columns = (
        Column("", "{0[0]}", style="dim"),
        Column("", "{0[1]}"),
        Column("", "{0[2]}", style="red"),
    )
    rows = [(name, value if well else "", "" if well else value) for name, value, well in checked]
    return Table(columns=columns, rows=rows)


def list_of(answer: Recommendations) -> Table:
    """A list, each explanation below its title."""
    columns = (
        Column("rank", "{0.rank:d}"),
        Column("item_id", "{0.item_id}"),
        Column("title", "{0.title}"),
        Column("score", "{0.score:.3f}"),
    )
    rows = [
        replace(item, title=f"{item.title}\n  {item.explanation}") if item.explanation else item
        for item in answer.items
    ]
    return Table(columns=columns, rows=rows)


def raised(moved: Sequence[Moved], titles: Mapping[str, str]) -> str:
    """The first items that a diversified list has further up, with both ranks; ``""`` if none."""
    up = [of for of in moved if of.to_rank and (not of.from_rank or of.to_rank < of.from_rank)]
    return ", ".join(
        f"{titles.get(of.item_id, of.item_id)} ({of.from_rank or 'further down'} → {of.to_rank})"
        for of in up[:MAX_RAISED]
    )


def answer(entry: Mapping[str, Any]) -> Table:
    """One of the demo's lists, what the words were read as, and the weights."""
    columns = (
        Column("", "{0[rank]:d}"),
        Column("", "{0[title]}"),
        Column("", "{0[year]!s:>4}"),
        Column("", "{0[labels]}", style="dim"),
    )
    rows = [
        {
            **item,
            "title": _cut(item["title"]),
            "year": item["year"] or "",
            "labels": _cut(", ".join(item["labels"])),
        }
        for item in entry["items"]
    ]
    read = dict(understood_lines(entry["understood"]))
    parts = [f"{name}: {read[name]}" for name in ("labels", "limits") if name in read]
    note = "; ".join([*parts, weights(entry["weights"])])
    return Table(columns=columns, rows=rows, notes=[note])


def compared(results: Mapping[str, Any]) -> Table:
    """The demo's comparisons, one a row."""
    means = "{{0[means][{}]:.4f}}"
    over = "0[ratios][fused]"
    columns = (
        Column("NDCG@10, without words", "{0[about]}"),
        Column("cases", "{0[n_cases]:,}"),
        Column("behaviour", "{0[best]:.4f}"),
        Column("text", means.format("semantic-only")),
        Column("fused", means.format("fused")),
        Column(
            "× (95 %)",
            f"{{{over}[mean]:.2f}} ({{{over}[low]:.2f}}–{{{over}[high]:.2f}})",
            optional=True,
        ),
    )
    rows = []
    for name, about in COMPARED.items():
        report = results[name]
        own = {row["system"]: row["metrics"]["ndcg"]["mean"] for row in report["rows"]}
        best = own[report["behavioural_only"]]
        rows.append({**report, "about": about, "means": own, "best": best})
    note = "×: fused over behaviour alone; no difference is shown if 1 lies between"
    return Table(columns=columns, rows=rows, notes=[note])


def learned(gate: Mapping[str, Any]) -> Table:
    """A gate's weights by kind of query, each row in shares of 1."""
    rows = {kind: dict(gate[kind]) for kind in ("topical", "conversational")}
    for kind in ("session", "baseline"):
        rows[kind] = {**gate[kind], "words": 0.0, "lexical": 0.0, "texts": gate[kind]["semantic"]}
    shares = [
        {"kind": kind} | {name: row[name] / sum(row[n] for n in WEIGHTS) for name in WEIGHTS}
        for kind, row in rows.items()
    ]
    columns = [Column("weights by query", "{0[kind]}")]
    columns += [Column(name, f"{{0[{name}]:.2f}}") for name in WEIGHTS]
    return Table(columns=columns, rows=shares)


def weights(of: Mapping[str, float]) -> str:
    """A request's weights in a line."""
    names = ("semantic", "behavioural", "popularity", "domain")
    return ", ".join(f"{name} {of[name]:.2f}" for name in names if name != "domain" or of[name])


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1].rstrip()}…"
