"""The judge of a list's head, as it is configured, and what its word is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from semrec.artifact.rerankers import make_reranking
from semrec.encoders.language_model import LanguageModel
from semrec.pipeline.rerank import Reranking
from semrec.ranking.ranker import Ranker
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.preparation import Prepared
from semrec.training.reranker_weight import choose_weights
from semrec.types import Progress


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A judge.

    Attributes:
        reranking: With its weights; None: there is none.
        told: What was measured, for the manifest.
    """

    reranking: Reranking | None = None
    told: dict[str, Any]


def select_reranker(
    prepared: Prepared,
    settled: EncoderSelection,
    ranker: Ranker | None,
    model: LanguageModel | None,
    report: Progress,
) -> Chosen:
    """The configured judge, weighed on validation requests.

    Args:
        prepared: Data and prompts.
        settled: The encoder, and the fusion over the validation's training events.
        ranker: Ranks the lists before they are judged.
        model: The language model, if one was loaded for this configuration.
        report: Called as it proceeds.

    Raises:
        ConfigError: If the configuration doesn't say enough.
        ModelError: If its weights aren't here.
    """
    config, catalog = prepared.config, prepared.dataset.catalog
    made = make_reranking(config.rerank, prepared.prompts, {}, model)
    if made is None:
        return Chosen(told={})
    judging = (made, settled.trial, settled.sets, catalog, config, report)
    weights, told = choose_weights(*judging, ranker)
    return Chosen(
        reranking=replace(made, weights=weights),
        told={"rerank": told, "rerank_weights": weights},
    )
