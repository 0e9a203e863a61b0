"""Datasets put in their place: written beside it, checked, and renamed, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from semrec.data.dataset import Dataset, read_dataset, read_settings
from semrec.environment.files import replacing
from semrec.errors import DataError


def write_dataset(
    out: Path,
    name: str,
    files: Collection[str],
    write: Callable[[Path], None],
    optional: Collection[str] = (),
) -> Dataset:
    """Write a folder beside `out` and let it take its place, if it is a valid dataset.

    Args:
        out: The folder; absent, empty, or a dataset of this name with nothing of others in it.
        name: What the dataset is called.
        files: What `write` writes.
        write: Gets the folder to fill.
        optional: What an earlier one may have besides.

    Raises:
        DataError: If `out` holds something else, or what was written isn't a valid dataset.
    """
    if out.exists() and not _replaceable(out, name, files, optional):
        raise DataError(
            f"{out}: holds something else than an earlier dataset {name!r}; take another folder"
        )
    with replacing(out) as made:
        made.mkdir()
        write(made)
        try:
            dataset = read_dataset(made)  # refuses before anything takes its place
        except DataError as error:
            raise DataError(str(error).replace(str(made), str(out))) from None
    return replace(
        dataset,
        intents=tuple(out / path.name for path in dataset.intents),
        traffic=dataset.traffic and out / dataset.traffic.name,
    )


def _replaceable(out: Path, name: str, files: Collection[str], optional: Collection[str]) -> bool:
    """True for an empty folder, and for a dataset of this name with nothing beside it."""
    if not out.is_dir():
        return False
    present = {path.name for path in out.iterdir()}
    if not present:
        return True
    ours = "dataset.yaml" in present and present <= set(files) | set(optional)
    return ours and read_settings(out / "dataset.yaml").name == name
