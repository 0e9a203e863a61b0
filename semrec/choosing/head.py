"""A head on a language model's states: learned from requests, weighed on requests it hasn't seen.

real requests in folds → fused lists → states of their titles
                       → each fold judged by a head of the others' → a weight for each kind of query
                       → one head of all
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semrec.choosing.folds import FOLDS, WHOLE, Requests
from semrec.choosing.heads import Head as Top
from semrec.choosing.heads import fused_heads
from semrec.choosing.judging import JudgedList, best_weight
from semrec.config import Config
from semrec.errors import ConfigError
from semrec.fusion.tune import TuningCase
from semrec.ranking.ranker import Ranker
from semrec.rerankers.logit import conditional_logit
from semrec.types import BoolArray, FloatArray, Progress, RowArray, SessionRows

LEAST, MOST = 100, 3_000  # lists
RIGHT, RANDOM = 5, 4  # what was right beyond the head of a list, and drawn from everywhere
PENALTY = 0.03  # of 0.003 to 0.1 the best on validation requests of redial and iard

Reads = Callable[[str, SessionRows, RowArray], FloatArray]
"""What a language model thinks of (n,) rows after an intent and a session: (n, width) float32."""


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A request, its fused lists, and all of their items as the language model sees them.

    Attributes:
        unit: The dialog it belongs to.
        fold: That of its dialog.
        targets: Rows of what was right.
        others: Rows of further items to learn from.
        heads: For each fold that is left out, the list's head; the last one leaves out none.
        rows: (n,) int64, all these rows, rising.
        states: (n, width) float32.
    """

    unit: str
    fold: int
    targets: RowArray
    others: RowArray
    heads: Sequence[Top]
    rows: RowArray
    states: FloatArray

    @property
    def kind(self) -> str:
        """Of the query."""
        return self.heads[0][0].kind

    def teaches(self, left_out: int) -> tuple[FloatArray, BoolArray]:
        """What there is to learn from; texts without words have no states."""
        shown = np.union1d(self.heads[left_out][1], self.others)
        states = self.states[np.searchsorted(self.rows, shown)]
        known = np.isfinite(states).all(axis=1)
        return states[known], np.isin(shown[known], self.targets)

    def judged_by(self, weights: FloatArray, left_out: int) -> JudgedList:
        """The list as a head judges it."""
        _, rows, scores = self.heads[left_out]
        return JudgedList(
            listed=scores,
            judged=self.states[np.searchsorted(self.rows, rows)] @ weights,
            right=np.isin(rows, self.targets),
            n_relevant=max(1, len(self.targets)),
            unit=self.unit,
        )


def check_enough(n_requests: int) -> None:
    """Raises ConfigError if there are too few requests to learn from."""
    if n_requests < LEAST:
        raise ConfigError(
            f"rerank.mode head learns from real requests: found {n_requests}, expected at least "
            f"{LEAST}; give --intents, or take another rerank.mode"
        )


def learn_head(
    requests: Requests,
    reads: Reads,
    ranker: Ranker | None,
    config: Config,
    report: Progress,
    deadline: float | None,
) -> tuple[FloatArray, dict[str, float], dict[str, Any]]:
    """The head, (width,) float32; the weight of its word by kind of query; what was measured.

    Args:
        requests: At least `LEAST`.
        reads: What the language model thinks of candidates.
        ranker: Ranks the lists before they are judged, as in `choose_weights`.
        config: How many candidates are judged.
        report: Called as it proceeds.
        deadline: When to stop reading lists, as `time.monotonic()` gives it in seconds.
    """
    lists = _read(requests, reads, ranker, config, report, deadline)
    judged: dict[str, list[JudgedList]] = {"words": [], "both": []}
    for fold in range(FOLDS):
        report("learn head", fold, FOLDS + 1)
        weights = conditional_logit([o.teaches(fold) for o in lists if o.fold != fold], PENALTY)
        for one in lists:
            if one.fold == fold:
                judged[one.kind].append(one.judged_by(weights, fold))
    weighed, told = {"session": 0.0}, {}  # it has learned from words
    for kind, ours in judged.items():
        weighed[kind] = 0.0
        if len(ours) >= config.fusion.min_cases:
            weighed[kind], told[kind] = best_weight(ours, config.seed)
    head = conditional_logit([one.teaches(WHOLE) for one in lists], PENALTY)
    report("learn head", FOLDS + 1, FOLDS + 1)
    return head, weighed, told


def _read(
    requests: Requests,
    reads: Reads,
    ranker: Ranker | None,
    config: Config,
    report: Progress,
    deadline: float | None,
) -> list[_Read]:
    """Lists of at most `MOST` requests, in a random order."""
    rng = np.random.default_rng(config.seed)
    places = rng.permutation(len(requests.cases))[:MOST].tolist()
    cases = [requests.cases[place] for place in places]
    heads: list[list[Top]] = []
    for fusion in requests.fusions:
        report("search lists", len(heads), len(requests.fusions))
        heads.append(fused_heads(fusion, cases, config.rerank.top, ranker))
    n_items = len(requests.fusions[WHOLE].popularity)
    lists: list[_Read] = []
    for place, case, found in zip(places, cases, zip(*heads, strict=True), strict=True):
        report("read lists", len(lists), len(cases))
        if deadline is not None and time.monotonic() > deadline and len(lists) >= LEAST:
            break
        others = _others(case, found[WHOLE][1], n_items, rng)
        rows = np.unique(np.concatenate([*(head[1] for head in found), others]))
        lists.append(
            _Read(
                unit=case.unit,
                fold=requests.folds[place],
                targets=case.targets,
                others=others,
                heads=found,
                rows=rows,
                states=reads(requests.intents[place], case.session, rows),
            )
        )
    report("read lists", len(cases), len(cases))
    return lists


def _others(case: TuningCase, rows: RowArray, n_items: int, rng: np.random.Generator) -> RowArray:
    """What was right beyond the list's head, and a few items from everywhere."""
    right = np.setdiff1d(case.targets, np.concatenate([rows, case.excluded]))
    drawn = rng.integers(n_items, size=RANDOM)
    return np.asarray(
        np.concatenate([rng.permutation(right)[:RIGHT], np.setdiff1d(drawn, [*rows, *right])]),
        dtype=np.int64,
    )
