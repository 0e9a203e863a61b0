"""Configuration: YAML checked by closed models; every value has a place and a meaning.

A list of numbers means: try each, keep what does best on validation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from semrec.environment.packaged import find_packaged
from semrec.errors import ConfigError, nearest

Choices = list[float]
# Addresses and names of keys are the operator's: they are in no dump, so no artifact has them.
Elsewhere: str = Field(default="", exclude=True)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _above_zero(values: Choices) -> Choices:
    if not values or min(values) <= 0:
        raise ValueError("expected one or more numbers above 0")
    return values


class EncoderTrainingConfig(_Closed):
    """Fine-tuning of the encoder; with 0 epochs it stays as it is."""

    epochs: float = Field(default=0.0, ge=0, le=100)
    made_up: int = Field(default=4000, ge=0)  # requests made up from interactions
    # Train also where no real requests validate. Made-up ones flatter what was trained on their
    # like: on real requests it was worse than the untrained encoder (notebooks/LOG.md).
    unjudged: bool = False
    batch_size: int = Field(default=64, ge=2, le=4096)
    learning_rate: float = Field(default=5e-5, gt=0)
    scale: float = Field(default=20.0, gt=0)  # of cosines, before the softmax
    judge_every: float = Field(default=0.25, gt=0, le=1)  # share of the steps
    max_minutes: float | None = Field(default=None, gt=0)
    bf16: bool | None = None  # half precision in the forward pass; None: where the device has it
    prompt: str = "synthesise"  # name of a packaged prompt, or a path


class EncoderConfig(_Closed):
    """Text to vectors.

    `kind` sentence is any sentence-transformers model, decoder any decoder-only LLM (also as GGUF),
    both by hub name, path, or a short name such as ``smollm2``; endpoint any model behind an
    OpenAI-shaped ``/v1/embeddings``, by the name that it knows it by; static a vector for each
    token, distilled from a sentence-transformers model by the build.
    """

    kind: Literal["sentence", "decoder", "endpoint", "static", "hashing"] = "sentence"
    model: str = "sentence-transformers/all-MiniLM-L6-v2"
    url: str = Elsewhere  # endpoint only, such as http://localhost:8080/v1/embeddings
    key_variable: str = Elsewhere  # endpoint only: the environment variable that holds its key
    device: str | None = None  # as torch names them; decoder: or as accelerate maps them (auto, …)
    batch_size: int = Field(default=32, ge=1, le=4096)
    # Before every query, word for word; items have none. None: what the model itself brings, for a
    # decoder a general "Instruct: …\nQuery: ".
    query_prompt: str | None = Field(default=None, max_length=4000)
    # Tokens; None: the model's own, for a decoder 512. Items keep their start, queries their end.
    # Of an endpoint four characters each, for it counts by itself; None: 2,048.
    max_length: int | None = Field(default=None, ge=8, le=131_072)
    pooling: Literal["mean", "last"] = "mean"  # decoder only: over all tokens, or the last one
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"  # decoder only
    dim: int = Field(default=256, ge=8, le=8192)  # hashing only
    # What requests are encoded with when they are served: ONNX Runtime where its vectors and lists
    # are torch's (checked at build), in int8 if that is so too; sentence only.
    runtime: Literal["auto", "torch", "onnx", "onnx-int8"] = "auto"
    training: EncoderTrainingConfig = EncoderTrainingConfig()


class TrainingConfig(_Closed):
    """Shape and training of sasrec and two_tower."""

    blocks: int = Field(default=2, ge=1, le=32)  # sasrec only
    heads: int = Field(default=2, ge=1, le=64)  # sasrec only; a divisor of behaviour.factors
    dropout: float = Field(default=0.5, ge=0, lt=1)
    labels: bool = True  # learn vectors of the attributes' labels beside those of the items
    loss: Literal["full", "sampled", "in_batch"] | None = None  # by kind, and by catalogue size
    negatives: int = Field(default=1024, ge=1)  # for loss: sampled
    max_length: int = Field(default=50, ge=2, le=1000)
    epochs: int = Field(default=60, ge=1)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=0.002, gt=0)


class NeighboursConfig(_Closed):
    """The sparse second source beside the vectors: each item's strongest neighbours."""

    kind: Literal["auto", "ease", "item_knn", "none"] = "auto"
    keep: int = Field(default=100, ge=1, le=2000)  # per item
    # ease only, as long as each is better than the one before: a fit may take minutes.
    regularization: Choices = [50.0, 200.0, 1000.0]
    shrink: Choices = [1.0, 10.0, 50.0]  # item_knn only
    decay: Choices = [0.7, 0.8, 0.9, 1.0]

    _as_list = field_validator("regularization", "shrink", "decay", mode="before")(_listed)
    _positive = field_validator("regularization", "shrink", "decay")(_above_zero)


