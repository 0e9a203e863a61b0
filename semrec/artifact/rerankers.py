"""From configuration to the reranker of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from semrec.artifact.addresses import REMOTE
from semrec.config import RerankConfig
from semrec.encoders.names import resolve
from semrec.endpoint import Address, Endpoint
from semrec.errors import ConfigError
from semrec.pipeline.rerank import Reranking, Wording
from semrec.prompting import Prompt, Prompts, load_prompt
from semrec.protocols import Reranker
from semrec.rerankers.sanity_check import FAILS, complaint
from semrec.rerankers.worker import RerankWorker

if TYPE_CHECKING:
    from semrec.encoders.language_model import LanguageModel


def make_reranking(
    config: RerankConfig,
    prompts: Prompts,
    weights: Mapping[str, float],
    model: LanguageModel | None,
    own: Mapping[str, Prompt] | None = None,
) -> Reranking | None:
    """The configured reranker, checked; None if none is configured.

    Args:
        config: Which.
        prompts: Put items into words.
        weights: Of its word, by kind of query.
        model: The language model, if one was loaded for this configuration.
        own: An artifact's own prompts by kind; None: as configured.

    Raises:
        ConfigError: If the configuration doesn't say enough.
        ModelError: If its weights aren't here.
    """
    if config.kind == "none":
        return None
    own = own or {}
    reranker = make_reranker(config, model, own)
    return Reranking(
        worker=RerankWorker(reranker),
        top=config.top,
        weights=weights,
        always=config.always,
        wording=make_wording(config, prompts, own),
        complaint=_complaint(config, reranker),
    )


def make_wording(
    config: RerankConfig, prompts: Prompts, own: Mapping[str, Prompt] | None = None
) -> Wording:
    """The wording of a reranker's requests and candidates.

    Args:
        config: What of a candidate, and the prompt.
        prompts: Put items into words.
        own: An artifact's own prompts by kind; None: as configured.
    """
    prompt = (own or {}).get("rerank_request") or load_prompt("rerank_request", config.prompt)
    return Wording(words=config.words, prompt=prompt, prompts=prompts)


def make_reranker(
    config: RerankConfig,
    model: LanguageModel | None,
    own: Mapping[str, Prompt] | None = None,
) -> Reranker:
    """The reranker itself.

    Raises:
        ConfigError: If the configuration doesn't say enough.
        ModelError: If its weights aren't here.
    """
    match config.kind:
        case "causal_lm":
            if model is None:
                raise ConfigError("a reranker of kind causal_lm needs a loaded language model")
            from semrec.rerankers.causal_lm import LikelihoodReranker
            from semrec.rerankers.prefixes import PrefixModel

            return LikelihoodReranker(
                model=PrefixModel(model.read.model),
                tokens=model.tokens,
                prompt=rerank_prompt(config, own),
            )
        case "cross_encoder":
            from semrec.rerankers.cross_encoder import load_cross_encoder

            return load_cross_encoder(resolve(config.model), device=config.device)
        case "chat" | "endpoint":
            from semrec.rerankers.remote import ChatReranker, Nowhere, ServiceReranker

            if not config.url:
                return Nowhere(model=config.model)
            address = Address(url=config.url, key_variable=config.key_variable)
            there = Endpoint(address=address, what="reranker")
            if config.kind == "endpoint":
                return ServiceReranker(endpoint=there, model=config.model, form=config.form)
            prompt = rerank_prompt(config, own)
            return ChatReranker(endpoint=there, model=config.model, prompt=prompt)
    raise ConfigError(f"rerank.kind {config.kind!r} names no reranker")


def stored_rerank(config: RerankConfig) -> RerankConfig:
    """The configuration as an artifact keeps it: its prompts lie in the artifact."""
    return config.model_copy(update={"prompt": RerankConfig().prompt})


def rerank_prompt(config: RerankConfig, own: Mapping[str, Prompt] | None = None) -> Prompt:
    """The prompt that a language model reranks by: an artifact's own, else the packaged one."""
    kind = "rerank_listwise" if config.kind == "chat" else "rerank_likelihood"
    return (own or {}).get(kind) or load_prompt(kind, kind)


def rerank_prompts(config: RerankConfig) -> list[Prompt]:
    """The prompts that an artifact with this reranker keeps beside its item and query prompts."""
    if config.kind == "none":
        return []
    prompts = [load_prompt("rerank_request", config.prompt)]
    return [*prompts, rerank_prompt(config)] if config.kind in ("causal_lm", "chat") else prompts


def _complaint(config: RerankConfig, reranker: Reranker) -> str:
    """A reason not to ask it; empty: it may be asked."""
    reason = complaint(reranker) or ""
    if config.kind in REMOTE and config.url and reason.startswith(FAILS):
        return ""  # it may be there later: the worker's breaker looks after that
    return reason
