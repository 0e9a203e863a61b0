"""The cases on which two systems differ most, in words and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semrec.data.catalog import Catalog
from semrec.metrics.significance import Values
from semrec.types import Case

EXAMPLES = 5  # that gained most, and that lost most


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An item in a list, and whether it was right."""

    item_id: str
    title: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class Example:
    """One case, and what two systems answered.

    Attributes:
        case_id: Its name.
        intent: What was asked.
        session: Titles of what was touched before, oldest first.
        relevant: Titles of what was right.
        reference: The list of the system to beat.
        candidate: The list of the one that is to beat it.
        difference: The second list's NDCG minus the first's.
    """

    case_id: str
    intent: str
    session: tuple[str, ...]
    relevant: tuple[str, ...]
    reference: tuple[Shown, ...]
    candidate: tuple[Shown, ...]
    difference: float


def examples_of(
    gained: Values,
    cases: Sequence[Case],
    reference: Sequence[Sequence[str]],
    candidate: Sequence[Sequence[str]],
    catalog: Catalog | None,
) -> tuple[Example, ...]:
    """The cases that gained most, best first; then those that lost most, worst first.

    Args:
        gained: (n_cases,) the candidate's metric minus the reference's.
        cases: The cases.
        reference: For each case the list of the system to beat.
        candidate: For each case the list of the other.
        catalog: Has the titles; None: ids are shown.
    """

    def title(item_id: str) -> str:
        row = None if catalog is None else catalog.row(item_id)
        return item_id if catalog is None or row is None else catalog.titles[row] or item_id

    def listed(items: Sequence[str], case: Case) -> tuple[Shown, ...]:
        before = {event.item_id for event in case.query.events} | set(case.query.exclude)
        right = set(case.relevant) - before
        return tuple(Shown(item_id=i, title=title(i), right=i in right) for i in items)

    order = np.argsort(gained, kind="stable")
    most = [index for index in order[::-1][:EXAMPLES] if gained[index] > 0]
    least = [index for index in order[:EXAMPLES] if gained[index] < 0]
    return tuple(
        Example(
            case_id=cases[index].case_id,
            intent=cases[index].query.intent,
            session=tuple(title(event.item_id) for event in cases[index].query.events),
            relevant=tuple(title(item_id) for item_id in dict.fromkeys(cases[index].relevant)),
            reference=listed(reference[index], cases[index]),
            candidate=listed(candidate[index], cases[index]),
            difference=float(gained[index]),
        )
        for index in (*most, *least)
    )
