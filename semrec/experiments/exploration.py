"""Exploration of a list: the order of its tail is drawn (Plackett-Luce), with known propensities.

The items stay those of the list. Each next one is drawn from those that are left, with weights
exp(score / temperature); scores are divided by the spread of the tail, so that a temperature means
the same for every list.

Source: Plackett 1975, doi:10.2307/2346567; drawn by Gumbel noise, as Yellott 1977,
doi:10.1016/0022-2496(77)90026-8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Order = NDArray[np.int64]


def utilities(scores: Values) -> Values:
    """(…, n) scores, less the best and divided by the spread of each list: 0 to -1.

    A tail whose scores rise somewhere (a diversified list) is taken as it is: what has the better
    score is the more probable.

    Examples:
        >>> utilities(np.array([3.0, 2.0, 1.0])).tolist()
        [0.0, -0.5, -1.0]
        >>> utilities(np.array([2.0, 2.0])).tolist()
        [0.0, 0.0]
    """
    best = scores.max(axis=-1, keepdims=True)
    spread = best - scores.min(axis=-1, keepdims=True)
    scaled: Values = (scores - best) / np.where(spread > 0, spread, 1.0)
    return scaled


def draw_order(scores: Values, temperature: float, rng: np.random.Generator) -> Order:
    """(…, n) an order of each list's items: indices into `scores`.

    Args:
        scores: (…, n).
        temperature: Above 0; the smaller, the nearer to the order of the scores.
        rng: Draws it.
    """
    noisy = utilities(scores) / temperature + rng.gumbel(size=scores.shape)
    return np.argsort(-noisy, axis=-1)


def propensities(ordered: Values, temperature: float) -> Values:
    """(…, n): how probable each item was at its position, given those before it.

    Their product is the probability of the order.

    Args:
        ordered: (…, n) scores in the order that was drawn.
        temperature: Of the draw; 0: the best of those that are left, ties at even odds.

    Examples:
        >>> propensities(np.array([1.0, 0.0]), temperature=1.0).round(3).tolist()
        [0.731, 1.0]
        >>> propensities(np.array([0.0, 1.0]), temperature=0.0).tolist()
        [0.0, 1.0]
    """
    scaled = utilities(ordered)
    if temperature == 0:
        best = np.maximum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
        n_best = _ties(scaled)
        return np.where(scaled == best, 1.0 / n_best, 0.0)
    logits = scaled / temperature
    left = np.logaddexp.accumulate(logits[..., ::-1], axis=-1)[..., ::-1]
    drawn: Values = np.exp(logits - left)
    return drawn


def _ties(scaled: Values) -> Values:
    """(…, n): how many of an item and those behind it have its value."""
    equal = scaled[..., :, None] == scaled[..., None, :]
    counts: Values = np.triu(equal).sum(axis=-1).astype(np.float64)
    return counts
