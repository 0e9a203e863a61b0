"""Ranks: the processes of a training that `accelerate launch`, `torchrun` or `mpirun` has started.

Their number and the own one are in the environment; without a launcher there is one, rank 0.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from semrec.errors import ConfigError

T = TypeVar("T")

# As accelerate reads them: torch's, and those of Intel's MPI, Open MPI and MVAPICH.
SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


def n_ranks() -> int:
    """The number of processes, on all machines together."""
    return _number(SIZES, default=1)


def is_main_rank() -> bool:
    """True for the process that writes, prints and validates: one for all machines."""
    return _number(RANKS, default=0) == 0


def from_main_rank(value: T) -> T:
    """`value` as rank 0 has it. All ranks call it at the same point, or those that do wait.

    Raises:
        ConfigError: If the processes can't meet.
    """
    if n_ranks() == 1:
        return value
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list, parse_flag_from_env

    # The first one to make it meets the others; afterwards it is the same for all.
    state = PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))
    if state.num_processes != n_ranks():
        raise ConfigError(
            f"{n_ranks()} processes were started, and each would train alone, since there is no "
            "GPU; for training on CPU set ACCELERATE_USE_CPU=true"
        )
    values: list[T] = broadcast_object_list([value])
    return values[0]


def _number(names: Sequence[str], *, default: int) -> int:
    return next((int(os.environ[name]) for name in names if name in os.environ), default)
