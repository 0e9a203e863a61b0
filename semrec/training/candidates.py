"""Validation cases as they are asked: their queries to the index, and the heads of their lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semrec.fusion.fused import FusedBlocks
from semrec.index.exact import ExactIndex
from semrec.ranking.features import QueryContext
from semrec.ranking.ranker import DEPTH, Ranker
from semrec.training.validation_queries import TuningSets
from semrec.training.weight_search import TuningCase
from semrec.types import FloatArray, FusedQuery, IndexQuery, RowArray

SEMANTIC_WEIGHTS: Mapping[str, float | None] = {"0": 0.0, "gate": None, "1": 1.0}
CASES = 100

Head = tuple[FusedQuery, RowArray, FloatArray]
"""A query as the index takes it; the rows it finds, best first; their scores, falling."""


def retrieve_candidates(
    fusion: FusedBlocks,
    cases: Sequence[TuningCase],
    depth: int,
    ranker: Ranker | None = None,
) -> list[Head]:
    """For each case its query and the best `depth` rows with their scores.

    Args:
        fusion: With the tuned gate.
        cases: Their filters and exclusions hold.
        depth: How many rows at most.
        ranker: Reorders what is found; None: nobody does.
    """
    if not cases:
        return []
    queries = [
        fusion.query(case.intent, case.session, None, case.match, case.named) for case in cases
    ]
    hits = ExactIndex(vectors=fusion.items()).search(
        [
            IndexQuery(
                vector=query.vector, boost=query.boost, excluded=case.excluded, allowed=case.allowed
            )
            for case, query in zip(cases, queries, strict=True)
        ],
        depth if ranker is None else max(depth, DEPTH),
    )
    if ranker is None:
        return [(query, *rows) for query, rows in zip(queries, hits, strict=True)]
    heads = []
    for case, query, (rows, scores) in zip(cases, queries, hits, strict=True):
        known = QueryContext(session=case.session, named=case.named, n_words=case.match.n_words)
        ranked, corrected = ranker.ranked(query, known, rows, scores)
        heads.append((query, ranked[:depth], corrected[:depth]))
    return heads


def held_out_queries(fusion: FusedBlocks, sets: TuningSets) -> dict[str, FloatArray]:
    """By semantic weight, (up to 100, dim) float32: some of each kind of validation request."""
    kinds = [kind for kind in (sets.words, sets.both, sets.session) if kind]
    each = CASES // max(1, len(kinds))
    return queries_of(fusion, [case for kind in kinds for case in kind[:each]])


def queries_of(fusion: FusedBlocks, cases: Sequence[TuningCase]) -> dict[str, FloatArray]:
    """By semantic weight, (len(cases), dim) float32; nothing without cases."""
    if not cases:
        return {}
    return {
        name: np.stack(
            [
                fusion.query(case.intent, case.session, weight, case.match, case.named).vector
                for case in cases
            ]
        )
        for name, weight in SEMANTIC_WEIGHTS.items()
    }
