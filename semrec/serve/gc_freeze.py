"""Freezes the loaded artifact (`gc.freeze`): a full collection of it takes 80 ms."""

from __future__ import annotations

import gc


def set_apart() -> None:
    """Let the garbage collector pass over what is in memory now.

    It would walk through every object of an artifact again and again, and nobody is answered
    meanwhile: 80 ms for 10,000 items, and a queue full of refusals behind them.
    """
    gc.unfreeze()  # of earlier artifacts nothing may stay
    gc.collect()
    gc.freeze()
