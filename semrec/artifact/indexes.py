"""The configured index: made when building, stored where that took long, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from semrec.config import IndexConfig
from semrec.fusion.fused import N_COUNTED
from semrec.protocols import Index
from semrec.types import FloatArray

if TYPE_CHECKING:
    from semrec.index.selection import Chosen

CODES, SCALE = "index.faiss", "index.safetensors"
VECTORS = "vectors.npy"  # the items' fused vectors, where the index doesn't hold them


def make_index(
    config: IndexConfig, vectors: FloatArray, queries: Mapping[str, FloatArray] | None = None
) -> Chosen:
    """The configured index over `vectors`, (n_items, dim) float32, and how it was chosen.

    Args:
        config: Its kind, or `auto`.
        vectors: What `FusedBlocks.items` gives.
        queries: Held-out ones, by name; they say how broadly to search.
    """
    from semrec.index.selection import HnswOptions, choose_index

    return choose_index(
        vectors,
        queries or {},
        kind=config.kind,
        recall=config.recall,
        n_counted=N_COUNTED,
        hnsw=HnswOptions(**config.model_dump(include={"links", "ef_construction", "ef_search"})),
    )


def save_index(index: Index, folder: Path, *, vectors_there: bool = False) -> bool:
    """Write what can't be made again at once; whether the vectors are among it.

    Args:
        index: Any kind.
        folder: Where to.
        vectors_there: They lie in the folder already.
    """
    from semrec.index.faiss import FaissIndex, save_faiss
    from semrec.index.ivf import IvfIndex, save_ivf

    if isinstance(index, FaissIndex) and not index.exact:
        save_faiss(index, str(folder / CODES))
    if isinstance(index, IvfIndex):
        save_ivf(index, str(folder / CODES))
        save_file({"scale": index.scale}, folder / SCALE)
        if not vectors_there:
            np.save(folder / VECTORS, index.vectors)
    return isinstance(index, IvfIndex)


def mapped_vectors(folder: Path) -> FloatArray | None:
    """(n_items, dim) float32, read from the artifact's file as they are needed; None: no file."""
    path = folder / VECTORS
    return np.load(path, mmap_mode="r") if path.is_file() else None


def load_index(
    folder: Path,
    config: IndexConfig,
    breadth: int | None,
    mapped: FloatArray | None,
    counted: FloatArray,
) -> Index | None:
    """Read what `save_index` wrote; None if the index is to be made again.

    Args:
        folder: The artifact.
        config: As it was built with.
        breadth: How broadly it searches, as the manifest says; None: as configured.
        mapped: `mapped_vectors`.
        counted: (n_items, N_COUNTED) float32, their last columns.
    """
    path = folder / CODES
    if not path.is_file():
        return None
    breadth = config.ef_search if breadth is None else breadth
    if mapped is None:
        from semrec.index.faiss import load_faiss

        return load_faiss(str(path), breadth=breadth)
    from semrec.index.ivf import load_ivf

    return load_ivf(
        str(path),
        vectors=mapped,
        scale=load_file(folder / SCALE)["scale"],
        counted=counted,
        breadth=breadth,
    )
