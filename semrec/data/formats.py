"""Tables on disk: parquet, CSV and JSON lines in, one error for whatever is wrong with them.

Knows files and columns; knows nothing of items or users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
from numpy.typing import NDArray

from semrec.errors import DataError, nearest

SUFFIXES = (".parquet", ".csv", ".jsonl")
# Below this a number is taken for an order, above for Unix seconds (2001-09-09 and later is 1e9;
# the oldest public logs start in 1995, 8e8).
CLOCK_FROM_S = 1e8
MILLISECONDS_FROM = 1e11


def find_table(folder: Path, stem: str) -> Path | None:
    """The file in `folder` called `stem` in one of the known formats, or None.

    Raises:
        DataError: If there are several: which one is meant isn't ours to guess.
    """
    found = [folder / f"{stem}{suffix}" for suffix in SUFFIXES]
    found = [path for path in found if path.is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{folder}: {names} are both there; keep one")
    return found[0] if found else None


def read_table(
    path: Path,
    *,
    ids: Sequence[str] = (),
    texts: Sequence[str] = (),
    renames: Mapping[str, str] | None = None,
) -> pa.Table:
    """A table with its columns renamed and the columns `ids` as strings.

    Args:
        path: A ``.parquet``, ``.csv`` or ``.jsonl`` file.
        ids: Columns that hold ids: always strings, so that ``007`` stays ``007``.
        texts: Columns whose type isn't to be guessed from a CSV: a title ``007`` is no number.
        renames: Column in the file → name wanted.

    Raises:
        DataError: If the file can't be read as what its name says.
    """
    renames = dict(renames or {})
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        elif path.suffix == ".csv":
            old = {new: column for column, new in renames.items()}
            types = {old.get(name, name): pa.string() for name in (*ids, *texts)}
            options = pyarrow.csv.ConvertOptions(
                column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False
            )
            parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
            table = pyarrow.csv.read_csv(path, convert_options=options, parse_options=parsing)
        elif path.suffix == ".jsonl":
            table = pyarrow.json.read_json(path)
        else:
            raise DataError(f"{path}: found {path.suffix!r}, expected one of {', '.join(SUFFIXES)}")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not readable as {path.suffix[1:]}: {reason}") from error
    table = table.rename_columns([renames.get(name, name) for name in table.column_names])
    doubled = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if doubled:
        raise DataError(f"{path}: column {doubled[0]!r} is there twice")
    for name in ids:
        if name in table.column_names:
            index = table.column_names.index(name)
            table = table.set_column(index, name, _as_strings(path, name, table[name]))
    return table


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
    missing = pc.is_null(column, nan_is_null=True)
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

    Raises:
        DataError: If a value is missing, NaN, infinite, negative, in milliseconds, or no time.
    """
    refuse_nulls(path, table, name)
    column = table[name]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _parse_iso(path, name, column)
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        microseconds = pa.timestamp("us", tz=column.type.tz)
        column = column.cast(microseconds, safe=False).cast(pa.int64())  # drops nanoseconds
        return np.asarray(column.to_numpy(), dtype=np.float64) / 1e6
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(
            f"{path}: column {name!r} is {column.type}, "
            "expected Unix seconds, ISO 8601 or an order number"
        )
    values = np.asarray(column.to_numpy(), dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0) | (values > MILLISECONDS_FROM))
    if len(bad):
        found = values[bad[0]]
        hint = " (milliseconds? divide by 1000)" if found > MILLISECONDS_FROM else ""
        raise DataError(
            f"{path}: row {bad[0] + 1}, column {name!r}: "
            f"found {found:g}, expected Unix seconds, ISO 8601 or an order number{hint}"
        )
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
        row, found = bad[0] + 1, values[bad[0]]
        raise DataError(f"{path}: row {row}, column {name!r}: found {found}, expected a number")
    return values


def _as_strings(path: Path, name: str, column: Any) -> pa.ChunkedArray:  # noqa: ANN401
    if pa.types.is_floating(column.type):
        raise DataError(f"{path}: column {name!r} holds {column.type}, expected text or integers")
    return _cast_text(path, name, column)


def _cast_text(path: Path, name: str, column: Any) -> pa.ChunkedArray:  # noqa: ANN401
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise DataError(f"{path}: column {name!r} is {column.type}, expected text") from None


def _parse_iso(path: Path, name: str, column: Any) -> pa.ChunkedArray:  # noqa: ANN401
    from datetime import UTC, datetime

    parsed, bad = [], []
    for row, text in enumerate(column.to_pylist(), start=1):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            bad.append((row, text))
            continue
        parsed.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if bad:  # one word among numbers makes the whole column text: it is the word that is wrong
        row, text = next((one for one in bad if not one[1].isdecimal()), bad[0])
        raise DataError(
            f"{path}: row {row}, column {name!r}: found {text!r}, "
            "expected Unix seconds, ISO 8601 or an order number"
        )
    return pa.chunked_array([pa.array(parsed, type=pa.timestamp("us", tz="UTC"))])
