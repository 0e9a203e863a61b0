"""Postings of a BM25 model: counted when it is fitted or grows, written to files and mapped."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from semrec.lexical.analysis import terms_of
from semrec.lexical.bm25 import BM25
from semrec.types import FloatArray, RowArray

TITLE = 0.4  # what a word of the title counts, where an item has other words too
K1, B = 1.2, 0.5  # saturation of counts, influence of length: picked on the even topics (LOG.md)
SCALE = 8.0  # brings scores to the size of standardised ones: the best of some requests are 5 to 15
Fields = tuple[str, str]
"""An item's title, and what else is said of it."""
TERMS = "lexical.json"
ARRAYS = ("idf", "starts", "rows", "scores")


def fit_bm25(items: Iterable[Fields]) -> BM25:
    """Fit to the items, in row order; one without any text matches nothing.

    Args:
        items: Title, and what else is said of it, of each; they are read once, one by one.
    """
    counts, lengths, vocabulary = _count(items, {})
    n_told = int((lengths > 0).sum())
    frequencies = np.diff(counts.indptr)
    raw = np.log1p((n_told - frequencies + 0.5) / (frequencies + 0.5))
    idf = (raw / np.log1p((n_told - 0.5) / 1.5)).astype(np.float32) if n_told else raw
    mean_length = float(lengths[lengths > 0].mean()) if n_told else 1.0
    scored = _scored(counts, lengths, idf, mean_length)
    return BM25(vocabulary=vocabulary, idf=idf, mean_length=mean_length, **_postings(scored))


def extended(model: BM25, items: Iterable[Fields]) -> BM25:
    """The model with more items; idf and mean length stay those of the fit."""
    counts, lengths, terms = _count(items, dict(model.vocabulary))
    idf = np.append(model.idf, np.ones(len(terms) - len(model.idf), np.float32))
    added = _scored(counts, lengths, idf, model.mean_length)
    known = _matrix(model)
    known.resize(len(terms), model.n_items)
    merged = sp.hstack([known, added], format="csr")
    return replace(model, vocabulary=terms, idf=idf, **_postings(merged))


def resampled(model: BM25, sources: RowArray) -> BM25:
    """The model over other items: item n has the words of item `sources[n]`."""
    return replace(model, **_postings(_matrix(model).tocsc()[:, sources].tocsr()))


def save_bm25(model: BM25, folder: Path) -> None:
    """Write the terms, and an array a file."""
    header = {
        "terms": list(model.vocabulary),  # in the order of their numbers
        "n_items": model.n_items,
        "mean_length": model.mean_length,
    }
    (folder / TERMS).write_text(json.dumps(header), encoding="utf-8")
    for name in ARRAYS:
        np.save(folder / f"lexical_{name}.npy", getattr(model, name), allow_pickle=False)


def load_bm25(folder: Path) -> BM25 | None:
    """Read what `save_bm25` wrote; None if it wrote nothing."""
    if not (folder / TERMS).is_file():
        return None
    header = json.loads((folder / TERMS).read_text(encoding="utf-8"))
    arrays = {
        # A plain view of the mapped array: slices of a `memmap` are slow.
        name: np.asarray(np.load(folder / f"lexical_{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in ARRAYS
    }
    arrays["idf"], arrays["starts"] = np.array(arrays["idf"]), np.array(arrays["starts"])
    return BM25(
        vocabulary={term: number for number, term in enumerate(header["terms"])},
        n_items=header["n_items"],
        mean_length=header["mean_length"],
        **arrays,
    )


def _count(
    items: Iterable[Fields], vocabulary: dict[str, int]
) -> tuple[sp.csr_matrix, NDArray[np.float64], dict[str, int]]:
    """(n_terms, n_items) counts, (n_items,) lengths, and the vocabulary with the new terms."""
    numbers, counts, lengths, ends = array("i"), array("f"), array("d"), array("q", [0])
    for title, about in items:
        of_item: Counter[str] = Counter()
        rest = terms_of(about)
        for terms, weight in ((terms_of(title), TITLE if rest else 1.0), (rest, 1.0)):
            for term in terms:
                of_item[term] += weight  # type: ignore[assignment]
        for term, count in of_item.items():
            numbers.append(vocabulary.setdefault(term, len(vocabulary)))
            counts.append(count)
        lengths.append(sum(of_item.values()))
        ends.append(len(numbers))
    by_item = sp.csr_matrix(
        (np.asarray(counts, np.float32), np.asarray(numbers, np.int32), np.asarray(ends, np.int64)),
        shape=(len(lengths), len(vocabulary)),
    )
    return by_item.T.tocsr(), np.asarray(lengths), vocabulary


def _scored(
    counts: sp.csr_matrix, lengths: NDArray[np.float64], idf: FloatArray, mean_length: float
) -> sp.csr_matrix:
    """(n_terms, n_items): BM25 scores in place of counts."""
    length = K1 * (1 - B + B * lengths / mean_length)
    share = counts.data * (K1 + 1) / (counts.data + length[counts.indices])
    data = SCALE * np.repeat(idf, np.diff(counts.indptr)) * share
    return sp.csr_matrix((data.astype(np.float32), counts.indices, counts.indptr), counts.shape)


def _matrix(model: BM25) -> sp.csr_matrix:
    """(n_terms, n_items): the scores."""
    shape = len(model.idf), model.n_items
    return sp.csr_matrix((model.scores, model.rows, model.starts), shape=shape)


def _postings(scored: sp.csr_matrix) -> dict[str, Any]:
    scored.sort_indices()
    return {
        "starts": scored.indptr.astype(np.int64),
        "rows": scored.indices.astype(np.int32),
        "scores": scored.data.astype(np.float32),
        "n_items": int(scored.shape[1]),
    }
