"""The front: a catalogue's vocabulary, and what a text says in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.deadline import NEVER, Deadline
from semrec.intent.limits import read_limits
from semrec.intent.linking import find_titles
from semrec.intent.moods import Moods, learn_moods, read_moods
from semrec.intent.named import named_labels
from semrec.intent.polarity import polarities
from semrec.intent.stated import ParseState
from semrec.intent.titles import Titles, learn_titles
from semrec.intent.tokens import Tokens, read_tokens
from semrec.intent.turns import Turn, read_turns, rejects
from semrec.intent.vocabulary import Vocabulary, learn_attributes
from semrec.protocols import Interpreter
from semrec.types import Label

MAX_READ_CHARS = 20_000
_SPACES = re.compile(r"\s+")
_ORPHANS = re.compile(r"(?: ?[,;:.!?]){2,}")
_HAS_WORD = re.compile(r"\w")


@dataclass(frozen=True, kw_only=True)
class ParsedIntent:
    """A parsed text.

    Attributes:
        words: What is left: limits and rejected titles are cut out.
        about: The same without liked titles, which join the session, and moods in words that items
            have: what the request is about.
        filters: As `Query.filters`: the limits that the catalogue can answer, and what a mood or
            an audience rules out.
        liked: Rows of titles named with approval, in their order, each once.
        rejected: Rows of titles named with dislike.
        not_understood: Limits that were stated and that no attribute can answer, as written.
        named: Labels that are named without being a limit.
        interpreted: Denials whose words no attribute has: as written → the label ruled out.
        moods: Moods and audiences: as written → what is searched for instead.
    """

    words: str
    about: str
    filters: Mapping[str, Any]
    liked: tuple[int, ...]
    rejected: tuple[int, ...]
    not_understood: tuple[str, ...]
    named: tuple[Label, ...]
    interpreted: Mapping[str, str] = field(default_factory=dict)
    moods: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class IntentParser:
    """Reads texts for one catalogue; made by `learn_vocabulary`."""

    vocabulary: Vocabulary
    titles: Titles
    moods: Moods
    interpreter: Interpreter | None = None

    def over(self, catalog: Catalog, counts: Sequence[int] | np.ndarray) -> IntentParser:
        """The same parser for a catalogue that has grown; new items have no counts yet."""
        padded = np.zeros(len(catalog), dtype=np.int64)
        padded[: len(counts)] = counts
        return replace(learn_vocabulary(catalog, padded), interpreter=self.interpreter)

    def parse_intent(self, text: str, deadline: Deadline = NEVER) -> ParsedIntent:
        """Parse a text, in time linear in its length; never an error.

        The rules come first; an interpreter is asked only about what is denied in words that
        they don't know, as long as there is time.

        English only: of other languages all words are left. The text is data: nothing in it is
        obeyed. Of a text longer than `MAX_READ_CHARS` only the end is read, where people say
        what they want; the rest stays in the words, and `not_understood` says so.

        A conversation ("User: … Assistant: …", a line each) is what the one who asks says in it;
        of the titles that the other offered, those that weren't rejected join the session.
        """
        turns = read_turns(text[-MAX_READ_CHARS:])
        if not turns:
            return self._read(text, deadline)
        said = self._read("\n".join(turn.text for turn in turns if turn.asks), deadline)
        taken = self._taken(turns)
        rejected = [*said.rejected, *(row for row, liked in taken.items() if not liked)]
        liked = [row for row in dict.fromkeys([*taken, *said.liked]) if row not in rejected]
        return replace(said, liked=tuple(liked), rejected=tuple(dict.fromkeys(rejected)))

    def _taken(self, turns: Sequence[Turn]) -> dict[int, bool]:
        """Titles that the other offered, oldest first, and whether they were not rejected."""
        taken: dict[int, bool] = {}
        for place, turn in enumerate(turns):
            if turn.asks:
                continue
            answers = turns[place + 1 : place + 2]
            rejected = bool(answers) and rejects(answers[0].text)
            for mention in find_titles(read_tokens(turn.text), self.titles):
                taken[mention.row] = not rejected
        return taken

    def _read(self, text: str, deadline: Deadline) -> ParsedIntent:
        unread = text[: max(0, len(text) - MAX_READ_CHARS)]
        t = read_tokens(text[len(unread) :])
        mentions = find_titles(t, self.titles)
        titles = [(mention.first, mention.end) for mention in mentions]
        stated = read_limits(t, self.vocabulary, titles)
        interpreted = self._interpreted(stated, deadline)
        liked: dict[int, None] = {}
        rejected: dict[int, None] = {}
        cut = list(stated.cut)
        for mention, polarity in zip(mentions, polarities(t, mentions), strict=True):
            if polarity == "liked":
                liked[mention.row] = None
            elif polarity == "rejected":
                rejected[mention.row] = None
                cut.append((mention.first, mention.end))
        titled = [(mention.first, mention.end) for mention in mentions if mention.row in liked]
        felt = read_moods(t.without([*titles, *cut]), self.moods)
        for one in felt:
            for condition in one.mood.never:
                stated.filters.add(condition, negated=True)
        spans = [(one.first, one.end) for one in felt]
        asks = " ".join(dict.fromkeys(one.mood.asks for one in felt))
        named = named_labels(t, self.vocabulary, [*titles, *cut, *spans])
        named += tuple(label for one in felt for label in one.mood.named)
        return ParsedIntent(
            words=f"{unread} {_without(t, cut)}".strip(),
            about=f"{unread} {_without(t, [*cut, *titled, *spans])} {asks}".strip(),
            filters=stated.filters.found,
            liked=tuple(row for row in liked if row not in rejected),
            rejected=tuple(rejected),
            not_understood=(*_not_read(unread), *stated.not_understood),
            named=tuple(dict.fromkeys(named)),
            interpreted=interpreted,
            moods={t.phrase(one.first, one.end): one.mood.asks for one in felt},
        )

    def _interpreted(self, stated: ParseState, deadline: Deadline) -> dict[str, str]:
        """Denials in unknown words, read by the interpreter and made limits."""
        found: dict[str, str] = {}
        if self.interpreter is None or not self.vocabulary.choices:
            return found
        for shown, denied in stated.denied.items():
            label = self.interpreter.choose(denied, list(self.vocabulary.choices), deadline)
            if label is not None and stated.filters.add(
                self.vocabulary.choices[label], negated=True
            ):
                found[shown] = label
                stated.not_understood.remove(shown)
        return found


def learn_vocabulary(
    catalog: Catalog, counts: Sequence[int] | np.ndarray | None = None
) -> IntentParser:
    """Learn how a catalogue's attributes and titles are written.

    Args:
        catalog: The items; attributes and texts may be missing.
        counts: (n_items,) people who touched each item; None: all equal.
    """
    vocabulary = learn_attributes(catalog)
    known = np.zeros(len(catalog), dtype=np.int64) if counts is None else counts
    return IntentParser(
        vocabulary=vocabulary,
        titles=learn_titles(catalog, known, vocabulary),
        moods=learn_moods(vocabulary),
    )


def _not_read(unread: str) -> tuple[str, ...]:
    return (f"(the first {len(unread)} characters were not read)",) if unread else ()


def _without(t: Tokens, cut: Sequence[tuple[int, int]]) -> str:
    """The text without some of its words, and without the marks that are left over."""
    if not cut:
        return t.text.strip()
    parts, at = [], 0
    for first, end in sorted(cut):
        start, stop = t.starts[first], t.ends[end - 1]
        if start > at:
            parts.append(t.text[at:start])
        at = max(at, stop)
    parts.append(t.text[at:])
    left = _ORPHANS.sub(_one_mark, _SPACES.sub(" ", " ".join(parts)))
    left = left.strip(" ,;:-/&")
    return left if _HAS_WORD.search(left) else ""


def _one_mark(found: re.Match[str]) -> str:
    """Of several marks the first that ends a sentence, or else the last."""
    return next((c for c in found.group() if c in ".!?"), found.group()[-1])
