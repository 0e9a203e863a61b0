"""Outcomes of a request's stages: its statistics, what a reranker did, which items moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semrec.types.signals import FloatArray

RerankStatus = Literal["off", "complete", "partial", "timeout", "error", "skipped"]


@dataclass(frozen=True, kw_only=True)
class RerankTrace:
    """The outcome of reranking.

    Attributes:
        status: ``off``: it wasn't asked for; ``complete``, ``partial``: all or some candidates were
            scored; ``timeout``: none in time; ``skipped``: not asked; ``error``: it failed.
        scored: How many candidates it scored.
        reason: Why it was skipped, or how it failed.
        missing: Candidates that it was asked about and didn't answer.
        doubled: Answers about candidates that were answered before.
        invented: Answers about candidates that there are none of.
    """

    status: RerankStatus = "off"
    scored: int = 0
    reason: str = ""
    missing: int = 0
    doubled: int = 0
    invented: int = 0


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An item that diversity, or a cap, moved.

    Attributes:
        item_id: The item.
        from_rank: In the list as it was ranked; None: further down than was looked at first.
        to_rank: In the diversified list, before slots for cold items; None: it left the list.
    """

    item_id: str
    from_rank: int | None
    to_rank: int | None


@dataclass(frozen=True, kw_only=True)
class RequestStats:
    """Statistics of a request, for monitoring: none of its words.

    Attributes:
        vector: (dim,) float32, its words as the encoder reads them; None without content words.
        n_unknown: Number of names and the like that no item has.
        language: What it is written in; ``""``: English, as far as is known.
        filters: Names of the attributes that it limits.
    """

    vector: FloatArray | None = None
    n_unknown: int = 0
    language: str = ""
    filters: tuple[str, ...] = ()
