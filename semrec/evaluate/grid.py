"""Configurations and prompts as experiments: every combination is built once and asked once.

    RUNS/KEY/            the artifact, as `semrec build` writes it
    RUNS/KEY.json        what it was made of: settings, and the hashes of which KEY is made
    RUNS/KEY-CASES.json  what it answered

A key is a hash of configuration, prompts, data, requests learned from and semrec's own code: what
was finished under the same key is taken as it is, so a grid that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from semrec.artifacts import MANIFEST
from semrec.assemble.stored import load
from semrec.building import build
from semrec.config import Config, load_config
from semrec.data.dataset import Dataset, read_dataset
from semrec.errors import ConfigError, DataError
from semrec.evaluate.asking import Answered, System, answer
from semrec.evaluate.compare import CUTOFFS, compare
from semrec.evaluate.origins import code_hash
from semrec.evaluate.report import Report
from semrec.evaluate.scoring import hash_of
from semrec.evaluate.systems import cases_for, with_cache
from semrec.prompting import load_prompt
from semrec.recommender import Recommender
from semrec.types import Progress, silent

BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One combination.

    Attributes:
        name: What varies, with its values.
        settings: Key → value, of what varies.
        config: The whole configuration.
        hashes: Of what decides the artifact, by kind.
    """

    name: str
    settings: Mapping[str, Any]
    config: Config
    hashes: Mapping[str, str]

    @property
    def key(self) -> str:
        """A hash of all hashes."""
        text = json.dumps(dict(self.hashes), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_grid(path: str | Path) -> dict[str, list[Any]]:
    """What varies: a YAML file of ``key: [value, …]``, such as ``behaviour.factors: [64, 128]``.

    Raises:
        ConfigError: If the file is unreadable, or a key has no list of values.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: found {type(values).__name__}, expected `key: [value, …]`")
    return {str(key): one for key, one in values.items()}


def read_values(written: Sequence[str]) -> dict[str, list[Any]]:
    """What varies, from ``key=[value, …]`` for each key.

    Raises:
        ConfigError: If one isn't of that form.
    """
    found = {}
    for one in written:
        key, equals, text = one.partition("=")
        try:
            values = yaml.safe_load(text) if key and equals else None
        except yaml.YAMLError:
            values = None
        if not isinstance(values, list):
            raise ConfigError(
                f"--vary {one!r}: expected key=[value, …]: behaviour.factors=[64,128]"
            )
        found[key] = values
    return found


def runs_of(
    vary: Mapping[str, Any],
    dataset: Dataset,
    *,
    config: str | Path = "default",
    settings: Sequence[str] = (),
    intents: Sequence[str | Path] = (),
) -> list[Run]:
    """Every combination of the values, in their order.

    Args:
        vary: Key → values.
        dataset: What is learned from.
        config: What holds where nothing varies: a packaged name or a path.
        settings: Single values on top of it.
        intents: Files of requests to learn from.

    Raises:
        ConfigError: If a key is unknown, has no values, or a value is wrong.
    """
    for key, values in vary.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"grid: {key}: found {values!r}, expected a list of values")
    learned = hashlib.sha256()
    for path in [*dataset.intents, *intents]:
        learned.update(Path(path).read_bytes())
    lasts = [key.rpartition(".")[2] for key in vary]
    shorts = [
        last if lasts.count(last) == 1 else key for key, last in zip(vary, lasts, strict=True)
    ]
    runs = []
    for values in product(*vary.values()):
        own = dict(zip(vary, values, strict=True))
        written = [f"{key}={json.dumps(value)}" for key, value in own.items()]
        loaded = load_config(config, [*settings, *written])
        prompts = loaded.prompts.model_dump()
        runs.append(
            Run(
                name=", ".join(
                    f"{short} {_short(value)}" for short, value in zip(shorts, values, strict=True)
                )
                or "as configured",
                settings=own,
                config=loaded,
                hashes={
                    "config": loaded.hash,
                    "prompts": " ".join(load_prompt(k, name).hash for k, name in prompts.items()),
                    "data": dataset.hash,
                    "intents": learned.hexdigest(),
                    "code": code_hash(),
                },
            )
        )
    return runs


def compare_grid(
    dataset: str | Path,
    cases: str,
    vary: Mapping[str, Any],
    *,
    folder: str | Path,
    config: str | Path = "default",
    settings: Sequence[str] = (),
    intents: Sequence[str | Path] = (),
    k: int = 10,
    cutoffs: Sequence[int] = CUTOFFS,
    seed: int = 0,
    slices: Sequence[str] = (),
    progress: Progress | None = None,
) -> Report:
    """Build every combination, ask all of them the same cases, and compare.

    Beside them stands the first one's behavioural-only baseline.

    Args:
        dataset: A folder.
        cases: An intents file, or ``test``: the events that were held out.
        vary: Key → values.
        folder: Where runs are kept.
        config: What holds where nothing varies.
        settings: Single values on top of it.
        intents: Files of requests to learn from.
        k: Cutoff of the metrics.
        cutoffs: Others that are shown.
        seed: Of the resampling.
        slices: Attributes of the targets to cut by.
        progress: Called as work proceeds.

    Raises:
        ConfigError: As `runs_of`.
        DataError: As `compare`.
    """
    report, folder = progress or silent, Path(folder)
    read = read_dataset(dataset)
    runs = runs_of(vary, read, config=config, settings=settings, intents=intents)
    if len({run.key for run in runs}) < len(runs):
        raise ConfigError("grid: two combinations are the same configuration")
    folder.mkdir(parents=True, exist_ok=True)
    built: dict[str, Recommender] = {}
    for done, run in enumerate(runs):
        report("runs", done, len(runs), run.name)
        built[run.name] = with_cache(_built(run, read, intents, folder, report))
    asked = cases_for(cases, built, Path(dataset))
    systems: dict[str, System] = {BASELINE: next(iter(built.values())).baseline(), **built}
    depth, mark = max([k, *cutoffs]), hash_of(asked)[:12]
    answered = {}
    for run in runs:
        path = folder / f"{run.key}-{mark}-{depth}.json"
        if not path.is_file():
            told = answer(built[run.name], asked, k=depth, name=run.name, progress=progress)
            _write(path, asdict(told))
        answered[run.name] = _read_answered(path)
    found = compare(
        systems,
        asked,
        k=k,
        cutoffs=cutoffs,
        seed=seed,
        slices=slices,
        answered=answered,
        progress=progress,
    )
    origins = {
        run.name: {**found.origins[run.name], "run": run.key, "code_hash": run.hashes["code"]}
        for run in runs
    }
    flattered = (
        f"the best of {len(runs)} configurations was picked on these cases, which flatters it; "
        "ask others once more"
    )
    return replace(
        found,
        origins={**found.origins, **origins},
        notes=(*found.notes, flattered) if len(runs) > 1 else found.notes,
    )


def _built(
    run: Run, dataset: Dataset, intents: Sequence[str | Path], folder: Path, report: Progress
) -> Recommender:
    out = folder / run.key
    if (out / MANIFEST).is_file():
        return load(out, verify="size")
    recommender = build(dataset, config=run.config, intents=intents, out=out, progress=report)
    made_of = {
        "name": run.name,
        "settings": dict(run.settings),
        "hashes": dict(run.hashes),
        "version": recommender.version,
        "created": recommender.manifest["created"],
    }
    _write(folder / f"{run.key}.json", made_of)
    return recommender


def _write(path: Path, values: Mapping[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)


def _read_answered(path: Path) -> Answered:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        raised = {int(place): text for place, text in values.pop("raised").items()}
        return Answered(raised=raised, **values)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not what a run answered: {error!r}; remove the file") from error


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
