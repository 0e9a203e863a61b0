"""Files and folders written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a path for a new file or folder, which takes the place of `path` at the end.

    What was written is on the disk before it does. A kill leaves the old content or the new, and
    an error in the block the old; of a folder there is none for the moment between two renames.

    Yields:
        A path with the same name in a folder beside `path`; nothing lies there yet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    made, old = staging / path.name, staging / f"{path.name}.old"
    try:
        yield made
        for written in [made, *made.rglob("*")]:
            _sync(written)
        if made.is_dir() and path.exists():
            path.rename(old)
        made.replace(path)
        _sync(path.parent)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_text(path: Path, text: str) -> Path:
    """Write a file as `replacing` does; gives back its path."""
    with replacing(path) as made:
        made.write_text(text, encoding="utf-8")
    return path


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # folders can't be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
