"""An encoder behind an endpoint as it serves: within a deadline, and only while it is trusted.

    request → trusted? → one question within the deadline → vectors, or none
            ↘ a check beside: after a failure, a late answer, and every five minutes

Weights elsewhere can't be hashed. The vectors of a few fixed texts, the canary, stand for them:
another model behind the same address and name is found out by them, so they are what is asked
before an endpoint that failed is trusted again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semrec.deadline import Deadline
from semrec.encoders.cached import CachedEncoder
from semrec.encoders.embeddings_endpoint import BUSY, EndpointEncoder, is_refused
from semrec.endpoint import EndpointError
from semrec.environment.watch import AGAIN_S, EVERY_S, Watch
from semrec.errors import ModelError
from semrec.protocols import Encoder
from semrec.types import FloatArray

CANARY = (
    "a heist that goes wrong",
    "The slow life of a lighthouse keeper and her daughter on an island far out at sea.",
    "waterproof hiking boots, size 42",
    "How do I sharpen a kitchen knife?",
    "Spaghetti with clams, garlic and white wine",
    "the history of the Ottoman Empire",
    "something to cheer me up",
    "42",
)
MIN_COSINE = 0.999
CHECK_MS = 2_000.0
LOAD_MS = 10_000.0
QUERY_MS = 2_000.0  # for a request without a budget
UNWELL = (*BUSY, 500)  # statuses of one that may be well later


class WatchedEncoder:
    """An encoder behind an endpoint that answers in time or not at all.

    Args:
        encoder: Asks the endpoint.
        canary: (len(CANARY), dim) float32: its vectors of `CANARY` when the items were embedded.
        every_s: Between checks while it is trusted.
        again_s: Between checks while it isn't.

    Raises:
        ModelError: If another model answers, or the endpoint refuses to be asked. One that can't
            be reached may be there later: until then it isn't trusted.
    """

    def __init__(
        self,
        encoder: EndpointEncoder,
        canary: FloatArray,
        *,
        every_s: float = EVERY_S,
        again_s: float = AGAIN_S,
    ) -> None:
        self.encoder, self.canary = encoder, canary
        self._watch = Watch("the encoder", self._check, every_s=every_s, again_s=again_s)
        error = self._refusal(LOAD_MS)
        self._watch.conclude("" if error is None else str(error))
        if error is not None and error.status is not None and error.status not in UNWELL:
            raise ModelError(str(error))

    @property
    def complaint(self) -> str:
        """The reason why it isn't trusted; empty if it is."""
        return self._watch.complaint

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        """The encoder's own."""
        return self.encoder.fingerprint

    @property
    def dim(self) -> int:
        """The encoder's own."""
        return self.encoder.dim

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """Requests, whatever it takes: (n, dim) float32, unit rows."""
        return self.encoder.encode_queries(texts)

    def encode_items(self, texts: Sequence[str]) -> FloatArray:
        """Items, whatever it takes: (n, dim) float32, unit rows."""
        return self.encoder.encode_items(texts)

    def encode_within(self, texts: Sequence[str], deadline: Deadline) -> FloatArray | None:
        """Requests: (n, dim) float32, unit rows; None if not in time, or while it isn't trusted."""
        if self._watch.look():
            return None
        left_ms = min(deadline.left_ms, QUERY_MS)
        if not left_ms:
            return None
        try:
            vectors = self.encoder.encode_within(texts, Deadline.within(left_ms))
        except EndpointError as error:
            if not is_refused(error):
                self._watch.conclude(str(error))
                return None
            vectors = None  # one request's fault, or the endpoint's
        if vectors is None:  # hangs, or had too little time: the check tells
            self._watch.check_beside()
        return vectors

    def _check(self) -> str:
        error = self._refusal(CHECK_MS)
        return "" if error is None else str(error)

    def _refusal(self, budget_ms: float) -> EndpointError | None:
        """Ask for the canary; why the endpoint isn't to be trusted."""
        try:
            vectors = self.encoder.encode_within(CANARY, Deadline.within(budget_ms))
        except EndpointError as error:
            return error
        if vectors is None:
            return EndpointError(f"encoder at {self.encoder.endpoint.host}: no answer in time")
        if (least := float((vectors * self.canary).sum(axis=1).min())) < MIN_COSINE:
            return EndpointError(
                f"encoder at {self.encoder.endpoint.host}: {self.name!r} gives other vectors "
                f"than the artifact was built with (cosine {least:.3f}): another model",
                status=200,
            )
        return None


def canary_of(encoder: Encoder) -> FloatArray:
    """(len(CANARY), dim) float32: what `CANARY` comes to, or came to if it is kept."""
    return np.asarray(encoder.encode_queries(CANARY), dtype=np.float32)


def refuse_another(cached: CachedEncoder) -> None:
    """Check that the endpoint still gives the vectors that are kept of it.

    Raises:
        ModelError: If it doesn't: kept vectors of one model would be searched by those of another.
    """
    fresh, kept = canary_of(cached.encoder), canary_of(cached)
    if float((fresh * kept).sum(axis=1).min()) < MIN_COSINE:
        raise ModelError(
            f"encoder {cached.name!r} gives other vectors than those kept of it in {cached.path}: "
            "another model under the same name? Name it otherwise, or remove that file"
        )
