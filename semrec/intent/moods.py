"""Moods, audiences and denials in a catalogue's labels.

"Something to cheer me up" names nothing that a catalogue knows, and the nearest texts are about
cheerleaders. What such words come to is written down (`audience`); of it counts what the catalogue
has. What "nothing violent" implies, the catalogue says itself: labels that the items so labelled
have far more often than others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from semrec.data.catalog import Catalog
from semrec.intent.audience import Audience, Phrases
from semrec.intent.conditions import Has
from semrec.intent.english import (
    DETERMINERS,
    FILLERS,
    NAMED_BY,
    PHRASE_ENDS,
    RESTRICTIONS,
    USES,
    word_set,
)
from semrec.intent.mentions import named_labels
from semrec.intent.spans import JOINTS
from semrec.intent.tokens import (
    SENTENCE,
    Match,
    PhraseTable,
    Tokens,
    key,
    read_tokens,
    singular,
    words_of,
)
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

_BETWEEN = word_set("a an the my our some little small young youngest really -")
_SPEAKER = word_set("my our me us i im we")
_CARRIED = word_set("it that this them one time all")
_ARTICLES = word_set("a an the")
_DEGREES = DETERMINERS | {"much"}
_MEANT = word_set("for to suitable appropriate")
# Behind these words stands what the story is about.
_STORY = NAMED_BY | word_set("about where whose who story tale couple")
# Words that may stand before "… a child", and behind a mood, where it is meant.
_BEFORE = (
    PHRASE_ENDS
    | FILLERS
    | USES
    | word_set(
        "something anything good great nice fine perfect suitable appropriate safe fun night need"
        " want after had having such recommend suggest for with"
    )
)
_BEHIND = (
    PHRASE_ENDS
    | JOINTS
    | RESTRICTIONS
    | FILLERS
    | word_set("to is are can will would could loves love likes he she they while it -")
)
_PRAISE = word_set("good great nice best decent")
MIN_SUPPORT, MIN_SHARE, MIN_LIFT = 20, 0.2, 2.0
MAX_RULED_OUT = 100  # labels of one mood
MAX_SHOWN = 6  # of them


@dataclass(frozen=True, kw_only=True)
class KnownMood:
    """A mood in a catalogue's labels.

    Attributes:
        asks: What is searched for instead of the phrase.
        named: Labels that it names.
        never: What rules an item out.
        only: Labels of which an item must have one; None: any will do.
        fallback: Whether `asks` counts only where the request names nothing itself.
        strict: Whether `never` does so even if the request names it.
        words: The words of its phrases: they may stand behind one ("my six year old daughter").
    """

    asks: str
    named: tuple[Label, ...]
    never: tuple[Has, ...]
    only: Has | None
    fallback: bool
    strict: bool
    words: frozenset[str]

    @property
    def meaning(self) -> str:
        """The mood, for people: "children; not Horror, Thriller, Crime, War"."""
        return "; ".join(filter(None, (self.asks, without(self.never))))


@dataclass(frozen=True, kw_only=True)
class Denial:
    """A denial in labels.

    Attributes:
        meant: Labels that mean what is denied.
        implied: Labels that usually come with it, as the table says.
        usual: Further ones, as the catalogue says.
    """

    meant: tuple[Has, ...]
    implied: tuple[Has, ...]
    usual: tuple[Has, ...]

    def beside(self, wanted: Set[Label]) -> list[Has]:
        """Labels that are ruled out beside those that mean it, where some labels are wanted.

        Horror that isn't gory still thrills: where one of `implied` is wanted, `usual` is silent.
        """
        implied = [has for has in self.implied if not labels_of(has) & wanted]
        if len(implied) < len(self.implied):
            return implied
        return implied + [has for has in self.usual if not labels_of(has) & wanted]


@dataclass(frozen=True, kw_only=True)
class Moods:
    """Phrases of moods and of denials, in stems, and what they come to in one catalogue.

    Attributes:
        moods: Phrases of moods.
        denials: Phrases that may be denied.
        broad: Words of the labels of small sets, such as genres.
    """

    moods: PhraseTable[KnownMood]
    denials: PhraseTable[Denial]
    broad: frozenset[str]

    def read(self, t: Tokens) -> list[tuple[int, int, KnownMood]]:
        """(first, end, mood) of those that the one who asks means, in the text's order."""
        return [
            (first, match.end, match.value)
            for first, match in self.moods.matches(t.stems)
            if self._is_meant(t, first, match.end, match.value)
        ]

    def searched(
        self, moods: Sequence[tuple[int, int, KnownMood]], named: Sequence[Label]
    ) -> list[KnownMood]:
        """Of the moods of a request that names some labels, those that are searched for.

        "Pirates, for my kids": the audience is a limit, and pirates are what is searched for.
        """
        names_something = any(str(label).casefold() not in _PRAISE for _, label in named)
        return [mood for *_, mood in moods if not (mood.fallback and names_something)]

    def denial(self, t: Tokens, at: int) -> Match[Denial] | None:
        """Denied words here that mean more than one label, if nothing behind narrows them."""
        while t.word(at) in _DEGREES:
            at += 1
        match = self.denials.match(t.stems, at)
        if match is None:
            return None
        end = match.end + (t.word(match.end) in FILLERS)
        ends = t.word(end) in PHRASE_ENDS or t.word(end) in JOINTS
        return match._replace(end=end) if ends else None

    def _is_meant(self, t: Tokens, first: int, end: int, mood: KnownMood) -> bool:
        """True if a phrase is about who watches, or how they feel, not about the story."""
        words, behind = set(t.words[first:end]), t.word(end)
        if words & _SPEAKER:  # but "I saw it with my mother" is a memory
            return t.word(first) != "with" or t.word(first - 1) not in _CARRIED
        if behind not in _BEHIND and singular(behind) not in self.broad | mood.words:
            return False  # "a cozy village", "date night goes wrong"
        has_article = bool(words & _ARTICLES)
        if t.word(first) in _MEANT and not has_article:
            return True  # "a film about pirates for children"
        for at in range(first - 1, -1, -1):
            if t.word(at) == SENTENCE:
                break
            if t.word(at) in _STORY:
                return False
        before = t.word(first - 1)
        return not has_article or before in _BEFORE or singular(before) in self.broad


