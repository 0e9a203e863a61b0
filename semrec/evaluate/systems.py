"""From what stands on a command line to systems and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from semrec.assemble.behaviour import BASELINES
from semrec.assemble.models import cache_file
from semrec.assemble.stored import load
from semrec.behaviour.ease import MAX_ITEMS
from semrec.config import Config, make_config
from semrec.data.catalog import Catalog
from semrec.data.dataset import read_dataset
from semrec.data.intents import read_cases
from semrec.data.interactions import Interactions
from semrec.data.splits import SESSION_LENGTHS, leave_out_last, next_item_cases, split_at
from semrec.encoders.cached import CachedEncoder
from semrec.errors import DataError, nearest
from semrec.evaluate.baselines import tuned_baseline
from semrec.evaluate.compare import SemanticOnly, System
from semrec.recommender import Recommender
from semrec.types import Case, Progress


def load_artifacts(
    names: Sequence[str], progress: Progress | None = None
) -> dict[str, Recommender]:
    """The artifacts among `names`, by their folder; the others are names of baselines.

    Raises:
        SemrecError: If a name is neither, or an artifact can't be loaded.
    """
    for name in names:
        if name not in BASELINES and not Path(name).is_dir():
            raise DataError(
                f"{name!r} is no artifact folder and no baseline{nearest(name, BASELINES)}"
            )
    paths = [name for name in names if name not in BASELINES]
    artifacts = {}
    for done, path in enumerate(paths):
        if progress:
            progress("load artifacts", done, len(paths))
        artifacts[path] = with_cache(load(path))
    return artifacts


def cases_for(cases: str, artifacts: Mapping[str, Recommender], data: Path | None) -> list[Case]:
    """Cases from an intents file; or, for ``test``, the events that an artifact didn't learn from.

    Raises:
        DataError: If ``test`` is asked for and the artifact held nothing out, or `data` is missing.
    """
    if cases != "test":
        return read_cases(cases)
    artifact = next(iter(artifacts.values()), None)
    if artifact is None or data is None:
        raise DataError(
            "--cases test needs an artifact and --data DATASET, the one it was built on"
        )
    dataset = read_dataset(data)
    if dataset.hash != artifact.manifest["dataset"]["hash"]:
        raise DataError(f"{data}: not the dataset that the artifact was built on (another hash)")
    config = make_config(artifact.manifest["config"], "manifest")
    events = dataset.positives
    match config.split.test:
        case "time":
            split = split_at(events, float(artifact.manifest["time_cut"]))
        case "last":
            split = leave_out_last(events)
        case "none":
            raise DataError(
                "the artifact learned from all events, so none are left to ask about; "
                "build it with --set split.test=time (or last)"
            )
    return next_item_cases(
        split,
        dataset.catalog,
        max_targets=config.split.max_targets,
        max_session=config.split.max_session,
        rng=np.random.default_rng(config.seed),
    )


def make_systems(
    names: Sequence[str],
    artifacts: Mapping[str, Recommender],
    cases: Sequence[Case],
    data: Path | None,
    progress: Progress | None = None,
) -> dict[str, System]:
    """Systems by name.

    One artifact alone becomes its baseline, tuned EASE and item-kNN on the same interactions,
    semantic-only and fused. Baselines by name learn from the first artifact's interactions, or
    from the dataset `data`. They are tuned for sessions as long as those of the cases.

    Args:
        names: Folders of artifacts, or names of baselines.
        artifacts: The loaded ones among them.
        cases: What will be asked; only the lengths of its sessions are looked at.
        data: A dataset, where no artifact is among them.
        progress: Called as baselines are tuned.

    Raises:
        DataError: If there is nothing to learn from.
    """
    lengths = [len(case.query.events) for case in cases if case.query.session]
    if len(names) == 1 and artifacts:
        return _as_three(next(iter(artifacts.values())), lengths, progress)
    systems: dict[str, System] = {}
    for name in names:
        if name in artifacts:
            systems[_short(name, artifacts)] = artifacts[name]
        else:
            learned, catalog, config = _source(artifacts, data)
            systems[name] = tuned_baseline(
                name, learned, catalog, config, progress, lengths or SESSION_LENGTHS
            )
    return systems


def _as_three(
    artifact: Recommender, lengths: Sequence[int], progress: Progress | None
) -> dict[str, System]:
    config = make_config(artifact.manifest["config"], "manifest")
    learned, catalog = artifact.interactions, artifact.catalog
    tuned = {
        name: tuned_baseline(name, learned, catalog, config, progress, lengths or SESSION_LENGTHS)
        for name in ("item_knn", "ease")
        if name != "ease" or (learned.counts > 0).sum() <= MAX_ITEMS
    }
    return {
        "baseline": artifact.baseline(),
        **tuned,
        "semantic-only": SemanticOnly(recommender=artifact),
        "fused": artifact,
    }


def with_cache(artifact: Recommender) -> Recommender:
    """The same words are asked of several systems and again in the next run: encode them once."""
    if artifact.encoder is None:
        return artifact
    return replace(artifact, encoder=CachedEncoder(encoder=artifact.encoder, path=cache_file()))


def _source(
    artifacts: Mapping[str, Recommender], data: Path | None
) -> tuple[Interactions, Catalog, Config]:
    if artifacts:
        first = next(iter(artifacts.values()))
        config = make_config(first.manifest["config"], "manifest")
        return first.interactions, first.catalog, config
    if data is None:
        raise DataError("baselines alone need --data DATASET to learn from")
    dataset = read_dataset(data)
    return dataset.positives, dataset.catalog, Config()


def _short(name: str, artifacts: Mapping[str, Recommender]) -> str:
    """A folder's last part, if that tells the artifacts apart."""
    shorts = [Path(other).name for other in artifacts]
    short = Path(name).name
    return short if shorts.count(short) == 1 else name
