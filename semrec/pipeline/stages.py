"""The query pipeline: parse, resolve, encode, match, fuse, search, rank, rerank, diversify.

    parse_intent → resolve → encode ∥ match words → fusion.query → index.search
                 → rank → rerank_within(deadline) → diversify → items + trace

Knows the order of the stages; what each of them is was decided in `artifact`. Every stage can be
absent: without words the encoder isn't asked, without a session behaviour is silent, and without
any signal the most popular items come back and the trace says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.deadline import Deadline
from semrec.index.grown import GrownIndex, is_elsewhere, search_within
from semrec.intent.intent_parser import IntentParser
from semrec.lexical.bm25 import BM25, unmatched
from semrec.pipeline.cold_slots import cold_query, insert_cold_items
from semrec.pipeline.diversity import (
    Candidates,
    Conditions,
    Diversity,
    compared,
    depth,
    diversify,
    further_depth,
    moves,
)
from semrec.pipeline.query_cache import QueryCache
from semrec.pipeline.request import Clock, Request, notes_of, stats_of, understood
from semrec.pipeline.rerank import AFTER_MS, Reranking
from semrec.pipeline.resolve import ParsedQuery, in_words, parse_intent, resolve
from semrec.prompting import Prompts
from semrec.protocols import DeadlineEncoder, Encoder, Fusion, Index, RequestReader, Watched
from semrec.ranking.features import QueryContext
from semrec.ranking.ranker import Ranker
from semrec.types import (
    NO_MATCH,
    Allowed,
    IndexQuery,
    Item,
    LexicalMatch,
    Query,
    Recommendations,
    RowArray,
    Trace,
)

DEGRADED = ("partial", "timeout", "error", "skipped")  # what a reranker left undone


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The parts that answer queries, and their order. It never changes: live updates make another.

    Attributes:
        catalog: The items.
        interactions: What was learned from: known users' histories.
        encoder: Turns words into vectors; None in the baseline.
        stand_in: Does so for requests that `encoder` has no time for; None: they go on as words.
        prompts: Put requests into words for the encoder.
        intent_parser: Reads limits and titles out of the words; None: nothing is read.
        removed: (r,) int64, rows that never come back.
        untouched_every: From rank 11 on, one place in so many at most is for items without
            events; 0: none.
        fusion: Makes query vectors.
        index: Searches item vectors.
        lexical: Matches the words as words; None: only the encoder reads them.
        ranker: Reorders the head of what is found; None: the fused list stays.
        reader: Reads requests beside the rules; None: nobody does.
        reranking: Has the head scored within a query's budget; None: nobody is asked.
        diversity: Of lists whose queries don't say; in the baseline none.
        baseline: The behavioural-only pipeline that belongs to it; None in the baseline itself.
        query_cache: Vectors of the latest requests.
        manifest: The artifact's manifest.
        path: Where the artifact lies, if it was written.
    """

    catalog: Catalog
    interactions: Interactions
    encoder: Encoder | None
    prompts: Prompts
    fusion: Fusion
    index: Index
    baseline: Pipeline | None
    stand_in: Encoder | None = None
    intent_parser: IntentParser | None = None
    removed: RowArray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    untouched_every: int = 0
    query_cache: QueryCache = field(default_factory=QueryCache, repr=False, compare=False)
    lexical: BM25 | None = None
    ranker: Ranker | None = None
    reranking: Reranking | None = None
    diversity: Diversity = field(default_factory=Diversity)
    reader: RequestReader | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    path: Path | None = None

    def answer(self, queries: Sequence[Query]) -> list[Recommendations]:
        """The answers to queries, in their order; those of semantic weight 0 by the baseline."""
        baseline = self.baseline
        if baseline is None or all(query.semantic_weight != 0 for query in queries):
            return self._walk(queries) if queries else []
        theirs = iter(baseline.answer([q for q in queries if q.semantic_weight == 0]))
        ours = iter(self.answer([q for q in queries if q.semantic_weight != 0]))
        return [next(theirs if query.semantic_weight == 0 else ours) for query in queries]

    def _walk(self, queries: Sequence[Query]) -> list[Recommendations]:
        clock = Clock(len(queries))
        requests = [Request(original=q, deadline=Deadline.within(q.budget_ms)) for q in queries]
        for request in requests:
            request.parsed = parse_intent(
                request.original, self.intent_parser, self.catalog, request.deadline, self.reader
            )
        clock.lap("understand")
        for request in requests:
            parsed = request.parsed
            request.strength = self.diversity.strength_of(request.original)
            request.caps = self.diversity.caps_of(request.original, self.catalog)
            request.resolved = resolve(
                parsed.query,
                self.catalog,
                self.interactions,
                parsed.familiarity,
                parsed.named,
                parsed.about,
                parsed.kinds,
            )
        clock.lap("resolve")
        self._encode(requests)
        clock.lap("encode")
        for request in requests:
            request.match = self._match(request.parsed)
        clock.lap("match")
        for request in requests:
            request.fused = self.fusion.query(
                request.vector,
                request.resolved.session,
                request.query.semantic_weight,
                request.match,
                request.parsed.named,
            )
        clock.lap("fuse")
        self._search(requests)
        clock.lap("search")
        self._reorder(requests, clock)
        listed = [self._items(request) for request in requests]
        clock.lap("items")
        timings_ms = clock.timings_ms()
        return [
            Recommendations(items=items, trace=self._trace(request, len(items), timings_ms))
            for request, items in zip(requests, listed, strict=True)
        ]

    def _reorder(self, requests: Sequence[Request], clock: Clock) -> None:
        for request in requests:
            self._rank(request)
        clock.lap("rank")
        if self.reranking is not None:
            for request in requests:
                self.reranking.rerank(request, self.catalog)
            clock.lap("rerank")
        for request in requests:
            self._diversify(request)
        if any(request.is_diversified for request in requests):
            clock.lap("diversify")
        for request in requests:
            insert_cold_items(request)

    @cached_property
    def waits(self) -> bool:
        """True if a query may have to wait for a model or an index that is elsewhere."""
        if self.reader is not None or is_elsewhere(self.index):
            return True
        return isinstance(self.encoder, DeadlineEncoder)

    @cached_property
    def watched(self) -> Mapping[str, Watched]:
        """The parts that are elsewhere, and may not be trusted now."""
        index = self.index.base if isinstance(self.index, GrownIndex) else self.index
        parts: Mapping[str, object] = {
            "encoder": self.encoder,
            "index": index,
            "intent": self.reader,
        }
        return {name: part for name, part in parts.items() if isinstance(part, Watched)}

    @property
    def version(self) -> str:
        """A short hash that changes with anything in the artifact; ``""`` if there is none."""
        return str(self.manifest.get("checksum", ""))[:12]

    def _match(self, parsed: ParsedQuery) -> LexicalMatch:
        if self.encoder is None:  # the baseline ignores words
            return NO_MATCH
        if self.lexical is None:
            return unmatched(parsed.spoken, self.catalog.kind)
        return self.lexical.match(parsed.about, parsed.spoken, self.catalog.kind)

    def _encode(self, requests: Sequence[Request]) -> None:
        """One vector per request with content words, encoded in one batch.

        Where the encoder has no answer in time the stand-in reads them, or they go on as words.
        """
        if self.encoder is None:
            return
        texts = {
            position: text
            for position, request in enumerate(requests)
            if (
                text := in_words(
                    request.parsed.about, request.resolved.session, self.catalog, self.prompts
                )
            )
        }
        if not texts:
            return
        with_words = [requests[position] for position in texts]
        deadline = _before_rerank(with_words) if self.waits else None
        vectors = self.query_cache.encode_queries(self.encoder, list(texts.values()), deadline)
        for (position, text), vector in zip(texts.items(), vectors, strict=True):
            request = requests[position]
            request.vector, request.is_unread = vector, vector is None
            if vector is None and self.stand_in is not None:
                [request.vector] = self.stand_in.encode_queries([text])

    def _search(self, requests: Sequence[Request]) -> None:
        """Rows and scores; requests that want equally many candidates are searched together."""
        by_k: dict[int, list[Request]] = {}
        for request in requests:
            k = request.query.k
            if self.ranker is not None:
                k = self.ranker.depth(request.fused, k)
            if self.reranking is not None:
                k = self.reranking.depth(request.query, request.fused, k)
            if request.is_diversified:
                k = max(k, depth(request.query.k, request.caps))
            by_k.setdefault(k, []).append(request)
        for k, group in by_k.items():
            batch = [self._index_query(request) for request in group]
            # An index elsewhere is asked everything at the same time.
            cold = [request for request in group if self._keeps_places(request, batch)]
            lists, complaint = search_within(self.index, batch, k, _before_rerank(group))
            for request, (rows, scores) in zip(group, lists, strict=False):
                request.rows, request.scores = rows, scores
                request.is_partial = bool(complaint)
            for request, (rows, scores) in zip(cold, lists[len(group) :], strict=True):
                if request.cold is not None:
                    n = request.cold.n_places
                    request.cold.fresh = (rows[:n], scores[:n])

    def _keeps_places(self, request: Request, batch: list[IndexQuery]) -> bool:
        """True if a list keeps places for cold items; the query for them joins the batch."""
        if not self.untouched_every:
            return False
        counts, every = self.interactions.counts, self.untouched_every
        cold = cold_query(request, counts, self.removed, every)
        if cold is None:
            return False
        query, request.cold = cold
        batch.append(query)
        return True

    def _index_query(self, request: Request) -> IndexQuery:
        fused, resolved = request.fused, request.resolved
        excluded = resolved.excluded
        if len(self.removed):
            excluded = np.union1d(excluded, self.removed)
        return IndexQuery(
            vector=fused.vector, boost=fused.boost, excluded=excluded, allowed=resolved.allowed
        )

    def _rank(self, request: Request) -> None:
        if self.ranker is None:
            return
        known = QueryContext(
            session=request.resolved.session,
            named=request.parsed.named,
            n_words=request.match.n_words,
        )
        request.rows, request.scores = self.ranker.ranked(
            request.fused, known, request.rows, request.scores
        )

    def _diversify(self, request: Request) -> None:
        """The list cut to what was asked, with what repeats what is before it moved down."""
        k = request.query.k
        if not request.is_diversified:
            request.rows, request.scores = request.rows[:k], request.scores[:k]
            return
        ranked, strength = request.rows, request.strength
        head = ranked[: compared(k)]
        vectors = np.zeros((len(head), 0), dtype=np.float32)
        if strength:
            vectors = self.fusion.text_vectors(head)
            request.is_textless = bool(len(ranked)) and not vectors.any()
        request.rows, request.scores = diversify(
            (ranked, request.scores),
            vectors,
            strength,
            k,
            request.caps,
            partial(self._search_further, request),
        )
        request.moved = moves(ranked, request.rows, k, self.catalog.item_ids)

    def _search_further(self, request: Request, seen: RowArray, full: Conditions) -> Candidates:
        """The next candidates: none of `seen`, none with a value that a list is full of."""
        query = self._index_query(request)
        every = query.allowed or Allowed(make_mask=lambda: self.catalog.satisfying(()))
        allowed = replace(
            every,
            conditions=(*every.conditions, *full),
            make_mask=lambda: every.mask & self.catalog.satisfying(full),
        )
        query = replace(query, excluded=np.union1d(query.excluded, seen), allowed=allowed)
        [candidates], complaint = search_within(
            self.index,
            [query],
            further_depth(request.query.k),
            _before_rerank([request]),
        )
        request.is_partial |= bool(complaint)
        return candidates

    def _items(self, request: Request) -> tuple[Item, ...]:
        return tuple(
            Item(self.catalog.item_ids[row], self.catalog.titles[row], float(score), rank)
            for rank, (row, score) in enumerate(
                zip(request.rows, request.scores, strict=True), start=1
            )
        )

    def _trace(self, request: Request, n_items: int, timings_ms: Mapping[str, float]) -> Trace:
        rerank = request.rerank
        return Trace(
            weights=request.fused.weights,
            timings_ms=timings_ms,
            evidence=request.fused.evidence,
            reason=request.fused.reason,
            understood=understood(request),
            notes=notes_of(request, n_items, self.catalog, reads=self.encoder is not None),
            rerank=rerank,
            moved=request.moved,
            degraded=request.is_unread
            or request.is_partial
            or request.parsed.is_unanswered
            or rerank.status in DEGRADED
            or bool(request.query.rerank and rerank.status == "off"),
            version=self.version,
            stats=None if self.encoder is None else stats_of(request),
        )


def _before_rerank(requests: Sequence[Request]) -> Deadline:
    """The first of requests' deadlines, less what comes after the search."""
    first = min((request.deadline for request in requests), key=lambda deadline: deadline.at_s)
    return replace(first, at_s=first.at_s - AFTER_MS / 1000)
