"""BM25: how well the words of a request match an item's fields (Robertson & Zaragoza 2009).

A word of the title counts less than one of the rest, as in BM25F (Robertson, Zaragoza & Taylor
2004): "Warm Bodies" is no answer to "something warm", nor "Tower Heist" the best heist.

A posting's score is worked out when the model is fitted, so a request costs one addition per
posting of its terms. Scores are not standardised per request: how large they are says how
specific its words are. They are divided by the idf of a word that one item has, so that a weight
means the same in a catalogue of a thousand items and of a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semrec.lexical.analysis import content_words, request_terms
from semrec.lexical.unknown import unknown_words
from semrec.types import FloatArray, LexicalMatch, SparseScores

SPARSE = 8  # of fewer postings than a share of items one in so many: sorted instead of counted


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

    def match(self, text: str, whole: str | None = None, kind: str = "") -> LexicalMatch:
        """The items that share content words with a request, scored.

            items = [("Rififi", "a quiet heist"), ("Heat", "")]
            fit_bm25(items).match("a film about a heist").scores.rows  # [0]

        A request without content words, or with none that any item has, matches nothing.

        Args:
            text: What the request is about.
            whole: The request with the titles that it names, which count as words of it but aren't
                matched: they are in the session. None: it names none.
            kind: What the items are, as of `content_words`.
        """
        terms = request_terms(content_words(text, kind))
        every = terms if whole is None else request_terms(content_words(whole, kind))
        numbers = [self.vocabulary[term] for term in terms if term in self.vocabulary]
        specificity = float(self.idf[numbers].sum()) / len(terms) if terms else 0.0
        return LexicalMatch(
            scores=self._summed(numbers),
            is_spoken=bool(text.strip()),
            n_words=len(every),
            n_known=len(numbers),
            specificity=specificity,
            unknown=unknown_words(text, self.vocabulary, kind) if len(numbers) < len(terms) else (),
        )

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


def unmatched(text: str, kind: str = "") -> LexicalMatch:
    """The content words of a request counted, where nothing matches them: the gate goes by them."""
    n_words = len(request_terms(content_words(text, kind)))
    return LexicalMatch(is_spoken=bool(text.strip()), n_words=n_words)
