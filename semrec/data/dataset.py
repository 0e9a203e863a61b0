"""A dataset folder: read, checked and described as a whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from semrec.data.catalog import Catalog, read_catalog
from semrec.data.formats import (
    find_table,
    read_table,
    refuse_nulls,
    require_columns,
    seconds,
    strings,
)
from semrec.data.interactions import Interactions, read_interactions
from semrec.errors import DataError, nearest, shown


class DatasetSettings(BaseModel):
    """The fields of `dataset.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    licence: str = ""
    columns: dict[str, str] = {}
    positive_weight: float | None = None
    time: Literal["clock", "order"] | None = None


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
        hash: sha256 over the files that were read.
    """

    name: str
    licence: str
    positive_weight: float | None
    catalog: Catalog
    interactions: Interactions
    tags: tuple[Tag, ...]
    intents: tuple[Path, ...]
    hash: str

    @property
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
            f"the dataset is {shown(folder)}, expected a folder; "
            "semrec.data.sources.from_frames writes one from frames"
        )
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected one with items and interactions")
    settings = read_settings(folder / "dataset.yaml")
    items_path, events_path = (_required(folder, stem) for stem in ("items", "interactions"))
    catalog = read_catalog(items_path, settings.columns)
    events = read_interactions(events_path, catalog, renames=settings.columns, time=settings.time)
    if not len(events.positive(settings.positive_weight)):
        raise DataError(
            f"{events_path}: no interaction has a weight of at least {settings.positive_weight} "
            "(positive_weight in dataset.yaml)"
        )
    tags_path = find_table(folder, "tags")
    tags = _read_tags(tags_path, catalog, settings) if tags_path else ()
    intents = sorted(
        path for path in folder.glob("*intents*") if path.suffix in (".parquet", ".csv", ".jsonl")
    )
    files = [items_path, events_path, *([tags_path] if tags_path else [])]
    return Dataset(
        name=settings.name or folder.resolve().name,
        licence=settings.licence,
        positive_weight=settings.positive_weight,
        catalog=catalog,
        interactions=events,
        tags=tags,
        intents=tuple(intents),
        hash=_hash(files, settings),
    )


def read_settings(path: Path) -> DatasetSettings:
    """Read `dataset.yaml`; defaults if there is none.

    Raises:
        DataError: On unknown keys (naming the nearest) or wrong values.
    """
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
    described["warnings"] = _warnings(dataset, users)
    return described


def _warnings(dataset: Dataset, users: int) -> list[str]:
    found = []
    untitled = sum(not title.strip() for title in dataset.catalog.titles)
    if untitled:
        found.append(f"{untitled} items have no title")
    if blank := dataset.catalog.without_text():
        found.append(f"{blank} items have neither title nor text: no semantic block for them")
    if users < 50:
        found.append(f"only {users} users: weights tuned on so few are uncertain")
    return found


def _required(folder: Path, stem: str) -> Path:
    path = find_table(folder, stem)
    if path is None:
        raise DataError(f"{folder}: no {stem}.parquet, {stem}.csv or {stem}.jsonl")
    return path


def _read_tags(path: Path, catalog: Catalog, settings: DatasetSettings) -> tuple[Tag, ...]:
    table = read_table(path, ids=("user_id", "item_id"), texts=("tag",), renames=settings.columns)
    require_columns(path, table, ("user_id", "item_id", "tag", "timestamp"))
    for name in ("item_id", "tag"):
        refuse_nulls(path, table, name)
    item_ids, words = (strings(path, table, name) for name in ("item_id", "tag"))
    columns = zip(item_ids, words, seconds(path, table), strict=True)
    return tuple(
        Tag(row=row, tag=tag, timestamp=float(moment))
        for item_id, tag, moment in columns
        if (row := catalog.row(item_id)) is not None
    )


def _hash(files: list[Path], settings: DatasetSettings) -> str:
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()
