"""The contrastive loss, with what is right for a request never counted against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


class MaskedRankingLoss(nn.Module):
    """Cross-entropy of each request's item among all items of the batch, false negatives masked.

    A batch has three columns (requests, their items, hard negatives) and as labels for each
    request its group, its item's row and its negative's row. The candidates of every request are
    all items and all negatives of the batch, without those that its group wants elsewhere and
    without further copies of its own item.
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
        return masked_loss(requests, torch.cat(items), labels, self.wanted, self.scale)


def masked_loss(
    requests: Tensor, candidates: Tensor, labels: Tensor, wanted: Sequence[Tensor], scale: float
) -> Tensor:
    """The mean loss.

    Args:
        requests: (n, dim).
        candidates: (2 n, dim): the requests' items, then their negatives.
        labels: (n, 3) int64: group, the item's row, the negative's row.
        wanted: For each group the rows that are right for it.
        scale: Cosines are multiplied by it.
    """
    normal = nn.functional.normalize
    scores = scale * normal(requests.float(), dim=1) @ normal(candidates.float(), dim=1).T
    rows = torch.cat([labels[:, 1], labels[:, 2]])
    right = torch.stack(
        [torch.isin(rows, wanted[group].to(rows.device)) for group in labels[:, 0].tolist()]
    )
    own = torch.eye(len(requests), len(candidates), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(right & ~own, float("-inf"))
    targets = torch.arange(len(requests), device=scores.device)
    return nn.functional.cross_entropy(scores, targets)
