"""Interactions: users, items, times.

Knows rows and user ids; the catalogue has the item ids.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from semrec.data.catalog import Catalog
from semrec.data.columns import plain
from semrec.data.formats import (
    CLOCK_FROM_S,
    ids,
    numbers,
    read_table,
    refuse_nulls,
    require_columns,
    seconds,
)
from semrec.data.nearest_id import nearest_id
from semrec.errors import ArtifactError, DataError, nearest
from semrec.types import BoolArray, EventType, FloatArray, RowArray

DROP = "drop"  # an event that is to be left out
# What others call semrec's events: only proposed, never assumed.
SYNONYMS = {
    word: event
    for event, words in {
        "buy": "purchase order transaction checkout bought",
        "like": "cart addtocart fav favorite favourite wishlist upvote save",
        "play": "watch listen stream",
        "reject": "dislike skip hide downvote",
        DROP: "impression removefromcart",
    }.items()
    for word in words.split()
}

MAX_RATINGS, MAX_RATING, RATING_SHARE = 11, 10, 0.7


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Events sorted by user, then time; events that tie keep the order of their file.

    Attributes:
        user_ids: User id of each user number.
        users: (n,) int64, user numbers.
        rows: (n,) int64, item rows.
        timestamps: (n,) float64, Unix seconds, or order numbers.
        weights: (n,) float32, ratings or counts; ones where the data has none.
        rejected: (n,) bool, where the user rejected the item; None: nowhere.
        clock: Whether timestamps are times (True) or only an order within a user (False).
        n_items: How many items the catalogue has.
    """

    user_ids: tuple[str, ...]
    users: RowArray
    rows: RowArray
    timestamps: NDArray[np.float64]
    weights: FloatArray
    clock: bool
    n_items: int
    rejected: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        n_users = len(self.user_ids)
        return f"Interactions({len(self):,} of {n_users:,} users with {self.n_items:,} items)"

    def where(self, mask: BoolArray) -> Interactions:
        """The events that `mask` selects; users keep their numbers."""
        return Interactions(
            user_ids=self.user_ids,
            users=self.users[mask],
            rows=self.rows[mask],
            timestamps=self.timestamps[mask],
            weights=self.weights[mask],
            rejected=None if self.rejected is None else self.rejected[mask],
            clock=self.clock,
            n_items=self.n_items,
        )

    def positive(self, from_weight: float | None) -> Interactions:
        """The events whose weight reaches `from_weight` (None: any), and that are no rejects."""
        counts = np.ones(len(self), bool) if self.rejected is None else ~self.rejected
        if from_weight is not None:
            counts &= self.weights >= from_weight
        return self if counts.all() else self.where(counts)

    @cached_property
    def counts(self) -> RowArray:
        """(n_items,) int64: how many people touched each item, each counted once."""
        return np.asarray(self.matrix().getnnz(axis=0), dtype=np.int64)

    @cached_property
    def starts(self) -> RowArray:
        """(n_users + 1,) int64: where each user's events start; the last entry is n."""
        return np.searchsorted(self.users, np.arange(len(self.user_ids) + 1)).astype(np.int64)

    @cached_property
    def _user_numbers(self) -> Mapping[str, int]:
        return {user_id: number for number, user_id in enumerate(self.user_ids)}

    def history(self, user_id: str) -> RowArray | None:
        """(m,) int64: a user's item rows, oldest first; None for an unknown user."""
        number = self._user_numbers.get(user_id)
        if number is None:
            return None
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def matrix(self) -> sp.csr_matrix[np.float32]:
        """(n_users, n_items) sparse float32: 1 where a user touched an item, however often."""
        shape = (len(self.user_ids), self.n_items)
        ones = np.ones(len(self), dtype=np.float32)
        matrix = sp.csr_matrix((ones, (self.users, self.rows)), shape=shape)
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix

    @cached_property
    def by_item(self) -> sp.csc_matrix[np.float32]:
        """`matrix` by columns: who touched an item."""
        return self.matrix().tocsc()

    def save(self, path: Path) -> None:
        """Write as ``.npz``."""
        np.savez_compressed(
            path,
            user_ids=np.asarray(self.user_ids, dtype=np.str_),
            starts=self.starts,
            rows=self.rows.astype(np.int32),
            timestamps=self.timestamps,
            weights=self.weights,
            shape=np.asarray([self.n_items, int(self.clock)]),
        )


