"""Conditional logit (McFadden 1974): which candidate of a list is chosen, by what each is like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from semrec.types import BoolArray, FloatArray

MOST_STEPS = 200


def conditional_logit(lists: Sequence[tuple[FloatArray, BoolArray]], penalty: float) -> FloatArray:
    """(width,) float32: weights under which what was right is likely to lead its list.

    The softmax of a list's scores is to be even over what was right in it; only differences within
    a list count, so there is no intercept.

    Args:
        lists: For each the candidates, (n, width), and which of them were right, (n,); lists
            with nothing right, or nothing wrong, teach nothing.
        penalty: Of the squared weights (Hoerl & Kennard 1970), beside the mean loss of a list;
            each feature counts in its own deviations.
    """
    teaching = [(states, right) for states, right in lists if right.any() and not right.all()]
    width = lists[0][0].shape[1] if lists else 0
    if not teaching:
        return np.zeros(width, dtype=np.float32)
    states = np.concatenate([one for one, _ in teaching])
    deviations = np.maximum(states.std(axis=0), 1e-6)
    features = (states - states.mean(axis=0)) / deviations
    starts = np.cumsum([0, *(len(right) for _, right in teaching[:-1])])
    wanted = np.concatenate([right / right.sum() for _, right in teaching])
    owner = np.repeat(np.arange(len(starts)), [len(right) for _, right in teaching])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = (features @ weights.astype(np.float32)).astype(np.float64)
        scores -= np.maximum.reduceat(scores, starts)[owner]
        scores -= np.log(np.add.reduceat(np.exp(scores), starts))[owner]
        off = ((np.exp(scores) - wanted) / len(starts)).astype(np.float32)
        total = -(wanted * scores).sum() / len(starts) + penalty * (weights**2).sum()
        return float(total), features.T @ off + 2 * penalty * weights

    found = minimize(
        loss, np.zeros(width), jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}
    )
    return np.asarray(found.x / deviations, dtype=np.float32)
