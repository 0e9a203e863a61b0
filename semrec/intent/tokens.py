"""A text as words and the punctuation that separates them, and phrases looked up among them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

Interval = tuple[int, int]
"""Places ``[first, end)`` of words in a text."""
V = TypeVar("V")

# Alternatives begin with different characters or are tried left to right once: linear.
_TOKEN = re.compile(r"\d+(?:\.\d+)?[^\W\d_]*(?:['’][^\W\d_]+)?|[^\W_]+(?:['’][^\W_]+)*|\n+|[^\w\s]")
_ENDS = frozenset(".!?;…\n")
_PUNCTUATION = {
    ",": ",", ":": ",", "(": "(", ")": ")", "[": "(", "]": ")", "/": "/", "-": "-", "–": "-",
    "—": ",", "&": "and", "+": "+", "$": "$", "€": "€", "£": "£", "|": ",",
}  # fmt: skip
SENTENCE, CLAUSE = ".", frozenset((".", ",", "(", ")"))
MARKS = frozenset((".", ",", "(", ")", "/", "-", "+", "$", "€", "£"))


@dataclass(frozen=True)
class Tokens:
    """Words of a text; the lists are equally long.

    Attributes:
        text: What was read.
        words: Casefolded, without accents and apostrophes; a mark of `MARKS` stands for itself.
        stems: The same, in the singular.
        starts: Where each begins in the text.
        ends: Where each ends.
        capitals: Whether it begins with a capital letter or a digit.
    """

    text: str
    words: Sequence[str]
    stems: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    capitals: Sequence[bool]

    def __len__(self) -> int:
        return len(self.words)

    def word(self, index: int) -> str:
        """The word at a place; a sentence's end outside the text."""
        return self.words[index] if 0 <= index < len(self.words) else SENTENCE

    def phrase(self, first: int, end: int) -> str:
        """The text from one word up to, not including, another."""
        return self.text[self.starts[first] : self.ends[end - 1]] if end > first else ""

    def words_outside(self, spans: Sequence[Interval]) -> set[str]:
        """The words that stand in none of some spans."""
        inside = {index for first, end in spans for index in range(first, end)}
        return {word for index, word in enumerate(self.words) if index not in inside}

    def without(self, spans: Sequence[Interval]) -> Tokens:
        """The same text in which the words of some spans say nothing: each reads as "it"."""
        if not spans:
            return self
        words, stems = list(self.words), list(self.stems)
        for first, end in spans:
            words[first:end] = stems[first:end] = ["it"] * (end - first)
        return Tokens(self.text, words, stems, self.starts, self.ends, self.capitals)


class Match(NamedTuple, Generic[V]):
    """A phrase that stands in a text, what it announces, and the place after it."""

    phrase: str
    value: V
    end: int


class PhraseTable(Generic[V]):
    """Phrases and what each announces, as a trie of words: the longest is matched.

        table = PhraseTable({"no,not,do not want": "negation", "for/with kid/child": "children"})

    Args:
        entries: Phrases between commas → value; ``/`` stands between words that may take one
            place. Of a phrase that is given twice the first value counts.
        between: Words that may stand between those of a phrase.
    """

    def __init__(self, entries: Mapping[str, V], between: Set[str] = frozenset()) -> None:
        self._between = between
        self._root = _Node[V]()
        for text, value in entries.items():
            for phrase in text.split(","):
                nodes = [self._root]
                for word in phrase.split():
                    nodes = [
                        node.further.setdefault(part, _Node())
                        for node in nodes
                        for part in word.split("/")
                    ]
                for node in nodes:
                    node.match = node.match or (phrase, value)

    @property
    def first_words(self) -> frozenset[str]:
        """Words with which a phrase begins."""
        return frozenset(self._root.further)

    def match(self, words: Sequence[str], start: int) -> Match[V] | None:
        """The longest phrase that begins at a place."""
        node = self._root.further.get(words[start]) if start < len(words) else None
        return None if node is None else self._longest(node, words, start + 1)

    def matches(self, words: Sequence[str]) -> Iterator[tuple[int, Match[V]]]:
        """Place and match of each phrase in a text, in its order; none lies within another."""
        at = 0
        while at < len(words):
            match = self.match(words, at)
            if match is not None:
                yield at, match
            at = at + 1 if match is None else match.end

    def _longest(self, node: _Node[V], words: Sequence[str], end: int) -> Match[V] | None:
        at = end
        while at < len(words):
            if (further := node.further.get(words[at])) is not None:
                match = self._longest(further, words, at + 1)
                if match is not None:
                    return match
            if words[at] not in self._between:
                break
            at += 1
        return Match(*node.match, end) if node.match else None


class _Node(Generic[V]):
    """Phrases that begin alike: their next words, and the one that ends here."""

    __slots__ = ("further", "match")

    def __init__(self) -> None:
        self.further: dict[str, _Node[V]] = {}
        self.match: tuple[str, V] | None = None


@lru_cache(maxsize=64)  # a message is read by its acts, its follow-ups, its limits, and its reply
def read_tokens(text: str) -> Tokens:
    """The words of a text, in linear time."""
    words: list[str] = []
    stems: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    capitals: list[bool] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token[0] in _ENDS:
            word = SENTENCE
        elif token[0].isalnum():
            word = plain(token)
        elif token == "-" and text[match.start() - 1 : match.end() + 1].replace("-", "").isalpha():
            continue  # "sci-fi" is two words; "1990-1995" is not
        else:  # an emoji separates as a comma does
            word = _PUNCTUATION.get(token, "," if unicodedata.category(token) == "So" else "")
        if not word:
            continue
        words.append(word)
        stems.append(singular(word))
        starts.append(match.start())
        ends.append(match.end())
        capitals.append(token[0].isupper() or token[0].isdigit())
    return Tokens(text, words, stems, starts, ends, capitals)


def plain(word: str) -> str:
    """A word casefolded, without accents and apostrophes."""
    if word.isascii():
        return word.lower().replace("'", "")
    taken = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in taken if not unicodedata.combining(c) and c not in "'’")


def singular(word: str) -> str:
    """A word without a plural's ending: the same for both, not always the dictionary's form."""
    if word.endswith("men") and len(word) > 4:
        return word[:-2] + "an"
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss") or word[0].isdigit():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "oes")):
        return word[:-2]
    return word[:-1]


def words_of(text: str) -> list[str]:
    """The words of a text as `read_tokens` reads them, without marks and places."""
    words = []
    for token in _TOKEN.findall(text):
        word = plain(token) if token[0].isalnum() else "and" if token == "&" else ""
        if word:
            words.append(word)
    return words


def key(text: str) -> str:
    """A label as vocabularies hold it: its words in the singular, without punctuation."""
    return " ".join(map(singular, words_of(text)))
