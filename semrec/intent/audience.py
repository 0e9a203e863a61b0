"""The table of moods, audiences and denials: what people say, and what it comes to in labels.

It is data (`configs/audience.yaml`), so that a catalogue of books or recipes can have its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from semrec.environment.packaged import find_packaged
from semrec.errors import ConfigError, nearest
from semrec.intent.tokens import singular

MAX_TABLE_CHARS = 200_000
Phrases = Sequence[str]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mood(_Closed):
    """A mood or an audience.

    Attributes:
        said: Phrases; ``/`` between words that may stand in one place.
        asks: What is searched for instead.
        fallback: Whether that is so only where the request names nothing itself.
        never: Labels that rule an item out; ``"nudity *"`` is any that begins so.
        only: Labels of a small set, such as genres, of which an item must have one.
        strict: Whether `never` does so even if the request names them.
    """

    said: Phrases
    asks: str = ""
    never: Phrases = ()
    only: Phrases = ()
    fallback: bool = False
    strict: bool = False


class Denied(_Closed):
    """Words that are denied ("nothing violent").

    Attributes:
        said: Phrases that are denied, as of a mood.
        labels: Labels that mean the same.
        implies: Labels that usually come with it.
    """

    said: Phrases
    labels: Phrases
    implies: Phrases = ()


class Audience(_Closed):
    """The whole table, its names of words and labels filled in.

    Attributes:
        kind: The kind of catalogue that it is for, as in `configs/kinds.yaml`; "": any.
        moods: Moods and audiences.
        denied: Words that are denied.
    """

    kind: str = ""
    moods: Sequence[Mood] = ()
    denied: Sequence[Denied] = ()


@cache
def load_audience(name_or_path: str = "audience") -> Audience:
    """A table by packaged name or path.

    Raises:
        ConfigError: If it can't be read, or holds something else than such a table.
    """
    path = find_packaged("configs", name_or_path, ".yaml")
    return parse_audience(path.read_text(encoding="utf-8"), path)


def parse_audience(text: str, source: Path | str) -> Audience:
    """A table from its text.

    Args:
        text: YAML with `moods` and `denied`, `words` and `labels` that they refer to, and `kind`.
        source: Where it comes from, for messages.

    Raises:
        ConfigError: Naming the entry that is wrong.
    """
    if len(text) > MAX_TABLE_CHARS:
        raise ConfigError(f"{source}: found {len(text):,} characters, at most {MAX_TABLE_CHARS:,}")
    try:
        table = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not readable as YAML: {error}") from error
    known = ("kind", "words", "labels", "moods", "denied")
    if not isinstance(table, dict) or (set(table) - set(known)):
        wrong = table if not isinstance(table, dict) else next(iter(set(table) - set(known)))
        hint = nearest(str(wrong), known)
        raise ConfigError(f"{source}: found {str(wrong)[:80]!r}, expected {', '.join(known)}{hint}")
    try:
        filled = {
            name: [_filled(entry, table) for entry in table.get(name) or ()]
            for name in ("moods", "denied")
        }
        return Audience(kind=table.get("kind") or "", **filled)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{source}: {where}: found {first['input']!r}; {first['msg']}") from None
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"{source}: not a table of moods: {error!r}") from error


def _filled(entry: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with the words and labels that it refers to by name."""
    words, labels = table.get("words") or {}, table.get("labels") or {}
    filled = dict(entry)
    filled["said"] = [
        " ".join("/".join(map(singular, part.split("/"))) for part in _spoken(phrase, words))
        for phrase in entry["said"]
    ]
    for name in {"labels", "never", "only", "implies"} & set(entry):
        filled[name] = list(_flat(labels.get(label, label) for label in entry[name]))
    return filled


def _spoken(phrase: str, words: Mapping[str, str]) -> list[str]:
    return str(phrase).format_map(words).casefold().replace("'", "").split()


def _flat(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        else:
            yield from _flat(value)
