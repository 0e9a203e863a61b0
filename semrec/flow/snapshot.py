"""A dataset as a run meets it, and how far it moved from what the champion learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.dataset import Dataset
from semrec.recommender import Recommender


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A dataset against the one that an artifact learned from.

    Attributes:
        items_gone: The share of the artifact's items that the dataset hasn't, 0 to 1.
        attributes_gone: Attributes that the artifact knows and the dataset doesn't, by name.
        popularity: Total variation between the items' shares of all events, 0 (equal) to 1.
        events: Events of the dataset over those that the artifact learned from.
    """

    items_gone: float
    attributes_gone: tuple[str, ...]
    popularity: float
    events: float


def describe_snapshot(dataset: Dataset) -> dict[str, Any]:
    """Hash, counts and schema of a dataset, as plain values.

    Returns:
        ``name``, ``hash``, ``items``, ``users``, ``events`` and ``schema``: kind by attribute.
    """
    events = dataset.positives
    return {
        "name": dataset.name,
        "hash": dataset.hash,
        "items": len(dataset.catalog),
        "users": len(events.user_ids),
        "events": len(events),
        "schema": schema_of(dataset.catalog),
    }


def schema_of(catalog: Catalog) -> dict[str, str]:
    """The kind of each attribute (``numbers``, ``labels``), by its name."""
    return {
        name: type(attribute).__name__.lower()
        for name, attribute in sorted(catalog.attributes.items())
    }


def drift_of(dataset: Dataset, champion: Recommender) -> Drift:
    """Drift of a dataset from what an artifact learned from.

    Total variation is half the sum of absolute differences of two distributions (Levin & Peres,
    Markov Chains and Mixing Times, 2nd edition, proposition 4.2).
    """
    catalog, known = dataset.catalog, champion.catalog
    rows = {item_id: row for row, item_id in enumerate(catalog.item_ids)}
    now = _shares(dataset.positives.counts)
    before = _shares(champion.interactions.counts)
    at = np.array([rows.get(item_id, -1) for item_id in known.item_ids], dtype=np.int64)
    stayed = at >= 0
    difference = np.abs(now[at[stayed]] - before[stayed]).sum()
    came = now.sum() - now[at[stayed]].sum()
    return Drift(
        items_gone=float(1 - stayed.mean()),
        attributes_gone=tuple(sorted({*schema_of(known)} - {*schema_of(catalog)})),
        popularity=float(difference + before[~stayed].sum() + came) / 2,
        events=len(dataset.positives) / max(1, len(champion.interactions)),
    )


def _shares(counts: np.ndarray) -> np.ndarray:
    """(n_items,) float64: each item's share of all events."""
    return counts.astype(np.float64) / max(1, int(counts.sum()))
