"""The gate: weights of the signals, decided per query by what the query brings.

A session without words, and the baseline, have one set of weights each, tuned on validation. A
request in words lies between two kinds, and so do its weights: `topical` (a few words that say what
it is about: text decides) and `conversational` (many words about tastes: what people did decides).
How topical it is follows from the number of its content words and from how rare they are, before
anything is searched. Without any signal everything is popularity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from semrec.types import QueryKind

SIGNALS = ("semantic", "behavioural", "popularity", "domain")


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of the signals; the first four sum to 1.

    Attributes:
        semantic: Of what is said: words, their lexical match, and the session's texts.
        behavioural: Of the behavioural block.
        popularity: Of popularity.
        domain: Of popularity in training requests: how often an item was what somebody wanted.
        intent_share: Share of the words' vector beside the session's texts.
        lexical_share: Share of the lexical match in the semantic weight.
        neighbour_share: Share of the session's neighbours in the behavioural block; the rest is
            the vector model's.
    """

    semantic: float
    behavioural: float
    popularity: float
    domain: float = 0.0
    intent_share: float = 1.0
    lexical_share: float = 0.0
    neighbour_share: float = 0.0

    def with_semantic(self, semantic: float) -> Weights:
        """The same with this semantic weight; the others share the rest as they did."""
        others = self.behavioural + self.popularity + self.domain
        factor = (1.0 - semantic) / others if others > 0 else 0.0
        return replace(
            self,
            semantic=semantic if others > 0 else self.semantic,
            behavioural=self.behavioural * factor,
            popularity=self.popularity * factor,
            domain=self.domain * factor,
        )


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Weights of the signals for one kind of request in words; only their proportions matter.

    Attributes:
        words: Of the words' vector.
        lexical: Of their lexical match.
        texts: Of the session's texts.
        behavioural: Of behaviour, in units of what a session's best items get.
        popularity: Of popularity.
        domain: Of popularity in training requests.
    """

    words: float
    lexical: float
    texts: float
    behavioural: float
    popularity: float
    domain: float = 0.0

    def blend(self, other: Mix, share: float) -> Mix:
        """The point between this (share 0) and `other` (share 1)."""
        names = [field.name for field in fields(self)]
        pairs = [(getattr(self, name), getattr(other, name)) for name in names]
        return Mix(
            **{n: (1 - share) * a + share * b for n, (a, b) in zip(names, pairs, strict=True)}
        )

    def more_popular(self, factor: float) -> Mix:
        """The same with popularity, among all and among training requests, times a factor."""
        return replace(self, popularity=factor * self.popularity, domain=factor * self.domain)

    def without(self, names: Iterable[str]) -> Mix:
        """The same with some signals at 0."""
        return replace(self, **dict.fromkeys(names, 0.0))

    def with_floor(self, floor: float) -> Mix:
        """The same with words and lexical match raised to at least `floor` of the sum."""
        from_words = self.words + self.lexical
        rest = self.texts + self.behavioural + self.popularity + self.domain
        if from_words <= 0 or from_words >= floor * (from_words + rest):
            return self
        raised = floor * rest / (1 - floor) / from_words
        return replace(self, words=raised * self.words, lexical=raised * self.lexical)

    def weights(self, neighbour_share: float) -> Weights:
        """As weights that sum to 1."""
        semantic = self.words + self.lexical + self.texts
        dense = self.words + self.texts
        total = semantic + self.behavioural + self.popularity + self.domain
        if total <= 0:
            return Weights(semantic=0.0, behavioural=0.0, popularity=1.0)
        return Weights(
            semantic=semantic / total,
            behavioural=self.behavioural / total,
            popularity=self.popularity / total,
            domain=self.domain / total,
            intent_share=self.words / dense if dense else 1.0,
            lexical_share=self.lexical / semantic if semantic else 0.0,
            neighbour_share=neighbour_share,
        )


@dataclass(frozen=True, kw_only=True)
class GateFeatures:
    """Facts about a query before anything is searched.

    Attributes:
        has_words: Whether its words gave a vector or a lexical match.
        has_session: Whether its session says anything.
        is_spoken: Whether anything was said at all, filler too.
        n_words: Number of its content words.
        n_known: Number of those that some item has.
        specificity: Mean idf of the content words, 0 to 1.
        session_length: Number of its events.
        is_kind: Whether it names a label of a small set, such as a genre.
        silent: The signals that say nothing, by their names in a `Mix`.
    """

    has_words: bool
    has_session: bool
    is_spoken: bool = False
    n_words: int = 0
    n_known: int = 0
    specificity: float = 0.0
    session_length: int = 0
    is_kind: bool = False
    silent: frozenset[str] = frozenset()

    @property
    def kind(self) -> QueryKind:
        """The signals that it brings: ``words``, ``session``, ``both``."""
        if self.has_words and self.has_session:
            return "both"
        return "words" if self.has_words else "session"

    @property
    def asks_alike(self) -> bool:
        """True if all that the words name are titles, which are in the session: "like Alien"."""
        return self.has_session and not self.has_words and self.n_words > 0

    @property
    def is_broad(self) -> bool:
        """True for a word or two that a good part of the items have, and no session: "a comedy"."""
        few = self.n_known > 0 and self.n_words <= MAX_BROAD_WORDS
        return few and self.specificity < self.broad_below and not self.has_session

    @property
    def broad_below(self) -> float:
        """The specificity below which a word or two are broad; a genre may be a rare one."""
        return BROAD_KIND if self.is_kind else BROAD

    def to_dict(self) -> dict[str, float]:
        """By name, for the trace; without those of what the query doesn't have."""
        features: dict[str, float] = {}
        if self.has_words:
            features = {"content_words": self.n_words, "specificity": round(self.specificity, 4)}
        return features | ({"session_length": self.session_length} if self.has_session else {})


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The map from a query's features to its weights.

    Attributes:
        session: For a session without words; its neighbours' share is that of requests in words.
        baseline: For the behavioural-only recommender.
        topical: For a request that names a topic.
        conversational: For one that talks about tastes.
        midpoint: Number of content words at which a request of mean specificity lies halfway.
        steepness: Of the logistic, per unit of log(number of content words).
        rarity: What a specificity that is higher by 1 adds, in the same units.
        behaviour_unit: What a session's best items get from behaviour, on validation.
        words_floor: Least share of words and lexical match where a content word is known.
    """

    session: Weights
    baseline: Weights
    topical: Mix
    conversational: Mix
    midpoint: float = 6.0
    steepness: float = 1.7
    rarity: float = 0.0
    behaviour_unit: float = 1.0
    words_floor: float = 0.2

    def topicality(self, evidence: GateFeatures) -> float:
        """Between 0 (conversational) and 1 (topical)."""
        short = np.log(self.midpoint) - np.log(max(evidence.n_words, 1))
        logit = self.steepness * (short + self.rarity * (evidence.specificity - MEAN_SPECIFICITY))
        return float(1 / (1 + np.exp(-logit)))

    def weights(self, evidence: GateFeatures, semantic_weight: float | None = None) -> Weights:
        """The weights for a query.

        Args:
            evidence: What is known of it.
            semantic_weight: Weight asked for; behaviour and popularity then share the rest as in
                the baseline. None: as tuned.
        """
        if not evidence.has_words and not evidence.has_session:
            # "Something good, please": what people wanted who asked, if that is known.
            liked = self.conversational if evidence.is_spoken else UNSAID
            return liked.without(evidence.silent).weights(0.0)
        tuned = self._in_words(evidence) if evidence.has_words else self.session
        if evidence.asks_alike:
            tuned = tuned.with_semantic(max(tuned.semantic, ALIKE_SEMANTIC))
        if semantic_weight is None:
            return tuned
        rest = 1.0 - semantic_weight
        behavioural = self.baseline.behavioural if evidence.has_session else 0.0
        return Weights(
            semantic=semantic_weight,
            behavioural=rest * behavioural,
            popularity=rest * (1.0 - behavioural),
            intent_share=tuned.intent_share,
            lexical_share=tuned.lexical_share,
            neighbour_share=self.baseline.neighbour_share,
        )

    def reason(self, evidence: GateFeatures) -> str:
        """In a sentence: what kind of query it was taken for, and why; ``""`` without words."""
        if not evidence.has_words:
            return "taken for a wish for items like those named" if evidence.asks_alike else ""
        share = self.topicality(evidence)
        kind = "a topic" if share >= 0.5 else "a conversation about tastes"
        words = "1 content word" if evidence.n_words == 1 else f"{evidence.n_words} content words"
        known = "" if evidence.n_known == evidence.n_words else f", {evidence.n_known} known here"
        broad = ", which many items have: the popular ones first" if evidence.is_broad else ""
        return f"taken for {kind} ({max(share, 1 - share):.0%}): {words}{known}{broad}"

    def mix(self, evidence: GateFeatures) -> Mix:
        """The weights of a request in words, before they are made to sum to 1."""
        mix = self.conversational.blend(self.topical, self.topicality(evidence))
        mix = mix.without(evidence.silent)
        if evidence.is_broad:
            factor = 1 + BROAD_POPULARITY * (1 - evidence.specificity / evidence.broad_below)
            mix = mix.more_popular(min(factor, MAX_BROAD_POPULARITY))
        unit = self.behaviour_unit if self.behaviour_unit > 0 else 1.0
        mix = replace(mix, behavioural=mix.behavioural / unit)
        return mix.with_floor(self.words_floor) if evidence.n_known else mix

    def _in_words(self, evidence: GateFeatures) -> Weights:
        return self.mix(evidence).weights(self.session.neighbour_share)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Gate:
        """Read what `to_dict` gave."""
        given = dict(values)
        for name, kind in (("session", Weights), ("baseline", Weights)):
            given[name] = kind(**given[name])
        for name in ("topical", "conversational"):
            given[name] = Mix(**given[name])
        return cls(**given)


UNSAID = Mix(words=0.0, lexical=0.0, texts=0.0, behavioural=0.0, popularity=1.0)
# Who says "like Alien" asks for what is like it; a session of clicks says less. Chosen on the 38
# requests of ReDial's even groups that name titles alone (NDCG@10 .087 -> .138; the odd ones, 19:
# .202 -> .207), and by eye (LOG.md).
ALIKE_SEMANTIC = 0.7
MEAN_SPECIFICITY = 0.55  # of requests for films: what `rarity` counts from
# A word that many items have tells few of them from others; among those that have it,
# what many people chose comes first. Picked by eye on a dozen such requests (LOG.md).
BROAD, BROAD_KIND, MAX_BROAD_WORDS = 0.4, 0.55, 2
BROAD_POPULARITY, MAX_BROAD_POPULARITY = 6.0, 3.0
NEAR = 0.05  # a few neighbours' scores stand far out, so a small share of them goes a long way
UNTUNED = Gate(
    session=Weights(semantic=0.2, behavioural=0.7, popularity=0.1, neighbour_share=NEAR),
    baseline=Weights(semantic=0.0, behavioural=0.9, popularity=0.1, neighbour_share=NEAR),
    topical=Mix(words=1.0, lexical=0.65, texts=0.15, behavioural=0.7, popularity=0.35, domain=0.1),
    conversational=Mix(
        words=0.6, lexical=0.1, texts=1.5, behavioural=6.0, popularity=0.9, domain=1.0
    ),
)
"""For data without requests: picked on half of the topics and on `iard_train` (LOG.md)."""
