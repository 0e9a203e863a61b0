"""Items that come and go while a recommender runs: nothing is rebuilt, nobody waits.

New parts are made beside the old ones, as another pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.errors import DataError, nearest
from semrec.index.grown import grown
from semrec.lexical.postings import extended
from semrec.pipeline.stages import Pipeline
from semrec.types import FloatArray


def with_items(pipeline: Pipeline, items: Sequence[Mapping[str, Any]]) -> Pipeline:
    """The pipeline, and its baseline, with more items.

    Raises:
        DataError: On an unknown column, a value of another type, or an id that is in use; or if
            an index that takes no rows would have too many beside it.
    """
    if not items:
        return pipeline
    catalog = pipeline.catalog.with_items(items, set(pipeline.removed.tolist()))
    texts = _encoded(pipeline, catalog, len(items))
    parser, lexical, ranker = pipeline.intent_parser, pipeline.lexical, pipeline.ranker
    if parser is not None:
        parser = parser.over(catalog, pipeline.interactions.counts)
    if lexical is not None:
        added = range(len(catalog) - len(items), len(catalog))
        lexical = extended(lexical, (pipeline.prompts.fields_of(catalog, row) for row in added))
    if ranker is not None:
        ranker = ranker.over(catalog, pipeline.interactions)
    baseline = pipeline.baseline
    if baseline is not None:
        baseline = _grown(baseline, catalog, texts)
    grown = _grown(pipeline, catalog, texts)
    return replace(grown, baseline=baseline, intent_parser=parser, lexical=lexical, ranker=ranker)


def _grown(pipeline: Pipeline, catalog: Catalog, texts: FloatArray | None) -> Pipeline:
    """The pipeline with the catalogue's new rows in what it fuses and searches."""
    n_new = len(catalog) - len(pipeline.catalog)
    fusion, vectors = pipeline.fusion.with_items(texts, n_new)
    return replace(
        pipeline,
        catalog=catalog,
        interactions=replace(pipeline.interactions, n_items=len(catalog)),
        fusion=fusion,
        index=grown(pipeline.index, len(pipeline.catalog), vectors),
    )


def without_items(pipeline: Pipeline, item_ids: Sequence[str]) -> Pipeline:
    """The pipeline, and its baseline, with some items removed.

    Raises:
        DataError: If one isn't there.
    """
    before = set(pipeline.removed.tolist())
    rows = set()
    for item_id in item_ids:
        row = pipeline.catalog.row(item_id)
        if row is None or row in before:
            hint = nearest(item_id, pipeline.catalog.item_ids[:1000])
            raise DataError(f"no item {item_id!r} to remove{hint}")
        rows.add(row)
    removed = np.array(sorted(before | rows), dtype=np.int64)
    baseline = pipeline.baseline and replace(pipeline.baseline, removed=removed)
    return replace(pipeline, baseline=baseline, removed=removed)


def _encoded(pipeline: Pipeline, catalog: Catalog, n: int) -> FloatArray | None:
    """(n, dim) float32: the last `n` items' texts, zeros for those without."""
    if pipeline.encoder is None:
        return None
    vectors = np.zeros((n, pipeline.encoder.dim), dtype=np.float32)
    new = range(len(catalog) - n, len(catalog))
    prompts = pipeline.prompts
    texts = [prompts.text_of(catalog, row) for row in new]
    abouts = [prompts.about_of(catalog, row) for row in new]
    for view in (texts, abouts):
        # Without the first view an item has no vector, as in a build.
        with_text = [i for i in range(n) if view[i] and texts[i]]
        if with_text:
            vectors[with_text] += pipeline.encoder.encode_items([view[i] for i in with_text])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
