"""Items that come and go while a recommender runs: nothing is rebuilt, nobody waits.

New parts are made beside the old ones and take their place in one step; a request that is on its
way keeps those it began with.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.errors import DataError, nearest
from semrec.types import FloatArray

if TYPE_CHECKING:
    from semrec.recommender import Recommender

_LOCK = threading.Lock()  # one change after the other; requests don't take it


def grow(recommender: Recommender, items: Sequence[Mapping[str, Any]]) -> None:
    """Add `items` to a recommender and to its baseline.

    Raises:
        DataError: On an unknown column, a value of another type, or an id that is in use; or if
            the vectors lie in a file.
    """
    if not items:
        return
    _refuse_baseline(recommender)
    if not recommender.index.grows:
        raise DataError(
            "this catalogue's vectors are read from the artifact's file, which stays as it is: "
            "items can be removed, but to add some build again (or with index.kind=hnsw, in memory)"
        )
    with _LOCK:
        removed = set(recommender.removed.tolist())
        catalog = recommender.catalog.with_items(items, removed)
        texts = _encoded(recommender, catalog, len(items))
        intent_parser = recommender.intent_parser
        if intent_parser is not None:
            intent_parser = intent_parser.over(catalog, recommender.interactions.counts)
        lexical, added = recommender.lexical, range(len(catalog) - len(items), len(catalog))
        if lexical is not None:
            lexical = lexical.with_items(
                recommender.prompts.fields_of(catalog, row) for row in added
            )
        ranker = recommender.ranker
        if ranker is not None:
            ranker = ranker.over(catalog, recommender.interactions)
        for one in _both(recommender):
            fusion, vectors = one.fusion.with_items(texts, len(items))
            _change(
                one,
                catalog=catalog,
                interactions=replace(one.interactions, n_items=len(catalog)),
                fusion=fusion,
                index=one.index.with_items(vectors),
                intent_parser=intent_parser if one is recommender else None,
                lexical=lexical if one is recommender else None,
                ranker=ranker if one is recommender else None,
            )


def drop(recommender: Recommender, item_ids: Sequence[str]) -> int:
    """Remove items from a recommender and from its baseline; how many.

    Raises:
        DataError: If one isn't there.
    """
    _refuse_baseline(recommender)
    with _LOCK:
        gone = set(recommender.removed.tolist())
        rows = set()
        for item_id in item_ids:
            row = recommender.catalog.row(item_id)
            if row is None or row in gone:
                hint = nearest(item_id, recommender.catalog.item_ids[:1000])
                raise DataError(f"no item {item_id!r} to remove{hint}")
            rows.add(row)
        for one in _both(recommender):
            _change(one, removed=np.array(sorted(gone | rows), dtype=np.int64))
        return len(rows)


def _refuse_baseline(recommender: Recommender) -> None:
    if recommender.behavioural is None:  # its rows must stay those of the recommender it belongs to
        raise DataError("a baseline follows its recommender: add and remove items there")


def _both(recommender: Recommender) -> list[Recommender]:
    return [one for one in (recommender.behavioural, recommender) if one is not None]


def _change(recommender: Recommender, **parts: object) -> None:
    # Frozen to everybody else. One update of the dictionary is one step to other threads.
    recommender.__dict__.update(parts)


def _encoded(recommender: Recommender, catalog: Catalog, n: int) -> FloatArray | None:
    """(n, dim) float32: the last `n` items' texts, zeros for those without."""
    if recommender.encoder is None:
        return None
    vectors = np.zeros((n, recommender.encoder.dim), dtype=np.float32)
    new = range(len(catalog) - n, len(catalog))
    prompts = recommender.prompts
    texts = [prompts.text_of(catalog, row) for row in new]
    abouts = [prompts.about_of(catalog, row) for row in new]
    for view in (texts, abouts):
        # Without the first view an item has no vector, as in a build.
        told = [place for place in range(n) if view[place] and texts[place]]
        if told:
            vectors[told] += recommender.encoder.encode_items([view[place] for place in told])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
