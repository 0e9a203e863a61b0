"""The cache folder of this machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """For vectors, unfinished trainings and weights: SEMREC_CACHE, or the user's cache folder."""
    folder = os.environ.get("SEMREC_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(folder).expanduser() / "semrec"
