"""OpenAI's form of a chat completion, as its clients send it and read it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from semrec.chat.answering import Message
from semrec.errors import QueryError, preview
from semrec.serve.forms import MODEL, Form, inert, takes_nothing, unsupported
from semrec.serve.routes.chat import MAX_SENT
from semrec.serve.routes.openai import Usage
from semrec.serve.wire import ANSWER, Body, Closed, Id, QueryFields, RecommendResponse, Text

MAX_STOPS = 4
NO_TOOLS = "no tool is ever called here; leave tool_choice out, or say `auto` or `none`"
NO_SCHEMA = (
    "the answer is a list of items, no other schema can be filled; {'type': 'json_object'} gives "
    "the list as JSON, and `semrec.items` has it in every answer"
)


class Part(Body):
    """A part of a message's content; only text is read."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`text`; a picture or a sound is refused")
    text: Text = Field(default="", description="What it says")
    refusal: Text = Field(default="", description="What an assistant refused")

    @model_validator(mode="after")
    def _is_text(self) -> Part:
        if self.type not in ("text", "input_text", "output_text", "refusal"):
            raise unsupported(
                f"found a part of type {preview(self.type)}, expected text: only words are read"
            )
        return self


class CompletionMessage(Body):
    """One message, also as a client dumps an answer: what else it holds has no effect."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"] = Field(
        description="Who says it; system prompts aren't followed, tools' results aren't read"
    )
    content: Text | list[Part] | None = Field(
        default=None, description="What is said; may be missing where an assistant called a tool"
    )
    name: str | None = inert()

    @model_validator(mode="after")
    def _says_something(self) -> CompletionMessage:
        if self.content is None and self.role == "user":
            raise ValueError("found a user's message without content, expected text")
        return self

    @property
    def text(self) -> str:
        """Its words."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text or part.refusal for part in self.content)


class SemrecFields(QueryFields):
    """Fields of a query that OpenAI's form has none for."""

    filters: dict[str, Any] = Field(
        default={}, description="Conditions on attributes, beside those that the words state"
    )
    session_id: Id | None = Field(
        default=None, description="Where the conversation is kept; its events count"
    )
    explain: bool = Field(default=False, description="Say why, for each item")
    trace: bool = Field(default=False, description="Say what the list came from")


class StreamOptions(Form):
    """The end of a stream."""

    include_usage: bool = Field(default=False, description="Send the usage in a last chunk")
    include_obfuscation: bool | None = inert()


