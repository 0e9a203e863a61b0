"""Labels that a text names without making them a limit: "a comedy", "something scary"."""

from __future__ import annotations

from collections.abc import Sequence

from semrec.intent.linking import Mention
from semrec.intent.polarity import polarities
from semrec.intent.reading import read_labels
from semrec.intent.tokens import Tokens
from semrec.intent.vocabulary import Vocabulary
from semrec.types import Label

MAX_NAMED = 20


def named_labels(
    t: Tokens, vocabulary: Vocabulary, taken: Sequence[tuple[int, int]]
) -> tuple[Label, ...]:
    """The labels that are named with approval, or simply named; each once, in their order.

    Args:
        t: The text.
        vocabulary: What is known.
        taken: (first, end) places of titles and limits; nothing is read there.
    """
    t = t.without(taken)
    mentions: list[Mention] = []
    found: list[list[Label]] = []
    at = 0
    while at < len(t) and len(mentions) < MAX_NAMED:
        read = read_labels(t, at, vocabulary)
        if read is None:
            at += 1
            continue
        labels = [
            (one.attribute, label)
            for alternatives in read[0]
            for one in alternatives
            for label in one.labels
            if isinstance(label, str)
        ]
        found.append(labels)
        mentions.append(Mention(first=at, end=read[1], row=-1))
        at = read[1]
    liked = [
        label
        for labels, polarity in zip(found, polarities(t, mentions), strict=True)
        if polarity == "liked"
        for label in labels
    ]
    return tuple(dict.fromkeys(liked))
