"""Follow-ups: limits taken back or replaced, others than those shown, shorter ones, start over.

What is taken back only has an effect on limits that stand; whether one does, the caller knows.
The phrases that announce each are in `cues`.
"""

from __future__ import annotations

from dataclasses import dataclass

from semrec.intent.conditions import Condition, Has, Span
from semrec.intent.cues import NO_MATTER, OTHERS, RESETS, RETRACTIONS
from semrec.intent.english import CENTURIES, DECADES, DETERMINERS, FILLERS, PHRASE_ENDS, word_set
from semrec.intent.quantities import read_years
from semrec.intent.spans import JOINTS, Spans
from semrec.intent.tokens import CLAUSE, Interval, Tokens, read_tokens, singular
from semrec.intent.units import ALSO_MOODS, COMPARATIVES
from semrec.intent.vocabulary import Quantity, Vocabulary

MAX_RETRACTIONS, MAX_YEAR_WORDS = 20, 8
_IS = word_set("is are was were would sounds works work")
# With one of these ends what takes a limit back without a cue in front: "horror is fine".
_CLOSING = _IS | word_set("doesnt does isnt instead")
_FINE = word_set("fine ok okay alright allowed cool good great welcome acceptable right works work")
_WISHED = word_set("cool good great welcome")  # "robots would be cool" asks for them
_SOFTENERS = word_set("totally also actually perfectly completely all be too just now really quite")
_TAIL = word_set("too again now after all then though tho as well either anymore")
_OF_TIME = DECADES.keys() | CENTURIES.keys() | {"past"}
_DENYING = word_set("no not dont never without non except but for than from nor neither only")
_RULE = word_set("limit limits filter filters rule rules restriction restrictions part requirement")
_ALL = word_set("everything all")
_BEFORE_RULE = DETERMINERS | word_set("the my those that no only about from")
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
_SHOWN = word_set("the that this it those these number")
_AFTER_OTHERS = word_set("please then but thanks with like from that in instead already for")
_BEFORE_COMPARATIVE = word_set(
    "something anything bit lot little much even slightly way far any some but please and one"
    " somewhat the meant mean with need want prefer maybe give show considerably thats its theyre"
    " these those are is all"
)


@dataclass(frozen=True, kw_only=True)
class Retraction:
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


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """More or less of something than what was shown.

    Attributes:
        first: Place of its word.
        end: The place after it.
        quantity: The attribute; None if the catalogue has none.
        more: Whether more of it is wanted.
    """

    first: int
    end: int
    quantity: Quantity | None
    more: bool


def read_retractions(t: Tokens, vocabulary: Vocabulary) -> list[Retraction]:
    """Retractions in a message, in its order."""
    spans = Spans(t, vocabulary)
    retractions: list[Retraction] = []
    # Most messages take nothing back: without a closing word only a cue is worth a look.
    last = max((at for at, word in enumerate(t.words) if word in _CLOSING), default=-1)
    at = 0
    while at < len(t) and len(retractions) < MAX_RETRACTIONS:
        retraction = _retraction(spans, at, closed=at < last)
        if retraction is not None:
            retractions.append(retraction)
        at = at + 1 if retraction is None else retraction.end
    return retractions


def read_reset(t: Tokens) -> Interval | None:
    """Places of "start over"; None if nothing says so."""
    return next(((start, cue.end) for start, cue in RESETS.matches(t.words)), None)


def read_others(t: Tokens) -> list[Interval]:
    """Places of what asks for other items than those shown: "something else"."""
    return [
        (start, cue.end)
        for start, cue in OTHERS.matches(t.words)
        if t.word(cue.end) in CLAUSE or t.word(cue.end) in _AFTER_OTHERS
    ]


