"""From what stands on a command line to systems and cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from semrec.artifact.behavioural_models import BASELINES
from semrec.artifact.encoder import cache_file
from semrec.artifact.stored import load
from semrec.behaviour.ease import MAX_ITEMS
from semrec.config import Config, make_config
from semrec.data.catalog import Catalog
from semrec.data.dataset import read_dataset
from semrec.data.intents import read_cases
from semrec.data.interactions import Interactions
from semrec.data.splits import (
    SESSION_LENGTHS,
    Split,
    leave_out_last,
    next_item_cases,
    split_at,
)
from semrec.encoders.cached import CachedEncoder
from semrec.errors import DataError, nearest
from semrec.evaluate.baselines import tuned_baseline
from semrec.evaluate.runners import Diversified, SemanticOnly, System, WithinBudget
from semrec.evaluate.text_search import LEFT_OUT, text_systems, worded
from semrec.evaluate.yardsticks import TEXT
from semrec.recommender import Recommender
from semrec.types import Case, Progress

NAMED = (*BASELINES, TEXT)


def load_artifacts(
    names: Sequence[str], progress: Progress | None = None
) -> dict[str, Recommender]:
    """The artifacts among `names`, by their folder; the others are baselines, or `text`.

    Raises:
        SemrecError: If a name is neither, or an artifact can't be loaded.
    """
    for name in names:
        if name not in NAMED and not Path(name).is_dir():
            raise DataError(f"{name!r} is no artifact folder and no baseline{nearest(name, NAMED)}")
    paths = [name for name in names if name not in NAMED]
    artifacts = {}
    for done, path in enumerate(paths):
        if progress:
            progress("load artifacts", done, len(paths))
        artifacts[path] = with_cache(load(path))
    return artifacts


def cases_for(
    cases: str | Sequence[str],
    artifacts: Mapping[str, Recommender],
    data: Path | None,
    *,
    allow_seen: bool = False,
) -> list[Case]:
    """Cases from intents files; or, for ``test``, the events that an artifact didn't learn from.

    Args:
        cases: A path, or ``test``; or several.
        artifacts: What will be asked; for ``test`` the first says what was held out.
        data: The dataset of that artifact.
        allow_seen: Go on if an artifact learned from the events that are asked about.

    Raises:
        DataError: If ``test`` is asked for and the artifact held nothing out, `data` is missing, or
            an artifact learned from what is asked about.
    """
    if not isinstance(cases, str):
        return [
            case for c in cases for case in cases_for(c, artifacts, data, allow_seen=allow_seen)
        ]
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
    if not allow_seen:
        for name, other in artifacts.items():
            refuse_leaks(name, other, split, dataset.catalog)
    return next_item_cases(
        split,
        dataset.catalog,
        max_targets=config.split.max_targets,
        max_session=config.split.max_session,
        rng=np.random.default_rng(config.seed),
    )


def marked_cases(
    cases: str | Sequence[str],
    artifacts: Mapping[str, Recommender],
    data: Path | None,
    *,
    allow_seen: bool,
) -> tuple[list[Case], tuple[str, ...]]:
    """As `cases_for`, and what the report must be marked with if seen events are allowed."""
    try:
        return cases_for(cases, artifacts, data), ()
    except DataError as error:
        if not allow_seen:
            raise
        all_cases = cases_for(cases, artifacts, data, allow_seen=True)
        return all_cases, (f"NOT A FAIR TEST: {str(error).split(';')[0]}",)


def refuse_leaks(name: str, artifact: Recommender, split: Split, catalog: Catalog) -> None:
    """Check that an artifact learned from no event that is asked about, nor from later ones.

    An event is recognised by its user, item and time, so artifacts of other builds of the same
    data are checked too.

    Args:
        name: The artifact, for the message.
        artifact: Whose training events are looked at.
        split: What is asked about, and the cut in time if there is one.
        catalog: The item ids of `split`.

    Raises:
        DataError: Naming the artifact, how many such events there are, and what to do.
    """
    learned, own = artifact.interactions, artifact.catalog.item_ids
    held_out = {
        (split.test.user_ids[user], catalog.item_ids[row], float(moment))
        for user, row, moment in _events(split.test)
    }
    seen = sum(
        (learned.user_ids[user], own[row], float(moment)) in held_out
        for user, row, moment in _events(learned)
    )
    if seen:
        raise DataError(
            f"{name}: {seen:,} of the {len(held_out):,} events that are asked about are among its "
            "training events; build it with the same split.test, or mark the result with "
            "--allow-seen"
        )
    if split.cut is not None and learned.clock:
        late = int((learned.timestamps >= split.cut).sum())
        if late:
            raise DataError(
                f"{name}: {late:,} of its {len(learned):,} training events lie at or after the "
                f"time cut {split.cut:g}; build it on older events, or mark the result with "
                "--allow-seen"
            )


def _events(events: Interactions) -> Iterator[tuple[int, int, float]]:
    return zip(events.users.tolist(), events.rows.tolist(), events.timestamps.tolist(), strict=True)


def within_budgets(systems: Mapping[str, System], budgets_ms: Sequence[float]) -> dict[str, System]:
    """The fused system, or each artifact, once for each budget it is to rerank within."""
    return {
        f"{name} in {budget_ms:g} ms": WithinBudget(recommender=artifact, budget_ms=budget_ms)
        for name, artifact in _fused(systems).items()
        for budget_ms in budgets_ms
    }


def with_diversity(systems: Mapping[str, System], strengths: Sequence[float]) -> dict[str, System]:
    """The fused system, or each artifact, once for each strength its lists are diversified with."""
    return {
        f"{name}, diversity {strength:g}": Diversified(recommender=artifact, strength=strength)
        for name, artifact in _fused(systems).items()
        for strength in strengths
    }


def _fused(systems: Mapping[str, System]) -> dict[str, Recommender]:
    artifacts = {name: s for name, s in systems.items() if isinstance(s, Recommender)}
    return {"fused": artifacts["fused"]} if "fused" in artifacts else artifacts


def make_systems(
    names: Sequence[str],
    artifacts: Mapping[str, Recommender],
    cases: Sequence[Case],
    data: Path | None,
    progress: Progress | None = None,
) -> dict[str, System]:
    """Systems by name.

    One artifact alone becomes its baseline, tuned EASE and item-kNN on the same interactions,
    `text` where something is asked in words and its weights are here, semantic-only and fused.
    Baselines by name learn from the first artifact's interactions, or from the dataset `data`.
    They are tuned for sessions as long as those of the cases. Beside `text` there is the same by
    each artifact's own encoder, if that is another one.

    Args:
        names: Folders of artifacts, names of baselines, or ``text``.
        artifacts: The loaded ones among them.
        cases: What will be asked; only looked at for sessions' lengths, and for words.
        data: A dataset, where no artifact is among them.
        progress: Called as baselines are tuned.

    Raises:
        DataError: If there is nothing to learn from.
        ModelError: If `text` is asked for by name and its weights aren't here.
    """
    lengths = [len(case.query.events) for case in cases if case.query.session]
    if len(names) == 1 and artifacts:
        return _side_by_side(next(iter(artifacts.values())), cases, lengths, progress)
    systems: dict[str, System] = {}
    for name in names:
        if name in artifacts:
            systems[_short(name, artifacts)] = artifacts[name]
            continue
        learned, catalog, config = _source(artifacts, data)
        if name == TEXT:
            encoders = [artifact.encoder for artifact in artifacts.values()]
            systems |= text_systems(catalog, learned, cases, encoders, progress, required=True)
        else:
            systems[name] = tuned_baseline(
                name, learned, catalog, config, progress, lengths or SESSION_LENGTHS
            )
    return systems


def left_out(
    names: Sequence[str], systems: Mapping[str, System], cases: Sequence[Case]
) -> tuple[str, ...]:
    """A note if one artifact alone stands beside no `text`, though something is asked in words."""
    missing = len(names) == 1 and "fused" in systems and TEXT not in systems
    return (LEFT_OUT,) if missing and worded(cases) else ()


def _side_by_side(
    artifact: Recommender,
    cases: Sequence[Case],
    lengths: Sequence[int],
    progress: Progress | None,
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
        **text_systems(catalog, learned, cases, [artifact.encoder], progress),
        "semantic-only": SemanticOnly(recommender=artifact),
        "fused": artifact,
    }


def with_cache(artifact: Recommender) -> Recommender:
    """The same words are asked of several systems and again in the next run: encode them once."""
    if artifact.encoder is None:
        return artifact
    return artifact.with_parts(encoder=CachedEncoder(encoder=artifact.encoder, path=cache_file()))


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
