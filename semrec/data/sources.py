"""Sources of datasets: frames in memory, and the dataset that semrec carries."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from semrec.data.dataset import Dataset, read_dataset, read_settings
from semrec.data.folders import write_dataset
from semrec.data.import_report import ImportOptions
from semrec.data.imports import import_tables
from semrec.data.roles import ROLES
from semrec.data.scans import arrow_table
from semrec.errors import DataError, nearest, preview
from semrec.types import Progress, silent

Frame = Any
"""A table of pandas, Polars or Arrow, a list of mappings, or a mapping of columns."""
DatasetSource = str | Path | Dataset | Mapping[str, Frame] | Sequence[Frame]
"""A folder, a dataset, or frames: items, interactions, perhaps tags, so ordered or by name."""


def fetch(name: str, out: str | Path) -> Dataset:
    """Write the dataset that comes with semrec to `out`, its terms beside it, and read it back.

    Raises:
        DataError: If the name is unknown, or `out` holds something else.
    """
    from semrec import demo_data  # here alone, so that a build knows nothing of it

    if name != "movielens":
        raise DataError(f"unknown dataset {name!r}{nearest(name, ['movielens'])}")
    shipped = demo_data.folder()

    def copy(made: Path) -> None:
        for file in demo_data.FILES:
            shutil.copyfile(shipped / file, made / file)

    name = read_settings(shipped / "dataset.yaml").name
    return write_dataset(Path(out), name, demo_data.FILES, copy)


def from_frames(
    items: Frame,
    interactions: Frame,
    out: str | Path | None = None,
    *,
    tags: Frame = None,
    progress: Progress = silent,
    **choices: Any,  # noqa: ANN401
) -> Dataset:
    """Make a dataset of frames: of pandas, Polars or Arrow, lists of mappings, or columns by name.

    Columns are recognised by their names as files' are (``movieId``, ``rating``, ``asin``).

    Args:
        items: `item_id`, `title`; optional `text`; every other column is an attribute. None:
            the items are those that somebody touched.
        interactions: `user_id`, `item_id`, `timestamp`; optional `weight` and `event`.
        out: A folder to write it to; absent, empty, or a dataset written before. None: nowhere.
        tags: `item_id`, `tag`; optional `user_id`, `timestamp`.
        progress: Called as work proceeds.
        **choices: Fields of `ImportOptions`: `name`, `licence`, `kind`, `positive_weight`, `time`,
            `renames`, `splits` (also `lists`), `events`, `drop_unknown`, `keep_titles`, `strict`
            (True unless said: what can't be used is refused, not left out).

    Raises:
        DataError: If the result isn't a valid dataset, or `out` holds something else; nothing
            is written then.

    Examples:
        >>> import pandas as pd
        >>> films = pd.DataFrame({"movieId": [7], "title": ["Heat (1995)"], "genres": ["War"]})
        >>> seen = pd.DataFrame({"userId": ["ada"], "movieId": [7], "timestamp": [1_600_000_000]})
        >>> dataset = from_frames(films, seen)
        >>> dataset.catalog.record(0)
        {'item_id': '7', 'title': 'Heat', 'year': 1995, 'genres': 'War'}
    """
    frames = {"items": items, "interactions": interactions, "tags": tags}
    tables = [
        arrow_table(Path(role), _arrow(role, frame), f"frame_{role}")
        for role, frame in frames.items()
        if frame is not None
    ]
    with TemporaryDirectory(dir=None if out is None else _parent(Path(out))) as work:
        target = Path(work) / "dataset" if out is None else Path(out)
        report = import_tables(
            tables,
            target,
            _options(choices),
            Path(work),
            roles={Path(role): role for role in ROLES},
            progress=progress,
        )
    if report.dataset is None:
        raise DataError("no dataset was written")
    notes = (*report.notes, *(f"{left} ({left.count:,} ×)" for left in report.left_out))
    return replace(report.dataset, notes=(*report.dataset.notes, *notes))


def as_dataset(source: DatasetSource) -> Dataset:
    """A dataset from wherever it is.

    Raises:
        DataError: As `read_dataset` and `from_frames`, or if it is none of these.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | Path):
        return read_dataset(source)
    if isinstance(source, Mapping) and "interactions" in source:
        if unknown := source.keys() - {"items", "interactions", "tags"}:
            name = str(min(unknown))
            raise DataError(f"frames: unknown {name!r}{nearest(name, ROLES)}")
        return from_frames(source.get("items"), source["interactions"], tags=source.get("tags"))
    if isinstance(source, tuple | list) and len(source) in (2, 3):
        return from_frames(source[0], source[1], tags=source[2] if len(source) == 3 else None)
    raise DataError(
        f"the dataset is {preview(source)}, expected a folder, a Dataset, or frames: "
        "(items, interactions), or semrec.from_frames(items, interactions)"
    )


def _options(choices: Mapping[str, Any]) -> ImportOptions:
    """The choices of somebody who calls from Python.

    Raises:
        DataError: On an unknown one, naming the nearest.
    """
    given = {"strict": True, **choices}
    if "lists" in given:
        given["splits"] = {**(given.get("splits") or {}), **(given.pop("lists") or {})}
    known = {field.name for field in fields(ImportOptions)}
    for name in given:
        if name not in known:
            raise DataError(f"from_frames: unknown option {name!r}{nearest(name, known)}")
    return ImportOptions(**given)


def _arrow(role: str, frame: Frame) -> pa.Table:
    """A frame as Arrow; a column that Arrow has no type for becomes text.

    Raises:
        DataError: If it is no table, or has a column twice.
    """
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, Mapping):
        columns = {str(name): _column(values) for name, values in frame.items()}
    elif isinstance(frame, list) and all(isinstance(row, Mapping) for row in frame):
        keys = dict.fromkeys(name for row in frame for name in row)
        columns = {str(name): _column([row.get(name) for row in frame]) for name in keys}
    elif hasattr(frame, "reset_index") and hasattr(frame, "columns"):  # pandas
        named = [level for level in frame.index.names if level is not None]
        frame = frame.reset_index(level=named) if named else frame
        names = [str(name) for name in frame.columns]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise DataError(f"{role}: column {min(doubled)!r} is there twice")
        columns = {str(name): _column(frame[name]) for name in frame.columns}
    elif hasattr(frame, "__arrow_c_stream__"):  # Polars, DuckDB, and whatever comes
        return pa.table(frame)
    else:
        raise DataError(
            f"{role}: found {type(frame).__name__}, expected a table of pandas, Polars or Arrow, "
            "a list of mappings, or a mapping of columns"
        )
    try:
        return pa.table(columns)
    except pa.ArrowInvalid as error:
        raise DataError(f"{role}: columns of different lengths: {error}") from None


def _column(values: Iterable[Any]) -> pa.Array | pa.ChunkedArray:
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        return pa.array([_as_text(value) for value in values], pa.string())


def _as_text(value: Any) -> str | None:  # noqa: ANN401
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, dict | list | tuple | set | frozenset):
        plain = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return json.dumps(plain, default=str, ensure_ascii=False)
    return str(value)


def _parent(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.parent
