"""Behavioural models alone, under the full protocol: what fusion starts from.

    hold out → choose on validation → refit on training and validation → ask the test cases once

Each configuration gets its own choosing; all of them are asked the same cases. With clock data
and several cuts this is done once for each cut, and the cases of all of them are scored together.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from semrec.artifact.assembly import make_baseline
from semrec.config import Config
from semrec.data.dataset import Dataset
from semrec.data.interactions import Interactions
from semrec.data.splits import Split, next_item_cases, split_at
from semrec.environment.files import write_text
from semrec.errors import ConfigError, DataError
from semrec.evaluate.compare import data_notes
from semrec.evaluate.report import Report
from semrec.evaluate.runners import ask
from semrec.evaluate.scoring import Scoring, summarise
from semrec.fusion.gate import UNTUNED
from semrec.prompting import Prompts, load_prompt
from semrec.recommender import Recommender
from semrec.training.behaviour_selection import (
    Behaviour,
    forget_checkpoints,
    refit,
    select_behaviour,
)
from semrec.training.job import Job, start_job
from semrec.training.search_context import SearchContext, make_search_context
from semrec.training.validation import hold_out, validation_of
from semrec.types import Case, Progress, SessionRows, silent

TIMED_SESSIONS = 200


def behavioural_report(
    dataset: Dataset,
    configs: Mapping[str, Config],
    *,
    k: int = 10,
    max_minutes: float | None = None,
    progress: Progress | None = None,
) -> tuple[Report, list[dict[str, Any]]]:
    """Fit, choose and test the behavioural half of each configuration.

    Args:
        dataset: What to learn from and to ask about.
        configs: By name; they must agree on the split and the seed.
        k: Cutoff of the metrics.
        max_minutes: For choosing and fitting, of each configuration and cut.
        progress: Called as work proceeds.

    Returns:
        The comparison; and for each configuration and cut what was chosen, what it reached on
        validation, the seconds it took and the milliseconds of one session's vector.

    Raises:
        ConfigError: If the configurations don't agree, or hold nothing out.
        DataError: If the data can't be split as they say.
    """
    report = progress or silent
    shared = _shared(configs)
    windows = _windows(dataset.positives, shared)
    cases = _cases(windows, dataset, shared)
    lists: dict[str, list[list[str]]] = {name: [] for name in configs}
    details = []
    learned: list[tuple[Behaviour, Interactions, SearchContext]] = []
    for cut, (window, held_out) in enumerate(zip(windows, cases, strict=True)):
        for name, config in configs.items():
            started = time.monotonic()
            job = start_job(config.seed, report, max_minutes)
            chosen, system, context = _learn(window.train, dataset, config, job)
            learned.append((chosen, window.train, context))
            details.append(
                {
                    "system": name,
                    "cut": cut,
                    "behaviour": dict(chosen.options),
                    "neighbours": dict(chosen.neighbour_options),
                    "baseline": asdict(system.fusion.gate.baseline),  # type: ignore[attr-defined]
                    "taken": chosen.taken,
                    "tried": dict(chosen.tried),
                    "fit_s": round(time.monotonic() - started, 1),
                    "session_vector_ms": _session_vector_ms(chosen, held_out, dataset),
                }
            )
            lists[name] += ask(system, held_out, k=k, name=name, progress=report)
    for done in learned:  # configurations may share a training, so only now
        forget_checkpoints(*done)
    every = [case for group in cases for case in group]
    catalog = dataset.catalog
    scoring = Scoring(k=k, seed=shared.seed, behavioural=list(configs), catalog=catalog)
    about = f"seed {shared.seed}, split.test {shared.split.test}, {len(windows)} cut(s)"
    return summarise(lists, every, scoring, notes=[about, *data_notes(every, catalog)]), details


def _shared(configs: Mapping[str, Config]) -> Config:
    """A configuration with the split and the seed of all."""
    splits = {(config.split.model_dump_json(), config.seed) for config in configs.values()}
    if len(splits) != 1:
        raise ConfigError("the configurations must have the same `split` and the same `seed`")
    return next(iter(configs.values()))


def _windows(events: Interactions, config: Config) -> list[Split]:
    """Events to learn from and to ask about: once, or at each of the cuts."""
    split = config.split
    if split.test == "none":
        raise ConfigError("split.test is none, expected `last` or `time`: something to ask about")
    if split.test == "last" or split.cuts == 1:
        return [hold_out(events, split)]
    if not events.clock:
        raise DataError("cuts in time need clock times; set split.test to last")
    if split.cuts * split.test_share >= 1:
        raise ConfigError(
            f"{split.cuts} cuts of {split.test_share:g} of the events leave none to learn from"
        )
    shares = [1 - split.test_share * left for left in range(split.cuts, 0, -1)]
    moments = [float(np.quantile(events.timestamps, share, method="lower")) for share in shares]
    windows = []
    for moment, end in zip(moments, [*moments[1:], np.inf], strict=True):
        windows.append(split_at(events.where(events.timestamps < end), moment))
    return windows


def _cases(windows: Sequence[Split], dataset: Dataset, config: Config) -> list[list[Case]]:
    """The cases of each window; over all of them at most `max_targets` a user."""
    rng = np.random.default_rng(config.seed)
    by_window = []
    for cut, window in enumerate(windows):
        drawn = next_item_cases(
            window,
            dataset.catalog,
            max_targets=config.split.max_targets,
            max_session=config.split.max_session,
            rng=rng,
        )
        by_window.append([replace(case, case_id=f"{cut}:{case.case_id}") for case in drawn])
    kept: set[str] = set()
    by_user: dict[str, list[str]] = {}
    for case in (case for group in by_window for case in group):
        by_user.setdefault(case.unit, []).append(case.case_id)
    for ids in by_user.values():
        kept |= set(rng.permutation(ids)[: config.split.max_targets].tolist())
    return [[case for case in group if case.case_id in kept] for group in by_window]


def _learn(
    events: Interactions, dataset: Dataset, config: Config, job: Job
) -> tuple[Behaviour, Recommender, SearchContext]:
    validation = validation_of(events, config.split)
    context, _ = make_search_context(validation, dataset, config, job)
    chosen = select_behaviour(context)
    chosen = refit(chosen, events, context)
    pipeline = make_baseline(
        catalog=dataset.catalog,
        interactions=events,
        prompts=Prompts(item=load_prompt("item", "item"), query=load_prompt("query", "query")),
        vectors=chosen.vectors,
        neighbours=chosen.neighbours,
        gate=replace(UNTUNED, baseline=chosen.weights),
    )
    return chosen, Recommender(pipeline), context


def _session_vector_ms(chosen: Behaviour, cases: Sequence[Case], dataset: Dataset) -> float:
    """Median milliseconds of one session's vector and neighbours."""
    taken = []
    for case in cases[:TIMED_SESSIONS]:
        rows = dataset.catalog.rows(event.item_id for event in case.query.events)
        session = SessionRows.of(rows)
        started = time.perf_counter()
        chosen.vectors.session_vector(session)
        if chosen.neighbours is not None:
            chosen.neighbours.nearest(session)
        taken.append(1000 * (time.perf_counter() - started))
    return round(float(np.median(taken)), 3)


def write_details(folder: Path, details: Sequence[Mapping[str, Any]]) -> Path:
    """Write ``systems.json`` beside the report."""
    return write_text(folder / "systems.json", json.dumps(list(details), indent=2) + "\n")
