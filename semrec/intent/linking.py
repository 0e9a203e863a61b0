"""Titles of the catalogue that a text names, and whether they are named with approval.

A title counts as named if the text makes it clear: by its year ("Alien (1979)"), by quotation
marks, or by its words, written as a title after a cue ("like", "loved"). Titles that are ordinary
words ("It", "Up", "The One") need more than their words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from semrec.intent.english import FILLERS, word_set
from semrec.intent.titles import ARTICLES, Titles
from semrec.intent.tokens import MARKS, Tokens, singular

MAX_LINKS = 200
_QUOTED = re.compile(r'["“”«„]([^"“”«»„\n]{1,120})["“”»]')
_JOINTS = frozenset((",", "and", "or", "/", "nor"))
_SMALL = word_set("the a an of and in on to for with at from by or as is de la le")
_CUES = word_set(
    "like liked loved love enjoyed enjoy seen saw watched watch watching rewatched hated hate"
    " disliked dislike called named titled unlike adore adored finished stand"
)
# A word that leads up to a title only behind one of these.
_LED_BY = {
    "to": word_set("similar close compared akin comparable"),
    "as": word_set("such"),
    "of": word_set("vein fan fans lines style spirit reminded me tired sick sort"),
    "than": word_set("better other more funnier darker scarier lighter"),
}
_STEPPED_OVER = word_set(
    "movie movies film films both original first new old also really actually already just even"
    " things stuff something either"
)


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A title in a text: the places of its words (with its year), its row."""

    first: int
    end: int
    row: int


@dataclass(frozen=True, kw_only=True)
class _Text:
    """A text as titles are looked for: its words without marks, and what is quoted."""

    t: Tokens
    places: Sequence[int]
    quoted: frozenset[tuple[int, int]]
    is_shouted: bool

    def word(self, n: int) -> str:
        return self.t.words[self.places[n]] if 0 <= n < len(self.places) else ""

    def adjoins(self, n: int) -> bool:
        """True if no mark stands between word `n` and the one before it."""
        return 0 < n < len(self.places) and self.places[n] == self.places[n - 1] + 1

    def is_capital(self, n: int) -> bool:
        return 0 <= n < len(self.places) and self.t.capitals[self.places[n]]


def find_titles(t: Tokens, titles: Titles) -> list[Mention]:
    """The titles that a text names, in its order; no word belongs to two of them."""
    places = [place for place, word in enumerate(t.words) if word not in MARKS]
    n_capitals = sum(t.capitals[place] for place in places)
    text = _Text(
        t=t,
        places=places,
        quoted=_quoted(t),
        is_shouted=len(places) > 3 and n_capitals > 0.7 * len(places),
    )
    found: list[Mention] = []
    n = 0
    while n < len(places) and len(found) < MAX_LINKS:
        after = bool(found) and _only_joints(t, found[-1].end, places[n])
        size_and_mention = _longest(text, n, titles, after_another=after)
        if size_and_mention is None:
            n += 1
            continue
        size, mention = size_and_mention
        found.append(mention)
        n += size
        while n < len(places) and places[n] < mention.end:
            n += 1
    return found


def _quoted(t: Tokens) -> frozenset[tuple[int, int]]:
    """(first, end) characters of what stands in quotation marks."""
    return frozenset(match.span(1) for match in _QUOTED.finditer(t.text))


def _only_joints(t: Tokens, end: int, place: int) -> bool:
    return place - end <= 3 and all(word in _JOINTS for word in t.words[end:place])


def _longest(
    text: _Text, n: int, titles: Titles, *, after_another: bool
) -> tuple[int, Mention] | None:
    """The longest title that begins at word `n`, and how many words it and its article have."""
    articles = int(text.word(n) in ARTICLES)
    first = text.word(n + articles)
    for size in range(min(titles.longest.get(first, 0), len(text.places) - n - articles), 0, -1):
        begin, end = n + articles, n + articles + size
        name = " ".join(text.word(place) for place in range(begin, end))
        rows = titles.rows.get(name)
        if rows is None:
            continue
        row, last = _by_year(text, end, rows, titles)
        if row is None and last is None and _is_clear(text, n, begin, end, titles, after_another):
            row = rows[0]
        if row is not None:
            until = last or text.places[end - 1] + 1
            return articles + size, Mention(first=text.places[n], end=until, row=row)
    return None


def _by_year(
    text: _Text, end: int, rows: Sequence[int], titles: Titles
) -> tuple[int | None, int | None]:
    """The row that a year behind the title means, and where the year ends; None without one.

    Catalogues differ by a year; a title with quite another year isn't the one that is meant.
    """
    at, t = text.places[end - 1] + 1, text.t
    in_brackets = t.word(at) == "("
    word = t.word(at + in_brackets)
    if not (len(word) == 4 and word.isascii() and word.isdecimal()):
        return None, None
    year = int(word)
    if not in_brackets:
        exact = [row for row in rows if titles.years[row] == year]
        return (exact[0], at + 1) if exact else (None, None)
    if t.word(at + 2) != ")":
        return None, None
    near = [row for row in rows if abs(titles.years[row] - year) <= 1 or not titles.years[row]]
    near.sort(key=lambda row: titles.years[row] != year)
    return (near[0] if near else None), at + 3


def _is_clear(
    text: _Text, n: int, begin: int, end: int, titles: Titles, after_another: bool
) -> bool:
    """True if words that could be a title are meant as one, though no year says so."""
    span = (text.t.starts[text.places[n]], text.t.ends[text.places[end - 1]])
    if span in text.quoted or (text.t.starts[text.places[begin]], span[1]) in text.quoted:
        return True
    words = [text.word(place) for place in range(begin, end)]
    if text.adjoins(end) and text.is_capital(end) and text.word(end) not in ("i", "im", "ive"):
        return False  # the name goes on: "Adam Sandler", "Blade Runner 2049"
    cued = after_another or _after_cue(text, n)
    is_rare = titles.has_texts and any(
        word not in titles.common and singular(word) not in titles.common and len(word) > 3
        for word in words
    )
    titled = not text.is_shouted and all(
        text.is_capital(begin + place)
        for place, word in enumerate(words)
        if word not in _SMALL or place == 0
    )
    is_label = all(singular(word) in titles.ordinary or word in titles.ordinary for word in words)
    if len(words) == 1:
        if text.adjoins(n) and text.is_capital(n - 1) and not _after_cue(text, n):
            return False
        if not cued or is_label or words[0].isdecimal() or text.word(end) in FILLERS:
            return False
        return titled or (is_rare and len(words[0]) > 4)
    if is_label and not (cued and titled and begin > n):
        return False
    if titled:
        return cued or (is_rare and not all(word in titles.ordinary for word in words))
    return (is_rare and (cued or end - n >= 3)) or len(words) >= (4 if cued else 5)


def _after_cue(text: _Text, n: int) -> bool:
    """True if the words before word `n` lead up to a title."""
    at = n
    for _ in range(4):
        if not text.adjoins(at):
            return False
        at -= 1
        before = text.word(at)
        if before in _CUES:
            return True
        if before in _LED_BY:
            return text.word(at - 1) in _LED_BY[before]
        if before not in _STEPPED_OVER:
            return False
    return False
