"""The items: their ids, rows, titles, texts and attributes.

Item ids become rows here and nowhere else; both tables are built once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from semrec.data.attributes import Attribute, make_attribute, refuse_unusable
from semrec.data.formats import read_table, refuse_nulls, require_columns, strings
from semrec.data.item_records import checked_records
from semrec.data.kinds import kind_of
from semrec.data.mapped_catalog import (
    TABLE,
    MappedRows,
    StringColumn,
    Strings,
    load_mapped,
    save_mapped,
)
from semrec.errors import DataError, QueryError, nearest, preview
from semrec.types import MAX_ID_CHARS, BoolArray, Condition

RESERVED = ("item_id", "title", "text")
PARQUET = "catalog.parquet"
KIND = b"kind"  # in the table's metadata
# A text column is one of labels if it has few distinct values, and they aren't codes ("en", "M").
MAX_LABELS, MIN_ITEMS_PER_LABEL, MIN_LABEL_CHARS = 1_000, 5, 3


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All items, in row order.

    Attributes:
        table: The columns as read: `item_id`, `title`, `text`, then the attributes.
        item_ids: Item id of each row.
        titles: Title of each row, ``""`` where there is none.
        texts: Text of each row, ``""`` where there is none.
    """

    table: pa.Table
    item_ids: Strings
    titles: Strings
    texts: Strings
    _rows: dict[str, int] | MappedRows = field(repr=False)
    _later: Mapping[str, int] = field(default_factory=dict, repr=False)  # of items added since

    def __len__(self) -> int:
        return len(self.item_ids)

    def __repr__(self) -> str:
        return f"Catalog({len(self):,} items: {', '.join(self.table.column_names)})"

    def row(self, item_id: str) -> int | None:
        """The row of an item, or None if there is no such item."""
        later = self._later.get(item_id)
        return self._rows.get(item_id) if later is None else later

    def rows(self, item_ids: Iterable[str]) -> list[int]:
        """The rows of those items that are known, in their order."""
        return [row for item_id in item_ids if (row := self.row(item_id)) is not None]

    @cached_property
    def kind(self) -> str:
        """The kind of its items, a key of `kinds`; ``""`` if nothing tells it."""
        said = (self.table.schema.metadata or {}).get(KIND)
        if said is not None:
            return str(said.decode())
        texts = (f"{title} {text}" for title, text in zip(self.titles, self.texts, strict=True))
        return kind_of(self.attribute_names, texts)

    def of_kind(self, kind: str) -> Catalog:
        """The same with the kind of its items said, which is kept with them."""
        metadata = {**(self.table.schema.metadata or {}), KIND: kind.encode()}
        return replace(self, table=self.table.replace_schema_metadata(metadata))

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """Names of the columns that filters can use."""
        return tuple(name for name in self.table.column_names if name not in RESERVED)

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes in a form that filters can test quickly."""
        return {name: make_attribute(name, self.table[name]) for name in self.attribute_names}

    def record(self, row: int) -> dict[str, Any]:
        """One item as a mapping, attributes without a value left out."""
        values = self.table.slice(row, 1).to_pylist()[0]
        return {name: value for name, value in values.items() if not _is_missing(value)}

    def attributes_of(self, row: int) -> dict[str, Any]:
        """One item's attributes as a prompt may use them: a label is a list of one."""
        record, labels = self.record(row), self.label_columns
        return {
            name: [record[name]] if name in labels else record[name]
            for name in self.attribute_names
            if name in record
        }

    @cached_property
    def label_columns(self) -> frozenset[str]:
        """Text columns that hold labels: few distinct values, of words rather than codes."""
        columns = set()
        for name in self.attribute_names:
            column = self.table[name]
            if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
                continue
            distinct = [value for value in pc.unique(column).to_pylist() if value]
            n_told = len(column) - column.null_count
            few = len(distinct) <= min(MAX_LABELS, n_told // MIN_ITEMS_PER_LABEL)
            words = sum(map(len, distinct)) >= MIN_LABEL_CHARS * len(distinct)
            if distinct and few and words:
                columns.add(name)
        return frozenset(columns)

    def mask(self, filters: Mapping[str, Any]) -> BoolArray | None:
        """(n_items,) bool: which items satisfy all `filters`; None if there are none.

        Raises:
            QueryError: On an unknown attribute (naming the nearest) or a malformed condition.
        """
        return self.satisfying(self.conditions(filters)) if filters else None

    def conditions(self, filters: Mapping[str, Any]) -> tuple[tuple[str, Condition], ...]:
        """The conditions of `filters`, checked, each with its attribute's name.

        Raises:
            QueryError: On an unknown attribute (naming the nearest) or a malformed condition.
        """
        for name in filters:
            if name not in self.attributes:
                hint = nearest(str(name), self.attributes)
                raise QueryError(f"filter on unknown attribute {preview(name)}{hint}")
        return tuple((name, self.attributes[name].condition(filters[name])) for name in filters)

    def satisfying(self, conditions: Iterable[tuple[str, Condition]]) -> BoolArray:
        """(n_items,) bool, a new array: the items that satisfy all of `conditions`."""
        allowed = np.ones(len(self), dtype=bool)
        for name, condition in conditions:
            allowed &= self.attributes[name].mask(condition)
        return allowed

    def with_items(self, items: Sequence[Mapping[str, Any]], replaced: Set[int]) -> Catalog:
        """The same with more items behind the others.

        Args:
            items: `item_id`, and any of this catalogue's columns.
            replaced: Rows of removed items, whose ids may be used again.

        Raises:
            DataError: On an unknown column, a value of another type, or an id that is in use.
        """
        items = checked_records(items, self.table.schema)
        later = dict(self._later)
        for row, item in enumerate(items, start=len(self)):
            item_id = item["item_id"]
            before = later[item_id] if item_id in later else self._rows.get(item_id)
            if before is not None and before not in replaced:
                raise DataError(f"item {item_id!r} is already there; remove it first")
            later[item_id] = row
        added = pa.Table.from_pylist(items, schema=self.table.schema)
        # What is in a file stays there.
        n_mapped = len(self._rows.rows) if isinstance(self._rows, MappedRows) else 0
        rest = pa.concat_tables([self.table.slice(n_mapped), added]).combine_chunks()
        return _catalog(pa.concat_tables([self.table.slice(0, n_mapped), rest]), self._rows, later)

    def without_text(self) -> int:
        """Number of items with neither a title nor a text, and so no semantic block."""
        pairs = zip(self.titles, self.texts, strict=True)
        return sum(not title.strip() and not text.strip() for title, text in pairs)

    def save(self, path: Path) -> None:
        """Write the table as parquet."""
        pq.write_table(self.table, path)


def make_catalog(table: pa.Table, source: Path) -> Catalog:
    """A catalogue from a table whose `item_id` column holds strings.

    Raises:
        DataError: If it is empty, a column is missing or unusable, or an id is missing or doubled.
    """
    require_columns(source, table, ("item_id", "title"))
    if table.num_rows == 0:
        raise DataError(f"{source}: found no rows, expected at least one item")
    for name in [name for name in RESERVED if name in table.column_names]:
        column = pa.chunked_array([pa.array(strings(source, table, name), pa.string())])
        table = table.set_column(table.column_names.index(name), name, column)
    refuse_nulls(source, table, "item_id")
    item_ids = table["item_id"].to_pylist()
    rows: dict[str, int] = {}
    for row, item_id in enumerate(item_ids):
        if item_id in rows or len(item_id) > MAX_ID_CHARS:
            wrong = (
                f"{item_id!r} is already in row {rows[item_id] + 1}; ids must be unique"
                if item_id in rows
                else f"found {len(item_id):,} characters, expected at most {MAX_ID_CHARS}"
            )
            raise DataError(f"{source}: row {row + 1}, column 'item_id': {wrong}")
        rows[item_id] = row
    order = [name for name in RESERVED if name in table.column_names]
    attributes = [name for name in table.column_names if name not in RESERVED]
    for name in attributes:
        refuse_unusable(source, table, name)
    return _catalog(table.select(order + attributes), rows)


def _catalog(
    table: pa.Table, rows: dict[str, int] | MappedRows, later: Mapping[str, int] | None = None
) -> Catalog:
    """A catalogue over a checked table; what is mapped is text only while it is looked at."""

    def strings_of(name: str) -> Strings:
        if name not in table.column_names:
            return ("",) * len(table)
        column = StringColumn(column=table[name])
        return column if isinstance(rows, MappedRows) else tuple(column)

    return Catalog(
        table=table,
        item_ids=strings_of("item_id"),
        titles=strings_of("title"),
        texts=strings_of("text"),
        _rows=rows,
        _later=later or {},
    )


def save_catalog(catalog: Catalog, folder: Path, *, mapped: bool) -> None:
    """Write an artifact's catalogue: as parquet, or to be read as it is needed."""
    if mapped:
        save_mapped(catalog.table, folder)
    else:
        catalog.save(folder / PARQUET)


def load_catalog(folder: Path) -> Catalog:
    """Read what `save_catalog` wrote: an artifact's, whose files were checked when it was built."""
    if (folder / TABLE).is_file():
        catalog = _catalog(*load_mapped(folder))
    else:
        catalog = read_catalog(folder / PARQUET)
        said = (pq.read_schema(folder / PARQUET).metadata or {}).get(KIND)
        catalog = catalog if said is None else catalog.of_kind(said.decode())
    return catalog.of_kind(catalog.kind)  # which older artifacts don't say


def read_catalog(path: Path, renames: Mapping[str, str] | None = None) -> Catalog:
    """Read a catalogue from a file.

    Raises:
        DataError: As `make_catalog`, or if the file can't be read.
    """
    return make_catalog(read_table(path, renames=renames), path)


def _is_missing(value: object) -> bool:
    return value in (None, [], "") or value != value  # NaN is no value either