def load_interactions(path: Path) -> Interactions:
    """Read what `Interactions.save` wrote.

    Raises:
        ArtifactError: If the file isn't such a file.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            n_items, clock = (int(value) for value in file["shape"])
            users = np.repeat(np.arange(len(file["user_ids"])), np.diff(file["starts"]))
            return Interactions(
                user_ids=tuple(file["user_ids"].tolist()),
                users=users.astype(np.int64),
                rows=file["rows"].astype(np.int64),
                timestamps=file["timestamps"],
                weights=file["weights"],
                clock=bool(clock),
                n_items=n_items,
            )
    except (OSError, KeyError, TypeError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise ArtifactError(f"{path}: not a file of interactions: {error}") from error


def make_interactions(
    table: pa.Table,
    source: Path,
    catalog: Catalog,
    *,
    time: str | None = None,
    events: Mapping[str, str] | None = None,
) -> Interactions:
    """Interactions from a table with `user_id`, `item_id`, `timestamp` and perhaps `weight`.

    Args:
        table: Ids are strings.
        source: The file, for messages.
        catalog: The items; an event that names another one is refused.
        time: ``clock``, ``order``, or None to tell by the size of the numbers.
        events: Event in the file → one of semrec's; its own need no saying.

    Raises:
        DataError: On a missing column or value, an unmapped event, or an unknown item id.
    """
    require_columns(source, table, ("user_id", "item_id", "timestamp"))
    if table.num_rows == 0:
        raise DataError(f"{source}: found no rows, expected at least one interaction")
    item_ids, items = ids(source, table, "item_id")
    row_of = np.asarray([-1 if (r := catalog.row(i)) is None else r for i in item_ids], np.int32)
    unknown = np.flatnonzero(row_of[items] < 0)
    if len(unknown):
        item_id = item_ids[items[unknown[0]]]
        raise DataError(
            f"{source}: row {unknown[0] + 1}, column 'item_id': {item_id!r} is not in the "
            f"catalogue ({len(unknown):,} such rows){nearest_id(item_id, catalog.item_ids)}; add "
            "the items, or leave these rows out: `semrec data import`"
        )
    user_ids, users = ids(source, table, "user_id")
    timestamps = seconds(source, table)
    has_weights = "weight" in table.column_names
    weights = numbers(source, table, "weight") if has_weights else np.ones(len(users), np.float32)
    rejected = _rejected(source, table, events or {}) if "event" in table.column_names else None
    del table  # of millions of rows: each array is let go once its sorted form is there
    pa.default_memory_pool().release_unused()
    order = np.lexsort((timestamps, users))  # stable: what ties stays in the order of the file
    clock = bool(timestamps.max() >= CLOCK_FROM_S) if time is None else time == "clock"
    users = users[order]
    items = items[order]
    timestamps = timestamps[order]
    weights = weights[order]
    rejected = None if rejected is None else rejected[order]
    del order
    return Interactions(
        user_ids=tuple(user_ids),
        users=users.astype(np.int64),
        rows=row_of[items].astype(np.int64),
        timestamps=timestamps,
        weights=weights,
        rejected=rejected,
        clock=clock,
        n_items=len(catalog),
    )


def _rejected(source: Path, table: pa.Table, events: Mapping[str, str]) -> BoolArray:
    """(n,) bool: where a user rejected an item.

    Raises:
        DataError: On a missing event, or one that nobody mapped.
    """
    refuse_nulls(source, table, "event")
    column = table["event"].cast(pa.string())
    counts = [(row["values"], row["counts"]) for row in pc.value_counts(column).to_pylist()]
    named = event_names(counts, events, f"{source}: ")
    unwanted = [event for event, meant in named.items() if meant in ("reject", DROP)]
    rejects = pa.array(unwanted, pa.string())
    return np.asarray(pc.is_in(column, rejects).to_numpy(), dtype=bool)


def event_names(
    counts: Sequence[tuple[str, int]], events: Mapping[str, str], where: str = ""
) -> dict[str, str]:
    """Event as a file has it → as semrec has it, or ``drop``.

    Args:
        counts: Events of the file, and how often each is there.
        events: Event in the file → semrec's, as somebody said it.
        where: What an error begins with.

    Raises:
        DataError: Naming those that nobody mapped, and the options that do.
    """
    given = {name.strip().casefold(): meant for name, meant in events.items()}
    known = get_args(EventType)
    for name, meant in events.items():
        if meant not in (*known, DROP):
            raise DataError(f"event {name!r} is to be {meant!r}{nearest(meant, (*known, DROP))}")
    named = {}
    for event, _ in counts:
        word = event.strip().casefold()
        if meant := given.get(word, word if word in known else ""):
            named[event] = meant
    unknown = [(event, n) for event, n in counts if event not in named][:10]
    if unknown:
        listed = ", ".join(f"{event!r:.60} ({n:,} ×)" for event, n in unknown)
        options = " ".join(
            f"--event {event.strip()}={SYNONYMS.get(plain(event), 'view')}" for event, _ in unknown
        )
        raise DataError(
            f"{where}column 'event': found {listed}, expected {', '.join(known)}; say what they "
            f"mean (drop: leave out) with `semrec data import … {options}`, or `events:` in "
            "dataset.yaml"
        )
    return named


def default_positive_weight(values: Sequence[float], most: float, least: float) -> float | None:
    """The weight from which an interaction counts where nobody says it; None: all count.

    Weights of at most eleven values up to 10 are ratings: 70 % of the largest. Others are amounts:
    all above 0.

    Args:
        values: The distinct weights, or more than eleven of them.
        most: The largest.
        least: The smallest above 0.
    """
    if len(values) < 2:
        return None
    if len(values) <= MAX_RATINGS and most <= MAX_RATING:
        return round(RATING_SHARE * most, 6)
    return None if min(values) > 0 else least


def default_weight(events: Interactions) -> float | None:
    """As `default_positive_weight`, of the weights of events that aren't rejects."""
    values = np.unique(events.positive(None).weights)
    if not len(values):
        return None
    return default_positive_weight(
        values[: MAX_RATINGS + 1].tolist(),
        float(values[-1]),
        float(min(values[values > 0], default=0)),
    )


def read_interactions(
    path: Path,
    catalog: Catalog,
    *,
    renames: Mapping[str, str] | None = None,
    time: str | None = None,
    events: Mapping[str, str] | None = None,
) -> Interactions:
    """Read interactions from a file.

    Raises:
        DataError: As `make_interactions`, or if the file can't be read.
    """
    return make_interactions(
        read_table(path, ids=("user_id", "item_id"), renames=renames),  # held by nobody else
        path,
        catalog,
        time=time,
        events=events,
    )
