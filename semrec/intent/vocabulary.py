"""The words for a catalogue's attributes: learned once, looked up per phrase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    LANGUAGES,
    NOT_A_NOUN,
    PAIRS,
    SYNONYMS,
)
from semrec.intent.tokens import key, read_tokens, singular, words_of
from semrec.intent.units import amounts_of

MAX_LABEL_WORDS = 5
MAX_LABELS = 200_000
MAX_CHOICES = 50  # of one attribute; more are too many to choose among
YEARS = (1000, 2200)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A numeric attribute.

    Attributes:
        attribute: Its name.
        whole: Whether it holds only whole numbers.
        factor: How many base units of its kind 1 of its numbers is; None: that isn't known.
    """

    attribute: str
    whole: bool
    factor: float | None = 1.0


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
        single: Attributes of labels of which an item has 1 at most, such as a brand.
        heads: Last word of plural labels → their attribute, of `single`, and the labels: "boot" of
            "Hiking boots" and "Kids' boots".
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
    single: frozenset[str] = frozenset()
    heads: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)


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
    single = frozenset(
        name
        for name in catalog.attribute_names
        if name != language and _is_text(catalog.table.schema.field(name).type)
    )
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
        single=single,
        heads=_heads([has for has in choices.values() if has.attribute in single]),
    )


def _heads(small: Iterable[Has]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The last words of labels that name several things: "Hiking boots", "Kids' boots"."""
    heads: dict[str, tuple[str, tuple[str, ...]]] = {}
    for has in small:
        for label in has.labels:
            *_, last = words_of(label) or [""]
            name, labels = heads.get(singular(last), (has.attribute, ()))
            if singular(last) != last and name == has.attribute:
                heads[singular(last)] = (name, (*labels, label))
    return heads


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


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


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
        if "year" in amounts_of(_words(name)):
            values = numbers[name].values[~np.isnan(numbers[name].values)]
            is_year = (values >= YEARS[0]) & (values < YEARS[1])
            if len(values) and is_year.mean() > 0.9:
                return Quantity(attribute=name, whole=_are_whole(numbers[name]))
    return None


def _quantities(numbers: Mapping[str, Numbers]) -> dict[str, Quantity]:
    by_kind: dict[str, Quantity] = {}
    for name, attribute in numbers.items():
        words, whole = _words(name), _are_whole(attribute)
        for kind, factor in amounts_of(words).items():
            if kind != "year":
                of = Quantity(attribute=name, whole=whole, factor=factor)
                by_kind.setdefault(kind, of)
        # "rating above 4", "at least 200 lumens" of `brightness_lumens`
        for word in (*words[:1], *words[-1:]):
            if len(word) > 2:
                by_kind.setdefault(singular(word), Quantity(attribute=name, whole=whole))
    return by_kind


def _words(name: str) -> Sequence[str]:
    return read_tokens(name.replace("_", " ")).words


def _are_whole(attribute: Numbers) -> bool:
    values = attribute.values[~np.isnan(attribute.values)]
    return bool(np.all(values == np.floor(values)))
