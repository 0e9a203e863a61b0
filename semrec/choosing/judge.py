"""The judge of a list's head, as it is configured, and what its word is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from semrec.assemble.rerankers import make_reranking, make_state_reader, make_wording
from semrec.choosing.folds import real_requests
from semrec.choosing.head import check_enough, learn_head
from semrec.choosing.judging import choose_weights
from semrec.choosing.prepare import Prepared
from semrec.choosing.settling import Settled
from semrec.config import Config
from semrec.encoders.language_model import LanguageModel
from semrec.ranking.ranker import Ranker
from semrec.rerankers.head import Head
from semrec.reranking import Reranking
from semrec.types import Case, Progress


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
    if _learns(prepared.config):
        check_enough(real_requests(prepared))


def choose_judge(
    prepared: Prepared,
    settled: Settled,
    model: LanguageModel | None,
    ranker: Ranker | None,
    cases: Sequence[Case],
    report: Progress,
    deadline: float | None,
) -> Chosen:
    """The configured judge, weighed on validation requests.

    Args:
        prepared: Requests, events, texts.
        settled: The encoder, and the fusion over the validation's training events.
        model: The language model, if one was loaded for this configuration.
        ranker: Ranks the lists before they are judged.
        cases: Real requests, for a judge that learns.
        report: Called as it proceeds.
        deadline: When to stop, as `time.monotonic()` gives it in seconds.

    Raises:
        ConfigError: If the configuration doesn't say enough, or there is too little to learn from.
        ModelError: If its weights aren't here.
    """
    config = prepared.config
    if _learns(config) and model is not None:
        reader = make_state_reader(config.rerank, model)
        wording = make_wording(config.rerank, prepared.prompts)
        head, weights, told = learn_head(
            cases, prepared, settled, reader, wording, ranker, report, deadline
        )
        made = make_reranking(config.rerank, prepared.prompts, weights, model, head=head)
        return Chosen(reranking=made, head=head, told={"rerank": told, "rerank_weights": weights})
    made = make_reranking(config.rerank, prepared.prompts, {}, model)
    if made is None:
        return Chosen(told={})
    judging = (made, settled.trial, settled.sets, prepared.dataset.catalog, config, report)
    weights, told = choose_weights(*judging, ranker)
    return Chosen(
        reranking=replace(made, weights=weights),
        told={"rerank": told, "rerank_weights": weights},
    )


def _learns(config: Config) -> bool:
    return config.rerank.kind == "causal_lm" and config.rerank.mode == "head"
