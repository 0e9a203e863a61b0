"""The reference that monitoring compares with: requests as they will be answered.

A service's own, if the dataset has them; else those that validate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semrec.data.traffic import read_traffic
from semrec.monitor.reference import (
    MIN_UNITS,
    Reference,
    answer_cases,
    make_reference,
    popularity_by,
)
from semrec.recommender import Recommender
from semrec.training.job import Job, Stage
from semrec.training.preparation import Prepared
from semrec.types import Case

MAX_REQUESTS, MAX_SESSIONS = 3_000, 500


def monitoring_reference(prepared: Prepared, recommender: Recommender, job: Job) -> Reference:
    """The reference of an artifact: up to `MAX_REQUESTS` real requests, `MAX_SESSIONS` sessions.

    Made-up requests are left out: what people say would differ from them for ever. So would it
    from another dataset's dialogs; where the dataset has enough of a service's traffic, that is
    all that counts.

    Args:
        prepared: Has the requests and the sessions.
        recommender: As it will serve, but for its reranker, which isn't asked.
        job: Draws, if there are more; whom to tell.
    """
    rng = job.rng_of(Stage.MONITORING)
    traffic = prepared.dataset.traffic
    served = [] if traffic is None else read_traffic(traffic)
    is_enough = len({case.unit for case in served}) >= MIN_UNITS
    dialogs, sessions = (served, served) if is_enough else (prepared.dialogs, prepared.cases)
    worded = [case for case in dialogs if case.query.intent.strip()]
    silent = [case for case in sessions if not case.query.intent.strip()]
    cases = [*_drawn(worded, MAX_REQUESTS, rng), *_drawn(silent, MAX_SESSIONS, rng)]
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
