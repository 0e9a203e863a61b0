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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from semrec import __version__
from semrec.artifacts import check_target, write_artifact
from semrec.assemble.artifact import (
    Parts,
    make_encoder,
    make_index,
    make_recommender,
    save_parts,
)
from semrec.choosing.behaviour import Behaviour, choose_behaviour, forget_checkpoints, refit
from semrec.choosing.cases import hold_out, validation_of
from semrec.choosing.gate import choose_fill, fuse, tune_gate
from semrec.choosing.ground import make_ground
from semrec.config import Config, load_config
from semrec.data.catalog import Catalog, in_words
from semrec.data.dataset import Dataset, read_dataset
from semrec.data.intents import read_cases, unit_hashes
from semrec.encoders.cached import CachedEncoder
from semrec.errors import DataError
from semrec.fusion.blocks import fit_block
from semrec.fusion.fill import strengthened
from semrec.fusion.gate import UNTUNED
from semrec.prompting import Prompts, load_prompt
from semrec.protocols import Encoder
from semrec.recommender import Recommender
from semrec.tuning_cases import make_tuning_sets
from semrec.types import Case, FloatArray, Progress, silent

EMBED_CHUNK = 256


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
        max_minutes: Stop trying options and training after so long. Embedding that isn't done by
            then ends the build; what was embedded is cached, and the next build goes on from there.
        encoder: A loaded encoder, if it isn't to be made from the configuration.
        progress: Called as work proceeds.

    Raises:
        SemrecError: A subclass says which input is wrong and how; nothing is written then.
    """
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    report = progress or silent
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
    held_out = hold_out(dataset.positives, config.split)
    dialogs = _read_intents([*dataset.intents, *intents])
    if encoder is None:
        report("load encoder", 0, 1)
        encoder = make_encoder(config.encoder)
        report("load encoder", 1, 1)
    raw = embed_items(dataset.catalog, prompts, encoder, report, deadline)
    semantic = fit_block(raw, np.asarray(raw.any(axis=1)))

    learned = held_out.train
    validation = validation_of(learned, config.split)
    ground, cases = make_ground(validation, dataset, config, report, deadline, rng)
    sets = make_tuning_sets(validation, dataset, dialogs, encoder, prompts, config, cases, rng)
    chosen = choose_behaviour(ground)
    trial = fuse(semantic, chosen.vectors, chosen.neighbours, validation.train, UNTUNED, config)
    fill, trial = choose_fill(trial, validation.train, sets, config, report, deadline)
    gate, tuned = tune_gate(trial, sets, config, report)
    tuned |= {"fill": fill, "tried": dict(chosen.tried)}

    chosen = refit(chosen, learned, ground)
    fusion = fuse(semantic, chosen.vectors, chosen.neighbours, learned, gate, config)
    fusion = strengthened(fusion, learned.counts == 0, fill)
    report("build index", 0, 1)
    parts = Parts(
        catalog=dataset.catalog,
        interactions=learned,
        prompts=prompts,
        behaviour=chosen.vectors,
        neighbours=chosen.neighbours,
        fusion=fusion,
        index=make_index(config.index, fusion.items()),
    )
    report("build index", 1, 1)
    manifest = _manifest(parts, dataset, config, encoder, chosen, tuned, held_out.cut)
    manifest["training_dialogs"] = unit_hashes(dialogs)
    serving = encoder.encoder if isinstance(encoder, CachedEncoder) else encoder
    if out is None:
        forget_checkpoints(chosen, learned, ground)
        return make_recommender(parts, serving, manifest)
    manifest = write_artifact(Path(out), lambda folder: save_parts(parts, folder), manifest)
    forget_checkpoints(chosen, learned, ground)
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


def _read_intents(sources: Sequence[str | Path | Sequence[Case]]) -> list[Case]:
    cases: list[Case] = []
    for source in sources:
        if isinstance(source, str | Path):
            cases += read_cases(source, for_training=True)
        else:
            cases += source
    return cases


def _manifest(
    parts: Parts,
    dataset: Dataset,
    config: Config,
    encoder: Encoder,
    chosen: Behaviour,
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
            **chosen.options,
            "dim": int(parts.behaviour.item_vectors.shape[1]),
        },
        "neighbours": dict(chosen.neighbour_options),
        "notes": list(chosen.notes),
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
