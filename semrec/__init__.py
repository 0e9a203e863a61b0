"""semrec: recommendations from what a person asks for and what people do.

    import semrec

    rec = semrec.build("data/movielens-small", out="artifacts/ml")
    recs = rec.recommend(intent="a thought-provoking sci-fi film", session=["1240", "541"], k=10)

Importing this package loads neither torch, faiss nor transformers; they come with first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from semrec.artifact.stored import load
    from semrec.data.sources import from_frames
    from semrec.errors import (
        ArtifactError,
        ConfigError,
        DataError,
        ModelError,
        QueryError,
        SemrecError,
    )
    from semrec.evaluate.compare import compare
    from semrec.evaluate.report import Report
    from semrec.recommender import Recommender
    from semrec.training.build import build
    from semrec.types import Case, Event, Item, Query, Recommendations, Trace

_HOMES = {
    "ArtifactError": "semrec.errors",
    "Case": "semrec.types",
    "ConfigError": "semrec.errors",
    "DataError": "semrec.errors",
    "Event": "semrec.types",
    "Item": "semrec.types",
    "ModelError": "semrec.errors",
    "Query": "semrec.types",
    "QueryError": "semrec.errors",
    "Recommendations": "semrec.types",
    "Recommender": "semrec.recommender",
    "Report": "semrec.evaluate.report",
    "SemrecError": "semrec.errors",
    "Trace": "semrec.types",
    "build": "semrec.training.build",
    "compare": "semrec.evaluate.compare",
    "from_frames": "semrec.data.sources",
    "load": "semrec.artifact.stored",
}

__all__ = [
    "ArtifactError",
    "Case",
    "ConfigError",
    "DataError",
    "Event",
    "Item",
    "ModelError",
    "Query",
    "QueryError",
    "Recommendations",
    "Recommender",
    "Report",
    "SemrecError",
    "Trace",
    "build",
    "compare",
    "from_frames",
    "load",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use."""
    if name == "data":
        return import_module("semrec.data")
    if name not in _HOMES:
        raise AttributeError(f"module 'semrec' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
