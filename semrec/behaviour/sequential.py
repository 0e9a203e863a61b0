"""Sequence models: SASRec and the two-tower model, trained on what came next in each session.

A session never seen before gets its vector from one pass of the session tower; the item tower has
run over all items at the end of training, so what is kept of it are its vectors.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from semrec.behaviour.sequence_training import Schedule, Trained, train
from semrec.behaviour.towers import (
    AttentionTower,
    ItemTable,
    ItemTower,
    Labels,
    PoolingTower,
    SequenceNetwork,
)
from semrec.types import FloatArray, Progress, RowArray, SessionRows

Kind = Literal["sasrec", "two_tower"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The network's shape, and what it is trained against.

    Attributes:
        kind: Which towers.
        dim: Length of the vectors.
        blocks: SASRec: transformer blocks.
        heads: SASRec: attention heads, a divisor of `dim`.
        dropout: Share of what is left out while training.
        decay: Two-tower: an event's pull falls by this factor with every newer one.
        max_length: How many events, the newest ones, are looked at.
        loss: Against all items, `negatives` drawn ones, or the batch's own targets.
        negatives: How many are drawn.
    """

    kind: Kind
    dim: int
    blocks: int
    heads: int
    dropout: float
    decay: float
    max_length: int
    loss: Literal["full", "sampled", "in_batch"]
    negatives: int


@dataclass(frozen=True, kw_only=True)
class SequenceModel:
    """A trained sequence model.

    Attributes:
        item_vectors: (n_items, dim) float32; zeros for items never seen in training.
        sources: (n_items, dim) float32, the items as the session tower reads them.
        tower: Reads a session.
        shape: What the tower looks like.
        trained: How the training went.
    """

    item_vectors: FloatArray
    sources: FloatArray
    tower: nn.Module
    shape: Shape
    trained: Trained

    def session_vector(self, session: SessionRows) -> FloatArray:
        """(dim,) float32; zeros if no item of the session was seen in training."""
        return np.asarray(self.session_vectors([session.rows])[0])

    def session_vectors(self, sessions: Sequence[RowArray]) -> FloatArray:
        """(n, dim) float32: the vectors of many sessions, given as item rows, in one pass."""
        known = [rows[self.item_vectors[rows].any(axis=1)] for rows in sessions]
        newest = [rows[-self.shape.max_length :] for rows in known]
        lengths = np.asarray([len(rows) for rows in newest])
        vectors = np.zeros((len(newest), self.item_vectors.shape[1]), dtype=np.float32)
        if not lengths.any():
            return vectors
        read = np.zeros((len(newest), lengths.max(), vectors.shape[1]), dtype=np.float32)
        for i, rows in enumerate(newest):
            read[i, : len(rows)] = self.sources[rows]
        with torch.inference_mode():
            hidden = self.tower(torch.from_numpy(read)).numpy()
        non_empty = np.flatnonzero(lengths)
        vectors[non_empty] = hidden[non_empty, lengths[non_empty] - 1]
        return vectors

    def scores(self, session: SessionRows) -> FloatArray:
        """(n_items,) float32, higher is better."""
        return self.item_vectors @ self.session_vector(session)

    def state(self) -> dict[str, FloatArray]:
        """All arrays, by name."""
        tower = {f"tower.{name}": value.numpy() for name, value in self.tower.state_dict().items()}
        return {"item_vectors": self.item_vectors, "sources": self.sources, **tower}


