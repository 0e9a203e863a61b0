"""The judge of a list's head, as it is configured, and what its word is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from semrec.assemble.rerankers import (
    by_head,
    make_reranking,
    make_state_reader,
    make_wording,
    rerank_prompt,
)
from semrec.choosing.folds import Requests, real_requests
from semrec.choosing.head import check_enough, learn_head
from semrec.choosing.judging import choose_weights
from semrec.choosing.prepare import Prepared
from semrec.choosing.settling import Settled
from semrec.deadline import NEVER
from semrec.encoders.language_model import LanguageModel
from semrec.ranking.ranker import Ranker
from semrec.rerankers.head import Head, HeadReranker
from semrec.reranking import Reranking
from semrec.types import FloatArray, Progress, RowArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A judge.

    Attributes:
        reranking: With its weights; None: there is none.
        head: What it learned, if it is one that learns here.
        told: What was measured, for the manifest.
    """

    reranking: Reranking | None = None
    head: Head | None = None
    told: dict[str, Any]


def check_judge(prepared: Prepared) -> None:
    """Raises ConfigError now rather than later if the judge would have too little to learn from."""
    if by_head(prepared.config.rerank):
        check_enough(len(real_requests(prepared)))


def choose_judge(
    prepared: Prepared,
    settled: Settled,
    requests: Requests | None,
    ranker: Ranker | None,
    model: LanguageModel | None,
    report: Progress,
    deadline: float | None,
) -> Chosen:
    """The configured judge, weighed on validation requests.

    Args:
        prepared: Data and prompts.
        settled: The encoder, and the fusion over the validation's training events.
        requests: Real requests, for a judge that learns.
        ranker: Ranks the lists before they are judged.
        model: The language model, if one was loaded for this configuration.
        report: Called as it proceeds.
        deadline: When to stop, as `time.monotonic()` gives it in seconds.

    Raises:
        ConfigError: If the configuration doesn't say enough, or there is too little to learn from.
        ModelError: If its weights aren't here.
    """
    config, catalog = prepared.config, prepared.dataset.catalog
    if by_head(config.rerank) and model is not None:
        check_enough(0 if requests is None else len(requests.cases))
        assert requests is not None
        reader = make_state_reader(model, rerank_prompt(config.rerank), config.rerank.layers)
        wording = make_wording(config.rerank, prepared.prompts)

        def reads(intent: str, session: SessionRows, rows: RowArray) -> FloatArray:
            request = wording.request(intent, session, catalog)
            return reader.states(request, wording.texts(rows, catalog), NEVER)

        learned, weights, told = learn_head(requests, reads, ranker, config, report, deadline)
        judge = HeadReranker.made(reader, learned)
        made = make_reranking(config.rerank, prepared.prompts, weights, model, reranker=judge)
        told = {"rerank": told, "rerank_weights": weights}
        return Chosen(reranking=made, head=judge.head, told=told)
    made = make_reranking(config.rerank, prepared.prompts, {}, model)
    if made is None:
        return Chosen(told={})
    judging = (made, settled.trial, settled.sets, catalog, config, report)
    weights, told = choose_weights(*judging, ranker)
    return Chosen(
        reranking=replace(made, weights=weights),
        told={"rerank": told, "rerank_weights": weights},
    )
