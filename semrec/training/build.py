"""From a dataset to an artifact.

    read → hold out → choose behaviour on validation → train the encoder → embed items
         → tune the gate on validation → keep the better encoder → train the ranker there
         → weigh the reranker → refit on everything → fill cold items → index
         → make the encoder quick → write

Behaviour, encoder and domain popularity are learned on training events and requests; options and
the gate's weights are chosen on the validation events and dialogs; then behaviour and domain
popularity are counted again on both. Test events, if any are held out, are never looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from semrec import __version__
from semrec.artifact.assembly import Parts, make_recommender
from semrec.artifact.encoder import make_encoder, make_interpreter, make_language_model
from semrec.artifact.folder import check_target, write_artifact
from semrec.artifact.indexes import make_index
from semrec.artifact.rerankers import (
    dialogs_judged_by,
    graph_of,
    rerank_prompts,
    stored_rerank,
)
from semrec.artifact.stored import Models, save_parts
from semrec.config import Config, load_config
from semrec.data.checking import NO_TEXT, check, refuse_unbuildable
from semrec.data.dataset import Dataset
from semrec.data.intents import unit_hashes
from semrec.data.sources import DatasetSource, as_dataset
from semrec.encoders.cached import uncached
from semrec.encoders.checkpoints import dialogs_seen
from semrec.prompting import load_prompt
from semrec.protocols import Encoder
from semrec.recommender import Recommender
from semrec.training.behaviour_selection import Behaviour, forget_checkpoints, refit
from semrec.training.encoder_selection import select_encoder
from semrec.training.encoder_training import forget_training
from semrec.training.folds import in_folds, real_requests
from semrec.training.fusion import fuse
from semrec.training.gate_learning import learn_mixes
from semrec.training.index_queries import held_out_queries
from semrec.training.preparation import FinetunedEncoder, finetune_encoder, prepare
from semrec.training.ranker_learning import learn_ranker
from semrec.training.reranker import select_reranker
from semrec.training.runtime import choose_runtime
from semrec.types import Case, Progress, silent


def build(
    dataset: DatasetSource,
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
        dataset: A folder, a dataset read before, or frames: (items, interactions).
        config: Name of a packaged configuration, a path, or a `Config`.
        out: Folder for the artifact: absent, empty, or an artifact that is replaced.
        intents: Files (or lists of cases) with requests to learn from, besides those in
            the dataset's folder.
        settings: Single values, such as ``behaviour.factors=64``.
        max_minutes: Stop trying options and training after so long. Embedding that isn't done by
            then ends the build; what was embedded is cached, and the next build goes on from there.
        encoder: A loaded encoder, if it isn't to be made from the configuration.
        progress: Called as work proceeds.

    Raises:
        SemrecError: A subclass says which input is wrong and how; nothing is written then.

    Examples:
        ``films.yaml`` takes the encoder that needs no weights (``encoder: {kind: hashing}``).

        >>> import semrec
        >>> rec = semrec.build("data/films", config="films.yaml", out="artifacts/films")
        >>> len(rec.catalog), rec.encoder.dim
        (12, 256)
    """
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    report = progress or silent
    if out is not None:
        check_target(Path(out))
    if not isinstance(config, Config):
        config = load_config(config, settings)
    dataset = as_dataset(dataset)
    refuse_unbuildable(check(dataset), dataset.name)
    model = make_language_model(config)
    if encoder is None:
        report("load encoder", 0, 1)
        encoder = make_encoder(config.encoder, model=model)
        report("load encoder", 1, 1)
    prepared = prepare(dataset, config, intents, report, deadline)
    told = any(prepared.texts)  # without a text there is nothing to train an encoder on
    taught = (
        finetune_encoder(prepared, encoder, report, deadline)
        if told
        else FinetunedEncoder(encoder=encoder)
    )
    settled = select_encoder(prepared, encoder, taught, report, deadline)
    was_trained = taught.folder is not None and settled.encoder is taught.encoder
    encoder = settled.encoder
    taught_by = unit_hashes(prepared.train_queries) if was_trained else ()
    cases = real_requests(prepared, {*dialogs_seen(encoder), *taught_by})
    requests = in_folds(prepared, settled, cases) if cases else None
    settled, requests = learn_mixes(prepared, settled, requests, report)
    trial, tuned = settled.trial, settled.tuned
    ranker, tuned["ranker"] = learn_ranker(
        trial,
        settled.sets.session,
        requests,
        dataset.catalog,
        prepared.validation.train,
        config,
        report,
    )
    judge = select_reranker(prepared, settled, ranker, model, report)
    tuned |= judge.told
    dialogs = [*prepared.train_queries, *prepared.valid_queries]
    learned = prepared.held_out.train
    chosen = refit(prepared.chosen, learned, prepared.ground)
    half = (settled.semantic, chosen.vectors, chosen.neighbours)
    fusion = fuse(*half, learned, trial.gate, config, prepared.wanted(dialogs), prepared.labelled)
    if trial.label_centroids is not None and fusion.label_centroids is not None:
        strength = trial.label_centroids.strength
        fusion = replace(fusion, label_centroids=replace(fusion.label_centroids, strength=strength))
    report("build index", 0, 1)
    found = make_index(config.index, fusion.items(), held_out_queries(fusion, settled.sets))
    parts = Parts(
        catalog=dataset.catalog,
        interactions=learned,
        prompts=prepared.prompts,
        behaviour=chosen.vectors,
        neighbours=chosen.neighbours,
        fusion=fusion,
        intent_parser=prepared.intent_parser,
        index=found.index,
        lexical=prepared.lexical,
        untouched_every=config.fusion.untouched_every,
        ranker=None if ranker is None else ranker.over(dataset.catalog, learned),
    )
    report("build index", 1, 1)
    manifest = _manifest(parts, dataset, config, encoder, chosen, tuned, prepared.held_out.cut)
    manifest["encoder"]["trained"] = was_trained
    manifest["notes"] += [*dataset.notes, *([] if told else [NO_TEXT])]
    manifest["index"] = found.told
    learned_from = (*dialogs_seen(encoder), *dialogs_judged_by(config.rerank))
    seen = sorted({*unit_hashes(dialogs), *learned_from})
    manifest["training_dialogs"] = seen
    serving = uncached(encoder)
    if out is not None:
        trained = serving if was_trained else None
        asking = [] if model is None else [load_prompt("limit", config.intent.prompt)]
        asking += rerank_prompts(config.rerank)
        with TemporaryDirectory() as temporary:
            asked = (*settled.sets.words, *settled.sets.both)
            runtime = choose_runtime(
                encoder, prepared.texts, asked, trial, config, Path(temporary), report
            )
            manifest["encoder"] |= runtime.told
            serving = runtime.encoder
            models = Models(
                trained=trained,
                dialogs=seen,
                prompts=asking,
                runtime=runtime.folder,
                reranker=graph_of(config.rerank),
            )
            manifest = write_artifact(
                Path(out), lambda folder: save_parts(parts, folder, models), manifest
            )
    forget_checkpoints(chosen, learned, prepared.ground)
    forget_training(taught.folder)
    path = None if out is None else Path(out)
    interpreter = make_interpreter(config, serving, model)
    return make_recommender(parts, serving, manifest, path, interpreter, judge.reranking)


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
            "rerank": stored_rerank(config.rerank),
        }
    )
    return {
        "semrec_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {"name": dataset.name, "licence": dataset.licence, "hash": dataset.hash},
        "config": stored.model_dump(mode="json"),
        "config_hash": config.hash,
        "prompt_hashes": {p.kind: p.hash for p in parts.prompts.all},
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
        "dim": parts.fusion.dim,
    }
