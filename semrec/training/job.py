"""A build's surroundings, handed from step to step: whom to tell, when to stop, what to draw from.

Each stage has one stream of random numbers, so a stage that is left out, as an ablation does,
changes nothing that the others draw.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from semrec.types import Progress, silent


class Stage(IntEnum):
    """A part of a build that draws; its number is half of its seed and never changes."""

    VALIDATION_CASES = 1
    ENCODER_EXAMPLES = 2
    REQUESTS = 3
    GATE_SEARCH = 4
    MONITORING = 5


@dataclass(frozen=True, kw_only=True)
class Job:
    """The surroundings of a build or of a training.

    Attributes:
        seed: Of all that is drawn.
        report: Called as work proceeds.
        deadline: When to stop trying options and training, as `time.monotonic()` gives it in
            seconds; None: never.
    """

    seed: int
    report: Progress = silent
    deadline: float | None = None

    @property
    def timed_out(self) -> bool:
        """True if the time is up."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def until(self, minutes: float | None) -> float | None:
        """The deadline of a step that may take so many minutes from now; None: no limit."""
        ends = [] if self.deadline is None else [self.deadline]
        if minutes is not None:
            ends.append(time.monotonic() + 60 * minutes)
        return min(ends, default=None)

    def rng_of(self, stage: Stage) -> np.random.Generator:
        """The generator of a stage, from its beginning."""
        return np.random.default_rng([self.seed, stage])


def start_job(seed: int, report: Progress | None = None, max_minutes: float | None = None) -> Job:
    """A job that starts now and has so many minutes; None: as many as it takes."""
    job = Job(seed=seed, report=report or silent)
    return Job(seed=seed, report=job.report, deadline=job.until(max_minutes))