def labels_of(has: Has) -> set[Label]:
    """The labels of a condition."""
    return {(has.attribute, str(label)) for label in has.labels}


def without(ruled_out: Sequence[Has]) -> str:
    """Labels that are ruled out, for people: "not Horror, War"; ``""`` if nothing is."""
    labels: dict[str, str] = {}
    for has in ruled_out:
        for label in map(str, has.labels):
            labels.setdefault(label.casefold(), label)
    return f"not {', '.join([*labels.values()][:MAX_SHOWN])}" if labels else ""


def learn_moods(vocabulary: Vocabulary, catalog: Catalog, audience: Audience) -> Moods:
    """The table's phrases, and what they come to in a catalogue's labels."""
    moods = {
        ",".join(mood.said): KnownMood(
            asks=mood.asks,
            named=named_labels(read_tokens(mood.asks), vocabulary),
            never=_labels_like(mood.never, vocabulary),
            only=_one_of(mood.only, vocabulary),
            fallback=mood.fallback,
            strict=mood.strict,
            words=frozenset(word for phrase in mood.said for word in re.split("[ /]", phrase)),
        )
        for mood in (audience.moods if _suits(audience, catalog) else ())
    }
    denials: dict[str, Denial] = {}
    for entry in audience.denied:
        meant = _labels_like(entry.labels, vocabulary)
        if meant:
            implied = _labels_like(entry.implies, vocabulary)
            usual = _usual_beside(meant, vocabulary, catalog) if implied else []
            denials[",".join(entry.said)] = Denial(
                meant=meant,
                implied=tuple(has for has in implied if has not in meant),
                usual=tuple(has for has in usual if has not in (*meant, *implied)),
            )
    return Moods(
        moods=PhraseTable(moods, between=_BETWEEN),
        denials=PhraseTable(denials),
        broad=frozenset(singular(word) for label in vocabulary.choices for word in words_of(label)),
    )


def _suits(audience: Audience, catalog: Catalog) -> bool:
    """False for a table of another kind of catalogue: "for my kids" then stays as it is said."""
    return not audience.kind or catalog.kind in ("", audience.kind)


def _labels_like(patterns: Phrases, vocabulary: Vocabulary) -> tuple[Has, ...]:
    """The conditions of all labels that fit a pattern, the first `MAX_RULED_OUT`."""
    fitting: dict[Has, None] = {}
    for pattern in patterns:
        stem = key(pattern)
        if pattern.startswith("* "):
            phrases = [phrase for phrase in vocabulary.labels if phrase.endswith(f" {stem}")]
        elif pattern.endswith(" *"):
            phrases = [phrase for phrase in vocabulary.labels if phrase.startswith(f"{stem} ")]
        else:
            phrases = [stem] if stem in vocabulary.labels else []
        fitting |= dict.fromkeys(has for phrase in phrases for has in vocabulary.labels[phrase])
    return tuple(fitting)[:MAX_RULED_OUT]


def _one_of(patterns: Phrases, vocabulary: Vocabulary) -> Has | None:
    """The condition that an item has a label that fits, of the first attribute with few labels."""
    small = {(has.attribute, label) for label, has in vocabulary.choices.items()}
    fitting = [
        (has.attribute, label)
        for has in _labels_like(patterns, vocabulary)
        for label in has.labels
        if (has.attribute, label) in small
    ]
    if not fitting:
        return None
    name = fitting[0][0]
    return Has(attribute=name, labels=tuple(label for of, label in fitting if of == name))


def _usual_beside(meant: Sequence[Has], vocabulary: Vocabulary, catalog: Catalog) -> list[Has]:
    """Labels of small sets that items with some labels have far more often than others have them.

    Of `MIN_SUPPORT` such items or more, each label of at least `MIN_SHARE` of them that is
    `MIN_LIFT` times as frequent there as in the whole catalogue.
    """
    usual = []
    for attribute in {has.attribute for has in vocabulary.choices.values()}:
        among = np.zeros(len(catalog), dtype=bool)
        for has in meant:
            if has.attribute != attribute:  # a genre is no evidence about genres
                among |= catalog.satisfying(
                    catalog.conditions({has.attribute: {"any": list(has.labels)}})
                )
        if among.sum() < MIN_SUPPORT:
            continue
        for has in vocabulary.choices.values():
            if has.attribute == attribute:
                having = catalog.satisfying(
                    catalog.conditions({attribute: {"any": list(has.labels)}})
                )
                share = float(having[among].mean())
                if share >= MIN_SHARE and share >= MIN_LIFT * float(having.mean()):
                    usual.append(has)
    return usual
