"""Any sentence-transformers CrossEncoder (Reimers & Gurevych 2019, arXiv 1908.10084)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semrec.deadline import Deadline, TimeUpError, watched
from semrec.errors import ModelError
from semrec.rerankers.parsing import clean
from semrec.types import RerankScores


@dataclass(frozen=True, kw_only=True)
class CrossEncoderReranker:
    """Reads request and candidate together; `load_cross_encoder` makes one.

    Attributes:
        model: The CrossEncoder.
        chunk: Candidates scored at a time; within a chunk, texts of similar length share a batch.
        batch_size: Pairs in one pass.
    """

    model: Any
    chunk: int = 32
    batch_size: int = 16

    def rerank(
        self, request: str, texts: Sequence[str], deadline: Deadline
    ) -> Iterator[RerankScores]:
        """Scores, `chunk` candidates at a time."""
        from torch.nn import Identity

        with suppress(TimeUpError):
            for start in range(0, len(texts), self.chunk):
                pairs = [
                    (clean(request), clean(text)) for text in texts[start : start + self.chunk]
                ]
                with watched(self.model.transformers_model, deadline):
                    scores = self.model.predict(
                        pairs,
                        batch_size=self.batch_size,
                        # What comes before a sigmoid: behind it, clear cases would be equal.
                        activation_fn=Identity(),
                        show_progress_bar=False,
                        convert_to_numpy=True,
                    )
                positions = np.arange(start, start + len(pairs))
                yield RerankScores(positions=positions, scores=np.asarray(scores, dtype=np.float32))


def load_cross_encoder(
    path: Path, *, device: str | None = None, max_length: int | None = None
) -> CrossEncoderReranker:
    """Load a CrossEncoder from a folder.

    Args:
        path: The folder.
        device: As torch names them; None: the best there is.
        max_length: Tokens of request and candidate; None: the model's own.

    Raises:
        ModelError: If it can't be read, or gives more than one score for a pair.
    """
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(str(path), device=device, max_length=max_length, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path.name}: not loadable as a cross-encoder: {error}") from error
    if model.num_labels != 1:
        raise ModelError(
            f"{path.name}: gives {model.num_labels} scores for a pair, expected one of relevance"
        )
    model.eval()
    model.tokenizer.split_special_tokens = True  # what looks like one in somebody's text is text
    return CrossEncoderReranker(model=model)
