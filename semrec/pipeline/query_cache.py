"""Vectors of requests that were asked before: the latest, word for word the same.

A request is repeated when somebody pages through a list, or touches something and asks again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np

from semrec.deadline import Deadline
from semrec.protocols import DeadlineEncoder, Encoder
from semrec.types import FloatArray

MAX_REQUESTS = 2_000  # requests: some 3 MB of vectors at 384 dimensions


class QueryCache:
    """The vectors of the latest requests, the one asked longest ago forgotten first.

    Any number of threads may ask at once. What isn't known is encoded outside the lock, so two
    that ask the same for the first time both encode it.
    """

    def __init__(self, most: int = MAX_REQUESTS) -> None:
        """`most` is how many are kept; 0: none."""
        self._most = most
        self._lock = Lock()
        self._vectors: OrderedDict[tuple[str, str], FloatArray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._vectors)

    def encode_queries(
        self, encoder: Encoder, texts: Sequence[str], deadline: Deadline | None = None
    ) -> list[FloatArray | None]:
        """For each text its vector, (dim,) float32, as `encoder` gives or gave it.

        With a deadline the encoder is a `DeadlineEncoder`: None where it can't give it by then.
        """
        fingerprint = encoder.fingerprint
        known: dict[str, FloatArray] = {}
        with self._lock:
            for text in texts:
                vector = self._vectors.get((fingerprint, text))
                if vector is not None:
                    self._vectors.move_to_end((fingerprint, text))
                    known[text] = vector
        new = list(dict.fromkeys(text for text in texts if text not in known))
        encoded = _encoded(encoder, new, deadline) if new else None
        if encoded is not None:
            vectors = np.array(encoded)
            vectors.flags.writeable = False
            known |= zip(new, vectors, strict=True)
            with self._lock:
                for text in new[max(0, len(new) - self._most) :]:
                    self._vectors[fingerprint, text] = known[text].copy()
                while len(self._vectors) > self._most:
                    self._vectors.popitem(last=False)
        return [known.get(text) for text in texts]


def _encoded(
    encoder: Encoder, texts: Sequence[str], deadline: Deadline | None
) -> FloatArray | None:
    if deadline is not None and isinstance(encoder, DeadlineEncoder):
        return encoder.encode_within(texts, deadline)
    return encoder.encode_queries(texts)
