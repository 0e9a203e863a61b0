"""The contrastive loss, with what is right for a request never counted against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from sentence_transformers.util import all_gather, all_gather_with_grad
from torch import Tensor, nn

from semrec.environment.ranks import n_ranks


class MaskedRankingLoss(nn.Module):
    """Cross-entropy of each request's item among all items of the batch, false negatives masked.

    A batch has three columns (requests, their items, hard negatives) and as labels for each
    request its group, its item's row and its negative's row. The candidates of every request are
    all items and all negatives of the batch, without those that its group wants elsewhere and
    without further copies of its own item.

    On several ranks candidates are those of all ranks' batches, which have the same size. Gradients
    flow back to the rank that a candidate is from; averaged over ranks, as is done with them, they
    are those of a single batch with all requests.
    """

    def __init__(self, model: nn.Module, *, scale: float, wanted: Sequence[Iterable[int]]) -> None:
        """`wanted` gives for each group the rows that are right for it."""
        super().__init__()
        self.model = model
        self.scale = scale
        self.wanted = [torch.tensor(sorted(rows)) for rows in wanted]

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """The mean loss of a batch; `labels` is (n, 3) int64."""
        requests, *items = (
            self.model(features)["sentence_embedding"] for features in sentence_features
        )
        first = 0
        if n_ranks() > 1:
            items = [all_gather_with_grad(column) for column in items]
            first = torch.distributed.get_rank() * len(labels)
            labels = all_gather(labels.contiguous())
        return masked_loss(requests, torch.cat(items), labels, self.wanted, self.scale, first=first)


def masked_loss(
    requests: Tensor,
    candidates: Tensor,
    labels: Tensor,
    wanted: Sequence[Tensor],
    scale: float,
    *,
    first: int = 0,
) -> Tensor:
    """The mean loss of n requests, which are among the m ≥ n that candidates are given of.

    Args:
        requests: (n, dim).
        candidates: (2 m, dim): the items of all m requests, then their negatives.
        labels: (m, 3) int64: group, the item's row, the negative's row.
        wanted: For each group the rows that are right for it.
        scale: Cosines are multiplied by it.
        first: Index among the m of the first of the n, which stand together.
    """
    normal = nn.functional.normalize
    scores = scale * normal(requests.float(), dim=1) @ normal(candidates.float(), dim=1).T
    rows = torch.cat([labels[:, 1], labels[:, 2]])
    groups = labels[first : first + len(requests), 0].tolist()
    right = torch.stack([torch.isin(rows, wanted[group].to(rows.device)) for group in groups])
    targets = torch.arange(first, first + len(requests), device=scores.device)
    own = targets[:, None] == torch.arange(len(candidates), device=scores.device)
    scores = scores.masked_fill(right & ~own, float("-inf"))
    return nn.functional.cross_entropy(scores, targets)
