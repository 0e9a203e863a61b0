"""Ablation: the whole recommender, and it again without one part at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semrec.artifact.encoder import cache_file
from semrec.config import Config, EncoderTrainingConfig
from semrec.data.intents import CaseSource, cases_from
from semrec.data.sources import DatasetSource, as_dataset
from semrec.encoders.cached import CachedEncoder
from semrec.errors import ConfigError, nearest
from semrec.evaluate.compare import compare
from semrec.evaluate.report import Report
from semrec.evaluate.runners import System
from semrec.evaluate.text_search import LEFT_OUT, text_systems, worded
from semrec.evaluate.yardsticks import TEXT
from semrec.protocols import Encoder
from semrec.training.build import build
from semrec.types import Case, Progress

FULL = "fused"


def _fusion(**values: object) -> Callable[[Config], Config]:
    return lambda config: config.model_copy(
        update={"fusion": config.fusion.model_copy(update=values)}
    )


def _untrained(config: Config) -> Config:
    encoder = config.encoder.model_copy(update={"training": EncoderTrainingConfig()})
    return config.model_copy(update={"encoder": encoder})


def _no_neighbours(config: Config) -> Config:
    neighbours = config.behaviour.neighbours.model_copy(update={"kind": "none"})
    behaviour = config.behaviour.model_copy(update={"neighbours": neighbours})
    return config.model_copy(update={"behaviour": behaviour})


def _no_behaviour(config: Config) -> Config:
    neighbours = config.behaviour.neighbours.model_copy(update={"kind": "none"})
    behaviour = config.behaviour.model_copy(update={"kind": "none", "neighbours": neighbours})
    return config.model_copy(update={"behaviour": behaviour})


def _unread(config: Config) -> Config:
    intent = config.intent.model_copy(update={"enabled": False})
    return config.model_copy(update={"intent": intent})


def _unmatched(config: Config) -> Config:
    lexical = config.lexical.model_copy(update={"enabled": False})
    return config.model_copy(update={"lexical": lexical})


def _one_view(config: Config) -> Config:
    prompts = config.prompts.model_copy(update={"item_about": ""})
    return config.model_copy(update={"prompts": prompts})


def _unranked(config: Config) -> Config:
    ranking = config.ranking.model_copy(update={"enabled": False})
    return config.model_copy(update={"ranking": ranking})


INGREDIENTS: Mapping[str, Callable[[Config], Config]] = {
    "encoder training": _untrained,
    "words and texts": _fusion(semantic=False, named=False),
    "matched words": _unmatched,
    "view without titles": _one_view,
    "behaviour": _no_behaviour,
    "neighbours": _no_neighbours,
    "domain popularity": _fusion(domain=False),
    "learned gate": _fusion(gate="fixed"),
    "understanding": _unread,
    "named labels": _fusion(named=False),
    "text for cold items": _fusion(fill=False),
    "ranker": _unranked,
}
"""Ingredient → the configuration without it."""


def ablate(
    dataset: DatasetSource,
    cases: CaseSource | Sequence[CaseSource],
    *,
    config: Config,
    encoder: Encoder,
    intents: Sequence[str | Path | Sequence[Case]] = (),
    without: Sequence[str] = tuple(INGREDIENTS),
    k: int = 10,
    progress: Progress | None = None,
) -> Report:
    """Build the whole and each variant, and ask all of them the same cases.

    The encoder is trained once: variants that keep it take it from the whole.

    Args:
        dataset: A folder, or a dataset read before.
        cases: What is asked: cases, an intents file, or several of these.
        config: The whole.
        encoder: The untrained encoder.
        intents: Requests to learn from.
        without: Names of the ingredients to leave out in turn.
        k: Cutoff of the metrics.
        progress: Called as work proceeds.

    Raises:
        ConfigError: On an unknown ingredient.
        DataError: If the cases overlap with the requests learned from.
    """
    for name in without:
        if name not in INGREDIENTS:
            raise ConfigError(f"unknown ingredient {name!r}{nearest(name, INGREDIENTS)}")
    dataset = as_dataset(dataset)
    cases = cases_from(cases)
    shared: dict[str, Any] = {"intents": intents, "progress": progress}
    whole = build(dataset, config=config, encoder=encoder, **shared)
    texts = text_systems(dataset.catalog, whole.interactions, cases, [encoder], progress)
    systems: dict[str, System] = {"baseline": whole.baseline(), **texts, FULL: whole}
    for name in without:
        variant = INGREDIENTS[name](config)
        if variant == config:
            continue  # it wasn't in to begin with
        taken: Encoder = encoder
        if name != "encoder training" and whole.encoder is not None:
            # Its vectors are the same for all variants: the cache embeds the items once.
            taken = CachedEncoder(encoder=whole.encoder, path=cache_file())
            variant = _untrained(variant)
        systems[f"without {name}"] = build(dataset, config=variant, encoder=taken, **shared)
    report = compare(systems, cases, k=k, seed=config.seed, progress=progress)
    missing = worded(cases) and TEXT not in texts
    return replace(report, notes=(*report.notes, LEFT_OUT)) if missing else report
