"""From configuration to the models that read: encoder, language model, interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from semrec.config import Config, EncoderConfig
from semrec.encoders.cached import CachedEncoder
from semrec.encoders.hashing import HashingEncoder
from semrec.environment.caches import cache_folder
from semrec.errors import ConfigError
from semrec.prompting import Prompt, load_prompt
from semrec.protocols import Encoder, Interpreter

if TYPE_CHECKING:
    from semrec.encoders.language_model import LanguageModel


def make_encoder(
    config: EncoderConfig, *, cache: bool = True, model: LanguageModel | None = None
) -> Encoder:
    """The configured encoder; with `cache`, behind the disk cache.

    Args:
        config: Which.
        cache: Whether to look vectors up before making them.
        model: A loaded language model; a decoder of the same weights shares them with it.

    Raises:
        ModelError: If its weights aren't here.
    """
    encoder: Encoder
    match config.kind:
        case "hashing":
            return HashingEncoder(dim=config.dim)
        case "sentence":
            from semrec.encoders.sentence import load_sentence_encoder

            encoder = load_sentence_encoder(
                config.model,
                device=config.device,
                batch_size=config.batch_size,
                query_prompt=config.query_prompt,
                max_length=config.max_length,
            )
        case "decoder":
            from semrec.encoders.decoder import (
                MAX_LENGTH,
                QUERY_PROMPT,
                DecoderOptions,
                load_decoder,
            )

            prompt = config.query_prompt
            prompt = QUERY_PROMPT if prompt is None else prompt
            encoder = load_decoder(
                config.model,
                DecoderOptions(
                    pooling=config.pooling,
                    query_prompt=prompt,
                    max_length=config.max_length or MAX_LENGTH,
                    batch_size=config.batch_size,
                ),
                device=config.device,
                dtype=config.dtype,
                shared=model,
            )
    return CachedEncoder(encoder=encoder, path=cache_file()) if cache else encoder


def cache_file() -> Path:
    """The cache of item vectors: under SEMREC_CACHE, else in the user's cache folder."""
    return cache_folder() / "vectors.sqlite"


def make_language_model(config: Config) -> LanguageModel | None:
    """The language model that interprets limits or reranks lists, if one is asked for.

    One instance serves both, and an encoder of the same weights too.

    Raises:
        ConfigError: If two different ones are asked for.
        ModelError: If its weights aren't here.
    """
    reads = config.intent.enabled and config.intent.interpreter == "llm"
    reranks = config.rerank.kind == "causal_lm"
    if not reads and not reranks:
        return None
    name = config.rerank.model if reranks else config.intent.llm
    if reads and reranks and config.intent.llm != name:
        raise ConfigError(
            f"intent.llm is {config.intent.llm!r} and rerank.model {name!r}; one language model "
            "serves both: name the same"
        )
    from semrec.encoders.language_model import load_language_model

    return load_language_model(name, device=config.encoder.device)


def make_interpreter(
    config: Config, encoder: Encoder, model: LanguageModel | None, prompt: Prompt | None = None
) -> Interpreter | None:
    """The interpreter of limits that the rules don't know; None: there is none.

    Args:
        config: Whom to ask.
        encoder: The recommender's encoder.
        model: What `make_language_model` made of the same configuration.
        prompt: An artifact's own; None: as configured.
    """
    if not config.intent.enabled or config.intent.interpreter == "none":
        return None
    from semrec.encoders.interpreting import EncoderInterpreter, LanguageModelInterpreter

    if model is None or config.intent.interpreter == "encoder":
        return EncoderInterpreter(encoder=encoder)
    return LanguageModelInterpreter(
        model=model, prompt=prompt or load_prompt("limit", config.intent.prompt)
    )
