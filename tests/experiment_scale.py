"""The report of a log of a million lists: python tests/experiment_scale.py [LISTS [KIND …]]."""

import json
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from semrec.experiments.assign import arm_of
from semrec.experiments.experiment_report import experiment_report
from semrec.experiments.exploration import draw_order, propensities
from semrec.experiments.plan import Experiment, keep
from semrec.sessions.log import COLUMNS, Log

PER_SESSION, K, HEAD, TEMPERATURE = 4, 10, 5, 0.5
SPECS = {
    "ab": {"b": {"diversity": 0.3}},
    "interleave": {"b": {"diversity": 0.3}},
    "explore": {"explore": {"temperature": TEMPERATURE}},
}


def rows(kind, n, rng):
    """Lists of sessions as a service writes them, and the likes that came after."""
    draws = np.random.default_rng(0)
    scores = -np.sort(-draws.normal(size=(n, K)))
    order = draw_order(scores[:, HEAD:], TEMPERATURE, draws)
    scores[:, HEAD:] = np.take_along_axis(scores[:, HEAD:], order, axis=1)
    likely = propensities(scores[:, HEAD:], TEMPERATURE).tolist()
    for i in range(n):
        session = f"session-{i // PER_SESSION}"
        first = rng.random() < 0.5
        items = [f"m{rng.randrange(10_000)}" for _ in range(K)]
        arm = {"ab": arm_of("scale", session), "explore": "explore"}.get(
            kind, "ab" if first else "ba"
        )
        placements = [
            {
                "item_id": item,
                "position": position,
                "team": arm[position % 2] if kind == "interleave" else None,
                "propensity": likely[i][position - HEAD - 1]
                if kind == "explore" and position > HEAD
                else None,
            }
            for position, item in enumerate(items, start=1)
        ]
        ranked = json.dumps(list(zip(items, scores[i].tolist(), strict=True)))
        query = json.dumps({"intent": "a quiet heist film from the seventies", "k": K})
        served = (f"{i:032x}", session, float(i), "v", "x", query, ranked, "scale", arm)
        liked = [(session, f"e{i}", items[rng.randrange(K)], "like", i + 0.5)] if i % 3 == 0 else []
        yield (*served, json.dumps(placements), session), liked


def fill(state, kind, n):
    """A service's folder with `n` lists of an experiment."""
    log, rng = Log(state), random.Random(0)
    keep(state, [Experiment(name="scale", kind=kind, **SPECS[kind])])
    with log._database.writing() as connection:
        for row, liked in rows(kind, n, rng):
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO served ({COLUMNS}) VALUES ({marks})", row)
            connection.executemany(
                "INSERT INTO events (session_id, event_id, item_id, type, timestamp) "
                "VALUES (?, ?, ?, ?, ?)",
                liked,
            )
    log.close()


def main(n=1_000_000, kinds=SPECS):
    for kind in kinds:
        with TemporaryDirectory() as folder:
            fill(Path(folder), kind, n)
            started, busy = time.perf_counter(), time.process_time()
            report = experiment_report(Path(folder), "scale")
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            of = f"{report['lists']:,} lists in {seconds:.1f} s, {busy:.1f} of a processor"
            sys.stdout.write(f"{kind}: {of}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *([sys.argv[2:]] if sys.argv[2:] else []))
