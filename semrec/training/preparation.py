"""Preparation: data read and split, requests parsed, behaviour selected.

dataset + requests → held out | validation | training → behaviour chosen → encoder trained
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semrec.artifact.assembly import make_intent_parser
from semrec.config import Config
from semrec.data.attributes import LabelledItems, labelled_items
from semrec.data.catalog import Catalog
from semrec.data.dataset import Dataset
from semrec.data.intents import dialogs_wanting, read_cases, split_dialogs
from semrec.data.splits import Split
from semrec.intent.intent_parser import IntentParser
from semrec.lexical.bm25 import BM25
from semrec.lexical.postings import fit_bm25
from semrec.pipeline.resolve import parse_intent
from semrec.prompting import ItemTexts, Prompts, load_prompt
from semrec.protocols import Encoder
from semrec.training.behaviour_selection import Behaviour, select_behaviour
from semrec.training.job import Job
from semrec.training.search_context import SearchContext, make_search_context
from semrec.training.synthetic_queries import frequent_tags
from semrec.training.validation import hold_out, validation_of
from semrec.training.validation_queries import CaseReader
from semrec.training.weight_search import TuningCase
from semrec.types import Case, FloatArray


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
        context: What behavioural options were tried on.
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
    context: SearchContext
    cases: Sequence[Case]
    chosen: Behaviour
    views: Sequence[Sequence[str]]
    lexical: BM25 | None
    labelled: LabelledItems | None

    @property
    def texts(self) -> Sequence[str]:
        """For each row its text; ``""`` for an item with neither title nor text."""
        return self.views[0]

    @property
    def has_texts(self) -> bool:
        """True if any item has a text: without one there is nothing to train an encoder on."""
        return any(self.texts)

    @property
    def dialogs(self) -> Sequence[Case]:
        """All requests, those to learn from and those to validate on."""
        return (*self.train_queries, *self.valid_queries)

    @property
    def reader(self) -> CaseReader:
        """The reader of requests, as the recommender will read them."""
        return CaseReader(
            dataset=self.dataset,
            prompts=self.prompts,
            intent_parser=self.intent_parser,
            lexical=self.lexical,
        )

    def wanted(self, cases: Sequence[Case]) -> FloatArray | None:
        """(n_items,) float32, in how many of the cases' dialogs an item was right; or None."""
        if not self.config.fusion.domain:
            return None
        return dialogs_wanting(cases, self.dataset.catalog)

    def encoded(self, cases: Sequence[Case], encoder: Encoder) -> list[TuningCase]:
        """The cases as they are tuned on."""
        return self.reader.encoded(cases, encoder)


def prepare(
    dataset: Dataset,
    config: Config,
    intents: Sequence[str | Path | Sequence[Case]],
    job: Job,
) -> Prepared:
    """Everything before the encoder.

    Args:
        dataset: What was read.
        config: How to build.
        intents: Files or lists of requests, besides those of the dataset.
        job: Whom to tell, when to stop, what to draw from.

    Raises:
        SemrecError: A subclass says which input is wrong and how.
    """
    prompts, catalog = load_prompts(config), dataset.catalog
    held_out = hold_out(dataset.positives, config.split)
    intent_parser = make_intent_parser(config, catalog, held_out.train)
    cases = _read_intents([*dataset.intents, *intents])
    dialogs = [_understood(case, intent_parser, catalog) for case in cases]
    train_queries, valid_queries = split_dialogs(dialogs, config.split.valid_dialogs)
    validation = validation_of(held_out.train, config.split)
    if validation.cut is None:  # each user's last moments: tags are bounded by the test's cut
        validation = replace(validation, cut=held_out.cut)
    tags = frequent_tags(dataset.tags, held_out.cut)
    context, next_items = make_search_context(validation, dataset, config, job)
    may_name = config.fusion.named and intent_parser is not None
    return Prepared(
        dataset=dataset,
        config=config,
        prompts=prompts,
        intent_parser=intent_parser,
        held_out=held_out,
        validation=validation,
        train_queries=train_queries,
        valid_queries=valid_queries,
        context=context,
        cases=next_items,
        chosen=select_behaviour(context),
        views=item_views(dataset, prompts, held_out.cut),
        lexical=_fit_lexical(prompts, catalog, tags) if config.lexical.enabled else None,
        labelled=labelled_items(catalog.attributes, len(catalog)) if may_name else None,
    )


def load_prompts(config: Config) -> Prompts:
    """The prompts that put items and requests into words.

    Raises:
        ConfigError: If there is none of a name, or a template is wrong.
    """
    named = config.prompts
    return Prompts(
        item=load_prompt("item", named.item),
        query=load_prompt("query", named.query),
        about=load_prompt("item_about", named.item_about) if named.item_about else None,
    )


def item_views(dataset: Dataset, prompts: Prompts, cut: float | None) -> list[ItemTexts]:
    """The items in words, and without their titles if there is a prompt for that.

    Args:
        dataset: With tags.
        prompts: Put an item into words.
        cut: The moment from which tags are held out; None: there is none.
    """
    tags = frequent_tags(dataset.tags, cut)
    views = [ItemTexts(prompts=prompts, catalog=dataset.catalog, tags=tags)]
    if prompts.about is not None:
        about = ItemTexts(prompts=prompts, catalog=dataset.catalog, tags=tags, about=True)
        views.append(about)
    return views


def _fit_lexical(prompts: Prompts, catalog: Catalog, tags: Mapping[int, Sequence[str]]) -> BM25:
    rows = range(len(catalog))
    return fit_bm25(prompts.fields_of(catalog, row, tags.get(row, ())) for row in rows)


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
