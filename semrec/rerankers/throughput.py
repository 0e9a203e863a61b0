"""Estimates how many candidates fit into the remaining budget, by moving averages."""

from __future__ import annotations

import math
import threading

WEIGHT = 0.3  # of the newest measurement
PATIENCE = 0.98  # what an estimate shrinks to with every request that it turned away


class ThroughputEstimator:
    """Milliseconds until the first chunk is scored, and per candidate from then on.

    Whoever was slow once gets another try: every request that is turned away lowers the estimate a
    little.
    """

    def __init__(self) -> None:
        """Nothing is known yet: everything fits."""
        self._first_ms: float | None = None
        self._first_n = 1
        self._each_ms: float | None = None
        self._lock = threading.Lock()

    @property
    def each_ms(self) -> float | None:
        """Milliseconds per candidate; None: not known yet."""
        if self._each_ms is not None:
            return self._each_ms
        return None if self._first_ms is None else self._first_ms / self._first_n

    def first(self, n: int, ms: float) -> None:
        """The first chunk, of `n` candidates, was scored after `ms`."""
        with self._lock:
            self._first_ms, self._first_n = _mixed(self._first_ms, ms), max(n, 1)

    def next(self, n: int, ms: float) -> None:
        """A further chunk, of `n` candidates, took `ms`."""
        if n:
            with self._lock:
                self._each_ms = _mixed(self._each_ms, ms / n)

    def nothing(self, ms: float) -> None:
        """Nothing was scored in `ms`: it takes longer than that."""
        with self._lock:
            self._first_ms = max(self._first_ms or 0.0, 1.1 * ms)

    def fitting(self, n: int, left_ms: float) -> int:
        """Number of candidates, of `n`, that can be scored in `left_ms`."""
        with self._lock:
            if left_ms <= 0:
                return 0
            first, each = self._first_ms, self.each_ms
            if first is None or each is None or math.isinf(left_ms):
                return n
            if left_ms < first:
                self._first_ms = first * PATIENCE
                return 0
            return min(n, self._first_n + int((left_ms - first) / max(each, 1e-6)))

    def goes_on(self, n: int, left_ms: float) -> bool:
        """True if a further chunk of `n` is likely to be scored in `left_ms`."""
        with self._lock:
            if self._each_ms is None or n * self._each_ms <= left_ms:
                return True
            self._each_ms *= PATIENCE
            return False


def _mixed(before: float | None, now: float) -> float:
    return now if before is None else (1 - WEIGHT) * before + WEIGHT * now
