"""Training the encoder: what on, judged by what, and what came of it.

    examples (training dialogs, made-up requests) → trainer → the best by validation NDCG

Validation ranks what was right for the requests that judge among a sample of the catalogue: the
whole would take longer to encode than the training between two looks.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semrec import __version__
from semrec.artifact.behavioural_models import cache_folder
from semrec.config import EncoderTrainingConfig
from semrec.data.dataset import Dataset
from semrec.data.splits import Split
from semrec.encoders.sentence import SentenceEncoder
from semrec.encoders.training_examples import Example, Options
from semrec.errors import ConfigError, DataError
from semrec.metrics.ranking import ndcg
from semrec.pipeline.resolve import in_words, resolve
from semrec.prompting import Prompts, load_prompt
from semrec.protocols import Encoder
from semrec.training.behaviour_selection import Behaviour
from semrec.training.encoder_examples import dialog_drafts, made_up_drafts, with_negatives
from semrec.training.synthetic_queries import tags_by_row
from semrec.types import Case, Progress

MAX_JUDGED = 300  # requests
MIN_VALID_QUERIES = 30  # with fewer real requests, made-up ones judge, if that is wanted
OTHERS = 700  # items ranked beside what was right for them
JUDGED_AT = 10


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """All that an encoder is trained with.

    Attributes:
        examples: To learn from.
        item_texts: For each row its text, ``""`` for one without.
        asked: Requests that judge: their text and the rows that are right.
        pool: Rows that are ranked for them.
    """

    examples: Sequence[Example]
    item_texts: Sequence[str]
    asked: Sequence[tuple[str, frozenset[int]]]
    pool: Sequence[int]


def make_training_set(
    dataset: Dataset,
    validation: Split,
    learn: Sequence[Case],
    judge: Sequence[Case],
    behaviour: Behaviour,
    prompts: Prompts,
    item_texts: Sequence[str],
    training: EncoderTrainingConfig,
    rng: np.random.Generator,
) -> TrainingSet:
    """The training set of an encoder.

    Args:
        dataset: The catalogue and its tags.
        validation: Its training events may be learned from, and the tags before its cut.
        learn: Requests to learn from; may be empty.
        judge: Requests to judge by; with too few, made-up ones that aren't learned from.
        behaviour: Offers hard negatives.
        prompts: Put requests into words.
        item_texts: For each row its text.
        training: How many made-up requests.
        rng: Draws.

    Raises:
        DataError: If there is nothing to learn from.
    """
    has_text = [bool(text) for text in item_texts]
    drafts = dialog_drafts(learn, dataset, prompts, rng)
    made = made_up_drafts(
        training.made_up + training.made_up // 8,  # some judge, where no real ones do
        validation.train,
        dataset.catalog,
        tags_by_row(dataset.tags, validation.cut),
        prompts,
        load_prompt("synthesise", training.prompt),
        rng,
    )
    rng.shuffle(made)
    asked = []
    for case in judge:
        rows = dataset.catalog.rows(case.relevant)
        if rows and case.query.intent.strip():
            session = resolve(case.query, dataset.catalog, dataset.interactions).session
            text = in_words(case.query.intent, session, dataset.catalog, prompts)
            asked.append((text, frozenset(rows)))
    if len(asked) < MIN_VALID_QUERIES:
        users = sorted({draft.group for draft in made})
        judging = {users[place] for place in rng.permutation(len(users))[: len(users) // 10]}
        asked = [(d.query, frozenset([d.row])) for d in made if d.group in judging]
        made = [draft for draft in made if draft.group not in judging]
    asked = [asked[place] for place in rng.permutation(len(asked))[:MAX_JUDGED]]
    examples = with_negatives(
        [*drafts, *made[: training.made_up]],
        behaviour.vectors,
        behaviour.neighbours,
        validation.train.counts,
        has_text,
        rng,
    )
    if len(examples) < training.batch_size or not asked:
        raise DataError(
            f"found {len(examples)} requests to train the encoder on and {len(asked)} to judge it "
            f"by, expected at least {training.batch_size} and 1; "
            "give more --intents, or set encoder.training.epochs=0"
        )
    right = {row for _, rows in asked for row in rows if has_text[row]}
    others = rng.permutation(np.flatnonzero(has_text))[:OTHERS].tolist()
    return TrainingSet(
        examples=examples,
        item_texts=item_texts,
        asked=asked,
        pool=sorted(right | set(others)),
    )


def train_encoder(
    encoder: Encoder,
    lesson: TrainingSet,
    training: EncoderTrainingConfig,
    seed: int,
    report: Progress,
    deadline: float | None,
) -> tuple[SentenceEncoder, Mapping[str, float], Path]:
    """The trained encoder, its validation NDCG by step, and the folder of its checkpoints.

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
        judge_every=training.judge_every,
        seed=seed,
        bf16=training.bf16,
    )
    if training.max_minutes is not None:
        end = time.monotonic() + 60 * training.max_minutes
        deadline = end if deadline is None else min(deadline, end)
    folder = cache_folder() / "training" / f"encoder-{_digest(encoder, lesson, options)}"
    trained, seen = finetune(
        encoder,
        lesson.examples,
        lesson.item_texts,
        options,
        judge=lambda candidate: judged(candidate, lesson),
        folder=folder,
        report=report,
        deadline=deadline,
    )
    return trained, seen, folder


def judged(encoder: Encoder, lesson: TrainingSet) -> float:
    """Mean NDCG@10 of the judging requests, ranked among the lesson's pool."""
    items = encoder.encode_items([lesson.item_texts[row] for row in lesson.pool])
    queries = encoder.encode_queries([text for text, _ in lesson.asked])
    places = {row: place for place, row in enumerate(lesson.pool)}
    gains = []
    for scores, (_, rows) in zip(queries @ items.T, lesson.asked, strict=True):
        targets = [scores[places[row]] for row in rows if row in places]
        # Ties count against the encoder, and so do scores that are no numbers: one that has
        # collapsed or diverged is the worst there is.
        ranks = sorted(int((~(scores < score)).sum()) for score in targets)
        gains.append(ndcg(np.asarray(ranks), len(rows), JUDGED_AT))
    return float(np.mean(gains))


def forget_training(folder: Path | None) -> None:
    """Remove what a killed training would have gone on from: it is done."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(encoder: Encoder, lesson: TrainingSet, options: Options) -> str:
    """Names a training by all that decides what comes out."""
    settings = [__version__, encoder.fingerprint, repr(options), list(lesson.pool)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for example in lesson.examples:
        digest.update(repr(example).encode())
    for text in lesson.item_texts:
        digest.update(text.encode())
    for text, rows in lesson.asked:
        digest.update(f"{text} {sorted(rows)}".encode())
    return digest.hexdigest()[:24]
