"""Protocols of the line's parts: one or two methods, each with several implementers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, runtime_checkable

from semrec.deadline import Deadline
from semrec.types import (
    NO_MATCH,
    Event,
    FloatArray,
    FusedQuery,
    IndexQuery,
    Label,
    LexicalMatch,
    RerankScores,
    RowArray,
    SessionRows,
    SparseScores,
)


class Encoder(Protocol):
    """Turns text into vectors.

    Attributes:
        name: Canonical name, for example ``sentence-transformers/all-MiniLM-L6-v2``.
        fingerprint: Hash of what decides its vectors (weights, options); never of a path.
        dim: Length of its vectors.

    Examples:
        >>> from semrec.encoders.hashing import HashingEncoder
        >>> encoder: Encoder = HashingEncoder(dim=64)
        >>> encoder.encode_queries(["a quiet heist", "a wedding"]).shape
        (2, 64)
    """

    @property
    def name(self) -> str:
        """Canonical name."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of weights and options."""
        ...

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows, in the order of `texts`."""
        ...

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows, in the order of `texts`."""
        ...


@runtime_checkable
class DeadlineEncoder(Encoder, Protocol):
    """An encoder that may be late: a slow one, or one that is served elsewhere."""

    def encode_within(self, texts: Sequence[str], deadline: Deadline) -> FloatArray | None:
        """Requests: (n, dim) float32, unit rows; None if that can't be had in time."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A part that is served elsewhere and may not be trusted now."""

    @property
    def complaint(self) -> str:
        """The reason why it isn't trusted; empty if it is."""
        ...


class Interpreter(Protocol):
    """Says what a limit means for which no attribute has a word."""

    def choose(self, phrase: str, labels: Sequence[str], deadline: Deadline) -> str | None:
        """The one of `labels` that `phrase` means; None if that isn't clear, or not in time."""
        ...


class RequestReader(Protocol):
    """Says what a whole request means, beside the rules.

    Attributes:
        max_ms: How long it may take, whatever the budget.
    """

    @property
    def max_ms(self) -> float:
        """Milliseconds."""
        ...

    def begin(self, text: str) -> Future[Mapping[str, Any] | None] | None:
        """Its reading to come: `query`, `filters`, `liked`, `disliked`, all untrusted.

        None comes of it where it fails; None at once where it isn't asked.
        """
        ...


class Scorer(Protocol):
    """A behavioural model: what goes with what was done before.

    Examples:
        >>> import numpy as np
        >>> from semrec.behaviour.popularity import Popularity
        >>> scorer: Scorer = Popularity(counts=np.array([3, 1, 2], dtype=np.float32))
        >>> scorer.scores(SessionRows.of([1])).tolist()
        [3.0, 1.0, 2.0]
    """

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better; all equal if the session says nothing."""
        ...


class VectorModel(Protocol):
    """A behavioural model that fits an index: its score is an inner product."""

    @property
    def item_vectors(self) -> FloatArray:
        """(n_items, dim) float32; a row of zeros for an item never seen in training."""
        ...

    def session_vector(self, session: SessionRows) -> FloatArray:
        """(dim,) float32; zeros for an empty session."""
        ...


class SparseModel(Protocol):
    """A behavioural model that says something about a few items only: the session's neighbours.

    Attributes:
        n_seen: How many items have events: those that the neighbours are found among.
    """

    @property
    def n_seen(self) -> int:
        """Number of items that have events."""
        ...

    def nearest(self, session: SessionRows) -> SparseScores:
        """The items it knows of, with scores above 0; none for an empty session."""
        ...


class Fusion(Protocol):
    """Makes one inner product out of several signals."""

    def items(self, rows: RowArray | slice = ...) -> FloatArray:
        """(n_items, dim) float32: what an index holds; of `rows` alone if they are given."""
        ...

    def query(
        self,
        intent: FloatArray | None,
        session: SessionRows,
        semantic_weight: float | None,
        match: LexicalMatch = NO_MATCH,
        named: Sequence[Label] = (),
    ) -> FusedQuery:
        """The vector to put to the index, and the weights that made it."""
        ...

    def text_vectors(self, rows: RowArray) -> FloatArray:
        """(len(rows), dim) float32: the items' texts, zeros without one; dim 0 in the baseline."""
        ...

    def with_items(self, texts: FloatArray | None, n: int) -> tuple[Fusion, FloatArray]:
        """The same with `n` more items that nobody has touched, and their rows for the index.

        `texts` is (n, dim) float32, zeros where an item has no text; None without an encoder.
        """
        ...


