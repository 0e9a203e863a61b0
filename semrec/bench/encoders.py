"""Encoders compared on recommendation, not on a text benchmark.

One build per encoder, everything else the same: the same dataset, configuration, seed and cases.
Each build chooses its behavioural half by itself; since that looks at no text, it comes out the
same, and where it didn't, the report says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from semrec.artifact.encoder import make_encoder
from semrec.config import Config, EncoderConfig
from semrec.data.dataset import Dataset
from semrec.data.intents import read_cases, refuse_seen, unit_hashes
from semrec.encoders.cached import CachedEncoder, uncached
from semrec.encoders.names import name_and_quantisation, resolve
from semrec.encoders.weights import kind_of_model
from semrec.environment.files import write_text
from semrec.errors import DataError
from semrec.evaluate.compare import data_notes
from semrec.evaluate.report import Report
from semrec.evaluate.runners import SemanticOnly, System, ask
from semrec.evaluate.scoring import Scoring, summarise
from semrec.evaluate.systems import with_cache
from semrec.evaluate.text_search import LEFT_OUT, text_systems, worded
from semrec.metrics.significance import percentiles
from semrec.recommender import Recommender
from semrec.training.build import build
from semrec.types import Case, Progress, silent

BASELINE = "behavioural"
WARMUP, TIMED_QUERIES = 5, 100


@runtime_checkable
class _Weighed(Protocol):
    @property
    def quantisation(self) -> str: ...

    @property
    def weight_bytes(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class EncoderCost:
    """Memory and time of an encoder.

    Attributes:
        encoder: Its name in the report.
        name: Canonical name.
        fingerprint: Hash of weights and options.
        dim: Length of its vectors.
        quantisation: How its weights are stored; empty: as they were published.
        weights_mb: What its weights take in memory, as they are computed with.
        query_ms: Percentiles of encoding one request at a time, warm; empty if no case has words.
        timed_queries: How many requests were timed.
    """

    encoder: str
    name: str
    fingerprint: str
    dim: int
    quantisation: str
    weights_mb: float
    query_ms: Mapping[str, float]
    timed_queries: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {**vars(self), "query_ms": dict(self.query_ms)}


def encoders_report(
    dataset: Dataset,
    names: Sequence[str],
    cases: Sequence[Case],
    *,
    config: Config,
    intents: Sequence[str | Path] = (),
    k: int = 10,
    progress: Progress | None = None,
) -> tuple[Report, list[EncoderCost]]:
    """Build with each encoder, ask the cases, and say what each costs.

    Args:
        dataset: What to learn from.
        names: Short names, hub names or paths; ``hashing``.
        cases: What is asked.
        config: Everything but the encoder; its other options hold for all encoders they fit.
        intents: Files of requests to learn from.
        k: Cutoff of the metrics.
        progress: Called as work proceeds.

    Returns:
        The comparison: the behavioural half and `text` once, each encoder's semantic half alone
        and fused with it; and for each encoder its cost.

    Raises:
        DataError: If a name is doubled, or the cases are among what is learned from.
        ModelError: If an encoder can't be had: before anything is built.
    """
    report = progress or silent
    learned = [case for path in [*dataset.intents, *intents] for case in _requests(path)]
    refuse_seen(cases, {"the encoders": unit_hashes(learned)})
    configs = {
        short: config.model_copy(update={"encoder": encoder_config(name, config.encoder)})
        for short, name in _shorts(names).items()
    }
    lists: dict[str, list[list[str]]] = {}
    notes: list[str] = []
    costs = []
    for short, own in configs.items():
        report(f"load {short}", 0, 1)
        encoder = make_encoder(own.encoder)
        recommender = build(dataset, config=own, intents=intents, encoder=encoder, progress=report)
        for name, system in _systems(short, with_cache(recommender)).items():
            answers = ask(system, cases, k=k, name=name, progress=report)
            if name == BASELINE and lists.setdefault(name, answers) != answers:
                notes.append(f"the behavioural half was chosen otherwise for {short}")
            lists.setdefault(name, answers)
        if short == next(iter(configs)):
            events = recommender.interactions
            texts = text_systems(dataset.catalog, events, cases, progress=report)
            lists |= {n: ask(own, cases, k=k, name=n, progress=report) for n, own in texts.items()}
            notes += [LEFT_OUT] if worded(cases) and not texts else []
        costs.append(_cost(short, recommender, cases, report))
    notes.append(f"{len(configs)} builds, seed {config.seed}; nothing else differs")
    scoring = Scoring(k=k, seed=config.seed, behavioural=[BASELINE], catalog=dataset.catalog)
    notes += data_notes(cases, dataset.catalog)
    return summarise(lists, cases, scoring, notes=notes), costs


def _systems(short: str, recommender: Recommender) -> dict[str, System]:
    return {
        BASELINE: recommender.baseline(),
        f"{short} semantic": SemanticOnly(recommender=recommender),
        f"{short} fused": recommender,
    }


def encoder_config(name: str, config: EncoderConfig) -> EncoderConfig:
    """The configuration with that encoder in it, of whatever kind it is.

    Raises:
        ModelError: If it is neither here nor on the hub.
    """
    if name == "hashing":
        return config.model_copy(update={"kind": "hashing"})
    kind = kind_of_model(resolve(name))
    return config.model_copy(update={"kind": kind, "model": name})


def write_costs(folder: Path, costs: Sequence[EncoderCost]) -> Path:
    """Write ``encoders.json`` beside the report."""
    text = json.dumps([cost.to_dict() for cost in costs], indent=2, ensure_ascii=False)
    return write_text(folder / "encoders.json", text + "\n")


def _requests(source: str | Path | Sequence[Case]) -> Sequence[Case]:
    return read_cases(source, for_training=True) if isinstance(source, str | Path) else source


def _shorts(names: Sequence[str]) -> dict[str, str]:
    """Names by what the report calls them: their last part, if that tells them apart."""
    if len(set(names)) < len(names) or not names:
        raise DataError(f"found encoders {', '.join(names) or 'none'}; name each of them once")
    full = [
        name if name == "hashing" else name_and_quantisation(name, resolve(name))[0]
        for name in names
    ]
    lasts = [name.rpartition("/")[2] for name in full]
    return {
        last if lasts.count(last) == 1 else name: name
        for name, last in zip(names, lasts, strict=True)
    }


def _cost(
    short: str, recommender: Recommender, cases: Sequence[Case], report: Progress
) -> EncoderCost:
    assert recommender.encoder is not None
    encoder = uncached(recommender.encoder)
    assert not isinstance(encoder, CachedEncoder)  # what is timed is the encoder itself
    worded = [case.query for case in cases if case.query.intent.strip()]
    spent = []
    for done, query in enumerate(worded[: WARMUP + TIMED_QUERIES]):
        taken = recommender.recommend(query).trace.timings_ms["encode"]
        if done >= min(WARMUP, len(worded) - 1):
            spent.append(taken)
        report(f"time {short}", done + 1, min(len(worded), WARMUP + TIMED_QUERIES))
    weighed = encoder if isinstance(encoder, _Weighed) else None
    return EncoderCost(
        encoder=short,
        name=encoder.name,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        quantisation=weighed.quantisation if weighed else "",
        weights_mb=round(weighed.weight_bytes / 1e6, 1) if weighed else 0.0,
        query_ms=percentiles(spent, (50, 95)),
        timed_queries=len(spent),
    )
