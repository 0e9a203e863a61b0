"""Progress as lines with times, for a file that somebody reads while a build runs, or after."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 10.0  # within a stage


class Lines:
    """A `Progress` that writes a line where a stage begins or ends, and now and then between.

    Example::

        [   3.1 s] embed items
        [  13.2 s] embed items 2,048/9,742 (205 items/s)
        [  51.0 s] embed items done
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`write` gets lines without their end; times count from now on."""
        self._write = write
        self._every_s = every_s
        self._clock = clock
        self._started = clock()
        self._written_s = self._started  # when the last line was written
        self._stage: str | None = None  # None: the last one has ended

    def __call__(self, stage: str, done: int, total: int, detail: str = "", /) -> None:
        """Write a line, if this deserves one."""
        ended = done >= total
        if stage != self._stage:
            self._stage = stage
            if not ended:
                at = f" {done:,}/{total:,}" if done else ""  # went on from an earlier build
                self._line(stage + at, detail)
        elif not ended and self._clock() - self._written_s >= self._every_s:
            self._line(f"{stage} {done:,}/{total:,}", detail)
        if ended:
            self._stage = None
            self._line(f"{stage} done", detail)

    def _line(self, text: str, detail: str) -> None:
        self._written_s = self._clock()
        suffix = f" ({detail})" if detail else ""
        self._write(f"[{self._written_s - self._started:7.1f} s] {text}{suffix}")
