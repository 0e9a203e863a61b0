"""Fuses a query's signals into one index vector, sparse scores beside it, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from semrec.fusion.blocks import Block, LabelCentroids, joined, standardised_boost
from semrec.fusion.gate import UNTUNED, Gate, GateFeatures
from semrec.protocols import SparseModel, VectorModel
from semrec.types import (
    NO_MATCH,
    FloatArray,
    FusedQuery,
    Label,
    LexicalMatch,
    RowArray,
    SessionRows,
    SparseScores,
)

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
        lexical: The items that share content words with the request.
        has_session: Whether the session says anything.
    """

    words: FloatArray
    texts: FloatArray
    behaviour: FloatArray
    near: SparseScores
    lexical: SparseScores
    has_session: bool

    @property
    def has_words(self) -> bool:
        """True if the words say anything."""
        return bool(self.words.any() or len(self.lexical.rows))

    @property
    def silent(self) -> frozenset[str]:
        """The signals that say nothing, by their names in a `Mix`."""
        present = {
            "words": self.words.any(),
            "lexical": len(self.lexical.rows),
            "texts": self.texts.any(),
            "behavioural": self.behaviour.any() or len(self.near.rows),
        }
        return frozenset(name for name, says in present.items() if not says)


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
        label_centroids: What items with a label look like; None: labels in the words are words.
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
    label_centroids: LabelCentroids | None = None

    @property
    def dim(self) -> int:
        """Length of a fused vector."""
        return len(self.semantic.mean) + len(self.behavioural.mean) + N_COUNTED

    @cached_property
    def has_domain(self) -> bool:
        """True if requests were learned from."""
        return bool(self.domain.any())

    def items(self, rows: RowArray | slice = slice(None)) -> FloatArray:
        """(n_items, dim) float32: the blocks side by side; of `rows` alone if they are given."""
        counted = [self.popularity[rows, None], self.domain[rows, None]]
        blocks = [self.semantic.vectors[rows], self.behavioural.vectors[rows], *counted]
        return np.hstack(blocks).astype(np.float32)

    def text_vectors(self, rows: RowArray) -> FloatArray:
        """(len(rows), semantic dim) float32: the items' texts, centred; zeros without one."""
        return self.semantic.vectors[rows]

    def signals(
        self,
        intent: FloatArray | None,
        session: SessionRows,
        named: Sequence[Label] = (),
        match: LexicalMatch = NO_MATCH,
        *,
        behaviour_of_named: bool = True,
    ) -> Signals:
        """The query's signals, block by block.

        Args:
            intent: (dim,) float32, the words' vector; None without words.
            session: What was done before.
            named: Labels that the words name; they pull only where there are words.
            match: The words, matched as words.
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
        if (
            self.label_centroids is not None
            and words.any()
            and (rows := self.label_centroids.known(named))
        ):
            strength = np.float32(self.label_centroids.strength)
            look = self.semantic.standardised(self.label_centroids.semantic[rows].sum(axis=0))
            words = self.semantic.standardised(words + NAMED_IN_WORDS * strength * look)
            if behaviour_of_named:
                liked = self.behavioural.standardised(
                    self.label_centroids.behavioural[rows].sum(axis=0)
                )
                behaviour = self.behavioural.standardised(
                    behaviour + NAMED_IN_BEHAVIOUR * strength * liked
                )
        return Signals(
            words=words,
            texts=texts,
            behaviour=behaviour,
            near=near,
            lexical=match.scores,
            has_session=has_session,
        )

    def evidence(
        self,
        signals: Signals,
        session: SessionRows,
        match: LexicalMatch,
        named: Sequence[Label] = (),
    ) -> GateFeatures:
        """The gate's features; all of them known before the search."""
        centroids = self.label_centroids
        return GateFeatures(
            has_words=signals.has_words,
            has_session=signals.has_session,
            is_spoken=match.is_spoken,
            n_words=match.n_words,
            n_known=match.n_known,
            specificity=match.specificity,
            session_length=len(session),
            is_kind=centroids is not None and centroids.name_a_kind(named),
            silent=signals.silent if self.has_domain else signals.silent | {"domain"},
        )

    def query(
        self,
        intent: FloatArray | None,
        session: SessionRows,
        semantic_weight: float | None,
        match: LexicalMatch = NO_MATCH,
        named: Sequence[Label] = (),
    ) -> FusedQuery:
        """The query vector for the index, the sparse scores beside it, and their weights.

        Args:
            intent: (dim,) float32, the words' vector; None without words.
            session: What was done before.
            semantic_weight: Asked for, or None: the gate decides. Behaviour then is the session's
                alone, as in the baseline.
            match: The words, matched as words.
            named: Labels that the words name.
        """
        is_free = semantic_weight is None
        signals = self.signals(intent, session, named, match, behaviour_of_named=is_free)
        if not signals.has_words and signals.has_session and not signals.texts.any():
            semantic_weight = 0.0
        evidence = self.evidence(signals, session, match, named)
        weights = self.gate.weights(evidence, semantic_weight)
        fused = joined(
            [dense_query(signals.words, signals.texts, weights.intent_share)],
            signals.behaviour,
            signals.near,
            weights,
            [weights.domain],
            evidence,
            lexical=signals.lexical,
        )
        if is_free:
            fused = replace(fused, reason=self.gate.reason(evidence))
        if is_free and (evidence.has_words or evidence.has_session):
            values = partial(self.values, signals, session)
            # By the default gate: a learned one blends its mixes more softly, and a ranker that
            # learned from dialogs would reorder topics then (notebooks/LOG.md).
            topicality = UNTUNED.topicality(evidence) if evidence.has_words else 0.0
            fused = replace(fused, kind=evidence.kind, topicality=topicality, values=values)
        return fused

    def values(self, signals: Signals, session: SessionRows, rows: RowArray) -> FloatArray:
        """(len(rows), 10) float32: what each signal says of each of `rows`, before any weight.

        Words, session texts, lexical match, behavioural, neighbours, popularity, domain; then
        cosines: of the session's closest text, its closest item in behaviour, and its newest one
        in behaviour.
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
                signals.lexical.at(rows),
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


def dense_query(words: FloatArray, texts: FloatArray, intent_share: float) -> FloatArray:
    """(dim,) float32: words and session texts as one query, or the one that speaks."""
    if not words.any() or not texts.any():
        return words + texts
    share = np.float32(intent_share)
    return np.asarray(share * words + (1 - share) * texts, dtype=np.float32)


def _unit(vectors: FloatArray) -> FloatArray:
    """(n, dim) float32: rows of length 1; zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
