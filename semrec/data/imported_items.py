"""Items of an import: ids, titles, texts, years and attributes of the files that have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from semrec.data.cells import (
    NO_TEXT,
    Cells,
    Column,
    clean_text,
    clean_title,
    labels_in,
    make_column,
    moment,
    years,
)
from semrec.data.columns import GENRES_OF_100K, ITEM, TEXT, TITLE, YEAR
from semrec.data.scans import Table, json_value
from semrec.errors import DataError
from semrec.types import MAX_ID_CHARS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WHOLE = re.compile(r"\d+\.0")
VALUE_LEFT_OUT = "the value is left out"
NO_TITLE = ("", "\\N", "nan", "NaN", "<NA>")
MAX_YEAR_CHARS = 6  # of "1995.0"; dates are longer

Rejected = tuple[int, int, str, str, str]
"""file, row, column, value, reason"""


@dataclass(frozen=True, kw_only=True)
class ItemTable:
    """Items as they are stored.

    Attributes:
        table: `item_id`, `title`, perhaps `text`, then the attributes.
        rejects: Rows, or single values, that were left out.
        notes: What was converted.
    """

    table: pa.Table
    rejects: Sequence[Rejected]
    notes: Sequence[str]


def json_columns(database: DuckDBPyConnection, table: Table) -> Table:
    """A file of JSON with all of its keys; those whose values are all strings stay text."""
    if not table.json:
        return table
    rows = database.execute(
        f"SELECT key, bool_and(json_type(json, '/' || replace(replace(key, '~', '~0'), '/', '~1')) "
        f"IN ('VARCHAR', 'NULL')) FROM (SELECT json, unnest(json_keys(json)) AS key FROM "
        f"{table.scan}) GROUP BY key"
    ).fetchall()
    texts = dict(rows)
    keys = [*(key for key in table.columns if key in texts), *sorted(texts.keys() - table.columns)]
    return replace(
        table,
        columns={key: json_value(key) for key in keys},
        types={key: "token" for key in keys if texts[key]},
    )


def make_items(
    staged: pa.Table,
    meant: Mapping[str, Sequence[str]],
    types: Mapping[str, str],
    splits: Mapping[str, str],
    *,
    keep_titles: bool = False,
) -> ItemTable:
    """Items from a table of text.

    Args:
        staged: `file`, `row`, and the columns as they are called in the files.
        meant: Known name → the columns that stand for it, best first.
        types: Column → RecBole's type, or "token" for what must stay text.
        splits: Column → what separates its labels; empty: nothing does.
        keep_titles: Leave titles as they stand.

    Raises:
        DataError: If no row has an id.
    """
    id_column = meant[ITEM][0]
    usable, rejects = _usable(staged, id_column)
    if not usable:
        raise DataError(f"column {id_column!r}: no row has an id, expected at least one item")
    kept = staged.take(pa.array(usable))
    cells = {n: kept[n].to_pylist() for n in kept.column_names if n not in ("file", "row")}
    made = _Made(cells=cells, files=kept["file"].to_pylist(), rows=kept["row"].to_pylist())
    ids: list[str] = cells.pop(id_column)
    if all(WHOLE.fullmatch(item_id) for item_id in ids):
        ids = [item_id.removesuffix(".0") for item_id in ids]
        made.notes.append(f"{id_column}: .0 cut off")
    made.columns[ITEM] = pa.array(ids, pa.string())
    _add_words(made, meant, keep_titles)
    _add_year(made, meant)
    if set(GENRES_OF_100K) <= cells.keys():
        _add_flags(made)
    for name, values in list(cells.items()):
        column = make_column(name, values, types.get(name, ""), splits.get(name))
        made.reject(name, values, column)
        if column.values is not None:
            made.columns[f"{name}_" if name in made.columns else name] = column.values
        if column.note:
            made.notes.append(f"{name}: {column.note}")
    return ItemTable(
        table=pa.table(made.columns), rejects=[*rejects, *made.rejects], notes=made.notes
    )


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Items on their way: the cells that are left, and what was made of the others."""

    cells: dict[str, list[str | None]]
    files: Sequence[int]
    rows: Sequence[int]
    columns: dict[str, pa.Array] = field(default_factory=dict)
    years: dict[int, int] = field(default_factory=dict)
    rejects: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reject(self, name: str, cells: Cells, column: Column) -> None:
        """Keep the cells of a column that weren't taken."""
        for index, expected in column.odd:
            reason = f"expected {expected}; {VALUE_LEFT_OUT}"
            value = (cells[index] or "")[:200]
            self.rejects.append((self.files[index], self.rows[index], name, value, reason))


