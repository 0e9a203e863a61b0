"""Provenance of a figure: hashes that lead to data, configuration and code."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from semrec.recommender import Recommender

# Change nothing about what an artifact answers.
_OUTSIDE = ("bench", "cli", "evaluate", "serve")


@cache
def code_hash() -> str:
    """sha256 of the source files that decide what is built and answered."""
    home = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        name = path.relative_to(home)
        if name.parts[0] not in _OUTSIDE:
            digest.update(f"{name.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def origin_of(recommender: Recommender) -> dict[str, str]:
    """A recommender's origin, as its manifest says; empty if it was never built."""
    manifest = recommender.manifest
    if not manifest:
        return {}
    return {
        "version": recommender.version,
        "semrec": str(manifest["semrec_version"]),
        "created": str(manifest["created"]),
        "dataset": str(manifest["dataset"]["name"]),
        "dataset_hash": str(manifest["dataset"]["hash"]),
        "config_hash": str(manifest["config_hash"]),
        "encoder": str(manifest["encoder"]["name"]),
    }
