"""Are the lists what they were? ``python tests/stored_lists.py lists.json ARTIFACT CASES…``.

Writes the lists of some 1,000 requests of both yardsticks, evenly drawn; where the file is there
already, says which lists have changed since, and exits with 1 if any has. Run it before and after
whatever may change no list:

    python tests/stored_lists.py lists.json X ../shared/data/movie-topics/topics.parquet \
        ../shared/data/movie-intents/redial_valid.parquet
"""

import json
import sys
from pathlib import Path

import semrec
from semrec.data.intents import read_cases

N, SHOWN = 1_000, 5


def lists_of(artifact, files):
    """By case: item ids with their scores, the best first."""
    recommender = semrec.load(artifact)
    lists = {}
    for file in files:
        cases = read_cases(file)
        for case in cases[:: max(1, len(cases) * len(files) // N)]:
            items = recommender.recommend(case.query).items
            found = [[item.item_id, round(item.score, 4)] for item in items]
            lists[f"{Path(file).stem} {case.case_id} {len(case.query.events)}"] = found
    return lists


def main(file, artifact, *cases):
    """Write the lists, or compare them."""
    now, path = lists_of(artifact, cases), Path(file)
    if not path.is_file():
        path.write_text(json.dumps(now), encoding="utf-8")
        sys.stdout.write(f"{len(now)} lists written to {path}\n")
        return 0
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = [case for case in {**before, **now} if before.get(case) != now.get(case)]
    sys.stdout.write(f"{len(changed)} of {len(now)} lists have changed\n")
    for case in changed[:SHOWN]:
        sys.stdout.write(f"{case}\n  {before.get(case)}\n  {now.get(case)}\n")
    return bool(changed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
