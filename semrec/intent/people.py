"""Names that a text has and this catalogue hasn't: people, and titles that were seen or liked."""

from __future__ import annotations

from collections.abc import Sequence, Set

from semrec.intent import cues
from semrec.intent.english import NOUNS, USED, word_set
from semrec.intent.spans import JOINTS
from semrec.intent.tokens import CLAUSE, Interval, Tokens
from semrec.intent.vocabulary import Vocabulary

_ENDS_NAME = CLAUSE | JOINTS | NOUNS | word_set("but yet too though so because very") | {""}


def named_people(t: Tokens, taken: Sequence[Interval], vocabulary: Vocabulary) -> list[str]:
    """People who are asked for ("by Tarkovsky"), and what is liked or was seen, as written.

    Only names in capitals that are neither in a title nor a label: no attribute can answer them,
    or this catalogue hasn't got them.
    """
    taken_at = {i for first, end in taken for i in range(first, end)}
    people: list[str] = []
    for i, word in enumerate(t.words):
        least = cues.BEFORE_NAMES.get(word, 0) or cues.TASTES.get(word, 0)
        if not least or not t.text[t.starts[i]].islower():
            continue
        first = i + 1 + (t.word(i + 1) == "the")
        shown_from = first if word in cues.TASTES else i
        end = _name_end(t, first, taken_at)
        if word in cues.TASTES and _tells_nothing(t, i):
            continue  # "I haven't seen Jaws", "have you seen Jaws?"
        if word in USED and end == first + 1 and t.word(end) not in _ENDS_NAME:
            continue  # "I seen Other suggestion?"
        while end - first >= least:
            if " ".join(t.stems[first:end]) not in vocabulary.labels:
                people.append(t.phrase(shown_from, end))
            first = shown_from = end + _are_joined(t, end)  # "Hereditary, The Witch and Midsommar"
            end = _name_end(t, first, taken_at) if first > end else first
    return people


def _tells_nothing(t: Tokens, at: int) -> bool:
    return not (cues.NOT | {"you"}).isdisjoint(t.words[max(0, at - 3) : at])


def _name_end(t: Tokens, first: int, taken_at: Set[int]) -> int:
    """The end of a name in capitals; `first` if none stands there."""
    end = first
    while end < len(t) and t.capitals[end] and t.words[end].isalpha() and end not in taken_at:
        if t.words[end] in cues.NO_NAME:
            break
        end += 1
    return end


def _are_joined(t: Tokens, at: int) -> int:
    """The number of places of what joins a list here: of ", and" two."""
    return (t.word(at) == ",") + (t.word(at + (t.word(at) == ",")) in JOINTS)


def same_people(t: Tokens) -> list[Interval]:
    """Places of "from the same director": people of the items, whom no attribute knows."""
    return [
        (at, at + 4)
        for at in range(len(t) - 3)
        if t.word(at) in cues.BEFORE_SAME
        and t.words[at + 1 : at + 3] == ["the", "same"]
        and t.stems[at + 3] in cues.PEOPLE
    ]
