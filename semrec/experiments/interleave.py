"""Team-draft interleaving: one list out of two, and who contributed each item.

    at each round a coin says who picks first → each arm picks its best item that isn't there yet

An item that both arms have at the same rank belongs to neither: it is shown, no arm gets credit
for it, and nobody's turn is spent. Teams differ by one item at most. A list that runs out ends the
draft; what the other has left fills the list up without a team.

Source: Radlinski, Kurup and Joachims 2008, doi:10.1145/1458082.1458092.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from semrec.experiments.assign import Arm


@dataclass(frozen=True, kw_only=True)
class Interleaved:
    """An interleaved list.

    Attributes:
        items: Item ids, best first; none twice.
        teams: Of each item the arm that picked it; None: it belongs to neither.
        first: The arm that picked first.
    """

    items: tuple[str, ...]
    teams: tuple[Arm | None, ...]
    first: Arm


def team_draft(a: Sequence[str], b: Sequence[str], k: int, rng: np.random.Generator) -> Interleaved:
    """The first `k` items of two lists, interleaved.

    Args:
        a: Item ids of one arm, best first.
        b: Item ids of the other.
        k: Length of the list; fewer if both arms have fewer.
        rng: Tosses the coins.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> drafted = team_draft(["x", "heat", "ran"], ["x", "moon", "heat"], 3, rng)
        >>> drafted.items, drafted.teams
        (('x', 'moon', 'heat'), (None, 'b', 'a'))
    """
    neutral = {item for item, other in zip(a, b, strict=False) if item == other}
    shown: dict[str, Arm | None] = {}

    def turns(arm: Arm, ranked: Sequence[str]) -> Iterator[bool]:
        """Picks for an arm at each step; ends where nothing is left to pick."""
        for item in ranked:
            if item not in shown and len(shown) < k:
                shown[item] = None if item in neutral else arm
                if item not in neutral:
                    yield True

    picks = {"a": turns("a", a), "b": turns("b", b)}
    first: Arm | None = None
    drafting = True
    while drafting and len(shown) < k:
        order: tuple[Arm, Arm] = ("a", "b") if rng.random() < 0.5 else ("b", "a")
        first = first or order[0]
        for arm in order:
            drafting = drafting and next(picks[arm], False)
    for pair in zip_longest(a, b):
        for item in pair:
            if item is not None and len(shown) < k:
                shown.setdefault(item, None)
    return Interleaved(items=tuple(shown), teams=tuple(shown.values()), first=first or "a")
