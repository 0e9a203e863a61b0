"""Titles and labels that a text names, and whether with approval.

A title counts as named if the text makes it clear: by its year ("Alien (1979)"), by quotation
marks, or by its words, written as a title after a cue ("like", "loved"). Titles that are ordinary
words ("It", "Up", "The One") need more than their words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from semrec.intent import cues
from semrec.intent.english import FILLERS, USED, word_set
from semrec.intent.spans import JOINTS, Spans
from semrec.intent.titles import ARTICLES, Titles, is_slip_of
from semrec.intent.tokens import CLAUSE, MARKS, SENTENCE, Interval, Tokens, singular
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

Polarity = Literal["liked", "rejected", "neither"]
MAX_LINKS, MAX_NAMED = 200, 20
MAX_TYPOS, MAX_TYPO_WORDS = 3, 6
MIN_TYPO_LOWER, MIN_TYPO_AFTER_ARTICLE = 9, 5  # letters of a single word in lower case
MAX_REACH = 10  # words around a mention that say how it is meant
_QUOTED = re.compile(r'["“”«„]([^"“”«»„\n]{1,120})["“”»]')
_IS_OR_NOT = cues.BEING | cues.NOT
_SMALL = word_set("the a an of and in on to for with at from by or as is de la le")


class Mention(NamedTuple):
    """A title in a text: the places of its words (with its year), its row; -1: of no title."""

    first: int
    end: int
    row: int = -1


@dataclass(frozen=True)
class _Text:
    """A text as titles are looked for: its words without marks, their places, what is quoted."""

    t: Tokens
    words: Sequence[str]
    positions: Sequence[int]
    quoted: frozenset[Interval]
    n_capitals: int

    def word(self, n: int) -> str:
        return self.words[n] if 0 <= n < len(self.words) else ""

    def adjoins(self, n: int) -> bool:
        """True if no mark stands between word `n` and the one before it."""
        return 0 < n < len(self.positions) and self.positions[n] == self.positions[n - 1] + 1

    def is_shouted(self, begin: int, end: int) -> bool:
        """True if the words around a title begin with capitals too, so that these say nothing."""
        n_others = len(self.words) - (end - begin)
        others = self.n_capitals - sum(self.is_capital(n) for n in range(begin, end))
        return n_others > 1 and others > 0.7 * n_others

    def ends_phrase(self, n: int) -> bool:
        """True if what stands before word `n` is a phrase of its own."""
        return not self.adjoins(n) or self.words[n] in cues.BEHIND_TITLE

    def is_capital(self, n: int) -> bool:
        return 0 <= n < len(self.positions) and self.t.capitals[self.positions[n]]


def find_titles(t: Tokens, titles: Titles) -> list[Mention]:
    """The titles that a text names, in its order; no word belongs to two of them."""
    positions = [i for i, word in enumerate(t.words) if word not in MARKS]
    text = _Text(
        t=t,
        words=[t.words[i] for i in positions],
        positions=positions,
        quoted=frozenset(match.span(1) for match in _QUOTED.finditer(t.text)),
        n_capitals=sum(t.capitals[i] for i in positions),
    )
    mentions: list[Mention] = []
    n = n_slips = 0
    while n < len(positions) and len(mentions) < MAX_LINKS:
        mention = _longest_title(text, n, titles, mentions[-1].end if mentions else None)
        if mention is None and n_slips < MAX_TYPOS and _may_be_misspelt(text, n, titles):
            n_slips += 1
            mention = _misspelt(text, n, titles)
        if mention is None:
            n += 1
            continue
        mentions.append(mention)
        while n < len(positions) and positions[n] < mention.end:
            n += 1
    return mentions


def _longest_title(text: _Text, n: int, titles: Titles, last: int | None) -> Mention | None:
    """The longest title that begins at word `n`; `last`: the end of the title before it."""
    begin = n + (text.words[n] in ARTICLES)
    longest = titles.longest.get(text.word(begin), 0)
    for end in range(min(begin + longest, len(text.words)), begin, -1):
        rows = titles.rows.get(" ".join(text.words[begin:end]))
        if rows is None:
            continue
        row, until = _by_year(text, end, rows, titles)
        if row is None and until is None:
            after_another = last is not None and _are_joints(text.t, last, text.positions[n])
            is_known = rows[0] in titles.known
            if _is_clear(text, n, begin, end, titles, after_another, is_known=is_known):
                row = rows[0]
        if row is not None:
            return Mention(text.positions[n], until or text.positions[end - 1] + 1, row)
    return None


def _may_be_misspelt(text: _Text, n: int, titles: Titles) -> bool:
    """True behind a cue, if one of the words there stands in no title."""
    cued = _after_cue(text, n) or (_is_ruled_out(text, n) and text.is_capital(n))
    return cued and not titles.words.issuperset(text.words[n : n + MAX_TYPO_WORDS])


def _misspelt(text: _Text, n: int, titles: Titles) -> Mention | None:
    """The title that the phrase behind a cue means, if it differs by a slip of the hand.

    Looks through all titles: `find_titles` asks it a few times at most.
    """
    end = n + 1
    while end - n < MAX_TYPO_WORDS and not text.ends_phrase(end):
        end += 1
    has_article = text.words[n] in ARTICLES or is_slip_of(text.words[n], "the")
    words = text.words[n + (has_article and end > n + 1) : end]
    is_long = len(words[0]) >= (MIN_TYPO_AFTER_ARTICLE if has_article else MIN_TYPO_LOWER)
    if len(words) == 1 and not (is_long or text.is_capital(end - 1)):
        return None
    rows = titles.near(words)
    return Mention(text.positions[n], text.positions[end - 1] + 1, rows[0]) if rows else None


def _are_joints(t: Tokens, first: int, end: int) -> bool:
    """True if nothing but joints stands between two places: of "Cats and Gigli"."""
    return end - first <= 3 and all(word in JOINTS or word == "," for word in t.words[first:end])


def _by_year(
    text: _Text, end: int, rows: Sequence[int], titles: Titles
) -> tuple[int | None, int | None]:
    """The row that a year behind the title means, and where the year ends; None without one.

    Catalogues differ by a year; a title with quite another year isn't the one that is meant.
    """
    at, t = text.positions[end - 1] + 1, text.t
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
    text: _Text,
    n: int,
    begin: int,
    end: int,
    titles: Titles,
    after_another: bool,
    *,
    is_known: bool,
) -> bool:
    """True if words that could be a title are meant as one, though no year says so."""
    span = (text.t.starts[text.positions[n]], text.t.ends[text.positions[end - 1]])
    if span in text.quoted or (text.t.starts[text.positions[begin]], span[1]) in text.quoted:
        return True
    words = text.words[begin:end]
    if text.adjoins(end) and text.is_capital(end) and text.word(end) not in ("i", "im", "ive"):
        return False  # the name goes on: "Adam Sandler", "Blade Runner 2049"
    after_cue = _after_cue(text, n) or _is_ruled_out(text, n)
    cued = after_another or after_cue
    stands_alone = cued and text.ends_phrase(end) and not _is_ruled_out(text, n)
    is_rare = titles.has_texts and any(
        word not in titles.common and singular(word) not in titles.common and len(word) > 3
        for word in words
    )
    titled = not text.is_shouted(begin, end) and all(
        text.is_capital(begin + n_before)
        for n_before, word in enumerate(words)
        if word not in _SMALL or n_before == 0
    )
    is_phrase = " ".join(map(singular, words)) in titles.label_phrases
    is_label = all(singular(word) in titles.ordinary or word in titles.ordinary for word in words)
    if len(words) == 1:
        if text.adjoins(n) and text.is_capital(n - 1) and not after_cue:
            return False
        if not cued or words[0].isdecimal() or text.word(end) in FILLERS:
            return False
        if is_label and not (titled and is_known and stands_alone):  # "like Alien", "with aliens"
            return False
        is_told = is_rare or (begin > n and stands_alone and is_known)
        return titled or (is_told and len(words[0]) > 4 and not _is_ruled_out(text, n))
    if is_label and not (cued and titled and (begin > n or is_known or not is_phrase)):
        return False
    if titled:
        return cued or (is_rare and not all(word in titles.ordinary for word in words))
    if stands_alone and is_known and not is_label:
        return True
    return (is_rare and (cued or end - n >= 3)) or len(words) >= (4 if cued else 5)


def _is_ruled_out(text: _Text, n: int) -> bool:
    """True if the word before word `n` rules out what follows: "no Titanic"."""
    return text.adjoins(n) and text.word(n - 1) in cues.RULING_OUT


def _after_cue(text: _Text, n: int) -> bool:
    """True if the words before word `n` lead up to a title."""
    at = n
    for _ in range(4):
        if not text.adjoins(at):
            return False
        at -= 1
        before = text.word(at)
        if before in cues.BEFORE_TITLE:
            return True
        if before in cues.BEFORE_TITLE_AFTER:
            return text.word(at - 1) in cues.BEFORE_TITLE_AFTER[before]
        if before not in cues.BETWEEN_TITLE:
            return False
    return False


def named_labels(
    t: Tokens, vocabulary: Vocabulary, taken: Sequence[Interval] = ()
) -> tuple[Label, ...]:
    """Labels that a text names with approval, or simply names, without making them a limit.

    Args:
        t: The text.
        vocabulary: What is known.
        taken: Places of titles and limits; nothing is read there.
    """
    spans = Spans(t.without(taken), vocabulary)
    mentions: list[Mention] = []
    labels: list[list[Label]] = []
    at = 0
    while at < len(t) and len(mentions) < MAX_NAMED:
        span = spans.labels(at)
        if span is not None:
            alternatives = [condition for of in span.conditions for condition in of]
            labels.append(
                [(a.attribute, x) for a in alternatives for x in a.labels if isinstance(x, str)]
            )
            mentions.append(Mention(at, span.end))
        at = span.end if span else at + 1
    meant = zip(labels, polarities(spans.t, mentions), strict=True)
    return tuple(dict.fromkeys(x for of, polarity in meant if polarity == "liked" for x in of))


def labels_within(t: Tokens, vocabulary: Vocabulary, taken: Sequence[Interval] = ()) -> set[Label]:
    """Labels of single words, those within longer labels too: "war movie" wants War."""
    return {
        (has.attribute, str(label))
        for stem in t.without(taken).stems
        for has in vocabulary.labels.get(stem, ())
        for label in has.labels
    }


def polarities(t: Tokens, mentions: Sequence[Mention]) -> list[Polarity]:
    """The polarity of each mention, read from the words around it.

    A list ("I hated Cats and Gigli") has one polarity. Words behind a title ("… was awful")
    count more than those before it. A title that is only said not to have been seen, or that
    somebody still wants to see, is neither.
    """
    read: list[Polarity] = []
    for n, mention in enumerate(mentions):
        floor = mentions[n - 1].end if n else 0
        ceiling = mentions[n + 1].first if n + 1 < len(mentions) else len(t)
        before = _before(t, mention, floor)
        if before is None and n and _are_joints(t, floor, mention.first):
            before = read[-1]
        read.append(_behind(t, mention, ceiling) or before or "liked")
    return read


def _before(t: Tokens, mention: Mention, floor: int) -> Polarity | None:
    at = mention.first - 1
    is_but = t.word(at) == "but" and t.word(at - 1) in cues.ALL
    if at >= floor and (is_but or t.word(at) in cues.WITHOUT):
        return "rejected"
    if at >= floor and t.word(at) in ("not", "no", "nor"):
        seen = any(t.word(i) in USED for i in range(max(0, at - MAX_REACH), at))
        return "neither" if seen and t.word(at) == "not" else "rejected"
    while at >= max(floor, mention.first - MAX_REACH) and t.word(at) not in (SENTENCE, "but"):
        word = t.word(at)
        is_negated = any(t.word(i) in cues.NOT for i in range(max(floor, at - 3), at))
        if word in cues.AGAINST:
            return "liked" if is_negated else "rejected"
        if word in cues.IN_FAVOUR and not (word == "into" and t.word(at - 1).startswith("look")):
            return "rejected" if is_negated else "liked"
        if word in USED or (word == "see" and t.word(at - 1) in ("did", "just")):
            return "neither" if is_negated else None
        if word in cues.YET_TO_SEE:
            return "neither"
        if t.capitals[at] and word != "i":
            break  # chats often run on: a capital begins something new
        at -= 1
    return None


def _behind(t: Tokens, mention: Mention, ceiling: int) -> Polarity | None:
    end = min(mention.end + MAX_REACH, ceiling)
    has_copula = False
    for at in range(mention.end, end):
        word = t.word(at)
        before = t.word(at - 1) if at > mention.end else ""
        if word == SENTENCE or (t.capitals[at] and not (word[0] == "i" and before in cues.GOES_ON)):
            break
        is_negated = any(t.word(i) in cues.NOT for i in range(max(mention.end, at - 3), at))
        if at <= mention.end + 1 and word in _IS_OR_NOT:
            has_copula = True
        if word in ("it", "that") and at > mention.end and t.word(at + 1) in _IS_OR_NOT:
            has_copula = True
        is_of_it = t.word(at + 1) in cues.MEANS_IT or t.word(at + 1) in CLAUSE
        if word in ("liked", "like", "enjoyed", "enjoy") and is_negated and is_of_it:
            return "rejected"
        if word in ("hated", "disliked") and is_of_it:
            return "rejected"
        if word in cues.BAD_VERDICT and not is_negated:
            return "rejected"
        is_too_much = word == "too" and before in cues.BEING and t.word(at + 1) not in CLAUSE
        if has_copula and (word in cues.BAD or is_too_much) and not is_negated:
            return "rejected"
        if has_copula and word in cues.GOOD and is_negated:
            return "rejected"
    return None