class CompletionRequest(Form):
    """Messages as OpenAI has them. What steers the sampling of words has nothing to steer here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": "a quiet story, no horror"}],
                    "semrec": {"k": 5, "filters": {"year": {"gte": 1990}}},
                }
            ]
        }
    )
    messages: list[CompletionMessage] = Field(
        min_length=1, max_length=MAX_SENT, description="The conversation, the user's words last"
    )
    model: str = Field(
        default=MODEL, description="Any: semrec answers, and says so if it is another"
    )
    semrec: SemrecFields = Field(
        default=SemrecFields(), description="What this form has no field for"
    )
    stream: bool = Field(default=False, description="Server-sent events, a few words at a time")
    stream_options: StreamOptions = Field(default=StreamOptions(), description="Of a stream")
    max_tokens: int | None = Field(default=None, ge=1, description="Words of the reply at most")
    max_completion_tokens: int | None = Field(default=None, ge=1, description="As `max_tokens`")
    stop: str | list[str] | None = Field(default=None, description="The reply ends before these")
    response_format: dict[str, Any] = Field(
        default={"type": "text"}, description="`text`, or `json_object`: the list as JSON"
    )
    n: Literal[1] = Field(default=1, description="One answer; `semrec.k` has the list's length")
    tools: list[Any] | None = inert(": they may be offered, none is called")
    tool_choice: Any = Field(default=None, description="`auto` or `none`")
    parallel_tool_calls: bool | None = inert()
    functions: list[Any] | None = inert(", as `tools`")
    function_call: Any = Field(default=None, description="As `tool_choice`")
    logprobs: bool | None = Field(default=None, description="There are none: false")
    top_logprobs: int | None = Field(default=None, description="There are none: 0")
    modalities: list[str] = Field(default=["text"], description="`text`")
    web_search_options: Any = Field(default=None, description="Nothing is searched in the web")
    temperature: float | None = inert()
    top_p: float | None = inert()
    seed: int | None = inert(": same request, same answer")
    presence_penalty: float | None = inert()
    frequency_penalty: float | None = inert()
    logit_bias: Any = inert()
    user: str | None = inert("; see `semrec.user_id`")
    metadata: Any = inert()
    store: bool | None = inert()
    service_tier: Any = inert()
    reasoning_effort: Any = inert()
    verbosity: Any = inert()
    prediction: Any = inert()
    prompt_cache_key: Any = inert()
    prompt_cache_options: Any = inert()
    prompt_cache_retention: Any = inert()
    safety_identifier: Any = inert()
    moderation: Any = inert()
    audio: Any = inert()

    @field_validator("tool_choice", "function_call")
    @classmethod
    def _no_tool(cls, value: Any) -> Any:  # noqa: ANN401
        mode = value.get("allowed_tools", {}) if isinstance(value, dict) else value
        if (mode.get("mode") if isinstance(mode, dict) else mode) not in ("auto", "none", None):
            raise unsupported(NO_TOOLS)
        if isinstance(value, dict) and value and "allowed_tools" not in value:
            raise unsupported(NO_TOOLS)
        return value

    @field_validator("logprobs", "top_logprobs")
    @classmethod
    def _no_logprobs(cls, value: Any) -> Any:  # noqa: ANN401
        return takes_nothing(value, "there are no log probabilities here; leave it out")

    @field_validator("web_search_options")
    @classmethod
    def _no_search(cls, value: Any) -> Any:  # noqa: ANN401
        if value is not None:
            raise unsupported("nothing is searched in the web here; leave it out")
        return value

    @field_validator("modalities")
    @classmethod
    def _only_text(cls, value: list[str]) -> list[str]:
        if set(value) - {"text"}:
            raise unsupported(f"found {preview(value)}, expected ['text']: answers are words")
        return value

    @field_validator("response_format")
    @classmethod
    def _text_or_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        kind = value.get("type", "text")
        if kind not in ("text", "json_object"):
            raise unsupported(
                NO_SCHEMA
                if kind == "json_schema"
                else f"found {preview(kind)}, expected text or json_object"
            )
        return value

    @field_validator("stop")
    @classmethod
    def _few(cls, value: str | list[str] | None) -> list[str]:
        stops = [value] if isinstance(value, str) else list(value or ())
        if len(stops) > MAX_STOPS:
            raise ValueError(f"found {len(stops)} of them, expected at most {MAX_STOPS}")
        return [stop for stop in stops if stop]

    def conversation(self) -> list[Message]:
        """Words of user and assistant, up to the user's last; tools' part is left out.

        Raises:
            QueryError: If an assistant has the last word.
        """
        messages = [
            Message(message.role, message.text)
            for message in self.messages
            if message.role == "user" or (message.role == "assistant" and message.text)
        ]
        if not messages or messages[-1].role != "user":
            raise QueryError("messages: the last isn't the user's, there is nothing to answer")
        return messages

    def notes(self, known: list[str]) -> list[str]:
        """Sentences on what has no effect; `known` are the names of models."""
        notes = []
        if self.model not in known:
            notes.append(f"there is no model {preview(self.model)} here, {MODEL} answers")
        if any(message.role in ("system", "developer") for message in self.messages):
            notes.append(
                "system prompts aren't followed: say what is wanted as the user, or in `semrec`"
            )
        if any(message.role in ("tool", "function") for message in self.messages):
            notes.append("results of tools weren't read")
        if names := self.ignored():
            notes.append(f"without effect: {', '.join(names)}")
        return notes

    def without_effect(self, known: list[str]) -> list[str]:
        """Names of all that has no effect, messages' roles and the model's name included."""
        roles = {m.role for m in self.messages} & {"system", "developer", "tool", "function"}
        model = [] if self.model in known else ["model"]
        return [*model, *(f"messages.{role}" for role in sorted(roles)), *self.ignored()]

    @property
    def max_words(self) -> int | None:
        """The most words that the reply may have; None: all."""
        limits = [n for n in (self.max_tokens, self.max_completion_tokens) if n is not None]
        return min(limits, default=None)


class CompletionAnswer(Closed):
    """The assistant's message."""

    role: Literal["assistant"] = Field(default="assistant", description="Who says it")
    content: str = Field(description="The reply and the list, a line for each item")
    refusal: None = Field(default=None, description="Never")


class Choice(Closed):
    """The one answer."""

    index: int = Field(default=0, description="0")
    message: CompletionAnswer = Field(description="What is said")
    finish_reason: Literal["stop", "length"] = Field(
        default="stop", description="`length`: cut at `max_tokens`"
    )
    logprobs: None = Field(default=None, description="There are none")


class CompletionUsage(Usage):
    """Words read and written."""

    completion_tokens: int = Field(description="Words written")


class CompletionResponse(Closed):
    """The reply and the list in words; `semrec` has the list itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": f"chatcmpl-{ANSWER['recommendation_id']}",
                    "object": "chat.completion",
                    "created": 1714564800,
                    "model": MODEL,
                    "choices": [
                        {
                            "index": 0,
                            "message": {
                                "role": "assistant",
                                "content": "“Matrix, The” comes first.\n\n1. “Matrix, The” (1999)",
                            },
                            "finish_reason": "stop",
                        }
                    ],
                    "usage": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14},
                    "semrec": ANSWER,
                }
            ]
        }
    )

    id: str = Field(description="The list's name in the log, behind `chatcmpl-`")
    object: Literal["chat.completion"] = Field(
        default="chat.completion", description="As OpenAI has it"
    )
    created: int = Field(description="Unix seconds")
    model: str = Field(description=f"`{MODEL}`")
    choices: list[Choice] = Field(description="One")
    usage: CompletionUsage = Field(description="Words, counted between spaces")
    system_fingerprint: str = Field(description="The artifact's version")
    semrec: RecommendResponse = Field(
        description="The list itself; `notes` says what had no effect"
    )
