"""An artifact's rows put into Milvus: written, indexed, and measured before anybody searches them.

    create → write what is missing, part by part → flush → index → measure → broader, or again
           for a look at everything → say that it is complete

Each step looks at what is there already, so that it goes on where it was broken off.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semrec.data.attributes import Attribute, Labels, Numbers
from semrec.errors import DataError
from semrec.index.exact import ROUNDING
from semrec.index.expressions import COUNT, ROW, VECTOR, ScalarField, stored_numbers
from semrec.index.milvus_server import (
    CHECKSUM,
    SPACE,
    Collection,
    Engine,
    EngineError,
    Published,
    plain_errors,
)
from semrec.index.selection import RECALL_AT, kth_scores
from semrec.index.space import PLAIN, Space, space_by
from semrec.types import FloatArray, Progress

if TYPE_CHECKING:
    from pymilvus import MilvusClient

PART_BYTES, PART_ROWS = 16_000_000, 5_000  # of one message
CONNECT_S, WRITE_S, INDEX_S, SEARCH_S = 10.0, 120.0, 3_600.0, 30.0
FLAT_MOST = 200_000  # rows up to which a look at all of them takes no longer than a graph
LINKS, EF_CONSTRUCTION = 32, 200
BREADTHS = (256, 512, 1_024, 2_048, 4_096)
MAX_LABELS = 4_096  # of one item, in one attribute: Milvus' own
MAX_FIELDS = 60  # attributes; Milvus takes 64 fields
WARM = 20  # searches after a change of index, of which the first can take seconds


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The rows of an artifact, to be published.

    Attributes:
        vectors: (n_items, dim) float32; may be a `np.memmap`.
        counts: (n_items,) int64, people who touched each item.
        attributes: By name.
    """

    vectors: FloatArray
    counts: NDArray[np.int64]
    attributes: Mapping[str, Attribute]


def fields_of(attributes: Mapping[str, Attribute]) -> dict[str, ScalarField]:
    """The fields of attributes, by name.

    Raises:
        DataError: If there are more than Milvus takes.
    """
    if len(attributes) > MAX_FIELDS:
        raise DataError(f"Milvus takes {MAX_FIELDS} attributes, found {len(attributes)}")
    return {
        name: ScalarField(name=f"a{number}", holds_labels=isinstance(attribute, Labels))
        for number, (name, attribute) in enumerate(attributes.items())
    }


def publish_rows(
    collection: Collection,
    rows: Rows,
    queries: Mapping[str, FloatArray],
    *,
    engine: Engine | None = None,
    recall: float = 0.97,
    progress: Progress,
) -> dict[str, Any]:
    """Put rows into a collection and say how it is to be searched.

    Args:
        collection: Where to.
        rows: What.
        queries: By name, (n, dim) float32, real ones: recall is measured on them.
        engine: ``flat`` or ``hnsw``; None: flat up to `FLAT_MOST` rows, and wherever a graph falls
            short of `recall`.
        recall: Of the 100 best rows, so large a share is to be found, by the queries of each name.
        progress: Called as work proceeds.

    Returns:
        Plain values: engine, breadth, rows; if they weren't there already recall by name, what was
        tried, seconds by step.

    Raises:
        EngineError: If the server fails, refuses, or can't be reached in time.
        DataError: If an item has more labels, or items more attributes, than Milvus takes.
    """
    client = collection.server.client(CONNECT_S)
    with _plain_refusals(collection.server.uri):
        if (done := _done(client, collection, len(rows.vectors), engine)) is not None:
            return done
        tried: list[dict[str, Any]] = []
        measure = _Measure.of(rows, queries, recall)
        started = time.monotonic()
        for wanted in [engine] if engine else _engines(len(rows.vectors)):
            if tried:  # what it is kept in for one engine is no good for the other
                drop(collection)
            space = PLAIN
            if wanted == "hnsw":
                space = space_by(rows.vectors, np.concatenate(list(queries.values())))
            _put(client, collection, rows, space, progress)
            searched = Published(engine=wanted, space=space)
            tried += _tried(client, collection, searched, measure, progress)
            if min(tried[-1]["recall"].values()) >= recall:
                break
        said = {**tried[-1], "wanted": recall, "tried": tried, "rows": len(rows.vectors)}
        client.create_alias(collection.name, collection.alias(said["engine"], said["breadth"]))
    return {**said, "seconds": round(time.monotonic() - started, 1)}


