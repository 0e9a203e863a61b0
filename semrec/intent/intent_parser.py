"""The front: a text, or a conversation in one, as constraints, titles, labels, moods and words.

    User: something like Alien (1979)
    Assistant: Have you seen Aliens (1986)?
    User: hated it. Anything older?

What the one who asks says is the request; what the other says is not, but the titles that it
names were offered, and the next answer tells whether they were liked or rejected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from semrec.data.catalog import Catalog
from semrec.deadline import NEVER, Deadline
from semrec.intent.audience import Audience, load_audience
from semrec.intent.conditions import Filters, Has, Span
from semrec.intent.constraint_parsing import parse_constraints
from semrec.intent.cues import REFUSALS
from semrec.intent.english import word_set
from semrec.intent.extremes import read_extremes, upper_bound
from semrec.intent.familiarity import MEANINGS, Familiarity, read_familiarity
from semrec.intent.foreign import foreign_language
from semrec.intent.mentions import (
    Mention,
    find_titles,
    labels_within,
    named_labels,
    polarities,
)
from semrec.intent.moods import KnownMood, Moods, labels_of, learn_moods, without
from semrec.intent.parse_state import ParseState
from semrec.intent.people import named_people, same_people
from semrec.intent.plain_labels import read_kinds
from semrec.intent.title_opinions import read_opinions
from semrec.intent.titles import Titles, learn_titles
from semrec.intent.tokens import CLAUSE, Interval, Tokens, read_tokens
from semrec.intent.vocabulary import Vocabulary, learn_attributes
from semrec.protocols import Interpreter
from semrec.types import Label

MAX_READ_CHARS = 20_000
MAX_TURNS = 200
MIN_LEFT = 10  # items that what a denial implies must leave
_SPACES = re.compile(r"\s+")
_ORPHANS = re.compile(r"(?: ?[,;:.!?]){2,}")
_HAS_WORD = re.compile(r"\w")
_ASKING = word_set("user seeker customer human me person client visitor")
_ANSWERING = word_set("assistant recommender system bot agent ai model semrec")
_LINE = re.compile(r"^[ \t]*(?:\*\*)?([A-Za-z]{2,12})(?:\*\*)?[ \t]*:[ \t]*(.*)$")
_ANSWER = re.compile(r"^\s*(?:no|yes|yeah|yep|well|hmm|oh|ok|okay)\b[\s,.!]*")
# "1h30 max", "under 2h": hours beside a bound.
_HOURS = re.compile(
    r"(?<!\w)(?P<before>(?:max|maximum|at most|less than|up to|under|over|within|about|around"
    r"|(?:no )?longer than|(?:no )?shorter than) )?(?P<h>\d{1,2}) ?h(?: ?(?P<m>[0-5]\d))?"
    r"(?P<behind> (?:max|maximum|at most|tops|or less|or shorter|or longer|or more))?(?!\w)",
    re.IGNORECASE,
)
_MAX_OPENING = 6  # words in which a refusal stands


@dataclass(frozen=True, kw_only=True)
class ParsedIntent:
    """A parsed text.

    Attributes:
        words: What is left: limits and rejected titles are cut out.
        about: The same without liked titles, which join the session, and moods in words that items
            have: what the request is about.
        spoken: The words with moods in words that items have: what the gate counts.
        filters: As `Query.filters`: the limits that the catalogue can answer, and what a mood or
            an audience rules out.
        liked: Rows of titles named with approval, in their order, each once.
        rejected: Rows of titles named with dislike, and of those that begin with denied words.
        not_understood: Limits that were stated and that no attribute can answer, as written.
        named: Labels that are named without being a limit.
        interpreted: Denials whose words no attribute has, or that mean more than one label: as
            written → the labels ruled out.
        denied: Words that deny labels: as written → the labels ruled out.
        moods: Moods and audiences: as written → what is searched for instead, and ruled out.
        language: What it is written in, if that is German, French or Spanish: little of it was
            read. Empty for English.
        familiarity: How well known the items should be; "": it isn't said.
        kinds: Kinds of items that it is for, attribute → labels: the list keeps to them.
    """

    words: str
    about: str
    spoken: str
    filters: Mapping[str, Any]
    liked: tuple[int, ...]
    rejected: tuple[int, ...]
    not_understood: tuple[str, ...]
    named: tuple[Label, ...]
    interpreted: Mapping[str, str] = field(default_factory=dict)
    denied: Mapping[str, tuple[Has, ...]] = field(default_factory=dict)
    moods: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    familiarity: Familiarity = ""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A turn of one speaker: the one who asks (`asks`), or the other."""

    asks: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class IntentParser:
    """Reads texts for one catalogue; made by `learn_vocabulary`."""

    vocabulary: Vocabulary
    titles: Titles
    moods: Moods
    catalog: Catalog
    audience: Audience
    interpreter: Interpreter | None = None

    def over(self, catalog: Catalog, counts: Sequence[int] | np.ndarray) -> IntentParser:
        """The same parser for a catalogue that has grown; new items have no counts yet."""
        padded = np.zeros(len(catalog), dtype=np.int64)
        padded[: len(counts)] = counts
        grown = learn_vocabulary(catalog, padded, self.audience)
        return replace(grown, interpreter=self.interpreter)

    def parse_intent(
        self, text: str, deadline: Deadline = NEVER, wanted: Sequence[Label] = ()
    ) -> ParsedIntent:
        """Parse a text, in time linear in its length; never an error.

        The rules come first; an interpreter is asked only about what is denied in words that
        they don't know, as long as there is time.

        English only: of other languages all words are left. The text is data: nothing in it is
        obeyed. Of a text longer than `MAX_READ_CHARS` only the end is read, where people say
        what they want; the rest stays in the words, and `not_understood` says so.

        A conversation ("User: … Assistant: …", a line each) is what the one who asks says in it;
        of the titles that the other offered, those that weren't rejected join the session.

        Args:
            text: What is said.
            deadline: When an interpreter must be done.
            wanted: Labels that were asked for before: a mood or what a denial implies doesn't rule
                them out.
        """
        turns = read_turns(text[-MAX_READ_CHARS:])
        if not turns:
            return self._read(text, deadline, wanted)
        parsed = self._read("\n".join(turn.text for turn in turns if turn.asks), deadline, wanted)
        taken = self._taken(turns)
        rejected = [*parsed.rejected, *(row for row, liked in taken.items() if not liked)]
        liked = [row for row in dict.fromkeys([*taken, *parsed.liked]) if row not in rejected]
        return replace(parsed, liked=tuple(liked), rejected=tuple(dict.fromkeys(rejected)))

    def _taken(self, turns: Sequence[Turn]) -> dict[int, bool]:
        """Titles that the other offered, oldest first, and whether they were not rejected."""
        taken: dict[int, bool] = {}
        for turn, answer in zip(turns, [*turns[1:], None], strict=True):
            if not turn.asks:
                rejected = answer is not None and rejects(answer.text)
                for mention in find_titles(read_tokens(turn.text), self.titles):
                    taken[mention.row] = not rejected
        return taken

    def _read(self, text: str, deadline: Deadline, wanted: Sequence[Label]) -> ParsedIntent:
        text = _HOURS.sub(_in_minutes, text)
        unread = text[: max(0, len(text) - MAX_READ_CHARS)]
        t = read_tokens(text[len(unread) :])
        mentions = find_titles(t, self.titles)
        titles = [(mention.first, mention.end) for mention in mentions]
        familiarity, known = read_familiarity(t.without(titles), self.moods.broad)
        state = parse_constraints(t, self.vocabulary, [*titles, *known], self.moods)
        for first, end in same_people(t):
            state.miss(t.phrase(first, end))
            state.cut.append((first, end))
        interpreted = self._interpreted(state, deadline)
        named_titles = read_opinions(t, mentions, state, self.titles)
        cut = [*state.cut, *named_titles.against]
        moods = self.moods.read(t.without([*titles, *cut]))
        felt = [*known, *((first, end) for first, end, _ in moods)]
        named = named_labels(t, self.vocabulary, [*titles, *cut, *felt])
        searched = self.moods.searched(moods, named)
        asks = " ".join(dict.fromkeys(" ".join(mood.asks for mood in searched).split()))
        kinds = read_kinds(t.without([*titles, *cut, *felt]), self.vocabulary)
        interpreted |= self._bounded(state, kinds)
        cut = [*state.cut, *named_titles.against]
        # "A harness easy to use with gloves on" is no wish for gloves.
        named = tuple(x for x in named if x[0] not in kinds or x[1] in kinds[x[0]])
        within = labels_within(t, self.vocabulary, [*titles, *cut, *felt])
        within |= labels_within(read_tokens(asks), self.vocabulary, [])  # "WW2" wants War, too
        wished = {*named, *within, *wanted, *_demanded(state.filters.limits)}
        felt_moods = [mood for *_, mood in moods]
        denied = self._rule_out(state, felt_moods, wished, alone=not named_titles.liked)
        interpreted |= {phrase: without(ruled_out) for phrase, ruled_out in denied.items()}
        named += tuple(label for mood in searched for label in mood.named)
        people = named_people(t, [*titles, *cut, *felt], self.vocabulary)
        not_read = [f"(the first {len(unread)} characters were not read)"] if unread else []
        words = _without(t, cut)
        spoken = _without(t, [*cut, *felt]) if felt else words
        in_favour = named_titles.in_favour
        about = _without(t, [*cut, *felt, *in_favour]) if in_favour else spoken
        return ParsedIntent(
            words=f"{unread} {words}".strip(),
            about=f"{unread} {about} {asks}".strip(),
            spoken=f"{unread} {spoken} {asks}".strip(),
            filters=state.filters.limits,
            liked=named_titles.liked,
            rejected=named_titles.rejected,
            not_understood=tuple(dict.fromkeys((*not_read, *state.not_understood, *people))),
            named=tuple(dict.fromkeys(named)),
            interpreted=interpreted | {t.phrase(*at): MEANINGS[familiarity] for at in known[-1:]},
            familiarity=familiarity,
            kinds=kinds,
            denied=denied | state.ruled_out,
            moods={
                t.phrase(first, end): mood.meaning if mood in searched else without(mood.never)
                for first, end, mood in moods
            },
            language=foreign_language(t.words_outside(titles)),
        )

    def _rule_out(
        self, state: ParseState, moods: Sequence[KnownMood], wanted: Set[Label], *, alone: bool
    ) -> dict[str, tuple[Has, ...]]:
        """Rule out what moods and denials come to, but for what is wanted; as written → labels.

        `alone`: whether no item is liked that says what kind of item will do.
        """
        for mood in moods:
            for has in mood.never:
                if mood.strict or not labels_of(has) & wanted:
                    state.filters.add(has, negated=True)
        beside = {phrase: denial.beside(wanted) for phrase, denial in state.denied.items()}
        further = [(mood.only, False) for mood in moods if mood.only and alone]
        further += [(has, True) for implied in beside.values() for has in implied]
        narrowed = Filters(dict(state.filters.limits))
        for has, negated in dict.fromkeys(further):
            narrowed.add(has, negated=negated)
        if further and not self._leaves_enough(narrowed.limits):
            beside = {phrase: [] for phrase in beside}  # what would leave nothing isn't ruled out
        else:
            state.filters = narrowed
        return {phrase: (*beside[phrase], *denial.meant) for phrase, denial in state.denied.items()}

    def _bounded(self, state: ParseState, kinds: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Limits of words such as "cheap", among what is asked for: as written → the bound."""
        bounded: dict[str, str] = {}
        t = state.spans.t
        for extreme in read_extremes(state.spans, self.moods.broad):
            most = upper_bound(extreme, state.filters.limits, kinds, self.catalog)
            if most is not None:
                of, name = extreme.quantity, extreme.quantity.attribute
                span = Span(attribute=name, intervals=((-math.inf, most),), whole=of.whole)
                state.require(extreme.first, extreme.end, [span])
                state.cut.append((extreme.first, extreme.end))
                bounded[t.phrase(extreme.first, extreme.end)] = f"{name} up to {most:g}"
        return bounded

    def _leaves_enough(self, filters: Mapping[str, Any]) -> bool:
        allowed = self.catalog.mask(filters)
        return allowed is None or int(allowed.sum()) >= MIN_LEFT

    def _interpreted(self, state: ParseState, deadline: Deadline) -> dict[str, str]:
        """Denials in unknown words, read by the interpreter and made limits."""
        read: dict[str, str] = {}
        choices = self.vocabulary.choices
        if self.interpreter is None or not choices:
            return read
        for phrase, negated in state.negated.items():
            label = self.interpreter.choose(negated, list(choices), deadline)
            if label is not None and state.exclude([choices[label]]):
                read[phrase] = label
                state.not_understood.remove(phrase)
        return read


def learn_vocabulary(
    catalog: Catalog,
    counts: Sequence[int] | np.ndarray | None = None,
    audience: Audience | None = None,
) -> IntentParser:
    """Learn how a catalogue's attributes and titles are written.

    Args:
        catalog: The items; attributes and texts may be missing.
        counts: (n_items,) people who touched each item; None: all equal.
        audience: The table of moods and audiences; None: the packaged one.
    """
    audience = load_audience() if audience is None else audience
    vocabulary = learn_attributes(catalog)
    known = np.zeros(len(catalog), dtype=np.int64) if counts is None else counts
    return IntentParser(
        vocabulary=vocabulary,
        titles=learn_titles(catalog, known, vocabulary),
        moods=learn_moods(vocabulary, catalog, audience),
        catalog=catalog,
        audience=audience,
    )


def read_turns(text: str) -> list[Turn]:
    """The turns of a conversation; none if the text isn't one.

    It is one if its first line with anything in it names a speaker, and the one who asks says
    something. A line without a speaker goes on with the turn before it.
    """
    turns: list[Turn] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _LINE.match(line)
        speaker = match.group(1).lower() if match else ""
        if match and speaker in _ASKING | _ANSWERING:
            turns.append(Turn(asks=speaker in _ASKING, text=match.group(2)))
        elif turns:
            turns[-1] = Turn(asks=turns[-1].asks, text=f"{turns[-1].text}\n{line}")
        else:
            return []
    return turns[-MAX_TURNS:] if any(turn.asks and turn.text.strip() for turn in turns) else []


def rejects(text: str) -> bool:
    """True if an answer rejects what was offered just before it: "hated it", "not that one"."""
    t = read_tokens(text)
    opening = [word for word in t.words[:_MAX_OPENING] if word not in CLAUSE]
    if any(REFUSALS.match(opening, start) for start in range(3)):
        return True
    # What was offered stands for a title in front; "no" to a question is no verdict.
    t = read_tokens(f"it, {_ANSWER.sub('', text.lower())}")
    return polarities(t, [Mention(0, 1)]) == ["rejected"]


def _demanded(filters: Mapping[str, Any]) -> set[Label]:
    """Labels that some filters demand."""
    return {
        (name, label)
        for name, of in filters.items()
        for label in (*of.get("any", ()), *of.get("all", ()))
        if isinstance(label, str)
    }


def _without(t: Tokens, cut: Sequence[Interval]) -> str:
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


def _in_minutes(match: re.Match[str]) -> str:
    """An hour and a half as minutes, where a bound says so: "1h30 max" as "90 minutes max"."""
    before, behind = match["before"] or "", match["behind"] or ""
    if not before and not behind:
        return match[0]
    return f"{before}{60 * int(match['h']) + int(match['m'] or 0)} minutes{behind}"


def _one_mark(match: re.Match[str]) -> str:
    """Of several marks the first that ends a sentence, or else the last."""
    return next((c for c in match.group() if c in ".!?"), match.group()[-1])
