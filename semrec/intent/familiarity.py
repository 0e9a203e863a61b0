"""Wishes about how well known items are: "hidden gems", "something obscure", "popular ones"."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semrec.intent.cues import FAMILIARITY
from semrec.intent.english import FILLERS, PHRASE_ENDS, RESTRICTIONS
from semrec.intent.spans import JOINTS
from semrec.intent.tokens import Interval, Tokens, singular
from semrec.types import BoolArray, Condition

Familiarity = Literal["", "less", "more"]
MEANINGS = {"less": "not the best known", "more": "well known"}
# Shares of all events that the best known items gather: the head, and all that isn't the tail.
HEAD, UP_TO_TAIL = 0.5, 0.7
_BEHIND = PHRASE_ENDS | FILLERS | JOINTS | RESTRICTIONS
MIN_PEOPLE, MIN_HEAD, MIN_TAIL = 2, 20, 50


def read_familiarity(t: Tokens, broad: Set[str]) -> tuple[Familiarity, list[Interval]]:
    """The last wish about how well known items are, and the places of all such words.

    Args:
        t: The text.
        broad: Words that may stand behind one beside "films" and the like, such as genres.
    """
    familiarity: Familiarity = ""
    spans = []
    for first, match in FAMILIARITY.matches(t.words):
        behind = t.word(match.end)
        if behind in _BEHIND or singular(behind) in broad:
            familiarity = match.value
            spans.append((first, match.end))
    return familiarity, spans


def familiar(
    familiarity: Familiarity, counts: NDArray[np.int64], pool: BoolArray, allowed: BoolArray
) -> Condition:
    """The condition on how many people touched an item that makes it as well known as wished.

    The best known items of the pool that gather `HEAD` of its events, `MIN_HEAD` at least, are
    "more"; those beyond `UP_TO_TAIL`, which `MIN_PEOPLE` know at least, are "less". Where none
    of the allowed items would be left there is no bound.

    Args:
        familiarity: "less" or "more".
        counts: (n_items,) people who touched each item.
        pool: (n_items,) bool, items of the kind that is wished for.
        allowed: (n_items,) bool, what limits permit.
    """
    ordered = np.sort(counts[pool])[::-1]
    if not len(ordered) or not ordered[0]:
        return Condition()
    gathered = np.cumsum(ordered) / ordered.sum()
    if familiarity == "more":
        at = max(int(np.searchsorted(gathered, HEAD)), MIN_HEAD)
        chosen = Condition(bounds=(("gte", float(ordered[min(at, len(ordered) - 1)])),))
    else:
        at = int(np.searchsorted(gathered, UP_TO_TAIL))
        below = Condition(bounds=(("lte", float(ordered[min(at, len(ordered) - 1)])),))
        chosen = replace(below, bounds=(*below.bounds, ("gte", float(MIN_PEOPLE))))
        if int((chosen.within(counts) & pool & allowed).sum()) < MIN_TAIL:
            chosen = below
    return chosen if (chosen.within(counts) & allowed).any() else Condition()
