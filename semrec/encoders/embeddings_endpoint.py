"""An encoder behind an OpenAI-shaped ``/v1/embeddings``: vLLM, TEI, llama.cpp, Ollama, semrec.

texts → cut, prompt before → batches that halve when they are refused → unit vectors, checked
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from semrec.deadline import NEVER, Deadline
from semrec.endpoint import Endpoint, EndpointError
from semrec.types import FloatArray

MAX_BYTES = 64_000_000  # of an answer: 256 vectors of 8,192 numbers
MAX_LENGTH, CHARS_PER_TOKEN = 2_048, 4  # of a text
LEAST_CHARS = 64  # to which a text that is refused is cut
SHORT_CHARS = 500  # of a request that was refused, while somebody waits
REFUSED = (400, 413, 422, 500)  # a batch or a text that is too long; llama.cpp's server says 500
BUSY = (429, 502, 503, 504)
WAITS_S = (1.0, 2.0, 4.0, 8.0)  # before a build asks again
NOTHING = "."  # is sent for a text without words: an empty one is refused by most


@dataclass(frozen=True, kw_only=True)
class EndpointEncoder:
    """A model that is asked for vectors, and fails loudly; `WatchedEncoder` serves.

    Attributes:
        endpoint: Where.
        model: The name that the endpoint knows it by.
        dim: Length of its vectors.
        query_prompt: Before each request: the form has no roles.
        batch_size: Texts of one question.
        max_chars: Of a text; items keep their start, requests their end.
        waits_s: Before one question is asked again where the endpoint is busy or gone.
    """

    endpoint: Endpoint
    model: str
    dim: int
    query_prompt: str = ""
    batch_size: int = 32
    max_chars: int = MAX_LENGTH * CHARS_PER_TOKEN
    waits_s: Sequence[float] = WAITS_S

    @property
    def name(self) -> str:
        """The endpoint's name for it."""
        return self.model

    @cached_property
    def fingerprint(self) -> str:
        """Hash of name and options. Its weights can't be hashed: a canary stands for them."""
        parts = ("semrec endpoint", self.model, self.query_prompt, self.dim, self.max_chars)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests: (n, dim) float32, unit rows.

        Raises:
            EndpointError: If the endpoint fails, or a text is refused however short it is.
        """
        return self._encode(self.query_prompt, texts, _end)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items: (n, dim) float32, unit rows.

        Raises:
            EndpointError: If the endpoint fails, or a text is refused however short it is.
        """
        return self._encode("", texts, _start)

    def encode_within(self, texts: Sequence[str], deadline: Deadline) -> FloatArray | None:
        """Requests, asked together: (n, dim) float32, unit rows; None if not in time.

        If they are refused they are asked once more, long ones by their last `SHORT_CHARS`.

        Raises:
            EndpointError: If the endpoint fails.
        """
        for most in (self.max_chars, SHORT_CHARS):
            prompted = [self.query_prompt + _end(text, most) for text in texts]
            try:
                return ask(self.endpoint, self.model, prompted, deadline, self.dim)
            except EndpointError as error:
                longest = max(map(len, texts))
                if most == SHORT_CHARS or longest <= SHORT_CHARS or not is_refused(error):
                    raise
        raise AssertionError

    def _encode(
        self, before: str, texts: Sequence[str], cut: Callable[[str, int], str]
    ) -> FloatArray:
        parts, size, start = [np.zeros((0, self.dim), dtype=np.float32)], self.batch_size, 0
        while start < len(texts):
            batch = [cut(text, self.max_chars) for text in texts[start : start + size]]
            try:
                parts.append(self._ask_again([before + text for text in batch]))
            except EndpointError as error:
                if not is_refused(error):
                    raise
                if len(batch) > 1:
                    size = len(batch) // 2
                    continue
                parts.append(self._shortened(before, batch[0], cut))
            start += len(batch)
            size = min(2 * size, self.batch_size)
        return np.concatenate(parts)

    def _shortened(self, before: str, text: str, cut: Callable[[str, int], str]) -> FloatArray:
        """A text that was refused, halved until it isn't."""
        while True:
            text = cut(text, len(text) // 2)
            try:
                return self._ask_again([before + text])
            except EndpointError as error:
                if len(text) <= LEAST_CHARS or not is_refused(error):
                    raise

    def _ask_again(self, texts: Sequence[str]) -> FloatArray:
        """A build's question: in an hour of them the endpoint may be busy or restarted once."""
        for wait_s in (*self.waits_s, None):
            try:
                vectors = ask(self.endpoint, self.model, texts, NEVER, self.dim)
                if vectors is not None:
                    return vectors
                failure = EndpointError(f"encoder at {self.endpoint.host}: no answer in time")
            except EndpointError as error:
                if error.status not in (None, *BUSY):
                    raise
                failure = error
            if wait_s is None:
                raise failure
            time.sleep(wait_s)
        raise AssertionError


def measured_dim(endpoint: Endpoint, model: str) -> int:
    """The length of a model's vectors.

    Raises:
        EndpointError: If it can't be asked.
    """
    vectors = ask(endpoint, model, [NOTHING], NEVER)
    if vectors is None:
        raise EndpointError(f"encoder at {endpoint.host}: no answer in time")
    return int(vectors.shape[1])


def ask(
    endpoint: Endpoint,
    model: str,
    texts: Sequence[str],
    deadline: Deadline,
    dim: int | None = None,
) -> FloatArray | None:
    """One question: (n, dim) float32 unit rows in the order of `texts`; None if not in time.

    Raises:
        EndpointError: If the endpoint fails, or its answer isn't one vector of `dim` for each text.
    """
    sent = [text.encode("utf-8", "replace").decode() for text in texts]
    payload = {
        "model": model,
        "input": [text if text.strip() else NOTHING for text in sent],
        "encoding_format": "base64",  # as OpenAI's own client asks; floats are understood too
    }
    answer = endpoint.post(payload, deadline)
    if answer is None:
        return None
    wrong, vectors = _vectors(answer, len(texts), dim)
    if wrong:
        raise EndpointError(f"encoder at {endpoint.host}: {wrong}", status=200)
    return vectors


def _vectors(answer: Any, n: int, dim: int | None) -> tuple[str, FloatArray]:  # noqa: ANN401
    """A fault of an answer, or ""; and its vectors by their `index`, whatever their order."""
    none = np.zeros((0, 0), dtype=np.float32)
    data = answer.get("data") if isinstance(answer, dict) else None
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    by_index = {
        entry["index"]: entry.get("embedding")
        for entry in entries
        if isinstance(entry.get("index"), int)
    }
    if len(entries) != n or any(index not in by_index for index in range(n)):
        return f"{len(entries)} vectors for {n} texts", none
    try:
        numbers = [_numbers(by_index[index]) for index in range(n)]
        vectors = np.asarray(numbers, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return "its vectors aren't numbers, or not equally many", none
    if vectors.ndim != 2 or not vectors.shape[1]:
        return "its vectors aren't lists of numbers", none
    if dim is not None and vectors.shape[1] != dim:
        return f"its vectors have {vectors.shape[1]} numbers, expected {dim}: another model?", none
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        return "a vector without a direction (zeros, NaN or infinite)", none
    return "", np.asarray(vectors / lengths, dtype=np.float32)


def _numbers(embedding: Any) -> Any:  # noqa: ANN401
    """A vector's numbers; base64 holds them as little-endian float32."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return embedding


def is_refused(error: EndpointError) -> bool:
    """True if a batch or a text may have been too long for the endpoint."""
    return error.too_long or error.status in REFUSED


def _start(text: str, n: int) -> str:
    return text[:n]


def _end(text: str, n: int) -> str:
    return text[-n:] if n else ""
