"""From a dataset to an artifact.

    read → hold out → choose behaviour on validation → train the encoder → embed items
         → tune the gate on validation → keep the better encoder → train the ranker there
         → weigh the reranker → select diversity → refit on everything → fill cold items → index
         → make the encoder quick → answer validation requests, for monitoring → write

Behaviour, encoder and domain popularity are learned on training events and requests; options and
the gate's weights are chosen on the validation events and dialogs; then behaviour and domain
popularity are counted again on both. Test events, if any are held out, are never looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from semrec.artifact.addresses import with_addresses
from semrec.artifact.assembly import Parts, make_diversity, make_recommender
from semrec.artifact.encoder import (
    as_serving,
    make_encoder,
    make_interpreter,
    make_language_model,
)
from semrec.artifact.folder import check_target, write_artifact
from semrec.artifact.indexes import make_index
from semrec.artifact.manifest import EncoderEntry, IndexEntry, Manifest
from semrec.artifact.rerankers import rerank_prompts
from semrec.artifact.stored import Models, save_parts
from semrec.config import Config, load_config
from semrec.data.checking import check, refuse_unbuildable
from semrec.data.dataset import Dataset
from semrec.data.intents import unit_hashes
from semrec.data.sources import DatasetSource, as_dataset
from semrec.encoders.cached import uncached
from semrec.encoders.checkpoints import dialogs_seen
from semrec.encoders.language_model import LanguageModel
from semrec.encoders.static import StaticEncoder
from semrec.encoders.watched import WatchedEncoder
from semrec.endpoint import Addresses
from semrec.monitor.reference import save_reference
from semrec.pipeline.rerank import Reranking
from semrec.prompting import load_prompt
from semrec.protocols import Encoder
from semrec.ranking.ranker import Ranker
from semrec.recommender import Recommender
from semrec.training.behaviour_selection import Behaviour, forget_checkpoints, refit
from semrec.training.candidates import held_out_queries
from semrec.training.description import describe
from semrec.training.diversity_selection import refuse_unknown_caps, select_diversity
from semrec.training.encoder_distillation import distilled_encoder, make_stand_in
from semrec.training.encoder_selection import EncoderSelection, select_encoder
from semrec.training.encoder_training import FinetunedEncoder, finetune_encoder, forget_training
from semrec.training.folds import in_folds, real_requests
from semrec.training.fusion import fuse
from semrec.training.gate_learning import learn_mixes
from semrec.training.job import Job, start_job
from semrec.training.monitoring import monitoring_reference
from semrec.training.preparation import Prepared, item_views, load_prompts, prepare
from semrec.training.ranker_learning import learn_ranker
from semrec.training.reranker_weight import select_reranker
from semrec.training.runtime import choose_runtime
from semrec.training.shards import encoding_of, read_vectors
from semrec.training.validation import hold_out
from semrec.types import Case, Progress


def build(
    dataset: DatasetSource,
    *,
    config: str | Path | Config = "default",
    out: str | Path | None = None,
    intents: Sequence[str | Path | Sequence[Case]] = (),
    settings: Sequence[str] = (),
    max_minutes: float | None = None,
    encoder: Encoder | None = None,
    vectors: str | Path | None = None,
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
        vectors: A folder that `semrec encode` wrote of the same dataset, encoder and prompts;
            items aren't embedded then.
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
    target = None if out is None else Path(out)
    if target is not None:
        check_target(target)
    if not isinstance(config, Config):
        config = load_config(config, settings)
    config = with_addresses(config, Addresses.from_environment())
    job = start_job(config.seed, progress, max_minutes)
    dataset = as_dataset(dataset)
    refuse_unbuildable(check(dataset), dataset.name)
    refuse_unknown_caps(config, dataset.catalog)
    model = make_language_model(config)
    if encoder is None:
        encoder = _load_encoder(dataset, config, model, job)
    embedded = None
    if vectors is not None:
        embedded = read_vectors(Path(vectors), encoding_of(dataset, config, encoder))
    prepared = prepare(dataset, config, intents, job)
    finetuned = _finetune(prepared, encoder, job)
    selected = select_encoder(prepared, encoder, finetuned, job, embedded)
    tuned = tune_lists(prepared, selected, model, job)
    fitted = refit_parts(prepared, tuned, job)
    recommender = _finish(prepared, tuned, fitted, model, target, job)
    forget_checkpoints(fitted.behaviour, fitted.parts.interactions, prepared.context)
    forget_training(finetuned.folder)
    return recommender


@dataclass(frozen=True, kw_only=True)
class TunedLists:
    """The fused list as validation likes it, and who reorders its head.

    Attributes:
        selected: The encoder, and the fusion over the validation's training events.
        ranker: Reorders the head, or None.
        reranking: Reads the head within the budget, or None.
    """

    selected: EncoderSelection
    ranker: Ranker | None
    reranking: Reranking | None


@dataclass(frozen=True, kw_only=True)
class FittedParts:
    """All parts, fitted on all that may be learned from.

    Attributes:
        parts: The parts.
        behaviour: The behavioural half, with its options as now stored.
        manifest: Of all that, not written yet.
    """

    parts: Parts
    behaviour: Behaviour
    manifest: Manifest


def tune_lists(
    prepared: Prepared, selected: EncoderSelection, model: LanguageModel | None, job: Job
) -> TunedLists:
    """The gate's mixes, the ranker and the reranker's weight, each kept where lists gain by it."""
    trained_on = unit_hashes(prepared.train_queries) if selected.is_trained else ()
    cases = real_requests(prepared, {*dialogs_seen(selected.encoder), *trained_on})
    requests = in_folds(prepared, selected, cases) if cases else None
    selected, requests = learn_mixes(prepared, selected, requests, job)
    ranker, ranked = learn_ranker(prepared, selected, requests, job)
    reranking, reranked = select_reranker(prepared, selected, ranker, model, job)
    diversity = select_diversity(prepared, selected, ranker, job)
    figures = selected.tuned | {"ranker": ranked} | reranked | {"diversity": diversity}
    return TunedLists(selected=replace(selected, tuned=figures), ranker=ranker, reranking=reranking)


def refit_parts(prepared: Prepared, tuned: TunedLists, job: Job) -> FittedParts:
    """All parts, fitted once more on training and validation events, with what was chosen."""
    config, catalog, selected = prepared.config, prepared.dataset.catalog, tuned.selected
    events = prepared.held_out.train
    behaviour = refit(prepared.chosen, events, prepared.context)
    fusion = fuse(
        selected.semantic,
        behaviour.vectors,
        behaviour.neighbours,
        events,
        config,
        wanted=prepared.wanted(prepared.dialogs),
        labelled=prepared.labelled,
    )
    centroids = fusion.label_centroids
    if selected.trial.label_centroids is not None and centroids is not None:
        centroids = replace(centroids, strength=selected.trial.label_centroids.strength)
    fusion = replace(fusion, gate=selected.trial.gate, label_centroids=centroids)
    job.report("build index", 0, 1)
    made = make_index(config.index, fusion.items(), held_out_queries(fusion, selected.sets))
    parts = Parts(
        catalog=catalog,
        interactions=events,
        prompts=prepared.prompts,
        behaviour=behaviour.vectors,
        neighbours=behaviour.neighbours,
        fusion=fusion,
        intent_parser=prepared.intent_parser,
        index=made.index,
        lexical=prepared.lexical,
        untouched_every=config.fusion.untouched_every,
        ranker=None if tuned.ranker is None else tuned.ranker.over(catalog, events),
        diversity=make_diversity(config.diversity, selected.tuned["diversity"]),
    )
    job.report("build index", 1, 1)
    manifest = describe(prepared, selected, behaviour, parts, IndexEntry(**made.info))
    return FittedParts(parts=parts, behaviour=behaviour, manifest=manifest)


def _load_encoder(
    dataset: Dataset, config: Config, model: LanguageModel | None, job: Job
) -> Encoder:
    if config.encoder.kind == "static":
        cut = hold_out(dataset.positives, config.split).cut
        views = item_views(dataset, load_prompts(config), cut)
        return distilled_encoder(views[0], config.encoder, job)
    job.report("load encoder", 0, 1)
    encoder = make_encoder(config.encoder, model=model)
    job.report("load encoder", 1, 1)
    return encoder


def _finetune(prepared: Prepared, encoder: Encoder, job: Job) -> FinetunedEncoder:
    """The encoder, trained if the configuration wants it and there is a text to learn from."""
    if not prepared.has_texts:
        return FinetunedEncoder(encoder=encoder)
    return finetune_encoder(prepared, encoder, job)


def _finish(
    prepared: Prepared,
    tuned: TunedLists,
    fitted: FittedParts,
    model: LanguageModel | None,
    target: Path | None,
    job: Job,
) -> Recommender:
    """The recommender; written to `target`, and then with the quickest encoder, if there is one."""
    if target is None:
        manifest, serving = fitted.manifest, as_serving(tuned.selected.encoder)
        parts = fitted.parts
    else:
        manifest, serving, parts = _write(prepared, tuned, fitted, model, target, job)
    return make_recommender(
        parts,
        serving,
        manifest.to_dict(),
        target,
        make_interpreter(prepared.config, serving, model),
        tuned.reranking,
    )


def _write(
    prepared: Prepared,
    tuned: TunedLists,
    fitted: FittedParts,
    model: LanguageModel | None,
    target: Path,
    job: Job,
) -> tuple[Manifest, Encoder, Parts]:
    """Write the artifact; its manifest, the encoder in the form that serves, and its parts."""
    config, selected = prepared.config, tuned.selected
    prompts = rerank_prompts(config.rerank)
    if model is not None:
        prompts = [load_prompt("limit", config.intent.prompt), *prompts]
    with TemporaryDirectory() as temporary:
        runtime = choose_runtime(
            selected.encoder,
            prepared.texts,
            (*selected.sets.words, *selected.sets.both),
            selected.trial,
            config,
            Path(temporary),
            job.report,
        )
        entry = fitted.manifest.encoder.model_dump(exclude_unset=True) | runtime.info
        manifest = fitted.manifest.model_copy(update={"encoder": EncoderEntry(**entry)})
        models = Models(
            trained=uncached(selected.encoder) if selected.is_trained else None,
            dialogs=manifest.training_dialogs,
            prompts=prompts,
            runtime=runtime.folder,
            static=runtime.encoder if isinstance(runtime.encoder, StaticEncoder) else None,
            canary=runtime.encoder.canary if isinstance(runtime.encoder, WatchedEncoder) else None,
        )
        stand_in = make_stand_in(prepared.texts, selected.encoder, runtime.encoder, job)
        parts = replace(fitted.parts, stand_in=stand_in)
        finished = make_recommender(parts, runtime.encoder)
        reference = monitoring_reference(prepared, finished, job)

        def write(folder: Path) -> None:
            save_parts(parts, folder, models)
            save_reference(reference, folder)

        written = write_artifact(target, write, manifest)
    return written, runtime.encoder, parts
