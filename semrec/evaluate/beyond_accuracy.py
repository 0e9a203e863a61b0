"""Metrics beyond accuracy: how much of the catalogue lists show, and of which kind.

All figures are over the first `k` items of each list; items that the catalogue doesn't have are
left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from semrec.data.attributes import labelled_items
from semrec.data.catalog import Catalog
from semrec.types import RowArray

_PAIRED = 50  # items of a list that diversity compares with one another, at most


def beyond_accuracy(
    lists: Sequence[Sequence[str]], k: int, catalog: Catalog, counts: RowArray
) -> dict[str, float]:
    """Coverage, Gini, popularity, novelty and diversity of one system's lists.

    Args:
        lists: For each case its item ids, best first.
        k: How many of them count.
        catalog: The items, and the labels that diversity goes by.
        counts: (n_items,) people per item in training.

    Returns:
        ``coverage``: share of the catalogue that was shown to anybody.
        ``gini``: inequality of how often items were shown, 0 (all alike) to 1 (one only).
        ``popularity``: mean number of people who touched a shown item in training (average
        recommendation popularity: Yin et al. 2012, arXiv 1205.6700).
        ``novelty``: mean self-information of a shown item in bits, by its share of all choices
        (Zhou et al. 2010, arXiv 0808.2670); every item counts as touched once more.
        ``diversity``: mean over lists of 1 − the mean Jaccard similarity of two items' labels
        (Ziegler et al. 2005); absent if the items have no labels.
    """
    rows = [catalog.rows(items[:k]) for items in lists]
    exposed = np.fromiter((row for ranked in rows for row in ranked), dtype=np.int64)
    if not len(exposed):
        return {"coverage": 0.0}
    exposure = np.bincount(exposed, minlength=len(catalog))
    shares = (counts + 1) / (counts.sum() + len(counts))
    figures = {
        "coverage": float((exposure > 0).mean()),
        "gini": gini(exposure),
        "popularity": float(counts[exposed].mean()),
        "novelty": float(-np.log2(shares[exposed]).mean()),
    }
    diversity = _diversity(rows, k, catalog)
    return figures if diversity is None else {**figures, "diversity": diversity}


def gini(values: NDArray[np.int64]) -> float:
    """The Gini coefficient of counts: 0 if all are alike, (n − 1) / n if one has everything."""
    ordered = np.sort(values).astype(np.float64)
    n = len(ordered)
    ranks = np.arange(1, n + 1)
    return float(((2 * ranks - n - 1) @ ordered) / (n * ordered.sum()))


def _diversity(rows: Sequence[Sequence[int]], k: int, catalog: Catalog) -> float | None:
    k = min(k, _PAIRED)
    labels = labelled_items(catalog.attributes, len(catalog)).pairs.T.tocsr()
    sizes = np.asarray(labels.sum(axis=1)).ravel()
    padded = np.full((len(rows), k), -1, dtype=np.int64)
    for i, ranked in enumerate(rows):
        padded[i, : len(ranked[:k])] = ranked[:k]
    # An item without labels is like nothing and unlike nothing: its pairs don't count.
    usable = (padded >= 0) & (sizes[padded] > 0)
    total, pairs = np.zeros(len(rows)), np.zeros(len(rows))
    for first, second in combinations(range(k), 2):  # a pair of places, over all lists at once
        both = np.flatnonzero(usable[:, first] & usable[:, second])
        item, other = padded[both, first], padded[both, second]
        common = np.asarray(labels[item].multiply(labels[other]).sum(axis=1)).ravel()
        total[both] += 1 - common / (sizes[item] + sizes[other] - common)
        pairs[both] += 1
    if not pairs.any():
        return None
    return float((total[pairs > 0] / pairs[pairs > 0]).mean())
