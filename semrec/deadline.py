"""One deadline per request: made at entry, passed down, looked at inside the work.

A thread can't be killed from outside, so whoever works long looks at the deadline between its
steps and stops by itself; a model does so between its layers.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


class TimeUpError(Exception):
    """The deadline passed while a model was at work."""


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
        """True if there is no time left."""
        return self.clock() >= self.at_s


NEVER = Deadline()


@contextmanager
def watched(model: Any, deadline: Deadline) -> Iterator[None]:  # noqa: ANN401
    """Looks at the deadline before each layer of a transformer, so it is at most one layer late.

    Raises:
        TimeUpError: If the deadline has passed, or passes while the model is at work.
    """
    base = model.base_model
    layers = getattr(base, "layers", None) or getattr(getattr(base, "encoder", None), "layer", None)
    ours = threading.get_ident()  # another thread's request has a deadline of its own

    def look(*_: object) -> None:
        if threading.get_ident() == ours and deadline.passed:
            raise TimeUpError

    look()
    hooks = [layer.register_forward_pre_hook(look) for layer in layers or []]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
