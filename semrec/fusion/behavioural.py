"""The baseline's fusion: behaviour and popularity, no words and no texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from semrec.fusion.blocks import Block, joined, standardised_boost
from semrec.fusion.gate import Gate, GateFeatures
from semrec.protocols import SparseModel, VectorModel
from semrec.types import (
    NO_MATCH,
    FloatArray,
    FusedQuery,
    Label,
    LexicalMatch,
    RowArray,
    SessionRows,
)


@dataclass(frozen=True, kw_only=True)
class BehaviouralBlocks:
    """The baseline's two signals: no words, no texts, nothing filled from text.

    Attributes:
        behavioural: The behavioural model's items as they are.
        popularity: (n_items,) float32, standardised counts of people.
        behaviour: Gives the session's behavioural vector.
        gate: Gives the weights; only its `baseline` is used.
        neighbours: Gives the session's neighbours, or None.
    """

    behavioural: Block
    popularity: FloatArray
    behaviour: VectorModel
    gate: Gate
    neighbours: SparseModel | None = None

    def items(self, rows: RowArray | slice = slice(None)) -> FloatArray:
        """(n_items, dim) float32: the two blocks side by side; of `rows` alone if given."""
        blocks = [self.behavioural.vectors[rows], self.popularity[rows, None]]
        return np.hstack(blocks).astype(np.float32)

    def text_vectors(self, rows: RowArray) -> FloatArray:
        """(len(rows), 0) float32: the baseline reads no texts."""
        return np.zeros((len(rows), 0), dtype=np.float32)

    def query(
        self,
        intent: FloatArray | None,  # noqa: ARG002 (the baseline ignores words)
        session: SessionRows,
        semantic_weight: float | None,  # noqa: ARG002 (and has no semantic weight)
        match: LexicalMatch = NO_MATCH,  # noqa: ARG002
        named: Sequence[Label] = (),  # noqa: ARG002
    ) -> FusedQuery:
        """The query vector for the index, the neighbours beside it, and their weights."""
        known = session.below(len(self.behaviour.item_vectors))
        behaviour = self.behavioural.standardised(self.behaviour.session_vector(known))
        near = standardised_boost(self.neighbours, known)
        evidence = GateFeatures(
            has_words=False,
            has_session=bool(behaviour.any()) or bool(len(near.rows)),
            session_length=len(session),
        )
        weights = self.gate.weights(evidence, 0.0)
        return joined([], behaviour, near, weights, [], evidence)

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
