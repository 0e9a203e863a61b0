"""Fits the blocks: centred item vectors, what text says of behaviour, and label centroids.

An item without events has no behaviour, its score would be zero and it would be buried. So a ridge
regression from semantic vectors to behavioural ones and popularity, fitted on the items that have
both, fills the gap (Gantner et al. 2010, doi:10.1109/ICDM.2010.129).

A request that names a label ("a comedy, something dark") without making it a limit means items
like those that have it. Their mean stands for the label in the semantic block and, for people who
like one comedy like others that needn't be called so, in the behavioural block (Rocchio's
centroids, 1971). It pulls, softly; limits are filters and nothing to do with it.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from semrec.data.attributes import LabelledItems
from semrec.fusion.blocks import SILENT, Block, LabelCentroids
from semrec.types import BoolArray, FloatArray

RIDGES = (0.1, 1.0, 10.0, 100.0)
HELD_OUT_EVERY = 5
MAX_LABELS = 2_000  # labels, the most frequent ones
MIN_ITEMS_OF_LABEL = 5  # of a label: the mean of fewer is about these items, not about the label


def fit_block(vectors: FloatArray, present: BoolArray) -> Block:
    """Centre `vectors`, (n_items, dim), by the mean over the `present` rows; zero the others."""
    dim = vectors.shape[1]
    if not present.any():
        return Block(
            vectors=np.zeros_like(vectors),
            covariance=np.zeros((dim, dim), np.float32),
            mean=np.zeros(dim, np.float32),
        )
    mean = vectors[present].mean(axis=0)
    centred = (vectors - mean).astype(np.float32)
    centred[~present] = 0.0
    covariance = (centred.T @ centred) / np.float32(present.sum())
    return Block(vectors=centred, covariance=covariance.astype(np.float32), mean=mean)


def standardised_popularity(counts: FloatArray) -> FloatArray:
    """(n_items,) float32: log(1 + count), mean 0 and deviation 1 over the items with events."""
    logs = np.log1p(counts.astype(np.float64))
    seen = counts > 0
    if not seen.any() or logs[seen].std() < SILENT:  # equal counts differ by rounding
        return np.zeros(len(counts), dtype=np.float32)
    return np.asarray((logs - logs[seen].mean()) / logs[seen].std(), dtype=np.float32)


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


def fit_label_centroids(
    labelled: LabelledItems,
    semantic: Block,
    behavioural: Block,
    seen: BoolArray,
) -> LabelCentroids:
    """The centroids of the most frequent labels.

    Args:
        labelled: Which items have which labels.
        semantic: The items' texts.
        behavioural: The items' behaviour.
        seen: (n_items,) bool: items with events; behaviour is averaged over these alone.
    """
    counts = np.diff(labelled.pairs.indptr)
    often = np.argsort(-counts, kind="stable")[:MAX_LABELS]
    kept = often[counts[often] >= MIN_ITEMS_OF_LABEL].tolist()
    frequent = labelled.pairs[kept]
    return LabelCentroids(
        labels=tuple(labelled.labels[row] for row in kept),
        semantic=_means(frequent, semantic),
        behavioural=_means(frequent.multiply(seen[None, :]).tocsr(), behavioural),
    )


def _means(pairs: sp.csr_matrix, block: Block) -> FloatArray:
    """(n_labels, dim) float32: means of the labels' items, standardised; zeros if nothing."""
    counts = np.maximum(np.diff(pairs.indptr), 1)
    means = np.asarray(pairs @ block.vectors, dtype=np.float32) / counts[:, None]
    standardised = np.zeros_like(means, dtype=np.float32)
    for row, mean in enumerate(means):
        standardised[row] = block.standardised(mean.astype(np.float32))
    return standardised
