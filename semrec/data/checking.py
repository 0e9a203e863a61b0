"""Checks of a dataset: whatever a build would stumble over, with counts, examples and advice.

`semrec data validate` prints them, `semrec build` looks at the same before it works.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from semrec.data.dataset import Dataset
from semrec.data.intents import read_cases
from semrec.data.nearest_id import nearest_id
from semrec.errors import DataError

MIN_USERS = 50
MAX_EXAMPLES = 3
NO_TEXT = (
    "no item has a title or a text: words find nothing by similarity, and no encoder is trained"
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A property of a dataset that somebody should know before a build.

    Attributes:
        level: error (a build can't go well), warning (it goes worse), or note.
        problem: What was found, in words.
        count: How often.
        examples: The first few.
        advice: What to do.
    """

    level: Literal["error", "warning", "note"]
    problem: str
    count: int = 0
    examples: Sequence[str] = ()
    advice: str = ""

    def __str__(self) -> str:
        examples = f" ({', '.join(map(repr, self.examples))})" if self.examples else ""
        return self.problem + examples + (f"; {self.advice}" if self.advice else "")

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON has it."""
        return asdict(self)


def check(dataset: Dataset) -> list[Finding]:
    """All findings on a dataset, errors first."""
    findings = [*_items(dataset), *_interactions(dataset), *_intents(dataset)]
    findings += [Finding(level="note", problem=note) for note in dataset.notes]
    return sorted(findings, key=lambda f: ("error", "warning", "note").index(f.level))


def _items(dataset: Dataset) -> Iterator[Finding]:
    catalog = dataset.catalog
    blank = [
        item_id
        for item_id, title, text in zip(
            catalog.item_ids, catalog.titles, catalog.texts, strict=True
        )
        if not title.strip() and not text.strip()
    ]
    untitled = sum(not title.strip() for title in catalog.titles)
    if untitled:
        yield Finding(level="warning", problem=f"{untitled} items have no title", count=untitled)
    if len(blank) == len(catalog):
        yield Finding(
            level="warning",
            problem=NO_TEXT,
            count=len(blank),
            advice="give items a title or a text (--rename FOUND=title)",
        )
    elif blank:
        yield Finding(
            level="warning",
            problem=f"{len(blank)} items have neither title nor text: no semantic block for them",
            count=len(blank),
            examples=blank[:MAX_EXAMPLES],
        )


def _interactions(dataset: Dataset) -> Iterator[Finding]:
    events, positives = dataset.interactions, dataset.positives
    counts = np.bincount(positives.users, minlength=len(events.user_ids))
    users = int((counts > 0).sum())
    if users < MIN_USERS:
        yield Finding(
            level="warning",
            problem=f"only {users} users: weights tuned on so few are uncertain",
            count=users,
        )
    if users and not (counts > 1).any():
        yield Finding(
            level="warning",
            problem="no user has two interactions that count: nothing says what follows what",
            count=users,
            advice="check which column is the user's (--rename FOUND=user_id)",
        )
    if events.clock and len(events) > 1 and np.ptp(events.timestamps) == 0:
        yield Finding(
            level="warning",
            problem="all interactions have the same time: a split by time can't be made",
            count=len(events),
            advice="say time: order in dataset.yaml, or name the column of times",
        )
    untouched = len(dataset.catalog) - int((positives.counts > 0).sum())
    if untouched > len(dataset.catalog) // 2:
        yield Finding(
            level="note",
            problem=f"{untouched:,} of {len(dataset.catalog):,} items were touched by nobody",
            count=untouched,
        )


def _intents(dataset: Dataset) -> Iterator[Finding]:
    for path in dataset.intents:
        try:
            cases = read_cases(path)
        except DataError as error:
            yield Finding(level="error", problem=str(error), count=1)
            continue
        named = [item_id for case in cases for item_id in (*_session(case), *case.relevant)]
        unknown = list(dict.fromkeys(i for i in named if dataset.catalog.row(i) is None))
        if unknown:
            lost = set(unknown)
            count = sum(item_id in lost for item_id in named)
            yield Finding(
                level="error" if count == len(named) else "warning",
                problem=(
                    f"{path.name}: {count:,} of {len(named):,} ids aren't in the catalogue"
                    f"{nearest_id(unknown[0], dataset.catalog.item_ids)}"
                ),
                count=count,
                examples=unknown[:MAX_EXAMPLES],
                advice="requests count only by ids that are there",
            )
        elif not named:
            yield Finding(
                level="warning",
                problem=f"{path.name}: no request names an item",
                count=len(cases),
            )


def _session(case: Any) -> list[str]:  # noqa: ANN401
    return [getattr(event, "item_id", event) for event in case.query.session]


def refuse_unbuildable(findings: Sequence[Finding], source: str | Path) -> None:
    """Check that a build can go well.

    Raises:
        DataError: Naming all that is wrong.
    """
    wrong = [str(finding) for finding in findings if finding.level == "error"]
    if wrong:
        raise DataError(f"{source}: {'; '.join(wrong)}")
