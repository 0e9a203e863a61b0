"""Limits that a later message takes back or replaces: "actually horror is fine", "make it the 80s".

What is taken back only has an effect on limits that stand; whether one does, the caller knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from semrec.intent.conditions import Condition, Has, Span
from semrec.intent.english import DETERMINERS, FILLERS, by_first, phrases, word_set
from semrec.intent.reading import JOINTS, read_phrase
from semrec.intent.stated import match
from semrec.intent.tokens import CLAUSE, Tokens, read_tokens, singular
from semrec.intent.vocabulary import Vocabulary
from semrec.intent.years import read_years

MAX_RELEASES, MAX_YEAR_WORDS = 20, 8
Statement = tuple[tuple[Condition, ...], int]
# Cue → what follows may be again. "How about horror" is a wish too, so its words stay.
_ALLOW = by_first(
    phrases(
        "dont mind,do not mind,doesnt mind,wouldnt mind,no problem with,fine with,ok with"
        ",okay with,cool with,good with,open to,up for,allow,allowing,im not against"
    )
)
_WISH = by_first(
    phrases(
        "how about,what about,why not,maybe,lets try,lets see,give me,show me,make it,make that"
        ",switch to,change it to,change that to,go with,go for,lets do,lets say"
    )
)
# Cue → what follows need not be any more.
_DROP = by_first(
    phrases(
        "forget,forget about,forget the,never mind,nevermind,ignore,drop,scrap,lose,lift,remove"
        ",cancel,undo,take back,doesnt have to be,does not have to be,dont have to be"
        ",do not have to be,doesnt need to be,does not need to be,need not be,not necessarily"
    )
)
_DONT_CARE = by_first(
    phrases(
        "dont care about,do not care about,regardless of,whatever,any,no matter,no limit on"
        ",no limits on"
    )
)
_IS = word_set("is are was were would sounds works work")
_FINE = word_set("fine ok okay alright allowed cool good great welcome acceptable right works work")
_SOFTENERS = word_set("totally also actually perfectly completely all be too just now really quite")
_TAIL = word_set("too again now after all then though tho as well either anymore")
_DENYING = word_set("no not dont never without non except but for than from nor neither only")
_RULE = word_set("limit limits filter filters rule rules restriction restrictions part requirement")
_ALL = word_set("everything all")
_BEFORE_RULE = DETERMINERS | word_set("the my those that no only about from")
_MATTER = by_first(phrases("doesnt matter,does not matter,isnt important"))
_LEADING = word_set(
    "actually ok okay well and but oh also now then no yes hmm i im id you can please"
)
_BACKWARDS = {"older": ("gt", "gte"), "newer": ("lt", "lte"), "shorter": ("gt", "gte")}
_BACKWARDS |= {"earlier": ("gt", "gte"), "later": ("lt", "lte"), "longer": ("lt", "lte")}
# What people call an attribute beside its own name.
_CALLED = {
    "year": word_set("year decade era age date period"),
    "minutes": word_set("length runtime duration"),
    "price": word_set("price cost budget"),
}
RESETS = by_first(
    phrases(
        "start over,start again,start afresh,start from scratch,from scratch,new search"
        ",forget everything,forget all of that,forget all that,clear everything,reset everything"
    )
)


@dataclass(frozen=True, kw_only=True)
class Release:
    """A limit that is taken back.

    Attributes:
        first: Place of the first word that says it.
        end: The place after the last one.
        conditions: What is permitted again, or need not be.
        attribute: Instead: everything that was said of this attribute …
        operators: … or only its bounds to one side.
        everything: Instead: all limits.
        allows: Whether what was demanded beside it stays demanded ("horror is fine too").
        wishes: Whether the words ask for it, too.
        replaces: Whether `conditions` hold from now on, instead of what was said of the same.
    """

    first: int
    end: int
    conditions: tuple[Condition, ...] = ()
    attribute: str | None = None
    operators: tuple[str, ...] = ()
    everything: bool = False
    allows: bool = False
    wishes: bool = False
    replaces: bool = False


def read_releases(t: Tokens, vocabulary: Vocabulary) -> list[Release]:
    """Retractions in a message, in its order."""
    found: list[Release] = []
    at = 0
    while at < len(t) and len(found) < MAX_RELEASES:
        release = _at(t, at, vocabulary)
        if release is not None:
            found.append(release)
        at = at + 1 if release is None else release.end
    return found


def read_reset(t: Tokens) -> tuple[int, int] | None:
    """(first, end) places of "start over"; None if nothing says so."""
    for place in range(len(t)):
        if cue := match(t, place, RESETS):
            return place, cue[1]
    return None


def _at(t: Tokens, place: int, vocabulary: Vocabulary) -> Release | None:
    if (drop := match(t, place, _DROP)) is not None:
        return _dropped(t, place, drop[1], vocabulary)
    for cues, wishes in ((_ALLOW, False), (_WISH, True)):
        if (cue := match(t, place, cues)) is not None:
            read = _stated(t, cue[1], vocabulary)
            if read is None or t.word(place - 1) in _DENYING:
                return None
            first, end = _lead(t, place), _tail(t, read[1])
            if wishes and _is_exact(read[0], vocabulary):
                return Release(first=first, end=end, conditions=read[0], replaces=True)
            return Release(first=first, end=end, conditions=read[0], allows=True, wishes=wishes)
    if (cue := match(t, place, _DONT_CARE)) is not None:
        attribute, end = _attribute(t, cue[1], vocabulary)
        if attribute is not None:
            return Release(first=_lead(t, place), end=_judged(t, end) or end, attribute=attribute)
    return _fine(t, place, vocabulary)


def _dropped(t: Tokens, place: int, at: int, vocabulary: Vocabulary) -> Release | None:
    """Reads "Forget the nineties", "drop the language", "ignore the no horror rule"."""
    first = _lead(t, place)
    while t.word(at) in _BEFORE_RULE:
        at += 1
    if t.word(at) in _RULE | _ALL:
        while t.word(at) in _RULE | _ALL | {"the", "else", "of"}:
            at += 1
        return Release(first=first, end=at, everything=True)
    attribute, end = _attribute(t, at, vocabulary)
    if attribute is not None:
        return Release(first=first, end=_rule(t, end), attribute=attribute)
    read = _stated(t, at, vocabulary)
    return read and Release(first=first, end=_rule(t, read[1]), conditions=read[0])


def _fine(t: Tokens, place: int, vocabulary: Vocabulary) -> Release | None:
    """Reads "Horror is fine", "older ones are ok too", "the language doesn't matter"."""
    has_the = t.word(place - 1) == "the"
    if _is_denied(t, place - has_the):
        return None
    first = _lead(t, place - has_the)
    if t.word(place) in _BACKWARDS:
        kind = "minutes" if t.word(place) in ("shorter", "longer") else "year"
        attribute, operators = _of_kind(kind, vocabulary), _BACKWARDS[t.word(place)]
        end = _judged(t, place + 1 + (t.word(place + 1) in FILLERS))
        if attribute is None or not end:
            return None
        return Release(first=first, end=end, attribute=attribute, operators=operators)
    attribute, end = _attribute(t, place, vocabulary)
    if attribute is not None and (after := t.skip(end, _MATTER)) > end:
        return Release(first=first, end=_tail(t, after), attribute=attribute)
    read = _stated(t, place, vocabulary)
    if read is None:
        return None
    if t.word(read[1]) == "instead" and _is_exact(read[0], vocabulary):
        first -= t.word(first - 1) in ("from", "in")
        return Release(first=first, end=read[1] + 1, conditions=read[0], replaces=True)
    end = _judged(t, read[1] + (t.word(read[1]) in ("too", "also")))
    return Release(first=first, end=end, conditions=read[0], allows=True) if end else None


def _is_exact(conditions: tuple[Condition, ...], vocabulary: Vocabulary) -> bool:
    """True if it is about years, numbers or languages, where a wish is a limit."""
    return all(
        isinstance(one, Span) or (isinstance(one, Has) and one.attribute == vocabulary.language)
        for one in conditions
    )


def _is_denied(t: Tokens, place: int) -> bool:
    """True if a denial in the same clause covers what begins here: "no horror or war is fine"."""
    at = place - 1
    if t.word(at) not in JOINTS:
        return t.word(at) in _DENYING
    while at >= 0 and t.word(at) not in CLAUSE and t.word(at) != "but":
        if t.word(at) in _DENYING:
            return True
        at -= 1
    return False


def _stated(t: Tokens, at: int, vocabulary: Vocabulary) -> Statement | None:
    """Statements of phrases joined by "or" and "and", and the place after them."""
    found = _stated_once(t, at, vocabulary)
    while found and t.word(found[1]) in JOINTS:
        more = _stated_once(t, found[1] + 1, vocabulary)
        if more is None or len(found[0]) > MAX_RELEASES:
            break
        found = (*found[0], *more[0]), more[1]
    return found


def _stated_once(t: Tokens, at: int, vocabulary: Vocabulary) -> Statement | None:
    """The statement of one phrase; years need no word that leads up to them."""
    found = read_phrase(t, at, vocabulary)
    if found is not None:
        return tuple(one for of in found.conditions for one in of), found.end
    if t.word(at) in vocabulary.languages and vocabulary.language is not None:
        codes = vocabulary.languages[t.word(at)]
        return (Has(attribute=vocabulary.language, labels=tuple(codes)),), at + 1
    last = min(at + MAX_YEAR_WORDS, len(t))
    if last <= at:
        return None
    years = read_years(read_tokens(f"from {t.phrase(at, last)}"), 0, vocabulary)
    return None if years is None else ((years.condition,), at + years.end - 1)


def _judged(t: Tokens, at: int) -> int:
    """The end of "is fine", "are ok too"; 0 if it doesn't stand here."""
    if t.word(at) not in _IS:
        return 0
    if t.word(at) in ("works", "work"):
        return _tail(t, at + 1)
    at += 1
    while t.word(at) in _SOFTENERS:
        at += 1
    return _tail(t, at + 1) if t.word(at) in _FINE else 0


def _attribute(t: Tokens, at: int, vocabulary: Vocabulary) -> tuple[str | None, int]:
    """The attribute that is called by a word here, and the place after it."""
    at += t.word(at) in ("the", "any", "which", "what")
    word = singular(t.word(at))
    if word in ("language",) and vocabulary.language:
        return vocabulary.language, at + 1
    for kind, called in _CALLED.items():
        if word in called and (name := _of_kind(kind, vocabulary)):
            return name, at + 1
    return vocabulary.attributes.get(word), at + 1


def _of_kind(kind: str, vocabulary: Vocabulary) -> str | None:
    of = vocabulary.year if kind == "year" else vocabulary.quantities.get(kind)
    return of.attribute if of else None


def _lead(t: Tokens, place: int) -> int:
    while place > 0 and t.word(place - 1) in _LEADING:
        place -= 1
    return place


def _tail(t: Tokens, at: int) -> int:
    while t.word(at) in _TAIL | {"with", "by", "me"}:
        at += 1
    return at


def _rule(t: Tokens, at: int) -> int:
    return _tail(t, at + (t.word(at) in _RULE))
