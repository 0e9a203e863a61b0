"""A service's log as interactions for the next build."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semrec.data.dataset import Dataset, read_dataset
from semrec.data.sources import from_frames
from semrec.environment.optional import import_pandas
from semrec.errors import DataError
from semrec.sessions.log import open_log


def from_log(state: str | Path, out: str | Path, *, data: str | Path, name: str = "") -> Dataset:
    """Write a dataset together with what a service has logged since as a new dataset.

    A session is a user. A rejected item is no interaction; every other event counts as one that
    is just positive in `data`. Events of items that aren't in its catalogue are left out.

    Args:
        state: The folder that `semrec serve --state` kept.
        out: The new dataset's folder; absent, empty, or a dataset written before.
        data: The dataset that the service's artifact was built from.
        name: What the new dataset is called; the old one's name if it isn't said.

    Raises:
        DataError: If `data` has no clock, or nothing in the log can be used; nothing is written.
        StateError: If there is no log.
    """
    pandas = import_pandas()
    before = read_dataset(data)
    events = before.interactions
    if not events.clock:
        raise DataError(f"{data}: its time is an order, which a log's clock can't be added to")
    catalog = before.catalog
    log = open_log(Path(state))
    logged = [
        one
        for one in log.events()
        if one.event.type != "reject" and catalog.row(one.event.item_id) is not None
    ]
    log.close()
    if not logged:
        raise DataError(f"{state}: no event of an item of {data} in its log, nothing to import")
    weight = 1.0 if before.positive_weight is None else before.positive_weight
    items = pandas.DataFrame(catalog.table.to_pydict())
    interactions = pandas.DataFrame(
        {
            "user_id": [
                *np.asarray(events.user_ids, dtype=object)[events.users],
                *(one.session_id for one in logged),
            ],
            "item_id": [
                *np.asarray(catalog.item_ids, dtype=object)[events.rows],
                *(one.event.item_id for one in logged),
            ],
            "timestamp": [*events.timestamps, *(one.timestamp for one in logged)],
            "weight": np.asarray([*events.weights, *[weight] * len(logged)], dtype=np.float32),
        }
    )
    return from_frames(
        items,
        interactions,
        out,
        name=name or before.name,
        licence=before.licence,
        positive_weight=before.positive_weight,
        time="clock",
    )
