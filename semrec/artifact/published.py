"""An artifact's rows in an index elsewhere: how it is named there, published, and opened."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.endpoint import Address
from semrec.errors import ArtifactError
from semrec.fusion.fused import N_COUNTED, FusedBlocks
from semrec.recommender import Recommender
from semrec.types import FloatArray, Progress, silent

if TYPE_CHECKING:
    from semrec.index.milvus import MilvusIndex
    from semrec.index.milvus_server import Collection, Engine
    from semrec.index.publishing import Rows

LOCAL_MOST = 50_000  # items, the most popular, that answer while the index elsewhere can't
MAX_NAME = 200


def publish(
    recommender: Recommender,
    address: Address,
    queries: Mapping[str, FloatArray],
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Put an artifact's rows into the index at an address; see `index.publishing`.

    Args:
        recommender: The artifact, as it was loaded.
        address: ``milvus+http://host:port``.
        queries: By name, (n, dim) float32: recall is measured on them.
        engine: Of the index; None: as it takes.
        progress: Called as work proceeds.

    Returns:
        Plain values: the collection's name, engine, breadth, recall.

    Raises:
        ArtifactError: If it was never saved, or has no words.
        ConfigError: If the address names no server.
        EngineError: If the server fails or refuses.
    """
    from semrec.index.publishing import Rows, publish_rows

    fusion = recommender.fusion
    if not recommender.version or not isinstance(fusion, FusedBlocks):
        raise ArtifactError("only a saved artifact with an encoder can be published")
    rows = Rows(
        vectors=fusion.items(),
        counts=recommender.interactions.counts,
        attributes=recommender.catalog.attributes,
    )
    collection = collection_of(recommender.manifest, address)
    recall = float(recommender.manifest["config"]["index"]["recall"])
    said = publish_rows(collection, rows, queries, engine=engine, recall=recall, progress=progress)
    return {"collection": collection.name, **said}


def open_published(
    manifest: Mapping[str, Any],
    address: Address,
    fusion: FusedBlocks,
    catalog: Catalog,
    interactions: Interactions,
    mapped: FloatArray | None,
) -> MilvusIndex:
    """The index elsewhere, and the artifact's most popular rows beside it.

    Raises:
        ConfigError: If the address names no server.
        EngineError: If the artifact isn't published there, or the token is wrong.
    """
    from semrec.index.publishing import Rows

    vectors = mapped if mapped is not None else fusion.items()
    rows = Rows(vectors=vectors, counts=interactions.counts, attributes=catalog.attributes)
    return open_rows(collection_of(manifest, address), rows)


def open_rows(collection: Collection, rows: Rows) -> MilvusIndex:
    """The index over published rows, and the most popular ones beside it.

    Raises:
        EngineError: If the collection is another one, or the token is wrong.
    """
    from semrec.index.milvus import MilvusIndex
    from semrec.index.publishing import fields_of
    from semrec.index.subset import SubsetIndex

    vectors = rows.vectors
    popular = np.sort(np.argsort(-rows.counts, kind="stable")[:LOCAL_MOST]).astype(np.int64)
    return MilvusIndex(
        collection,
        fields_of(rows.attributes),
        vectors=vectors,
        counted=np.array(vectors[:, vectors.shape[1] - N_COUNTED :]),
        local=SubsetIndex(vectors=np.array(vectors[popular]), rows=popular),
    )


def collection_of(manifest: Mapping[str, Any], address: Address) -> Collection:
    """The collection of an artifact, by its manifest.

    Raises:
        ConfigError: If the address names no server.
    """
    from semrec.index.milvus_server import Collection, server_at

    dataset = re.sub(r"\W", "_", manifest["dataset"]["name"], flags=re.ASCII)[:MAX_NAME]
    checksum = str(manifest["checksum"])
    return Collection(
        server=server_at(address.url, os.environ.get(address.key_variable, "")),
        name=f"semrec_{dataset}_{checksum[:12]}",
        checksum=checksum,
        n_items=manifest["counts"]["items"],
        dim=manifest["dim"],
    )
