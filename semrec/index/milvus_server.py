"""A Milvus server, and the collection on it that holds one artifact's rows.

    name: semrec_<dataset>_<checksum>   property: the checksum   alias, once it is complete: how it
                                                            is searched, <name>__hnsw_512

A collection never changes once it is published: it is the artifact's, as its files are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import urlsplit

import numpy as np

from semrec.errors import ConfigError, ModelError, SemrecError
from semrec.index.expressions import ROW, VECTOR
from semrec.index.space import PLAIN, Space

if TYPE_CHECKING:
    from pymilvus import MilvusClient

    from semrec.types import FloatArray, RowArray

Engine = Literal["flat", "hnsw"]
SCHEME = "milvus+"
# Rows may be seen some time after they were written. A published collection isn't written any
# more; the level that collections have otherwise waits for the clock of the whole cluster.
CONSISTENCY = "Bounded"
MORE = 100  # candidates that a graph keeps beyond those that are wanted
CHECKSUM, SPACE = "semrec.checksum", "semrec.space"  # properties: whose it is, what it is kept in


class EngineError(SemrecError):
    """An index elsewhere fails, or isn't the one that is wanted.

    Attributes:
        is_away: Whether it may be well later.
    """

    def __init__(self, message: str, *, is_away: bool = False) -> None:
        super().__init__(message)
        self.is_away = is_away


@dataclass(frozen=True, kw_only=True)
class Server:
    """A Milvus server.

    Attributes:
        uri: Where: ``http://host:19530``.
        token: Of who may; empty: none is needed.
    """

    uri: str
    token: str = field(default="", repr=False)

    def client(self, timeout_s: float) -> MilvusClient:
        """A new connection.

        Raises:
            EngineError: If nobody answers, or the token isn't right.
            ModelError: If pymilvus isn't installed.
        """
        try:
            import pymilvus
        except ImportError:
            raise ModelError("pymilvus isn't installed: pip install 'semrec[milvus]'") from None
        for name in ("pymilvus", "pymilvus.decorators", "pymilvus.client.grpc_handler"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # else a traceback for each failure
        with plain_errors(self.uri):
            return pymilvus.MilvusClient(uri=self.uri, token=self.token, timeout=timeout_s)


def server_at(url: str, token: str = "") -> Server:
    """The server that ``milvus+http://host:port`` names.

    Raises:
        ConfigError: If it names none.
    """
    parts = urlsplit(url.removeprefix(SCHEME))
    try:
        named = bool(parts.hostname and parts.port) and parts.scheme in ("http", "https")
    except ValueError:  # the port
        named = False
    if not url.startswith(SCHEME) or not named or parts.username:
        shown = "one with a token in it" if "@" in url else f"{url!r:.100}"
        raise ConfigError(
            f"an index's address is milvus+http://HOST:PORT or milvus+https://…, found {shown}; "
            "its token is MILVUS_TOKEN"
        )
    return Server(uri=f"{parts.scheme}://{parts.netloc}", token=token)


@contextmanager
def plain_errors(where: str) -> Iterator[None]:
    """Errors of pymilvus and gRPC, as one line each.

    Raises:
        EngineError: Instead.
        TimeoutError: If there was no answer in time.
    """
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except (grpc.RpcError, MilvusException) as error:
        # That a token is wrong stands only behind "fail connecting".
        cause = error if isinstance(error, grpc.Call) else error.__cause__
        code = cause.code() if isinstance(cause, grpc.Call) else None
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise TimeoutError(f"Milvus at {where}: no answer in time") from None
        if code is grpc.StatusCode.UNAUTHENTICATED or code is grpc.StatusCode.PERMISSION_DENIED:
            raise EngineError(
                f"Milvus at {where}: its token, MILVUS_TOKEN, is missing or wrong"
            ) from None
        text = code.name.lower() if code is not None else "failed"
        if isinstance(error, MilvusException):
            text = " ".join(str(error.message).split())
        raise EngineError(f"Milvus at {where}: {text:.300}", is_away=True) from None


@dataclass(frozen=True, kw_only=True)
class Published:
    """A complete collection's search.

    Attributes:
        engine: ``flat`` looks at everything, ``hnsw`` walks a graph.
        breadth: Of the graph: how many candidates are kept while searching.
        space: What it keeps rows in.
    """

    engine: Engine
    breadth: int = 0
    space: Space = PLAIN

    def params(self, limit: int) -> dict[str, int]:
        """Milvus' own parameters of a search for `limit` rows."""
        return {"ef": max(self.breadth, limit + MORE)} if self.engine == "hnsw" else {}


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One artifact's rows on a server.

    Attributes:
        server: The server.
        name: Of the collection.
        checksum: Of the artifact.
        n_items: How many rows it has to have.
        dim: Of the vectors.
    """

    server: Server
    name: str
    checksum: str
    n_items: int
    dim: int

    @property
    def again(self) -> str:
        """The command that publishes it."""
        return f"semrec publish ARTIFACT --index {SCHEME}{self.server.uri}"

    def alias(self, engine: Engine, breadth: int) -> str:
        """The alias of a complete collection. Properties that are set later don't last in 2.3."""
        return f"{self.name}__{engine}_{breadth}"

    def published(self, client: MilvusClient) -> Published | None:
        """Its engine and breadth; None: it isn't complete.

        Raises:
            EngineError: If it isn't there, or is of another artifact.
        """
        with plain_errors(self.server.uri):
            if not client.has_collection(self.name):
                raise EngineError(f"{self.server.uri} has no collection {self.name}: {self.again}")
            described = client.describe_collection(self.name)
            aliases = client.list_aliases(self.name)["aliases"]
        fields = {of["name"]: of for of in described["fields"]}
        properties = described.get("properties", {})
        try:
            space = Space.from_text(properties.get(SPACE, ""))
        except ValueError as error:
            raise EngineError(f"{self.name} at {self.server.uri}: {error}") from None
        dim = fields.get(VECTOR, {}).get("params", {}).get("dim")
        checksum = properties.get(CHECKSUM)
        if checksum != self.checksum or dim != space.width(self.dim) or ROW not in fields:
            raise EngineError(
                f"{self.name} at {self.server.uri} is of artifact {str(checksum)[:12]!r}, {dim} "
                f"dimensions, expected {self.checksum[:12]!r}, {self.dim}: drop it, {self.again}"
            )
        for alias in aliases:
            engine, _, breadth = alias.removeprefix(f"{self.name}__").partition("_")
            if engine in get_args(Engine) and breadth.isdigit():
                return Published(engine=engine, breadth=int(breadth), space=space)
        return None

    def search(
        self,
        client: MilvusClient,
        vector: FloatArray,
        limit: int,
        filter_: str,
        published: Published,
        timeout_s: float,
    ) -> tuple[RowArray, FloatArray]:
        """Rows, best first, and what the engine compared them by.

        Raises:
            EngineError: If it fails.
            TimeoutError: If there is no answer in time.
        """
        with plain_errors(self.server.uri):
            [hits] = client.search(
                self.name,
                [published.space.query(vector)],
                filter=filter_,
                limit=limit,
                search_params={
                    "metric_type": published.space.metric,
                    "params": published.params(limit),
                },
                consistency_level=CONSISTENCY,
                timeout=timeout_s,
            )
        # Lists of their own: a look at each hit takes as long as the search.
        return np.array(hits.ids, np.int64), np.array(hits.distances, np.float32)
