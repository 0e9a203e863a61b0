"""Pictures of what was measured, where matplotlib is installed (extra `plots`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PANELS = (
    ("request, ms", "ms"),
    ("memory beyond the encoder, MB", "mb"),
    ("recall@100 of exact", "recall"),
)


def plot_scale(measured: Mapping[str, Any], path: Path) -> bool:
    """Draw what `scale` gave over the number of items; False without matplotlib.

    Args:
        measured: What `scale` gave.
        path: A PNG file.
    """
    try:
        from matplotlib.figure import Figure  # no window, no global state
    except ImportError:
        return False
    rows = measured["sizes"]
    items = [row["items"] for row in rows]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    panels = dict(zip((name for _, name in PANELS), figure.subplots(1, len(PANELS)), strict=True))
    for percentile in rows[0]["ms"]["total"]:
        values = [row["ms"]["total"][percentile] for row in rows]
        panels["ms"].plot(items, values, marker="o", label=percentile)
    if rows[0]["resident_after_mb"] is not None:
        values = [row["resident_after_mb"] for row in rows]
        panels["mb"].plot(items, values, marker="o", label="after all requests")
    for weight in rows[0]["recall@100"]:
        values = [row["recall@100"][weight] for row in rows]
        panels["recall"].plot(items, values, marker="o", label=f"semantic weight {weight}")
    for title, name in PANELS:
        panels[name].set(title=title, xscale="log", xlabel="items")
        panels[name].set_ylim(bottom=0.5 if name == "recall" else 0)
        if panels[name].lines:
            panels[name].legend()
    figure.savefig(path, dpi=120)
    return True
