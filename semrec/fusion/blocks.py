"""Fusion as one search: [semantic ; behavioural ; popularity ; domain] against a weighted query.

Raw scores of different models can't be added: cosines of a language model crowd in a narrow band,
factorisations have a scale of their own. So every block is centred over the catalogue, and every
query vector q is divided by √(qᵀ C q), the standard deviation of its scores over the catalogue
(C is the block's covariance). Each signal then has mean 0 and deviation 1 for every query, the
weights mean what they say, and it is still one inner product: one index serves all weights.

Beside the dense scores stand sparse ones: of the session's neighbours, divided by their deviation
over the catalogue too, and of the words' lexical match, which isn't: how large it is says how
specific the words are. They reach the index as a boost of some rows: the index's best and those
rows are scored by the same exact sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from semrec.fusion.gate import GateFeatures, Weights
from semrec.protocols import SparseModel
from semrec.types import NO_BOOST, FloatArray, FusedQuery, Label, SessionRows, SparseScores

MAX_KINDS = 50  # labels of an attribute that says what kind an item is
SILENT = 1e-6  # a deviation below this says nothing; scaling it up would amplify rounding


@dataclass(frozen=True, kw_only=True)
class Block:
    """One signal's item vectors, centred, and how its scores spread.

    Attributes:
        vectors: (n_items, dim) float32, centred; zeros where an item has no such signal.
        covariance: (dim, dim) float32 over the items that have it.
        mean: (dim,) float32, what was taken off to centre them.
    """

    vectors: FloatArray
    covariance: FloatArray
    mean: FloatArray

    def standardised(self, query: FloatArray) -> FloatArray:
        """(dim,) float32: `query` scaled so that its scores deviate by 1; zeros if they don't."""
        deviation = float(np.sqrt(max(float(query @ self.covariance @ query), 0.0)))
        if deviation < SILENT * max(float(np.linalg.norm(query)), 1e-12) or deviation == 0.0:
            return np.zeros(len(query), dtype=np.float32)
        return np.asarray(query / deviation, dtype=np.float32)

    def with_rows(self, vectors: FloatArray) -> Block:
        """The same with more rows, centred already; how scores spread is not looked at again."""
        return replace(self, vectors=np.vstack([self.vectors, vectors]).astype(np.float32))


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
        return [self._index_of[label] for label in folded if label in self._index_of]

    def name_a_kind(self, labels: Iterable[Label]) -> bool:
        """True if one of the labels is of a small set, such as genres."""
        return any(name in self._small for name, _ in labels)

    @cached_property
    def _small(self) -> frozenset[str]:
        n_labels = Counter(name for name, _ in self.labels)
        return frozenset(name for name, n in n_labels.items() if n <= MAX_KINDS)

    @cached_property
    def _index_of(self) -> dict[Label, int]:
        return {label: index for index, label in enumerate(self.labels)}


def standardised_boost(model: SparseModel | None, session: SessionRows) -> SparseScores:
    """The neighbours' scores over their deviation among the seen items; none if that is 0."""
    if model is None or not model.n_seen:
        return NO_BOOST
    near = model.nearest(session)
    squares = float(np.square(near.scores, dtype=np.float64).sum())
    mean = float(near.scores.sum(dtype=np.float64)) / model.n_seen
    variance = squares / model.n_seen - mean**2
    if variance <= SILENT * squares:
        return NO_BOOST
    return SparseScores(rows=near.rows, scores=(near.scores / np.sqrt(variance)).astype(np.float32))


def joined(
    semantic: Sequence[FloatArray],
    behaviour: FloatArray,
    near: SparseScores,
    weights: Weights,
    domain: Sequence[float],
    evidence: GateFeatures,
    *,
    lexical: SparseScores = NO_BOOST,
) -> FusedQuery:
    """Each signal times its weight: the dense ones side by side, the sparse ones added up.

    Args:
        semantic: (dim,) float32, or nothing where there is no such block.
        behaviour: (dim,) float32, standardised.
        near: The neighbours, standardised.
        weights: Of the signals.
        domain: Its weight, or nothing where there is no such column.
        evidence: What the weights went by.
        lexical: The words' match.
    """
    if not len(near.rows):
        weights = replace(weights, neighbour_share=0.0)  # the vectors speak alone
    share = weights.neighbour_share
    parts = (
        *(weights.semantic * (1 - weights.lexical_share) * vector for vector in semantic),
        weights.behavioural * (1 - share) * behaviour,
        np.asarray([weights.popularity, *domain]),
    )
    boost = near.times(weights.behavioural * share)
    return FusedQuery(
        vector=np.concatenate(parts).astype(np.float32),
        boost=boost.plus(lexical.times(weights.semantic * weights.lexical_share)),
        weights=asdict(weights),
        evidence=evidence.to_dict(),
    )
