"""Cross-fitting: every case is answered by a recommender that learned from the other dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semrec.config import Config, EncoderTrainingConfig, RankingConfig, RerankConfig
from semrec.data.dataset import Dataset
from semrec.data.intents import CaseSource, cases_from, fold_of, refuse_seen
from semrec.data.sources import DatasetSource, as_dataset
from semrec.encoders.checkpoints import dialogs_seen
from semrec.errors import DataError
from semrec.evaluate.baselines import tuned_baseline
from semrec.evaluate.compare import BEHAVIOURAL
from semrec.evaluate.report import Report
from semrec.evaluate.runners import SemanticOnly, System, ask
from semrec.evaluate.scoring import Lists, Scoring, summarise
from semrec.evaluate.slicing import slices_of
from semrec.evaluate.text_search import LEFT_OUT, text_systems, worded
from semrec.evaluate.yardsticks import TEXT
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import Gate, Mix, Weights
from semrec.protocols import Encoder
from semrec.recommender import Recommender
from semrec.training.build import build
from semrec.types import Case, Progress

UNRANKED = "fused, before reranking"
DOMAIN, WITH_DOMAIN = "domain popularity", "behavioural + domain"
ABOUT = (
    f"{DOMAIN!r} counts what was right in the folds' training requests; {WITH_DOMAIN!r} "
    "weighs it beside behaviour and popularity, tuned as fused is"
)
ONLY_DOMAIN = Weights(semantic=0.0, behavioural=0.0, popularity=0.0, domain=1.0)


def crossfit(
    dataset: DatasetSource,
    cases: CaseSource | Sequence[CaseSource],
    *,
    config: Config,
    encoder: Encoder,
    folds: int = 3,
    intents: Sequence[str | Path | Sequence[Case]] = (),
    k: int = 10,
    baselines: Sequence[str] = ("item_knn", "ease"),
    progress: Progress | None = None,
) -> Report:
    """Build once per fold on the other folds' requests, answer the fold, report on all.

    A fold is the hash of the dialog or user, so that none is in two and the same ones are
    together whatever else there is.

    Args:
        dataset: A folder, or a dataset read before.
        cases: Requests with what turned out right: cases, an intents file, or several of these.
        config: What to build.
        encoder: Loaded once for all folds.
        folds: How many, at least 2.
        intents: Requests that are always learned from.
        k: Cutoff of the metrics.
        baselines: Independent baselines, fitted once: they learn nothing from requests.
        progress: Called as work proceeds.

    Raises:
        DataError: If a fold is empty, there are fewer than two, or the encoder has seen the cases.
    """
    dataset = as_dataset(dataset)
    cases = cases_from(cases)
    fold_ids = _folds(cases, folds)
    seen = {f"the encoder {encoder.name}": dialogs_seen(encoder)}
    refuse_seen(cases, seen)
    reorders = config.ranking.enabled or config.rerank.kind != "none"
    lists: dict[str, list[list[str]]] = {}
    for fold in range(folds):
        ours = [index for index, of in enumerate(fold_ids) if of == fold]
        others = [case for case, of in zip(cases, fold_ids, strict=True) if of != fold]
        shared: dict[str, Any] = {"intents": [*intents, others], "progress": progress}
        recommender = build(dataset, config=config, encoder=encoder, **shared)
        wordless = build(dataset, config=_wordless(config), **shared)
        if fold == 0:
            learned, catalog = recommender.interactions, dataset.catalog
            fixed: dict[str, System] = {
                name: tuned_baseline(name, learned, catalog, config, progress) for name in baselines
            }
            texts = text_systems(catalog, learned, cases, [encoder], progress)
            for name, baseline in {**fixed, **texts}.items():
                lists[name] = ask(baseline, cases, k=k, name=name, progress=progress)
        for name, system in _systems(recommender, wordless, reorders=reorders).items():
            answers = ask(system, [cases[index] for index in ours], k=k, name=name)
            _merge(answers, ours, lists.setdefault(name, [[] for _ in cases]))
    order = ["baseline", *baselines, DOMAIN, WITH_DOMAIN, *texts, "semantic-only"]
    order += [UNRANKED, "fused"] if reorders else ["fused"]
    notes = [f"cross-fitted over {folds} folds; a fold is the hash of the dialog or user", ABOUT]
    notes += [LEFT_OUT] if worded(cases) and TEXT not in texts else []
    return _report({name: lists[name] for name in order}, cases, dataset, notes, k, config.seed)


def _merge(answers: list[list[str]], indices: Sequence[int], into: list[list[str]]) -> None:
    """Put a fold's answers in the places of its cases."""
    for index, answer in zip(indices, answers, strict=True):
        into[index] = answer


def _folds(cases: Sequence[Case], folds: int) -> list[int]:
    """Each case's fold."""
    fold_ids = [fold_of(case.unit, folds) if folds > 1 else 0 for case in cases]
    if folds < 2 or len(set(fold_ids)) < folds:
        raise DataError(f"{len(set(fold_ids))} of {folds} folds hold cases; take 2 or more folds")
    return fold_ids


def _report(
    lists: Lists, cases: Sequence[Case], dataset: Dataset, notes: Sequence[str], k: int, seed: int
) -> Report:
    catalog, events = dataset.catalog, dataset.positives
    scoring = Scoring(k=k, seed=seed, behavioural=BEHAVIOURAL, catalog=catalog, interactions=events)
    parts = slices_of(cases, catalog, events)
    return summarise(lists, cases, scoring, notes=notes, slices=parts)


def _systems(
    recommender: Recommender, wordless: Recommender, *, reorders: bool
) -> dict[str, System]:
    """Systems that answer a fold, by name."""
    systems: dict[str, System] = {
        "baseline": recommender.baseline(),
        DOMAIN: weighed(recommender, ONLY_DOMAIN),
        WITH_DOMAIN: wordless,
        "semantic-only": SemanticOnly(recommender=recommender),
        "fused": recommender,
    }
    if reorders:
        systems[UNRANKED] = recommender.with_parts(ranker=None, reranking=None)
    return systems


def weighed(recommender: Recommender, weights: Weights) -> Recommender:
    """The recommender with the same weights for every query."""
    mix = Mix(
        words=weights.semantic,
        lexical=0.0,
        texts=0.0,
        behavioural=weights.behavioural,
        popularity=weights.popularity,
        domain=weights.domain,
    )
    gate = Gate(
        session=weights,
        baseline=weights,
        topical=mix,
        conversational=mix,
        words_floor=0.0,
    )
    fusion = recommender.fusion
    if not isinstance(fusion, FusedBlocks):
        raise DataError("a baseline has no domain popularity")
    return recommender.with_parts(
        fusion=replace(fusion, gate=gate),
        baseline=None,
        ranker=None,
        reranking=None,
    )


def _wordless(config: Config) -> Config:
    """The same without words and texts, and with an encoder that costs nothing."""
    encoder = config.encoder.model_copy(
        update={"kind": "hashing", "training": EncoderTrainingConfig()}
    )
    fusion = config.fusion.model_copy(update={"semantic": False, "named": False})
    after = {"ranking": RankingConfig(), "rerank": RerankConfig()}
    return config.model_copy(update={"encoder": encoder, "fusion": fusion, **after})
