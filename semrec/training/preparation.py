"""Preparation: data read and split, requests parsed, behaviour selected.

dataset + requests → held out | validation | training → behaviour chosen → encoder trained
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from semrec.artifact.assembly import make_intent_parser
from semrec.config import Config
from semrec.data.attributes import LabelledItems, labelled_items
from semrec.data.catalog import Catalog
from semrec.data.dataset import Dataset
from semrec.data.intents import dialogs_wanting, read_cases, split_dialogs
from semrec.data.splits import Split
from semrec.encoders.cached import uncached
from semrec.intent.intent_parser import IntentParser
from semrec.lexical.bm25 import BM25
from semrec.lexical.postings import fit_bm25
from semrec.pipeline.resolve import parse_intent
from semrec.prompting import ItemTexts, Prompts, load_prompt
from semrec.protocols import Encoder
from semrec.training.behaviour_selection import Behaviour, select_behaviour
from semrec.training.encoder_training import MIN_VALID_QUERIES, make_training_set, train_encoder
from semrec.training.random_streams import Stage, rng_of
from semrec.training.search_context import SearchContext, make_search_context
from semrec.training.synthetic_queries import frequent_tags
from semrec.training.validation import hold_out, validation_of
from semrec.training.validation_queries import encoded
from semrec.training.weight_search import TuningCase
from semrec.types import Case, FloatArray, Progress


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A dataset on the way to a recommender.

    Attributes:
        dataset: As it was read.
        config: How to build.
        prompts: Put items and requests into words.
        intent_parser: Reads requests, or None.
        held_out: What may be learned from, and what is kept for a test.
        validation: The former again in two.
        train_queries: Requests to learn from, parsed.
        valid_queries: Requests of other dialogs, to validate on.
        ground: What behavioural options were tried on.
        cases: Next-item cases that validate.
        chosen: The behavioural half, fitted on `validation.train`.
        views: For each row its text, ``""`` for an item with neither title nor text; and the same
            without the title, if there is such a view.
        lexical: Matches words; None: nothing does.
        labelled: Which items have which labels, if labels that a request names shall pull.
    """

    dataset: Dataset
    config: Config
    prompts: Prompts
    intent_parser: IntentParser | None
    held_out: Split
    validation: Split
    train_queries: Sequence[Case]
    valid_queries: Sequence[Case]
    ground: SearchContext
    cases: Sequence[Case]
    chosen: Behaviour
    views: Sequence[Sequence[str]]
    lexical: BM25 | None
    labelled: LabelledItems | None

    @property
    def texts(self) -> Sequence[str]:
        """For each row its text; ``""`` for an item with neither title nor text."""
        return self.views[0]

    def wanted(self, cases: Sequence[Case]) -> FloatArray | None:
        """(n_items,) float32, in how many of the cases' dialogs an item was right; or None."""
        if not self.config.fusion.domain:
            return None
        return dialogs_wanting(cases, self.dataset.catalog)

    def encoded(self, cases: Sequence[Case], encoder: Encoder) -> list[TuningCase]:
        """The cases as they are tuned on."""
        return encoded(cases, self.dataset, encoder, self.prompts, self.intent_parser, self.lexical)


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


def prepare(
    dataset: Dataset,
    config: Config,
    intents: Sequence[str | Path | Sequence[Case]],
    report: Progress,
    deadline: float | None,
) -> Prepared:
    """Everything before the encoder.

    Args:
        dataset: What was read.
        config: How to build.
        intents: Files or lists of requests, besides those of the dataset.
        report: Called as work proceeds.
        deadline: When to stop trying options, as `time.monotonic()` gives it in seconds.

    Raises:
        SemrecError: A subclass says which input is wrong and how.
    """
    prompts = Prompts(
        item=load_prompt("item", config.prompts.item),
        query=load_prompt("query", config.prompts.query),
        about=load_prompt("item_about", config.prompts.item_about)
        if config.prompts.item_about
        else None,
    )
    held_out = hold_out(dataset.positives, config.split)
    intent_parser = make_intent_parser(config, dataset.catalog, held_out.train)
    dialogs = [
        _understood(case, intent_parser, dataset.catalog)
        for case in _read_intents([*dataset.intents, *intents])
    ]
    train_queries, valid_queries = split_dialogs(dialogs, config.split.valid_dialogs)
    validation = validation_of(held_out.train, config.split)
    if validation.cut is None:  # each user's last moments: tags are bounded by the test's cut
        validation = replace(validation, cut=held_out.cut)
    tags = frequent_tags(dataset.tags, held_out.cut)
    views = [ItemTexts(prompts=prompts, catalog=dataset.catalog, tags=tags)]
    if prompts.about is not None:
        views.append(ItemTexts(prompts=prompts, catalog=dataset.catalog, tags=tags, about=True))
    ground, cases = make_search_context(validation, dataset, config, report, deadline)
    return Prepared(
        dataset=dataset,
        config=config,
        prompts=prompts,
        intent_parser=intent_parser,
        held_out=held_out,
        validation=validation,
        train_queries=train_queries,
        valid_queries=valid_queries,
        ground=ground,
        cases=cases,
        chosen=select_behaviour(ground),
        views=views,
        lexical=fit_bm25(
            prompts.fields_of(dataset.catalog, row, tags.get(row, ()))
            for row in range(len(dataset.catalog))
        )
        if config.lexical.enabled
        else None,
        labelled=(
            labelled_items(dataset.catalog.attributes, len(dataset.catalog))
            if config.fusion.named and intent_parser is not None
            else None
        ),
    )


def finetune_encoder(
    prepared: Prepared, encoder: Encoder, report: Progress, deadline: float | None
) -> FinetunedEncoder:
    """The encoder trained as the configuration says.

    It stays as it is with 0 epochs, and where too few real requests would judge what it learned.
    """
    training = prepared.config.encoder.training
    judging = sum(
        bool(case.relevant) and bool(case.query.intent) for case in prepared.valid_queries
    )
    if not training.epochs or (judging < MIN_VALID_QUERIES and not training.unjudged):
        return FinetunedEncoder(encoder=encoder)
    lesson = make_training_set(
        prepared.dataset,
        prepared.validation,
        prepared.train_queries,
        prepared.valid_queries,
        prepared.chosen,
        prepared.prompts,
        prepared.texts,
        training,
        rng_of(prepared.config.seed, Stage.ENCODER_EXAMPLES),
    )
    base = uncached(encoder)
    trained, looks, folder = train_encoder(
        base, lesson, training, prepared.config.seed, report, deadline
    )
    return FinetunedEncoder(encoder=trained, looks=looks, folder=folder)


def _read_intents(sources: Sequence[str | Path | Sequence[Case]]) -> list[Case]:
    cases: list[Case] = []
    for source in sources:
        if isinstance(source, str | Path):
            cases += read_cases(source, for_training=True)
        else:
            cases += source
    return cases


def _understood(case: Case, intent_parser: IntentParser | None, catalog: Catalog) -> Case:
    """The case as the recommender reads it: what is learned from it is what it will meet."""
    return replace(case, query=parse_intent(case.query, intent_parser, catalog).query)
