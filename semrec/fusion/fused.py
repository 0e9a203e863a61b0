"""All signals in one query vector: words and session, texts and behaviour, popularity, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from semrec.fusion.blocks import Block, joined, standardised_boost
from semrec.fusion.gate import Evidence, Gate
from semrec.fusion.prototypes import Prototypes
from semrec.protocols import SparseModel, VectorModel
from semrec.types import Boost, FloatArray, FusedQuery, Label, RowArray, SessionRows

# How much a named label's prototype counts beside the words themselves and beside the session.
# Picked on `iard_train` with the encoder untrained; what else was tried is in LOG.md.
NAMED_IN_WORDS, NAMED_IN_BEHAVIOUR = 0.5, 1.0
N_COUNTED = 2  # columns behind the blocks: popularity and domain


@dataclass(frozen=True, kw_only=True)
class Signals:
    """A query's vector in each block, each standardised; zeros where it has none.

    Attributes:
        words: (semantic dim,) float32, with what the labels that they name look like.
        texts: (semantic dim,) float32, the mean of the session items' texts.
        behaviour: (behavioural dim,) float32: the session, and who likes what the words name.
        near: The session's neighbours.
        has_session: Whether the session says anything.
    """

    words: FloatArray
    texts: FloatArray
    behaviour: FloatArray
    near: Boost
    has_session: bool

    @property
    def has_words(self) -> bool:
        """Whether the words say anything."""
        return bool(self.words.any())


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
        prototypes: What items with a label look like; None: labels in the words are words.
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
    prototypes: Prototypes | None = None

    @property
    def dim(self) -> int:
        """Length of a fused vector."""
        return len(self.semantic.mean) + len(self.behavioural.mean) + N_COUNTED

    def items(self) -> FloatArray:
        """(n_items, dim) float32: the blocks side by side."""
        counted = [self.popularity[:, None], self.domain[:, None]]
        return np.hstack([self.semantic.vectors, self.behavioural.vectors, *counted]).astype(
            np.float32
        )

    def signals(
        self,
        intent: FloatArray | None,
        session: SessionRows,
        named: Sequence[Label] = (),
        *,
        behaviour_of_named: bool = True,
    ) -> Signals:
        """What the query says in each block.

        Args:
            intent: (dim,) float32, the words' vector; None without words.
            session: What was done before.
            named: Labels that the words name; they pull only where there are words.
            behaviour_of_named: Whether they pull in the behavioural block too.
        """
        words = np.zeros(self.semantic.vectors.shape[1], dtype=np.float32)
        known = session.below(len(self.behaviour.item_vectors))  # items may have been added since
        texts, behaviour = words, self.behaviour.session_vector(known)
        if intent is not None:
            words = self.semantic.standardised(intent)
        if len(session):
            pulled = self.semantic.vectors[session.rows].T @ session.recency(self.decay)
            texts = self.semantic.standardised(pulled)
            behaviour = self.behavioural.standardised(behaviour)
        near = standardised_boost(self.neighbours, known)
        has_session = bool(texts.any() or behaviour.any() or len(near.rows))
        if self.prototypes is not None and words.any() and (rows := self.prototypes.known(named)):
            strength = np.float32(self.prototypes.strength)
            look = self.semantic.standardised(self.prototypes.semantic[rows].sum(axis=0))
            words = self.semantic.standardised(words + NAMED_IN_WORDS * strength * look)
            if behaviour_of_named:
                liked = self.behavioural.standardised(self.prototypes.behavioural[rows].sum(axis=0))
                behaviour = self.behavioural.standardised(
                    behaviour + NAMED_IN_BEHAVIOUR * strength * liked
                )
        return Signals(
            words=words, texts=texts, behaviour=behaviour, near=near, has_session=has_session
        )

    def evidence(self, signals: Signals, session: SessionRows, n_words: int) -> Evidence:
        """What the gate goes by; all of it known before the search."""
        words, texts = signals.words, signals.texts
        said = words if words.any() else texts
        agreement, warmth = 0.0, 0.0
        if said.any():
            agreement = float(said @ self.shared @ signals.behaviour)
            warmth = float(said @ self.warmth)
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
        named: Sequence[Label] = (),
    ) -> FusedQuery:
        """What is asked of the index, and the weights that made it.

        Args:
            intent: (dim,) float32, the words' vector; None without words.
            session: What was done before.
            semantic_weight: Asked for, or None: the gate decides. Behaviour then is the session's
                alone, as in the baseline.
            n_words: How many words there are.
            named: Labels that the words name.
        """
        is_free = semantic_weight is None
        signals = self.signals(intent, session, named, behaviour_of_named=is_free)
        if not signals.has_words and not signals.texts.any():
            semantic_weight = 0.0
        evidence = self.evidence(signals, session, n_words)
        weights = self.gate.weights(evidence, semantic_weight)
        semantic = self.mix(signals.words, signals.texts, weights.intent_share)
        asked = joined(
            [semantic], signals.behaviour, signals.near, weights, [weights.domain], evidence
        )
        if is_free and (evidence.has_words or evidence.has_session):
            values = partial(self.values, signals, session)
            asked = replace(asked, kind=evidence.kind, values=values)
        return asked

    def values(self, signals: Signals, session: SessionRows, rows: RowArray) -> FloatArray:
        """(len(rows), 9) float32: what each signal says of each of `rows`, before any weight.

        Words, session texts, behavioural, neighbours, popularity, domain; then cosines: of the
        session's closest text, its closest item in behaviour, and its newest one in behaviour.
        """
        texts, behaviour = self.semantic.vectors[rows], self.behavioural.vectors[rows]
        close = np.zeros((len(rows), 3), dtype=np.float32)
        if len(session):
            alike = _unit(behaviour) @ _unit(self.behavioural.vectors[session.rows]).T
            near = _unit(texts) @ _unit(self.semantic.vectors[session.rows]).T
            close = np.column_stack([near.max(axis=1), alike.max(axis=1), alike[:, -1]])
        return np.column_stack(
            [
                texts @ np.column_stack([signals.words, signals.texts]),
                behaviour @ signals.behaviour,
                signals.near.at(rows),
                self.popularity[rows],
                self.domain[rows],
                close,
            ]
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
    def shared(self) -> FloatArray:
        """(semantic dim, behavioural dim) float32: covariance between the two blocks."""
        shared = self.semantic.vectors.T @ self.behavioural.vectors
        return np.asarray(shared / max(1, len(self.popularity)), dtype=np.float32)

    @cached_property
    def warmth(self) -> FloatArray:
        """(semantic dim,) float32: covariance of the semantic block with popularity."""
        shared = self.semantic.vectors.T @ self.popularity
        return np.asarray(shared / max(1, len(self.popularity)), dtype=np.float32)


def _unit(vectors: FloatArray) -> FloatArray:
    """(n, dim) float32: rows of length 1; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
