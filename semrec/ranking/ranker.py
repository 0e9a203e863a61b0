"""The ranker on the line: the head of a fused list in the order that trained models give it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.ranking.features import ItemFacts, QueryContext, inputs_of, item_facts
from semrec.ranking.wide_deep import WideDeep
from semrec.types import FloatArray, FusedQuery, Label, RowArray

DEPTH = 200  # candidates that are looked at; what lies behind them stays where it is
_FILES = "ranker.safetensors", "ranker.json"


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """One model for each kind of query that is better with one.

    Attributes:
        models: By kind of query: `words`, `session`, `both`.
        crossed: The labels whose crosses the models have weights of.
        facts: Of the items.
    """

    models: Mapping[str, WideDeep]
    crossed: Sequence[Label]
    facts: ItemFacts

    def depth(self, query: FusedQuery, k: int) -> int:
        """The number of candidates that a list of `k` is made from."""
        return max(k, DEPTH) if self._model(query) else k

    def ranked(
        self, query: FusedQuery, context: QueryContext, rows: RowArray, scores: FloatArray
    ) -> tuple[RowArray, FloatArray]:
        """The list with its first `DEPTH` rows in the ranker's order; scores keep falling.

        Args:
            query: As it was put to the index.
            context: What else is known of it.
            rows: (n,) int64, best first.
            scores: (n,) float32.
        """
        model = self._model(query)
        if model is None or query.values is None or not len(rows):
            return rows, scores
        head, fused = rows[:DEPTH], scores[:DEPTH]
        inputs = inputs_of(context, head, fused, query.values(head), self.facts, self.crossed)
        corrected = faded(fused, model.scores(fused, *inputs), query.topicality)
        order = np.argsort(-corrected, kind="stable")
        tail = np.minimum(scores[DEPTH:], corrected[order[-1]])
        return (
            np.concatenate([head[order], rows[DEPTH:]]),
            np.concatenate([corrected[order], tail]).astype(np.float32),
        )

    def _model(self, query: FusedQuery) -> WideDeep | None:
        return None if query.kind is None else self.models.get(query.kind)

    def over(self, catalog: Catalog, events: Interactions) -> Ranker:
        """The same for a catalogue that has grown."""
        return replace(self, facts=item_facts(catalog, events))


def faded(fused: FloatArray, corrected: FloatArray, topicality: float) -> FloatArray:
    """(n,) float32: the corrected scores for a conversation, the fused ones for a sure topic."""
    share = np.float32(1 - topicality)
    return np.asarray(fused + share * (corrected - fused), dtype=np.float32)


def save_ranker(ranker: Ranker, folder: Path) -> None:
    """Write the models and their labels; the facts follow from the catalogue."""
    arrays = {
        f"{kind}.{name}": np.ascontiguousarray(array)
        for kind, model in ranker.models.items()
        for name, array in model.to_arrays().items()
    }
    header = {"kinds": list(ranker.models), "crossed": list(ranker.crossed)}
    save_file(arrays, folder / _FILES[0])
    (folder / _FILES[1]).write_text(json.dumps(header), encoding="utf-8")


def load_ranker(folder: Path, catalog: Catalog, events: Interactions) -> Ranker | None:
    """Read what `save_ranker` wrote; None if there is none."""
    if not (folder / _FILES[1]).is_file():
        return None
    header = json.loads((folder / _FILES[1]).read_text(encoding="utf-8"))
    arrays = load_file(folder / _FILES[0])
    models = {
        kind: WideDeep.from_arrays(
            {name: arrays[f"{kind}.{name}"] for name in WideDeep.__dataclass_fields__}
        )
        for kind in header["kinds"]
    }
    crossed = [(name, label) for name, label in header["crossed"]]
    return Ranker(models=models, crossed=crossed, facts=item_facts(catalog, events))
