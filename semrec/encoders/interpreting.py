"""Interpreters of limits that no attribute names ("nothing gory"): one of the labels, or none.

Two readers, each choosing among the catalogue's own labels and never writing freely: a language
model by the likelihood of a label's first token, an encoder by similarity. Both are set against
what they say of a phrase that says nothing (Zhao et al. 2021, arXiv 2102.09690), or frequent
labels would win.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from semrec.deadline import NEVER, Deadline, TimeUpError
from semrec.encoders.language_model import LanguageModel
from semrec.prompting import Prompt
from semrec.protocols import Encoder
from semrec.types import FloatArray

NONE = "none"
NEUTRAL = ("something", "things", "N/A")


@dataclass(frozen=True, kw_only=True)
class LanguageModelInterpreter:
    """Asks a language model.

    Attributes:
        model: The model.
        prompt: Of kind ``limit``; ends where the label is to follow.
        margin: How many nats the best label must be ahead of the next and of "none".
    """

    model: LanguageModel
    prompt: Prompt
    margin: float = 1.0
    _neutral: dict[tuple[str, ...], FloatArray] = field(default_factory=dict, repr=False)

    def choose(self, phrase: str, labels: Sequence[str], deadline: Deadline) -> str | None:
        """The label that `phrase` means; None if that isn't clear, or not in time."""
        options = (*labels, NONE)
        try:
            if options not in self._neutral:  # once for a catalogue, whoever waits
                neutral = [self._scores(words, options, NEVER) for words in NEUTRAL]
                self._neutral[options] = np.mean(neutral, axis=0)
            scores = self._scores(phrase, options, deadline) - self._neutral[options]
        except TimeUpError:
            return None
        return _clear_best(scores, options, self.margin)

    def _scores(self, phrase: str, options: tuple[str, ...], deadline: Deadline) -> FloatArray:
        """(n_options,) float32: log-likelihood of each option's first token."""
        prompt = self.prompt.render(phrase=phrase, labels=list(options[:-1]))
        logits = self.model.next_logits(prompt, deadline)
        first = [self.model.tokens(f" {option}")[0] for option in options]
        return np.asarray(logits[first], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class EncoderInterpreter:
    """Asks an encoder.

    Attributes:
        encoder: The encoder.
        least: Similarity above that of a phrase that says nothing, from which a label counts.
        margin: How far the best label must be ahead of the next.
    """

    encoder: Encoder
    least: float = 0.15
    margin: float = 0.05
    _known: dict[tuple[str, ...], tuple[FloatArray, FloatArray]] = field(
        default_factory=dict, repr=False
    )

    def choose(self, phrase: str, labels: Sequence[str], deadline: Deadline) -> str | None:
        """The label that `phrase` means; None if that isn't clear, or the time is up."""
        options = tuple(labels)
        if deadline.passed or not options:
            return None
        if options not in self._known:
            vectors = self.encoder.encode_queries(options)
            neutral = self.encoder.encode_queries(NEUTRAL).mean(axis=0)
            self._known[options] = vectors, vectors @ neutral
        vectors, prior = self._known[options]
        scores = vectors @ self.encoder.encode_queries([phrase])[0] - prior
        best = _clear_best(scores, options, self.margin)
        return best if scores.max() >= self.least else None


def _clear_best(scores: FloatArray, options: Sequence[str], margin: float) -> str | None:
    """The best option if it is well ahead of the others and isn't "none"."""
    first, *others = np.argsort(-scores, kind="stable")
    if others and scores[first] < scores[others[0]] + margin:
        return None
    return None if options[first] == NONE else options[first]
