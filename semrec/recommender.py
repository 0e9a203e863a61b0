"""The recommender: answers queries, and takes items in and out while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.data.item_records import item_ids_of, item_records
from semrec.errors import DataError
from semrec.intent.intent_parser import IntentParser
from semrec.lexical.bm25 import BM25
from semrec.pipeline.query_cache import QueryCache
from semrec.pipeline.rerank import Reranking
from semrec.pipeline.stages import Pipeline
from semrec.pipeline.updates import with_items, without_items
from semrec.prompting import Prompts
from semrec.protocols import Encoder, Fusion, Index
from semrec.ranking.ranker import Ranker
from semrec.types import Query, Recommendations, RowArray, to_query
from semrec.types.checks import as_list


class Recommender:
    """Answers queries. Made by `semrec.build` or `semrec.load`.

    It holds one immutable `Pipeline`. A live update makes another and swaps the reference, so a
    request that is on its way keeps the parts that it began with. The pipeline's parts can be read
    here as attributes (`rec.catalog`, `rec.index`, …), none can be set.

    Examples:
        >>> import semrec
        >>> rec = semrec.load("artifacts/films")
        >>> recs = rec.recommend(intent="a quiet heist", session=["heat"], k=2)
        >>> recs.items[0].title
        'Rififi'
    """

    __slots__ = ("__weakref__", "_lock", "_of", "_pipeline")

    catalog: Catalog
    interactions: Interactions
    encoder: Encoder | None
    prompts: Prompts
    fusion: Fusion
    index: Index
    intent_parser: IntentParser | None
    removed: RowArray
    untouched_every: int
    query_cache: QueryCache
    lexical: BM25 | None
    ranker: Ranker | None
    reranking: Reranking | None
    waits: bool
    manifest: Mapping[str, Any]
    path: Path | None

    def __init__(self, pipeline: Pipeline, *, of: Recommender | None = None) -> None:
        """A recommender around its parts.

        Args:
            pipeline: The parts.
            of: The recommender whose baseline this is: its parts are what counts then.
        """
        self._pipeline, self._of = pipeline, of
        self._lock = Lock()  # one update after the other; requests don't take it

    @property
    def pipeline(self) -> Pipeline:
        """The parts that answer now."""
        baseline = None if self._of is None else self._of.pipeline.baseline
        return self._pipeline if baseline is None else baseline

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (the annotations above say what)
        """A part of the pipeline."""
        if name.startswith("_"):  # while an instance is copied it has no pipeline yet
            raise AttributeError(name)
        return getattr(self.pipeline, name)

    def with_parts(self, **parts: Any) -> Recommender:  # noqa: ANN401 (the fields of Pipeline)
        """Another recommender, with some parts in place of this one's."""
        return Recommender(replace(self.pipeline, **parts))

    def recommend(
        self,
        query: Query | Mapping[str, Any] | str | None = None,
        /,
        **fields: Any,  # noqa: ANN401 (the fields of Query)
    ) -> Recommendations:
        """The best items for a query, given as a `Query`, a mapping, words, or keywords.

        Raises:
            QueryError: If the query can't be understood.

        Examples:
            >>> import semrec
            >>> rec = semrec.load("artifacts/films")
            >>> rec.recommend(intent="alone in space, made after 2000", k=1).items[0].title
            'Moon'
            >>> recs = rec.recommend(session=["heat"], filters={"year": {"lt": 1960}})
            >>> [item.title for item in recs.items]
            ['Rififi']
        """
        return self.recommend_many([to_query(query, **fields)])[0]

    def recommend_many(self, queries: Iterable[Query]) -> list[Recommendations]:
        """The answers to many queries, in their order: the same as one by one, but batched.

        Raises:
            QueryError: If a query can't be understood.

        Examples:
            >>> import semrec
            >>> rec = semrec.load("artifacts/films")
            >>> queries = [semrec.Query(intent="a heist", k=3), semrec.Query(session=["moon"], k=5)]
            >>> [len(recs.items) for recs in rec.recommend_many(queries)]
            [3, 5]
        """
        checked = as_list(queries, "queries", limit=None)
        return self.pipeline.answer([to_query(query) for query in checked])

    def baseline(self) -> Recommender:
        """The same interface, behavioural-only: words are ignored, the search is exact.

        Examples:
            >>> import semrec
            >>> base = semrec.load("artifacts/films").baseline()
            >>> heist, love = base.recommend(intent="a heist"), base.recommend(intent="love")
            >>> heist.items == love.items
            True
        """
        baseline = self.pipeline.baseline
        return self if baseline is None else Recommender(baseline, of=self)

    def add_items(self, items: Iterable[Mapping[str, Any]]) -> int:
        """Add items to this running recommender; the next request can get them.

        An item that nobody has touched is found by its words, and by what its text says of its
        behaviour. The artifact on disk stays as it is.

        Args:
            items: Mappings of `item_id` and any of the catalogue's columns (`title`, `text`, …), or
                a frame (pandas, Polars, Arrow) with these columns.

        Returns:
            How many were added: all of them, or none if an error is raised.

        Raises:
            DataError: On an unknown column, a value of another type, or an id that is in use.

        Examples:
            >>> import semrec
            >>> rec = semrec.load("artifacts/films")
            >>> rec.add_items([{"item_id": "new", "title": "A submarine heist", "year": 2026}])
            1
            >>> rec.recommend(intent="submarine", k=1).items[0].item_id
            'new'
        """
        added = item_records(items)
        self._refuse_baseline(bool(added))
        with self._lock:
            self._pipeline = with_items(self._pipeline, added)
        return len(added)

    def remove_items(self, item_ids: Iterable[str]) -> int:
        """Remove items from this running recommender, at once: no later request gets them.

        Returns:
            How many were removed: all of them, or none if an error is raised.

        Raises:
            DataError: If one isn't there.

        Examples:
            >>> import semrec
            >>> rec = semrec.load("artifacts/films")
            >>> rec.remove_items(["rififi"])
            1
            >>> "rififi" in [item.item_id for item in rec.recommend(intent="a quiet heist").items]
            False
        """
        removed = item_ids_of(item_ids)
        self._refuse_baseline(True)
        with self._lock:
            before = self._pipeline
            self._pipeline = without_items(before, removed)
            return len(self._pipeline.removed) - len(before.removed)

    def __repr__(self) -> str:
        encoder = "no encoder" if self.encoder is None else self.encoder.name
        n_items = len(self.catalog) - len(self.removed)
        n_users = len(self.interactions.user_ids)
        contents = f"{n_items:,} items, {n_users:,} users, {encoder}"
        return f"Recommender({contents}, version {self.version or 'unsaved'})"

    def _refuse_baseline(self, changes: bool) -> None:
        if changes and self.pipeline.baseline is None:
            raise DataError("a baseline follows its recommender: add and remove items there")

    @property
    def version(self) -> str:
        """A short hash that changes with anything in the artifact; ``""`` if there is none."""
        return self.pipeline.version
