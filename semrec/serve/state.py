"""A service's folder: one service at a time, and nothing of the last one's processes left in it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semrec.errors import StateError

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where prometheus_client keeps the workers' counts
PASSING = ("workers", "metrics")  # what says something of running processes only


@contextmanager
def held(state: Path) -> Iterator[None]:
    """Hold a state's folder for this process and its workers.

    Raises:
        StateError: If another service runs on it, or it can't be written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)  # what people did is theirs
        lock = (state / "lock").open("w")
    except OSError as error:
        raise StateError(f"{state}: not writable: {error}; give another --state") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(
                f"{state}: another service runs on it; give another --state, or --workers to that"
            ) from None
        for name in PASSING:
            shutil.rmtree(state / name, ignore_errors=True)
            (state / name).mkdir()
        os.environ[METRICS_FOLDER] = str((state / "metrics").resolve())
        yield
