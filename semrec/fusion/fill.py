"""From text to behaviour: what an item without events would look like if it had some.

A ridge regression from an item's semantic vector to its behavioural vector and popularity, fitted
on the items that have both (as in Gantner et al. 2010, doi:10.1109/ICDM.2010.129). Without it a
cold item's behavioural score is zero and it is buried.
"""

from __future__ import annotations

import numpy as np

from semrec.types import BoolArray, FloatArray

RIDGES = (0.1, 1.0, 10.0, 100.0)
HELD_OUT_EVERY = 5


def impute_from_text(
    texts: FloatArray, targets: FloatArray, known: BoolArray
) -> tuple[FloatArray, FloatArray | None]:
    """`targets` with the rows that aren't `known` predicted from `texts`, and what predicts them.

    The ridge is the one that predicts every fifth known row best from the others.

    Args:
        texts: (n_items, d) float32, centred; zeros where an item has no text.
        targets: (n_items, t) float32.
        known: (n_items,) bool: rows whose target is real.

    Returns:
        (n_items, t) float32, where rows that are neither known nor have text are zero; and
        (d, t) float32, or None if too few rows are known to conclude from.
    """
    has_text = texts.any(axis=1)
    usable = np.flatnonzero(known & has_text)
    filled = np.where(known[:, None], targets, 0).astype(np.float32)
    unknown = ~known & has_text
    if len(usable) < 2 * HELD_OUT_EVERY:
        return filled, None
    held_out = np.arange(len(usable)) % HELD_OUT_EVERY == 0
    fit, check = usable[~held_out], usable[held_out]

    def error(ridge: float) -> float:
        predicted = texts[check] @ _ridge(texts[fit], targets[fit], ridge)
        return float(np.square(predicted - targets[check]).mean())

    best = min(RIDGES, key=error)
    text_map = _ridge(texts[usable], targets[usable], best)
    filled[unknown] = texts[unknown] @ text_map
    return filled, text_map


def _ridge(inputs: FloatArray, outputs: FloatArray, ridge: float) -> FloatArray:
    """(d, t) float32: weights that map `inputs` to `outputs`."""
    gram = inputs.T.astype(np.float64) @ inputs
    gram[np.diag_indices_from(gram)] += ridge
    return np.linalg.solve(gram, inputs.T.astype(np.float64) @ outputs).astype(np.float32)