class BehaviourConfig(_Closed):
    """The behavioural model that is fused: vectors, and neighbours beside them.

    `auto` weighs on validation neighbours alone, the vectors that are quick to fit (als, pure_svd)
    alone, and mixtures of both; within one standard error of the best it takes the simplest.
    `two_tower` isn't recommended: no measurement shows a gain over what `auto` takes.
    """

    kind: Literal["auto", "als", "pure_svd", "sasrec", "two_tower", "none"] = "auto"
    factors: int = Field(default=128, ge=1, le=2048)
    regularization: Choices = [10.0, 30.0]  # als only
    alpha: Choices = [3.0, 10.0]  # als only
    decay: Choices = [0.7, 0.8, 0.9, 1.0]
    iterations: int | None = Field(default=None, ge=1, le=1000)  # als; None: 15
    training: TrainingConfig = TrainingConfig()
    neighbours: NeighboursConfig = NeighboursConfig()
    # Minutes for `auto` to train sasrec too, half to choose and half for all events; None: none.
    network_minutes: float | None = Field(default=None, gt=0)
    # Next-item cases at most that choose: with 1,500 it is noise that chooses (notebooks/LOG.md).
    max_cases: int = Field(default=10_000, ge=1)

    _as_list = field_validator("regularization", "alpha", "decay", mode="before")(_listed)
    _positive = field_validator("regularization", "alpha", "decay")(_above_zero)


class FusionConfig(_Closed):
    """Tuning of the weights, and imputation of items without events from their text."""

    semantic: bool = True  # False: words and texts weigh nothing, to see what they add
    # Whether the mixes of requests in words are learned, where that is better on the worst ratio to
    # a parent; fixed: the defaults.
    gate: Literal["learned", "fixed"] = "learned"
    # Least weight of words that hold a content word which some item has.
    words_floor: float = Field(default=0.2, ge=0, lt=1)
    domain: bool = True  # count what training requests asked for and got
    named: bool = True  # labels that a request names pull towards items that have them
    # Of the NDCG that is maximised. None: 10 where a thousand users or dialogs or more validate;
    # with fewer 100, since a longer list tells options apart with less noise.
    cutoff: int | None = Field(default=None, ge=1, le=1000)
    max_cases: int = Field(default=1500, ge=1)  # of each kind that tune; behaviour has its own
    min_cases: int = Field(default=20, ge=1)  # with fewer the untuned weights stay
    fill: bool = True  # items without events get behaviour and popularity from their text
    decay: float = Field(default=0.9, gt=0, le=1)  # of the session's texts
    # From rank 11 on, one place in so many is for an item that nobody has touched, or fewer where
    # these are a smaller share of the catalogue; 0: none is.
    untouched_every: int = Field(default=3, ge=0, le=1000)


class LexicalConfig(_Closed):
    """Words matched as words (BM25), beside the vectors."""

    enabled: bool = True


