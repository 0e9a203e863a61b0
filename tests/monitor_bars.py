"""Prints what monitoring sees: python tests/monitor_bars.py ARTIFACT REQUESTS.parquet… [SEED…]

False alarms in clean windows, a topic that takes over a tenth of the requests, and three breakages,
on real requests: half of the dialogs, drawn anew each time, are the reference, others the windows.
The same again as if each request were of a session of its own: then a window has 1,000 units.
Clean windows share no request, as those of a service: windows that did would be beyond together,
and an alarm is two of three.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import semrec
from semrec.data.catalog import make_catalog
from semrec.data.intents import read_cases
from semrec.encoders.hashing import HashingEncoder
from semrec.index.exact import ExactIndex
from semrec.intent.intent_parser import learn_vocabulary
from semrec.monitor.alarms import WindowDrift, current_alarms
from semrec.monitor.list_signals import from_bytes
from semrec.monitor.reference import answer_cases, make_reference, popularity_by
from semrec.monitor.windows import drift_of

N, WINDOWS = 1_000, 3


def clean_windows(lists, reference, popularity_of, rng):
    """Three windows that share no list: a third of `lists` each, N at most."""
    parts = np.array_split(rng.permutation(len(lists)), WINDOWS)
    drawn = [[lists[i] for i in part[:N]] for part in parts]
    return drifts_of(drawn, reference, popularity_of)


def as_windows(lists, reference, popularity_of, rng, shift=None):
    """Three windows of N lists drawn from `lists`; some of each may be replaced by `shift`."""
    windows = []
    for _ in range(WINDOWS):
        drawn = [lists[i] for i in rng.choice(len(lists), N, replace=len(lists) < N)]
        if shift is not None:
            for i in rng.choice(N, N // 10, replace=False):
                one = shift[rng.integers(len(shift))]
                drawn[i] = replace(one, session_id=None, recommendation_id=f"new {i}")
        windows.append(drawn)
    return drifts_of(windows, reference, popularity_of)


def drifts_of(lists_of, reference, popularity_of):
    """The drift of each window, and the processor's milliseconds that it took."""
    windows, spent_ms = [], []
    for number, drawn in enumerate(lists_of):
        began = time.process_time()
        drift = drift_of(drawn, reference, popularity_of)
        spent_ms.append((time.process_time() - began) * 1000)
        windows.append(WindowDrift(from_s=number, until_s=number + 1, drift=drift))
    return windows, spent_ms


def first_alarm(windows):
    for n in range(1, len(windows) + 1):
        if alarms := current_alarms(windows[:n]):
            return n, {alarm.signal: round(alarm.drift, 1) for alarm in alarms}
    return None


def broken(rec):
    """Three recommenders that something went wrong with."""
    fusion, catalog = rec.pipeline.fusion, rec.catalog
    rng = np.random.default_rng(0)
    yield (
        "encoder swapped",
        rec.with_parts(encoder=HashingEncoder(dim=rec.encoder.dim), lexical=rec.lexical),
    )
    order = rng.permutation(len(catalog))
    block = replace(fusion.semantic, vectors=fusion.semantic.vectors[order])
    shuffled = replace(fusion, semantic=block)
    yield (
        "vectors shuffled",
        rec.with_parts(fusion=shuffled, index=ExactIndex(vectors=shuffled.items())),
    )
    name = "genres" if "genres" in catalog.attributes else sorted(catalog.attributes)[0]
    less = make_catalog(catalog.table.drop_columns([name]), Path("bars"))
    parser = learn_vocabulary(less, rec.interactions.counts, rec.intent_parser.audience)
    yield f"attribute {name} missing", rec.with_parts(catalog=less, intent_parser=parser)


def say(*parts):
    sys.stdout.write(" ".join(map(str, parts)) + "\n")


def main(artifact, *paths, by="dialog", seed=1):
    rec = semrec.load(artifact, verify="size")
    cases = [case for path in paths for case in read_cases(path) if case.query.intent.strip()]
    popularity_of = popularity_by(rec.catalog, rec.interactions.counts)
    lists = answer_cases(rec, cases)
    if by == "request":
        lists = [replace(of, session_id=str(i)) for i, of in enumerate(lists)]
    say(f"units: {by}s; {len(lists)} requests of {len({of.session_id for of in lists})}")
    rng = np.random.default_rng(seed)
    vectors = {i: of.stats.vector for i, of in enumerate(lists) if of.stats.vector}
    unit = from_bytes(vectors.values())

    def split():
        units = sorted({of.session_id for of in lists})
        half = set(rng.choice(units, len(units) // 2, replace=False))
        ours = [of for of in lists if of.session_id in half]
        return ours, [of for of in lists if of.session_id not in half]

    n_windows = n_alarms = seen = 0
    spent_ms, trials, beyond = [], 40, {}
    for trial in range(67):
        ours, others = split()
        reference = make_reference(ours, popularity_of)
        windows, _ = clean_windows(others, reference, popularity_of, rng)
        for n in range(1, WINDOWS + 1):
            n_windows += 1
            n_alarms += bool(current_alarms(windows[:n]))
        for window in windows:
            for name, drift in window.drift.items():
                beyond.setdefault(name, []).append(drift > 1)
        if trial < trials:  # the 2 % of all requests that lie nearest to one of them
            near = np.argsort(-unit @ unit[rng.integers(len(unit))])[: len(unit) // 50]
            topic = [lists[list(vectors)[i]] for i in near]
            shifted, ms = as_windows(others, reference, popularity_of, rng, topic)
            spent_ms += ms
            seen += first_alarm(shifted) is not None
    say(f"seed {seed}, clean: {n_alarms} alarms in {n_windows} windows of {len(others) // WINDOWS}")
    say({name: f"{np.mean(of):.4f}" for name, of in beyond.items()}, "beyond alpha")
    say(f"10 % of a topic: {seen} of {trials} seen within {WINDOWS} windows")
    say(f"a window: median {np.median(spent_ms):.1f} ms, longest {max(spent_ms):.1f} ms")
    ours, _ = split()
    reference = make_reference(ours, popularity_of)
    theirs = [
        case
        for case, of in zip(cases, lists, strict=True)
        if of.session_id not in {o.session_id for o in ours}
    ]
    for name, other in broken(rec):
        windows, _ = as_windows(answer_cases(other, theirs), reference, popularity_of, rng)
        say(f"{name}: alarm in window, by signal: {first_alarm(windows)}")


if __name__ == "__main__":
    seeds = [int(word) for word in sys.argv[1:] if word.isdigit()] or [1]
    words = [word for word in sys.argv[1:] if not word.isdigit()]
    for by in ("dialog", "request"):
        for seed in seeds:
            main(*words, by=by, seed=seed)
