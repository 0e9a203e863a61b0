"""Validation cases in the form the fusion is tuned on: one set for each kind of query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from semrec.config import Config
from semrec.data.dataset import Dataset
from semrec.data.splits import Split
from semrec.intent.intent_parser import IntentParser
from semrec.lexical.bm25 import BM25, unmatched
from semrec.pipeline.resolve import in_words, resolve
from semrec.prompting import Prompts, load_prompt
from semrec.protocols import Encoder
from semrec.training.synthetic_queries import make_request, synthetic_topics, tags_by_row
from semrec.training.weight_search import TuningCase
from semrec.types import Case, FloatArray, Label, LexicalMatch, Query

MADE_UP = 300  # synthetic requests: they check a quick encoder and an index, and tune nothing


@dataclass(frozen=True, kw_only=True)
class TuningSets:
    """Cases by kind of query.

    Attributes:
        words: Words without a session.
        session: A session without words.
        both: Both.
        made_up: The kinds whose words are made up.
        topics: Synthetic topics, all items that carry them right, without a session.
        strangers: The same after a session that doesn't fit.
    """

    words: tuple[TuningCase, ...]
    session: tuple[TuningCase, ...]
    both: tuple[TuningCase, ...]
    made_up: frozenset[str]
    topics: tuple[TuningCase, ...] = ()
    strangers: tuple[TuningCase, ...] = ()

    @property
    def real(self) -> list[TuningCase]:
        """The requests whose words somebody said."""
        kinds = {"words": self.words, "both": self.both}
        return [case for kind in kinds if kind not in self.made_up for case in kinds[kind]]

    @property
    def source(self) -> str:
        """The source of the words, in words."""
        return ("dialogs", "dialogs and made up", "made up")[len(self.made_up)]


@dataclass(frozen=True, kw_only=True)
class CaseReader:
    """Reads cases as the recommender will read their queries.

    Attributes:
        dataset: The catalogue, tags and events.
        prompts: Put requests into words.
        intent_parser: Finds the titles and labels that requests name; None: none are.
        lexical: Matches their words; None: nothing does.
    """

    dataset: Dataset
    prompts: Prompts
    intent_parser: IntentParser | None
    lexical: BM25 | None

    def encoded(self, cases: Sequence[Case], encoder: Encoder) -> list[TuningCase]:
        """Requests as they are tuned on; without words an intent of None."""
        catalog = self.dataset.catalog
        resolved = [in_rows(case, None, self.dataset) for case in cases]
        read = [self._read(case.query.intent) for case in cases]
        texts = [
            in_words(about, tuning.session, catalog, self.prompts)
            for (about, _), tuning in zip(read, resolved, strict=True)
        ]
        spoken = [i for i, text in enumerate(texts) if text]
        vectors = encoder.encode_queries([texts[i] for i in spoken])
        by_index = dict(zip(spoken, vectors, strict=True))
        return [
            replace(
                tuning,
                intent=by_index.get(i),
                match=self._match(about, case.query.intent),
                named=named,
                text=texts[i],
            )
            for i, (case, tuning, (about, named)) in enumerate(
                zip(cases, resolved, read, strict=True)
            )
        ]

    def _match(self, about: str, intent: str) -> LexicalMatch:
        kind = self.dataset.catalog.kind
        if self.lexical is None:
            return unmatched(intent, kind)
        return self.lexical.match(about, intent, kind)

    def _read(self, intent: str) -> tuple[str, tuple[Label, ...]]:
        """A request without the titles that it names; and the labels that it names."""
        if self.intent_parser is None or not intent.strip():
            return intent, ()
        read = self.intent_parser.parse_intent(intent)
        return read.about, read.named


def make_tuning_sets(
    reader: CaseReader,
    encoder: Encoder,
    config: Config,
    *,
    validation: Split,
    dialogs: Sequence[Case],
    cases: Sequence[Case],
    rng: np.random.Generator,
) -> TuningSets:
    """Cases for tuning.

    Args:
        reader: Reads them.
        encoder: Encodes the requests.
        config: How many cases at least, at most.
        validation: Tags given after its cut are not used.
        dialogs: Real requests from training dialogs, if any.
        cases: Next-item cases from `validation`, without words.
        rng: Draws what a made-up request says.
    """
    dataset = reader.dataset
    session = [in_rows(case, None, dataset) for case in cases if case.query.session]
    real = [case for case in dialogs if case.relevant and case.query.intent.strip()]
    if len(real) > config.fusion.max_cases:
        kept = np.sort(rng.choice(len(real), config.fusion.max_cases, replace=False))
        real = [real[i] for i in kept]
    encoded = reader.encoded(real, encoder)
    words = [case for case in encoded if not len(case.session)]
    both = [case for case in encoded if len(case.session)]
    kinds = {"words": words, "both": both}
    made_up = frozenset(name for name in kinds if len(kinds[name]) < config.fusion.min_cases)
    if made_up:
        made = _with_requests(validation, dataset, config, cases[:MADE_UP], rng)
        if "words" in made_up:
            wordy = [replace(case, query=_without_session(case.query)) for case in made]
            words = reader.encoded(wordy, encoder)
        if "both" in made_up:
            both = reader.encoded([case for case in made if case.query.session], encoder)
    alone: list[Case] = []
    after: list[Case] = []
    if len(made_up) < 2:  # without real requests beside them they teach nothing
        alone, after = synthetic_topics(dataset.catalog, validation.train, rng)
    return TuningSets(
        words=tuple(words),
        session=tuple(session),
        both=tuple(both),
        made_up=made_up,
        topics=tuple(reader.encoded(alone, encoder)),
        strangers=tuple(reader.encoded(after, encoder)),
    )


def _with_requests(
    validation: Split,
    dataset: Dataset,
    config: Config,
    cases: Sequence[Case],
    rng: np.random.Generator,
) -> list[Case]:
    """The cases with a made-up request for one of their targets each."""
    prompt = load_prompt("request", config.prompts.request)
    tags = tags_by_row(dataset.tags, validation.cut)
    made = []
    for case in cases:
        rows = dataset.catalog.rows(case.relevant)
        row = rows[int(rng.integers(len(rows)))]
        text = make_request(row, dataset.catalog, tags, prompt, rng)
        if text:
            # Only this target is what the words ask for.
            wanted = (dataset.catalog.item_ids[row],)
            made.append(replace(case, query=replace(case.query, intent=text), relevant=wanted))
    return made


def _without_session(query: Query) -> Query:
    """The words alone; what was in the session still can't come back."""
    seen = [event.item_id for event in query.events]
    return replace(query, session=(), exclude=(*query.exclude, *seen))


def in_rows(case: Case, intent: FloatArray | None, dataset: Dataset) -> TuningCase:
    """The case as the recommender itself would look it up."""
    resolved = resolve(case.query, dataset.catalog, dataset.interactions)
    return TuningCase(
        intent=intent,
        session=resolved.session,
        targets=np.asarray(dataset.catalog.rows(case.relevant), dtype=np.int64),
        excluded=resolved.excluded,
        unit=case.unit,
        allowed=resolved.allowed,
    )
