"""Sources of datasets: the one that semrec carries, and pandas frames.

Everything is written in the one form that `read_dataset` reads, beside its place and renamed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from semrec.data.dataset import Dataset, read_dataset, read_settings
from semrec.environment.files import replacing
from semrec.environment.optional import import_pandas
from semrec.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

FRAMES = ("dataset.yaml", "interactions.parquet", "items.parquet")  # what `from_frames` writes


def fetch(name: str, out: str | Path) -> Dataset:
    """Write the dataset that comes with semrec to `out`, its terms beside it, and read it back.

    Args:
        name: ``movielens``: 9,742 films and 100,836 ratings.
        out: The folder; absent, empty, or the same dataset written before.

    Raises:
        DataError: If the name is unknown, or `out` holds something else.

    Examples:
        >>> fetch("movielens", "data/movielens").name
        'movielens-keywords'
        >>> fetch("movielense", "data/movielens")
        Traceback (most recent call last):
        semrec.errors.DataError: unknown dataset 'movielense'; did you mean 'movielens'?
    """
    from semrec import demo_data  # here alone, so that a build knows nothing of it

    if name != "movielens":
        raise DataError(f"unknown dataset {name!r}{nearest(name, ['movielens'])}")
    shipped = demo_data.folder()

    def copy(made: Path) -> None:
        for file in demo_data.FILES:
            shutil.copyfile(shipped / file, made / file)

    return _place(Path(out), read_settings(shipped / "dataset.yaml").name, demo_data.FILES, copy)


def from_frames(
    items: pd.DataFrame,
    interactions: pd.DataFrame,
    out: str | Path,
    *,
    name: str = "",
    licence: str = "",
    positive_weight: float | None = None,
    time: str | None = None,
    lists: Mapping[str, str] | None = None,
    drop_unknown: bool = False,
) -> Dataset:
    """Write pandas frames as a dataset folder and read it back.

    Args:
        items: `item_id`, `title`; optional `text`; every other column is an attribute.
        interactions: `user_id`, `item_id`, `timestamp`; optional `weight`.
        out: The folder; absent, empty, or a dataset written before.
        name: What the dataset is called.
        licence: Its terms.
        positive_weight: Weight from which an interaction counts.
        time: ``clock`` or ``order``; None: told by the numbers.
        lists: Text columns that hold lists → what separates their labels.
        drop_unknown: Leave out interactions with items that aren't in `items`.

    Raises:
        DataError: If the result isn't a valid dataset, or `out` holds something else; nothing
            is written then.

    Examples:
        >>> import pandas as pd
        >>> films = pd.DataFrame({"item_id": [7], "title": ["Heat"], "genres": ["Crime|Thriller"]})
        >>> seen = pd.DataFrame({"user_id": ["ada"], "item_id": [7], "timestamp": [1_600_000_000]})
        >>> dataset = from_frames(films, seen, "data/mine", lists={"genres": "|"})
        >>> dataset.catalog.item_ids, dataset.catalog.record(0)["genres"]
        (('7',), ['Crime', 'Thriller'])
    """
    pandas = import_pandas()
    items, interactions = items.copy(), interactions.copy()
    for frame in (items, interactions):
        for column in {"item_id", "user_id"} & set(frame.columns):
            frame[column] = _ids_as_text(frame[column])
    for column in set(items.columns) - {"item_id", "title", "text"}:
        values = items[column]
        if pandas.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
            items[column] = values.astype("Int64")  # whole numbers with gaps: 1979, not 1979.0
    for column, separator in (lists or {}).items():
        if column not in items.columns:
            raise DataError(
                f"items: no column {column!r} to split{nearest(column, map(str, items.columns))}"
            )
        if not separator:
            raise DataError(f"items: column {column!r}: an empty separator splits nothing")
        texts = items[column].fillna("").astype(str)
        items[column] = [[p.strip() for p in t.split(separator) if p.strip()] for t in texts]
    if drop_unknown and {"item_id"} <= set(items.columns) & set(interactions.columns):
        interactions = interactions[interactions["item_id"].isin(items["item_id"])]
    if "timestamp" in interactions and pandas.api.types.is_float_dtype(interactions["timestamp"]):
        interactions["timestamp"] = interactions["timestamp"].astype("float64")
    settings = {
        "name": name,
        "licence": licence,
        "positive_weight": None if positive_weight is None else float(positive_weight),
        "time": time,
    }
    return _write(Path(out), items, interactions, settings)


def _write(
    out: Path, items: pd.DataFrame, interactions: pd.DataFrame, settings: Mapping[str, object]
) -> Dataset:
    """Put frames into the files of a dataset."""

    def write(made: Path) -> None:
        try:
            for stem, frame in (("items", items), ("interactions", interactions)):
                table = pa.Table.from_pandas(frame, preserve_index=False)
                pq.write_table(table.replace_schema_metadata(None), made / f"{stem}.parquet")
        except (pa.ArrowException, ValueError) as error:
            raise DataError(f"a column can't be stored: {error}") from error
        given = {key: value for key, value in settings.items() if value not in (None, "")}
        (made / "dataset.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")

    return _place(out, str(settings["name"]), FRAMES, write)


def _place(out: Path, name: str, files: Collection[str], write: Callable[[Path], None]) -> Dataset:
    """Write a folder beside `out` and let it take its place, if it is a valid dataset."""
    if out.exists() and not _replaceable(out, name, files):
        raise DataError(
            f"{out}: holds something else than an earlier dataset {name!r}; take another folder"
        )
    with replacing(out) as made:
        made.mkdir()
        write(made)
        try:
            read_dataset(made)  # refuses before anything takes its place
        except DataError as error:
            raise DataError(str(error).replace(str(made), str(out))) from None
    return read_dataset(out)


def _replaceable(out: Path, name: str, files: Collection[str]) -> bool:
    """True for an empty folder, and for a dataset of this name with nothing beside it."""
    if not out.is_dir():
        return False
    found = {path.name for path in out.iterdir()}
    if not found:
        return True
    return found == set(files) and read_settings(out / "dataset.yaml").name == name


def _ids_as_text(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as text, missing ones still missing; whole floats (a merge makes them) as integers.

    Raises:
        DataError: On a float with a fraction.
    """
    missing = ids.isna()
    if import_pandas().api.types.is_float_dtype(ids):
        broken = ids[~(ids.mod(1) == 0) & ~missing]
        if len(broken):
            found = broken.iloc[0]
            raise DataError(f"column {ids.name!r}: found {found}, expected text or integers")
        ids = ids.astype("Int64")
    return ids.astype(str).where(~missing)
