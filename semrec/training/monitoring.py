"""The reference that monitoring compares with: validation requests as they will be answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semrec.monitor.reference import Reference, answer_cases, make_reference, popularity_by
from semrec.recommender import Recommender
from semrec.training.job import Job, Stage
from semrec.training.preparation import Prepared
from semrec.types import Case

MAX_REQUESTS, MAX_SESSIONS = 3_000, 500


def monitoring_reference(prepared: Prepared, recommender: Recommender, job: Job) -> Reference:
    """The reference of an artifact: up to `MAX_REQUESTS` real requests, `MAX_SESSIONS` sessions.

    Made-up requests are left out: what people say would differ from them for ever.

    Args:
        prepared: Has the requests and the sessions.
        recommender: As it will serve, but for its reranker, which isn't asked.
        job: Draws, if there are more; whom to tell.
    """
    rng = job.rng_of(Stage.MONITORING)
    worded = [case for case in prepared.dialogs if case.query.intent.strip()]
    cases = [*_drawn(worded, MAX_REQUESTS, rng), *_drawn(prepared.cases, MAX_SESSIONS, rng)]
    job.report("monitoring reference", 0, 1)
    lists = answer_cases(recommender, cases)
    counts = recommender.interactions.counts
    reference = make_reference(lists, popularity_by(recommender.catalog, counts))
    job.report("monitoring reference", 1, 1)
    return reference


def _drawn(cases: Sequence[Case], n: int, rng: np.random.Generator) -> list[Case]:
    if len(cases) <= n:
        return list(cases)
    return [cases[i] for i in np.sort(rng.choice(len(cases), n, replace=False))]
