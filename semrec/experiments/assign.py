"""Assigns units (sessions, users) to an experiment and its arms by a stable hash.

The same in every process, on every machine, after every restart: nothing is stored.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np

Arm = Literal["a", "b"]
_BITS = 53  # of a float: every bucket is exact


def bucket(*parts: str) -> float:
    """A number in [0, 1), uniform over texts and the same for the same ones everywhere.

    Args:
        parts: Texts that are hashed together (SHA-256), such as a salt and a unit.

    Examples:
        >>> bucket("gate2", "ada") == bucket("gate2", "ada") != bucket("gate3", "ada")
        True
    """
    return (_digest(parts) >> (256 - _BITS)) / 2.0**_BITS


def enrolled(name: str, unit: str, share: float) -> bool:
    """True if a unit takes part; who takes part at a share does so at every larger one.

    Examples:
        >>> enrolled("gate2", "ada", share=1.0), enrolled("gate2", "ada", share=0.0)
        (True, False)
    """
    return bucket(name, "share", unit) < share


def arm_of(name: str, unit: str) -> Arm:
    """The arm of a unit: one half each, whatever share takes part.

    Examples:
        >>> arm_of("gate2", "ada") == arm_of("gate2", "ada")
        True
    """
    return "a" if bucket(name, "arm", unit) < 0.5 else "b"


def generator(*parts: str) -> np.random.Generator:
    """Random numbers that follow from texts: what was drawn for a list can be drawn again.

    Examples:
        >>> bool(generator("gate2", "list 1").random() == generator("gate2", "list 1").random())
        True
    """
    return np.random.default_rng(_digest(parts))


def _digest(parts: tuple[str, ...]) -> int:
    # Lengths between them: ("ab", "c") and ("a", "bc") are different.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
