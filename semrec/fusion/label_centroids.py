"""Label centroids: the mean vectors of items with a label, in both blocks.

A request that names a label ("a comedy, something dark") without making it a limit means items
like those that have it. Their mean stands for the label in the semantic block and, for people who
like one comedy like others that needn't be called so, in the behavioural block (Rocchio's
centroids, 1971). It pulls, softly; limits are filters and nothing to do with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from semrec.data.attributes import LabelledItems
from semrec.fusion.blocks import Block
from semrec.types import BoolArray, FloatArray, Label

MAX_LABELS = 2_000  # labels, the most frequent ones
MIN_ITEMS_OF_LABEL = 5  # of a label: the mean of fewer is about these items, not about the label


@dataclass(frozen=True, kw_only=True)
class LabelCentroids:
    """One centroid per label.

    Attributes:
        labels: The labels, casefolded.
        semantic: (n_labels, semantic dim) float32; the scores of each deviate by 1.
        behavioural: (n_labels, behavioural dim) float32; the same.
        strength: How much they count: 1 as picked for an encoder that knows no requests, 0 nothing.
    """

    labels: Sequence[Label]
    semantic: FloatArray
    behavioural: FloatArray
    strength: float = 1.0

    def known(self, labels: Iterable[Label]) -> list[int]:
        """The rows of those labels that have a centroid, each once."""
        folded = dict.fromkeys((name, label.casefold()) for name, label in labels)
        return [self._places[label] for label in folded if label in self._places]

    @cached_property
    def _places(self) -> dict[Label, int]:
        return {label: place for place, label in enumerate(self.labels)}


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
    some = labelled.pairs[kept]
    return LabelCentroids(
        labels=tuple(labelled.labels[row] for row in kept),
        semantic=_means(some, semantic),
        behavioural=_means(some.multiply(seen[None, :]).tocsr(), behavioural),
    )


def _means(pairs: sp.csr_matrix, block: Block) -> FloatArray:
    """(n_labels, dim) float32: means of the labels' items, standardised; zeros if nothing."""
    counts = np.maximum(np.diff(pairs.indptr), 1)
    means = np.asarray(pairs @ block.vectors, dtype=np.float32) / counts[:, None]
    found = np.zeros_like(means, dtype=np.float32)
    for row, mean in enumerate(means):
        found[row] = block.standardised(mean.astype(np.float32))
    return found