def _engines(n: int) -> list[Engine]:
    return ["flat"] if n <= FLAT_MOST else ["hnsw", "flat"]


def _put(
    client: MilvusClient, collection: Collection, rows: Rows, space: Space, progress: Progress
) -> None:
    """All rows into the collection: those that aren't there."""
    if client.has_collection(collection.name):
        properties = client.describe_collection(collection.name).get("properties", {})
        if properties.get(SPACE, "") != space.to_text():
            drop(collection)
    if not client.has_collection(collection.name):
        _create(client, collection, rows, space)
    client.load_collection(collection.name, timeout=INDEX_S)
    _write(client, collection, rows, space, progress)
    client.flush(collection.name, timeout=INDEX_S)
    if (n_there := _count(client, collection)) != len(rows.vectors):
        raise EngineError(
            f"{collection.name} has {n_there:,} rows, expected {len(rows.vectors):,}: "
            "drop it, and publish again"
        )


def _done(
    client: MilvusClient, collection: Collection, n: int, engine: Engine | None
) -> dict[str, Any] | None:
    """The collection's engine and breadth, if it is complete; one of another engine is dropped."""
    if not client.has_collection(collection.name):
        return None
    published = collection.published(client)
    if published is None:
        return None  # it is gone on with
    client.load_collection(collection.name, timeout=INDEX_S)
    if _count(client, collection) == n and engine in (None, published.engine):
        return {"engine": published.engine, "breadth": published.breadth, "recall": {}, "rows": n}
    drop(collection)
    return None


def drop(collection: Collection) -> None:
    """Take a collection away, if it is there.

    Raises:
        EngineError: If the server fails, or can't be reached.
    """
    client = collection.server.client(CONNECT_S)
    with _plain_refusals(collection.server.uri):
        if client.has_collection(collection.name):
            for alias in client.list_aliases(collection.name)["aliases"]:
                client.drop_alias(alias)
            client.drop_collection(collection.name)


@contextmanager
def _plain_refusals(where: str) -> Iterator[None]:
    """As `plain_errors`, for who waits for nobody else: too late is an EngineError, too."""
    try:
        with plain_errors(where):
            yield
    except TimeoutError as error:
        raise EngineError(f"{error}; publish again: it goes on from there", is_away=True) from None


def _create(client: MilvusClient, collection: Collection, rows: Rows, space: Space) -> None:
    """An empty collection, with an index that looks at everything."""
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field(ROW, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=space.width(collection.dim))
    schema.add_field(COUNT, DataType.DOUBLE)
    for name, field in fields_of(rows.attributes).items():
        attribute = rows.attributes[name]
        if isinstance(attribute, Labels):
            most = int(np.bincount(attribute.rows, minlength=1).max(initial=1))
            if most > MAX_LABELS:
                raise DataError(f"{name}: an item has {most:,} labels, Milvus takes {MAX_LABELS:,}")
            capacity = max(most, 1)
            schema.add_field(
                field.name, DataType.ARRAY, element_type=DataType.INT64, max_capacity=capacity
            )
        else:
            schema.add_field(field.name, DataType.DOUBLE)
    client.create_collection(
        collection.name,
        schema=schema,
        consistency_level="Bounded",
        properties={CHECKSUM: collection.checksum, SPACE: space.to_text()},
    )
    _make_index(client, collection, "flat", space.metric)


