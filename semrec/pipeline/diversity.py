"""Diversifies a list: maximal marginal relevance, and caps on attributes.

    candidates, best first → at each rank the best of the next few, less what it repeats
                           → unless a label of it stands there as often as it may

After ranker and reranker, before the slots for cold items. The first item never moves, and no
score changes. A list doesn't depend on its length: the first ten of twenty are the ten.

Source: Carbonell and Goldstein 1998, doi:10.1145/290941.291025.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.data.attributes import Attribute
from semrec.data.catalog import Catalog
from semrec.errors import QueryError, nearest, preview
from semrec.types import BoolArray, Condition, FloatArray, Moved, Query, RowArray

CAPPED = 100  # candidates that a list with caps is made from, at least
FURTHER = 60  # candidates of a search for more
WINDOW = 40  # candidates behind a rank that may move up to it
HEAD = 50  # candidates whose scores make the scale: the window of the tenth rank
MAX_MOVED = 50  # items of a trace
MAX_SEARCHES = 20  # for candidates that keep the caps
UNIT = 0.03  # of similarity: with it a strength of .3 is worth its cost (notebooks/LOG.md)
MIN_DEVIATION = 0.01  # of cosines: less is rounding

Candidates = tuple[RowArray, FloatArray]
"""Rows, best first, and their scores."""
Conditions = Sequence[tuple[str, Condition]]
Further = Callable[[RowArray, Conditions], Candidates]
"""Gives the next candidates: none of some rows, none that conditions rule out."""


@dataclass(frozen=True, kw_only=True)
class Diversity:
    """The diversity of lists whose queries don't say, as configured.

    Attributes:
        strength: 0: the list as it was ranked.
        max_per: By attribute, so many items of a list may share a label.
    """

    strength: float = 0.0
    max_per: Mapping[str, int] = field(default_factory=dict)

    def strength_of(self, query: Query) -> float:
        """The strength that a query asks for, or the configured one."""
        return self.strength if query.diversity is None else query.diversity

    def caps_of(self, query: Query, catalog: Catalog) -> Caps:
        """The caps of a query, and for attributes that it doesn't name the configured ones.

        Raises:
            QueryError: On an unknown attribute, naming the nearest.
        """
        for name in query.max_per:
            if name not in catalog.attributes:
                hint = nearest(str(name), catalog.attributes)
                raise QueryError(f"max_per on unknown attribute {preview(name)}{hint}")
        limits = {**self.max_per, **query.max_per}
        return Caps(limits=limits, attributes=catalog.attributes if limits else {})


@dataclass(kw_only=True)
class Caps:
    """The values that a list has so far, and how many items may share one.

    Attributes:
        limits: By attribute, how many.
        attributes: By name; items without a value of one aren't limited by it.
        counts: By attribute, how many items have each value: a label's code, a number.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    counts: dict[str, Counter[float]] = field(default_factory=dict)

    def admit(self, row: int) -> bool:
        """Count an item in, if none of its values stands there as often as it may."""
        values_of = {name: self.attributes[name].values_of(row) for name in self.limits}
        for name, values in values_of.items():
            counts = self.counts.setdefault(name, Counter())
            if any(counts[value] >= self.limits[name] for value in values):
                return False
        for name, values in values_of.items():
            self.counts[name].update(values)
        return True

    def over(self, rows: RowArray) -> CappedRows:
        """Candidates that may join the list."""
        values = {name: self.attributes[name].values_at(rows) for name in self.limits}
        refused = np.zeros(len(rows), dtype=bool)
        for name, full in self._full().items():
            positions, of = values[name]
            refused[positions[np.isin(of, full)]] = True
        return CappedRows(caps=self, values=values, refused=refused)

    def without_full(self) -> Conditions:
        """The conditions that rule out what stands there as often as it may."""
        return [(name, Condition(none=values)) for name, values in self._full().items()]

    def _full(self) -> dict[str, tuple[float, ...]]:
        full = {
            name: tuple(value for value, n in counts.items() if n >= self.limits[name])
            for name, counts in self.counts.items()
        }
        return {name: values for name, values in full.items() if values}


@dataclass(kw_only=True)
class CappedRows:
    """Candidates, and which of them caps refuse: at once, where a value is full.

    Attributes:
        caps: Of the list that they may join.
        values: By attribute, positions of candidates, ascending, and a value of each.
        refused: (n,) bool.
    """

    caps: Caps
    values: Mapping[str, tuple[RowArray, NDArray[Any]]]
    refused: BoolArray

    def admit(self, at: int) -> None:
        """Count the candidate at a position in; those that it leaves no room for are refused."""
        for name, (positions, values) in self.values.items():
            counts, limit = self.caps.counts.setdefault(name, Counter()), self.caps.limits[name]
            start, stop = np.searchsorted(positions, (at, at + 1))
            for value in set(values[start:stop].tolist()):
                counts[value] += 1
                if counts[value] >= limit:
                    self.refused[positions[values == value]] = True

    def next_from(self, at: int) -> int | None:
        """The first position from `at` on that isn't refused; None: there is none."""
        free = np.flatnonzero(~self.refused[at:])
        return at + int(free[0]) if len(free) else None


def depth(k: int, caps: Caps) -> int:
    """The number of candidates that a list of `k` is made from."""
    return max(compared(k), CAPPED) if caps.limits else compared(k)


def further_depth(k: int) -> int:
    """The number of candidates of a further search, without what a list is full of."""
    return max(k, FURTHER)


def compared(k: int) -> int:
    """The number of candidates, the first ones, that are compared with one another."""
    return max(HEAD, k + WINDOW)


