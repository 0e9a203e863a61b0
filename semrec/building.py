"""From a dataset to an artifact.

    read → hold out → embed items → choose behaviour on validation → tune the gate on validation
         → refit on everything → fill cold items → index → write

Behaviour is learned on training events; its options and the gate's weights are chosen on the
validation events that follow; then behaviour is fitted again on both. Test events, if any are
held out, are never looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from semrec import __version__
from semrec.artifacts import check_target, write_artifact
from semrec.assemble import (
    Parts,
    fit_behaviour,
    make_encoder,
    make_index,
    make_recommender,
    save_parts,
)
from semrec.config import Config, load_config
from semrec.data.catalog import Catalog, in_words
from semrec.data.dataset import Dataset, read_dataset
from semrec.data.intents import read_cases, unit_hashes
from semrec.data.interactions import Interactions
from semrec.data.splits import Split, leave_out_last, next_item_cases, shorten, time_split
from semrec.encoders.cached import CachedEncoder
from semrec.errors import DataError
from semrec.fusion.blocks import Block, FusedBlocks, fit_block, standardised_popularity
from semrec.fusion.fill import fill_from_text, strengthened
from semrec.fusion.gate import UNTUNED, Gate
from semrec.fusion.tune import tune_weights
from semrec.prompting import Prompts, load_prompt
from semrec.protocols import Encoder, VectorModel
from semrec.recommender import Recommender
from semrec.tuning_cases import TuningSets, make_tuning_sets
from semrec.types import Case, FloatArray, Progress

EMBED_CHUNK = 256
CHOICE_CASES = 500  # enough to tell options of the behavioural model apart


def build(
    dataset: str | Path | Dataset,
    *,
    config: str | Path | Config = "default",
    out: str | Path | None = None,
    intents: Sequence[str | Path | Sequence[Case]] = (),
    settings: Sequence[str] = (),
    max_minutes: float | None = None,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Recommender:
    """Learn from a dataset and give back a recommender; with `out`, write it as an artifact.

    Args:
        dataset: A folder, or a dataset read before.
        config: Name of a packaged configuration, a path, or a `Config`.
        out: Folder for the artifact: absent, empty, or an artifact that is replaced.
        intents: Files (or lists of cases) with requests to tune the gate on, besides those in
            the dataset's folder.
        settings: Single values, such as ``behaviour.factors=64``.
        max_minutes: Stop trying options after so long. Embedding that isn't done by then ends
            the build; what was embedded is cached, and the next build goes on from there.
        encoder: A loaded encoder, if it isn't to be made from the configuration.
        progress: Called as work proceeds.

    Raises:
        SemrecError: A subclass says which input is wrong and how; nothing is written then.
    """
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    report = progress or (lambda _stage, _done, _total: None)
    if out is not None:
        check_target(Path(out))
    if not isinstance(config, Config):
        config = load_config(config, settings)
    if not isinstance(dataset, Dataset):
        dataset = read_dataset(dataset)
    prompts = Prompts(
        item=load_prompt("item", config.prompts.item),
        query=load_prompt("query", config.prompts.query),
    )
    rng = np.random.default_rng(config.seed)
    held_out = _hold_out(dataset.positives, config)
    dialogs = _read_intents([*dataset.intents, *intents])
    encoder = encoder or make_encoder(config.encoder)
    raw = embed_items(dataset.catalog, prompts, encoder, report, deadline)
    semantic = fit_block(raw, np.asarray(raw.any(axis=1)))

    learned = held_out.train
    validation = _validation(learned, config)
    sets = make_tuning_sets(
        validation,
        dataset,
        dialogs,
        encoder,
        prompts,
        config,
        _cases(validation, dataset, config, rng),
        rng,
    )
    chosen = _choose_behaviour(validation, sets, config, report, deadline)
    model = _fit(validation.train, config, chosen)
    trial = _fuse(semantic, model, validation.train, UNTUNED, config)
    fill, trial = _choose_fill(trial, validation.train, sets, config, report, deadline)
    gate, tuned = _tune_gate(trial, sets, config, report)
    tuned["fill"] = fill

    behaviour = _fit(learned, config, chosen)
    fusion = _fuse(semantic, behaviour, learned, gate, config)
    fusion = strengthened(fusion, learned.counts == 0, fill)
    report("build index", 0, 1)
    parts = Parts(
        catalog=dataset.catalog,
        interactions=learned,
        prompts=prompts,
        behaviour=behaviour,
        fusion=fusion,
        index=make_index(config.index, fusion.items()),
    )
    report("build index", 1, 1)
    manifest = _manifest(parts, dataset, config, encoder, chosen, tuned, held_out.cut)
    manifest["training_dialogs"] = unit_hashes(dialogs)
    serving = encoder.encoder if isinstance(encoder, CachedEncoder) else encoder
    if out is None:
        return make_recommender(parts, serving, manifest)
    manifest = write_artifact(Path(out), lambda folder: save_parts(parts, folder), manifest)
    return make_recommender(parts, serving, manifest, Path(out))


def embed_items(
    catalog: Catalog,
    prompts: Prompts,
    encoder: Encoder,
    report: Progress,
    deadline: float | None = None,
) -> FloatArray:
    """(n_items, dim) float32 unit rows; zeros for items with neither title nor text.

    Raises:
        DataError: If the time is up before all are done; the cache keeps what is.
    """
    texts = [
        prompts.item_text(title, text, in_words(catalog.record(row), catalog.attribute_names))
        for row, (title, text) in enumerate(zip(catalog.titles, catalog.texts, strict=True))
    ]
    vectors = np.zeros((len(texts), encoder.dim), dtype=np.float32)
    # Texts of similar length share a batch, so that little of it is padding.
    order = sorted((row for row, text in enumerate(texts) if text), key=lambda row: len(texts[row]))
    report("embed items", 0, len(order))
    for start in range(0, len(order), EMBED_CHUNK):
        if deadline is not None and time.monotonic() > deadline:
            raise DataError(
                f"the time is up with {start} of {len(order)} items embedded; "
                "they are cached: the next build goes on from there"
            )
        rows = order[start : start + EMBED_CHUNK]
        vectors[rows] = encoder.encode_items([texts[row] for row in rows])
        report("embed items", start + len(rows), len(order))
    return vectors


@dataclass(frozen=True, kw_only=True)
class _Options:
    """What was chosen for the behavioural model."""

    regularization: float
    alpha: float
    decay: float


def _hold_out(events: Interactions, config: Config) -> Split:
    match config.split.test:
        case "none":
            return Split(train=events, test=events.where(np.zeros(len(events), bool)), cut=None)
        case "time":
            return time_split(events, config.split.test_share)
        case "last":
            return leave_out_last(events)


def _validation(events: Interactions, config: Config) -> Split:
    """Newest events of clock data; with an order only, each user's second-last of all events."""
    if events.clock:
        return time_split(events, config.split.valid_share)
    return leave_out_last(events, 1 if config.split.test == "last" else 2)


