"""Held-out events, validation events, and the next-item cases made of them."""

from __future__ import annotations

import numpy as np

from semrec.config import Config, SplitConfig
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.data.splits import (
    SESSION_LENGTHS,
    Split,
    leave_out_last,
    next_item_cases,
    shorten,
    time_split,
)
from semrec.errors import DataError
from semrec.types import Case

ENOUGH = 10_000  # cases that tell options apart
MIN_USERS = 200  # that validate: of the cases of fifty, it is these fifty's taste that chooses


def hold_out(events: Interactions, split: SplitConfig) -> Split:
    """Split off the events that are kept for a test."""
    match split.test:
        case "none":
            return Split(train=events, test=events.where(np.zeros(len(events), bool)), cut=None)
        case "time":
            return time_split(events, split.test_share)
        case "last":
            return leave_out_last(events)


def validation_of(events: Interactions, split: SplitConfig) -> Split:
    """Newest events of clock data; with an order only, each user's second-last of all events.

    Where fewer than `MIN_USERS` were there in the newest time, all users' last moments are asked
    about instead. Long histories are then asked about more moments: up to `valid_share` of each,
    until there are some `ENOUGH`.

    Where nothing can be held out (all events at one moment), validation is empty, and options
    and weights stay as they are.
    """
    if events.clock and split.test != "last":
        try:
            newest = time_split(events, split.valid_share)
        except DataError:
            nothing = events.where(np.zeros(len(events), dtype=bool))
            return Split(train=events, test=nothing, cut=None)
        if len(np.unique(newest.test.users)) >= MIN_USERS:
            return newest
    n_users = int(np.count_nonzero(np.diff(events.starts)))
    return leave_out_last(
        events,
        1 if events.clock or split.test == "last" else 2,
        at_most=min(split.max_targets, -(-ENOUGH // max(1, n_users))),
        share=split.valid_share,
    )


def validation_cases(
    validation: Split, catalog: Catalog, config: Config, most: int, rng: np.random.Generator
) -> list[Case]:
    """At most `most`, of sessions as long as the configuration says."""
    cases = next_item_cases(
        validation,
        catalog,
        max_targets=config.split.max_targets,
        max_session=config.split.max_session,
        rng=rng,
        at_most=most,  # in a random order: the first few are a fair sample of users
    )
    lengths = config.split.session_lengths
    if lengths is None:
        lengths = list(SESSION_LENGTHS) if validation.train.clock else []
    return shorten(cases, rng, lengths) if lengths else cases
