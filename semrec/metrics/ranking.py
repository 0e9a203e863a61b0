"""Ranking metrics from the ranks of the relevant items: pure functions, higher is better.

Definitions as in trec_eval and `ranx`: binary gains, log2 discount, the ideal list holds
min(k, n_relevant) relevant items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Ranks = Sequence[int] | NDArray[np.float64]


def ranks_of(recommended: Sequence[str], relevant: Sequence[str]) -> list[int]:
    """Ranks (from 1) at which relevant items stand in a list; a repeated item counts once.

    Examples:
        >>> ranks_of(["a", "b", "c", "b"], relevant=["b", "c", "z"])
        [2, 3]
    """
    wanted, ranks = set(relevant), []
    for rank, item_id in enumerate(recommended, start=1):
        if item_id in wanted:
            wanted.discard(item_id)
            ranks.append(rank)
    return ranks


def recall(ranks: Ranks, n_relevant: int, k: int) -> float:
    """Share of the relevant items among the first `k`.

    Args:
        ranks: Ranks of the relevant items that the list has, from 1 on.
        n_relevant: How many items are relevant, in the list or not; at least 1.
        k: Cutoff, at least 1.

    Examples:
        >>> recall([2, 30], n_relevant=4, k=10)
        0.25
    """
    return float(np.sum(np.asarray(ranks) <= k) / n_relevant)


def precision(ranks: Ranks, n_relevant: int, k: int) -> float:
    """Share of relevant items among the first `k`, or among the best list's relevant ones.

    The divisor is min(`k`, `n_relevant`), so that the best possible list has 1 where fewer than
    `k` items are relevant; trec_eval's P_k divides by `k` always.

    Examples:
        >>> precision([1, 2], n_relevant=2, k=10), precision([1, 2], n_relevant=50, k=10)
        (1.0, 0.2)
    """
    return float(np.sum(np.asarray(ranks) <= k) / min(k, n_relevant))


def hit(ranks: Ranks, n_relevant: int, k: int) -> float:  # noqa: ARG001 (one signature for all)
    """1 if any relevant item is among the first `k`, else 0.

    Examples:
        >>> hit([3], n_relevant=5, k=10), hit([30], n_relevant=5, k=10)
        (1.0, 0.0)
    """
    return float(np.any(np.asarray(ranks) <= k))


def mrr(ranks: Ranks, n_relevant: int, k: int) -> float:  # noqa: ARG001 (one signature for all)
    """1 / rank of the first relevant item among the first `k`, else 0 (Voorhees 1999, TREC-8).

    Examples:
        >>> mrr([4, 2], n_relevant=2, k=10)
        0.5
    """
    hits = [rank for rank in ranks if rank <= k]
    return float(1 / min(hits)) if hits else 0.0


def ndcg(ranks: Ranks, n_relevant: int, k: int) -> float:
    """Normalised discounted cumulative gain at `k`.

    Järvelin & Kekäläinen 2002 (doi:10.1145/582415.582418).

    Examples:
        >>> ndcg([1, 2], n_relevant=2, k=10)
        1.0
        >>> ndcg([3], n_relevant=1, k=10)  # 1 / log2(4)
        0.5
    """
    hits = np.asarray([rank for rank in ranks if rank <= k], dtype=np.float64)
    ideal = np.arange(1, min(k, n_relevant) + 1, dtype=np.float64)
    return float(np.sum(1 / np.log2(hits + 1)) / np.sum(1 / np.log2(ideal + 1)))


def average_precision(ranks: Ranks, n_relevant: int, k: int) -> float:
    """Mean over the relevant items of the precision at their ranks, 0 for those beyond `k`.

    Examples:
        >>> average_precision([1, 4], n_relevant=2, k=10)  # (1/1 + 2/4) / 2
        0.75
    """
    hits = sorted(rank for rank in ranks if rank <= k)
    return sum(n_hits / rank for n_hits, rank in enumerate(hits, start=1)) / n_relevant


METRICS: Mapping[str, Callable[[Ranks, int, int], float]] = {
    "recall": recall,
    "ndcg": ndcg,
    "mrr": mrr,
    "hit": hit,
    "map": average_precision,
    "precision": precision,
}


def scores_at(
    k: int,
    lists: Sequence[Sequence[str]],
    relevant: Sequence[Sequence[str]],
    metric: Callable[[Ranks, int, int], float] = ndcg,
) -> NDArray[np.float64]:
    """(n,): a metric at `k` of each list of item ids, by the ids that are right for it."""
    return np.array(
        [
            metric(ranks_of(items, wanted), len(set(wanted)), k)
            for items, wanted in zip(lists, relevant, strict=True)
        ]
    )
