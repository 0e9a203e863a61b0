"""BM25: how well the words of a request match an item's fields (Robertson & Zaragoza 2009).

A word of the title counts less than one of the rest, as in BM25F (Robertson, Zaragoza & Taylor
2004): "Warm Bodies" is no answer to "something warm", nor "Tower Heist" the best heist.

A posting's score is worked out when the model is fitted, so a request costs one addition per
posting of its terms. Scores are not standardised per request: how large they are says how
specific its words are. They are divided by the idf of a word that one item has, so that a weight
means the same in a catalogue of a thousand items and of a million.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from semrec.lexical.analysis import content_words, request_terms, terms_of
from semrec.types import FloatArray, LexicalMatch, RowArray, SparseScores

TITLE = 0.4  # what a word of the title counts, where an item has other words too
K1, B = 1.2, 0.5  # saturation of counts, influence of length: picked on the even topics (LOG.md)
SCALE = 8.0  # brings scores to the size of standardised ones: the best of some requests are 5 to 15
SPARSE = 8  # of fewer postings than a share of items one in so many: sorted instead of counted


Fields = tuple[str, str]
"""An item's title, and what else is said of it."""


@dataclass(frozen=True, kw_only=True)
class BM25:
    """Postings of every term, by term.

    Attributes:
        vocabulary: Term → its number.
        idf: (n_terms,) float32, over that of a term that one item has.
        starts: (n_terms + 1,) int64: the postings of term t are `starts[t]` to `starts[t + 1]`.
        rows: (n_postings,) int32, ascending within a term; may be mapped from a file.
        scores: (n_postings,) float32, above 0; may be mapped from a file.
        n_items: Number of items, those without a text included.
        mean_length: Mean number of terms of the items that have some.
    """

    vocabulary: Mapping[str, int]
    idf: FloatArray
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    scores: FloatArray
    n_items: int
    mean_length: float

    def match(self, text: str, whole: str | None = None) -> LexicalMatch:
        """The items that share content words with a request, scored.

            items = [("Rififi", "a quiet heist"), ("Heat", "")]
            fit_bm25(items).match("a film about a heist").scores.rows  # [0]

        A request without content words, or with none that any item has, matches nothing.

        Args:
            text: What the request is about.
            whole: The request with the titles that it names, which count as words of it but aren't
                matched: they are in the session. None: it names none.
        """
        terms = request_terms(content_words(text))
        every = terms if whole is None else request_terms(content_words(whole))
        numbers = [self.vocabulary[term] for term in terms if term in self.vocabulary]
        specificity = float(self.idf[numbers].sum()) / len(terms) if terms else 0.0
        return LexicalMatch(
            scores=self._summed(numbers),
            is_spoken=bool(text.strip()),
            n_words=len(every),
            n_known=len(numbers),
            specificity=specificity,
        )

    def with_items(self, items: Iterable[Fields]) -> BM25:
        """The same with more items; idf and mean length stay those of the fit."""
        counts, lengths, terms = _count(items, dict(self.vocabulary))
        idf = np.append(self.idf, np.ones(len(terms) - len(self.idf), np.float32))
        added = _scored(counts, lengths, idf, self.mean_length)
        known = sp.csr_matrix(
            (self.scores, self.rows, self.starts), shape=(len(self.idf), self.n_items)
        )
        known.resize(len(terms), self.n_items)
        merged = sp.hstack([known, added], format="csr")
        return replace(self, vocabulary=terms, idf=idf, **_postings(merged))

    def resampled(self, sources: RowArray) -> BM25:
        """The same over other items: item n has the words of item `sources[n]`."""
        known = sp.csr_matrix(
            (self.scores, self.rows, self.starts), shape=(len(self.idf), self.n_items)
        )
        return replace(self, **_postings(known.tocsc()[:, sources].tocsr()))

    def _summed(self, numbers: list[int]) -> SparseScores:
        """The rows of some terms' postings, ascending, each with the sum of its scores."""
        spans = [slice(self.starts[number], self.starts[number + 1]) for number in numbers]
        if not spans:
            return SparseScores(rows=np.zeros(0, np.int64), scores=np.zeros(0, np.float32))
        if len(spans) > 1 and SPARSE * sum(span.stop - span.start for span in spans) > self.n_items:
            dense = np.zeros(self.n_items, dtype=np.float32)
            for span in spans:  # no row stands twice in one term's postings
                dense[self.rows[span]] += self.scores[span]
            rows = np.flatnonzero(dense)
            return SparseScores(rows=rows, scores=dense[rows])
        rows = np.concatenate([self.rows[span] for span in spans])
        scores = np.concatenate([self.scores[span] for span in spans])
        if len(spans) > 1:
            rows, where = np.unique(rows, return_inverse=True)
            scores = np.bincount(where, scores)
        return SparseScores(rows=rows.astype(np.int64), scores=scores.astype(np.float32))


def unmatched(text: str) -> LexicalMatch:
    """The content words of a request counted, where nothing matches them: the gate goes by them."""
    n_words = len(request_terms(content_words(text)))
    return LexicalMatch(is_spoken=bool(text.strip()), n_words=n_words)


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


def _postings(scored: sp.csr_matrix) -> dict[str, Any]:
    scored.sort_indices()
    return {
        "starts": scored.indptr.astype(np.int64),
        "rows": scored.indices.astype(np.int32),
        "scores": scored.data.astype(np.float32),
        "n_items": int(scored.shape[1]),
    }