def read_same(t: Tokens, vocabulary: Vocabulary) -> list[tuple[int, int, str]]:
    """(first, end, attribute) of "from the same brand", "in the same colour"."""
    same = []
    for at in range(len(t) - 2):
        if t.words[at : at + 2] == ["the", "same"]:
            name = vocabulary.attributes.get(t.stems[at + 2])
            if name is not None:
                first = at - (t.word(at - 1) in ("from", "by", "in", "of", "with", "for"))
                same.append((first, at + 3, name))
    return same


def read_comparisons(t: Tokens, vocabulary: Vocabulary) -> list[Comparison]:
    """Comparisons with what was shown, in their order: "shorter", "anything newer?"."""
    comparisons = []
    for start, cue in COMPARATIVES.matches(t.words):
        before, after = t.word(start - 1), t.word(cue.end)
        ends = after in PHRASE_ENDS or after in FILLERS
        ends |= t.words[cue.end : cue.end + 2] == ["is", "better"]
        # "Lighter than the first one"; "older than the nineties" is a limit of its own.
        ends |= after == "than" and t.word(cue.end + 1) in _SHOWN and cue.value[0] != "year"
        if ends and (before in CLAUSE or before in _BEFORE_COMPARATIVE):
            kind, more = cue.value
            quantity = vocabulary.year if kind == "year" else vocabulary.quantities.get(kind)
            if quantity is None and kind in ALSO_MOODS:
                continue
            comparisons.append(Comparison(first=start, end=cue.end, quantity=quantity, more=more))
    return comparisons


def _retraction(spans: Spans, start: int, *, closed: bool) -> Retraction | None:
    t, cue = spans.t, RETRACTIONS.match(spans.t.words, start)
    if cue is None:
        return _fine(spans, start) if closed else None
    if cue.value == "drop":
        return _dropped(spans, start, cue.end)
    if cue.value == "indifferent":
        attribute, end = _attribute(t, cue.end, spans.vocabulary)
        if attribute is None:
            return _fine(spans, start)
        return Retraction(
            first=_lead(t, start), end=_approval_end(t, end) or end, attribute=attribute
        )
    stated = _stated(spans, cue.end)
    if stated is None or t.word(start - 1) in _DENYING:
        return None
    conditions, first, end = stated[0], _lead(t, start), _tail(t, stated[1])
    if cue.value == "wish" and _is_exact(conditions, spans.vocabulary):
        return Retraction(first=first, end=end, conditions=conditions, replaces=True)
    wishes = cue.value == "wish"
    return Retraction(first=first, end=end, conditions=conditions, allows=True, wishes=wishes)


def _dropped(spans: Spans, start: int, at: int) -> Retraction | None:
    """Reads "Forget the nineties", "drop the language", "ignore the no horror rule"."""
    t, vocabulary = spans.t, spans.vocabulary
    first = _lead(t, start)
    while t.word(at) in _BEFORE_RULE:
        at += 1
    if t.word(at) in _RULE | _ALL:
        while t.word(at) in _RULE | _ALL | {"the", "else", "of"}:
            at += 1
        return Retraction(first=first, end=at, everything=True)
    attribute, end = _attribute(t, at, vocabulary)
    if attribute is not None:
        return Retraction(first=first, end=_rule(t, end), attribute=attribute)
    read = _stated(spans, at)
    return read and Retraction(first=first, end=_rule(t, read[1]), conditions=read[0])


