"""Training the Wide & Deep ranker: softmax over each list, AdamW, stopped by lists of other units.

The last layer starts at zero, so training starts from the fused list, and what it stops at is no
worse on the lists that stop it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semrec.ranking.lists import RankedList, padded
from semrec.ranking.wide_deep import WideDeep, standardised
from semrec.types import FloatArray

STOP_EVERY = 5  # one unit in so many says when to stop
MIN_IMPROVEMENT = 1e-4  # of the loss


@dataclass(frozen=True, kw_only=True)
class Training:
    """Options of a ranker's training.

    Attributes:
        hidden: Width of the MLP's first layer; the second has half.
        dropout: Behind the first layer.
        weight_decay: Of AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).
        learning_rate: Of AdamW.
        epochs: At most so many.
        patience: Stop after so many without a better loss.
        batch_size: Lists per step.
        seed: Of weights, dropout and order.
    """

    hidden: int
    dropout: float
    weight_decay: float
    learning_rate: float
    epochs: int
    patience: int
    batch_size: int
    seed: int


class _Network(nn.Module):
    def __init__(self, n_crosses: int, n_features: int, training: Training) -> None:
        super().__init__()
        hidden = training.hidden
        self.wide = nn.Parameter(torch.zeros(n_crosses))
        self.first = nn.Linear(n_features, hidden)
        self.dropout = nn.Dropout(training.dropout)
        self.second = nn.Linear(hidden, hidden // 2)
        self.last = nn.Parameter(torch.zeros(hidden // 2))
        self.scale = nn.Parameter(torch.ones(()))  # of the fused unit in the softmax; not served

    def forward(self, fused: Tensor, crosses: Tensor, features: Tensor) -> Tensor:
        hidden = self.dropout(torch.relu(self.first(features)))
        hidden = torch.relu(self.second(hidden))
        corrected = fused + crosses @ self.wide + hidden @ self.last
        return corrected * self.scale.exp()


def train_wide_deep(lists: Sequence[RankedList], training: Training) -> WideDeep:
    """A ranker that puts what was right further up than the fused list did.

    Args:
        lists: At least one with something right in it; the others are not looked at.
        training: How.
    """
    usable = [ranked for ranked in lists if ranked.right.any()]
    fused, crosses, features, real, shares = padded(usable)
    means = features[real].mean(axis=0)
    deviations = features[real].std(axis=0)
    deviations = np.where(deviations > 1e-6, deviations, 1).astype(np.float32)
    inputs = standardised(features, means, deviations)
    stops = np.array([_says_when_to_stop(ranked.unit) for ranked in usable])
    tensors = [torch.from_numpy(array) for array in (fused, crosses, inputs, real, shares)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = _Network(crosses.shape[2], inputs.shape[2], training)
        _fit(network, tensors, np.flatnonzero(~stops), np.flatnonzero(stops), training)
    return WideDeep(
        wide=_array(network.wide),
        means=means,
        deviations=deviations,
        first=_array(network.first.weight).T.copy(),
        first_bias=_array(network.first.bias),
        second=_array(network.second.weight).T.copy(),
        second_bias=_array(network.second.bias),
        last=_array(network.last),
    )


def _fit(
    network: _Network,
    tensors: Sequence[Tensor],
    learn: NDArray[np.int64],
    stop: NDArray[np.int64],
    training: Training,
) -> None:
    """Leave `network` as it was when the lists at `stop` liked it best."""
    rng = np.random.default_rng(training.seed)
    others = [weights for name, weights in network.named_parameters() if name != "scale"]
    optimiser = torch.optim.AdamW(
        [
            {"params": others, "weight_decay": training.weight_decay},
            {"params": [network.scale], "weight_decay": 0.0, "lr": 10 * training.learning_rate},
        ],
        lr=training.learning_rate,
    )
    best = {name: weights.clone() for name, weights in network.state_dict().items()}
    least, waited = np.inf, 0
    for _ in range(training.epochs):
        network.eval()
        with torch.no_grad():
            loss = float(_loss(network, [tensor[stop] for tensor in tensors]))
        if loss < least - MIN_IMPROVEMENT:
            least, waited = loss, 0
            best = {name: weights.clone() for name, weights in network.state_dict().items()}
        else:
            waited += 1
            if waited > training.patience:
                break
        network.train()
        order = rng.permutation(learn)
        for batch in np.array_split(order, max(1, -(-len(order) // training.batch_size))):
            optimiser.zero_grad()
            torch.autograd.backward(_loss(network, [tensor[batch] for tensor in tensors]))
            optimiser.step()
    network.load_state_dict(best)
    network.eval()


def _loss(network: _Network, tensors: Sequence[Tensor]) -> Tensor:
    """Mean cross-entropy of what was right under a softmax over each list."""
    fused, crosses, features, real, shares = tensors
    scores = network(fused, crosses, features).masked_fill(~real, -1e9)
    return -(shares * torch.log_softmax(scores, dim=1)).sum(dim=1).mean()


def _says_when_to_stop(unit: str) -> bool:
    return int(hashlib.sha256(f"stop {unit}".encode()).hexdigest()[:8], 16) % STOP_EVERY == 0


def _array(weights: Tensor) -> FloatArray:
    return np.asarray(weights.detach().numpy(), dtype=np.float32)
