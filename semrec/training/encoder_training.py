"""Trains the encoder, validated on real requests.

    examples (training dialogs, made-up requests) → trainer → the best by validation NDCG

Validation ranks what was right for the validation requests among a sample of the catalogue: the
whole would take longer to encode than the training between two looks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from semrec import __version__
from semrec.artifact.behavioural_models import cache_folder
from semrec.config import EncoderTrainingConfig
from semrec.encoders.cached import uncached
from semrec.encoders.sentence import SentenceEncoder
from semrec.encoders.training_examples import Example, Options
from semrec.environment.ranks import from_main_rank
from semrec.errors import ConfigError, DataError
from semrec.metrics.ranking import ndcg
from semrec.pipeline.resolve import in_words, resolve
from semrec.prompting import load_prompt
from semrec.protocols import Encoder
from semrec.training.encoder_examples import dialog_drafts, made_up_drafts, with_negatives
from semrec.training.job import Job, Stage
from semrec.training.preparation import Prepared
from semrec.training.synthetic_queries import tags_by_row

MAX_VALID_QUERIES = 300  # requests
MIN_VALID_QUERIES = 30  # with fewer real requests, made-up ones validate, if that is wanted
OTHERS = 700  # items ranked beside what was right for them
CUTOFF = 10


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """All that an encoder is trained with.

    Attributes:
        examples: To learn from.
        item_texts: For each row its text, ``""`` for one without.
        valid_queries: Validation requests: their text and the rows that are right.
        pool: Rows that are ranked for them.
    """

    examples: Sequence[Example]
    item_texts: Sequence[str]
    valid_queries: Sequence[tuple[str, frozenset[int]]]
    pool: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class FinetunedEncoder:
    """An encoder, trained or as it was.

    Attributes:
        encoder: The encoder.
        looks: Validation NDCG by step; empty if it wasn't trained.
        folder: Its checkpoints, or None if it wasn't trained.
    """

    encoder: Encoder
    looks: Mapping[str, float] = field(default_factory=dict)
    folder: Path | None = None


def finetune_encoder(prepared: Prepared, encoder: Encoder, job: Job) -> FinetunedEncoder:
    """The encoder trained as the configuration says.

    It stays as it is with 0 epochs, and where there are too few real requests to validate on.
    """
    training = prepared.config.encoder.training
    n_valid = sum(
        bool(case.relevant) and bool(case.query.intent) for case in prepared.valid_queries
    )
    if not training.epochs or (n_valid < MIN_VALID_QUERIES and not training.unjudged):
        return FinetunedEncoder(encoder=encoder)
    training_set = make_training_set(prepared, job.rng_of(Stage.ENCODER_EXAMPLES))
    # Two machines may round differently, and then draw different negatives.
    examples, pool = from_main_rank((training_set.examples, training_set.pool))
    training_set = replace(training_set, examples=examples, pool=pool)
    base = uncached(encoder)
    return train_encoder(base, training_set, training, job)


def make_training_set(prepared: Prepared, rng: np.random.Generator) -> TrainingSet:
    """The training set of an encoder: dialogs, made-up requests, and hard negatives.

    It is trained on the training requests and validated on the validation requests; where these are
    too few, on made-up ones that aren't trained on.

    Args:
        prepared: Requests, events, texts; its behaviour offers hard negatives.
        rng: Draws.

    Raises:
        DataError: If there is nothing to learn from.
    """
    dataset, validation = prepared.dataset, prepared.validation
    training = prepared.config.encoder.training
    has_text = [bool(text) for text in prepared.texts]
    drafts = dialog_drafts(prepared.train_queries, dataset, prepared.prompts, rng)
    made = made_up_drafts(
        training.made_up + training.made_up // 8,  # some validate, where no real ones do
        validation.train,
        dataset.catalog,
        tags_by_row(dataset.tags, validation.cut),
        prepared.prompts,
        load_prompt("synthesise", training.prompt),
        rng,
    )
    rng.shuffle(made)
    valid = _valid_queries(prepared)
    if len(valid) < MIN_VALID_QUERIES:
        users = sorted({draft.group for draft in made})
        held_out = {users[i] for i in rng.permutation(len(users))[: len(users) // 10]}
        valid = [(d.query, frozenset([d.row])) for d in made if d.group in held_out]
        made = [draft for draft in made if draft.group not in held_out]
    valid = [valid[i] for i in rng.permutation(len(valid))[:MAX_VALID_QUERIES]]
    examples = with_negatives(
        [*drafts, *made[: training.made_up]],
        prepared.chosen.vectors,
        prepared.chosen.neighbours,
        validation.train.counts,
        has_text,
        rng,
    )
    if len(examples) < training.batch_size or not valid:
        raise DataError(
            f"found {len(examples)} requests to train the encoder on and {len(valid)} to "
            f"validate it on, expected at least {training.batch_size} and 1; "
            "give more --intents, or set encoder.training.epochs=0"
        )
    right = {row for _, rows in valid for row in rows if has_text[row]}
    others = rng.permutation(np.flatnonzero(has_text))[:OTHERS].tolist()
    return TrainingSet(
        examples=examples,
        item_texts=prepared.texts,
        valid_queries=valid,
        pool=sorted(right | set(others)),
    )


def _valid_queries(prepared: Prepared) -> list[tuple[str, frozenset[int]]]:
    """The validation requests with words: their text, and the rows that are right."""
    dataset, valid = prepared.dataset, []
    for case in prepared.valid_queries:
        rows = dataset.catalog.rows(case.relevant)
        if rows and case.query.intent.strip():
            session = resolve(case.query, dataset.catalog, dataset.interactions).session
            text = in_words(case.query.intent, session, dataset.catalog, prepared.prompts)
            valid.append((text, frozenset(rows)))
    return valid


def train_encoder(
    encoder: Encoder, training_set: TrainingSet, training: EncoderTrainingConfig, job: Job
) -> FinetunedEncoder:
    """The trained encoder, with its validation NDCG and its checkpoints.

    Raises:
        ConfigError: If the encoder is of a kind that can't be trained.
    """
    if not isinstance(encoder, SentenceEncoder):
        raise ConfigError(
            f"encoder {encoder.name!r} can't be trained, only encoders of kind sentence can; "
            "set encoder.training.epochs=0"
        )
    from semrec.encoders.finetuning import finetune

    options = Options(
        epochs=training.epochs,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        scale=training.scale,
        validate_every=training.judge_every,
        seed=job.seed,
        bf16=training.bf16,
    )
    folder = cache_folder() / "training" / f"encoder-{_digest(encoder, training_set, options)}"
    trained, looks = finetune(
        encoder,
        training_set.examples,
        training_set.item_texts,
        replace(options, deadline=job.until(training.max_minutes)),
        validate=lambda candidate: validation_ndcg(candidate, training_set),
        folder=folder,
        report=job.report,
    )
    return FinetunedEncoder(encoder=trained, looks=looks, folder=folder)


def validation_ndcg(encoder: Encoder, training_set: TrainingSet) -> float:
    """Mean NDCG@10 of the validation requests, ranked among the training set's pool."""
    items = encoder.encode_items([training_set.item_texts[row] for row in training_set.pool])
    queries = encoder.encode_queries([text for text, _ in training_set.valid_queries])
    columns = {row: column for column, row in enumerate(training_set.pool)}
    gains = []
    for scores, (_, rows) in zip(queries @ items.T, training_set.valid_queries, strict=True):
        targets = [scores[columns[row]] for row in rows if row in columns]
        # Ties count against the encoder, and so do scores that are no numbers: one that has
        # collapsed or diverged is the worst there is.
        ranks = sorted(int((~(scores < score)).sum()) for score in targets)
        gains.append(ndcg(np.asarray(ranks), len(rows), CUTOFF))
    return float(np.mean(gains))


def forget_training(folder: Path | None) -> None:
    """Remove what a killed training would have gone on from: it is done."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(encoder: Encoder, training_set: TrainingSet, options: Options) -> str:
    """Names a training by all that decides what comes out."""
    settings = [__version__, encoder.fingerprint, repr(options), list(training_set.pool)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for example in training_set.examples:
        digest.update(repr(example).encode())
    for text in training_set.item_texts:
        digest.update(text.encode())
    for text, rows in training_set.valid_queries:
        digest.update(f"{text} {sorted(rows)}".encode())
    return digest.hexdigest()[:24]
