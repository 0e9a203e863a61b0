"""A causal language model that reads what texts have in common once.

    prefix (read once, kept) → continuations (all in one row) → their states → log-likelihoods

Continuations stand one behind the other in one row: each sees the prefix and itself, by its
attention mask, and counts its positions from the prefix's end. So the prefix's keys and values
are not copied for every tokens, and nothing is padding.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from semrec.deadline import Deadline, TimeUpError, watched
from semrec.types import FloatArray

HEAD_ROWS = 64  # states put to the head at once: its output has the vocabulary's width


@dataclass(frozen=True, kw_only=True)
class Prefix:
    """A prefix that was read.

    Attributes:
        ids: Its tokens.
        layers: Keys and values of each layer, (1, heads, len(ids), width of a head).
        last: (width,), the state of its last token.
    """

    ids: tuple[int, ...]
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]
    last: torch.Tensor


class PrefixModel:
    """A language model and the prefixes that it read last.

    For models that attend to everything before a token (Llama, Qwen, SmolLM, …).
    """

    def __init__(self, model: Any, *, max_tokens: int = 4_096) -> None:  # noqa: ANN401
        """Keeps prefixes of `max_tokens` together: 47 kB a token with SmolLM2-135M.

        Args:
            model: A transformers causal language model, in evaluation mode.
            max_tokens: Of all prefixes that are kept.
        """
        self.model = model
        self.max_tokens = max_tokens
        self._kept: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        self._lock = threading.Lock()
        known = inspect.signature(model.base_model.forward).parameters
        self._cache_name = "cache" if "cache" in known else "past_key_values"  # before 5.24

    def prefix(self, ids: Sequence[int], deadline: Deadline) -> Prefix:
        """Read `ids`, at least one; what a kept prefix has in common with it isn't read again.

        Raises:
            TimeUpError: If the deadline passes first.
        """
        if deadline.passed:
            raise TimeUpError
        wanted = tuple(ids)
        with self._lock:
            cached = self._kept.get(wanted)
            if cached is not None:
                self._kept.move_to_end(wanted)
                return cached
            nearest = max(
                self._kept.values(), key=lambda prefix: _common(prefix.ids, wanted), default=None
            )
        # The state of the last token is wanted too, so that one is read in any case.
        shared = 0 if nearest is None else min(_common(nearest.ids, wanted), len(wanted) - 1)
        layers = () if nearest is None else nearest.layers
        cache = _cache([(k[:, :, :shared], v[:, :, :shared]) for k, v in layers if shared])
        with torch.inference_mode(), watched(self.model, deadline):
            states = self._read(wanted[shared:], cache)
        made = Prefix(
            ids=wanted,
            layers=tuple((layer.keys, layer.values) for layer in cache.layers),
            last=states[-1].clone(),
        )
        with self._lock:
            self._kept[wanted] = made
            while len(self._kept) > 1 and sum(map(len, self._kept)) > self.max_tokens:
                self._kept.popitem(last=False)
        return made

    def states(
        self, prefix: Prefix, continuations: Sequence[Sequence[int]], deadline: Deadline
    ) -> list[torch.Tensor]:
        """The states of each continuation's tokens, (its length, width), as if it stood alone.

        Raises:
            TimeUpError: If the deadline passes first.
        """
        lengths = torch.tensor([len(tokens) for tokens in continuations])
        total, begun = int(lengths.sum()), len(prefix.ids)
        if not total:
            return [prefix.last.new_zeros((0, len(prefix.last)))] * len(continuations)
        owner = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        position = torch.arange(total) - (lengths.cumsum(0) - lengths)[owner]
        own = (owner[:, None] == owner) & (position[:, None] >= position)
        seen = torch.cat([torch.ones(total, begun, dtype=torch.bool), own], dim=1)
        hidden = torch.finfo(prefix.last.dtype).min
        mask = torch.zeros(seen.shape, dtype=prefix.last.dtype).masked_fill(~seen, hidden)
        with torch.inference_mode(), watched(self.model, deadline):
            states = self._read(
                [token for tokens in continuations for token in tokens],
                _cache(prefix.layers),
                position_ids=(begun + position)[None].to(self.model.device),
                attention_mask=mask[None, None].to(self.model.device),
            )
        return list(torch.split(states, lengths.tolist()))

    def log_likelihoods(
        self, prefix: Prefix, continuations: Sequence[Sequence[int]], deadline: Deadline
    ) -> list[FloatArray]:
        """For each continuation its tokens' log-likelihoods, (its length,) float32.

        Raises:
            TimeUpError: If the deadline passes first.
        """
        # A token is predicted by the state before it, so the last one needn't be read.
        states = self.states(prefix, [tokens[:-1] for tokens in continuations], deadline)
        rows = torch.cat(
            [
                torch.cat([prefix.last[None], read])[: len(tokens)]
                for tokens, read in zip(continuations, states, strict=True)
            ]
        )
        wanted = torch.tensor([token for tokens in continuations for token in tokens])
        likelihoods = []
        for start in range(0, len(wanted), HEAD_ROWS):
            if deadline.passed:
                raise TimeUpError
            with torch.inference_mode():
                logits = self.model.get_output_embeddings()(rows[start : start + HEAD_ROWS]).float()
                tokens = wanted[start : start + HEAD_ROWS, None].to(logits.device)
                chosen = logits.gather(1, tokens)[:, 0] - logits.logsumexp(dim=1)
            likelihoods.append(chosen.cpu().numpy())
        together = np.concatenate(likelihoods) if likelihoods else np.zeros(0, np.float32)
        bounds = np.cumsum([len(tokens) for tokens in continuations])[:-1]
        return [np.asarray(part, dtype=np.float32) for part in np.split(together, bounds)]

    def _read(self, ids: Sequence[int], cache: Any, **options: Any) -> torch.Tensor:  # noqa: ANN401
        """(len(ids), width) states; `cache` holds what is before and grows by it."""
        tokens = torch.tensor([list(ids)], device=self.model.device)
        taken = {self._cache_name: cache, "use_cache": True}
        read = self.model.base_model(input_ids=tokens, **taken, **options)
        states: torch.Tensor = read.last_hidden_state[0]
        return states


def _cache(layers: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> Any:  # noqa: ANN401
    """A cache that starts from `layers`; they themselves stay as they are."""
    return DynamicCache(list(layers) or None)


def _common(ids: Sequence[int], other: Sequence[int]) -> int:
    """Number of tokens that two texts begin with in common."""
    pairs = enumerate(zip(ids, other, strict=False))
    return next((position for position, (a, b) in pairs if a != b), min(len(ids), len(other)))