def _write(
    client: MilvusClient, collection: Collection, rows: Rows, space: Space, progress: Progress
) -> None:
    """Insert the parts that aren't there."""
    n = len(rows.vectors)
    step = max(1, min(PART_ROWS, PART_BYTES // (4 * collection.dim)))
    columns = _columns(rows)
    is_new = _count(client, collection) == 0
    for start in range(0, n, step):
        end = min(start + step, n)
        progress("write", start, n)
        part = f"{ROW} >= {start} and {ROW} < {end}"
        n_there = 0 if is_new else _count(client, collection, part)
        if n_there == end - start:
            continue
        if n_there:
            client.delete(collection.name, filter=part, timeout=WRITE_S)
        vectors = space.stored(rows.vectors[start:end])
        data = [
            {ROW: row, VECTOR: vectors[row - start]}
            | {name: column[row] for name, column in columns.items()}
            for row in range(start, end)
        ]
        client.insert(collection.name, data, timeout=WRITE_S)
    progress("write", n, n)


def _columns(rows: Rows) -> dict[str, list[Any]]:
    """Fields' values by row."""
    columns: dict[str, list[Any]] = {COUNT: [float(count) for count in rows.counts]}
    for name, field in fields_of(rows.attributes).items():
        attribute = rows.attributes[name]
        if isinstance(attribute, Numbers):
            columns[field.name] = stored_numbers(attribute.values)
        elif isinstance(attribute, Labels):
            listed: list[list[int]] = [[] for _ in range(len(rows.vectors))]
            for row, code in zip(attribute.rows.tolist(), attribute.codes.tolist(), strict=True):
                listed[row].append(code)
            columns[field.name] = listed
    return columns


@dataclass(frozen=True, kw_only=True)
class _Measure:
    """The measure of recall: real queries, and the scores that are good enough.

    Attributes:
        vectors: (n_items, dim) float32.
        queries: By name, (n, dim) float32.
        worst: By name, (n,) float32: the score of each query's 100th best row.
        recall: The share that is wanted.
    """

    vectors: FloatArray
    queries: Mapping[str, FloatArray]
    worst: Mapping[str, FloatArray]
    recall: float

    @classmethod
    def of(cls, rows: Rows, queries: Mapping[str, FloatArray], recall: float) -> _Measure:
        """The measure on rows."""
        worst = {name: kth_scores(rows.vectors, of, RECALL_AT) for name, of in queries.items()}
        return cls(vectors=rows.vectors, queries=queries, worst=worst, recall=recall)


def _tried(
    client: MilvusClient,
    collection: Collection,
    searched: Published,
    measure: _Measure,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The breadths of an engine that were tried; the last is the first that is enough, if any."""
    engine = searched.engine
    progress("index", 0, 1, engine)
    _make_index(client, collection, engine, searched.space.metric)
    tried: list[dict[str, Any]] = []
    for breadth in BREADTHS if engine == "hnsw" else (0,):
        reached = _reached(client, collection, replace(searched, breadth=breadth), measure)
        tried.append({"engine": engine, "breadth": breadth, "recall": reached})
        progress("index", 0, 1, f"{engine}, breadth {breadth}: recall {min(reached.values())}")
        if min(reached.values()) >= measure.recall:
            break
    progress("index", 1, 1)
    return tried


def _make_index(client: MilvusClient, collection: Collection, engine: Engine, metric: str) -> None:
    """Index the vectors, if they aren't so already, and load them."""
    name = collection.name
    wanted = {"flat": "FLAT", "hnsw": "HNSW"}[engine]
    for index in client.list_indexes(name):
        if client.describe_index(name, index)["index_type"] == wanted:
            client.load_collection(name, timeout=INDEX_S)
            return
        client.release_collection(name)
        client.drop_index(name, index)
    options = {} if engine == "flat" else {"M": LINKS, "efConstruction": EF_CONSTRUCTION}
    params = client.prepare_index_params()
    params.add_index(VECTOR, index_type=wanted, metric_type=metric, params=options)
    client.create_index(name, params, timeout=INDEX_S)
    client.load_collection(name, timeout=INDEX_S)


def _reached(
    client: MilvusClient, collection: Collection, published: Published, measure: _Measure
) -> dict[str, float]:
    """The share of the 100 best rows that is found, by the queries' names."""
    for query in _first(measure.queries.values(), WARM):
        collection.search(client, query, RECALL_AT, "", published, INDEX_S)
    reached = {}
    for name, batch in measure.queries.items():
        shares = []
        for query, least in zip(batch, measure.worst[name], strict=True):
            near, _ = collection.search(client, query, RECALL_AT, "", published, SEARCH_S)
            low = least - ROUNDING * abs(least)
            n = min(RECALL_AT, collection.n_items)
            shares.append(float(np.sum(measure.vectors[near] @ query >= low)) / n)
        reached[name] = round(float(np.mean(shares)), 4)
    return reached


def _first(batches: Iterable[FloatArray], n: int) -> Iterator[FloatArray]:
    for batch in batches:
        yield from batch[:n]


def _count(client: MilvusClient, collection: Collection, part: str = f"{ROW} >= 0") -> int:
    """Number of rows, those that were just written too."""
    [counted] = client.query(
        collection.name,
        filter=part,
        output_fields=["count(*)"],
        consistency_level="Strong",
        timeout=WRITE_S,
    )
    return int(counted["count(*)"])
