"""The straight line that every request walks.

    to_query → understand → resolve → encode ∥ match words → fusion.query → index.search
             → rank → rerank_within(deadline) → items + trace

Knows the order of the stages; what each of them is was decided in `assemble`. Every stage can be
absent: without words the encoder isn't asked, without a session behaviour is silent, and without
any signal the most popular items come back and the trace says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.deadline import Deadline
from semrec.growth import drop, grow
from semrec.intent.understanding import Understanding
from semrec.lexical.bm25 import BM25, unmatched
from semrec.prompting import Prompts
from semrec.protocols import Encoder, Fusion, Index
from semrec.ranking.features import Asked
from semrec.ranking.ranker import Ranker
from semrec.remembering import Remembered
from semrec.reranking import Reranking
from semrec.reserve import keep_places
from semrec.resolving import Resolved, in_words, resolve
from semrec.tracing import Clock, notes_of
from semrec.types import (
    NO_MATCH,
    FloatArray,
    FusedQuery,
    Item,
    LexicalMatch,
    Query,
    Recommendations,
    RerankTrace,
    RowArray,
    Trace,
    to_query,
)
from semrec.understood import Reading, understand

DEGRADED = ("partial", "timeout", "error", "skipped")  # what a reranker left undone


@dataclass(frozen=True, kw_only=True)
class Recommender:
    """Answers queries. Made by `semrec.build` or `semrec.load`.

    Attributes:
        catalog: The items.
        interactions: What was learned from: known users' histories.
        encoder: Turns words into vectors; None in the baseline.
        prompts: Put requests into words for the encoder.
        understanding: Reads limits and titles out of the words; None: nothing is read.
        removed: (r,) int64, rows that never come back.
        untouched_every: From rank 11 on, one place in so many at most is for items without
            events; 0: none.
        fusion: Makes query vectors.
        index: Searches item vectors.
        lexical: Matches the words as words; None: only the encoder reads them.
        ranker: Reorders the head of what is found; None: the fused list stays.
        reranking: Has the head judged within a query's budget; None: nobody is asked.
        behavioural: The baseline that belongs to this recommender; None in the baseline.
        remembered: Vectors of the latest requests.
        manifest: The artifact's manifest.
        path: Where the artifact lies, if it was written.
    """

    catalog: Catalog
    interactions: Interactions
    encoder: Encoder | None
    prompts: Prompts
    fusion: Fusion
    index: Index
    behavioural: Recommender | None
    understanding: Understanding | None = None
    removed: RowArray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    untouched_every: int = 0
    remembered: Remembered = field(default_factory=Remembered, repr=False, compare=False)
    lexical: BM25 | None = None
    ranker: Ranker | None = None
    reranking: Reranking | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    path: Path | None = None

    def recommend(
        self,
        query: Query | Mapping[str, Any] | None = None,
        /,
        **fields: Any,  # noqa: ANN401 (the fields of Query)
    ) -> Recommendations:
        """The best items for a query, given as a `Query`, a mapping, or keywords.

            rec.recommend(intent="a thought-provoking sci-fi film", session=["1240", "541"], k=10)

        Raises:
            QueryError: If the query can't be understood.
        """
        return self.recommend_many([to_query(query, **fields)])[0]

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers to many queries, in their order: the same as one by one, but batched.

        Raises:
            QueryError: If a query can't be understood.
        """
        asked = [to_query(query) for query in queries]
        if self.behavioural is not None:
            behavioural = [place for place, q in enumerate(asked) if q.semantic_weight == 0]
            if behavioural:
                return self._divided(asked, set(behavioural), self.behavioural)
        return self._walk(asked) if asked else []

    def baseline(self) -> Recommender:
        """The same interface, behavioural-only: words are ignored, the search is exact."""
        return self.behavioural or self

    def add_items(self, items: Iterable[Mapping[str, Any]]) -> int:
        """Add items to this running recommender; the next request can get them.

        An item that nobody has touched is found by its words, and by what its text says of its
        behaviour. The artifact on disk stays as it is.

        Args:
            items: Mappings of `item_id` and any of the catalogue's columns (`title`, `text`, …).

        Returns:
            How many were added: all of them, or none if an error is raised.

        Raises:
            DataError: On an unknown column, a value of another type, or an id that is in use.
        """
        found = list(items)
        grow(self, found)
        return len(found)

    def remove_items(self, item_ids: Iterable[str]) -> int:
        """Remove items from this running recommender, at once: no later request gets them.

        Returns:
            How many were removed: all of them, or none if an error is raised.

        Raises:
            DataError: If one isn't there.
        """
        return drop(self, list(item_ids))

    def _walk(self, queries: Sequence[Query]) -> list[Recommendations]:
        return copy(self)._answered(queries)  # items that are added meanwhile are not seen

    def _answered(self, queries: Sequence[Query]) -> list[Recommendations]:
        clock = Clock(len(queries))
        deadlines = [Deadline.within(query.budget_ms) for query in queries]
        readings = [
            understand(query, self.understanding, self.catalog, deadline)
            for query, deadline in zip(queries, deadlines, strict=True)
        ]
        queries = [reading.query for reading in readings]
        clock.lap("understand")
        resolved = [resolve(query, self.catalog, self.interactions) for query in queries]
        clock.lap("resolve")
        intents = self._encode(readings, resolved)
        clock.lap("encode")
        matches = [self._match(reading) for reading in readings]
        clock.lap("match")
        fused = [
            self.fusion.query(
                intent,
                found.session,
                reading.query.semantic_weight,
                match,
                reading.named,
            )
            for reading, found, intent, match in zip(
                readings, resolved, intents, matches, strict=True
            )
        ]
        clock.lap("fuse")
        found_rows = self._search(fused, queries, resolved)
        clock.lap("search")
        found_rows = self._ranked(found_rows, fused, readings, resolved, matches)
        clock.lap("rank")
        found_rows, judged = self._reranked(found_rows, fused, queries, resolved, deadlines)
        if self.reranking is not None:
            clock.lap("rerank")
        if self.untouched_every:
            counts, removed, least = self.interactions.counts, self.removed, self.untouched_every
            asked = zip(found_rows, queries, fused, resolved, strict=True)
            found_rows = [
                keep_places(*rows, query, vector, one, self.index, counts, removed, least)
                for rows, query, vector, one in asked
            ]
        listed = [self._items(rows, scores) for rows, scores in found_rows]
        clock.lap("items")
        timings_ms = clock.timings_ms()
        return [
            Recommendations(
                items=items,
                trace=Trace(
                    weights=asked.weights,
                    timings_ms=timings_ms,
                    evidence=asked.evidence,
                    reason=asked.reason,
                    understood=reading.told,
                    notes=notes_of(
                        reading.query,
                        found,
                        asked.weights,
                        len(items),
                        self.catalog,
                        rerank,
                        reads=self.encoder is not None,
                    ),
                    rerank=rerank,
                    degraded=rerank.status in DEGRADED
                    or bool(reading.query.rerank and rerank.status == "off"),
                    version=self.version,
                ),
            )
            for reading, found, asked, items, rerank in zip(
                readings, resolved, fused, listed, judged, strict=True
            )
        ]

    @property
    def version(self) -> str:
        """A short hash that changes with anything in the artifact; ``""`` if there is none."""
        return str(self.manifest.get("checksum", ""))[:12]

    def _match(self, reading: Reading) -> LexicalMatch:
        if self.encoder is None:  # the baseline ignores words
            return NO_MATCH
        if self.lexical is None:
            return unmatched(reading.query.intent)
        return self.lexical.match(reading.about, reading.query.intent)

    def _encode(
        self, readings: Sequence[Reading], resolved: Sequence[Resolved]
    ) -> list[FloatArray | None]:
        """One vector per query with content words, encoded in one batch."""
        intents: list[FloatArray | None] = [None] * len(readings)
        if self.encoder is None:
            return intents
        texts = {
            place: text
            for place, (reading, found) in enumerate(zip(readings, resolved, strict=True))
            if (text := in_words(reading.about, found.session, self.catalog, self.prompts))
        }
        if texts:
            vectors = self.remembered.encode_queries(self.encoder, list(texts.values()))
            for place, vector in zip(texts, vectors, strict=True):
                intents[place] = vector
        return intents

    def _search(
        self,
        fused: Sequence[FusedQuery],
        queries: Sequence[Query],
        resolved: Sequence[Resolved],
    ) -> list[tuple[RowArray, FloatArray]]:
        """Rows and scores for each query; those that want equally many are searched together."""
        places_by_k: dict[int, list[int]] = {}
        for place, query in enumerate(queries):
            k = query.k if self.ranker is None else self.ranker.depth(fused[place], query.k)
            if self.reranking is not None:
                k = self.reranking.depth(query, fused[place], k)
            places_by_k.setdefault(k, []).append(place)
        found: dict[int, tuple[RowArray, FloatArray]] = {}
        for k, places in places_by_k.items():
            answers = self.index.search(
                np.stack([fused[place].vector for place in places]),
                k,
                [self._excluded(resolved[place]) for place in places],
                [resolved[place].allowed for place in places],
                [fused[place].boost for place in places],
            )
            found.update(zip(places, answers, strict=True))
        return [found[place] for place in range(len(queries))]

    def _excluded(self, resolved: Resolved) -> RowArray:
        if not len(self.removed):
            return resolved.excluded
        return np.union1d(resolved.excluded, self.removed)

    def _ranked(
        self,
        found: Sequence[tuple[RowArray, FloatArray]],
        fused: Sequence[FusedQuery],
        readings: Sequence[Reading],
        resolved: Sequence[Resolved],
        matches: Sequence[LexicalMatch],
    ) -> list[tuple[RowArray, FloatArray]]:
        """The lists as the ranker orders them."""
        if self.ranker is None:
            return list(found)
        listed = []
        for (rows, scores), asked, reading, one, match in zip(
            found, fused, readings, resolved, matches, strict=True
        ):
            known = Asked(session=one.session, named=reading.named, n_words=match.n_words)
            listed.append(self.ranker.ranked(asked, known, rows, scores))
        return listed

    def _reranked(
        self,
        found: Sequence[tuple[RowArray, FloatArray]],
        fused: Sequence[FusedQuery],
        queries: Sequence[Query],
        resolved: Sequence[Resolved],
        deadlines: Sequence[Deadline],
    ) -> tuple[list[tuple[RowArray, FloatArray]], list[RerankTrace]]:
        """The lists as the reranker orders their heads, cut to what was asked for."""
        listed, traces = [], []
        for (rows, scores), asked, query, one, deadline in zip(
            found, fused, queries, resolved, deadlines, strict=True
        ):
            trace = RerankTrace()
            if self.reranking is not None:
                rows, scores, trace = self.reranking.reranked(
                    query, asked, one.session, rows, scores, self.catalog, deadline
                )
            listed.append((rows[: query.k], scores[: query.k]))
            traces.append(trace)
        return listed, traces

    def _items(self, rows: RowArray, scores: FloatArray) -> tuple[Item, ...]:
        return tuple(
            Item(self.catalog.item_ids[row], self.catalog.titles[row], float(score), rank)
            for rank, (row, score) in enumerate(zip(rows, scores, strict=True), start=1)
        )

    def _divided(
        self, queries: Sequence[Query], places: set[int], other: Recommender
    ) -> list[Recommendations]:
        """Some queries by `other`, the rest by this one; answers in the queries' order."""
        theirs = iter(other.recommend_many([queries[place] for place in sorted(places)]))
        ours_asked = [query for place, query in enumerate(queries) if place not in places]
        ours = iter(self._walk(ours_asked) if ours_asked else [])
        return [next(theirs if place in places else ours) for place in range(len(queries))]
