"""Little of an amount, in a word: "a cheap harness", "the lightest tent for two".

Cheap for a tent is dear for a mug: the bound is a quantile among the items that the rest of the
request means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semrec.data.attributes import Numbers
from semrec.data.catalog import Catalog
from semrec.intent.english import FILLERS, PHRASE_ENDS, RESTRICTIONS, word_set
from semrec.intent.spans import JOINTS, Spans
from semrec.intent.tokens import PhraseTable
from semrec.intent.vocabulary import Quantity

MIN_AMONG = 10  # fewer items have no extremes
# Words → (kind of amount, the share of the items that have least of it).
LITTLE = PhraseTable(
    {
        "cheap,inexpensive,affordable,low priced,budget": ("price", 1 / 3),
        "cheapest,least expensive": ("price", 0.1),
        "light,lightweight,light weight,ultralight,ultra light": ("grams", 1 / 3),
        "lightest": ("grams", 0.1),
    }
)
_ARTICLES = word_set("a an the my")


@dataclass(frozen=True, kw_only=True)
class Extreme:
    """Words that ask for little of something.

    Attributes:
        first: Place of the first.
        end: The place after the last.
        quantity: The attribute.
        share: The share of the items, those that have least, that will do.
    """

    first: int
    end: int
    quantity: Quantity
    share: float


def read_extremes(spans: Spans, nouns: frozenset[str]) -> list[Extreme]:
    """Words for little of an amount that an attribute holds, before what they describe.

    Args:
        spans: The text.
        nouns: Words in the singular that items are called by.
    """
    t, extremes = spans.t, list[Extreme]()
    for first, match in LITTLE.matches(t.words):
        kind, share = match.value
        quantity = spans.vocabulary.quantities.get(kind)
        following, stem = t.word(match.end), t.stems[match.end : match.end + 1]
        is_noun = t.word(first - 1) in _ARTICLES or spans.labels(first - 1) is not None
        is_noun &= following in PHRASE_ENDS | RESTRICTIONS  # "a light", "a red light"
        describes = following in PHRASE_ENDS | RESTRICTIONS | FILLERS | JOINTS
        describes |= bool(nouns.intersection(stem)) or spans.labels(match.end) is not None
        if quantity is not None and describes and not is_noun:
            extremes.append(Extreme(first=first, end=match.end, quantity=quantity, share=share))
    return extremes


def upper_bound(
    extreme: Extreme,
    filters: Mapping[str, Any],
    kinds: Mapping[str, Sequence[str]],
    catalog: Catalog,
) -> float | None:
    """The most that will do among the items that are meant; None if they are too few.

    Args:
        extreme: What is asked for.
        filters: Limits that hold.
        kinds: Kinds of items that are asked for.
        catalog: The items.
    """
    of = {name: {"any": list(labels)} for name, labels in kinds.items()}
    attribute = catalog.attributes[extreme.quantity.attribute]
    assert isinstance(attribute, Numbers)
    for meant in ({**of, **filters}, of):
        allowed = catalog.mask(meant)
        values = attribute.values if allowed is None else attribute.values[allowed]
        values = values[~np.isnan(values)]
        if len(values) >= MIN_AMONG:
            return float(np.quantile(values, extreme.share, method="lower"))
    return None
