"""Settings of the service: flags, else ``SEMREC_…`` variables, else a file, else what stands here.

The file is YAML with the same names, `--settings FILE` or SEMREC_SETTINGS.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from semrec.endpoint import Address, Addresses, index_at
from semrec.errors import ConfigError, nearest

PREFIX = "SEMREC_"
FILE = f"{PREFIX}SETTINGS"
Listed = Annotated[list[str], NoDecode]  # in a variable: values with commas between them


class Settings(BaseSettings):
    """Settings of a service."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    artifact: Path  # a folder, or a link to one: what lies behind it is served
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    workers: int = Field(default=1, ge=1, le=256)  # processes, each with the artifact in memory
    state: Path = Path("state")  # sessions and the log
    sessions: str = "sqlite"  # memory (one worker), sqlite, or redis://host:port/0
    verify: Literal["full", "size"] = "full"  # what of an artifact is checked when it is loaded
    api_keys: Annotated[list[SecretStr], NoDecode] = []  # none: everybody is let in
    admin_key: SecretStr | None = None  # for /admin; needed there as soon as there are API keys
    # Requests per second of one key (of one address without keys), shared out evenly over the
    # workers; 0: no limit.
    rate_per_s: float = Field(default=0.0, ge=0)
    cors_origins: Listed = []
    mcp: bool = False  # tools for language models at /mcp
    # Names, beside loopback's and `host`, that /mcp is reached by; others are refused, since a page
    # in a browser can have its own name lead here.
    mcp_hosts: Listed = []
    max_body_bytes: int = Field(default=2_000_000, ge=1_000)
    threads: int | None = Field(default=None, ge=1)  # of one worker; None: its share of the cores
    max_queue: int = Field(default=20, ge=1)  # requests that wait in one worker; more get a 503
    max_batch: int = Field(default=8, ge=1)  # requests that are answered together
    monitor_every: int = Field(default=20, ge=1)  # of so many lists one keeps its request's vector
    served_days: float = Field(default=30.0, gt=0)  # how long served lists stay in the log
    # Where the models are that the artifact leaves to others, and the names of the variables with
    # their keys. Words leave this machine only to these addresses.
    encoder_url: str = ""  # such as http://localhost:8080/v1/embeddings
    encoder_key_variable: str = ""
    rerank_url: str = ""  # such as http://localhost:8081/v1/rerank
    rerank_key_variable: str = ""
    intent_url: str = ""  # such as http://localhost:8001/v1/chat/completions
    intent_key_variable: str = ""
    # Where its rows are published, if they aren't searched here; the token is MILVUS_TOKEN.
    index: str = ""  # such as milvus+http://localhost:19530
    # Who words the replies of a conversation. `llm`: a model behind an OpenAI-compatible address,
    # within the budget; each sentence is checked against the list, else the template's is sent.
    chat_reply: Literal["template", "llm"] = "template"
    chat_reply_url: str = ""  # such as http://localhost:8001/v1/chat/completions
    chat_reply_model: str = ""
    chat_reply_key_variable: str = ""  # name of the variable with the key
    chat_reply_budget_ms: float = Field(default=1_500.0, gt=0, le=30_000)
    experiments: Path | None = None  # a file of experiments; see configs/README.md
    log_intents: bool = False  # what people ask for, word for word, in the logs

    @field_validator("api_keys", "cors_origins", "mcp_hosts", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("admin_key", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        return value or None  # a variable that is empty is no key

    @field_validator("sessions")
    @classmethod
    def _known(cls, value: str) -> str:
        kinds = ("redis://", "rediss://", "unix://")
        if value not in ("memory", "sqlite") and not value.startswith(kinds):
            raise ValueError("expected memory, sqlite or redis://host:port/0")
        return value

    @model_validator(mode="after")
    def _shared(self) -> Settings:
        if self.sessions == "memory" and self.workers > 1:
            raise ValueError("sessions: memory is of one worker; take sqlite for several")
        return self

    @model_validator(mode="after")
    def _has_endpoint(self) -> Settings:
        if self.chat_reply == "llm" and not (self.chat_reply_url and self.chat_reply_model):
            raise ValueError("chat_reply: llm needs chat_reply_url and chat_reply_model")
        return self

    @property
    def engine_threads(self) -> int:
        """Number of threads of one worker that answer."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return self.threads or max(1, (cores or 1) // self.workers)

    @property
    def addresses(self) -> Addresses:
        """Addresses of the models that an artifact leaves to others."""
        return Addresses(
            encoder=Address(url=self.encoder_url, key_variable=self.encoder_key_variable),
            rerank=Address(url=self.rerank_url, key_variable=self.rerank_key_variable),
            intent=Address(url=self.intent_url, key_variable=self.intent_key_variable),
            index=index_at(self.index),
        )

    def redacted(self) -> dict[str, Any]:
        """The effective settings without keys, passwords and paths."""
        kind = self.sessions.split(":", 1)[0]  # an address of Redis can hold a password
        hidden = {
            *("api_keys", "admin_key", "sessions", "artifact", "state"),
            "experiments",
            *("chat_reply_url", "chat_reply_key_variable", "encoder_url", "encoder_key_variable"),
            *("rerank_url", "rerank_key_variable", "intent_url", "intent_key_variable", "index"),
        }
        return {
            **self.model_dump(mode="json", exclude=hidden),
            "sessions": kind,
            "index": self.index.split(":", 1)[0] or "local",
            "api_keys": len(self.api_keys),
            "admin_key": self.admin_key is not None,
            "experiments": self.experiments is not None,
            "threads": self.engine_threads,
        }

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, variables, the file."""
        given = os.environ.get(FILE)
        file = (YamlConfigSettingsSource(settings_cls, given),) if given else ()
        return (init_settings, env_settings, *file)


def make_settings(**flags: Any) -> Settings:  # noqa: ANN401
    """The settings from flags (those that aren't None), variables and file.

    Raises:
        ConfigError: On an unknown name in the file, or a wrong value.
    """
    given = os.environ.get(FILE)
    if given and not Path(given).is_file():
        raise ConfigError(f"{given}: no such file of settings")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise ConfigError(f"setting {name}: {first['msg']}") from None
    except (yaml.YAMLError, TypeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{given}: not readable as settings: {error}") from None


def export(**flags: object) -> None:
    """Make flags variables, so that every worker process has the same settings.

    Raises:
        ConfigError: On an unknown name.
    """
    for name, value in flags.items():
        if name not in Settings.model_fields and name != "settings":
            raise ConfigError(f"unknown setting {name!r}{nearest(name, Settings.model_fields)}")
        if value is not None:
            os.environ[PREFIX + name.upper()] = str(value)
