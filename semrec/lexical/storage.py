"""A BM25 model as files of an artifact; its postings are mapped, not read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from semrec.lexical.bm25 import BM25

TERMS = "lexical.json"
ARRAYS = ("idf", "starts", "rows", "scores")


def save_bm25(model: BM25, folder: Path) -> None:
    """Write the terms, and an array a file."""
    told = {
        "terms": list(model.vocabulary),  # in the order of their numbers
        "n_items": model.n_items,
        "mean_length": model.mean_length,
    }
    (folder / TERMS).write_text(json.dumps(told), encoding="utf-8")
    for name in ARRAYS:
        np.save(folder / f"lexical_{name}.npy", getattr(model, name), allow_pickle=False)


def load_bm25(folder: Path) -> BM25 | None:
    """Read what `save_bm25` wrote; None if it wrote nothing."""
    if not (folder / TERMS).is_file():
        return None
    told = json.loads((folder / TERMS).read_text(encoding="utf-8"))
    arrays = {
        # A plain view of the mapped array: slices of a `memmap` are slow.
        name: np.asarray(np.load(folder / f"lexical_{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in ARRAYS
    }
    arrays["idf"], arrays["starts"] = np.array(arrays["idf"]), np.array(arrays["starts"])
    return BM25(
        vocabulary={term: number for number, term in enumerate(told["terms"])},
        n_items=told["n_items"],
        mean_length=told["mean_length"],
        **arrays,
    )
