"""Makes cases of topics within a taste: `python tests/topics_within_taste.py DATA TOPICS OUT`.

Somebody who liked certain films asks for a topic of one of them that they only saw later. The
newest tenth of all positive events is held out at one moment, as `split.test=time` holds it out,
so what is asked goes with an artifact of `semrec build DATA --set split.test=time`:

    request   the words of the topic, as the file of topics has them without a session
    session   what the user liked before the cut, the last 20 at most, oldest first
    right     their held-out films that carry the topic

Only odd groups of topics are asked for, five topics of a user at most, drawn by a seed. What is
right is what somebody liked, so there is no column `topic`, and users are the independent units.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semrec.config import SplitConfig
from semrec.data.catalog import Catalog
from semrec.data.dataset import read_dataset
from semrec.data.intents import of_groups, read_cases
from semrec.data.splits import Split, time_split
from semrec.types import Case, Query

MOST_TOPICS, MOST_EVENTS = 5, 20
COLUMNS = ("intent_id", "dialog_id", "text", "session", "relevant", "split")


def cases_within_taste(
    split: Split,
    catalog: Catalog,
    topics: list[Case],
    *,
    most_topics: int = MOST_TOPICS,
    most_events: int = MOST_EVENTS,
    seed: int = 0,
) -> list[Case]:
    """A case for each user and each topic that they liked something of after the cut.

    Args:
        split: Positive events before and after the cut.
        catalog: For item ids.
        topics: Topic cases; of each topic the first without a session says the words.
        most_topics: Of a user.
        most_events: Of a session; the newest are kept.
        seed: Draws the topics of a user who has more.
    """
    asked = {}
    for case in topics:
        if case.topic is not None and not case.query.events:
            asked.setdefault(case.topic, case)
    carrying: dict[str, list[str]] = {}
    for name, case in asked.items():
        for item_id in dict.fromkeys(case.relevant):
            carrying.setdefault(item_id, []).append(name)
    rng = np.random.default_rng(seed)
    cases = []
    for user in np.unique(split.test.users):
        user_id = split.test.user_ids[user]
        before = _items(split.train, user, catalog)
        liked = [one for one in _items(split.test, user, catalog) if one not in set(before)]
        right: dict[str, list[str]] = {}
        for item_id in liked:
            for name in carrying.get(item_id, ()):
                right.setdefault(name, []).append(item_id)
        names = sorted(right)
        if not before or not names:
            continue
        drawn = rng.choice(len(names), min(most_topics, len(names)), replace=False)
        cases += [
            Case(
                case_id=f"{user_id}: {names[place]}",
                query=Query(intent=asked[names[place]].query.intent, session=before[-most_events:]),
                relevant=tuple(right[names[place]]),
                unit=user_id,
            )
            for place in sorted(drawn)
        ]
    return cases


def _items(events, user, catalog):
    """A user's items, oldest first, each once."""
    span = slice(events.starts[user], events.starts[user + 1])
    return list(dict.fromkeys(catalog.item_ids[row] for row in events.rows[span]))


def write(cases: list[Case], path: Path) -> None:
    """The cases as an intents file; all of it is for tests, none for training."""
    rows = [
        (c.case_id, c.unit, c.query.intent, [e.item_id for e in c.query.events], c.relevant, "test")
        for c in cases
    ]
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table(dict(zip(COLUMNS, map(list, columns), strict=True))), path)


def main() -> None:
    """Read, make, write, and say how many."""
    parser = argparse.ArgumentParser(description="Topics within taste, as an intents file.")
    parser.add_argument("data", type=Path, help="A dataset folder with clock times.")
    parser.add_argument("topics", type=Path, help="An intents file with a column `topic`.")
    parser.add_argument("out", type=Path, help="The parquet file to write.")
    parser.add_argument("--groups", default="odd", help="Of topics: odd, even or all.")
    parser.add_argument("--most-topics", type=int, default=MOST_TOPICS, help="Of a user.")
    parser.add_argument("--most-events", type=int, default=MOST_EVENTS, help="Of a session.")
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    dataset = read_dataset(told.data)
    split = time_split(dataset.positives, SplitConfig().test_share)
    cases = cases_within_taste(
        split,
        dataset.catalog,
        of_groups(read_cases(told.topics), told.groups),
        most_topics=told.most_topics,
        most_events=told.most_events,
        seed=told.seed,
    )
    write(cases, told.out)
    users = {case.unit for case in cases}
    right = sum(len(case.relevant) for case in cases) / max(1, len(cases))
    sys.stdout.write(
        f"cut at {split.cut:.0f}; {len(cases):,} cases of {len(users):,} users, "
        f"{right:.2f} right on average; written: {told.out}\n"
    )


if __name__ == "__main__":
    main()
