"""The main job on real data, end to end: what `semrec demo` runs.

    the data that comes with semrec → build (embed, behaviour, fusion, index, artifact)
          → answer in words → compare on a global time split → compare on withheld items

Returns plain values; the command line prints them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from semrec import demo_data
from semrec.artifact.encoder import make_encoder
from semrec.artifact.folder import check_target
from semrec.config import Config, load_config
from semrec.data.dataset import Dataset, describe, read_dataset
from semrec.data.interactions import Interactions
from semrec.data.splits import Split, drawn_cases, time_split, withhold_items
from semrec.environment.files import write_text
from semrec.evaluate.baselines import tuned_baseline
from semrec.evaluate.compare import compare
from semrec.evaluate.report import Report
from semrec.evaluate.runners import SemanticOnly, System
from semrec.protocols import Encoder
from semrec.recommender import Recommender
from semrec.training.build import build
from semrec.types import Progress, Query, silent

TEST_SHARE = 0.1
COLD_SHARE = 0.1
COLD_CASES = 1_500
AMONG_CASES = 600
REQUESTS: tuple[dict[str, Any], ...] = (
    {"intent": "a film about time travel"},
    # Pulp Fiction, The Usual Suspects
    {"intent": "a clever heist film", "session": ["296", "50"]},
    {"intent": "a heartwarming feel-good film"},
)
SHOWN_LABELS = 3

Show = Callable[[str, Any], None]


def run_demo(
    out: str | Path, *, progress: Progress | None = None, show: Show | None = None
) -> dict[str, Any]:
    """Run everything; the artifact lies in `out` afterwards, with a ``demo.json`` in it.

    Args:
        out: Absent, empty, or an artifact that is replaced.
        progress: Called as work proceeds.
        show: Called with each step's name and result as soon as it is known.

    Returns:
        All that was shown, as plain values.
    """
    out = Path(out)
    check_target(out)
    tell = show or (lambda _name, _value: None)
    started = time.perf_counter()
    results: dict[str, Any] = {}

    def step(name: str, value: Any) -> None:  # noqa: ANN401
        results[name] = value.to_dict() if isinstance(value, Report) else value
        tell(name, value)

    report = progress or silent
    dataset = read_dataset(demo_data.folder())
    step("data", describe(dataset))
    # EASE and more cases, tried in each of the three builds, take a minute more each; EASE isn't
    # taken anyway.
    quick = ["behaviour.neighbours.kind=item_knn", "behaviour.max_cases=1000"]
    config = load_config("default", quick)
    report("load encoder", 0, 1)
    encoder = make_encoder(config.encoder)
    recommender = build(dataset, config=config, out=out, encoder=encoder, progress=progress)
    manifest = recommender.manifest
    step("build", {name: manifest[name] for name in ("encoder", "behaviour", "gate", "counts")})
    recommender.recommend(intent="a warm-up")
    step("answers", [_answer(recommender, request) for request in REQUESTS])
    step("time_split", compare_on_time(dataset, config, encoder, progress))
    everywhere, among = compare_on_cold(dataset, config, encoder, progress)
    step("cold_items", everywhere)
    step("cold_items_among_themselves", among)
    results["seconds"] = round(time.perf_counter() - started, 1)
    write_text(out / "demo.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    return results


def compare_on_time(
    dataset: Dataset, config: Config, encoder: Encoder, progress: Progress | None
) -> Report:
    """Learn from the older events, ask about the newest: what did each user touch next?"""
    split = time_split(dataset.positives, TEST_SHARE)
    systems = _systems(dataset, split, config, encoder, progress)
    cases = drawn_cases(split, dataset.catalog, np.random.default_rng(config.seed))
    return compare(systems, cases, seed=config.seed, progress=progress)


def compare_on_cold(
    dataset: Dataset, config: Config, encoder: Encoder, progress: Progress | None
) -> tuple[Report, Report]:
    """Withhold some items with all their events, then ask for exactly these.

    Once among all items, and once among the withheld ones only, where words and text alone have
    to tell which of them a user would take.
    """
    rng = np.random.default_rng(config.seed)
    split = withhold_items(dataset.positives, COLD_SHARE, rng)
    systems = _systems(dataset, split, config, encoder, progress)
    rng = np.random.default_rng(config.seed)
    cases = drawn_cases(split, dataset.catalog, rng, COLD_CASES)
    everywhere = compare(systems, cases, seed=config.seed, progress=progress)
    withheld = set(np.unique(split.test.rows).tolist())
    item_ids = dataset.catalog.item_ids
    others = tuple(item_ids[row] for row in range(len(item_ids)) if row not in withheld)
    among = [
        replace(case, query=replace(case.query, exclude=(*case.query.exclude, *others)))
        for case in cases[:AMONG_CASES]
    ]
    return everywhere, compare(systems, among, seed=config.seed, progress=progress)


def _systems(
    dataset: Dataset,
    split: Split,
    config: Config,
    encoder: Encoder,
    progress: Progress | None,
) -> dict[str, System]:
    recommender = build(
        _learning_from(dataset, split.train), config=config, encoder=encoder, progress=progress
    )
    learned = recommender.interactions
    return {
        "baseline": recommender.baseline(),
        "item_knn": tuned_baseline("item_knn", learned, dataset.catalog, config, progress),
        "semantic-only": SemanticOnly(recommender=recommender),
        "fused": recommender,
    }


def _learning_from(dataset: Dataset, events: Interactions) -> Dataset:
    return replace(dataset, interactions=events)


def _answer(recommender: Recommender, request: dict[str, Any]) -> dict[str, Any]:
    answer = recommender.recommend(Query(**request, k=5))
    titles = [
        recommender.catalog.titles[row]
        for row in recommender.catalog.rows(request.get("session", ()))
    ]
    return {
        **request,
        "session_titles": titles,
        "items": [
            {
                "rank": item.rank,
                "item_id": item.item_id,
                "title": item.title,
                "score": round(item.score, 3),
                **_about(recommender, item.item_id, request["intent"]),
            }
            for item in answer.items
        ],
        "understood": dict(answer.trace.understood),
        "weights": dict(answer.trace.weights),
        "total_ms": round(answer.trace.timings_ms["total"], 1),
    }


def _about(recommender: Recommender, item_id: str, intent: str) -> dict[str, Any]:
    """The year of an item and a few labels, those first that share most words with `intent`."""
    row = recommender.catalog.row(item_id)
    record = {} if row is None else recommender.catalog.record(row)
    labels = [*record.get("keywords", ()), *record.get("genres", ())]
    wanted = {word for word in _words(intent) if len(word) > 3}
    labels.sort(key=lambda label: -len(wanted & set(_words(label))))
    return {"year": record.get("year"), "labels": labels[:SHOWN_LABELS]}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
