"""A language model as a judge by what it thinks of a title, not by what it would say.

    request → prefix, read once → titles behind it → the state of each one's last token · head

The head is one linear layer, learned from what real requests wanted (`logit`); candidates go
through the model's first layers only (`shallow`). Titles are data, as in `causal_lm`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from semrec.deadline import Deadline, TimeUpError
from semrec.prompting import Prompt
from semrec.rerankers.causal_lm import Tokenise, around, chunk_of, item_tokens
from semrec.rerankers.health import probed
from semrec.rerankers.prefixes import PrefixModel
from semrec.types import FloatArray, Judged

FILE = "head.safetensors"


@dataclass(frozen=True, kw_only=True)
class Head:
    """What is learned.

    Attributes:
        weights: (width,) float32.
        probe: float32, what it gave the texts of `health` when it was made.
    """

    weights: FloatArray
    probe: FloatArray

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        save_file({"weights": self.weights, "probe": self.probe}, folder / FILE)


def load_head(folder: Path) -> Head:
    """Read what `Head.save` wrote."""
    return Head(**load_file(folder / FILE))


@dataclass(frozen=True, kw_only=True)
class StateReader:
    """What a language model thinks of titles after a request.

    Attributes:
        model: Its first layers.
        tokens: Its tokenizer.
        prompt: Of kind ``rerank_likelihood``; the candidate ends it.
    """

    model: PrefixModel
    tokens: Tokenise
    prompt: Prompt

    def states(self, request: str, texts: Sequence[str], deadline: Deadline) -> FloatArray:
        """(n, width) float32, the state of each text's last token; NaN for one without any.

        Raises:
            TimeUpError: If the deadline passes first.
        """
        before, _ = around(self.prompt, request)
        prefix = self.model.prefix(self.tokens(before), deadline)
        read = self.model.states(
            prefix, [item_tokens(text, self.tokens) for text in texts], deadline
        )
        nothing = torch.full_like(prefix.last, torch.nan)
        last = torch.stack([one[-1] if len(one) else nothing for one in read])
        return np.asarray(last.float().cpu().numpy(), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class HeadReranker:
    """How far a head likes a candidate's state.

    Attributes:
        reader: Reads the states.
        head: Weighs them.
        chunk: Candidates judged at a time.
    """

    reader: StateReader
    head: Head
    chunk: int = 10

    @classmethod
    def made(cls, reader: StateReader, weights: FloatArray) -> HeadReranker:
        """One that has just been learned, with what it gives `health`'s texts."""
        unprobed = cls(reader=reader, head=Head(weights=weights, probe=np.zeros(0, np.float32)))
        return replace(unprobed, head=replace(unprobed.head, probe=probed(unprobed)))

    def rerank(self, request: str, texts: Sequence[str], deadline: Deadline) -> Iterator[Judged]:
        """Judgements, `chunk` candidates at a time."""
        with suppress(TimeUpError):
            for start in range(0, len(texts), self.chunk):
                some = texts[start : start + self.chunk]
                yield chunk_of(
                    start, self.reader.states(request, some, deadline) @ self.head.weights
                )
