"""A catalogue in a file that is read as it is needed: all processes of a machine share its pages.

catalog.arrow      the columns, as Arrow has them in memory
catalog_rows.npy   (2, n_items) int64: hashes of the ids, rising, and their rows
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import index
from pathlib import Path
from typing import SupportsIndex, overload

import numpy as np
import pyarrow as pa

from semrec.types import RowArray

TABLE, ROWS = "catalog.arrow", "catalog_rows.npy"
BATCH = 65_536  # strings that are text at a time


@dataclass(frozen=True, kw_only=True)
class StringColumn(Sequence[str]):
    """A column of text, of which a row is text only while somebody looks at it.

    Attributes:
        column: Of text; a null is ``""``.
    """

    column: pa.ChunkedArray

    def __len__(self) -> int:
        return len(self.column)

    @overload
    def __getitem__(self, row: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: SupportsIndex | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [self[at] for at in range(*row.indices(len(self)))]
        return self.column[index(row)].as_py() or ""

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BATCH):
            yield from (text or "" for text in self.column.slice(start, BATCH).to_pylist())


Strings = tuple[str, ...] | StringColumn


@dataclass(frozen=True, kw_only=True)
class MappedRows:
    """Rows by item id, without a dictionary of all ids.

    Attributes:
        item_ids: Of the rows.
        hashes: (n_items,) int64, rising.
        rows: (n_items,) int64, of `hashes`.
    """

    item_ids: Strings
    hashes: RowArray
    rows: RowArray

    def get(self, item_id: str) -> int | None:
        """The row of an item; None if there is no such item."""
        wanted = _hash(item_id)
        at = bisect_left(self.hashes, wanted)
        while at < len(self.hashes) and self.hashes[at] == wanted:
            if self.item_ids[row := int(self.rows[at])] == item_id:
                return row
            at += 1
        return None


def save_mapped(table: pa.Table, folder: Path) -> None:
    """Write a catalogue's table, whose first column is `item_id`, to be read by `load_mapped`."""
    schema = pa.schema(
        # Of text with offsets of 32 bits a column may hold 2 GB.
        [
            pa.field(field.name, pa.large_string()) if pa.types.is_string(field.type) else field
            for field in table.schema
        ],
        table.schema.metadata,
    )
    whole = table.cast(schema).combine_chunks()
    with pa.OSFile(str(folder / TABLE), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        writer.write_table(whole)
    hashes = np.fromiter(map(_hash, whole["item_id"].to_pylist()), np.int64, len(whole))
    order = np.argsort(hashes, kind="stable")
    np.save(folder / ROWS, np.stack([hashes[order], order]))


def load_mapped(folder: Path) -> tuple[pa.Table, MappedRows]:
    """A catalogue's table and its rows by item id, both read from their files as needed."""
    table = pa.ipc.open_file(pa.memory_map(str(folder / TABLE))).read_all()
    hashes, rows = np.load(folder / ROWS, mmap_mode="r")
    item_ids = StringColumn(column=table["item_id"])
    return table, MappedRows(item_ids=item_ids, hashes=hashes, rows=rows)


def _hash(item_id: str) -> int:
    """The same in every process, unlike Python's own."""
    digest = blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
