"""Every error semrec raises on purpose.

Each message says what was found, what was expected and what to do about it.

    SemrecError
    ├── DataError        a dataset file, or what stands in it
    ├── ConfigError      a configuration or a prompt template
    ├── QueryError       a request
    ├── ArtifactError    an artifact folder
    ├── ModelError       an encoder or a package that isn't there
    └── StateError       what a running service keeps: sessions, the log
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ArtifactError",
    "ConfigError",
    "DataError",
    "ModelError",
    "QueryError",
    "SemrecError",
    "StateError",
    "nearest",
]


class SemrecError(Exception):
    """Base of all of semrec's errors: catch this one to catch them all."""


class DataError(SemrecError):
    """A dataset file is missing, malformed or contradicts another one."""


class ConfigError(SemrecError):
    """A configuration key, a configured value or a prompt template is wrong."""


class QueryError(SemrecError):
    """A request can't be answered as asked."""


class ArtifactError(SemrecError):
    """An artifact is broken, foreign, or in the way."""


class ModelError(SemrecError):
    """A model or an optional package isn't installed here."""


class StateError(SemrecError):
    """Sessions or the log can't be read or written now."""


def nearest(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"``, or the known words if none is near, or nothing."""
    words = sorted(map(str, known))
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(words[:20])}" if words else ""
