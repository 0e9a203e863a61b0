"""A list that was served, made again from the log."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from semrec.artifact.stored import load
from semrec.errors import StateError
from semrec.sessions.log import open_log

DRAWN = ("ab", "ba", "explore")  # arms whose lists are no artifact's alone
SCORES_AGREE = 1e-4  # a batch sums in another order than a single request


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """A list then and now.

    Attributes:
        recommendation_id: Its name.
        version: The artifact's.
        then: (item id, score) as it was served.
        now: (item id, score) as it is made now.
        same: Whether the ids are the same and the scores agree.
    """

    recommendation_id: str
    version: str
    then: tuple[tuple[str, float], ...]
    now: tuple[tuple[str, float], ...]
    same: bool


def replay(recommendation_id: str, state: Path, artifact: Path | None = None) -> Replayed:
    """Make a list again from what the log says was asked.

    Args:
        recommendation_id: As it came with the list.
        state: The service's folder.
        artifact: Where the artifact lies now; None: where it lay then.

    Raises:
        StateError: If the log doesn't have the list, the artifact is another one now, or the list
            was drawn by an experiment.
        ArtifactError: If there is no artifact.
    """
    log = open_log(state)
    served = log.served(recommendation_id)
    log.close()
    if served is None:
        raise StateError(
            f"{state}: no list {recommendation_id!r} in its log (erased, or another's)"
        )
    if served.arm in DRAWN:
        raise StateError(
            f"{recommendation_id!r} is of experiment {served.experiment!r}, which drew it; "
            "only lists that were made of a query alone can be made again"
        )
    folder = artifact or Path(served.artifact)
    recommender = load(folder)
    if recommender.version != served.version:
        raise StateError(
            f"{folder}: is {recommender.version} now, the list was made by {served.version}; "
            "give --artifact"
        )
    items = recommender.recommend(served.query).items
    now = tuple((item.item_id, item.score) for item in items)
    same = len(now) == len(served.items) and all(
        item[0] == other[0] and math.isclose(item[1], other[1], rel_tol=0, abs_tol=SCORES_AGREE)
        for item, other in zip(now, served.items, strict=True)
    )
    return Replayed(
        recommendation_id=recommendation_id,
        version=served.version,
        then=served.items,
        now=now,
        same=same,
    )
