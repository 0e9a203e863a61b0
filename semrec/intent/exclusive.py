"""Demands: "only comedies or dramas", "must be a western", "documentaries only"."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.intent.conditions import Condition, Has
from semrec.intent.english import (
    AFTER_EXCLUSIVE,
    FOLLOWERS,
    MUST,
    RESTRICTIONS,
    word_set,
)
from semrec.intent.reading import (
    JOINTS,
    Phrase,
    read_phrase,
    read_unknown,
)
from semrec.intent.stated import MAX_LIST, ParseState, require
from semrec.intent.tokens import CLAUSE, Tokens
from semrec.intent.vocabulary import Vocabulary

_NOT_ALONE = word_set("not the my your his her one if an a was")
_STRONG = frozenset((("nothing", "but"), ("nothing", "except"), ("strictly",), ("exclusively",)))
_NO_ITEM = word_set("that this there he she you i we to who")


def read_exclusive(
    t: Tokens,
    place: int,
    cue: tuple[tuple[str, ...], int],
    vocabulary: Vocabulary,
    stated: ParseState,
) -> int:
    """Read what has to be: "only comedies or dramas"; returns where to go on."""
    phrase, at = cue
    if _demands_nothing(t, place, phrase, at):
        return at
    is_must = phrase in MUST
    if phrase == ("only",):
        for _ in range(4):
            at += t.word(at) in AFTER_EXCLUSIVE
    at += t.word(at) in ("either", "both")
    found = _list(t, at, vocabulary)
    if found is None:
        if (is_must or phrase in _STRONG) and (end := read_unknown(t, at)) > at and end - at <= 3:
            stated.miss(t.phrase(place, end))
        return cue[1]
    conditions, end = _united(*found, all_of=is_must), found[1]
    require(t, place, end, conditions, stated)
    while place > 0 and t.word(place - 1) in ("it", "and", "please", "but", "i"):
        place -= 1
    stated.cut.append((place, end))
    return end


def _demands_nothing(t: Tokens, place: int, phrase: tuple[str, ...], at: int) -> bool:
    """True if a cue says something else: "the only comedy", "you must be", "just a comedy"."""
    before, after = t.word(place - 1), t.word(at)
    if after in ("too", "so", "very", "really"):
        return True
    if phrase == ("only",):
        return before in _NOT_ALONE
    if phrase == ("just",):
        return after in ("a", "an", "the", "some", "any")
    if phrase[0] == "should":
        return before not in ("it", "and", "they", "which", "movie", "film")
    if phrase in _STRONG:
        return before in ("was", "is", "are", "were")
    return phrase in MUST and before in _NO_ITEM


def _list(t: Tokens, at: int, vocabulary: Vocabulary) -> tuple[list[Phrase], int, bool] | None:
    """Phrases joined by "or", "and" or commas, their end, and whether one was joined by "or"."""
    phrases: list[Phrase] = []
    has_or, has_joint, end = False, False, at
    while len(phrases) < MAX_LIST:
        found = read_phrase(t, at, vocabulary, opinions=True)
        if found is None or not (found.alone or found.narrowed or t.word(found.end) == "only"):
            break
        phrases.append(found)
        end = at = found.end
        at += t.word(at) == ","
        has_or |= t.word(at) == "or"
        has_joint |= t.word(at) in JOINTS
        at += t.word(at) in JOINTS
        if at == end:
            break
    if len(phrases) > 1 and not has_joint:  # "only comedies, English": no list
        phrases, end = phrases[:1], phrases[0].end
    return (phrases, end, has_or) if phrases else None


def _united(phrases: Sequence[Phrase], _end: int, has_or: bool, *, all_of: bool) -> list[Condition]:
    """A list's demands united: labels of one attribute are alternatives, the rest must hold."""
    conditions = [of[0] for phrase in phrases for of in phrase.conditions]
    if len(phrases) == 1 or (all_of and not has_or):
        return conditions
    labels: dict[str, list[object]] = {}
    others: list[Condition] = []
    for condition in conditions:
        if isinstance(condition, Has):
            labels.setdefault(condition.attribute, []).extend(condition.labels)
        else:
            others.append(condition)
    alternatives = [
        Has(attribute=name, labels=tuple(dict.fromkeys(of))) for name, of in labels.items()
    ]
    return [*alternatives, *others]


def read_only_behind(t: Tokens, place: int, vocabulary: Vocabulary, stated: ParseState) -> int:
    """Read an "only" that stands behind: "comedies only", "comedies or dramas only"."""
    if "only" not in t.words[place + 1 : place + 10]:
        return place + 1
    found = _list(t, place, vocabulary)
    if found is None or t.word(found[1]) != "only":
        return place + 1
    following = t.word(found[1] + 1)
    if not (following in CLAUSE or following in FOLLOWERS or following in RESTRICTIONS):
        return place + 1
    require(t, place, found[1], _united(*found, all_of=False), stated)
    stated.cut.append((place, found[1] + 1))
    return found[1] + 1
