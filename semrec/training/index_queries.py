"""Held-out requests as an index is asked them, at the weights that it has to answer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semrec.fusion.fused import FusedBlocks
from semrec.training.validation_queries import TuningSets
from semrec.training.weight_search import TuningCase
from semrec.types import FloatArray

SEMANTIC_WEIGHTS: Mapping[str, float | None] = {"0": 0.0, "gate": None, "1": 1.0}
CASES = 100


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
