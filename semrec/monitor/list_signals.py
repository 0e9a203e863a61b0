"""Signals of served lists: a row of numbers for each list, by signal."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from semrec.monitor.drift import Rows
from semrec.sessions.list_stats import MonitoredList, from_bytes

LANGUAGES = ("", "German", "French", "Spanish")
MAX_UNKNOWN = 3  # words that no item has: so many and more are alike
N_BINS = 10
K = 10  # items of a list that count

# Variance that each dimension of a signal has at least: of kinds of requests that the validation
# has none of, a share below 1 % is no drift.
FLOORS: Mapping[str, float] = {
    "filters": 0.01,
    "attributes": 0.01,
    "languages": 0.01,
    "unknown words": 0.01,
    "degraded": 0.01,
}


@dataclass(frozen=True, kw_only=True)
class Binning:
    """The categories that numbers and names fall into: deciles of validation.

    Attributes:
        scores: Edges of the first item's score, by kind of request: with words, without.
        falls: Edges of the score's fall from the first to the last of the first `K`.
        popularity: Edges of a list's mean log popularity.
        filters: Names of attributes that requests limit.
        attributes: Names of attributes that lists' items have.
    """

    scores: Mapping[str, tuple[float, ...]]
    falls: Mapping[str, tuple[float, ...]]
    popularity: tuple[float, ...]
    filters: tuple[str, ...]
    attributes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A signal of some lists.

    Attributes:
        lists: (n,) int64, the lists that it speaks of.
        rows: (n, dim) float64.
    """

    lists: NDArray[np.int64]
    rows: Rows


PopularityOf = Callable[[str], float]
"""An item's id → log(1 + how many people touched it); 0 for an item that nobody knows."""


def fit_binning(lists: Sequence[MonitoredList], popularity_of: PopularityOf) -> Binning:
    """The categories of some lists."""
    scored: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for served in lists:
        if (both := _scores(served)) is not None:
            scored[_kind(served)].append(both)
    return Binning(
        scores={kind: _edges([top for top, _ in of]) for kind, of in scored.items()},
        falls={kind: _edges([fall for _, fall in of]) for kind, of in scored.items()},
        popularity=_edges([_popularity(served, popularity_of) for served in lists]),
        filters=_names(served.stats.filters for served in lists),
        attributes=_names(served.stats.attributes or () for served in lists),
    )


def signals_of(
    lists: Sequence[MonitoredList], binning: Binning, popularity_of: PopularityOf
) -> dict[str, Signal]:
    """The signals of some lists, by name; without those that none of the lists has.

    ``request vectors``, ``unknown words``, ``languages`` and ``filters`` are of requests in words,
    ``scores`` too; ``session scores`` of those without. A reranker's scores are left out.
    ``concentration`` is the share of a list that another session's list has too, ``popularity`` how
    many people touched its items, ``attributes`` are those that most of its items have a value of,
    ``degraded`` is the share of lists that lack something.
    """
    popularity_of = cache(popularity_of)
    worded = [i for i, served in enumerate(lists) if served.stats.has_words]
    sampled = [i for i, served in enumerate(lists) if served.stats.attributes is not None]
    signals = {
        "request vectors": _vectors(lists),
        "filters": _each(worded, [_named(lists[i].stats.filters, binning.filters) for i in worded]),
        "attributes": _each(
            sampled, [_named(lists[i].stats.attributes or (), binning.attributes) for i in sampled]
        ),
        "languages": _each(worded, [_language(lists[i]) for i in worded]),
        "unknown words": _each(
            worded,
            [_one_hot(min(lists[i].stats.n_unknown, MAX_UNKNOWN), MAX_UNKNOWN + 1) for i in worded],
        ),
        "degraded": _each(range(len(lists)), [[float(of.stats.degraded)] for of in lists]),
        "popularity": _each(
            worded,
            [_binned(_popularity(lists[i], popularity_of), binning.popularity) for i in worded],
        ),
        "concentration": _concentration(lists, worded),
        "scores": _score_signal(lists, binning, "words"),
        "session scores": _score_signal(lists, binning, "session"),
    }
    return {name: signal for name, signal in signals.items() if len(signal.lists)}


