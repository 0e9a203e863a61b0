"""Fusion as one search: [semantic ; behavioural ; popularity ; domain] against a weighted query.

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

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from semrec.fusion.gate import Evidence, Gate, Weights
from semrec.protocols import SparseModel, VectorModel
from semrec.types import NO_BOOST, BoolArray, Boost, FloatArray, FusedQuery, SessionRows

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


@dataclass(frozen=True, kw_only=True)
class Signals:
    """A query's vector in each block, each standardised; zeros where it has none.

    Attributes:
        words: (semantic dim,) float32.
        texts: (semantic dim,) float32, the mean of the session items' texts.
        behaviour: (behavioural dim,) float32.
        near: The session's neighbours.
    """

    words: FloatArray
    texts: FloatArray
    behaviour: FloatArray
    near: Boost

    @property
    def has_words(self) -> bool:
        """Whether the words say anything."""
        return bool(self.words.any())

    @property
    def has_session(self) -> bool:
        """Whether the session says anything."""
        return bool(self.texts.any()) or bool(self.behaviour.any()) or bool(len(self.near.rows))


@dataclass(frozen=True, kw_only=True)
class FusedBlocks:
    """All signals.

    Attributes:
        semantic: The items' texts.
        behavioural: The behavioural model's items, cold ones filled from their text.
        popularity: (n_items,) float32, standardised, cold items filled from their text.
        domain: (n_items,) float32, standardised popularity in training requests; zeros without.
        behaviour: Gives the session's behavioural vector.
        gate: Gives the weights.
        decay: An event's pull on the semantic query falls by this factor with every newer one.
        neighbours: Gives the session's neighbours, or None.
        text_map: (semantic dim, behavioural dim + 1) float32, from a text to what stands in for
            behaviour and popularity of an item that nobody has touched; None: nothing does.
    """

    semantic: Block
    behavioural: Block
    popularity: FloatArray
    domain: FloatArray
    behaviour: VectorModel
    gate: Gate
    decay: float
    neighbours: SparseModel | None = None
    text_map: FloatArray | None = None

    def items(self) -> FloatArray:
        """(n_items, dim) float32: the blocks side by side."""
        counted = [self.popularity[:, None], self.domain[:, None]]
        return np.hstack([self.semantic.vectors, self.behavioural.vectors, *counted]).astype(
            np.float32
        )

    def signals(self, intent: FloatArray | None, session: SessionRows) -> Signals:
        """What the query says in each block."""
        words = np.zeros(self.semantic.vectors.shape[1], dtype=np.float32)
        known = session.below(len(self.behaviour.item_vectors))  # items may have been added since
        texts, behaviour = words, self.behaviour.session_vector(known)
        if intent is not None:
            words = self.semantic.standardised(intent)
        if len(session):
            pulled = self.semantic.vectors[session.rows].T @ session.recency(self.decay)
            texts = self.semantic.standardised(pulled)
            behaviour = self.behavioural.standardised(behaviour)
        near = _standardised_boost(self.neighbours, known)
        return Signals(words=words, texts=texts, behaviour=behaviour, near=near)

    def evidence(self, signals: Signals, session: SessionRows, n_words: int) -> Evidence:
        """What the gate goes by; all of it known before the search."""
        words, texts = signals.words, signals.texts
        said = words if words.any() else texts
        agreement, warmth = 0.0, 0.0
        if said.any():
            agreement = float(said @ self._shared @ signals.behaviour)
            warmth = float(said @ self._warmth)
        known = self.popularity[session.rows].mean() if len(session) else 0.0
        return Evidence(
            has_words=signals.has_words,
            has_session=signals.has_session,
            intent_words=float(np.log1p(n_words)),
            session_length=float(np.log1p(len(session))),
            agreement=agreement,
            words_warmth=warmth,
            session_warmth=float(known),
        )

    def query(
        self,
        intent: FloatArray | None,
        session: SessionRows,
        semantic_weight: float | None,
        n_words: int = 0,
    ) -> FusedQuery:
        """What is asked of the index, and the weights that made it.

        Args:
            intent: (dim,) float32, the words' vector; None without words.
            session: What was done before.
            semantic_weight: Asked for, or None: the gate decides.
            n_words: How many words there are.
        """
        signals = self.signals(intent, session)
        if not signals.has_words and not signals.texts.any():
            semantic_weight = 0.0
        evidence = self.evidence(signals, session, n_words)
        weights = self.gate.weights(evidence, semantic_weight)
        semantic = self.mix(signals.words, signals.texts, weights.intent_share)
        return _joined(
            [semantic], signals.behaviour, signals.near, weights, [weights.domain], evidence
        )

    def with_items(self, texts: FloatArray | None, n: int) -> tuple[FusedBlocks, FloatArray]:
        """The same with `n` more items that nobody has touched, and their rows for the index.

        Args:
            texts: (n, semantic dim) float32 as the encoder gives them, zeros without a text.
            n: How many.
        """
        if texts is None:
            texts = np.zeros((n, self.semantic.vectors.shape[1]), dtype=np.float32)
        centred = np.where(texts.any(axis=1, keepdims=True), texts - self.semantic.mean, 0)
        filled = np.zeros((n, self.behavioural.vectors.shape[1] + 1), dtype=np.float32)
        if self.text_map is not None:
            filled = centred @ self.text_map
        never = self.domain.min() if len(self.domain) else 0.0  # as all that no request got
        domain = np.full((n, 1), never)
        grown = replace(
            self,
            semantic=self.semantic.with_rows(centred.astype(np.float32)),
            behavioural=self.behavioural.with_rows(filled[:, :-1]),
            popularity=np.append(self.popularity, filled[:, -1]).astype(np.float32),
            domain=np.append(self.domain, domain).astype(np.float32),
        )
        return grown, np.hstack([centred, filled, domain]).astype(np.float32)

    def mix(self, words: FloatArray, texts: FloatArray, intent_share: float) -> FloatArray:
        """(dim,) float32: words and session texts as one standardised semantic query."""
        if not words.any() or not texts.any():
            return words + texts
        return self.semantic.standardised(intent_share * words + (1 - intent_share) * texts)

    @cached_property
    def _shared(self) -> FloatArray:
        """(semantic dim, behavioural dim) float32: covariance between the two blocks."""
        shared = self.semantic.vectors.T @ self.behavioural.vectors
        return np.asarray(shared / max(1, len(self.popularity)), dtype=np.float32)

    @cached_property
    def _warmth(self) -> FloatArray:
        """(semantic dim,) float32: covariance of the semantic block with popularity."""
        shared = self.semantic.vectors.T @ self.popularity
        return np.asarray(shared / max(1, len(self.popularity)), dtype=np.float32)


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
        n_words: int = 0,  # noqa: ARG002
    ) -> FusedQuery:
        """What is asked of the index, and the weights that made it."""
        known = session.below(len(self.behaviour.item_vectors))
        behaviour = self.behavioural.standardised(self.behaviour.session_vector(known))
        near = _standardised_boost(self.neighbours, known)
        evidence = Evidence(
            has_words=False,
            has_session=bool(behaviour.any()) or bool(len(near.rows)),
            session_length=float(np.log1p(len(session))),
        )
        weights = self.gate.weights(evidence, 0.0)
        return _joined([], behaviour, near, weights, [], evidence)

    def with_items(
        self,
        texts: FloatArray | None,  # noqa: ARG002 (the baseline reads no texts)
        n: int,
    ) -> tuple[BehaviouralBlocks, FloatArray]:
        """The same with `n` more items that nobody has touched, and their rows for the index."""
        nothing = np.zeros((n, self.behavioural.vectors.shape[1]), dtype=np.float32)
        grown = replace(
            self,
            behavioural=self.behavioural.with_rows(nothing),
            popularity=np.append(self.popularity, np.zeros(n)).astype(np.float32),
        )
        return grown, np.hstack([nothing, np.zeros((n, 1), np.float32)])


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
    semantic: Sequence[FloatArray],
    behaviour: FloatArray,
    near: Boost,
    weights: Weights,
    domain: Sequence[float],
    evidence: Evidence,
) -> FusedQuery:
    if not len(near.rows):
        weights = replace(weights, neighbour_share=0.0)  # the vectors speak alone
    share = weights.neighbour_share
    parts = (
        *(weights.semantic * vector for vector in semantic),
        weights.behavioural * (1 - share) * behaviour,
        np.asarray([weights.popularity, *domain]),
    )
    pull = np.float32(weights.behavioural * share)
    return FusedQuery(
        vector=np.concatenate(parts).astype(np.float32),
        boost=Boost(rows=near.rows, scores=pull * near.scores) if pull > 0 else NO_BOOST,
        weights=asdict(weights),
        evidence=evidence.to_dict(),
    )
