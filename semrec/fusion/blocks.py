"""Fusion as one search: [semantic ; behavioural ; popularity] against a weighted query.

Raw scores of different models can't be added: cosines of a language model crowd in a narrow band,
factorisations have a scale of their own. So every block is centred over the catalogue, and every
query vector q is divided by √(qᵀ C q), the standard deviation of its scores over the catalogue
(C is the block's covariance). Each signal then has mean 0 and deviation 1 for every query, the
weights mean what they say, and it is still one inner product: one index serves all weights.

Beside the dense behavioural scores may stand sparse ones, of the session's neighbours. They too are
divided by their deviation over the catalogue, and reach the index as a boost of a few rows: the
index's best and those rows are scored by the same exact sum.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from semrec.fusion.gate import Gate, Weights
from semrec.protocols import SparseModel, VectorModel
from semrec.types import NO_BOOST, BoolArray, Boost, FloatArray, FusedQuery, SessionRows

SILENT = 1e-6  # a deviation below this says nothing; scaling it up would amplify rounding


@dataclass(frozen=True, kw_only=True)
class Block:
    """One signal's item vectors, centred, and how its scores spread.

    Attributes:
        vectors: (n_items, dim) float32, centred; zeros where an item has no such signal.
        covariance: (dim, dim) float32 over the items that have it.
    """

    vectors: FloatArray
    covariance: FloatArray

    def standardised(self, query: FloatArray) -> FloatArray:
        """(dim,) float32: `query` scaled so that its scores deviate by 1; zeros if they don't."""
        deviation = float(np.sqrt(max(float(query @ self.covariance @ query), 0.0)))
        if deviation < SILENT * max(float(np.linalg.norm(query)), 1e-12) or deviation == 0.0:
            return np.zeros(len(query), dtype=np.float32)
        return np.asarray(query / deviation, dtype=np.float32)


def fit_block(vectors: FloatArray, present: BoolArray) -> Block:
    """Centre `vectors`, (n_items, dim), by the mean over the `present` rows; zero the others."""
    dim = vectors.shape[1]
    if not present.any():
        return Block(vectors=np.zeros_like(vectors), covariance=np.zeros((dim, dim), np.float32))
    centred = (vectors - vectors[present].mean(axis=0)).astype(np.float32)
    centred[~present] = 0.0
    covariance = (centred.T @ centred) / np.float32(present.sum())
    return Block(vectors=centred, covariance=covariance.astype(np.float32))


