"""A text as words and the punctuation that separates them, with their places in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from semrec.intent.english import Phrases

# Alternatives begin with different characters or are tried left to right once: linear.
_TOKEN = re.compile(r"\d+(?:\.\d+)?[^\W\d_]*(?:['’][^\W\d_]+)?|[^\W_]+(?:['’][^\W_]+)*|\n+|[^\w\s]")
_ENDS = frozenset(".!?;…\n")
_PUNCTUATION = {
    ",": ",", ":": ",", "(": "(", ")": ")", "[": "(", "]": ")", "/": "/", "-": "-", "–": "-",
    "—": ",", "&": "and", "+": "+", "$": "$", "€": "€", "£": "£", "|": ",",
}  # fmt: skip
SENTENCE, CLAUSE = ".", frozenset((".", ",", "(", ")"))
MARKS = frozenset((".", ",", "(", ")", "/", "-", "+", "$", "€", "£"))


@dataclass(frozen=True, kw_only=True)
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

    def word(self, place: int) -> str:
        """The word at a place; a sentence's end outside the text."""
        return self.words[place] if 0 <= place < len(self.words) else SENTENCE

    def phrase(self, first: int, end: int) -> str:
        """The text from one word up to, not including, another."""
        return self.text[self.starts[first] : self.ends[end - 1]] if end > first else ""

    def without(self, spans: Sequence[tuple[int, int]]) -> Tokens:
        """The same text in which the words of some spans say nothing: each reads as "it"."""
        words, stems = list(self.words), list(self.stems)
        for first, end in spans:
            words[first:end] = stems[first:end] = ["it"] * (end - first)
        return replace(self, words=words, stems=stems)

    def skip(self, place: int, phrases: Phrases) -> int:
        """The place after the longest of `phrases` that stands here; `place` if none does."""
        for phrase in phrases.get(self.word(place), ()):
            end = place + len(phrase)
            if tuple(self.words[place:end]) == phrase:
                return end
        return place


def read_tokens(text: str) -> Tokens:
    """The words of a text, in linear time."""
    words: list[str] = []
    stems: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    capitals: list[bool] = []
    for match in _TOKEN.finditer(text):
        found = match.group()
        if found[0] in _ENDS:
            word = SENTENCE
        elif found[0].isalnum():
            word = plain(found)
        elif found == "-" and text[match.start() - 1 : match.end() + 1].replace("-", "").isalpha():
            continue  # "sci-fi" is two words; "1990-1995" is not
        else:  # an emoji separates as a comma does
            word = _PUNCTUATION.get(found, "," if unicodedata.category(found) == "So" else "")
        if not word:
            continue
        words.append(word)
        stems.append(singular(word))
        starts.append(match.start())
        ends.append(match.end())
        capitals.append(found[0].isupper() or found[0].isdigit())
    return Tokens(text=text, words=words, stems=stems, starts=starts, ends=ends, capitals=capitals)


def plain(word: str) -> str:
    """A word casefolded, without accents and apostrophes."""
    if word.isascii():
        return word.lower().replace("'", "")
    taken = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in taken if not unicodedata.combining(c) and c not in "'’")


def singular(word: str) -> str:
    """A word without a plural's ending: the same for both, not always the dictionary's form."""
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
    for found in _TOKEN.findall(text):
        word = plain(found) if found[0].isalnum() else "and" if found == "&" else ""
        if word:
            words.append(word)
    return words


def key(text: str) -> str:
    """A label as vocabularies hold it: its words in the singular, without punctuation."""
    return " ".join(map(singular, words_of(text)))
