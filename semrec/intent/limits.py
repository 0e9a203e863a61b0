"""Limits that a text states: negations with their scope, demands, bare limits.

Precision comes first: a label that is merely mentioned, an idiom ("why not"), an answer ("No, too
risqué"), a taste ("I love 80s films") or a description of some film sets no limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from semrec.intent.conditions import Unanswerable
from semrec.intent.english import (
    ADVERBS,
    APPROXIMATE,
    MADE,
    SOFT_AFTER,
    SOFT_BEFORE,
    TELLING,
    WISHING,
    word_set,
)
from semrec.intent.exclusive import read_exclusive, read_only_behind
from semrec.intent.negation import read_negated
from semrec.intent.quantities import Read, read_quantity
from semrec.intent.reading import (
    read_language,
    read_phrase,
)
from semrec.intent.stated import (
    EXCLUSIVE_CUES,
    IDIOM_CUES,
    NEGATION_CUES,
    ParseState,
    match,
    require,
)
from semrec.intent.tokens import CLAUSE, SENTENCE, Tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.intent.years import read_years

MAX_LOOK_BACK = 12
# Idioms that end in these deny that the phrase behind them is a limit.
_NO_LIMIT = word_set("only just mind necessarily be against to hate")


def read_limits(t: Tokens, vocabulary: Vocabulary, titles: Sequence[tuple[int, int]]) -> ParseState:
    """All limits that a text states.

    Args:
        t: The text.
        vocabulary: What is known.
        titles: (first, end) places of each title; nothing is read in titles.
    """
    t = t.without(titles)
    stated = ParseState()
    at = 0
    while at < len(t):
        idiom, cue = match(t, at, IDIOM_CUES), match(t, at, NEGATION_CUES)
        exclusive = match(t, at, EXCLUSIVE_CUES)
        longest = max((found[1] for found in (idiom, cue, exclusive) if found), default=at)
        if idiom and idiom[1] >= longest:
            at = idiom[1]
            covered = read_phrase(t, at, vocabulary) if idiom[0][-1] in _NO_LIMIT else None
            at = covered.end if covered else at
        elif exclusive and exclusive[1] >= longest:
            at = read_exclusive(t, at, exclusive, vocabulary, stated)
        elif cue:
            at = read_negated(t, at, cue, vocabulary, stated)
        else:
            at = _bare(t, at, vocabulary, stated)
    return stated


def _bare(t: Tokens, place: int, vocabulary: Vocabulary, stated: ParseState) -> int:
    """Limits that need no cue, years, numbers and languages, and "comedies only"."""
    read = read_years(t, place, vocabulary) or read_quantity(t, place, vocabulary)
    read = read or read_language(t, place, vocabulary)
    if read is None:
        return read_only_behind(t, place, vocabulary, stated)
    if _only_tells(t, place, read):
        return read.end
    end = read.end + (t.word(read.end) == "only")
    require(t, place, end, [read.condition], stated)
    stated.cut.append((place, end))
    return end


def _only_tells(t: Tokens, place: int, read: Read) -> bool:
    """True if a year or language is taste, memory, setting, question or wish without force."""
    if t.skip(read.end, SOFT_AFTER) > read.end or t.word(place - 1) in ("set", "about"):
        return True
    if t.word(place - 2) == "the" and not t.word(place - 1).endswith(("s", "best")):
        return True  # "the original from 1982" is one film
    if isinstance(read.condition, Unanswerable) and t.word(place - 1) in ("in", "took", "takes"):
        return True
    at, in_clause, telling, wishes = place - 1, True, False, False
    while at >= 0 and at >= place - MAX_LOOK_BACK and t.word(at) != SENTENCE:
        word = t.word(at)
        in_clause &= word not in CLAUSE
        if in_clause and word in SOFT_BEFORE and place - at <= (1 if word in APPROXIMATE else 3):
            return True
        is_question = word in ("is", "was", "are", "were") and t.word(at + 1) in (
            "it", "that", "this", "they",
        )  # fmt: skip
        tastes = word in ("i", "we") and t.word(at + 1 + (t.word(at + 1) in ADVERBS)) in (
            "like", "love", "enjoy", "do",
        )  # fmt: skip
        telling |= word in TELLING or is_question or tastes
        wishes |= word in WISHING or (word in MADE and isinstance(read.condition, Unanswerable))
        at -= 1
    return telling and not wishes
