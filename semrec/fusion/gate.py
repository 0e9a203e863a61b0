"""Which signal weighs how much, decided per query by what the query brings.

The gate knows three kinds of query (words only, session only, both) and holds one set of weights
for each, tuned on validation. Beside them may stand a tilt, learned on the same cases: it moves
the weights by what else is known of the query before anything is searched. It is kept only where
it does better than the fixed weights on cases it wasn't learned from. Without any signal
everything is popularity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNALS = ("semantic", "behavioural", "popularity", "domain")
FEATURES = ("intent_words", "session_length", "agreement", "words_warmth", "session_warmth")
MAX_DEVIATION = 2.5  # a query stranger than this is treated as if it were only so strange


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of the signals; the first four sum to 1.

    Attributes:
        semantic: Of the semantic block.
        behavioural: Of the behavioural block.
        popularity: Of popularity.
        domain: Of popularity in training requests: how often an item was what somebody wanted.
        intent_share: Share of the words in the semantic block; the rest is the session's text.
        neighbour_share: Share of the session's neighbours in the behavioural block; the rest is
            the vector model's.
    """

    semantic: float
    behavioural: float
    popularity: float
    domain: float = 0.0
    intent_share: float = 1.0
    neighbour_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a query before anything is searched.

    Attributes:
        has_words: Whether its words gave a vector.
        has_session: Whether its session gave any.
        intent_words: log(1 + number of words).
        session_length: log(1 + number of events).
        agreement: Correlation of the semantic and the behavioural scores over the catalogue.
        words_warmth: Correlation of the semantic scores with popularity: whether what the words
            mean is known by many or by few.
        session_warmth: Mean popularity of the session's items: how much behaviour knows of them.
    """

    has_words: bool
    has_session: bool
    intent_words: float = 0.0
    session_length: float = 0.0
    agreement: float = 0.0
    words_warmth: float = 0.0
    session_warmth: float = 0.0

    @property
    def kind(self) -> str:
        """Which set of weights is meant for it."""
        if self.has_words and self.has_session:
            return "both"
        return "words" if self.has_words else "session"

    def to_dict(self) -> dict[str, float]:
        """The features by name, for the trace; without those of what the query doesn't have."""
        missing = set()
        if not self.has_words:
            missing.add("intent_words")
        if not self.has_session:
            missing |= {"session_length", "session_warmth", "agreement"}
        return {name: getattr(self, name) for name in FEATURES if name not in missing}

    @property
    def features(self) -> NDArray[np.float64]:
        """(n_features,): the values in the order of `FEATURES`."""
        return np.array([getattr(self, name) for name in FEATURES], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Tilt:
    """Moves the weights: softmax(`bias` + `slopes` · standardised features).

    Attributes:
        bias: For each of `SIGNALS`; the weights of an average query are their softmax.
        slopes: For each signal one per feature.
        means: Of the features on validation.
        deviations: Of the features on validation; none is 0.
    """

    bias: Sequence[float]
    slopes: Sequence[Sequence[float]]
    means: Sequence[float]
    deviations: Sequence[float]

    def standardised(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., n_features): mean 0, deviation 1 on validation, and never far outside."""
        scaled = (features - np.asarray(self.means)) / np.asarray(self.deviations)
        return np.asarray(np.clip(scaled, -MAX_DEVIATION, MAX_DEVIATION))

    def weights(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 4): weights of `SIGNALS`, summing to 1."""
        logits = np.asarray(self.bias) + self.standardised(features) @ np.asarray(self.slopes).T
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One set of weights for each kind of query; `baseline` has no semantic weight.

    Attributes:
        words: For words without a session.
        session: For a session without words.
        both: For both.
        baseline: For the behavioural-only recommender.
        tilts: By kind of query; a kind without one keeps its fixed weights.
    """

    words: Weights
    session: Weights
    both: Weights
    baseline: Weights
    tilts: Mapping[str, Tilt] = field(default_factory=dict)

    def weights(self, evidence: Evidence, semantic_weight: float | None = None) -> Weights:
        """The weights for a query.

        Args:
            evidence: What is known of it.
            semantic_weight: Weight asked for; behaviour and popularity then share the rest as in
                the baseline. None: as tuned.
        """
        if not evidence.has_words and not evidence.has_session:
            return Weights(semantic=0.0, behavioural=0.0, popularity=1.0)
        tuned: Weights = getattr(self, evidence.kind)
        if semantic_weight is None:
            tilt = self.tilts.get(evidence.kind)
            return tuned if tilt is None else tilted(tuned, tilt.weights(evidence.features))
        rest = 1.0 - semantic_weight
        behavioural = self.baseline.behavioural if evidence.has_session else 0.0
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
    def from_dict(cls, values: Mapping[str, Mapping[str, Any]]) -> Gate:
        """What `to_dict` gave."""
        kinds = {name: Weights(**given) for name, given in values.items() if name != "tilts"}
        tilts = {kind: Tilt(**given) for kind, given in values.get("tilts", {}).items()}
        return cls(**kinds, tilts=tilts)


def tilted(tuned: Weights, shares: NDArray[np.float64]) -> Weights:
    """`tuned` with the weights of `SIGNALS` replaced."""
    semantic, behavioural, popularity, domain = (float(share) for share in shares)
    return Weights(
        semantic=semantic,
        behavioural=behavioural,
        popularity=popularity,
        domain=domain,
        intent_share=tuned.intent_share,
        neighbour_share=tuned.neighbour_share,
    )


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
