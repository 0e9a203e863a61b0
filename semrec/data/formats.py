"""Tables of datasets: found by their names, read as Arrow, their columns checked.

Knows files and columns; knows nothing of items or users. Text files come as text, through
`scans`; parquet comes as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semrec.data.scans import Reading, is_table, open_files
from semrec.errors import DataError, nearest
from semrec.types import MAX_ID_CHARS

# Below this a number is taken for an order, above for Unix seconds (2001-09-09 and later is 1e9;
# the oldest public logs start in 1995, 8e8).
CLOCK_FROM_S = 1e8
MILLISECONDS_FROM = 1e11
EXPECTED_TIME = "expected Unix seconds, ISO 8601, a date or an order number"


def find_table(folder: Path, stem: str) -> Path | None:
    """The table in `folder` called `stem`, in any form that can be read, or None.

    Raises:
        DataError: If there are several: which one is meant isn't ours to guess.
    """
    paths = [p for p in sorted(folder.iterdir(), reverse=True) if is_table(p)]
    same = [path for path in paths if path.name.lower().split(".")[0] == stem]
    if len(same) > 1:
        names = " and ".join(path.name for path in same)
        raise DataError(f"{folder}: {names} are both there; keep one")
    return same[0] if same else None


def read_table(
    path: Path, *, ids: Sequence[str] = (), renames: Mapping[str, str] | None = None
) -> pa.Table:
    """A table with its columns renamed.

    Args:
        path: Parquet, whose types stay, or any text file, whose values are all text.
        ids: Columns that hold ids: read from parquet as a dictionary.
        renames: Column in the file → name wanted.

    Raises:
        DataError: If the file can't be read.
    """
    renames = dict(renames or {})
    if path.suffix.lower() == ".parquet":
        try:
            schema = pq.read_schema(path)
            texts = [
                f.name for f in schema if is_text(f.type) and renames.get(f.name, f.name) in ids
            ]
            table = pq.read_table(path, read_dictionary=texts)
        except FileNotFoundError:
            raise DataError(f"{path}: no such file") from None
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{path}: not readable as parquet: {reason}") from error
    else:
        table = _text_table(path)
    table = table.rename_columns([renames.get(name, name) for name in table.column_names])
    doubled = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if doubled:
        raise DataError(f"{path}: column {doubled[0]!r} is there twice")
    return table


def _text_table(path: Path) -> pa.Table:
    """A text file of any form as a table of text.

    Raises:
        DataError: On a row that isn't one, with its number.
    """
    from semrec.data import staging  # DuckDB is loaded where there is a text file

    with TemporaryDirectory() as folder:
        opened = open_files([path], Path(folder), Reading())[0]
        database = staging.connect(Path(folder))
        try:
            names = list(opened.columns)
            staging.stage(
                database, "raw", [(0, opened)], {f"c{n}": name for n, name in enumerate(names)}
            )
            query = 'SELECT "row", "value", reason FROM rejects ORDER BY "row"'
            for row, value, reason in database.execute(query).fetchall():
                raise DataError(f"{path}: row {row}: found {value!r:.60}, {reason}")
            table = database.sql('FROM raw ORDER BY "row"').to_arrow_table()
        finally:
            database.close()
    return table.drop_columns(["file", "row"]).rename_columns(names)


def is_text(kind: pa.DataType) -> bool:
    """True for a type of text, however it is stored."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    return any(test(kind) for test in tests)


