"""From configuration to the models that read: encoder, language model, interpreter."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from semrec.config import Config, EncoderConfig
from semrec.data.catalog import Catalog
from semrec.encoders.cached import CachedEncoder, uncached
from semrec.encoders.embeddings_endpoint import (
    CHARS_PER_TOKEN,
    MAX_BYTES,
    MAX_LENGTH,
    EndpointEncoder,
    measured_dim,
)
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.paced import PacedEncoder
from semrec.encoders.watched import WatchedEncoder, canary_of, refuse_another
from semrec.endpoint import Address, Addresses, Endpoint
from semrec.environment.caches import cache_folder
from semrec.errors import ConfigError
from semrec.intent.chat_reader import ChatReader, attributes_of
from semrec.prompting import Prompt, load_prompt
from semrec.protocols import DeadlineEncoder, Encoder, Interpreter
from semrec.types import FloatArray

logger = logging.getLogger(__name__)

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
        case "endpoint":
            encoder = make_endpoint_encoder(config)
        case "static":
            raise ConfigError(
                "encoder.kind static is distilled on a catalogue's texts, by `semrec build` alone"
            )
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
            encoder = _make_decoder(config, model)
    if not cache:
        return encoder
    cached = CachedEncoder(encoder=encoder, path=cache_file())
    if config.kind == "endpoint":
        refuse_another(cached)
    return cached


def _make_decoder(config: EncoderConfig, model: LanguageModel | None) -> Encoder:
    from semrec.encoders import decoder

    prompt = config.query_prompt
    options = decoder.DecoderOptions(
        pooling=config.pooling,
        query_prompt=decoder.QUERY_PROMPT if prompt is None else prompt,
        max_length=config.max_length or decoder.MAX_LENGTH,
        batch_size=config.batch_size,
    )
    return decoder.load_decoder(
        config.model, options, device=config.device, dtype=config.dtype, shared=model
    )


def make_endpoint_encoder(config: EncoderConfig, dim: int | None = None) -> EndpointEncoder:
    """The encoder behind the operator's address.

    Args:
        config: With the address; where it has none, the environment's.
        dim: Length of its vectors; None: it is asked.

    Raises:
        ConfigError: If there is no address.
        EndpointError: If it is asked and fails.
    """
    address = Address(url=config.url, key_variable=config.key_variable)
    if not address.url:
        address = Addresses.from_environment().encoder
    if not address.url:
        raise ConfigError(
            f"nothing says where the encoder {config.model!r} is: "
            "encoder.url of a build, serve --encoder-url URL, or SEMREC_ENCODER_URL"
        )
    endpoint = Endpoint(address=address, what="encoder", max_bytes=MAX_BYTES)
    return EndpointEncoder(
        endpoint=endpoint,
        model=config.model,
        dim=dim or measured_dim(endpoint, config.model),
        query_prompt=config.query_prompt or "",
        batch_size=config.batch_size,
        max_chars=CHARS_PER_TOKEN * (config.max_length or MAX_LENGTH),
    )


def make_watched_encoder(config: EncoderConfig, canary: FloatArray) -> WatchedEncoder:
    """The same as it serves.

    Args:
        config: With the address.
        canary: As the artifact keeps it.

    Raises:
        ConfigError: If there is no address.
        ModelError: If another model answers there, or it refuses to be asked.
    """
    return WatchedEncoder(make_endpoint_encoder(config, canary.shape[1]), canary)


def as_serving(encoder: Encoder) -> Encoder:
    """An encoder as a recommender has it: without a cache, and watched if it is served elsewhere.

    Raises:
        ModelError: If another model answers by now.
    """
    inner = uncached(encoder)
    if not isinstance(inner, EndpointEncoder):
        return inner
    return WatchedEncoder(inner, canary_of(encoder))


def as_punctual(encoder: Encoder) -> Encoder:
    """An encoder that isn't begun where the time is too short, if another stands in for it."""
    return encoder if isinstance(encoder, DeadlineEncoder) else PacedEncoder(encoder)


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


def make_reader(config: Config, address: Address, catalog: Catalog) -> ChatReader | None:
    """The model elsewhere that reads whole requests; None: the rules read them alone.

    Args:
        config: Whether it is asked for, and the model's name.
        address: Where it is, as the operator says; nowhere: it isn't asked.
        catalog: Has the attributes that it may limit.
    """
    if config.intent.interpreter != "chat" or not config.intent.enabled:
        return None
    if not address.url:
        logger.warning("requests are read by the rules alone: nothing says SEMREC_INTENT_URL")
        return None
    endpoint = Endpoint(address=address, what="intent model")
    prompt = load_prompt("read_request", "read_request")
    return ChatReader(endpoint, config.intent.llm, prompt, attributes_of(catalog))


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
    if not config.intent.enabled or config.intent.interpreter in ("none", "chat"):
        return None
    from semrec.encoders.interpreting import EncoderInterpreter, LanguageModelInterpreter

    if model is None or config.intent.interpreter == "encoder":
        return EncoderInterpreter(encoder=encoder)
    return LanguageModelInterpreter(
        model=model, prompt=prompt or load_prompt("limit", config.intent.prompt)
    )
