"""Statistics of a served list, as the log keeps them for monitoring: numbers, none of its words.

They stand in the list's own row, so whatever erases the list erases them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.data.catalog import Catalog
from semrec.types import FloatArray, Query, Recommendations

N_ITEMS = 10  # of a list, whose attributes are looked at


@dataclass(frozen=True, kw_only=True)
class ListStats:
    """Statistics of a list and of its request.

    Attributes:
        has_words: True if anything was said.
        n_unknown: Number of names and the like in it that no item has.
        language: What the request is written in; ``""``: English, as far as is known.
        filters: Names of the attributes that it limits.
        degraded: True if the list lacks something that was asked for.
        reranked: True if a reranker's scores are among the list's.
        attributes: Names of the attributes that at least half of its first items have a value of.
        vector: The request's vector in int8, ``dim`` bytes; None without content words. It and the
            attributes are kept of sampled lists only.
    """

    has_words: bool = False
    n_unknown: int = 0
    language: str = ""
    filters: tuple[str, ...] = ()
    degraded: bool = False
    reranked: bool = False
    attributes: tuple[str, ...] | None = None
    vector: bytes | None = None

    def to_json(self) -> str:
        """All but the vector, as a JSON list in the order of the fields."""
        return json.dumps(
            [
                int(self.has_words),
                self.n_unknown,
                self.language,
                list(self.filters),
                int(self.degraded),
                int(self.reranked),
                self.attributes,
            ],
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str, vector: bytes | None) -> ListStats:
        """The opposite of `to_json`."""
        has_words, n_unknown, language, filters, degraded, reranked, attributes = json.loads(text)
        return cls(
            has_words=bool(has_words),
            n_unknown=n_unknown,
            language=language,
            filters=tuple(filters),
            degraded=bool(degraded),
            reranked=bool(reranked),
            attributes=None if attributes is None else tuple(attributes),
            vector=vector,
        )


@dataclass(frozen=True, kw_only=True)
class MonitoredList:
    """A served list as monitoring sees it.

    Attributes:
        recommendation_id: Its name in the log.
        session_id: Whose it was, if that was said.
        timestamp: Unix seconds.
        version: The artifact's.
        items: (item id, score) in the order of their positions.
        stats: Of the list and its request.
    """

    recommendation_id: str
    session_id: str | None
    timestamp: float
    version: str
    items: tuple[tuple[str, float], ...]
    stats: ListStats


def list_stats(
    query: Query, recommendations: Recommendations, catalog: Catalog, *, sampled: bool = True
) -> ListStats | None:
    """The statistics of a list; None for the baseline's, which nothing is known of.

    Args:
        query: As it was asked.
        recommendations: Its answer.
        catalog: Of whoever made it.
        sampled: True to keep the request's vector and the items' attributes.
    """
    trace = recommendations.trace
    stats = trace.stats
    if stats is None:
        return None
    return ListStats(
        has_words=bool(query.intent.strip()),
        n_unknown=stats.n_unknown,
        language=stats.language,
        filters=stats.filters,
        degraded=trace.degraded,
        reranked=trace.rerank.scored > 0,
        attributes=_attributes(recommendations, catalog) if sampled else None,
        vector=in_bytes(stats.vector) if sampled and stats.vector is not None else None,
    )


def _attributes(recommendations: Recommendations, catalog: Catalog) -> tuple[str, ...]:
    rows = catalog.rows([item.item_id for item in recommendations.items[:N_ITEMS]])
    return tuple(
        name
        for name, attribute in catalog.attributes.items()
        if rows and 2 * sum(bool(attribute.values_of(row)) for row in rows) >= len(rows)
    )


def in_bytes(vector: FloatArray) -> bytes:
    """A vector's direction in int8, a byte per dimension: to some 0.5 % of its largest value.

    Examples:
        >>> list(in_bytes(np.array([2.0, 1.0, 0.0], dtype=np.float32)))
        [127, 64, 0]
    """
    largest = float(np.abs(vector).max(initial=0.0))
    scaled = vector / largest if largest else vector  # 127 / largest may be past float32
    return bytes(np.rint(scaled * 127).astype(np.int8).tobytes())


def from_bytes(kept: Iterable[bytes]) -> NDArray[np.float64]:
    """(n, dim) float64, each of unit length: the directions that `in_bytes` kept.

    Examples:
        >>> from_bytes([bytes([127, 0])]).tolist()
        [[1.0, 0.0]]
    """
    rows = np.stack([np.frombuffer(row, dtype=np.int8) for row in kept]).astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)