def _add_words(made: _Made, meant: Mapping[str, Sequence[str]], keep_titles: bool) -> None:
    """The titles, the years in them, and the texts."""
    cells = made.cells.pop(meant[TITLE][0]) if TITLE in meant else [None] * len(made.rows)
    given = ["" if cell is None or cell in NO_TITLE else cell for cell in cells]
    given = [", ".join(labels_in(title) or [title]) for title in given]
    titles = given
    if not keep_titles:
        cleaned = [clean_title(title) for title in given]
        titles = [title for title, _ in cleaned]
        years_said = {n: year for n, (_, year) in enumerate(cleaned) if year is not None}
        made.years.update(years_said)
        if changed := sum(map(str.__ne__, titles, given)):
            made.notes.append(
                f"titles: {changed:,} with a year taken out, an article put first, or markup "
                "removed (--keep-titles leaves them)"
            )
    made.columns[TITLE] = pa.array(titles, pa.string())
    texts = [made.cells.pop(name) for name in meant.get(TEXT, ()) if name in made.cells]
    if texts:
        joined = [_text(row) for row in zip(*texts, strict=True)]
        made.columns[TEXT] = pa.array(joined, pa.string())


def _add_year(made: _Made, meant: Mapping[str, Sequence[str]]) -> None:
    """A year of numbers or of dates, else the title's; dates stay as an attribute too."""
    stated: list[int | None] = [None] * len(made.rows)
    if YEAR in meant and meant[YEAR][0] in made.cells:
        name = meant[YEAR][0]
        cells = made.cells[name]
        column = years(cells)
        made.reject(name, cells, column)
        stated = [] if column.values is None else column.values.to_pylist()
        if not any(len(cell) > MAX_YEAR_CHARS and moment(cell) for cell in cells if cell):
            made.cells.pop(name)
    filled = [made.years.get(n) if year is None else year for n, year in enumerate(stated)]
    if any(year is not None for year in filled):
        made.columns[YEAR] = pa.array(filled, pa.int64())


def _add_flags(made: _Made) -> None:
    """MovieLens 100k has a column of 0 and 1 for each genre."""
    flags = {name: made.cells.pop(name) for name in GENRES_OF_100K}
    known = GENRES_OF_100K[1:]  # the first is "unknown"
    lists = [[name for name in known if flags[name][n] == "1"] for n in range(len(made.rows))]
    made.columns["genres"] = pa.array(lists, pa.list_(pa.string()))


def _usable(
    staged: pa.Table, column: str
) -> tuple[list[int], list[tuple[int, int, str, str, str]]]:
    """The rows with an id that no row before them has, and what is wrong with the others."""
    seen: dict[str, int] = {}
    usable, rejects = [], []
    ids, files, rows = (staged[name].to_pylist() for name in (column, "file", "row"))
    for index, item_id in enumerate(ids):
        if item_id is None or (len(item_id) <= 4 and item_id in NO_TITLE and item_id != "nan"):
            reason = "found nothing, expected a value"
        elif len(item_id) > MAX_ID_CHARS:
            reason = f"expected at most {MAX_ID_CHARS} characters"
        elif item_id in seen:
            reason = "is already in another row; ids must be unique"
        else:
            seen[item_id] = rows[index]
            usable.append(index)
            continue
        rejects.append((files[index], rows[index], column, (item_id or "")[:200], reason))
    return usable, rejects


def _text(parts: Sequence[str | None]) -> str:
    """The texts of one item, one below the other."""
    lines: list[str] = []
    for part in parts:
        if part is not None and part.strip() not in NO_TEXT:
            labels = labels_in(part)
            lines += [part] if labels is None else labels
    return "\n".join(filter(None, map(clean_text, lines)))
