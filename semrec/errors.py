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
import reprlib
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
    "preview",
]


class SemrecError(Exception):
    """Base of all of semrec's errors: catch this one to catch them all.

    Examples:
        >>> import semrec
        >>> try:
        ...     semrec.Query(intent="a heist", k=0)
        ... except semrec.SemrecError as error:
        ...     print(error)
        k is 0, expected 1 to 1000
    """


class DataError(SemrecError):
    """A dataset file is missing, malformed or contradicts another one.

    Examples:
        >>> import semrec
        >>> semrec.build("data/nowhere")
        Traceback (most recent call last):
        semrec.errors.DataError: data/nowhere: no such folder; expected ...
    """


class ConfigError(SemrecError):
    """A configuration key, a configured value or a prompt template is wrong.

    Examples:
        >>> import semrec
        >>> semrec.build("data/films", settings=["behaviour.factor=64"])
        Traceback (most recent call last):
        semrec.errors.ConfigError: ...: unknown key 'behaviour.factor'; did you mean 'factors'?
    """


class QueryError(SemrecError):
    """A request can't be answered as asked.

    Examples:
        >>> import semrec
        >>> semrec.Query(intent="a heist", k=0)
        Traceback (most recent call last):
        semrec.errors.QueryError: k is 0, expected 1 to 1000
    """


class ArtifactError(SemrecError):
    """An artifact is broken, foreign, or in the way.

    Examples:
        >>> import semrec
        >>> semrec.load("data/films")
        Traceback (most recent call last):
        semrec.errors.ArtifactError: data/films: ...
    """


class ModelError(SemrecError):
    """A model or an optional package isn't installed here.

    Examples:
        >>> import semrec
        >>> semrec.build("data/films", settings=["encoder.model=nobody/nothing"])
        Traceback (most recent call last):
        semrec.errors.ModelError: encoder 'nobody/nothing' is neither in the local hub cache nor ...
    """


class StateError(SemrecError):
    """Sessions or the log can't be read or written now."""


def nearest(word: str, known: Iterable[str], *, listed: bool = True) -> str:
    """``"; did you mean 'x'?"``, or if none is near the known words where they are `listed`.

    Examples:
        >>> nearest("genre", ["genres", "year"])
        "; did you mean 'genres'?"
    """
    words = sorted(map(str, known))
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(words[:20])}" if words and listed else ""


MAX_INT_BITS = 128  # Python refuses to write out very long ones
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 60
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = 4
SHORT.maxlevel = 3


def preview(value: object) -> str:
    """A value as a message names it: in a few words, whatever it is."""
    if value is None or isinstance(value, bool):
        return {None: "nothing (null)", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        return f"a number of {int(value.bit_length() * 0.30103) + 1} digits"
    if not isinstance(value, str | int | float | bytes | list | tuple | dict | set):
        name = type(value).__name__
        return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
    try:
        return SHORT.repr(value)
    except ValueError:  # a very long number inside
        return f"a {type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else "it"
