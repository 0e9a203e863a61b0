"""An artifact's rows searched in Milvus (Wang et al. 2021, doi:10.1145/3448016.3457550).

    query ┬ nearest rows under the limits     ┐
          └ the boosted rows under the limits ┴ union → + boost → the best
    not in time, or not trusted → the most popular items, searched here

Both are asked at the same time. Boosted rows are few and named, which Milvus answers exactly, so
the sum of both scores is exact over the union; vectors never travel.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from semrec.deadline import NEVER, Deadline
from semrec.environment.watch import AGAIN_S, Watch
from semrec.errors import DataError
from semrec.index.exact import ExactIndex, ScoredRows, top_rows
from semrec.index.expressions import ScalarField, expression
from semrec.index.milvus_server import Collection, EngineError, Published
from semrec.index.subset import SubsetIndex
from semrec.types import FloatArray, IndexQuery, RowArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymilvus import MilvusClient

MAX_S = 1.0  # for a search, whatever the deadline
PATIENT_S = 0.1  # who waited so long in vain needn't be followed by others
CHECK_S = 2.0
EVERY_S = 60.0  # between checks while it is trusted
MAX_NAMED = 2_000  # exclusions; of more, so many more rows are fetched and dropped here
MAX_BOOSTED = 2_000
MAX_LIMIT = 16_384  # Milvus' own
THREADS = 16
CANARIES = 4  # rows whose own inner products are asked for
ROUNDING = 1e-3


class MilvusIndex:
    """A published collection, and what answers where it can't be asked in time.

    Args:
        collection: The artifact's rows.
        fields: Of attributes, by name.
        canary: (c, dim) float32, the vectors of the first rows: the collection is known by them.
        counted: (n_items, c) float32, the last columns. A query of nothing else (the most popular
            items) is answered by them, here and exactly.
        local: The most popular rows.
        again_s: Between checks while it isn't trusted.

    Raises:
        EngineError: If the collection is another one, or the token is wrong. A server that can't be
            reached may be there later: until then it isn't trusted.
    """

    def __init__(
        self,
        collection: Collection,
        fields: Mapping[str, ScalarField],
        canary: FloatArray,
        counted: FloatArray,
        local: SubsetIndex,
        *,
        again_s: float = AGAIN_S,
    ) -> None:
        self.collection, self.local = collection, local
        self._fields, self._canary = fields, canary[:CANARIES]
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
            if not query.vector[: -self._n_counted].any():
                lists[number] = self._by_counts(query, k)
            elif not (complaint := self._watch.look()):
                sent[number] = self._ask(query, k, until_s)
        for number, parts in sent.items():
            try:
                lists[number] = _united(queries[number], k, parts, until_s)
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

    def _ask(self, query: IndexQuery, k: int, until_s: float) -> list[Future[Any]]:
        """The questions that a query comes to, on their way."""
        excluded = np.unique(query.excluded)
        named = excluded if len(excluded) <= MAX_NAMED else excluded[:0]
        limit = min(k + len(excluded) - len(named), MAX_LIMIT)
        questions = [(limit, expression(query.allowed, self._fields, excluded=named.tolist()))]
        among = np.setdiff1d(query.boost.strongest(MAX_BOOSTED), excluded)
        if len(among):
            questions.append((len(among), expression(query.allowed, self._fields, among=among)))
        client, params = self._client, self._published
        return [
            self._pool.submit(self._answer, client, query.vector, limit, text, params, until_s)
            for limit, text in questions
            if text is not None
        ]

    def _answer(
        self,
        client: MilvusClient,
        vector: FloatArray,
        limit: int,
        text: str,
        published: Published | None,
        until_s: float,
    ) -> ScoredRows:
        left_s = until_s - time.monotonic()
        if left_s <= 0 or published is None:
            raise TimeoutError
        params = published.params(limit)
        hits = self.collection.search(client, vector, limit, text, params, left_s)
        rows = np.fromiter((row for row, _ in hits), np.int64, len(hits))
        return rows, np.fromiter((score for _, score in hits), np.float32, len(hits))

    def _by_counts(self, query: IndexQuery, k: int) -> ScoredRows:
        """The best by the counted columns alone."""
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
        rows = np.arange(len(self._canary))
        text = expression(None, self._fields, among=rows) or ""
        until_s = time.monotonic() + CHECK_S
        for row, vector in enumerate(self._canary):
            there, scores = self._answer(client, vector, len(rows), text, published, until_s)
            product = float(vector @ vector)
            score = dict(zip(there.tolist(), scores.tolist(), strict=True)).get(row, np.inf)
            if abs(score - product) > ROUNDING * max(product, 1.0):
                raise EngineError(f"{self.collection.name} has other vectors than the artifact")
        self._client, self._published = client, published


def _united(query: IndexQuery, k: int, parts: Sequence[Future[Any]], until_s: float) -> ScoredRows:
    """The best of what the questions of a query found, boosts added."""
    rows: RowArray = np.zeros(0, np.int64)
    scores: FloatArray = np.zeros(0, np.float32)
    for part in parts:
        others, theirs = part.result(timeout=max(until_s - time.monotonic(), 0.0))
        rows, scores = np.concatenate([rows, others]), np.concatenate([scores, theirs])
    rows, first = np.unique(rows, return_index=True)
    kept = ~np.isin(rows, query.excluded)
    rows, scores = rows[kept], scores[first][kept] + query.boost.at(rows[kept])
    return top_rows(rows, scores, k)
