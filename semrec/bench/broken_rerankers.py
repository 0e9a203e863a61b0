"""Rerankers that are of no use, to measure that the line is as punctual with them."""

# ruff: noqa: ARG002 (broken ones don't listen)
from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semrec.deadline import Deadline
from semrec.errors import ConfigError, ModelError
from semrec.protocols import Reranker
from semrec.recommender import Recommender
from semrec.rerankers.worker import RerankWorker
from semrec.types import RerankScores

STALL_S = 3.0  # long after the longest budget that is measured
REST_S = 0.05  # so that requests keep being sent to them, where a service would wait for long


@dataclass(frozen=True)
class Hanging:
    """Looks at no deadline, and answers when nobody waits any more."""

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Score all after `STALL_S`."""
        time.sleep(STALL_S)
        yield RerankScores(
            positions=np.arange(len(texts)), scores=np.arange(len(texts), dtype=np.float32)
        )


@dataclass(frozen=True)
class Failing:
    """Fails at every request, after one candidate."""

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Score the last, then raise."""
        yield RerankScores(positions=np.array([len(texts) - 1]), scores=np.ones(1, np.float32))
        raise ModelError("broken on purpose")


@dataclass(frozen=True)
class Nonsense:
    """Answers about texts that there are none of, with scores that are none."""

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Score what isn't there."""
        positions = np.array([-1, len(texts), len(texts) + 7, 0, 0])
        yield RerankScores(positions=positions, scores=np.full(5, np.nan, np.float32))


BROKEN: dict[str, Callable[[], Reranker]] = {
    "hanging": Hanging,
    "failing": Failing,
    "nonsense": Nonsense,
}


def with_broken(recommender: Recommender, name: str) -> Recommender:
    """The same with a broken reranker in place of its own, asked at every request with words.

    Args:
        recommender: With a reranker.
        name: Of `BROKEN`.

    Raises:
        ConfigError: If there is no such name, or no reranker to stand in for.
    """
    if name not in BROKEN:
        raise ConfigError(f"no broken reranker {name!r}, expected one of {', '.join(BROKEN)}")
    if recommender.reranking is None:
        raise ConfigError("this artifact has no reranker: build it with --set rerank.kind=…")
    reranking = replace(
        recommender.reranking,
        worker=RerankWorker(BROKEN[name](), rest_s=REST_S),
        weights=dict.fromkeys(recommender.reranking.weights, 1.0),
        complaint="",
    )
    return recommender.with_parts(reranking=reranking)
