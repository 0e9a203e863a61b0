"""Titles that a text names: liked, or rejected with all their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semrec.intent import cues
from semrec.intent.mentions import Mention, polarities
from semrec.intent.parse_state import ParseState
from semrec.intent.titles import ARTICLES, Titles
from semrec.intent.tokens import Interval, Tokens

MIN_SERIES = 3  # titles that begin alike


@dataclass(frozen=True, kw_only=True)
class TitleOpinions:
    """Titles by what is thought of them.

    Attributes:
        liked: Rows of those named with approval, in their order, each once.
        rejected: Rows of those named with dislike, and of those that begin with denied words.
        in_favour: Places of the liked ones.
        against: Places of the rejected ones, with the words before them that only reject them.
    """

    liked: tuple[int, ...]
    rejected: tuple[int, ...]
    in_favour: tuple[Interval, ...]
    against: tuple[Interval, ...]


def read_opinions(
    t: Tokens, mentions: Sequence[Mention], state: ParseState, titles: Titles
) -> TitleOpinions:
    """Opinions of a text on the titles that it names; a denied series is understood in `state`."""
    meant = list(zip(mentions, polarities(t, mentions), strict=True))
    against = [mention for mention, polarity in meant if polarity == "rejected"]
    named = {mention.row for mention, polarity in meant if polarity == "liked"}
    parts = [row for mention in against for row in _parts(t, mention, titles)]
    parts += [row for row in _series(state, titles) if row not in named]
    rejected = dict.fromkeys([mention.row for mention in against])
    rejected |= {row: None for row in parts if row not in named}
    in_favour = [mention for mention in mentions if mention.row in named]
    return TitleOpinions(
        liked=tuple(dict.fromkeys(m.row for m in in_favour if m.row not in rejected)),
        rejected=tuple(rejected),
        in_favour=tuple((mention.first, mention.end) for mention in in_favour),
        against=tuple(_opinion(t, mention) for mention in against),
    )


def _parts(t: Tokens, mention: Mention, titles: Titles) -> tuple[int, ...]:
    """Rows that a rejected title means too: of "not Lord of the Rings" all its parts."""
    words = t.words[mention.first : mention.end]
    words = words[1:] if len(words) > 1 and words[0] in ARTICLES else words
    is_clear = len(words) > 1 or t.capitals[mention.end - 1]
    if is_clear and t.word(mention.first - 1) in cues.RULING_OUT:
        return titles.beginning(words)
    return titles.rows.get(" ".join(words), ())


def _series(state: ParseState, titles: Titles) -> list[int]:
    """Rows of titles that begin with denied words."""
    rows: list[int] = []
    for phrase, words in state.series.items():
        if phrase not in state.ruled_out and titles.common.issuperset(words):
            continue  # "not over the top" is about no title
        beginning = titles.beginning(words)
        rows += beginning
        if len(beginning) >= MIN_SERIES and phrase in state.not_understood:
            state.not_understood.remove(phrase)
            state.negated.pop(phrase, None)
            state.ruled_out[phrase] = ()
    return rows


def _opinion(t: Tokens, mention: Mention) -> Interval:
    """The places of a rejected title and of the words before it that only reject it."""
    first = mention.first
    while first and t.word(first - 1) in cues.AGAINST | cues.RULING_OUT | cues.OPINION:
        first -= 1
    return first, mention.end
