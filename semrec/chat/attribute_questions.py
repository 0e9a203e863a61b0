"""Questions about a catalogue's own attributes: "what is it made of?", "is it waterproof?"."""

from __future__ import annotations

from semrec.intent.spans import Spans
from semrec.intent.tokens import PhraseTable, Tokens
from semrec.intent.units import SPOKEN_OF
from semrec.intent.vocabulary import Vocabulary

MAX_SHORT = 7  # words of a question that names a label: "does it come in blue?"
# Ways to ask → names that attributes have which answer.
_ASKED_AS = PhraseTable(
    {
        "made of/from,made out of,fabric,material": ("material", "fabric"),
        "who make/makes/made,maker,manufacturer,which company/firm,by whom": (
            *("brand", "maker", "manufacturer", "company", "producer"),
            *("publisher", "developer", "label"),
        ),
        "color": ("colour",),
        "colour": ("color",),
    }
)
_POINTING = frozenset(("it", "they", "this", "that", "one", "first", "second", "third", "last"))
_YES_OR_NO = frozenset(("is", "are", "does", "do", "has", "have", "can"))


def asked_attribute(t: Tokens, vocabulary: Vocabulary) -> str:
    """The attribute that a question is about; empty if it names none.

    Args:
        t: The question.
        vocabulary: The catalogue's attributes.
    """
    named = vocabulary.attributes
    for at in range(len(t)):
        for end in (at + 2, at + 1):
            phrase = " ".join(t.stems[at:end])
            if phrase in named:
                return named[phrase]
        if (kind := SPOKEN_OF.get(t.word(at))) and (of := vocabulary.quantities.get(kind)):
            return of.attribute
    for _, match in _ASKED_AS.matches(t.words):
        for name in match.value:
            if name in named:
                return named[name]
    if len(t) > MAX_SHORT or t.word(0) not in _YES_OR_NO or _POINTING.isdisjoint(t.words):
        return ""
    spans = Spans(t, vocabulary)
    labels = next(filter(None, map(spans.labels, range(2, len(t)))), None)
    return "" if labels is None else labels.conditions[0][0].attribute