def relevance(scores: FloatArray) -> FloatArray:
    """(n,) float32: candidates' scores as shares of the best; an average item has 0."""
    head = scores[:HEAD]
    scale = float(head.max() - min(0.0, head.min())) if len(head) else 0.0
    return np.asarray(scores / max(scale, 1e-9), dtype=np.float32)


def similarity(vectors: FloatArray) -> FloatArray:
    """(n, n) float32: the candidates' cosines, over the deviation of those of the first `HEAD`."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    cosines = unit @ unit.T
    pairs = cosines[:HEAD, :HEAD][np.triu_indices(min(HEAD, len(vectors)), 1)]
    deviation = float(pairs.std()) if len(pairs) else 0.0
    return np.asarray(cosines / max(deviation, MIN_DEVIATION), dtype=np.float32)


def diversified(
    scores: FloatArray,
    vectors: FloatArray,
    strength: float,
    k: int,
    capped: CappedRows | None = None,
) -> RowArray:
    """(m,) int64: the positions of up to `k` candidates, in their new order.

    At rank r stands, of the candidates at most `WINDOW` ranks further down, the one with the
    largest ``(1 - strength) · relevance - strength · UNIT · √(r - 1) · similarity`` to the most
    similar item before it. In the paper similarity counts the same at all ranks; where it counts
    less for the first, a list of the same diversity loses less (notebooks/LOG.md). Fewer than `k`
    come back only if no more are admitted.

    Args:
        scores: (n,) float32, in the candidates' order, best first.
        vectors: (n, dim) float32; zeros resemble nothing.
        strength: 0 to 1.
        k: How many at most.
        capped: The same candidates under caps; None: all may join.

    Examples:
        >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
        >>> scores = np.array([3, 2.9, 2.8], dtype=np.float32)
        >>> diversified(scores, vectors, 0.0, 3).tolist()
        [0, 1, 2]
        >>> diversified(scores, vectors, 0.5, 3).tolist()
        [0, 2, 1]
    """
    n = len(scores)
    capped = capped or Caps().over(np.arange(n))
    left = (1 - strength) * relevance(scores)
    weighed = strength * UNIT * similarity(vectors)
    likest = np.full(n, -np.inf, dtype=np.float32)
    picked: list[int] = []
    end = 1  # the first item stays
    while len(picked) < min(k, n):
        gains = left[:end] - len(picked) ** 0.5 * likest[:end] if picked else left[:end]
        gains = np.where(capped.refused[:end], -np.inf, gains)
        best = int(np.argmax(gains))
        if gains[best] == -np.inf:  # none of these may join
            further = capped.next_from(end)
            if further is None:
                break
            end = further + 1
            continue
        left[best] = -np.inf
        capped.admit(best)
        picked.append(best)
        np.maximum(likest, weighed[best], out=likest)
        end = max(end, min(n, len(picked) + 1 + WINDOW))
    return np.array(picked, dtype=np.int64)


def diversify(
    candidates: Candidates,
    vectors: FloatArray,
    strength: float,
    k: int,
    caps: Caps,
    further: Further,
) -> Candidates:
    """A list of up to `k` out of candidates; fewer only if no more keep the caps.

    Where too few of the candidates keep the caps, others are searched for without what the list is
    full of already; they come behind, in the order of their scores.

    Args:
        candidates: Rows, best first, and their scores, which stay with them.
        vectors: (m, dim) float32, the texts of the first `compared(k)` of them.
        strength: As there.
        k: How many at most.
        caps: None of the list is counted in them yet.
        further: Searches for more.
    """
    (rows, scores), m = candidates, len(vectors)
    order = diversified(scores[:m], vectors, strength, k, caps.over(rows[:m]))
    listed, kept, seen, are_more = rows[order], scores[order], rows, len(rows) >= depth(k, caps)
    rows, scores = rows[m:], scores[m:]
    for _ in range(MAX_SEARCHES):
        fitting = _fitting(rows, k - len(listed), caps)
        listed, kept = np.append(listed, rows[fitting]), np.append(kept, scores[fitting])
        if len(listed) == k or not caps.limits or not are_more:
            break
        rows, scores = further(seen, caps.without_full())
        seen, are_more = np.append(seen, rows), len(rows) >= further_depth(k)
    return listed, kept


def _fitting(rows: RowArray, n: int, caps: Caps) -> list[int]:
    """The positions of the first up to `n` rows that keep the caps, counted in."""
    capped, fitting = caps.over(rows), list[int]()
    while (
        len(fitting) < n and (at := capped.next_from(fitting[-1] + 1 if fitting else 0)) is not None
    ):
        capped.admit(at)
        fitting.append(at)
    return fitting


def moves(ranked: RowArray, listed: RowArray, k: int, item_ids: Sequence[str]) -> tuple[Moved, ...]:
    """The first `MAX_MOVED` items whose rank changed: those of the list, then those that left it.

    Args:
        ranked: (n,) int64, the candidates' rows in their ranked order.
        listed: (m,) int64, the rows of the list.
        k: How many were wanted.
        item_ids: By row.
    """
    before = {row: rank for rank, row in enumerate(ranked.tolist(), start=1)}
    after = {row: rank for rank, row in enumerate(listed.tolist(), start=1)}
    left = [row for row in ranked[:k].tolist() if row not in after]
    moved = (row for row in (*after, *left) if before.get(row) != after.get(row))
    return tuple(
        Moved(item_id=item_ids[row], from_rank=before.get(row), to_rank=after.get(row))
        for row in islice(moved, MAX_MOVED)
    )
