"""The catalogue's titles, in the ways in which people write them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

from semrec.data.attributes import Numbers
from semrec.data.catalog import Catalog
from semrec.intent.english import DETERMINERS, FILLERS, FOLLOWERS, NOT_A_NOUN, OPINIONS
from semrec.intent.tokens import words_of
from semrec.intent.vocabulary import Vocabulary, longest_by_first_word

MAX_TITLE_WORDS = 15
MAX_TEXTS_READ = 20_000
COMMON_TEXTS = 8
KNOWN_SHARE = 0.01
MAX_SERIES = 30  # titles that begin alike
MAX_TYPO_TITLES, MIN_TYPO_CHARS, MIN_TYPO_ALONE = 50_000, 4, 5
ARTICLES = frozenset(("the", "a", "an"))
_YEAR_AT_END = re.compile(r"\((\d{4})\)\s{0,5}$")
_ARTICLE_AT_END = re.compile(r"^(.{1,200}), (the|a|an|le|la|les|l'|il|der|die|das|el)$", re.I)
_ORDINARY = DETERMINERS | FILLERS | FOLLOWERS | NOT_A_NOUN | OPINIONS


@dataclass(frozen=True, kw_only=True)
class Titles:
    """The catalogue's titles, by their words.

    Attributes:
        rows: Words joined by blanks → rows, the most interacted first.
        longest: First word → the most words of a title that begins with it.
        years: (n_items,) int64, 0 where the year isn't known.
        common: Words that say little: ordinary ones, labels, frequent in the items' texts.
        ordinary: Those of them that name a kind of item or a language, never a title alone.
        has_texts: Whether the items' texts, or their titles, could say which words are frequent.
        words: All words of titles, of labels, and those that are common: anything else may be a
            slip of the hand.
        label_phrases: Labels, as vocabularies hold them.
        known: Rows of the most touched items, which everybody knows.
        sorted_names: The spellings of titles in alphabetical order.
    """

    rows: Mapping[str, tuple[int, ...]]
    longest: Mapping[str, int]
    years: np.ndarray[tuple[int], np.dtype[np.int64]]
    common: frozenset[str]
    ordinary: frozenset[str]
    has_texts: bool
    words: frozenset[str]
    known: frozenset[int]
    label_phrases: frozenset[str]
    sorted_names: Sequence[str]

    def near(self, words: Sequence[str]) -> tuple[int, ...]:
        """Rows of the title that differs from some words by one edit in each long one, if any.

        One edit for each word of `MIN_TYPO_CHARS` letters or more: a letter that is missing, too
        many or another, or two that are swapped (Damerau 1964; Levenshtein 1966).
        """
        is_short = len(words) == 1 and len(words[0]) < MIN_TYPO_ALONE
        if is_short or len(self.rows) > MAX_TYPO_TITLES or self.words.issuperset(words):
            return ()
        n_edits = sum(len(word) >= MIN_TYPO_CHARS for word in words)
        phrase = " ".join(words)
        # An edit changes the length by one at most; as many words are wanted.
        lengths = sorted(
            range(len(phrase) - n_edits, len(phrase) + n_edits + 1),
            key=lambda length: abs(length - len(phrase)),
        )
        names = chain.from_iterable(self.names.get((len(words), n), ()) for n in lengths)
        nearest = extractOne(
            phrase, names, scorer=OSA.distance, score_cutoff=n_edits, processor=None
        )
        if nearest is None or not _each_by_one(words, nearest[0].split()):
            return ()
        if self.ordinary.issuperset(nearest[0].split()):  # "romace" is no title
            return ()
        return self.rows[nearest[0]]

    def beginning(self, words: Sequence[str]) -> tuple[int, ...]:
        """Rows of titles that begin with some words: of "harry potter" all its parts."""
        phrase = " ".join(words)
        first = bisect_left(self.sorted_names, phrase)
        last = bisect_left(self.sorted_names, f"{phrase}t")
        names = [
            name
            for name in self.sorted_names[first : min(last, first + MAX_SERIES)]
            if name[len(phrase) :].removeprefix("s")[:1] in ("", " ")  # "Monty Python's Life …"
        ]
        return tuple(dict.fromkeys(row for name in names for row in self.rows[name]))

    @cached_property
    def names(self) -> Mapping[tuple[int, int], Sequence[str]]:
        """Spellings of titles that a slip of the hand could have meant, by words and letters."""
        names: dict[tuple[int, int], list[str]] = {}
        for name in self.rows:
            if len(name) >= MIN_TYPO_CHARS:
                names.setdefault((name.count(" ") + 1, len(name)), []).append(name)
        return names


def is_slip_of(word: str, other: str) -> bool:
    """True if a word is another one, or differs from it by one edit: "teh" from "the"."""
    return word == other or (len(word) > 2 and OSA.distance(word, other) <= 1)


def _each_by_one(words: Sequence[str], others: Sequence[str]) -> bool:
    """True if the words are as many, and each long one differs by at most one edit."""
    return len(words) == len(others) and all(
        word == other or (len(other) >= MIN_TYPO_CHARS and is_slip_of(word, other))
        for word, other in zip(words, others, strict=True)
    )


def learn_titles(
    catalog: Catalog, counts: Sequence[int] | np.ndarray, vocabulary: Vocabulary
) -> Titles:
    """Titles by their words, each written in the ways in which people write it.

    Args:
        catalog: The items.
        counts: (n_items,) people who touched each item: of equals, the most popular is meant.
        vocabulary: Labels aren't titles.
    """
    years = _years(catalog, vocabulary)
    rows: dict[str, list[int]] = {}
    weak: dict[str, list[int]] = {}
    for row, title in enumerate(catalog.titles):
        stated = _YEAR_AT_END.search(title[-16:])
        if stated:
            years[row] = years[row] or int(stated[1])
            title = title[: title.rindex("(")]
        names, parts = _names(title)
        for name in names:
            rows.setdefault(name, []).append(row)
        for part in parts:
            weak.setdefault(part, []).append(row)
    for part, of in weak.items():
        rows.setdefault(part, of)
    frequent, has_texts = _frequent(catalog)
    labels = {word for phrase in vocabulary.labels for word in phrase.split()}
    kinds = frozenset(labels | set(vocabulary.languages) | FILLERS | {"i", "im"})
    common = frozenset(_ORDINARY | frequent | kinds)
    counts = np.asarray(counts)
    n_known = min(int(KNOWN_SHARE * len(counts)), int((counts > 0).sum()))
    return Titles(
        rows={
            name: tuple(sorted(set(of), key=lambda row: (-counts[row], row)))
            for name, of in rows.items()
        },
        longest=longest_by_first_word(rows),
        years=years,
        common=common,
        ordinary=kinds,
        has_texts=has_texts,
        words=common | {word for name in rows for word in name.split()},
        label_phrases=frozenset(vocabulary.labels),
        sorted_names=sorted(rows),
        known=frozenset(np.argsort(-counts, kind="stable")[:n_known].tolist()),
    )


def _years(catalog: Catalog, vocabulary: Vocabulary) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    years = np.zeros(len(catalog), dtype=np.int64)
    if vocabulary.year is not None:
        attribute = catalog.attributes[vocabulary.year.attribute]
        if isinstance(attribute, Numbers):
            years[:] = np.nan_to_num(attribute.values)
    return years


def _names(title: str) -> tuple[set[str], set[str]]:
    """Spellings of a title, in full; and shorter, as it may be called."""
    names: set[str] = set()
    parts: set[str] = set()
    whole, _, other = title.strip().partition(" (")
    for written in (whole, other.rstrip(" )")) if other else (whole,):
        written = written.removeprefix("a.k.a. ").strip()
        if at_end := _ARTICLE_AT_END.match(written):
            written = f"{at_end[2]} {at_end[1]}"
        short, colon, _ = written.partition(":")
        for text, into in ((written, names), (short if colon else "", parts)):
            words = words_of(text)
            words = words[1:] if len(words) > 1 and words[0] in ARTICLES else words
            if words and len(words) <= MAX_TITLE_WORDS and (into is names or len(words) > 1):
                into.add(" ".join(words))
    return names, parts - names


def _frequent(catalog: Catalog) -> tuple[set[str], bool]:
    """Words that many items' texts use, read in at most `MAX_TEXTS_READ`; without texts, titles."""
    step = -(-len(catalog) // MAX_TEXTS_READ)
    used: Counter[str] = Counter()
    texts = catalog.texts[::step]
    for text in texts if any(texts) else catalog.titles[::step]:
        used.update(set(re.findall(r"[a-z]+", text[:1_000].lower())))
    return {word for word, n in used.items() if n >= COMMON_TEXTS}, bool(used)
