"""Trust in something that is served elsewhere: lost when it fails, won back by a check.

    a request → look: is it due? → a check on another thread → trusted, or a complaint

A request never waits for a check. While there is a complaint nobody is sent there.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

EVERY_S = 300.0
AGAIN_S = 1.0  # between checks of what isn't trusted


class Watch:
    """Trust in something that is elsewhere.

    Args:
        name: For logs.
        check: Asks it, within a bound of its own; a complaint, empty if all is well.
        every_s: Between checks while it is trusted.
        again_s: Between checks while it isn't.
    """

    def __init__(
        self,
        name: str,
        check: Callable[[], str],
        *,
        every_s: float = EVERY_S,
        again_s: float = AGAIN_S,
    ) -> None:
        self._name, self._ask = name, check
        self._every_s, self._again_s = every_s, again_s
        self._checking = threading.Lock()
        self._due_s = self._checked_s = -math.inf
        self.complaint = "not checked yet"

    def look(self) -> str:
        """The complaint as it stands; a check begins beside if one is due."""
        if time.monotonic() >= self._due_s:
            self.check_beside()
        return self.complaint

    def check_beside(self) -> None:
        """Check on another thread, one at a time, and not again at once."""
        if time.monotonic() >= self._checked_s + self._again_s and self._checking.acquire(
            blocking=False
        ):
            try:
                threading.Thread(target=self._check_once, daemon=True).start()
            except RuntimeError:  # the process may start no more threads
                self._checking.release()

    def conclude(self, complaint: str) -> None:
        """Trust it from now on, or not; `complaint` is empty, or says why not."""
        before, self.complaint = self.complaint, complaint
        self._due_s = time.monotonic() + (self._again_s if complaint else self._every_s)
        if complaint and complaint != before:
            logger.warning("%s isn't trusted now", self._name, extra={"error": complaint})
        elif before and not complaint:
            logger.info("%s is trusted", self._name)

    def _check_once(self) -> None:
        try:
            complaint = self._ask()
            self._checked_s = time.monotonic()
            self.conclude(complaint)
        finally:
            self._checking.release()
