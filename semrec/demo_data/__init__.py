"""The demo's data: MovieLens with keywords, under GroupLens's terms (`LICENSE` beside it).

Nothing but the demo and `data fetch` may import this: a build never reads what it wasn't given.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

FILES = ("LICENSE", "dataset.yaml", "interactions.parquet", "items.parquet", "tags.parquet")


def folder() -> Path:
    """The dataset folder, as `read_dataset` takes it; not to be written to."""
    return Path(str(files(__name__)))
