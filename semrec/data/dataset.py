"""A dataset folder: read, checked and described as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from semrec.data.attributes import usable
from semrec.data.catalog import RESERVED, Catalog, read_catalog
from semrec.data.columns import known_as
from semrec.data.formats import (
    find_table,
    ids,
    is_text,
    read_table,
    refuse_nulls,
    require_columns,
    seconds,
    strings,
)
from semrec.data.interactions import Interactions, default_weight, read_interactions
from semrec.data.kinds import kinds
from semrec.data.scans import is_table
from semrec.data.traffic import TRAFFIC
from semrec.errors import DataError, nearest, preview

# The columns that a dataset's files must have.
COLUMNS = {
    "items": {"item_id", "title"},
    "interactions": {"user_id", "item_id", "timestamp"},
    "tags": {"user_id", "item_id", "tag", "timestamp"},
}


class DatasetSettings(BaseModel):
    """The fields of `dataset.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    licence: str = ""
    columns: dict[str, str] = {}
    positive_weight: float | None = None
    time: Literal["clock", "order"] | None = None
    events: dict[str, str] = {}
    kind: str = ""  # of the items: films, books, …; see configs/kinds.yaml

    @field_validator("kind")
    @classmethod
    def _is_known(cls, kind: str) -> str:
        if kind and kind not in kinds():
            raise ValueError(f"expected one of {', '.join(kinds())}{nearest(kind, kinds())}")
        return kind


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A word that a user put on an item, at Unix second `timestamp`."""

    row: int
    tag: str
    timestamp: float


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A catalogue and what people did with it.

    Attributes:
        name: From `dataset.yaml`, else the folder's name.
        licence: Terms, as `dataset.yaml` states them.
        positive_weight: Weight from which an interaction counts; None: all count.
        catalog: The items.
        interactions: All events, also those that don't count.
        tags: Tags, by row and time.
        intents: Files of requests that lie in the folder.
        traffic: A file of requests that a service got, if one lies there.
        hash: sha256 over the files that were read.
        notes: What was decided by the numbers, as nobody said it.
    """

    name: str
    licence: str
    positive_weight: float | None
    catalog: Catalog
    interactions: Interactions
    tags: tuple[Tag, ...]
    intents: tuple[Path, ...]
    hash: str
    notes: tuple[str, ...] = ()
    traffic: Path | None = None

    def __repr__(self) -> str:
        n_items, n_events = len(self.catalog), len(self.interactions)
        return f"Dataset({self.name!r}, {n_items:,} items, {n_events:,} interactions)"

    @cached_property
    def positives(self) -> Interactions:
        """The events that count."""
        return self.interactions.positive(self.positive_weight)


def read_dataset(folder: str | Path) -> Dataset:
    """Read a dataset folder (its form is described in README, "Your own data").

    Raises:
        DataError: Naming the file, row and column, what was found and what is expected.

    Examples:
        >>> dataset = read_dataset("data/films")
        >>> dataset.name, len(dataset.catalog), len(dataset.interactions)
        ('films', 12, 150)
    """
    if not isinstance(folder, str | PathLike):
        raise DataError(
            f"the dataset is {preview(folder)}, expected a folder; "
            "semrec.from_frames makes one of frames"
        )
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected one with items and interactions")
    settings = read_settings(folder / "dataset.yaml")
    files = {stem: _required(folder, stem) for stem in ("items", "interactions")}
    if tags_path := find_table(folder, "tags"):
        files["tags"] = tags_path
    with ExitStack() as stack:
        read, renames, names, notes = files, settings.columns, settings.events, list[str]()
        if not all(is_canonical(stem, path, renames) for stem, path in files.items()):
            from semrec.data.imports import converted  # here: imports are read by this module

            work = Path(stack.enter_context(TemporaryDirectory()))
            read, notes = converted(files, settings, work)
            renames, names = {}, {}
        catalog = read_catalog(read["items"], renames)
        catalog = catalog.of_kind(settings.kind or catalog.kind)
        events = read_interactions(
            read["interactions"], catalog, renames=renames, time=settings.time, events=names
        )
        tags = _read_tags(read["tags"], catalog, renames) if "tags" in files else ()
    weight = settings.positive_weight
    if weight is None and (weight := default_weight(events)) is not None:
        notes.append(
            f"interactions count from weight {weight:g} on, as nothing says it; else say "
            "positive_weight in dataset.yaml"
        )
    if not len(events.positive(weight)):
        raise DataError(
            f"{files['interactions']}: no interaction has a weight of at least {weight} "
            "(positive_weight in dataset.yaml), or all are rejects"
        )
    intents = sorted(p for p in folder.glob("*intents*") if is_table(p) and p.suffix != ".txt")
    return Dataset(
        name=settings.name or folder.resolve().name,
        licence=settings.licence,
        positive_weight=weight,
        catalog=catalog,
        interactions=events,
        tags=tags,
        intents=tuple(intents),
        hash=_hash(list(files.values()), settings),
        notes=tuple(notes),
        traffic=traffic if (traffic := folder / TRAFFIC).is_file() else None,
    )


def read_settings(path: Path) -> DatasetSettings:
    """Read `dataset.yaml`; defaults if there is none.

    Raises:
        DataError: On unknown keys (naming the nearest) or wrong values.
    """
    other = path.with_suffix(".yml")
    if path.is_file() and other.is_file():
        raise DataError(f"{path.parent}: {path.name} and {other.name} are both there; keep one")
    path = path if path.is_file() else other
    if not path.is_file():
        return DatasetSettings()
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: found {type(values).__name__}, expected `key: value` lines")
    for key in values:
        if key not in DatasetSettings.model_fields:
            hint = nearest(str(key), DatasetSettings.model_fields)
            raise DataError(f"{path}: unknown key {key!r}{hint}")
    try:
        return DatasetSettings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"{path}: {key}: found {first['input']!r}; {first['msg']}") from None


def describe(dataset: Dataset) -> dict[str, Any]:
    """A dataset in numbers, and what deserves a warning."""
    events, positives = dataset.interactions, dataset.positives
    users = len(np.unique(positives.users))
    items = int((positives.counts > 0).sum())
    described: dict[str, Any] = {
        "name": dataset.name,
        "licence": dataset.licence,
        "items": len(dataset.catalog),
        "users": users,
        "interactions": len(events),
        "positive": len(positives),
        "positive_weight": dataset.positive_weight,
        "density": round(len(positives) / (users * len(dataset.catalog)), 6),
        "median_events_per_user": float(
            np.median(np.bincount(positives.users)[np.unique(positives.users)])
        ),
        "items_without_events": len(dataset.catalog) - items,
        "attributes": list(dataset.catalog.attribute_names),
        "tags": len(dataset.tags),
        "time": "clock" if events.clock else "order",
    }
    if events.clock:
        ends = (events.timestamps.min(), events.timestamps.max())
        described["from"], described["to"] = (
            datetime.fromtimestamp(end, tz=UTC).date().isoformat() for end in ends
        )
    from semrec.data.checking import check  # here: it reads datasets

    described["warnings"] = [
        finding.problem
        for finding in check(dataset)
        if finding.level != "note" or finding.problem in dataset.notes
    ]
    return described


def is_canonical(stem: str, path: Path, renames: Mapping[str, str]) -> bool:
    """True for parquet whose columns have the names and types of a dataset's."""
    if path.suffix.lower() != ".parquet":
        return False
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not readable as parquet: {str(error).splitlines()[0]}") from error
    types = {renames.get(field.name, field.name): field.type for field in schema}
    if len(types) < len(schema) or not COLUMNS[stem] <= types.keys():
        return False
    if stem == "items":
        return all(is_text(types[n]) if n in RESERVED else usable(types[n]) for n in types)
    known = {known_as(name) for name in types} & {"weight", "event"}
    is_id = (is_text(types[n]) or pa.types.is_integer(types[n]) for n in ("user_id", "item_id"))
    return all(is_id) and known <= types.keys() and not is_text(types["timestamp"])


def _required(folder: Path, stem: str) -> Path:
    path = find_table(folder, stem)
    if path is None:
        raise DataError(
            f"{folder}: no {stem}.parquet, {stem}.csv or {stem}.jsonl; bring other files into this "
            "form with `semrec data import FILES… --out FOLDER`"
        )
    return path


def _read_tags(path: Path, catalog: Catalog, renames: Mapping[str, str]) -> tuple[Tag, ...]:
    table = read_table(path, ids=("item_id",), renames=renames)
    require_columns(path, table, tuple(sorted(COLUMNS["tags"])))
    item_ids, items = ids(path, table, "item_id")
    refuse_nulls(path, table, "tag")
    columns = zip(items.tolist(), strings(path, table, "tag"), seconds(path, table), strict=True)
    row_of = [catalog.row(item_id) for item_id in item_ids]
    return tuple(
        Tag(row=row, tag=tag, timestamp=float(moment))
        for item, tag, moment in columns
        if (row := row_of[item]) is not None
    )


def _hash(files: list[Path], settings: DatasetSettings) -> str:
    unsaid = {name for name in ("events", "kind") if not getattr(settings, name)}
    digest = hashlib.sha256(settings.model_dump_json(exclude=unsaid).encode())
    for path in files:
        with path.open("rb") as raw:
            while chunk := raw.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
