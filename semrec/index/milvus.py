"""An artifact's rows searched in Milvus (Wang et al. 2021, doi:10.1145/3448016.3457550).

    query → nearest rows under the limits, there → exact sums with boosts of these and of the rows
            that a boost could lift, here → the best
    limits that leave few rows → all of them scored, here
    not in time, or not trusted → the most popular rows, searched here

Vectors don't travel: those few that are needed are read from the artifact.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from semrec.deadline import NEVER, Deadline
from semrec.environment.watch import AGAIN_S, Watch
from semrec.errors import DataError
from semrec.index.exact import MARGIN, ExactIndex, ScoredRows, scan, with_boosted
from semrec.index.expressions import ScalarField, expression
from semrec.index.ivf import GATHERED
from semrec.index.milvus_server import Collection, EngineError, Published
from semrec.index.subset import SubsetIndex
from semrec.types import NO_ROWS, FloatArray, IndexQuery, RowArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymilvus import MilvusClient

MAX_S = 1.0  # for a search, whatever the deadline
PATIENT_S = 0.1  # who waited so long in vain needn't be followed by others
CHECK_S = 2.0
EVERY_S = 60.0  # between checks while it is trusted
MAX_LIMIT, MAX_BREADTH = 16_384, 32_768  # Milvus' own
MAX_OVERFETCH = 500  # excluded rows that are fetched and dropped here
THREADS = 16
CANARIES = 4  # rows whose own inner products are asked for
ROUNDING = 1e-3


class MilvusIndex:
    """A published collection, and what answers where it can't be asked in time.

    Args:
        collection: The artifact's rows.
        fields: Of attributes, by name.
        vectors: (n_items, dim) float32, as published; may be a `np.memmap`: few rows of it are read
            for a query. The collection is known by the first ones.
        counted: (n_items, c) float32, the last columns. A query of nothing else (the most popular
            items) is answered by them, here and exactly.
        local: The most popular rows.
        gathered: Limits that leave no more rows than this are answered here, exactly: a graph under
            limits misses many, and the rows' vectors are at hand.
        again_s: Between checks while it isn't trusted.

    Raises:
        EngineError: If the collection is another one, or the token is wrong. A server that can't be
            reached may be there later: until then it isn't trusted.
    """

    def __init__(
        self,
        collection: Collection,
        fields: Mapping[str, ScalarField],
        vectors: FloatArray,
        counted: FloatArray,
        local: SubsetIndex,
        *,
        gathered: int = GATHERED,
        again_s: float = AGAIN_S,
    ) -> None:
        self.collection, self.local = collection, local
        self._fields, self._vectors, self._gathered = fields, vectors, gathered
        self._counted, self._n_counted = ExactIndex(vectors=counted), counted.shape[1]
        self._client: MilvusClient | None = None
        self._published: Published | None = None
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="milvus")
        self._watch = Watch("the index", self._complaint, every_s=EVERY_S, again_s=again_s)
        try:
            self._open()
        except (EngineError, TimeoutError) as error:
            if isinstance(error, EngineError) and not error.is_away:
                raise
            self._watch.conclude(str(error))
        else:
            self._watch.conclude("")

    @property
    def complaint(self) -> str:
        """The reason why it isn't trusted; empty if it is."""
        return self._watch.complaint

    @property
    def published(self) -> Published | None:
        """The collection's engine and breadth; None as long as it couldn't be reached."""
        return self._published

    @property
    def grows(self) -> bool:
        """It doesn't: the collection is the artifact's."""
        return False

    def with_items(self, vectors: FloatArray) -> MilvusIndex:
        """Not here.

        Raises:
            DataError: Always.
        """
        raise DataError(f"a published collection takes no rows, found {len(vectors)}")

    def search(self, queries: Sequence[IndexQuery], k: int) -> list[ScoredRows]:
        """For each query the up to `k` best permitted rows and their scores, best first."""
        return self.search_within(queries, k, NEVER)[0]

    def search_within(
        self, queries: Sequence[IndexQuery], k: int, deadline: Deadline
    ) -> tuple[list[ScoredRows], str]:
        """As `search`, by the deadline; why a list is of the most popular rows alone, or ``""``."""
        started_s = time.monotonic()
        until_s = min(deadline.at_s, started_s + MAX_S)
        complaint, lists, sent = "", {}, {}
        for number, query in enumerate(queries):
            share = 1.0 if query.allowed is None else float(query.allowed.mask.mean())
            if (best := self._here(query, k, share)) is not None:
                lists[number] = best
            elif not (complaint := self._watch.look()):
                sent[number] = self._ask(query, k, share, until_s)
        for number, part in sent.items():
            try:
                rows = part.result(timeout=max(until_s - time.monotonic(), 0.0))
                lists[number] = self._best(queries[number], k, rows)
            except TimeoutError:
                complaint = "no answer in time"
                if until_s - started_s < PATIENT_S:  # too little time, or it hangs: a check tells
                    self._watch.check_beside()
                else:
                    self._watch.conclude(complaint)
            except EngineError as error:
                complaint = str(error)
                self._watch.conclude(complaint)
        for number, query in enumerate(queries):
            if number not in lists:
                [lists[number]] = self.local.search([query], k)
        return [lists[number] for number in range(len(queries))], complaint

    def _ask(self, query: IndexQuery, k: int, share: float, until_s: float) -> Future[RowArray]:
        """The question that a query comes to, on its way; broader where limits leave out more."""
        published = self._published
        if published is not None:
            broader = min(int(published.breadth / share), MAX_BREADTH)
            published = replace(published, breadth=broader)
        at = (self._client, published)
        return self._pool.submit(self._nearest, at, query, k, until_s)

    def _nearest(
        self,
        at: tuple[MilvusClient | None, Published | None],
        query: IndexQuery,
        k: int,
        until_s: float,
    ) -> RowArray:
        """The nearest rows, so many that `k` are left without those that are excluded.

        Few more are needed where what is excluded isn't what is near. To name what is excluded
        costs as much as to fetch it, and a graph doesn't get past it.
        """
        text = expression(query.allowed, self._fields)
        n_excluded = len(query.excluded)
        limit = k + MARGIN + min(n_excluded, MAX_OVERFETCH)
        rows, _ = self._answer(at, query.vector, min(limit, MAX_LIMIT), text, until_s)
        n_left = len(rows) - int(np.isin(rows, query.excluded).sum())
        if n_left >= k or n_excluded <= MAX_OVERFETCH:
            return rows
        limit = k + MARGIN + n_excluded
        if limit > MAX_LIMIT:
            text = expression(query.allowed, self._fields, excluded=query.excluded.tolist())
            limit = min(k + MARGIN, MAX_LIMIT)
        return self._answer(at, query.vector, limit, text, until_s)[0]

    def _answer(
        self,
        at: tuple[MilvusClient | None, Published | None],
        vector: FloatArray,
        limit: int,
        text: str | None,
        until_s: float,
    ) -> ScoredRows:
        """Rows that satisfy an expression, best first, and what they were compared by."""
        client, published = at
        left_s = until_s - time.monotonic()
        if client is None or published is None or left_s <= 0:
            raise TimeoutError("no answer in time")
        if text is None:
            return NO_ROWS, np.zeros(0, np.float32)
        return self.collection.search(client, vector, limit, text, published, left_s)

    def _best(self, query: IndexQuery, k: int, rows: RowArray) -> ScoredRows:
        """The best of what was found and of what is boosted, scored here."""
        exact = self._published is not None and self._published.engine == "flat"
        products = np.einsum("ij,j->i", self._vectors[rows], query.vector)
        ceiling = float(products.min()) if len(rows) else -np.inf
        near, scores = with_boosted(self._vectors, query, k, rows, ceiling, exact=exact)
        if len(near) < k and len(near) < int(query.permitted(len(self._vectors)).sum()):
            return scan(self._vectors, query, k)  # a graph that leads nowhere
        return near, scores

    def _here(self, query: IndexQuery, k: int, share: float) -> ScoredRows | None:
        """The best rows, where counted columns or few permitted rows decide; None: ask for them."""
        if query.vector[: -self._n_counted].any():
            few = query.allowed is not None and share * len(self._vectors) <= self._gathered
            return scan(self._vectors, query, k) if few else None
        vector = query.vector[-self._n_counted :]
        own = IndexQuery(
            vector=vector, boost=query.boost, excluded=query.excluded, allowed=query.allowed
        )
        [best] = self._counted.search([own], k)
        return best

    def _complaint(self) -> str:
        try:
            self._open()
        except (EngineError, TimeoutError) as error:
            return str(error)
        return ""

    def _open(self) -> None:
        """Connect anew, and see that the collection is the one that is wanted.

        Raises:
            EngineError: If it isn't, or can't be reached.
        """
        client = self.collection.server.client(CHECK_S)
        published = self.collection.published(client)
        if published is None:
            name, again = self.collection.name, self.collection.again
            raise EngineError(f"{name} is half published: {again} goes on with it")
        rows = np.arange(min(CANARIES, len(self._vectors)))
        text = expression(None, self._fields, among=rows) or ""
        until_s = time.monotonic() + CHECK_S
        for row, vector in enumerate(self._vectors[:CANARIES]):
            at = (client, published)
            there, scores = self._answer(at, vector, len(rows), text, until_s)
            expected = float(published.space.distances(vector[None], vector)[0])
            score = dict(zip(there.tolist(), scores.tolist(), strict=True)).get(row, np.inf)
            if abs(score - expected) > ROUNDING * max(abs(expected), 1.0):
                raise EngineError(f"{self.collection.name} has other vectors than the artifact")
        self._client, self._published = client, published
