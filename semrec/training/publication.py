"""Publication of an artifact: its rows put into an index elsewhere, recall measured on requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semrec.artifact.published import publish
from semrec.artifact.stored import load
from semrec.endpoint import Address, Addresses
from semrec.training.sampled_queries import query_vectors, requests
from semrec.types import Progress, silent

if TYPE_CHECKING:
    from semrec.index.milvus_server import Engine

N_REQUESTS = 100  # of each weight: what recall is measured on


def publish_artifact(
    artifact: Path,
    address: Address,
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Put an artifact's rows into the index at an address; what is there isn't written again.

    Args:
        artifact: Its folder.
        address: ``milvus+http://host:port``.
        engine: Of the index; None: as it takes.
        progress: Called as work proceeds.

    Returns:
        Plain values: the collection's name, engine, breadth, recall.

    Raises:
        ArtifactError: If it has no words.
        ConfigError: If the address names no server.
        EngineError: If the server fails or refuses.
    """
    progress("load artifact", 0, 1)
    addresses = replace(Addresses.from_environment(), index=Address())
    recommender = load(artifact, addresses=addresses)
    progress("requests", 0, 1)
    queries = query_vectors(recommender, requests(recommender, (), N_REQUESTS, seed=0))
    return publish(recommender, address, queries, engine=engine, progress=progress)