class RankingConfig(_Closed):
    """The Wide & Deep ranker over the head of the fused list, trained on validation cases.

    It is kept for those kinds of query whose lists are better with it by models that hadn't seen
    them (cross-validated, the lower end of the paired interval above 0).
    """

    enabled: bool = False
    min_lists: int = Field(default=50, ge=1)  # with something right; fewer can't train
    hidden: int = Field(default=32, ge=2, le=1024)  # of the first layer; the second has half
    dropout: float = Field(default=0.2, ge=0, lt=1)
    weight_decay: float = Field(default=0.1, ge=0)
    learning_rate: float = Field(default=0.005, gt=0)
    epochs: int = Field(default=40, ge=1)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=64, ge=1)


class RerankConfig(_Closed):
    """The reranker of the top candidates; `budget_ms` of a query bounds it."""

    # A local language model by likelihood; a cross-encoder; an OpenAI-compatible chat endpoint; a
    # /rerank one.
    kind: Literal["none", "causal_lm", "cross_encoder", "chat", "endpoint"] = "none"
    model: str = "smollm2"  # hub name, path or short name; of an endpoint the name it knows
    url: str = Elsewhere  # of a chat model or an endpoint
    key_variable: str = Elsewhere  # the environment variable that holds its key
    # How an endpoint is asked: as Jina, Cohere, vLLM and llama.cpp's server have it, as TEI, or as
    # vLLM's /score.
    form: Literal["jina", "tei", "score"] = "jina"
    device: str | None = None
    top: int = Field(default=20, ge=2, le=200)  # candidates
    words: Literal["title", "text"] = "title"  # what of a candidate is read
    always: bool = True  # False: only for queries that ask for it
    judge_cases: int = Field(default=150, ge=1)  # validation requests that choose its weight
    weight: float = Field(default=0.3, ge=0)  # of its word, where no real requests can choose it
    prompt: str = "rerank_request"  # name of a packaged prompt, or a path


class IntentConfig(_Closed):
    """The reading of words before they are encoded."""

    enabled: bool = True  # limits and negations become filters, named titles join the session
    # Who is asked what "nothing gory" rules out, where no label has such a word: nobody, the
    # encoder by similarity, or a language model (hub name, path or short name) by likelihood.
    # chat: the model `llm` behind SEMREC_INTENT_URL reads whole requests, beside the rules.
    interpreter: Literal["none", "encoder", "llm", "chat"] = "none"
    llm: str = "smollm2"
    prompt: str = "limit"  # name of a packaged prompt, or a path; for the language model
    # Moods, audiences and denials in labels: name of a packaged table, or a path (copied).
    audience: str = "audience"


class IndexConfig(_Closed):
    """The search index. `flat` and `exact` look at everything, the others at a part.

    `auto` is flat up to 50,000 items and ivf beyond: lists of short codes in memory, dim / 4 bytes
    per item, and the vectors in a file. ivf and hnsw search as broadly as `recall` asks for.
    """

    kind: Literal["auto", "exact", "flat", "hnsw", "ivf"] = "auto"
    recall: float = Field(default=0.97, gt=0, le=1)  # of the 100 best, on validation requests
    links: int = Field(default=32, ge=4, le=128)
    ef_construction: int = Field(default=200, ge=8, le=2000)
    ef_search: int = Field(default=128, ge=8, le=4000)  # to begin with


class DiversityConfig(_Closed):
    """Diversity of lists whose queries don't say.

    `auto` is the largest strength that costs at most 1 % NDCG@10 on validation, with the whole
    interval. A query's own `diversity` counts instead, its `max_per` attribute by attribute.
    """

    strength: Literal["auto"] | Annotated[float, Field(ge=0, le=1)] = 0.0
    # By attribute, how many items of a list may share a label: {genres: 3}.
    max_per: dict[str, Annotated[int, Field(ge=1, le=1000)]] = {}