def standardised_popularity(counts: FloatArray) -> FloatArray:
    """(n_items,) float32: log(1 + count), mean 0 and deviation 1 over the items with events."""
    logs = np.log1p(counts.astype(np.float64))
    seen = counts > 0
    if not seen.any() or logs[seen].std() < SILENT:  # equal counts differ by rounding
        return np.zeros(len(counts), dtype=np.float32)
    return np.asarray((logs - logs[seen].mean()) / logs[seen].std(), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class FusedBlocks:
    """All three signals.

    Attributes:
        semantic: The items' texts.
        behavioural: The behavioural model's items, cold ones filled from their text.
        popularity: (n_items,) float32, standardised, cold items filled from their text.
        behaviour: Gives the session's behavioural vector.
        gate: Gives the weights.
        decay: An event's pull on the semantic query falls by this factor with every newer one.
        neighbours: Gives the session's neighbours, or None.
    """

    semantic: Block
    behavioural: Block
    popularity: FloatArray
    behaviour: VectorModel
    gate: Gate
    decay: float
    neighbours: SparseModel | None = None

    def items(self) -> FloatArray:
        """(n_items, dim) float32: the three blocks side by side."""
        blocks = [self.semantic.vectors, self.behavioural.vectors, self.popularity[:, None]]
        return np.hstack(blocks).astype(np.float32)

    def signals(
        self, intent: FloatArray | None, session: SessionRows
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The words', the session texts' and the behavioural query vector, each standardised."""
        words = np.zeros(self.semantic.vectors.shape[1], dtype=np.float32)
        texts, behaviour = words, self.behaviour.session_vector(session)
        if intent is not None:
            words = self.semantic.standardised(intent)
        if len(session):
            pulled = self.semantic.vectors[session.rows].T @ session.recency(self.decay)
            texts = self.semantic.standardised(pulled)
            behaviour = self.behavioural.standardised(behaviour)
        return words, texts, behaviour

    def nearest(self, session: SessionRows) -> Boost:
        """The session's neighbours, standardised."""
        return _standardised_boost(self.neighbours, session)

    def query(
        self, intent: FloatArray | None, session: SessionRows, semantic_weight: float | None
    ) -> FusedQuery:
        """What is asked of the index, and the weights that made it.

        Args:
            intent: (dim,) float32, the words' vector; None without words.
            session: What was done before.
            semantic_weight: Asked for, or None: the gate decides.
        """
        words, texts, behaviour = self.signals(intent, session)
        near = self.nearest(session)
        has_words, has_texts = bool(words.any()), bool(texts.any())
        if not has_words and not has_texts:
            semantic_weight = 0.0
        weights = self.gate.weights(
            has_words=has_words,
            has_session=has_texts or bool(behaviour.any()) or bool(len(near.rows)),
            semantic_weight=semantic_weight,
        )
        semantic = self.mix(words, texts, weights.intent_share)
        return _joined(semantic, behaviour, near, weights)

    def mix(self, words: FloatArray, texts: FloatArray, intent_share: float) -> FloatArray:
        """(dim,) float32: words and session texts as one standardised semantic query."""
        if not words.any() or not texts.any():
            return words + texts
        return self.semantic.standardised(intent_share * words + (1 - intent_share) * texts)


@dataclass(frozen=True, kw_only=True)
class BehaviouralBlocks:
    """The baseline's two signals: no words, no texts, nothing filled from text.

    Attributes:
        behavioural: The behavioural model's items as they are.
        popularity: (n_items,) float32, standardised counts of interactions.
        behaviour: Gives the session's behavioural vector.
        gate: Gives the weights; only its `baseline` is used.
        neighbours: Gives the session's neighbours, or None.
    """

    behavioural: Block
    popularity: FloatArray
    behaviour: VectorModel
    gate: Gate
    neighbours: SparseModel | None = None

    def items(self) -> FloatArray:
        """(n_items, dim) float32: the two blocks side by side."""
        blocks = [self.behavioural.vectors, self.popularity[:, None]]
        return np.hstack(blocks).astype(np.float32)

    def query(
        self,
        intent: FloatArray | None,  # noqa: ARG002 (the baseline ignores words)
        session: SessionRows,
        semantic_weight: float | None,  # noqa: ARG002 (and has no semantic weight)
    ) -> FusedQuery:
        """What is asked of the index, and the weights that made it."""
        behaviour = self.behavioural.standardised(self.behaviour.session_vector(session))
        near = _standardised_boost(self.neighbours, session)
        has_session = bool(behaviour.any()) or bool(len(near.rows))
        weights = self.gate.weights(has_words=False, has_session=has_session, semantic_weight=0.0)
        return _joined(behaviour[:0], behaviour, near, weights)


def _standardised_boost(model: SparseModel | None, session: SessionRows) -> Boost:
    """The neighbours' scores over their deviation among the seen items; none if that is 0."""
    if model is None or not model.n_seen:
        return NO_BOOST
    near = model.nearest(session)
    squares = float(np.square(near.scores, dtype=np.float64).sum())
    mean = float(near.scores.sum(dtype=np.float64)) / model.n_seen
    variance = squares / model.n_seen - mean**2
    if variance <= SILENT * squares:
        return NO_BOOST
    return Boost(rows=near.rows, scores=(near.scores / np.sqrt(variance)).astype(np.float32))


def _joined(
    semantic: FloatArray, behaviour: FloatArray, near: Boost, weights: Weights
) -> FusedQuery:
    if not len(near.rows):
        weights = replace(weights, neighbour_share=0.0)  # the vectors speak alone
    share = weights.neighbour_share
    parts = (
        weights.semantic * semantic,
        weights.behavioural * (1 - share) * behaviour,
        np.asarray([weights.popularity]),
    )
    pull = np.float32(weights.behavioural * share)
    return FusedQuery(
        vector=np.concatenate(parts).astype(np.float32),
        boost=Boost(rows=near.rows, scores=pull * near.scores) if pull > 0 else NO_BOOST,
        weights=asdict(weights),
    )
