"""A service's log as interactions, and requests, for the next build."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from semrec.data.dataset import Dataset, DatasetSettings, read_dataset
from semrec.data.folders import write_dataset
from semrec.data.traffic import TRAFFIC, write_traffic
from semrec.errors import DataError
from semrec.sessions.log import LoggedEvent, open_log
from semrec.sessions.logged_requests import LoggedRequests, read_requests
from semrec.types import Case

LEARNED, COMPARED = "log-intents.parquet", "log-cases.parquet"
N_HASH = 12  # letters of a version's hash that name its folder
UNFINISHED = ".importing-"


def from_log(
    state: str | Path,
    out: str | Path,
    *,
    data: str | Path,
    name: str = "",
    requests: LoggedRequests | None = None,
) -> Dataset:
    """Write a dataset together with what a service has logged since as a new dataset.

    A session is a user. A rejected item is no interaction; every other event counts as one that
    is just positive in `data`. Events of items that aren't in its catalogue are left out, as are
    those that `data` has already. Tags and files of requests come along.

    Args:
        state: The folder that `semrec serve --state` kept.
        out: The new dataset's folder; absent, empty, or a dataset written before.
        data: The dataset that the service's artifact was built from.
        name: What the new dataset is called; the old one's name if it isn't said.
        requests: Of the log: they come along in files of their own (`LEARNED`, `COMPARED`,
            `TRAFFIC`), and events of sessions that are held out are left out. None: without.

    Raises:
        DataError: If `data` has no clock, or nothing in the log can be used; nothing is written.
        StateError: If there is no log.
    """
    before = read_dataset(data)
    if not before.interactions.clock:
        raise DataError(f"{data}: its time is an order, which a log's clock can't be added to")
    held_out = frozenset[str]() if requests is None else requests.held_out
    logged = _new_events(Path(state), before, held_out)
    if not logged:
        raise DataError(f"{state}: no event of an item of {data} in its log, nothing to import")
    tables = {"interactions.parquet": _interactions(before, logged), **_tags(before)}
    if requests is not None:
        cases = {LEARNED: requests.learned, COMPARED: requests.compared}
        tables |= {file: _requests(of) for file, of in cases.items() if of}
    intents = [path for path in before.intents if path.name != LEARNED or requests is None]
    settings = DatasetSettings(
        name=name or before.name,
        licence=before.licence,
        kind=before.catalog.kind,
        positive_weight=before.positive_weight,
        time="clock",
    )

    def write(folder: Path) -> None:
        before.catalog.save(folder / "items.parquet")
        for file, columns in tables.items():
            pq.write_table(pa.table(columns), folder / file)
        for path in intents:
            shutil.copyfile(path, folder / path.name)
        if requests is not None:
            write_traffic(folder / TRAFFIC, requests.traffic)
        text = yaml.safe_dump(settings.model_dump(exclude_defaults=True), allow_unicode=True)
        (folder / "dataset.yaml").write_text(text, encoding="utf-8")

    files = ["dataset.yaml", "items.parquet", *tables, *(path.name for path in intents)]
    optional = (LEARNED, COMPARED, TRAFFIC)
    return write_dataset(Path(out), settings.name, files, write, optional)


def next_version(state: Path, data: Path, since_s: float) -> Path:
    """Write a service's log and its dataset as a new version beside the dataset.

    The folder is named by a hash of its files: the same log gives the same folder, which is left
    as it is if it is there. `data` isn't touched.

    Args:
        state: The folder that `semrec serve --state` kept.
        data: The dataset's folder.
        since_s: The Unix second from which on requests are taken. Events are all taken.

    Returns:
        The version's folder, ``DATA-HASH``.

    Raises:
        DataError, StateError: As `from_log`; nothing is left behind then.
    """
    known = frozenset(read_dataset(data).interactions.user_ids)
    log = open_log(state)
    try:
        requests = read_requests(log, since_s, known)
    finally:
        log.close()
    home = data.resolve()
    with TemporaryDirectory(dir=home.parent, prefix=UNFINISHED) as temporary:
        made = Path(temporary) / "dataset"
        from_log(state, made, data=data, requests=requests)
        version = home.with_name(f"{home.name}-{_hash_of(made)}")
        if not version.exists():
            made.rename(version)
    return version


def _new_events(state: Path, before: Dataset, held_out: Collection[str]) -> list[LoggedEvent]:
    """The events of a log that can be learned from and aren't in the dataset."""
    log = open_log(state)
    logged = [entry for entry in log.events() if entry.session_id not in held_out]
    log.close()
    events, catalog = before.interactions, before.catalog
    sessions = {entry.session_id for entry in logged}
    both = [number for number, user in enumerate(events.user_ids) if user in sessions]
    own = events.where(np.isin(events.users, both))  # not all: that may be millions
    columns = zip(own.users.tolist(), own.rows.tolist(), own.timestamps.tolist(), strict=True)
    here = {(own.user_ids[user], row, moment) for user, row, moment in columns}
    return [
        entry
        for entry in logged
        if entry.event.type != "reject"
        and (row := catalog.row(entry.event.item_id)) is not None
        and (entry.session_id, row, entry.timestamp) not in here
    ]


def _tags(before: Dataset) -> dict[str, dict[str, Any]]:
    """The columns of the tags, by file; none where there are no tags."""
    if not before.tags:
        return {}
    columns = {
        "user_id": [""] * len(before.tags),
        "item_id": [before.catalog.item_ids[tag.row] for tag in before.tags],
        "tag": [tag.tag for tag in before.tags],
        "timestamp": [tag.timestamp for tag in before.tags],
    }
    return {"tags.parquet": columns}


def _requests(cases: Sequence[Case]) -> dict[str, Any]:
    """The columns of a file of requests."""
    lists = pa.list_(pa.string())
    sessions = [[event.item_id for event in case.query.events] for case in cases]
    return {
        "intent_id": [case.case_id for case in cases],
        "dialog_id": [case.unit for case in cases],
        "text": [case.query.intent for case in cases],
        "session": pa.array(sessions, lists),
        "relevant": pa.array([list(case.relevant) for case in cases], lists),
    }


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


def _hash_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name}\n".encode())
        with path.open("rb") as raw:
            while chunk := raw.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()[:N_HASH]