def ids(path: Path, table: pa.Table, name: str) -> tuple[list[str], NDArray[np.int32]]:
    """A column of ids: the distinct ones, sorted, and (n,) int32, each row's place among them.

    Raises:
        DataError: On a missing id, a fraction, or one that is too long.
    """
    column = table[name]
    if pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    if not is_text(column.type):
        raise DataError(f"{path}: column {name!r} holds {column.type}, expected text or integers")
    refuse_nulls(path, table, name)
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    values = encoded.dictionary.to_pylist()
    codes = np.asarray(encoded.indices.to_numpy(), dtype=np.int32)
    used = np.unique(codes)
    order = sorted(used.tolist(), key=values.__getitem__)
    rank = np.zeros(len(values), dtype=np.int32)
    rank[order] = np.arange(len(order))
    for code in used.tolist():
        if not values[code] or len(values[code]) > MAX_ID_CHARS:
            row = int(np.flatnonzero(codes == code)[0]) + 1
            length = len(values[code])
            raise DataError(
                f"{path}: row {row}, column {name!r}: found {length:,} characters, expected "
                f"1 to {MAX_ID_CHARS}"
            )
    return [values[code] for code in order], rank[codes]


def require_columns(path: Path, table: pa.Table, names: Sequence[str]) -> None:
    """Check that all columns are there.

    Raises:
        DataError: Naming the file, the missing column and what was found instead.
    """
    for name in names:
        if name not in table.column_names:
            hint = nearest(name, table.column_names)
            raise DataError(
                f"{path}: column {name!r} is missing{hint} "
                "(dataset.yaml can rename: `columns: {found: expected}`)"
            )


def refuse_nulls(path: Path, table: pa.Table, name: str) -> None:
    """Check that a column has a value in every row; an empty text is none.

    Raises:
        DataError: Naming the first row (from 1, without the header) that has none.
    """
    column = table[name]
    missing = pc.is_null(column, nan_is_null=pa.types.is_floating(column.type))
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        missing = pc.or_kleene(missing, pc.equal(column, ""))
    if pc.any(missing).as_py():
        row = int(np.flatnonzero(missing.to_numpy())[0]) + 1
        raise DataError(f"{path}: row {row}, column {name!r}: found nothing, expected a value")


def strings(path: Path, table: pa.Table, name: str) -> list[str]:
    """A text column as a list of str, missing values as ``""``.

    Raises:
        DataError: If the column holds something that can't be written as text.
    """
    column = table[name]
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = _cast_text(path, name, column)
    return [value or "" for value in column.to_pylist()]


def seconds(path: Path, table: pa.Table, name: str = "timestamp") -> NDArray[np.float64]:
    """A column of times: (n,) float64, Unix seconds, or order numbers as they are.

    Milli-, micro- and nanoseconds are known by their size: as seconds they'd be after year 5000.

    Raises:
        DataError: If a value is missing, NaN, infinite, negative, or no time.
    """
    refuse_nulls(path, table, name)
    column = table[name]
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        microseconds = pa.timestamp("us", tz=column.type.tz)
        column = column.cast(microseconds, safe=False).cast(pa.int64())  # drops nanoseconds
        values = np.asarray(column.to_numpy(), dtype=np.float64) / 1e6
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = np.array(column.to_numpy(), dtype=np.float64)
    else:
        raise DataError(f"{path}: column {name!r} is {column.type}, {EXPECTED_TIME}")
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        raise DataError(
            f"{path}: row {bad[0] + 1}, column {name!r}: found {values[bad[0]]:g}, {EXPECTED_TIME}"
        )
    for least, factor in ((1e17, 1e9), (1e14, 1e6), (MILLISECONDS_FROM, 1e3)):
        np.divide(values, factor, out=values, where=values >= least)
    return values


def numbers(path: Path, table: pa.Table, name: str) -> NDArray[np.float32]:
    """A numeric column: (n,) float32, all finite.

    Raises:
        DataError: If a value is missing or isn't a finite number.
    """
    refuse_nulls(path, table, name)
    column = table[name]
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(f"{path}: column {name!r} is {column.type}, expected numbers")
    with np.errstate(over="ignore"):  # what float32 can't hold is refused as infinite
        values = np.asarray(column.to_numpy(), dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        row, value = bad[0] + 1, values[bad[0]]
        raise DataError(f"{path}: row {row}, column {name!r}: found {value}, expected a number")
    return values


def _cast_text(path: Path, name: str, column: Any) -> pa.ChunkedArray:  # noqa: ANN401
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(f"{path}: column {name!r} is {column.type}, expected text") from None
