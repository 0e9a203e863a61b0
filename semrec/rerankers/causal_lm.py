"""A causal language model as a reranker, without writing a word: its probabilities are read.

    request → prefix, read once → chunks of candidates behind it → one number each

The number is the likelihood of a candidate's title after the request. Candidates are put into
tokens as data: what looks like a special token in them is text, and nothing that the model would
say about an instruction in them is ever read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from semrec.deadline import Deadline, TimeUpError
from semrec.prompting import Prompt
from semrec.rerankers.parsing import MAX_REQUEST_CHARS
from semrec.rerankers.prefixes import Prefix, PrefixModel
from semrec.types import FloatArray, RerankScores

Tokenise = Callable[[str], list[int]]
"""Text to tokens, none of them special (`LanguageModel.tokens`)."""

MAX_ITEM_TOKENS = 32
MAX_PRIORS = 50_000
_CANDIDATE = "\0"


@dataclass(frozen=True, kw_only=True)
class LikelihoodReranker:
    """Likelihood of the title after the request, less its likelihood anyway.

    The mean over its tokens, so that long titles are not behind; less `prior_weight` times the same
    after an empty request (Zhao et al. 2021, arXiv 2102.09690), or known titles win. Of 0, ½ and 1
    only ½ lets SmolLM2-135M tell all golden pairs apart.

    Attributes:
        model: The language model.
        tokens: Its tokenizer.
        prompt: Of kind ``rerank_likelihood``; the candidate ends it.
        prior_weight: 0: the plain likelihood, in half the time for titles that are new.
        chunk: Candidates scored at a time.
    """

    model: PrefixModel
    tokens: Tokenise
    prompt: Prompt
    prior_weight: float = 0.5
    chunk: int = 10
    _priors: OrderedDict[tuple[int, ...], float] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Scores, `chunk` candidates at a time."""
        with suppress(TimeUpError):
            prefix = self._prefix(request, deadline)
            for start in range(0, len(texts), self.chunk):
                titles = [
                    item_tokens(text, self.tokens) for text in texts[start : start + self.chunk]
                ]
                scores = self._means(prefix, titles, deadline)
                if self.prior_weight:
                    scores -= self.prior_weight * self._prior(titles, deadline)
                yield chunk_of(start, scores)

    def _prefix(self, request: str, deadline: Deadline) -> Prefix:
        before, _ = around(self.prompt, request)
        return self.model.prefix(self.tokens(before), deadline)

    def _means(
        self, prefix: Prefix, titles: list[tuple[int, ...]], deadline: Deadline
    ) -> FloatArray:
        likelihoods = self.model.log_likelihoods(prefix, titles, deadline)
        return np.array([v.mean() if len(v) else np.nan for v in likelihoods], dtype=np.float32)

    def _prior(self, titles: list[tuple[int, ...]], deadline: Deadline) -> FloatArray:
        """(n,) float32: what the titles' means are after an empty request; remembered."""
        with self._lock:
            known = {title: self._priors[title] for title in titles if title in self._priors}
        new = list(dict.fromkeys(title for title in titles if title not in known))
        if new:
            means = self._means(self._prefix("", deadline), new, deadline)
            known |= dict(zip(new, map(float, means), strict=True))
        with self._lock:
            self._priors.update(known)
            while len(self._priors) > MAX_PRIORS:
                self._priors.popitem(last=False)
        return np.array([known[title] for title in titles], dtype=np.float32)


def around(prompt: Prompt, request: str) -> tuple[str, str]:
    """The parts of a prompt before and behind the candidate."""
    words = request.replace(_CANDIDATE, " ")[-MAX_REQUEST_CHARS:]
    before, _, behind = prompt.render(request=words, candidate=_CANDIDATE).partition(_CANDIDATE)
    return before.rstrip(), behind


def item_tokens(text: str, tokens: Tokenise) -> tuple[int, ...]:
    """A candidate in tokens, at most `MAX_ITEM_TOKENS`."""
    words = " ".join(text.split())
    return tuple(tokens(f" {words}")[:MAX_ITEM_TOKENS]) if words else ()


def chunk_of(start: int, scores: FloatArray) -> RerankScores:
    """Scores of the candidates from `start` on."""
    return RerankScores(positions=np.arange(start, start + len(scores)), scores=scores)
