"""Shared validation data for the search of options: the same events and cases for all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semrec import __version__
from semrec.artifact.behavioural_models import SEQUENCE_MODELS, cache_folder
from semrec.config import Config
from semrec.data.attributes import label_numbers
from semrec.data.dataset import Dataset
from semrec.data.interactions import Interactions
from semrec.data.splits import Split
from semrec.fusion.fitting import fit_block
from semrec.fusion.gate import UNTUNED
from semrec.protocols import SparseModel, VectorModel
from semrec.training.fusion import fuse
from semrec.training.job import Job, Stage
from semrec.training.validation import validation_cases
from semrec.training.validation_queries import in_rows
from semrec.training.weight_search import NEIGHBOUR_SHARES, TuningCase, Weighed, cutoff_of, weigh
from semrec.types import Case


@dataclass(frozen=True, kw_only=True)
class SearchContext:
    """The events and cases that options are tried on.

    Attributes:
        events: What may be learned from.
        cases: Next-item cases that follow.
        config: What to try.
        n_seen: How many items have events in the whole dataset: what the refit may meet.
        labels: For each item the numbers of its labels.
        job: Whom to tell, and when to stop.
    """

    events: Interactions
    cases: Sequence[TuningCase]
    config: Config
    n_seen: int
    labels: Sequence[Sequence[int]]
    job: Job

    @property
    def can_tell(self) -> bool:
        """True if there are cases enough to tell options apart."""
        return len(self.cases) >= self.config.fusion.min_cases

    def weigh(
        self,
        vectors: VectorModel,
        neighbours: SparseModel | None = None,
        shares: Sequence[float] = NEIGHBOUR_SHARES,
    ) -> Weighed:
        """The best weights of a list made with these and popularity, and its NDCG."""
        if not self.cases:
            return Weighed(weights=UNTUNED.baseline, values=np.zeros(0))
        nothing = np.zeros((self.events.n_items, 0), dtype=np.float32)
        silent = fit_block(nothing, np.zeros(len(nothing), dtype=bool))
        return weigh(
            fuse(silent, vectors, neighbours, self.events, self.config),
            self.cases,
            cutoff=cutoff_of(self.config.fusion.cutoff, self.cases),
            semantic=False,
            neighbour_shares=shares,
        )


def make_search_context(
    validation: Split,
    dataset: Dataset,
    config: Config,
    job: Job,
) -> tuple[SearchContext, list[Case]]:
    """The search context of a validation split, and the cases that tune the fusion, in ids.

    It has `behaviour.max_cases` of them, of which the first `fusion.max_cases` tune.

    Args:
        validation: What is learned from, and what follows.
        dataset: The catalogue, and the events that the cases' exclusions come from.
        config: What to try.
        job: Whom to tell, when to stop, what to draw from.
    """
    most = max(config.behaviour.max_cases, config.fusion.max_cases)
    rng = job.rng_of(Stage.VALIDATION_CASES)
    cases = validation_cases(validation, dataset.catalog, config, most, rng)
    tried_on = cases[: config.behaviour.max_cases]
    context = SearchContext(
        events=validation.train,
        cases=[in_rows(case, None, dataset) for case in tried_on if case.query.session],
        config=config,
        n_seen=int((dataset.positives.counts > 0).sum()),
        labels=label_numbers(dataset.catalog.attributes.values(), len(dataset.catalog)),
        job=job,
    )
    return context, cases[: config.fusion.max_cases]


def checkpoint_of(
    kind: str, events: Interactions, context: SearchContext, epochs: int | None
) -> Path | None:
    """The path of a training's checkpoint: named by all that decides what comes out.

    Args:
        kind: Only sequence models have one.
        events: What it is trained on.
        context: What else decides.
        epochs: How many; None: validation says.
    """
    if kind not in SEQUENCE_MODELS:
        return None
    behaviour = context.config.behaviour
    settings = [
        __version__,
        kind,
        epochs,
        behaviour.model_dump(mode="json", exclude={"neighbours"}),
        context.config.seed,
        [list(numbers) for numbers in context.labels] if behaviour.training.labels else [],
        events.n_items,
        context.can_tell,
    ]
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update(events.rows.tobytes())
    digest.update(events.starts.tobytes())
    for case in context.cases:  # they say when to stop
        for rows in (case.session.rows, case.targets, case.excluded):
            digest.update(rows.tobytes())
    return cache_folder() / "training" / f"{kind}-{digest.hexdigest()[:24]}.safetensors"