def _cases(
    validation: Split, dataset: Dataset, config: Config, rng: np.random.Generator
) -> list[Case]:
    cases = next_item_cases(
        validation,
        dataset.catalog,
        max_targets=config.split.max_targets,
        max_session=config.split.max_session,
        rng=rng,
    )
    if len(cases) > config.fusion.max_cases:
        places = np.sort(rng.choice(len(cases), config.fusion.max_cases, replace=False))
        cases = [cases[place] for place in places]
    return shorten(cases, rng)


def _read_intents(sources: Sequence[str | Path | Sequence[Case]]) -> list[Case]:
    cases: list[Case] = []
    for source in sources:
        if isinstance(source, str | Path):
            cases += read_cases(source, for_training=True)
        else:
            cases += source
    return cases


def _fit(events: Interactions, config: Config, chosen: _Options) -> VectorModel:
    return fit_behaviour(
        config.behaviour,
        events.matrix(),
        regularization=chosen.regularization,
        alpha=chosen.alpha,
        decay=chosen.decay,
        seed=config.seed,
    )


def _fuse(
    semantic: Block, behaviour: VectorModel, events: Interactions, gate: Gate, config: Config
) -> FusedBlocks:
    """The blocks over these events; items without any are filled from their text."""
    seen = np.asarray(events.counts > 0)
    behavioural = fit_block(behaviour.item_vectors, seen)
    popularity = standardised_popularity(events.counts.astype(np.float32))
    if max(config.fusion.fill) > 0 and semantic.vectors.size:
        known = np.column_stack([behavioural.vectors, popularity])
        filled = fill_from_text(semantic.vectors, known, seen)
        behavioural = Block(vectors=filled[:, :-1], covariance=behavioural.covariance)
        popularity = filled[:, -1]
    return FusedBlocks(
        semantic=semantic,
        behavioural=behavioural,
        popularity=popularity,
        behaviour=behaviour,
        gate=gate,
        decay=config.fusion.decay,
    )


