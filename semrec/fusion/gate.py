"""Which signal weighs how much, decided per query by what the query brings.

This gate knows three kinds of query (words only, session only, both) and holds one set of weights
for each, tuned on validation. Without any signal everything is popularity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of the three blocks, summing to 1.

    Attributes:
        semantic: Of the semantic block.
        behavioural: Of the behavioural block.
        popularity: Of popularity.
        intent_share: Share of the words in the semantic block; the rest is the session's text.
        neighbour_share: Share of the session's neighbours in the behavioural block; the rest is
            the vector model's.
    """

    semantic: float
    behavioural: float
    popularity: float
    intent_share: float = 1.0
    neighbour_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One set of weights for each kind of query; `baseline` has no semantic weight."""

    words: Weights
    session: Weights
    both: Weights
    baseline: Weights

    def weights(
        self, *, has_words: bool, has_session: bool, semantic_weight: float | None = None
    ) -> Weights:
        """The weights for a query.

        Args:
            has_words: Whether its words gave a vector.
            has_session: Whether its session gave any.
            semantic_weight: Weight asked for; behaviour and popularity then share the rest as in
                the baseline. None: as tuned.
        """
        if not has_words and not has_session:
            return Weights(semantic=0.0, behavioural=0.0, popularity=1.0)
        tuned = (
            self.both if has_words and has_session else self.words if has_words else self.session
        )
        if semantic_weight is None:
            return tuned
        rest = 1.0 - semantic_weight
        behavioural = self.baseline.behavioural if has_session else 0.0
        return Weights(
            semantic=semantic_weight,
            behavioural=rest * behavioural,
            popularity=rest * (1.0 - behavioural),
            intent_share=tuned.intent_share,
            neighbour_share=self.baseline.neighbour_share,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Mapping[str, float]]) -> Gate:
        """What `to_dict` gave."""
        return cls(**{name: Weights(**weights) for name, weights in values.items()})


NEAR = 0.05  # a few neighbours' scores stand far out, so a small share of them goes a long way
UNTUNED = Gate(
    words=Weights(semantic=0.5, behavioural=0.0, popularity=0.5),
    session=Weights(semantic=0.2, behavioural=0.7, popularity=0.1, neighbour_share=NEAR),
    both=Weights(
        semantic=0.4,
        behavioural=0.4,
        popularity=0.2,
        intent_share=0.6,
        neighbour_share=NEAR,
    ),
    baseline=Weights(semantic=0.0, behavioural=0.9, popularity=0.1, neighbour_share=NEAR),
)
"""For data on which nothing can be tuned: measured as a middle on movie requests and sessions."""
