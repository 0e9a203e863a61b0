"""The words for a catalogue's attributes: learned once, looked up per phrase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semrec.data.attributes import Labels, Numbers
from semrec.data.catalog import Catalog
from semrec.intent.conditions import Has
from semrec.intent.english import (
    DETERMINERS,
    FILLERS,
    FOLLOWERS,
    KINDS,
    LANGUAGES,
    NAMED_UNITS,
    NOT_A_NOUN,
    PAIRS,
    SYNONYMS,
)
from semrec.intent.tokens import key, read_tokens, singular

MAX_LABEL_WORDS = 5
MAX_LABELS = 200_000
MAX_CHOICES = 50  # of one attribute; more are too many to choose among
YEARS = (1000, 2200)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A numeric attribute: `factor` of its numbers are one base unit of its kind."""

    attribute: str
    whole: bool
    factor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Spellings of a catalogue's attributes.

    Attributes:
        labels: Phrase in the singular → one condition for each attribute that has such a label.
        pairs: Phrase → conditions that it means at once ("rom-com").
        longest: First word → the most words of a phrase that begins with it.
        languages: Word → labels of the language attribute.
        language: The language attribute, if there is one.
        year: The attribute that holds years, if there is one.
        quantities: Kind of unit, or an attribute's own name, → the numeric attribute.
        choices: Labels of attributes that have few, to choose among: label → condition.
        attributes: An attribute's own name in the singular → the attribute.
    """

    labels: Mapping[str, tuple[Has, ...]]
    pairs: Mapping[str, tuple[Has, ...]]
    longest: Mapping[str, int]
    languages: Mapping[str, tuple[str, ...]]
    language: str | None
    year: Quantity | None
    quantities: Mapping[str, Quantity]
    choices: Mapping[str, Has]
    attributes: Mapping[str, str]


def learn_attributes(catalog: Catalog) -> Vocabulary:
    """The vocabulary of a catalogue's attributes."""
    phrases: dict[str, dict[str, tuple[object, ...]]] = {}
    numbers: dict[str, Numbers] = {}
    choices: dict[str, Has] = {}
    language = _language(catalog)
    for name in catalog.attribute_names:
        attribute = catalog.attributes[name]
        if isinstance(attribute, Labels) and name != language:
            frequent = _labels(catalog.table[name])[:MAX_LABELS]
            if len(frequent) <= MAX_CHOICES:
                choices |= {label: Has(attribute=name, labels=(label,)) for label in frequent}
            for label in frequent:
                phrase = key(label)
                if _is_usable(phrase):
                    of = phrases.setdefault(phrase, {})
                    of[name] = (*of.get(name, ()), label)
        elif pa.types.is_boolean(catalog.table.schema.field(name).type):
            phrases.setdefault(key(name.replace("_", " ")), {})[name] = (True,)
        elif isinstance(attribute, Numbers):
            numbers[name] = attribute
    labels = {
        phrase: tuple(Has(attribute=name, labels=own) for name, own in of.items())
        for phrase, of in phrases.items()
    }
    known = dict(labels)
    for phrase, means in SYNONYMS.items():
        known_as = next((k for k in map(key, means) if k in labels), None)
        if known_as is not None:
            known.setdefault(key(phrase), labels[known_as])
    pairs = {
        phrase: tuple(has for part in both for has in known[part][:1])
        for phrase, both in PAIRS.items()
        if all(part in known for part in both) and phrase not in known
    }
    return Vocabulary(
        labels=known,
        pairs=pairs,
        longest=longest_by_first_word((*known, *pairs)),
        languages=_languages(catalog, language),
        language=language,
        year=_year(numbers),
        quantities=_quantities(numbers),
        choices=choices,
        attributes={key(name.replace("_", " ")): name for name in catalog.attribute_names},
    )


def longest_by_first_word(phrases: Iterable[str]) -> dict[str, int]:
    """The most words of the phrases that begin with a word."""
    longest: dict[str, int] = {}
    for phrase in phrases:
        first, n_words = phrase.partition(" ")[0], phrase.count(" ") + 1
        longest[first] = max(longest.get(first, 0), n_words)
    return longest


def _labels(column: pa.ChunkedArray) -> list[str]:
    is_list = pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
    flat = pc.list_flatten(column) if is_list else column
    return [label for label in pc.unique(flat).to_pylist() if label]


def _is_usable(phrase: str) -> bool:
    """True if a label can be told from ordinary words; codes of two letters can't."""
    words = phrase.split()
    ordinary = DETERMINERS | FILLERS | FOLLOWERS | NOT_A_NOUN
    return (
        0 < len(words) <= MAX_LABEL_WORDS
        and len(phrase) > 2
        and any(c.isalpha() for c in phrase)
        and not all(word in ordinary or word in _STEMS for word in words)
    )


_STEMS = frozenset(map(singular, DETERMINERS | FILLERS | FOLLOWERS))


def _language(catalog: Catalog) -> str | None:
    """The language attribute: so called, or else the first whose name has the word."""
    names = [
        name
        for name in catalog.attribute_names
        if isinstance(catalog.attributes[name], Labels)
        and {"language", "languages", "lang"} & set(read_tokens(name.replace("_", " ")).words)
    ]
    exact = [name for name in ("language", "original_language") if name in names]
    return next(iter([*exact, *names]), None)


def _languages(catalog: Catalog, language: str | None) -> dict[str, tuple[str, ...]]:
    present = (
        {} if language is None else {x.casefold(): x for x in _labels(catalog.table[language])}
    )
    known = {}
    for name, codes in LANGUAGES.items():
        labels = tuple(present[code] for code in (*codes, name) if code in present)
        known[name] = labels or codes[:1]
    for label in present:
        if len(label) > 3 and label.isalpha():  # a language that only this catalogue names
            known.setdefault(label, (present[label],))
    return known


def _year(numbers: Mapping[str, Numbers]) -> Quantity | None:
    def rank(name: str) -> int:
        return 0 if name == "year" else 1

    for name in sorted(numbers, key=rank):
        if "year" in _kinds(name):
            values = numbers[name].values[~np.isnan(numbers[name].values)]
            is_year = (values >= YEARS[0]) & (values < YEARS[1])
            if len(values) and is_year.mean() > 0.9:
                return Quantity(attribute=name, whole=_are_whole(numbers[name]))
    return None


def _quantities(numbers: Mapping[str, Numbers]) -> dict[str, Quantity]:
    by_kind: dict[str, Quantity] = {}
    for name, attribute in numbers.items():
        words = read_tokens(name.replace("_", " ")).words
        factor = next((NAMED_UNITS[word] for word in words if word in NAMED_UNITS), 1.0)
        quantity = Quantity(attribute=name, whole=_are_whole(attribute), factor=factor)
        for kind in _kinds(name) - {"year"}:
            by_kind.setdefault(kind, quantity)
        if len(words) == 1 and len(words[0]) > 2:
            by_kind.setdefault(singular(words[0]), Quantity(attribute=name, whole=quantity.whole))
    return by_kind


def _kinds(name: str) -> set[str]:
    words: Sequence[str] = read_tokens(name.replace("_", " ")).words
    return {KINDS[word] for word in words if word in KINDS}


def _are_whole(attribute: Numbers) -> bool:
    values = attribute.values[~np.isnan(attribute.values)]
    return bool(np.all(values == np.floor(values)))