def by_session(lists: Sequence[MonitoredList], signal: Signal) -> Rows:
    """(n_sessions, dim): the mean of each session's rows, since a session's lists are alike."""
    names = [lists[i].session_id or lists[i].recommendation_id for i in signal.lists.tolist()]
    numbers: dict[str, int] = {}
    unit_of = [numbers.setdefault(name, len(numbers)) for name in names]
    if len(numbers) == len(names):
        return signal.rows
    counts = np.bincount(unit_of)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(signal.rows[np.argsort(unit_of, kind="stable")], starts)
    return np.asarray(sums / counts[:, None], dtype=np.float64)


def _each(lists: Sequence[int] | range, rows: Sequence[Sequence[float]]) -> Signal:
    return Signal(
        lists=np.array(lists, dtype=np.int64),
        rows=np.array(rows, dtype=np.float64).reshape(len(lists), -1 if len(lists) else 0),
    )


def _vectors(lists: Sequence[MonitoredList]) -> Signal:
    kept = {i: of.stats.vector for i, of in enumerate(lists) if of.stats.vector is not None}
    if not kept:
        return _each([], [])
    lengths = [len(vector) for vector in kept.values()]
    # After a swap of encoders there may be two lengths: the newer is what counts.
    latest = {i: vector for i, vector in kept.items() if len(vector) == lengths[-1]}
    return Signal(lists=np.array(list(latest), dtype=np.int64), rows=from_bytes(latest.values()))


def _names(named: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in named for name in names}))


def _named(names: Sequence[str], known: Sequence[str]) -> list[float]:
    """A 1 for each of the known names that is among `names`, and for any other."""
    return [*(float(name in names) for name in known), float(any(n not in known for n in names))]


def _language(served: MonitoredList) -> list[float]:
    language = served.stats.language
    which = LANGUAGES.index(language) if language in LANGUAGES else len(LANGUAGES)
    return _one_hot(which, len(LANGUAGES) + 1)


def _score_signal(lists: Sequence[MonitoredList], binning: Binning, kind: str) -> Signal:
    if kind not in binning.scores:
        return _each([], [])
    indices, rows = [], []
    for i, served in enumerate(lists):
        if _kind(served) == kind and (both := _scores(served)) is not None:
            top, fall = both
            indices.append(i)
            rows.append(_binned(top, binning.scores[kind]) + _binned(fall, binning.falls[kind]))
    return _each(indices, rows)


def _concentration(lists: Sequence[MonitoredList], worded: Sequence[int]) -> Signal:
    """Each list beside that of another session; drawn by a fixed seed, so that runs agree."""
    drawn = np.random.default_rng(0).permutation(np.array(worded, dtype=np.int64))
    indices, rows = [], []
    for i, j in zip(drawn, np.roll(drawn, 1), strict=True):
        ours, theirs = lists[i], lists[j]
        if ours.items and (ours.session_id is None or ours.session_id != theirs.session_id):
            first = {item_id for item_id, _ in ours.items[:K]}
            shared = first & {item_id for item_id, _ in theirs.items[:K]}
            indices.append(int(i))
            rows.append([len(shared) / len(first)])
    return _each(indices, rows)


def _kind(served: MonitoredList) -> str:
    return "words" if served.stats.has_words else "session"


def _scores(served: MonitoredList) -> tuple[float, float] | None:
    """The first score, and its fall to the last of the first `K`."""
    if served.stats.reranked or not served.items:
        return None
    scores = [score for _, score in served.items[:K]]
    return scores[0], scores[0] - scores[-1]


def _popularity(served: MonitoredList, popularity_of: PopularityOf) -> float:
    logs = [popularity_of(item_id) for item_id, _ in served.items[:K]]
    return sum(logs) / len(logs) if logs else 0.0


def _edges(values: Sequence[float]) -> tuple[float, ...]:
    if not values:
        return ()
    inner = np.unique(np.quantile(values, np.arange(1, N_BINS) / N_BINS))
    return tuple(float(f"{edge:.6g}") for edge in inner)


def _binned(value: float, edges: Sequence[float]) -> list[float]:
    return _one_hot(bisect_left(edges, value), len(edges) + 1)


def _one_hot(which: int, n: int) -> list[float]:
    row = [0.0] * n
    row[which] = 1.0
    return row
