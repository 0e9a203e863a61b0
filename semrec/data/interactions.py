"""Interactions: users, items, times.

Knows rows and user ids; the catalogue has the item ids.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from semrec.data.catalog import Catalog
from semrec.data.formats import (
    CLOCK_FROM_S,
    numbers,
    read_table,
    refuse_nulls,
    require_columns,
    seconds,
    strings,
)
from semrec.errors import ArtifactError, DataError
from semrec.types import BoolArray, FloatArray, RowArray


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Events sorted by user, then time; events that tie keep the order of their file.

    Attributes:
        user_ids: User id of each user number.
        users: (n,) int64, user numbers.
        rows: (n,) int64, item rows.
        timestamps: (n,) float64, Unix seconds, or order numbers.
        weights: (n,) float32, ratings or counts; ones where the data has none.
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

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, mask: BoolArray) -> Interactions:
        """The events that `mask` selects; users keep their numbers."""
        return Interactions(
            user_ids=self.user_ids,
            users=self.users[mask],
            rows=self.rows[mask],
            timestamps=self.timestamps[mask],
            weights=self.weights[mask],
            clock=self.clock,
            n_items=self.n_items,
        )

    def positive(self, from_weight: float | None) -> Interactions:
        """The events whose weight reaches `from_weight`; all of them for None."""
        return self if from_weight is None else self.where(self.weights >= from_weight)

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
    table: pa.Table, source: Path, catalog: Catalog, *, time: str | None = None
) -> Interactions:
    """Interactions from a table with `user_id`, `item_id`, `timestamp` and perhaps `weight`.

    Args:
        table: Ids are strings.
        source: The file, for messages.
        catalog: The items; an event that names another one is refused.
        time: ``clock``, ``order``, or None to tell by the size of the numbers.

    Raises:
        DataError: On a missing column or value, or an unknown item id.
    """
    require_columns(source, table, ("user_id", "item_id", "timestamp"))
    if table.num_rows == 0:
        raise DataError(f"{source}: found no rows, expected at least one interaction")
    for name in ("user_id", "item_id"):
        refuse_nulls(source, table, name)
    timestamps = seconds(source, table)
    weights = (
        numbers(source, table, "weight")
        if "weight" in table.column_names
        else np.ones(table.num_rows, dtype=np.float32)
    )
    item_ids = strings(source, table, "item_id")
    found = [catalog.row(item_id) for item_id in item_ids]
    unknown = [place for place, row in enumerate(found) if row is None]
    if unknown:
        first = unknown[0]
        raise DataError(
            f"{source}: row {first + 1}, column 'item_id': {item_ids[first]!r} is not in the "
            f"catalogue ({len(unknown)} such rows); add the items, or drop these rows with "
            "`semrec data import … --drop-unknown`"
        )
    user_ids, users = np.unique(np.asarray(strings(source, table, "user_id")), return_inverse=True)
    order = np.lexsort((np.arange(len(users)), timestamps, users))
    clock = bool(timestamps.max() >= CLOCK_FROM_S) if time is None else time == "clock"
    return Interactions(
        user_ids=tuple(user_ids.tolist()),
        users=users[order].astype(np.int64),
        rows=np.asarray(found, dtype=np.int64)[order],
        timestamps=timestamps[order],
        weights=weights[order],
        clock=clock,
        n_items=len(catalog),
    )


def read_interactions(
    path: Path,
    catalog: Catalog,
    *,
    renames: Mapping[str, str] | None = None,
    time: str | None = None,
) -> Interactions:
    """Read interactions from a file.

    Raises:
        DataError: As `make_interactions`, or if the file can't be read.
    """
    table = read_table(path, ids=("user_id", "item_id"), renames=renames)
    return make_interactions(table, path, catalog, time=time)
