"""A ranker's features: each candidate's signals, and how its labels and years fit the query.

item facts (once per catalogue) + signals, session, named labels (per query) → crosses, features

Crosses are for the wide half, numbers for the deep one. Knows nothing of how they are weighed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from semrec.data.attributes import Numbers, labelled_items
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.types import FloatArray, Label, RowArray, SessionRows

MAX_CROSSED_LABELS = 32  # the most frequent ones are crossed with the session's, one weight each
BUCKETS = 5  # of popularity and of recency, equally full
RECENCY = 0.9  # an event's share in the session's labels falls by this with every newer one
YEAR = "year"  # the attribute that holds an item's year


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """Facts about the items beside their vectors.

    Attributes:
        labels: (n_items, n_labels) float32 rows of length 1 over all labels, zeros without any.
        numbers: Label, casefolded → its column in `labels`.
        years: (n_items,) float32, NaN where there is none.
        popularity: (n_items, BUCKETS) float32: 1 in the bucket of its count; zeros without events.
        recency: (n_items, BUCKETS) float32: 1 in that of its first event; zeros without clock.
    """

    labels: sp.csr_matrix
    numbers: Mapping[Label, int]
    years: FloatArray
    popularity: FloatArray
    recency: FloatArray


def item_facts(catalog: Catalog, events: Interactions) -> ItemFacts:
    """The facts of a catalogue's items, of which `events` may know only the first."""
    n_items = len(catalog)
    known = labelled_items(catalog.attributes, n_items)
    pairs = known.pairs.T.tocsr()
    lengths = np.sqrt(np.maximum(np.diff(pairs.indptr), 1))
    year = catalog.attributes.get(YEAR)
    years = year.values if isinstance(year, Numbers) else np.full(n_items, np.nan)
    counts = np.zeros(n_items, dtype=np.int64)
    counts[: events.n_items] = events.counts
    first = np.full(n_items, np.inf)
    np.minimum.at(first, events.rows, events.timestamps)
    return ItemFacts(
        labels=sp.csr_matrix(sp.diags(1 / lengths) @ pairs, dtype=np.float32),
        numbers={label: number for number, label in enumerate(known.labels)},
        years=years.astype(np.float32),
        popularity=_buckets(counts, counts > 0),
        recency=_buckets(first, (counts > 0) & events.clock),
    )


def frequent_labels(facts: ItemFacts) -> list[Label]:
    """The `MAX_CROSSED_LABELS` labels of most items: those that are worth crossing."""
    counts = facts.labels.getnnz(axis=0)
    often = np.argsort(-counts, kind="stable")[:MAX_CROSSED_LABELS]
    names = list(facts.numbers)
    return [names[number] for number in often.tolist()]


@dataclass(frozen=True, kw_only=True)
class QueryContext:
    """A query as a ranker sees it.

    Attributes:
        session: What was done before.
        named: Labels that the words name.
        n_words: How many words there are.
    """

    session: SessionRows
    named: Sequence[Label]
    n_words: int


def inputs_of(
    context: QueryContext,
    rows: RowArray,
    fused: FloatArray,
    values: FloatArray,
    facts: ItemFacts,
    crossed: Sequence[Label],
) -> tuple[FloatArray, FloatArray]:
    """(n, n_crosses) and (n, n_features) float32 of the candidates.

    Args:
        context: The query.
        rows: (n,) int64, the candidates in the order of the fused list.
        fused: (n,) float32, their fused scores.
        values: (n, n_values) float32, what each signal says of them.
        facts: Of all items.
        crossed: The labels to cross with the session's.
    """
    labels = facts.labels[rows]
    liked = _shares(context.session, facts)
    named = np.zeros(labels.shape[1], dtype=np.float32)
    folded = [(name, label.casefold()) for name, label in context.named]
    named[[facts.numbers[label] for label in folded if label in facts.numbers]] = 1
    fits, has_named = labels @ liked, labels @ named
    apart = _decades_apart(context.session, rows, facts)
    columns = [facts.numbers[label] for label in crossed if label in facts.numbers]
    by_label = np.zeros((len(rows), len(crossed)), dtype=np.float32)
    known = [column for column, label in enumerate(crossed) if label in facts.numbers]
    by_label[:, known] = labels[:, columns].multiply(liked[columns]).toarray()
    crosses = [by_label, has_named, apart < 0.5, facts.popularity[rows], facts.recency[rows]]
    ranks = np.log1p(np.arange(len(rows)))
    of_query = np.tile([np.log1p(len(context.session)), np.log1p(context.n_words)], (len(rows), 1))
    features = [values, fused, ranks, fits, has_named, apart, of_query]
    return (
        np.column_stack(crosses).astype(np.float32),
        np.column_stack(features).astype(np.float32),
    )


def _shares(session: SessionRows, facts: ItemFacts) -> FloatArray:
    """(n_labels,) float32: how much of the session each label is."""
    if not len(session):
        return np.zeros(facts.labels.shape[1], dtype=np.float32)
    pulls = session.recency(RECENCY)
    pulled = facts.labels[session.rows].T @ pulls
    return np.asarray(pulled / max(float(pulls.sum()), 1e-9), dtype=np.float32)


def _decades_apart(session: SessionRows, rows: RowArray, facts: ItemFacts) -> FloatArray:
    """(n,) float32: decades between a candidate and the session's median; 1 where unknown."""
    before = facts.years[session.rows]
    before = before[~np.isnan(before)]
    if not len(before):
        return np.ones(len(rows), dtype=np.float32)
    apart = np.abs(facts.years[rows] - np.median(before)) / 10
    return np.asarray(np.nan_to_num(apart, nan=1.0), dtype=np.float32)


def _buckets(values: np.ndarray, known: np.ndarray) -> FloatArray:
    """(n, BUCKETS) float32: 1 in the bucket of each known value; equal ones share a bucket."""
    one_hot = np.zeros((len(values), BUCKETS), dtype=np.float32)
    if known.any():
        edges = np.quantile(values[known], np.arange(1, BUCKETS) / BUCKETS)
        buckets = np.searchsorted(edges, values[known], side="right")
        one_hot[np.flatnonzero(known), buckets] = 1
    return one_hot
