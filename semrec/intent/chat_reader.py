"""A language model behind an OpenAI-shaped endpoint that reads requests, beside the rules.

    text → remembered? → one POST on another thread → the answer, if it is there by the deadline

An answer that comes too late is remembered for the next request with the same words. While the
endpoint fails nobody waits for it.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from semrec.data.attributes import Labels
from semrec.data.catalog import Catalog
from semrec.deadline import Deadline
from semrec.environment.watch import Watch
from semrec.errors import ModelError
from semrec.prompting import Prompt

MAX_MS = 1_500.0  # for an answer, whatever the budget
MAX_CHARS, MAX_TOKENS = 2_000, 300
MAX_LABELS = 40  # of an attribute that are shown to the model, the most frequent ones
REMEMBERED = 1_000
THREADS = 8
AGAIN_S = 5.0  # between questions to an endpoint that failed
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string"},
        "filters": {"type": "object"},
        "liked": {"type": "array", "items": {"type": "string"}},
        "disliked": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["query"],
}


class ChatEndpoint(Protocol):
    """An OpenAI-compatible ``/chat/completions``."""

    def post(self, payload: Mapping[str, Any], deadline: Deadline) -> Any | None:  # noqa: ANN401
        """The endpoint's answer; None if the time is up first.

        Raises:
            ModelError: If it fails.
        """


class ChatReader:
    """A language model that is asked what a request means. It is trusted until it fails.

    Args:
        endpoint: Where the model is.
        model: The name that the endpoint knows it by.
        prompt: Of kind ``read_request``.
        attributes: What can be limited: `attributes_of`.
        max_ms: For an answer, whatever the budget.
        again_s: Between checks while it isn't trusted.
    """

    def __init__(
        self,
        endpoint: ChatEndpoint,
        model: str,
        prompt: Prompt,
        attributes: Sequence[tuple[str, Sequence[str]]],
        *,
        max_ms: float = MAX_MS,
        again_s: float = AGAIN_S,
    ) -> None:
        self.endpoint, self.model, self.max_ms = endpoint, model, max_ms
        self._prompt, self._attributes = prompt, attributes
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="reader")
        self._read: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._watch = Watch("the model that reads", self._check, again_s=again_s)
        self._watch.conclude("")

    @property
    def complaint(self) -> str:
        """The reason why it isn't trusted; empty if it is."""
        return self._watch.complaint

    def begin(self, text: str) -> Future[Mapping[str, Any] | None] | None:
        """Ask what a text means, on another thread; None: nobody is asked."""
        with self._lock:
            known = self._read.get(text)
        if known is not None:
            done: Future[Mapping[str, Any] | None] = Future()
            done.set_result(known)
            return done
        if self._watch.look():
            return None
        return self._pool.submit(self._ask, text)

    def _ask(self, text: str) -> Mapping[str, Any] | None:
        content = self._prompt.render(
            message=" ".join(text.split())[-MAX_CHARS:], attributes=self._attributes
        )
        try:
            answer = self.endpoint.post(self._payload(content, MAX_TOKENS), self._deadline())
        except ModelError as error:
            self._watch.conclude(str(error))
            return None
        if answer is None:
            self._watch.check_beside()
            return None
        reading = _object(answer)
        if reading is not None:
            with self._lock:
                self._read[text] = reading
                while len(self._read) > REMEMBERED:
                    self._read.popitem(last=False)
        return reading

    def _check(self) -> str:
        try:
            answer = self.endpoint.post(self._payload("Say yes.", 1), self._deadline())
        except ModelError as error:
            return str(error)
        return "no answer in time" if answer is None else ""

    def _deadline(self) -> Deadline:
        return Deadline.within(self.max_ms)

    def _payload(self, content: str, max_tokens: int) -> dict[str, Any]:
        schema = {"name": "request", "schema": SCHEMA}
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
            "max_tokens": max_tokens,
            "response_format": {"type": "json_schema", "json_schema": schema},
        }


def attributes_of(catalog: Catalog) -> list[tuple[str, Sequence[str]]]:
    """Attributes with their most frequent labels; none of a number."""
    shown: list[tuple[str, Sequence[str]]] = []
    for name, attribute in catalog.attributes.items():
        labels: list[str] = []
        if isinstance(attribute, Labels):
            labels = list(attribute.most_frequent(MAX_LABELS))
            if not labels:
                continue
        shown.append((name, labels))
    return shown


def _object(answer: Any) -> Mapping[str, Any] | None:  # noqa: ANN401
    """The object in an answer of OpenAI's form; None if there is none."""
    try:
        content = answer["choices"][0]["message"]["content"]
        reading = json.loads(content[content.index("{") : content.rindex("}") + 1])
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        return None
    return reading if isinstance(reading, dict) else None
