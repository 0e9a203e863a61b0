"""Reserves list positions from rank 11 on for cold items: those that nobody has touched.

What text says of such an item is a cautious guess, while the scores of what is known have a long
tail; so hardly one would ever be seen on a session alone, however good it is. Making the guess
bolder costs known items more than it gains (notebooks/LOG.md). So some places further down are
kept for them; the first ten stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semrec.pipeline.request import ColdSlots, Request
from semrec.types import Allowed, BoolArray, Condition, FloatArray, IndexQuery, Operator, RowArray

UNTOUCHED: tuple[Operator, float] = ("lte", 0.0)
FIRST = 11  # the first rank that is kept; the ten before it are as they are


def cold_query(
    request: Request, counts: RowArray, removed: RowArray, least: int
) -> tuple[IndexQuery, ColdSlots] | None:
    """The places kept in a request's list, and what finds items for them.

    None if the list is short, somebody set weights, or nothing is untouched.

    Args:
        request: What was made of it before the search.
        counts: (n_items,) int64, people who touched each item.
        removed: (r,) int64, rows that never come back.
        least: The distance of the places where most items are untouched, at least 1.
    """
    query, resolved, fused = request.query, request.resolved, request.fused
    if query.k < FIRST or query.semantic_weight is not None:
        return None
    untouched = counts == 0
    if not untouched.any():
        return None
    permitted = resolved.allowed
    mask = untouched if permitted is None else untouched & permitted.mask
    n_permitted = len(mask) if permitted is None else int(permitted.mask.sum())
    every = slot_distance(int(mask.sum()), n_permitted, least)
    cold = Allowed(counts=Condition(bounds=(UNTOUCHED,)), make_mask=lambda: mask)
    if permitted is not None:
        familiar = permitted.counts.bounds if permitted.counts is not None else ()
        both = Condition(bounds=(*familiar, UNTOUCHED))
        cold = replace(permitted, counts=both, make_mask=cold.make_mask)
    rejected = np.union1d(resolved.excluded, removed)
    wanted = IndexQuery(vector=fused.vector, boost=fused.boost, excluded=rejected, allowed=cold)
    slots = ColdSlots(n_places=1 + (query.k - FIRST) // every, every=every, untouched=untouched)
    return wanted, slots


def insert_cold_items(request: Request) -> None:
    """Put what was found for the kept places of a request's list into it."""
    slots = request.cold
    if slots is None:
        return
    rows, scores = slots.fresh
    listed = set(request.rows.tolist())
    # What a list has and what is lifted into it keep the caps together, so any part of them does.
    kept = [i for i, row in enumerate(rows.tolist()) if row in listed or request.caps.admit(row)]
    request.rows, request.scores = with_cold_items(
        request.rows, request.scores, (rows[kept], scores[kept]), slots.untouched, slots.every
    )


def slot_distance(n_untouched: int, n_permitted: int, least: int) -> int:
    """The distance of the kept places: never more of them than there are cold items.

    Args:
        n_untouched: Untouched items among those that may come back.
        n_permitted: All that may.
        least: The distance where most items are untouched.
    """
    return max(least, n_permitted // max(n_untouched, 1))


def with_cold_items(
    rows: RowArray,
    scores: FloatArray,
    fresh: tuple[RowArray, FloatArray],
    untouched: BoolArray,
    every: int,
) -> tuple[RowArray, FloatArray]:
    """The list with untouched items lifted to ranks 11, 11 + every, …; as long as it was.

    A place is left to the others as long as the list holds as many untouched items by itself. What
    is lifted gets the score of the item before it, so that falling scores keep falling.

    Args:
        rows: (k,) int64, best first.
        scores: (k,) float32.
        fresh: Rows and scores of the best untouched items, best first.
        untouched: (n_items,) bool.
        every: Distance of the places that are kept, at least 1.
    """
    k = len(rows)
    waiting = [row for row in fresh[0].tolist() if row not in set(rows[: FIRST - 1].tolist())]
    ours = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    rest = iter(ours)
    taken: dict[int, float] = {}
    kept = placed = 0
    while len(taken) < k:
        rank = len(taken) + 1
        kept += rank >= FIRST and (rank - FIRST) % every == 0
        row = None
        if placed < kept:
            row = next((candidate for candidate in waiting if candidate not in taken), None)
        if row is None:
            row = next(candidate for candidate in rest if candidate not in taken)
        last = next(reversed(taken.values())) if taken else np.inf
        taken[row] = ours[row] if row in ours and row not in waiting else last
        placed += bool(untouched[row])
    return np.fromiter(taken, np.int64, k), np.fromiter(taken.values(), np.float32, k)
