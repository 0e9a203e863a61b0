"""A query on its way through the line, with what each stage has made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from semrec.deadline import NEVER, Deadline
from semrec.pipeline.parse_intent import ParsedQuery
from semrec.pipeline.resolve import Resolved
from semrec.types import (
    NO_MATCH,
    FloatArray,
    FusedQuery,
    LexicalMatch,
    Query,
    RerankTrace,
    RowArray,
)

OFF = RerankTrace()


@dataclass(kw_only=True)
class Request:
    """One query, from what was asked to the rows of its list; stages fill it in from top to bottom.

    Attributes:
        asked: The query as it came.
        deadline: When reranking must be done.
        reading: What its words state.
        resolved: Its session and its limits in rows.
        vector: (dim,) float32, its words as the encoder reads them; None without content words.
        match: Its words as the lexical part matches them.
        fused: What is put to the index.
        rows: (n,) int64, the list, best first.
        scores: (n,) float32, falling.
        rerank: What the reranker did.
    """

    asked: Query
    deadline: Deadline = NEVER
    reading: ParsedQuery = field(init=False)
    resolved: Resolved = field(init=False)
    vector: FloatArray | None = None
    match: LexicalMatch = NO_MATCH
    fused: FusedQuery = field(init=False)
    rows: RowArray = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    rerank: RerankTrace = OFF

    @property
    def query(self) -> Query:
        """With what its words state made exact."""
        return self.reading.query
