"""A query on its way through the pipeline: what each stage made of it, its times, its notes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from semrec.data.attributes import Labels
from semrec.data.catalog import Catalog
from semrec.deadline import NEVER, Deadline
from semrec.errors import nearest, preview
from semrec.intent.filters import explain_nothing
from semrec.intent.tokens import key
from semrec.pipeline.diversity import Caps
from semrec.pipeline.resolve import ParsedQuery, Resolved
from semrec.types import (
    NO_MATCH,
    NO_ROWS,
    BoolArray,
    FloatArray,
    FusedQuery,
    LexicalMatch,
    Moved,
    Query,
    RequestStats,
    RerankTrace,
    RowArray,
)

MAX_UNKNOWN = 5  # labels that no item has: notes on so many
OFF = RerankTrace()
WORDS_ALONE, STOOD_IN = "the words are matched as words alone", "a quick one stood in for it"


@dataclass(kw_only=True)
class ColdSlots:
    """Places that a list keeps for items that nobody has touched.

    Attributes:
        n_places: How many.
        every: Their distance.
        untouched: (n_items,) bool, the items without events.
        fresh: Rows and scores of those that are found for them, best first.
    """

    n_places: int
    every: int
    untouched: BoolArray
    fresh: tuple[RowArray, FloatArray] = (NO_ROWS, np.zeros(0, np.float32))


@dataclass(kw_only=True)
class Request:
    """One query, from what was asked to the rows of its list; stages fill it in from top to bottom.

    Attributes:
        original: The query as it came.
        deadline: When reranking must be done.
        parsed: What its words state.
        resolved: Its session and its limits in rows.
        vector: (dim,) float32, its words as the encoder reads them; None without content words.
        is_unread: Whether the encoder couldn't read them in time; a stand-in may have.
        is_partial: Whether only the most popular items were searched.
        match: Its words as the lexical part matches them.
        fused: What is put to the index.
        rows: (n,) int64, the list, best first.
        scores: (n,) float32, falling until the list is diversified.
        strength: Of the diversity that is wanted; 0: none.
        caps: The caps on attributes, with what stands in the list counted.
        is_textless: Whether diversity was wanted of items without texts.
        moved: What diversity and caps moved.
        cold: Places kept for items without events, and what was found for them.
        rerank: What the reranker did.
    """

    original: Query
    deadline: Deadline = NEVER
    parsed: ParsedQuery = field(init=False)
    resolved: Resolved = field(init=False)
    vector: FloatArray | None = None
    is_unread: bool = False
    is_partial: bool = False
    match: LexicalMatch = NO_MATCH
    fused: FusedQuery = field(init=False)
    rows: RowArray = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    strength: float = 0.0
    caps: Caps = field(default_factory=Caps)
    is_textless: bool = False
    moved: tuple[Moved, ...] = ()
    cold: ColdSlots | None = None
    rerank: RerankTrace = OFF

    @property
    def query(self) -> Query:
        """With what its words state made exact."""
        return self.parsed.query

    @property
    def is_diversified(self) -> bool:
        """True if its list may be another than the ranked one."""
        return self.strength > 0 or bool(self.caps.limits)


class Clock:
    """Milliseconds per stage, shared out over a batch."""

    def __init__(self, n: int) -> None:
        """`n` is the size of the batch."""
        self._n = n
        self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """The stage that ends now."""
        now = time.perf_counter()
        self._laps[stage] = (now - self._last) * 1000 / self._n
        self._last = now

    def timings_ms(self) -> dict[str, float]:
        """Milliseconds by stage, and in `total`."""
        return {**self._laps, "total": sum(self._laps.values())}


def notes_of(request: Request, n_items: int, catalog: Catalog, *, reads: bool) -> tuple[str, ...]:
    """Unknown ids, signals that were missing, limits that nothing satisfies.

    Args:
        request: At the end of the line.
        n_items: How many items came back.
        catalog: What the filters were put to.
        reads: Whether there is an encoder.
    """
    query = request.query
    notes = [
        *request.parsed.notes,
        *request.resolved.notes,
        *unknown_labels(request.original.filters, catalog),
    ]
    if query.rerank and request.rerank.status == "off":
        why = request.rerank.reason or "there is no reranker for such queries here"
        notes.append(f"reranking was asked for: {why}")
    if request.is_unread:
        instead = WORDS_ALONE if request.vector is None else STOOD_IN
        notes.append(f"the encoder couldn't be asked in time: {instead}")
    if request.is_partial:
        notes.append("the index couldn't be asked in time: only the best known items were searched")
    if request.is_textless:
        notes.append("diversity compares texts, and there are none here: it moved nothing")
    if not reads and query.intent.strip():
        notes.append("behavioural-only: the words were ignored")
    if reads and (language := request.parsed.language):
        notes.append(f"this looks like {language}: English is read best, its words alone count")
    if request.fused.weights["popularity"] == 1.0:
        notes.append("no signal in words or session: the most popular items")
    if not n_items and (reason := explain_nothing(query.filters, catalog)):
        notes.append(reason)
    elif n_items < query.k:
        limits = request.caps.limits
        permitted = f"keep max_per {preview(dict(limits))}" if limits else "are permitted"
        notes.append(f"only {n_items} items {permitted}, {query.k} were asked for")
    return tuple(notes)


def stats_of(request: Request) -> RequestStats:
    """The request's statistics, for monitoring."""
    return RequestStats(
        vector=request.vector,
        n_unknown=len(request.match.unknown),
        language=request.parsed.language,
        filters=tuple(sorted(request.query.filters)),
    )


def understood(request: Request) -> Mapping[str, Any]:
    """The parse for the trace; names that no item has stand in its `not_understood`."""
    read = request.parsed.understood
    missed = list(read.get("not_understood", ()))
    labels = {key(label) for _, label in request.parsed.named}  # "hitmen" is the label "hitman"
    if not request.parsed.language:  # else no item has any of its words
        missed += [
            words
            for words in request.match.unknown
            if key(words) not in labels
            and not any(words.casefold() in phrase.casefold() for phrase in missed)
        ]
    return {**read, "not_understood": missed} if missed else read


def unknown_labels(filters: Mapping[str, Any], catalog: Catalog) -> list[str]:
    """Notes on labels that no item has, the first `MAX_UNKNOWN`."""
    notes = []
    for name, condition in filters.items():
        attribute = catalog.attributes[name]
        if isinstance(attribute, Labels):
            for label in attribute.unknown(condition):
                hint = nearest(label.casefold(), attribute.like(label), listed=False)
                notes.append(f"filter {name!r}: no item has {preview(label)}{hint}")
                if len(notes) == MAX_UNKNOWN:
                    return notes
    return notes
