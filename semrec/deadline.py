"""One deadline per request: made at entry, passed down, looked at inside the work.

A thread can't be killed from outside, so whoever works long looks at the deadline between its
steps and stops by itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A moment after which work is in vain.

    Attributes:
        at_s: The moment on `clock`, in seconds; infinite: never.
        clock: Gives the present moment, in seconds.
    """

    at_s: float = math.inf
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def within(
        cls, budget_ms: float | None, clock: Callable[[], float] = time.monotonic
    ) -> Deadline:
        """`budget_ms` from now; None: never."""
        if budget_ms is None:
            return cls(clock=clock)
        return cls(at_s=clock() + budget_ms / 1000, clock=clock)

    @property
    def left_ms(self) -> float:
        """Milliseconds left; 0 if it has passed."""
        return max(0.0, (self.at_s - self.clock()) * 1000)

    @property
    def passed(self) -> bool:
        """Whether there is no time left."""
        return self.clock() >= self.at_s


NEVER = Deadline()
