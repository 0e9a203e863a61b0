"""Labels that are limits without a cue: a property ("waterproof boots"), a fact ("in red").

A genre that is named pulls, and no more: a film has several, and people name them loosely. What an
item either is or isn't, or has exactly one of, is stated.
"""

from __future__ import annotations

from semrec.intent.conditions import Has
from semrec.intent.english import DETERMINERS, FILLERS, PHRASE_ENDS, RESTRICTIONS, word_set
from semrec.intent.quantities import Limit
from semrec.intent.spans import JOINTS, LabelSpan, Spans
from semrec.intent.tokens import PhraseTable, Tokens, singular, words_of
from semrec.intent.vocabulary import Vocabulary

MAX_LABELS = 20
_OF_A_FACT = PhraseTable(
    {"in,by,made/built of/from/by/with,made out of,from,of,for": True}, between=frozenset(("the",))
)
_STORY = word_set("about where who whose")
_ARTICLES = word_set("a an the some any new another good")
_OWN = word_set("my our your his her their this that these those")
_BESIDE = word_set(
    "with without have has had own bought got than like to of on in inside under over against no"
    " not using use wear wearing from at by into"
)
_SEARCHING = word_set("looking look search searching shopping shop need asking ask hunting wait")


def read_plain_labels(spans: Spans, start: int, nouns: frozenset[str]) -> Limit | None:
    """A limit that begins at a place; None if none does.

    Args:
        spans: The text.
        start: The place.
        nouns: Words in the singular that items are called by, such as those of categories.
    """
    return _property(spans, start, nouns) or _fact(spans, start, nouns)


def _property(spans: Spans, start: int, nouns: frozenset[str]) -> Limit | None:
    """A word before a noun: "waterproof boots", "a red tent"; "a jacket that is waterproof"."""
    labels = spans.labels(start)
    if labels is None or spans.t.word(start - 1) in _STORY:
        return None
    alternatives = [has for of in labels.conditions for has in of]
    own = [has for has in alternatives if has.labels == (True,)]
    if own and _ends(spans, labels.end, nouns):
        return Limit(own[0], labels.end)
    single = [has for has in alternatives if has.attribute in spans.vocabulary.single]
    return Limit(single[0], labels.end) if single and _describes(spans, labels, nouns) else None


def _describes(spans: Spans, labels: LabelSpan, nouns: frozenset[str]) -> bool:
    """True if a noun of the catalogue's, of another attribute, stands behind labels."""
    t, end = spans.t, labels.end
    own = {has.attribute for of in labels.conditions for has in of}
    noun = spans.labels(end)
    if noun is not None:
        return own.isdisjoint(has.attribute for of in noun.conditions for has in of)
    return end < len(t) and t.stems[end] in nouns


def _fact(spans: Spans, start: int, nouns: frozenset[str]) -> Limit | None:
    """Labels of an attribute of which each item has one: "in black or grey", "by Hvitur"."""
    t, cue = spans.t, _OF_A_FACT.match(spans.t.words, start)
    if cue is None or t.word(start - 1) in _STORY:
        return None
    at, end, attribute, listed = cue.end, start, "", list[object]()
    while len(listed) < MAX_LABELS:
        at += t.word(at) in DETERMINERS
        labels = spans.labels(at)
        alternatives = [] if labels is None else [has for of in labels.conditions for has in of]
        single = [has for has in alternatives if has.attribute in spans.vocabulary.single]
        if labels is None or not single or attribute not in ("", single[0].attribute):
            break
        if cue.phrase == "for" and _are_things(single[0].labels):
            return None  # "for winter" states; pegs "for a tent" are no tents
        attribute, end = single[0].attribute, labels.end
        listed += single[0].labels
        at = end + (t.word(end) == ",")
        at += t.word(at) in JOINTS
        if at == end:
            break
    if not listed or not (cue.phrase.startswith(("made", "built")) or _ends(spans, end, nouns)):
        return None
    return Limit(Has(attribute=attribute, labels=tuple(dict.fromkeys(listed))), end)


def _are_things(labels: tuple[object, ...]) -> bool:
    """True for labels in the plural, such as "Hiking boots"."""
    last = [words_of(str(label))[-1] for label in labels if words_of(str(label))]
    return any(singular(word) != word for word in last)


def _ends(spans: Spans, end: int, nouns: frozenset[str]) -> bool:
    """True if no unknown word behind makes something else of it: not "adult siblings"."""
    t, following = spans.t, spans.t.word(end)
    return (
        following in PHRASE_ENDS | RESTRICTIONS | FILLERS | JOINTS
        or (end < len(t) and t.stems[end] in nouns)
        or spans.labels(end) is not None
    )


def read_kinds(t: Tokens, vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """The kinds of items that a request is for: attribute → labels, of 1 attribute with few.

    "A tent for my dog" is for tents, "pegs for my tent" isn't; "boots" are all labels that end so.

    Args:
        t: The request; words of titles and limits say nothing.
        vocabulary: What is known.
    """
    spans, kinds, at, joined_at = Spans(t, vocabulary), dict[str, tuple[str, ...]](), 0, -1
    while at < len(t):
        name, labels, end = _kind(spans, at)
        if labels and not _is_beside(t, at) and (not kinds or (name in kinds and at == joined_at)):
            kinds[name] = (*kinds.get(name, ()), *labels)
            joined_at = end + (t.word(end) == ",")
            joined_at += t.word(joined_at) in JOINTS
            joined_at += t.word(joined_at) in _ARTICLES
        at = end
    return kinds


def _kind(spans: Spans, at: int) -> tuple[str, tuple[str, ...], int]:
    """(attribute, labels, the place behind) of a kind that begins at a place; no labels: none."""
    vocabulary, labels = spans.vocabulary, spans.labels(at)
    if labels is None:
        name, longer = vocabulary.heads.get(spans.t.stems[at], ("", ()))
        return name, longer, at + 1
    for of in labels.conditions:
        for has in of:
            few = all(str(label) in vocabulary.choices for label in has.labels)
            if has.attribute in vocabulary.single and few:
                return has.attribute, tuple(map(str, has.labels)), labels.end
    return "", (), labels.end


def _is_beside(t: Tokens, at: int) -> bool:
    """True for what is only mentioned: "with gloves", "for my tent", "I have a rope"."""
    before = at - 1
    while t.word(before) in _ARTICLES | _OWN or t.word(before) in FILLERS:
        if t.word(before) in _OWN:
            return True
        before -= 1
    if t.word(before) == "for":
        return t.word(before - 1) not in _SEARCHING
    return t.word(before) in _BESIDE
