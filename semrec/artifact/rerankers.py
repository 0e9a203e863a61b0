"""From configuration to the reranker of a list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from semrec.config import RerankConfig
from semrec.encoders.names import resolve
from semrec.errors import ConfigError
from semrec.pipeline.rerank import Reranking, Wording
from semrec.prompting import Prompt, Prompts, load_prompt
from semrec.protocols import Reranker
from semrec.rerankers.sanity_check import FAILS, complaint
from semrec.rerankers.worker import RerankWorker

if TYPE_CHECKING:
    from semrec.encoders.language_model import LanguageModel

DIALOGS = "dialogs.json"  # in a trained reranker's folder: hashed ids of what it learned from
RERANKER = "reranker"  # an artifact's own, as a graph
REMOTE = ("chat", "endpoint")


def make_reranking(
    config: RerankConfig,
    prompts: Prompts,
    weights: Mapping[str, float],
    model: LanguageModel | None,
    folder: Path | None = None,
    own: Mapping[str, Prompt] | None = None,
) -> Reranking | None:
    """The configured reranker, checked; None if none is configured.

    Args:
        config: Which.
        prompts: Put items into words.
        weights: Of its word, by kind of query.
        model: The language model, if one was loaded for this configuration.
        folder: An artifact's folder, which may hold the reranker.
        own: An artifact's own prompts by kind; None: as configured.

    Raises:
        ConfigError: If the configuration doesn't say enough.
        ModelError: If its weights aren't here.
    """
    if config.kind == "none":
        return None
    own = own or {}
    reranker = make_reranker(config, model, folder, own)
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
    folder: Path | None = None,
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
            own_graph = None if folder is None else folder / RERANKER
            if own_graph is None or not own_graph.is_dir():
                own_graph = graph_of(config)
            if own_graph is not None:
                from semrec.rerankers.onnx_cross_encoder import load_graph_reranker

                return load_graph_reranker(own_graph)
            from semrec.rerankers.cross_encoder import load_cross_encoder

            return load_cross_encoder(resolve(config.model), device=config.device)
        case "chat" | "endpoint":
            from semrec.rerankers.remote import ChatReranker, Endpoint, ServiceReranker

            if not config.url:
                raise ConfigError(f"a reranker of kind {config.kind} needs rerank.url")
            there = Endpoint(url=config.url, key_variable=config.key_variable)
            if config.kind == "endpoint":
                return ServiceReranker(endpoint=there, model=config.model)
            prompt = rerank_prompt(config, own)
            return ChatReranker(endpoint=there, model=config.model, prompt=prompt)
    raise ConfigError(f"rerank.kind {config.kind!r} names no reranker")


def graph_of(config: RerankConfig) -> Path | None:
    """The folder of a cross-encoder's graph, if that is what is configured: it joins artifacts."""
    folder = Path(config.model)
    is_graph = config.kind == "cross_encoder" and (folder / "model.onnx").is_file()
    return folder if is_graph else None


def dialogs_judged_by(config: RerankConfig) -> list[str]:
    """Hashed ids of the dialogs that the configured reranker was trained on here."""
    folder = graph_of(config)
    if folder is None or not (folder / DIALOGS).is_file():
        return []
    return list(json.loads((folder / DIALOGS).read_text(encoding="utf-8")))


def stored_rerank(config: RerankConfig) -> RerankConfig:
    """The configuration as an artifact keeps it: what lies in the artifact needs no path."""
    kept: dict[str, str] = {"prompt": RerankConfig().prompt}
    if graph_of(config) is not None:
        kept["model"] = RERANKER
    return config.model_copy(update=kept)


def rerank_prompt(config: RerankConfig, own: Mapping[str, Prompt] | None = None) -> Prompt:
    """The prompt that a language model reranks by: an artifact's own, else the packaged one."""
    kind = "rerank_listwise" if config.kind == "chat" else "rerank_likelihood"
    return (own or {}).get(kind) or load_prompt(kind, kind)


def rerank_prompts(config: RerankConfig) -> list[Prompt]:
    """The prompts that an artifact with this reranker keeps beside its item and query prompts."""
    if config.kind == "none":
        return []
    asked = load_prompt("rerank_request", config.prompt)
    return [asked, rerank_prompt(config)] if config.kind in ("causal_lm", "chat") else [asked]


def _complaint(config: RerankConfig, reranker: Reranker) -> str:
    """A reason not to ask it; empty: it may be asked."""
    found = complaint(reranker) or ""
    if config.kind in REMOTE and found.startswith(FAILS):
        return ""  # it may be there later: the worker's breaker looks after that
    return found