def fit_sequence_model(
    sessions: Sequence[RowArray],
    n_items: int,
    *,
    shape: Shape,
    schedule: Schedule,
    labels: Sequence[Sequence[int]] | None = None,
    validate: Callable[[SequenceModel], float] | None = None,
    report: Progress,
) -> SequenceModel:
    """Train on sessions.

    Args:
        sessions: Item rows of each, oldest first.
        n_items: How many items there are; those in no session are left out.
        shape: The network.
        schedule: How long and how fast, and what to go on from.
        labels: For each item the numbers of its labels, or None: ids only.
        validate: Scores a model, higher is better; training keeps the best.
        report: Called as batches are done.
    """
    counts = np.bincount(np.concatenate([*sessions, []]).astype(np.int64), minlength=n_items)
    known = np.flatnonzero(counts)
    index_of = np.full(n_items, -1, dtype=np.int64)
    index_of[known] = np.arange(len(known))
    log_q = np.log(counts[known] / counts.sum())
    with torch.random.fork_rng():
        torch.manual_seed(schedule.seed)
        network = _network(shape, _as_bags(labels, known), log_q)

    def model_of(trained: Trained) -> SequenceModel:
        return _model_of(network, shape, known, n_items, trained)

    trained = train(
        network,
        [index_of[session] for session in sessions],
        pad=len(known),
        schedule=schedule,
        validate=None if validate is None else lambda _network: validate(model_of(Trained())),
        report=report,
        name=shape.kind,
    )
    return model_of(trained)


def _network(shape: Shape, labels: Labels | None, log_q: NDArray[np.float64]) -> SequenceNetwork:
    """The untrained network.

    Args:
        shape: Its shape.
        labels: Of the known items.
        log_q: (n_known,) the logarithm of how often each occurs.
    """
    return SequenceNetwork(
        table=ItemTable(len(log_q), shape.dim, labels),
        session=_session_tower(shape),
        item=nn.Identity() if shape.kind == "sasrec" else ItemTower(shape.dim),
        loss=shape.loss,
        negatives=shape.negatives,
        log_q=torch.from_numpy(log_q).float(),
    )


def _model_of(
    network: SequenceNetwork, shape: Shape, known: RowArray, n_items: int, trained: Trained
) -> SequenceModel:
    """The model that a network stands for, with zeros for items it doesn't know."""
    item_vectors, sources = (np.zeros((n_items, shape.dim), np.float32) for _ in range(2))
    with torch.inference_mode():
        table = network.table()
        sources[known] = table.float().cpu().numpy()
        item_vectors[known] = network.item(table).float().cpu().numpy()
    return SequenceModel(
        item_vectors=item_vectors,
        sources=sources,
        tower=copy.deepcopy(network.session).cpu().eval(),
        shape=shape,
        trained=trained,
    )


def load_sequence_model(
    arrays: Mapping[str, FloatArray], shape: Shape, trained: Trained
) -> SequenceModel:
    """A model from what `SequenceModel.state` gave."""
    tower = _session_tower(shape).eval()
    tower.load_state_dict(
        {
            name.removeprefix("tower."): torch.from_numpy(array)
            for name, array in arrays.items()
            if name.startswith("tower.")
        }
    )
    return SequenceModel(
        item_vectors=arrays["item_vectors"],
        sources=arrays["sources"],
        tower=tower,
        shape=shape,
        trained=trained,
    )


def _session_tower(shape: Shape) -> nn.Module:
    if shape.kind == "sasrec":
        return AttentionTower(
            dim=shape.dim,
            blocks=shape.blocks,
            heads=shape.heads,
            dropout=shape.dropout,
            max_length=shape.max_length,
        )
    return PoolingTower(
        dim=shape.dim, decay=shape.decay, dropout=shape.dropout, max_length=shape.max_length
    )


def _as_bags(labels: Sequence[Sequence[int]] | None, known: RowArray) -> Labels | None:
    """The known items' labels, numbered anew."""
    if labels is None:
        return None
    lists = [list(labels[row]) for row in known]
    met, codes = np.unique([code for bag in lists for code in bag], return_inverse=True)
    if not len(met):
        return None
    sizes = [len(bag) for bag in lists]
    return Labels(
        codes=torch.from_numpy(codes.astype(np.int64)),
        starts=torch.from_numpy(np.cumsum([0, *sizes[:-1]]).astype(np.int64)),
        n_labels=len(met),
    )
