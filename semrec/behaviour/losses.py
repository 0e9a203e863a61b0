"""Losses of next-item networks. All three are mean cross-entropies.

With every item as a negative nothing is approximated, and on catalogues of some ten thousand items
that learns most per minute; sampled negatives are for larger ones. On several ranks the negatives
are those of all: their numbers are gathered, their vectors each rank makes from its own weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from accelerate.utils import broadcast, gather, pad_across_processes
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from semrec.behaviour.sequence_training import NO_TARGET
from semrec.environment.ranks import n_ranks

CHUNK = 4096  # positions whose logits are in memory at once


def full_softmax(hidden: Tensor, items: Tensor, targets: Tensor) -> Tensor:
    """Against all items.

    Args:
        hidden: (p, dim) what the session tower says at each position.
        items: (n, dim) item vectors.
        targets: (p,) int64, the item that came next.

    Returns:
        Scalar. Long batches are cut into chunks whose logits are computed again on the way back,
        so that memory is bounded by the chunk.
    """

    def summed(states: Tensor, wanted: Tensor) -> Tensor:
        return F.cross_entropy((states @ items.T).float(), wanted, reduction="sum")

    if len(targets) <= CHUNK:
        return summed(hidden, targets) / len(targets)
    total = hidden.new_zeros((), dtype=torch.float32)
    for chunk, wanted in zip(torch.split(hidden, CHUNK), torch.split(targets, CHUNK), strict=True):
        total = total + checkpoint(summed, chunk, wanted, use_reentrant=False)
    return total / len(targets)


def sampled_softmax(hidden: Tensor, items: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    """Against (s,) uniformly drawn `negatives` that all positions share.

    Klenitskiy & Vasilev 2023 (arXiv 2309.07602). A negative that is a position's target doesn't
    count there.
    """
    # Embeddings, not indexing: on the way back that adds up in one order, whatever the threads.
    positive = (hidden * F.embedding(targets, items)).sum(dim=1, keepdim=True)
    negative = hidden @ F.embedding(negatives, items).T
    negative = negative.masked_fill(negatives[None] == targets[:, None], float("-inf"))
    logits = torch.cat([positive, negative], dim=1).float()
    return F.cross_entropy(logits, torch.zeros_like(targets))


def draw_negatives(n_items: int, n_negatives: int, device: torch.device) -> Tensor:
    """(n_negatives,) int64, uniformly drawn items: those of rank 0 on all ranks."""
    drawn = torch.randint(n_items, (n_negatives,), device=device)
    if n_ranks() > 1:
        broadcast(drawn)  # in place
    return drawn


def in_batch_softmax(hidden: Tensor, items: Tensor, targets: Tensor, log_q: Tensor) -> Tensor:
    """Against the targets of all positions of all ranks, corrected for how often each occurs.

    Yi et al. 2019 (doi:10.1145/3298689.3346996): popular items are met more often as negatives, so
    the logarithm of that probability, `log_q` (n,), is taken from their logits.
    """
    met = _of_all_ranks(torch.unique(targets))
    logits = (hidden @ items[met].T).float() - log_q[met]
    return F.cross_entropy(logits, torch.searchsorted(met, targets))


def _of_all_ranks(met: Tensor) -> Tensor:
    """The items (m,) that any rank met, sorted, each once; ranks may have met different numbers."""
    if n_ranks() == 1:
        return met
    gathered: Tensor = torch.unique(gather(pad_across_processes(met, pad_index=NO_TARGET)))
    return gathered[gathered != NO_TARGET]