class SplitConfig(_Closed):
    """Events to learn from, to validate on, and (unless `test` is none) to test on."""

    # Clock data: newest share of events. With an order only: at most this share of a long history.
    valid_share: float = Field(default=0.1, gt=0, lt=1)
    valid_dialogs: float = Field(default=0.25, gt=0, lt=1)  # share of dialogs that validate
    test: Literal["none", "time", "last"] = "none"
    test_share: float = Field(default=0.1, gt=0, lt=1)  # for test: time
    cuts: int = Field(default=1, ge=1, le=20)  # `bench behaviour`: so many such tests in a row
    # Drawn for validation; []: whole sessions. None: 1 to 20 with clock times, whole with an order.
    session_lengths: list[int] | None = None
    max_targets: int = Field(default=20, ge=1)
    max_session: int = Field(default=50, ge=1)


class PromptsConfig(_Closed):
    """Names of packaged prompts, or paths."""

    item: str = "item"
    item_about: str = "item_about"  # the second view, without the title; "": one view
    query: str = "query"
    request: str = "request"


class Config(_Closed):
    """Everything that decides what an artifact becomes, besides the data."""

    encoder: EncoderConfig = EncoderConfig()
    behaviour: BehaviourConfig = BehaviourConfig()
    fusion: FusionConfig = FusionConfig()
    lexical: LexicalConfig = LexicalConfig()
    ranking: RankingConfig = RankingConfig()
    rerank: RerankConfig = RerankConfig()
    intent: IntentConfig = IntentConfig()
    index: IndexConfig = IndexConfig()
    diversity: DiversityConfig = DiversityConfig()
    split: SplitConfig = SplitConfig()
    prompts: PromptsConfig = PromptsConfig()
    seed: int = 0

    @property
    def hash(self) -> str:
        """sha256 of all values."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


RETIRED = dict.fromkeys(
    ["encoder.training.written", "encoder.training.writer", "encoder.training.writing_prompt"],
    "; requests are no longer rewritten by a language model: leave it out",
) | dict.fromkeys(
    ["rerank.mode", "rerank.layers"],
    "; a local language model judges by likelihood alone: leave it out",
)
"""Keys that went, and what to write instead."""


def load_config(name_or_path: str | Path = "default", settings: Sequence[str] = ()) -> Config:
    """A configuration by packaged name or path, with single values set.

    Args:
        name_or_path: ``default``, or a path to a YAML file.
        settings: Such as ``behaviour.factors=64`` or ``behaviour.alpha=[1, 5]``.

    Raises:
        ConfigError: On an unknown file or key (naming the nearest), or a wrong value.

    Examples:
        >>> config = load_config("default", ["behaviour.factors=64", "ranking.enabled=true"])
        >>> config.behaviour.factors, config.ranking.enabled
        (64, True)
    """
    path = find_packaged("configs", str(name_or_path), ".yaml")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigError(f"{path}: found {type(values).__name__}, expected `key: value` lines")
    values = json.loads(json.dumps(values or {}, default=str))  # a copy of plain values
    for setting in settings:
        _set(values, setting)
    return make_config(values, str(path))


def make_config(values: Mapping[str, Any], source: str) -> Config:
    """A configuration from plain values.

    Raises:
        ConfigError: Naming the key, the nearest known one, or the wrong value.
    """
    try:
        return Config(**values)
    except ValidationError as error:
        first = error.errors()[0]
        *parents, key = [str(part) for part in first["loc"]]
        where = ".".join([*parents, key])
        if first["type"] == "extra_forbidden":
            hint = RETIRED.get(where) or nearest(key, _known_keys(parents))
            raise ConfigError(f"{source}: unknown key {where!r}{hint}") from None
        raise ConfigError(f"{source}: {where}: found {first['input']!r}; {first['msg']}") from None


def _set(values: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {setting!r}: expected key=value, such as behaviour.factors=64")
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {setting!r}: {parent!r} is a value, not a section")
    try:
        values[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {setting!r}: not readable as YAML: {error}") from None


def _known_keys(parents: Sequence[str]) -> list[str]:
    model: type[BaseModel] = Config
    for parent in parents:
        annotation = model.model_fields[parent].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
