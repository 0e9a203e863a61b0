"""A head on a language model's states: learned from requests, weighed on requests it hasn't seen.

real requests in folds → fused lists → states of their titles
                       → each fold judged by a head of the others' → a weight for each kind of query
                       → one head of all
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semrec.choosing.folds import FOLDS, WHOLE, in_folds
from semrec.choosing.heads import Head as Top
from semrec.choosing.heads import fused_heads
from semrec.choosing.judging import JudgedList, best_weight
from semrec.choosing.prepare import Prepared
from semrec.choosing.settling import Settled
from semrec.deadline import NEVER
from semrec.errors import ConfigError
from semrec.fusion.tune import TuningCase
from semrec.ranking.ranker import Ranker
from semrec.rerankers.head import Head, HeadReranker, StateReader
from semrec.rerankers.health import probed
from semrec.rerankers.logit import conditional_logit
from semrec.reranking import Wording
from semrec.types import BoolArray, Case, FloatArray, Progress, RowArray

LEAST, MOST = 100, 3_000  # lists
RIGHT, RANDOM = 5, 4  # what was right beyond the head of a list, and drawn from everywhere
PENALTY = 0.03  # of 0.003 to 0.1 the best on validation requests of redial and iard


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


def check_enough(cases: Sequence[Case]) -> None:
    """Raises ConfigError if there are too few requests to learn from."""
    if len(cases) < LEAST:
        raise ConfigError(
            f"rerank.mode head learns from real requests: found {len(cases)}, expected at least "
            f"{LEAST}; give --intents, or take another rerank.mode"
        )


def learn_head(
    cases: Sequence[Case],
    prepared: Prepared,
    settled: Settled,
    reader: StateReader,
    wording: Wording,
    ranker: Ranker | None,
    report: Progress,
    deadline: float | None,
) -> tuple[Head, dict[str, float], dict[str, Any]]:
    """The head, the weight of its word by kind of query, and what was measured.

    Args:
        cases: Real requests.
        prepared: Data and prompts.
        settled: The encoder, and the fusion over the validation's training events.
        reader: Reads the states.
        wording: Puts requests and candidates into words.
        ranker: Ranks the lists before they are judged, as in `choose_weights`.
        report: Called as it proceeds.
        deadline: When to stop reading lists, as `time.monotonic()` gives it in seconds.

    Raises:
        ConfigError: If there are too few requests.
    """
    check_enough(cases)
    rng = np.random.default_rng(prepared.config.seed)
    cases = [cases[place] for place in rng.permutation(len(cases))[:MOST]]
    lists = _read(cases, prepared, settled, reader, wording, ranker, rng, report, deadline)
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
        if len(ours) >= prepared.config.fusion.min_cases:
            weighed[kind], told[kind] = best_weight(ours, prepared.config.seed)
    weights = conditional_logit([one.teaches(WHOLE) for one in lists], PENALTY)
    report("learn head", FOLDS + 1, FOLDS + 1)
    unprobed = Head(weights=weights, probe=np.zeros(0, dtype=np.float32))
    head = replace(unprobed, probe=probed(HeadReranker(reader=reader, head=unprobed)))
    return head, weighed, told


def _read(
    cases: Sequence[Case],
    prepared: Prepared,
    settled: Settled,
    reader: StateReader,
    wording: Wording,
    ranker: Ranker | None,
    rng: np.random.Generator,
    report: Progress,
    deadline: float | None,
) -> list[_Read]:
    catalog = prepared.dataset.catalog
    asked = in_folds(prepared, settled, cases)
    heads: list[list[Top]] = []
    for fusion in asked.fusions:
        report("search lists", len(heads), len(asked.fusions))
        heads.append(fused_heads(fusion, asked.cases, prepared.config.rerank.top, ranker))
    lists: list[_Read] = []
    found_by_case = zip(*heads, strict=True)
    for intent, one, fold, found in zip(
        asked.intents, asked.cases, asked.folds, found_by_case, strict=True
    ):
        report("read lists", len(lists), len(cases))
        if deadline is not None and time.monotonic() > deadline and len(lists) >= LEAST:
            break
        others = _others(one, found[WHOLE][1], len(catalog), rng)
        rows = np.unique(np.concatenate([*(head[1] for head in found), others]))
        lists.append(
            _Read(
                unit=one.unit,
                fold=fold,
                targets=one.targets,
                others=others,
                heads=found,
                rows=rows,
                states=reader.states(
                    wording.request(intent, one.session, catalog),
                    wording.texts(rows, catalog),
                    NEVER,
                ),
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
