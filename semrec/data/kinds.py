"""The kinds of catalogue, and the words in which people speak of their items.

They are data (`configs/kinds.yaml`): nothing else here knows what a film is, or a book.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from semrec.environment.packaged import find_packaged


def _split(value: Any) -> Any:  # noqa: ANN401
    return frozenset(value.split()) if isinstance(value, str) else value


Words = Annotated[frozenset[str], BeforeValidator(_split)]
MAX_TEXTS = 5_000  # that are looked at
# Of the texts that name a kind: the least share, that beside which attributes say nothing, and the
# least lead over the next kind.
MIN_SHARE, CLEAR_SHARE, MIN_LEAD = 0.01, 0.05, 1.5
_WORD = re.compile(r"[a-z]+")


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Closed):
    """A question about an item.

    Attributes:
        words: Those that ask it.
        attributes: Parts of the names of attributes that answer it.
        plural: What is asked about, where no attribute answers.
    """

    words: Words
    attributes: Words
    plural: str


class Kind(_Closed):
    """A kind of catalogue; its fields are described in `configs/kinds.yaml`."""

    openers: Sequence[str]
    nouns: Words
    does: Words = frozenset()
    did: Words = frozenset()
    people: Words = frozenset()
    named_by: Words = frozenset()
    tells: Words = frozenset()
    attributes: Words = frozenset()
    lists: Words = frozenset()
    made: Words = frozenset()
    questions: Mapping[str, Question] = {}
    synonyms: Mapping[str, Sequence[str]] = {}
    pairs: Mapping[str, tuple[str, str]] = {}
    elsewhere: Mapping[str, Words] = {}


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds, by name."""
    path = find_packaged("configs", "kinds", ".yaml")
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, Kind]).validate_python(table)


def words_of_all(*names: str) -> frozenset[str]:
    """The words of some fields, over all kinds.

    >>> {"film", "book", "read", "seen"} <= words_of_all("nouns", "does", "did")
    True
    """
    return frozenset(w for kind in kinds().values() for name in names for w in getattr(kind, name))


def words_of_kind(name: str, kind: str) -> frozenset[str]:
    """The words of a field of one kind; of all where the kind isn't known (``""``)."""
    known = kinds().get(kind)
    return words_of_all(name) if known is None else frozenset(getattr(known, name))


def kind_of(attributes: Iterable[str], texts: Iterable[str]) -> str:
    """The kind of a catalogue; ``""`` if nothing tells it.

    Texts that speak of films tell it, whatever attributes there are: films have prices, too. Else
    an attribute does that a single kind has, else the texts if they speak of one now and then.

    Args:
        attributes: Their names.
        texts: Of the items.

    >>> kind_of(["price", "category"], [])
    'products'
    >>> kind_of(["price"], ["A documentary film about a heist"] * 3)
    'films'
    """
    spoken, share = _spoken_of(texts)
    names = {name.casefold() for name in attributes}
    named = [name for name, kind in kinds().items() if kind.attributes & names]
    if share < CLEAR_SHARE and len(named) == 1:
        return named[0]
    return spoken


def _spoken_of(texts: Iterable[str]) -> tuple[str, float]:
    """The kind whose nouns stand in most texts, if it leads, and their share; else ("", 0)."""
    counts, n_texts = dict.fromkeys(kinds(), 0), 0
    for text, _ in zip(texts, range(MAX_TEXTS), strict=False):
        words = frozenset(_WORD.findall(text.casefold()))
        n_texts += 1
        for name, kind in kinds().items():
            counts[name] += not words.isdisjoint(kind.nouns)
    first, second = (*sorted(counts.values(), reverse=True), 0)[:2]
    if first < max(1, MIN_SHARE * n_texts) or first < MIN_LEAD * second:
        return "", 0.0
    return next(name for name, count in counts.items() if count == first), first / n_texts
