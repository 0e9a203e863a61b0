"""Signals on their way along the line: a session in rows, the fused query, a reranker's scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from semrec.types.sparse import FloatArray, RowArray, SparseScores

QueryKind = Literal["words", "session", "both"]


@dataclass(frozen=True, kw_only=True)
class RerankScores:
    """A reranker's scores of some of the candidates.

    Attributes:
        places: (m,) int64, which of the texts, each once.
        scores: (m,) float32, higher is better, comparable with the request's other scores.
        missing: Texts that it was asked about and didn't answer.
        doubled: Texts that it answered more than once; the first answer counts.
        invented: Answers about texts that there are none of.
    """

    places: RowArray
    scores: FloatArray
    missing: int = 0
    doubled: int = 0
    invented: int = 0


@dataclass(frozen=True, kw_only=True)
class SessionRows:
    """A session as models see it: oldest first, known items only, nothing rejected.

    Attributes:
        rows: (m,) int64, item rows.
        weights: (m,) float32, positive pull of each event, before any recency.
    """

    rows: RowArray
    weights: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, rows: Iterable[int]) -> SessionRows:
        """A session of plain views."""
        array = np.fromiter(rows, dtype=np.int64)
        return cls(rows=array, weights=np.ones(len(array), np.float32))

    def below(self, n_items: int) -> SessionRows:
        """The events of rows below `n_items`: those that a model knows which saw no more."""
        known = self.rows < n_items
        return (
            self if known.all() else SessionRows(rows=self.rows[known], weights=self.weights[known])
        )

    def recency(self, decay: float) -> FloatArray:
        """(m,) float32: the weights times ``decay ** age``; the newest event has age 0."""
        ages = np.arange(len(self) - 1, -1, -1, dtype=np.float32)
        return (self.weights * np.float32(decay) ** ages).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class FusedQuery:
    """A query as the index takes it, and the weights that made it.

    Attributes:
        vector: (dim,) float32.
        boost: Added to the inner products with `vector`.
        weights: For the trace.
        evidence: What the weights went by, for the trace.
        kind: The signals that it brings, where a ranker may reorder; None in the baseline, without
            any signal, and where somebody asked for weights.
        topicality: How sure it is that it names a topic, 0 to 1: what a ranker learned from dialogs
            about tastes is no answer to that.
        values: For a ranker, what each signal says of given rows: (n, n_values) float32; None
            where there is no kind.
        reason: What kind of request it was taken for, and why; ``""`` where the gate didn't say.
    """

    vector: FloatArray
    boost: SparseScores
    weights: dict[str, float]
    evidence: dict[str, float]
    kind: QueryKind | None = None
    topicality: float = 0.0
    values: Callable[[RowArray], FloatArray] | None = None
    reason: str = ""
