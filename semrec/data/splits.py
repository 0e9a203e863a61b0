"""Cutting interactions into what may be learned from and what is asked about.

Clock data is cut at one moment for all users; order data by each user's last events. Events that
tie with the cut fall after it, and events of one user that tie are one set of targets, so nothing
learns from its own future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.errors import DataError
from semrec.types import Case, Query, RowArray

SESSION_LENGTHS = (1, 2, 3, 5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Events to learn from and events to ask about; nothing is known from `cut` on, if given."""

    train: Interactions
    test: Interactions
    cut: float | None


def time_split(events: Interactions, share: float) -> Split:
    """Cut at one moment so that about `share` of the events lie after it.

    Raises:
        DataError: If timestamps are only an order, or all events would fall on one side.
    """
    if not events.clock:
        raise DataError(
            "a global time split needs clock times, and these timestamps are an order within "
            "each user; use leave-one-out"
        )
    return split_at(events, float(np.quantile(events.timestamps, 1 - share, method="lower")))


def split_at(events: Interactions, cut: float) -> Split:
    """Cut at a given moment: events before it are learned from, the others asked about.

    Raises:
        DataError: If all events fall on one side.
    """
    after = events.timestamps >= cut
    if after.all() or not after.any():
        side = "after" if after.all() else "before"
        raise DataError(f"all {len(events)} events lie {side} the time cut {cut:g}")
    return Split(train=events.where(~after), test=events.where(after), cut=cut)


def leave_out_last(
    events: Interactions, nth: int = 1, *, at_most: int = 1, share: float = 0.0
) -> Split:
    """Ask about each user's `nth`-last moment (1 is the last); learn from all before it.

    A moment is one event, or several that tie. Users with too few moments are learned from and
    not asked about. Later events belong to neither side.

    Args:
        events: All of them.
        nth: The newest moment that is asked about.
        at_most: How many moments of a user are asked about, where the history is long.
        share: Of the user's moments, the most that are; one always is.
    """
    users, times = events.users, events.timestamps
    starts_moment = np.ones(len(events), dtype=bool)
    starts_moment[1:] = (users[1:] != users[:-1]) | (times[1:] != times[:-1])
    moments = np.cumsum(starts_moment)
    nobody = np.diff(events.starts) == 0
    last = moments[np.where(nobody, 0, events.starts[1:] - 1)]
    first = moments[np.where(nobody, 0, events.starts[:-1])]
    from_end = last[users] - moments + 1  # 1 for a user's last moment
    n_moments = last - first + 1
    short = n_moments[users] <= nth  # nothing would be left to learn from
    most = np.clip(n_moments - nth, 1, at_most)
    n_asked = np.clip(np.floor(share * n_moments), 1, most)[users]
    train = short | (from_end >= nth + n_asked)
    test = ~short & (from_end >= nth) & ~train
    return Split(train=events.where(train), test=events.where(test), cut=None)


def next_item_cases(
    split: Split,
    catalog: Catalog,
    *,
    max_targets: int = 20,
    max_session: int = 50,
    rng: np.random.Generator,
    at_most: int | None = None,
) -> list[Case]:
    """Next-item cases: given all that a user had touched before, the item touched next.

    Each case's session is the user's newest `max_session` items before the target's moment
    (events after the cut included: that is what a live session would know); older ones are
    excluded from the list without being part of the session. A target that the user already had
    stays a target: it counts as a miss.

    Args:
        split: What to learn from, what to ask about.
        catalog: For item ids.
        max_targets: At most so many moments per user, drawn at random.
        max_session: Length of the session.
        rng: Draws the moments.
        at_most: So many cases, in a random order; None: all, by user and time. Only these are
            made: those of millions of events would fill the memory.
    """
    moments = _moments(split, max_targets, rng)
    if at_most is not None:
        moments = [moments[i] for i in rng.permutation(len(moments))[:at_most]]
    return [_case_at(split, catalog, user, moment, max_session) for user, moment in moments]


def drawn_cases(
    split: Split, catalog: Catalog, rng: np.random.Generator, at_most: int | None = None
) -> list[Case]:
    """`next_item_cases` that have a session, in a random order."""
    cases = [case for case in next_item_cases(split, catalog, rng=rng) if case.query.session]
    return [cases[i] for i in rng.permutation(len(cases))[:at_most]]


def withhold_items(events: Interactions, share: float, rng: np.random.Generator) -> Split:
    """Withhold a random share of the touched items with all their events: planted cold items."""
    touched = np.flatnonzero(events.counts)
    cold = rng.choice(touched, max(1, round(share * len(touched))), replace=False)
    is_cold = np.zeros(events.n_items, dtype=bool)
    is_cold[cold] = True
    withheld = is_cold[events.rows]
    return Split(train=events.where(~withheld), test=events.where(withheld), cut=None)


def shorten(
    cases: Sequence[Case],
    rng: np.random.Generator,
    lengths: Sequence[int] = SESSION_LENGTHS,
) -> list[Case]:
    """The same cases with sessions cut to one of `lengths` at random, the newest items kept.

    Logs hold long histories, live sessions are short: weights tuned on long ones alone would
    trust behaviour too much. What is cut off stays excluded.
    """
    shortened = []
    for case in cases:
        session = case.query.events
        kept = max(1, int(rng.choice(lengths)))
        cut = [event.item_id for event in session[:-kept]]
        query = replace(case.query, session=session[-kept:], exclude=(*case.query.exclude, *cut))
        shortened.append(replace(case, query=query))
    return shortened


def _of_user(events: Interactions, user: int) -> tuple[RowArray, NDArray[np.float64]]:
    span = slice(events.starts[user], events.starts[user + 1])
    return events.rows[span], events.timestamps[span]


def _moments(split: Split, max_targets: int, rng: np.random.Generator) -> list[tuple[int, float]]:
    """User number and moment of each next-item case, by user and time."""
    moments: list[tuple[int, float]] = []
    for user in np.unique(split.test.users).tolist():
        times = np.unique(_of_user(split.test, user)[1])
        if len(times) > max_targets:
            times = np.sort(rng.choice(times, max_targets, replace=False))
        moments += [(user, moment) for moment in times.tolist()]
    return moments


def _case_at(split: Split, catalog: Catalog, user: int, moment: float, max_session: int) -> Case:
    train_rows, train_times = _of_user(split.train, user)
    test_rows, test_times = _of_user(split.test, user)
    rows = np.concatenate([train_rows, test_rows])
    times = np.concatenate([train_times, test_times])
    order = np.argsort(times, kind="stable")  # withheld items lie between the others
    rows, times = rows[order], times[order]
    before = [catalog.item_ids[row] for row in rows[times < moment]]
    relevant = dict.fromkeys(catalog.item_ids[row] for row in test_rows[test_times == moment])
    user_id = split.test.user_ids[user]
    return Case(
        case_id=f"{user_id}@{np.format_float_positional(moment, trim='-')}",
        query=Query(session=before[-max_session:], exclude=before[:-max_session]),
        relevant=tuple(relevant),
        unit=user_id,
    )
