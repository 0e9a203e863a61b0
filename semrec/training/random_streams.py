"""One stream of random numbers for each stage of a build.

So a stage that is left out, as an ablation does, changes nothing that the others draw.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stage(IntEnum):
    """A part of a build that draws; its number is half of its seed and never changes."""

    VALIDATION_CASES = 1
    ENCODER_EXAMPLES = 2
    REQUESTS = 3
    GATE_SEARCH = 4


def rng_of(seed: int, stage: Stage) -> np.random.Generator:
    """The generator of a stage, from its beginning.

    rng_of(0, Stage.REQUESTS).integers(10)
    """
    return np.random.default_rng([seed, stage])
