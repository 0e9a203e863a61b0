"""A slow encoder of this machine that isn't begun where the budget is too short for it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from semrec.deadline import Deadline
from semrec.protocols import Encoder
from semrec.types import FloatArray

WEIGHT = 0.2  # of the latest request in the moving average
FORGOTTEN = 0.95  # what a request that is passed over leaves of it: a slow hour isn't for ever


class PacedEncoder:
    """An encoder, and how long it takes: a forward pass can't be broken off.

    Args:
        encoder: Any that runs in this process.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._is_warm = False  # the first request loads what the others have
        self._ms = 0.0  # of one text; read and written by many threads, any of them may win

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        """The encoder's own."""
        return self.encoder.fingerprint

    @property
    def dim(self) -> int:
        """The encoder's own."""
        return self.encoder.dim

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests, whatever it takes: (n, dim) float32, unit rows."""
        return self.encoder.encode_queries(texts)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items, whatever it takes: (n, dim) float32, unit rows."""
        return self.encoder.encode_items(texts)

    def encode_within(self, texts: Sequence[str], deadline: Deadline) -> FloatArray | None:
        """Requests: (n, dim) float32, unit rows; None where they would usually be late."""
        if deadline.left_ms < self._ms * len(texts):
            self._ms *= FORGOTTEN
            return None
        start = time.perf_counter()
        vectors = self.encoder.encode_queries(texts)
        taken_ms = 1000 * (time.perf_counter() - start) / max(1, len(texts))
        if self._is_warm:
            self._ms += WEIGHT * (taken_ms - self._ms) if self._ms else taken_ms
        self._is_warm = True
        return vectors
