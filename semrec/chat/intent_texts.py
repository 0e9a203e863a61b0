"""The intent in a message: its words without limits, and without those that only talk."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from semrec.intent.conditions import Condition, Has
from semrec.intent.english import FILLERS, word_set
from semrec.intent.reading import read_labels
from semrec.intent.tokens import MARKS, read_tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

_TALK = FILLERS | word_set(
    "hi hello hey thanks thank thx you ok okay yes yeah yep yup no nope nah not sure hmm hm well oh"
    " please pls great good nice cool perfect lovely fine alright right looks look sounds seems"
    " interesting i im ive id me my we a an the it its that this those these them one and but so"
    " or too also then now just really very much more like liked love loved enjoyed enjoy watch"
    " watched watching take pick choose seen saw already have had do dont did didnt was is are am"
    " be actually instead rather maybe let lets see show give what how about can could would will"
    " something anything some any another other others else again for to of in on with at"
    " looking search searching find recommend suggest said mean meant wait were changed mind"
    " got want need hated hate lol haha awesome first second third fourth fifth last all"
)
_OPENING = re.compile(
    r"^(?:(?:please|ok|okay|and|but|also|then|now|so|well|thanks|yes|no|actually)\b[\s,.!;:?]*|[,.;:!?\s]+)+",
    re.IGNORECASE,
)


def content_of(text: str) -> str:
    """A message's words as a wish; empty if it only talks ("thanks, looks good")."""
    words = [word for word in read_tokens(text).words if word not in MARKS]
    if all(word in _TALK for word in words):
        return ""
    return _OPENING.sub("", " ".join(text.split())).strip(" ,;:-")


def labels_of(conditions: Sequence[Condition]) -> set[Label]:
    """The labels that conditions are about."""
    return {(c.attribute, str(one)) for c in conditions if isinstance(c, Has) for one in c.labels}


def without_labels(
    wishes: Sequence[str], labels: Set[Label], vocabulary: Vocabulary
) -> tuple[str, ...]:
    """The wishes without the words that name some labels: those pull no more."""
    if not labels:
        return tuple(wishes)
    left = (_without(wish, labels, vocabulary) for wish in wishes)
    return tuple(wish for wish in left if wish)


def _without(wish: str, labels: Set[Label], vocabulary: Vocabulary) -> str:
    t = read_tokens(wish)
    at, kept, parts = 0, 0, []
    while at < len(t):
        read = read_labels(t, at, vocabulary)
        named = (
            {(h.attribute, label) for of in read[0] for h in of for label in h.labels}
            if read
            else set()
        )
        if read and named and named <= labels:
            parts.append(wish[kept : t.starts[at]])
            kept = t.ends[read[1] - 1]
        at = read[1] if read else at + 1
    if not parts:
        return wish
    return content_of(" ".join((*parts, wish[kept:])))
