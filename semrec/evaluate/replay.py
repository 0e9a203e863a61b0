"""Dialogs replayed turn by turn: what a system shows in one turn has a consequence in the next.

    first request → list → something right in it? the dialog has succeeded
                         → nothing? what was shown is rejected, and the next request is asked

The person says what they said in the recorded dialog; only the feedback is made up. A shown item is
right if the dialog names it as right in this turn or a later one, and rejected unless it is in a
later request's session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.errors import DataError
from semrec.evaluate.asking import System, answer, recommender_of
from semrec.recommender import Recommender
from semrec.statistics import (
    Estimate,
    Values,
    bootstrap_means,
    bootstrap_sums,
    estimate,
    interval,
)
from semrec.types import BoolArray, Case, Event, Progress, Query
from semrec.understood import understand

TURNS = 5  # of a dialog are replayed; few have more


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One system in replayed dialogs.

    Attributes:
        system: Its name.
        success: For each turn the share of dialogs that had succeeded by then.
        kept: Of the items shown under a limit that an earlier turn stated and none took back, the
            share that satisfies it; None if there were none.
    """

    system: str
    success: tuple[Estimate, ...]
    kept: Estimate | None


@dataclass(frozen=True, kw_only=True)
class Replay:
    """All systems in the same dialogs.

    Attributes:
        n_dialogs: With at least one right item.
        reached: For each turn how many dialogs have it.
        n_limited: Dialogs in which a later turn stands under a limit of an earlier one.
        systems: One for each, in the order given.
    """

    n_dialogs: int
    reached: tuple[int, ...]
    n_limited: int
    systems: tuple[Replayed, ...]


@dataclass(frozen=True, kw_only=True)
class _Dialog:
    """Its requests, and for each the items that earlier limits permit; None: there are none."""

    turns: Sequence[Case]
    permitted: Sequence[BoolArray | None]


def replay_dialogs(
    systems: Mapping[str, System],
    cases: Sequence[Case],
    *,
    k: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> Replay:
    """Ask each dialog's requests in turn until one is answered rightly.

    Limits are read, the same for all systems, by the first recommender that reads any.

    Args:
        systems: By name.
        cases: Requests; those with a `turn` and something right in their dialog are replayed.
        k: Length of the lists.
        seed: Of the resampling of dialogs.
        progress: Called as turns are asked.

    Raises:
        DataError: If no case is a turn of a dialog.
    """
    recommenders = [found for s in systems.values() if (found := recommender_of(s)) is not None]
    reads = [found for found in recommenders if found.understanding is not None]
    dialogs = []
    for turns in dialogs_of(cases):
        permitted: Sequence[BoolArray | None] = [None] * len(turns)
        if reads:
            permitted = _permitted(turns, reads[0])
        dialogs.append(_Dialog(turns=turns, permitted=permitted))
    catalog = reads[0].catalog if reads else None
    replayed = []
    for name, system in systems.items():
        solved, kept = _replayed(system, dialogs, catalog, k, name, progress)
        by_turn = np.stack([solved <= turn for turn in range(TURNS)]).astype(np.float64)
        units = [str(number) for number in range(len(dialogs))]
        samples = bootstrap_means(by_turn, units, np.random.default_rng(seed))
        success = [estimate(*pair) for pair in zip(by_turn, samples.T, strict=True)]
        replayed.append(Replayed(system=name, success=tuple(success), kept=_share(kept, seed)))
    lengths = np.array([len(dialog.turns) for dialog in dialogs])
    return Replay(
        n_dialogs=len(dialogs),
        reached=tuple(int((lengths > turn).sum()) for turn in range(TURNS)),
        n_limited=sum(any(m is not None for m in dialog.permitted) for dialog in dialogs),
        systems=tuple(replayed),
    )


def dialogs_of(cases: Sequence[Case]) -> list[list[Case]]:
    """The first requests of each dialog in order, where any of them has something right.

    Raises:
        DataError: If there is no such dialog.
    """
    found: dict[str, list[tuple[int, Case]]] = {}
    for case in cases:
        if case.turn is not None:
            found.setdefault(case.unit, []).append((case.turn, case))
    ordered = [
        [case for _, case in sorted(turns, key=lambda turn: turn[0])[:TURNS]]
        for turns in found.values()
    ]
    dialogs = [turns for turns in ordered if any(case.relevant for case in turns)]
    if not dialogs:
        raise DataError(
            "no case is a turn of a dialog in which something is right; the cases need a column "
            "`turn` beside `dialog_id`"
        )
    return dialogs


def _permitted(turns: Sequence[Case], reader: Recommender) -> list[BoolArray | None]:
    """For each turn the items that satisfy what was stated before it and still holds.

    A limit still holds if all that was said until now is read with it as all said before was.
    """
    said = ""
    before: Mapping[str, Any] = {}
    permitted: list[BoolArray | None] = []
    for case in turns:
        words = case.query.intent
        said = words if words.startswith(said) else f"{said} {words}"
        read = understand(Query(intent=said), reader.understanding, reader.catalog).query.filters
        still = {name: limit for name, limit in read.items() if before.get(name) == limit}
        permitted.append(reader.catalog.mask(still))
        before = read
    return permitted


def _replayed(
    system: System,
    dialogs: Sequence[_Dialog],
    catalog: Catalog | None,
    k: int,
    name: str,
    progress: Progress | None,
) -> tuple[Values, Values]:
    """The turn at which each dialog succeeded, and the limited items that it was shown.

    Returns:
        (n_dialogs,) turns from 0, infinite where none did; (2, n_dialogs) how many of the items
        shown under limits satisfied them, and how many there were.
    """
    solved = np.full(len(dialogs), np.inf)
    kept = np.zeros((2, len(dialogs)))
    rejected: list[dict[str, None]] = [{} for _ in dialogs]
    for turn in range(TURNS):
        unsolved = np.flatnonzero(np.isinf(solved)).tolist()
        going = [n for n in unsolved if len(dialogs[n].turns) > turn]
        asked = [_with_feedback(dialogs[n].turns[turn], rejected[n]) for n in going]
        told = answer(
            system, asked, k=k, name=f"{name}, turn {turn + 1}", timed=0, progress=progress
        )
        for n, items in zip(going, told.lists, strict=True):
            case, later = dialogs[n].turns[turn], dialogs[n].turns[turn:]
            before = {event.item_id for event in case.query.events} | set(case.query.exclude)
            right = {item_id for one in later for item_id in one.relevant} - before
            if right & set(items):
                solved[n] = turn
            named = {event.item_id for one in later for event in one.query.events}
            rejected[n] |= dict.fromkeys(item for item in items if item not in named)
            mask = dialogs[n].permitted[turn]
            if catalog is not None and mask is not None:
                rows = catalog.rows(items)
                kept[:, n] += mask[rows].sum(), len(rows)
    return solved, kept


def _with_feedback(case: Case, rejected: Sequence[str] | Mapping[str, None]) -> Case:
    events = (*case.query.events, *(Event(item_id, type="reject") for item_id in rejected))
    return replace(case, query=replace(case.query, session=events))


def _share(kept: Values, seed: int) -> Estimate | None:
    """Satisfied over shown, dialogs resampled."""
    if not kept[1].any():
        return None
    totals = bootstrap_sums(kept, np.random.default_rng(seed))
    with np.errstate(invalid="ignore"):
        low, high = interval(totals[:, 0] / totals[:, 1])
    return Estimate(mean=float(kept[0].sum() / kept[1].sum()), low=low, high=high)
