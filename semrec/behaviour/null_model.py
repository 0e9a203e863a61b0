"""No vectors at all: for a behavioural half that consists of neighbours, or of popularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semrec.types import FloatArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class NullVectorModel:
    """Says nothing about any of `n_items`."""

    n_items: int

    @property
    def item_vectors(self) -> FloatArray:
        """(n_items, 0) float32."""
        return np.zeros((self.n_items, 0), dtype=np.float32)

    def session_vector(self, session: SessionRows) -> FloatArray:  # noqa: ARG002 (whatever it is)
        """(0,) float32."""
        return np.zeros(0, dtype=np.float32)

    def scores(self, session: SessionRows) -> FloatArray:  # noqa: ARG002 (whatever it is)
        """(n_items,) float32: all equal."""
        return np.zeros(self.n_items, dtype=np.float32)
