"""Moods and audiences: what people ask for without naming it, in words that items have.

"Something to cheer me up" names nothing that a catalogue knows, and the nearest texts are about
cheerleaders. What such words come to is written down here; of it counts what the catalogue has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semrec.intent.conditions import Has
from semrec.intent.english import word_set
from semrec.intent.mentions import named_labels
from semrec.intent.tokens import PhraseTable, key, read_tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

_BETWEEN = word_set("a an the my our your his her their some little small young youngest really -")
_AGES = "two/three/four/five/six/seven/eight/nine/ten/eleven/2/3/4/5/6/7/8/9/10/11"
_CHILD = "child/children/kid/toddler/son/daughter/niece/nephew/grandchild/grandchildren"
_ELDERS = "grandmother/grandma/granny/grandfather/grandpa/grandparent/nan"
_GRIM = ("horror", "thriller", "crime", "war")
_EXPLICIT = (
    *("violence", "sex", "drugs", "foul language", "gory", "gore", "splatter", "slasher"),
    *("violent", "brutality", "torture", "sexual", "erotic", "pornography", "rape", "nudity"),
)


@dataclass(frozen=True, kw_only=True)
class Mood:
    """Phrases, and the labels and words that they come to.

    Attributes:
        said: Phrases in the singular; ``/`` between words that may stand in one place.
        asks: What is searched for instead.
        never: Labels that rule an item out; the kinds of `_KINDS` also as the first word of one.
    """

    said: tuple[str, ...]
    asks: str = ""
    never: tuple[str, ...] = ()


MOODS = (
    Mood(
        said=(
            f"for/with {_CHILD}",
            f"for/with {_CHILD} of/aged/age {_AGES}",
            f"{_AGES} year old",
            f"for/with {_AGES} year old",
            "whole/entire/all family",
            "for/with whole/entire/all family",
            "family night/evening/afternoon",
        ),
        asks="children family",
        never=(*_GRIM, *_EXPLICIT),
    ),
    Mood(said=("for adult/grownup", "for grown up/ups"), never=("children", "kid", "family")),
    Mood(
        said=(f"for/with {_ELDERS}", f"watch with {_ELDERS}"),
        asks="feel-good heartwarming classic",
        never=("horror", *_EXPLICIT),
    ),
    Mood(
        said=(
            "comforting/cozy/cosy/soothing",
            "warm and comforting/cozy/cosy",
        ),
        asks="feel-good heartwarming sweet",
        never=(*_GRIM, "brutality"),
    ),
    Mood(
        said=(
            "for rainy/lazy/snowy/grey/gray day/sunday/saturday/evening/afternoon/weekend",
            "rainy/lazy/snowy day/sunday/saturday/evening/afternoon/weekend",
        ),
        asks="feel-good heartwarming sweet",
    ),
    Mood(
        said=(
            "cheer/perk me/us/her/him/them up",
            "lift spirit/mood",
            "make me/us happy/smile",
            "feel better",
            "hard/bad/long/rough/tough/stressful/terrible day/week",
            "after hard/bad/long/rough/tough/stressful/terrible day/week",
            "hard/bad/long/rough/tough/stressful/terrible day/week at work/school",
            "after hard/bad/long/rough/tough/stressful/terrible day/week at work/school",
            "just broke up",
            "breakup",
            "feel/feeling down/low/lonely/sad/blue",
        ),
        asks="feel-good funny happy ending",
        never=("horror", "war", "brutality", "depressing", "depression", "suicide"),
    ),
    Mood(said=("uplifting",), asks="uplifting inspirational inspiring feel-good"),
    Mood(
        said=(
            "relaxing/relaxed",
            "help me/us relax/unwind",
            "to relax/unwind",
            "wind down",
            "before/for bed",
        ),
        asks="feel-good light sweet",
        never=(*_GRIM, "brutality"),
    ),
    Mood(
        said=(
            "want/need to cry",
            "good cry",
            "make me/us cry",
            "cry my eye out",
            "tearjerker/weepie",
        ),
        asks="tear jerker sad heartbreaking touching",
    ),
    Mood(
        said=(
            "make me/us laugh",
            "make me/us laugh out loud",
            "laugh out loud",
            "good laugh",
        ),
        asks="funny hilarious comedy",
    ),
    Mood(said=("some laugh", "lot of laugh"), asks="comedy"),
    Mood(
        said=("edge of seat", "on edge of seat", "keep me on edge of seat", "nail biter/biting"),
        asks="suspense tense thriller",
    ),
    Mood(said=("date night", "valentine", "valentine day"), asks="romantic love story romance"),
    Mood(
        said=("mind bending/bender/blowing", "mindbending/mindblowing"),
        asks="mind-bending mindfuck",
    ),
    Mood(
        said=("strong female lead/character/protagonist/hero", "strong woman/women/heroine"),
        asks="strong female heroine kick-butt women",
    ),
)
_KINDS = ("nudity", "drugs")  # "nudity (brief)", "drug abuse"
_MANY = 20  # labels that one word rules out


@dataclass(frozen=True, kw_only=True)
class KnownMood:
    """A mood in a catalogue's labels.

    Attributes:
        asks: What is searched for instead of the phrase.
        named: Labels that it names.
        never: What rules an item out.
    """

    asks: str
    named: tuple[Label, ...]
    never: tuple[Has, ...]


def learn_moods(vocabulary: Vocabulary, moods: Sequence[Mood] = MOODS) -> PhraseTable[KnownMood]:
    """Moods by what is said, each word in the singular, and what they come to."""
    known = {
        ",".join(mood.said): KnownMood(
            asks=mood.asks,
            named=named_labels(read_tokens(mood.asks), vocabulary),
            never=_ruled_out(mood.never, vocabulary),
        )
        for mood in moods
    }
    return PhraseTable(known, between=_BETWEEN)


def _ruled_out(never: Sequence[str], vocabulary: Vocabulary) -> tuple[Has, ...]:
    """The conditions of all labels that are one of some words, or of a kind of it."""
    found: list[Has] = []
    for word in never:
        phrase = key(word)
        those = [phrase] if phrase in vocabulary.labels else []
        if word in _KINDS:
            those += [one for one in vocabulary.labels if one.startswith(f"{phrase} ")]
        found += [has for one in those[:_MANY] for has in vocabulary.labels[one]]
    return tuple(dict.fromkeys(found))
