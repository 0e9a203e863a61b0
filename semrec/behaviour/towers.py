"""The networks of the sequence models: item table, session towers, item tower.

SASRec (Kang & McAuley 2018, arXiv 1808.09781) is a causal transformer over the session with
pre-norm blocks; the two-tower model pools the session and puts a small network on either side
(Yi et al. 2019, doi:10.1145/3298689.3346996). Both may add vectors of the items' labels to those
of their ids: an item with few events borrows from what shares its category.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semrec.behaviour.losses import (
    draw_negatives,
    full_softmax,
    in_batch_softmax,
    sampled_softmax,
)
from semrec.behaviour.sequence_training import NO_TARGET


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of the items, as torch's embedding bags take them.

    Attributes:
        codes: (m,) int64, the labels of all items, one item after the other.
        starts: (n_items,) int64, where each item's labels start in `codes`.
        n_labels: How many there are.
    """

    codes: Tensor
    starts: Tensor
    n_labels: int


class ItemTable(nn.Module):
    """A vector per item: its own, plus those of its labels."""

    codes: Tensor
    starts: Tensor
    shares: Tensor

    def __init__(self, n_items: int, dim: int, labels: Labels | None) -> None:
        super().__init__()
        self.ids = nn.Parameter(torch.randn(n_items, dim) * 0.02)
        if labels is not None:
            self.labels = nn.Parameter(torch.randn(labels.n_labels, dim) * 0.02)
            ends = torch.cat([labels.starts[1:], torch.tensor([len(labels.codes)])])
            sizes = ends - labels.starts
            # An item with many labels mustn't be longer than one with a single one.
            shares = sizes.clamp(min=1).float().rsqrt().repeat_interleave(sizes)
            self.register_buffer("codes", labels.codes, persistent=False)
            self.register_buffer("starts", labels.starts, persistent=False)
            self.register_buffer("shares", shares, persistent=False)

    def forward(self) -> Tensor:
        """(n_items, dim)."""
        if not hasattr(self, "labels"):
            return self.ids
        return self.ids + F.embedding_bag(
            self.codes, self.labels, self.starts, mode="sum", per_sample_weights=self.shares
        )


class Block(nn.Module):
    """Causal self-attention and a feed-forward net, each normed before and added after."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before_attention = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.before_net = nn.LayerNorm(dim)
        self.net = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * dim, dim)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b, length, dim) to the same shape."""
        b, length, dim = x.shape
        qkv = self.qkv(self.before_attention(x)).view(b, length, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (b, heads, length, dim / heads)
        seen = F.scaled_dot_product_attention(
            q, k, v, is_causal=True, dropout_p=self.dropout if self.training else 0.0
        )
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(b, length, dim)))
        out: Tensor = x + self.drop(self.net(self.before_net(x)))
        return out


class AttentionTower(nn.Module):
    """SASRec's session tower. Sessions start at position 0; what pads them comes after."""

    def __init__(
        self, *, dim: int, blocks: int, heads: int, dropout: float, max_length: int
    ) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(max_length, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, length, dim) of the session's items to (b, length, dim): what is next at each."""
        x = self.drop(vectors * vectors.shape[2] ** 0.5 + self.positions[: vectors.shape[1]])
        for block in self.blocks:
            x = block(x)
        return self.norm(x)  # type: ignore[no-any-return]


class PoolingTower(nn.Module):
    """The two-tower model's session tower: a decaying sum of the items, then a small network."""

    pull: Tensor

    def __init__(self, *, dim: int, decay: float, dropout: float, max_length: int) -> None:
        super().__init__()
        age = torch.arange(max_length)[:, None] - torch.arange(max_length)[None]
        pull = torch.where(age >= 0, decay ** age.clamp(min=0).float(), 0.0)
        self.register_buffer("pull", pull / pull.sum(dim=1, keepdim=True), persistent=False)
        self.drop = nn.Dropout(dropout)
        self.net = _residual(dim)

    def forward(self, vectors: Tensor) -> Tensor:
        """(b, length, dim) of the session's items to (b, length, dim): what is next at each."""
        length = vectors.shape[1]
        x = self.pull[:length, :length] @ self.drop(vectors)
        return self.net(x * vectors.shape[2] ** 0.5)  # type: ignore[no-any-return]


class ItemTower(nn.Module):
    """The two-tower model's item tower: a small network over the table's vectors."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.net = _residual(dim)

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, dim) to the same shape."""
        return self.net(vectors * vectors.shape[1] ** 0.5)  # type: ignore[no-any-return]


class _residual(nn.Module):
    """x + f(x), normed."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.inner(x))  # type: ignore[no-any-return]


class SequenceNetwork(nn.Module):
    """A table of items, a tower that reads sessions, and one that reads items.

    Its `forward` is the loss, so that it can be wrapped for several processes.
    """

    log_q: Tensor

    def __init__(
        self,
        *,
        table: ItemTable,
        session: nn.Module,
        item: nn.Module,
        loss: Literal["full", "sampled", "in_batch"],
        negatives: int,
        log_q: Tensor,
    ) -> None:
        super().__init__()
        self.table, self.session, self.item = table, session, item
        self.loss, self.negatives = loss, negatives
        self.register_buffer("log_q", log_q, persistent=False)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss over all positions with a target.

        Args:
            inputs: (b, length) int64, items; n_items where there is none.
            targets: (b, length) int64, the item after each; `NO_TARGET` where there is none.
        """
        table = self.table()
        hidden = self.session(F.embedding(inputs, F.pad(table, (0, 0, 0, 1))))
        has_target = targets != NO_TARGET
        hidden, wanted, items = hidden[has_target], targets[has_target], self.item(table)
        match self.loss:
            case "full":
                return full_softmax(hidden, items, wanted)
            case "sampled":
                drawn = draw_negatives(len(items), self.negatives, items.device)
                return sampled_softmax(hidden, items, wanted, drawn)
            case "in_batch":
                return in_batch_softmax(hidden, items, wanted, self.log_q)