def _choose_behaviour(
    validation: Split,
    sets: TuningSets,
    config: Config,
    report: Progress,
    deadline: float | None,
) -> _Options:
    """The options with the best validation NDCG: first the fit's, then the session's decay."""
    options = config.behaviour
    fits = list(product(options.regularization, options.alpha))
    if options.kind == "pure_svd":
        fits = fits[:1]  # it has neither
    middle = options.decay[len(options.decay) // 2]
    cases = sets.session[:CHOICE_CASES]
    tried: list[tuple[float, _Options]] = []
    empty = np.zeros((validation.train.n_items, 0), dtype=np.float32)
    silent = Block(vectors=empty, covariance=np.zeros((0, 0), np.float32))

    def attempt(chosen: _Options) -> None:
        timed_out = deadline is not None and time.monotonic() > deadline
        if tried and (timed_out or len(cases) < config.fusion.min_cases):
            return
        model = _fit(validation.train, config, chosen)
        fusion = _fuse(silent, model, validation.train, UNTUNED, config)
        score = 0.0
        if cases:
            _, score = tune_weights(fusion, cases, cutoff=config.fusion.cutoff, semantic=False)
        tried.append((score, chosen))

    total = len(fits) + len(options.decay)
    for done, (regularization, alpha) in enumerate(fits):
        report("choose behaviour", done, total)
        attempt(_Options(regularization=regularization, alpha=alpha, decay=middle))
    best = max(tried, key=lambda pair: pair[0])[1]
    for done, decay in enumerate(options.decay, start=len(fits)):
        report("choose behaviour", done, total)
        if decay != middle:
            attempt(_Options(regularization=best.regularization, alpha=best.alpha, decay=decay))
    report("choose behaviour", total, total)
    return max(tried, key=lambda pair: pair[0])[1]


def _choose_fill(
    fusion: FusedBlocks,
    events: Interactions,
    sets: TuningSets,
    config: Config,
    report: Progress,
    deadline: float | None,
) -> tuple[float, FusedBlocks]:
    """How strongly text stands in for behaviour, and the blocks with that.

    Validation holds items that were new then, so it knows what boldness with them is worth.
    """
    cold, cases = events.counts == 0, sets.session[:CHOICE_CASES]
    options = config.fusion.fill if cold.any() else config.fusion.fill[:1]
    tried: list[tuple[float, float]] = []
    for done, strength in enumerate(options):
        report("choose fill", done, len(options))
        timed_out = deadline is not None and time.monotonic() > deadline
        if tried and (timed_out or len(cases) < config.fusion.min_cases):
            break
        bolder = strengthened(fusion, cold, strength)
        score = tune_weights(bolder, cases, cutoff=config.fusion.cutoff)[1] if cases else 0.0
        tried.append((score, -strength))
    report("choose fill", len(options), len(options))
    best = -max(tried)[1]  # of equals the most cautious
    return best, strengthened(fusion, cold, best)


def _tune_gate(
    fusion: FusedBlocks, sets: TuningSets, config: Config, report: Progress
) -> tuple[Gate, dict[str, Any]]:
    """Weights for each kind of query, and what they reached on how many cases."""
    jobs = (
        ("baseline", sets.session, False),
        ("session", sets.session, True),
        ("words", sets.words, True),
        ("both", sets.both, True),
    )
    weights = {"baseline": UNTUNED.baseline, "session": UNTUNED.session}
    weights |= {"words": UNTUNED.words, "both": UNTUNED.both}
    tuned: dict[str, Any] = {"requests": sets.source}
    for done, (name, cases, semantic) in enumerate(jobs):
        report("tune fusion", done, len(jobs))
        tuned[name] = {"cases": len(cases)}
        if len(cases) < config.fusion.min_cases:
            tuned[name]["untuned"] = True
            continue
        weights[name], score = tune_weights(
            fusion, cases, cutoff=config.fusion.cutoff, semantic=semantic
        )
        tuned[name][f"ndcg@{config.fusion.cutoff}"] = round(score, 6)
    report("tune fusion", len(jobs), len(jobs))
    return Gate(**weights), tuned


def _manifest(
    parts: Parts,
    dataset: Dataset,
    config: Config,
    encoder: Encoder,
    chosen: _Options,
    tuned: dict[str, Any],
    cut: float | None,
) -> dict[str, Any]:
    stored = config.model_copy(
        update={
            "encoder": config.encoder.model_copy(update={"model": encoder.name}),
            "prompts": type(config.prompts)(),  # the templates themselves are in the artifact
        }
    )
    return {
        "semrec_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {"name": dataset.name, "licence": dataset.licence, "hash": dataset.hash},
        "config": stored.model_dump(mode="json"),
        "config_hash": config.hash,
        "prompt_hashes": {p.kind: p.hash for p in (parts.prompts.item, parts.prompts.query)},
        "encoder": {
            "name": encoder.name,
            "fingerprint": encoder.fingerprint,
            "dim": encoder.dim,
        },
        "behaviour": {
            "kind": config.behaviour.kind,
            "dim": int(parts.behaviour.item_vectors.shape[1]),
            "regularization": chosen.regularization,
            "alpha": chosen.alpha,
            "decay": chosen.decay,
        },
        "gate": parts.fusion.gate.to_dict(),
        "validation": tuned,
        "time_cut": cut,
        "counts": {
            "items": len(parts.catalog),
            "cold_items": int((parts.interactions.counts == 0).sum()),
            "users": len(np.unique(parts.interactions.users)),
            "interactions": len(parts.interactions),
        },
        "dim": int(parts.fusion.items().shape[1]),
    }