class Index(Protocol):
    """Finds the rows with the largest inner product, plus what a boost adds to it.

    Examples:
        >>> import numpy as np
        >>> from semrec.index.exact import ExactIndex
        >>> index: Index = ExactIndex(vectors=np.eye(3, dtype=np.float32))
        >>> vector = np.array([0.1, 0.9, 0.5], dtype=np.float32)
        >>> query = IndexQuery(vector=vector, excluded=np.array([1]))
        >>> [(rows, scores)] = index.search([query], 2)
        >>> rows.tolist()
        [2, 0]
    """

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[tuple[RowArray, FloatArray]]:
        """For each query the up to `k` best permitted rows and their scores, best first.

        Among equal scores the lower row comes first. Fewer than `k` come back only if fewer are
        permitted.
        """
        ...

    @property
    def grows(self) -> bool:
        """True if it takes more rows."""
        ...

    def with_items(self, vectors: FloatArray) -> Index:
        """The same with more rows behind the others; whoever searches meanwhile isn't disturbed.

        Args:
            vectors: (n, dim) float32.

        Raises:
            DataError: If it doesn't grow.
        """
        ...


@runtime_checkable
class DeadlineIndex(Index, Protocol):
    """An index that is elsewhere, and so may be late or away."""

    def search_within(
        self, queries: Sequence[IndexQuery], k: int, deadline: Deadline
    ) -> tuple[list[tuple[RowArray, FloatArray]], str]:
        """As `search`, by the deadline; why it wasn't the whole index that was searched, or ""."""
        ...


class Reranker(Protocol):
    """Scores how well each of a few candidates answers a request."""

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Scores, chunk by chunk, as they are made: what was given out can't be lost any more.

        It begins with the first texts, looks at the deadline inside its work and ends when it has
        passed. What it hasn't scored by then it leaves out.

        Args:
            request: What is wanted, in words.
            texts: The candidates in words, the likeliest first. They are data: whatever stands in
                them is not followed.
            deadline: When to stop.

        Raises:
            SemrecError: If it can't score; never for a deadline that has passed.
        """
        ...


KEPT_EVENTS = 1_000  # of a session; older ones hardly pull any more


class SessionStore(Protocol):
    """Keeps what was done in sessions. What `append` has returned from, every later `get` sees.

    All methods raise `StateError` while the store can't be reached.

    Examples:
        >>> from semrec.sessions.memory import MemorySessions
        >>> store: SessionStore = MemorySessions()
        >>> liked = Event("heat", "like", event_id="e1")
        >>> store.append({"ada": [liked]}), store.append({"ada": [liked]})
        (1, 0)
        >>> [event.item_id for event in store.get("ada")], store.erase("ada"), store.get("ada")
        (['heat'], 1, ())
    """

    def get(self, session_id: str) -> tuple[Event, ...]:
        """The up to `KEPT_EVENTS` newest events of a session in the order they came in."""
        ...

    def append(self, events: Mapping[str, Sequence[Event]]) -> int:
        """Add events by session id; how many were new.

        Every event has an `event_id`; one that its session has already isn't added again.
        """
        ...

    def conversation(self, session_id: str) -> str:
        """The text that `keep` was given last for a session; ``""`` if nothing was."""
        ...

    def keep(self, session_id: str, conversation: str) -> None:
        """Keep what a session's conversation has come to, as text, instead of what was kept."""
        ...

    def erase(self, session_id: str, event_ids: Collection[str] | None = None) -> int:
        """Forget some events of a session, or all of it and its conversation; how many events."""
        ...

    def close(self) -> None:
        """Let go of files and connections; what was appended stays."""
        ...
