"""The recommender that answers, and how another takes its place while requests come in.

A new one is loaded, checked and warmed beside the old one; then one assignment swaps them, and
the old one stays in memory to go back to. Each worker has its own `Deployment`; they agree through
small files in the state's folder: one that says what to do, and one each that says what was done.
"""

from __future__ import annotations

import fcntl
import gc
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from semrec.artifact.folder import MANIFEST
from semrec.environment.files import write_text
from semrec.errors import ArtifactError, SemrecError, StateError
from semrec.recommender import Recommender
from semrec.serve.gc_freeze import set_apart

logger = logging.getLogger(__name__)

WARM_UPS = ({"intent": "a warm-up request"}, {"session": ()}, {"intent": "", "k": 100})
RETRY_S = 30.0  # between looks at an artifact that couldn't be loaded
Action = Literal["reload", "rollback"]


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker's report: the last order it carried out, what it serves, what went wrong."""

    pid: int
    order: int
    version: str
    error: str | None = None


class Deployment:
    """The recommender that answers in this worker, and the one that did before.

    Args:
        artifact: A folder, or a link to one.
        state: Where workers tell one another.
        load: Loads an artifact.

    Raises:
        ArtifactError: If the artifact can't be loaded.
    """

    def __init__(self, artifact: Path, state: Path, load: Callable[[Path], Recommender]) -> None:
        self._artifact, self._load = artifact, load
        self._folder = state / "workers"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._order = self._ordered()[0]
        self._seen = self._identity()
        self._failed_s = -RETRY_S
        self._both: tuple[Recommender, Recommender | None] = (self._warmed(), None)
        set_apart()
        self._tell(None)

    @property
    def current(self) -> Recommender:
        """The one that answers now."""
        return self._both[0]

    def look(self) -> None:
        """Carry out a new order; load what lies behind the link if that is another artifact."""
        order, action = self._ordered()
        identity = self._identity()
        if order > self._order:
            self._order = order
            self._tell(self._rolled_back() if action == "rollback" else self._swapped(identity))
        elif identity not in (None, self._seen) and time.monotonic() - self._failed_s > RETRY_S:
            self._tell(self._swapped(identity))

    @contextmanager
    def ordering(self, action: Action) -> Iterator[int]:
        """Order something of all workers, and hold off other orders meanwhile; its number.

        Raises:
            StateError: If another order is under way.
        """
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateError("another reload is under way; wait for it to end") from None
            order = self._ordered()[0] + 1
            order_file = self._folder / "order.json"
            write_text(order_file, json.dumps({"order": order, "action": action}))
            yield order

    def workers(self) -> list[Worker]:
        """Reports of the workers that live."""
        alive = []
        for path in sorted(self._folder.glob("worker-*.json")):
            try:
                worker = Worker(**json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                continue  # it has just ended
            if psutil.pid_exists(worker.pid):
                alive.append(worker)
        return alive

    def close(self) -> None:
        """This worker ends."""
        self._mine.unlink(missing_ok=True)
        gc.unfreeze()

    def _swapped(self, identity: tuple[int, ...] | None) -> str | None:
        """Put what lies behind the link in the current one's place; what went wrong if not."""
        started = time.monotonic()
        try:
            new = self._warmed()
        except Exception as error:  # whatever is wrong with it, requests go on
            self._failed_s = time.monotonic()
            reason = str(error) if isinstance(error, SemrecError) else repr(error)
            logger.error("artifact not loaded, the old one is kept", extra={"error": reason})
            return reason
        self._seen = identity
        self._both = (new, self.current)
        set_apart()
        seconds = round(time.monotonic() - started, 3)
        logger.info("artifact loaded", extra={"version": new.version, "seconds": seconds})
        return None

    def _rolled_back(self) -> str | None:
        current, previous = self._both
        if previous is None:
            return "there is no earlier artifact to go back to"
        self._both = (previous, current)
        logger.info("went back to the artifact before", extra={"version": previous.version})
        return None

    def _warmed(self) -> Recommender:
        """The recommender behind the link, after it has answered.

        Raises:
            ArtifactError: If it can't be loaded, or answers nothing.
        """
        folder = self._artifact.resolve()  # a link may be turned while we read
        recommender = self._load(folder)
        for request in WARM_UPS:
            if not recommender.recommend(request).items:
                raise ArtifactError(f"{folder}: answers {request} with no items; build it again")
        return recommender

    def _identity(self) -> tuple[int, ...] | None:
        try:
            stat = (self._artifact / MANIFEST).stat()
        except OSError:
            return None  # between two renames, or gone: nothing to load
        return (stat.st_dev, stat.st_ino, stat.st_mtime_ns)

    def _ordered(self) -> tuple[int, str]:
        try:
            order = json.loads((self._folder / "order.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0, ""
        return int(order["order"]), str(order["action"])

    @property
    def _mine(self) -> Path:
        return self._folder / f"worker-{os.getpid()}.json"

    def _tell(self, error: str | None) -> None:
        own = Worker(pid=os.getpid(), order=self._order, version=self.current.version, error=error)
        write_text(self._mine, json.dumps(asdict(own)))
