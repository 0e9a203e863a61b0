"""A service's log as interactions for the next build."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from semrec.data.dataset import Dataset, DatasetSettings, read_dataset
from semrec.data.folders import write_dataset
from semrec.errors import DataError
from semrec.sessions.log import LoggedEvent, open_log


def from_log(state: str | Path, out: str | Path, *, data: str | Path, name: str = "") -> Dataset:
    """Write a dataset together with what a service has logged since as a new dataset.

    A session is a user. A rejected item is no interaction; every other event counts as one that
    is just positive in `data`. Events of items that aren't in its catalogue are left out. Tags and
    files of requests come along.

    Args:
        state: The folder that `semrec serve --state` kept.
        out: The new dataset's folder; absent, empty, or a dataset written before.
        data: The dataset that the service's artifact was built from.
        name: What the new dataset is called; the old one's name if it isn't said.

    Raises:
        DataError: If `data` has no clock, or nothing in the log can be used; nothing is written.
        StateError: If there is no log.
    """
    before = read_dataset(data)
    events = before.interactions
    if not events.clock:
        raise DataError(f"{data}: its time is an order, which a log's clock can't be added to")
    catalog = before.catalog
    log = open_log(Path(state))
    logged = [
        entry
        for entry in log.events()
        if entry.event.type != "reject" and catalog.row(entry.event.item_id) is not None
    ]
    log.close()
    if not logged:
        raise DataError(f"{state}: no event of an item of {data} in its log, nothing to import")
    tables = {"interactions.parquet": _interactions(before, logged)}
    if before.tags:
        tables["tags.parquet"] = {
            "user_id": [""] * len(before.tags),
            "item_id": [catalog.item_ids[tag.row] for tag in before.tags],
            "tag": [tag.tag for tag in before.tags],
            "timestamp": [tag.timestamp for tag in before.tags],
        }
    settings = DatasetSettings(
        name=name or before.name,
        licence=before.licence,
        kind=catalog.kind,
        positive_weight=before.positive_weight,
        time="clock",
    )

    def write(folder: Path) -> None:
        catalog.save(folder / "items.parquet")
        for file, columns in tables.items():
            pq.write_table(pa.table(columns), folder / file)
        for path in before.intents:
            shutil.copyfile(path, folder / path.name)
        text = yaml.safe_dump(settings.model_dump(exclude_defaults=True), allow_unicode=True)
        (folder / "dataset.yaml").write_text(text, encoding="utf-8")

    intents = [path.name for path in before.intents]
    files = ["dataset.yaml", "items.parquet", *tables, *intents]
    return write_dataset(Path(out), settings.name, files, write)


def _interactions(before: Dataset, logged: Sequence[LoggedEvent]) -> dict[str, Any]:
    """The columns of all interactions: a logged one is just positive; rejects are none."""
    events, catalog = before.interactions, before.catalog
    weight = 1.0 if before.positive_weight is None else before.positive_weight
    counted = events if events.rejected is None else events.where(~events.rejected)
    item_ids = np.asarray(catalog.item_ids, dtype=object)
    user_ids = np.asarray(counted.user_ids, dtype=object)
    return {
        "user_id": [*user_ids[counted.users], *(entry.session_id for entry in logged)],
        "item_id": [*item_ids[counted.rows], *(entry.event.item_id for entry in logged)],
        "timestamp": [*counted.timestamps, *(entry.timestamp for entry in logged)],
        "weight": np.asarray([*counted.weights, *[weight] * len(logged)], dtype=np.float32),
    }