def _fine(spans: Spans, start: int) -> Retraction | None:
    """Reads "Horror is fine", "older ones are ok too", "the language doesn't matter"."""
    t, vocabulary = spans.t, spans.vocabulary
    has_the = t.word(start - 1) == "the"
    if _is_denied(t, start - has_the):
        return None
    first = _lead(t, start - has_the)
    if t.word(start) in _BACKWARDS:
        kind = "minutes" if t.word(start) in ("shorter", "longer") else "year"
        attribute, operators = _of_kind(kind, vocabulary), _BACKWARDS[t.word(start)]
        end = _approval_end(t, start + 1 + (t.word(start + 1) in FILLERS))
        if attribute is None or not end:
            return None
        return Retraction(first=first, end=end, attribute=attribute, operators=operators)
    attribute, end = _attribute(t, start, vocabulary)
    if attribute is not None and (matter := NO_MATTER.match(t.words, end)):
        return Retraction(first=first, end=_tail(t, matter.end), attribute=attribute)
    read = _stated(spans, start)
    if read is None:
        return None
    if t.word(read[1]) == "instead" and _is_exact(read[0], vocabulary):
        first -= t.word(first - 1) in ("from", "in")
        return Retraction(first=first, end=read[1] + 1, conditions=read[0], replaces=True)
    end = _approval_end(t, read[1] + (t.word(read[1]) in ("too", "also")))
    return Retraction(first=first, end=end, conditions=read[0], allows=True) if end else None


def _is_exact(conditions: tuple[Condition, ...], vocabulary: Vocabulary) -> bool:
    """True if it is about years, numbers or languages, where a wish is a limit."""
    return all(
        isinstance(c, Span) or (isinstance(c, Has) and c.attribute == vocabulary.language)
        for c in conditions
    )


def _is_denied(t: Tokens, start: int) -> bool:
    """True if a denial in the same clause covers what begins here: "no horror or war is fine"."""
    at = start - 1
    if t.word(at) not in JOINTS:
        return t.word(at) in _DENYING
    while at >= 0 and t.word(at) not in CLAUSE and t.word(at) != "but":
        if t.word(at) in _DENYING:
            return True
        at -= 1
    return False


def _stated(spans: Spans, at: int) -> tuple[tuple[Condition, ...], int] | None:
    """Statements of phrases joined by "or" and "and", and the place after them."""
    parsed = _stated_once(spans, at)
    while parsed and spans.t.word(parsed[1]) in JOINTS:
        more = _stated_once(spans, parsed[1] + 1)
        if more is None or len(parsed[0]) > MAX_RETRACTIONS:
            break
        parsed = (*parsed[0], *more[0]), more[1]
    return parsed


def _stated_once(spans: Spans, at: int) -> tuple[tuple[Condition, ...], int] | None:
    """The statement of one phrase; years need no word that leads up to them."""
    t, vocabulary = spans.t, spans.vocabulary
    phrase = spans.phrase(at)
    if phrase is not None:
        return tuple(condition for of in phrase.conditions for condition in of), phrase.end
    if t.word(at) in vocabulary.languages and vocabulary.language is not None:
        codes = vocabulary.languages[t.word(at)]
        return (Has(attribute=vocabulary.language, labels=tuple(codes)),), at + 1
    last = min(at + MAX_YEAR_WORDS, len(t))
    if not any(word[0].isdigit() or word in _OF_TIME for word in t.words[at:last]):
        return None  # reading the words once more costs more than all the rest
    years = read_years(read_tokens(f"from {t.phrase(at, last)}"), 0, vocabulary)
    return None if years is None else ((years.condition,), at + years.end - 1)


def _approval_end(t: Tokens, at: int) -> int:
    """The end of "is fine", "are ok too"; 0 if it doesn't stand here."""
    if t.word(at) not in _IS:
        return 0
    if t.word(at) in ("works", "work"):
        return _tail(t, at + 1)
    fine = _FINE - _WISHED if t.word(at) == "would" else _FINE
    at += 1
    while t.word(at) in _SOFTENERS:
        at += 1
    return _tail(t, at + 1) if t.word(at) in fine else 0


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


def _lead(t: Tokens, start: int) -> int:
    while start > 0 and t.word(start - 1) in _LEADING:
        start -= 1
    return start


def _tail(t: Tokens, at: int) -> int:
    while t.word(at) in _TAIL | {"with", "by", "me"}:
        at += 1
    return at


def _rule(t: Tokens, at: int) -> int:
    return _tail(t, at + (t.word(at) in _RULE))
