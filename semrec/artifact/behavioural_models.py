"""Behavioural models by kind: fitted, and from what was stored of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp

from semrec.behaviour.neighbours import Neighbours
from semrec.config import BehaviourConfig, NeighboursConfig, TrainingConfig
from semrec.data.interactions import Interactions
from semrec.environment.caches import cache_folder as cache_folder  # its users import it from here
from semrec.errors import ArtifactError, ConfigError, nearest
from semrec.protocols import Scorer, VectorModel
from semrec.types import FloatArray, Progress, silent

if TYPE_CHECKING:
    from semrec.behaviour.sequential import SequenceModel, Shape

BASELINES = ("popularity", "item_knn", "ease")
SEQUENCE_MODELS = ("sasrec", "two_tower")
QUICK = ("als", "pure_svd")
"""What `auto` chooses from: fitted in seconds."""

FULL_SOFTMAX_UP_TO = 50_000  # items; beyond that a step against all of them takes too long


@runtime_checkable
class _Stateful(Protocol):
    def state(self) -> dict[str, FloatArray]: ...


@dataclass(frozen=True, kw_only=True)
class SequenceFit:
    """All that only the training of a sequence model asks for.

    Attributes:
        labels: For each item the numbers of its labels; None: ids only.
        validate: Scores a model after each epoch; None: the last epoch's weights are kept.
        checkpoint: File to go on from, and to write; None: none.
        deadline: When to stop, as `time.monotonic()` gives it in seconds; None: never.
        report: Called as it is trained.
    """

    labels: Sequence[Sequence[int]] | None = None
    validate: Callable[[SequenceModel], float] | None = None
    checkpoint: Path | None = None
    deadline: float | None = None
    report: Progress = silent


def fit_behaviour(
    kind: str,
    events: Interactions,
    config: BehaviourConfig,
    options: Mapping[str, float],
    *,
    seed: int,
    fit: SequenceFit = SequenceFit(),
) -> VectorModel:
    """Fit a behavioural model.

    Args:
        kind: Any but ``auto``.
        events: What it learns from.
        config: What isn't chosen on validation.
        options: What is: `regularization`, `alpha`, `decay`; `epochs` of a sequence model.
        seed: For whatever is drawn.
        fit: Of a sequence model.
    """
    match kind:
        case "als":
            from semrec.behaviour.als import fit_als

            return fit_als(
                events.matrix(),
                factors=config.factors,
                regularization=options["regularization"],
                alpha=options["alpha"],
                iterations=config.iterations or 15,
                decay=options["decay"],
                seed=seed,
            )
        case "pure_svd":
            from semrec.behaviour.pure_svd import fit_pure_svd

            return fit_pure_svd(
                events.matrix(), factors=config.factors, decay=options["decay"], seed=seed
            )
        case "none":
            from semrec.behaviour.null_model import NullVectorModel

            return NullVectorModel(n_items=events.n_items)
        case "sasrec" | "two_tower":
            return _fit_sequence(kind, events, config, options, seed, fit)
    raise ConfigError(f"unknown behavioural model {kind!r}")


def _fit_sequence(
    kind: str,
    events: Interactions,
    config: BehaviourConfig,
    options: Mapping[str, float],
    seed: int,
    fit: SequenceFit,
) -> VectorModel:
    from semrec.behaviour.sequence_training import Schedule
    from semrec.behaviour.sequential import fit_sequence_model

    training = config.training
    return fit_sequence_model(
        np.split(events.rows, events.starts[1:-1]),
        events.n_items,
        shape=_shape(kind, config, options, n_items=int((events.counts > 0).sum())),
        schedule=Schedule(
            epochs=max(1, int(options.get("epochs", training.epochs))),
            patience=training.patience,
            batch_size=training.batch_size,
            max_length=training.max_length,
            learning_rate=training.learning_rate,
            seed=seed,
            deadline=fit.deadline,
            checkpoint=fit.checkpoint,
        ),
        labels=fit.labels if training.labels else None,
        validate=fit.validate,
        report=fit.report,
    )


def _shape(
    kind: Any,  # noqa: ANN401 (a literal, by then)
    config: BehaviourConfig,
    options: Mapping[str, float],
    *,
    n_items: int,
) -> Shape:
    from semrec.behaviour.sequential import Shape

    training: TrainingConfig = config.training
    if kind == "sasrec" and config.factors % training.heads:
        raise ConfigError(
            f"behaviour.factors is {config.factors}, expected a multiple of "
            f"behaviour.training.heads ({training.heads})"
        )
    loss = training.loss
    if loss is None and kind == "two_tower":
        loss = "in_batch"
    elif loss is None:
        loss = "full" if n_items <= FULL_SOFTMAX_UP_TO else "sampled"
    return Shape(
        kind=kind,
        dim=config.factors,
        blocks=training.blocks,
        heads=training.heads,
        dropout=training.dropout,
        decay=options["decay"],
        max_length=training.max_length,
        loss=loss,
        negatives=training.negatives,
    )


def fit_neighbours(
    kind: str,
    matrix: sp.csr_matrix[np.float32],
    config: NeighboursConfig,
    options: Mapping[str, float],
) -> Neighbours:
    """Fit each item's strongest neighbours on `matrix`, (n_users, n_items).

    Args:
        kind: ``ease`` or ``item_knn``.
        matrix: 1 where a user touched an item.
        config: How many are kept.
        options: `strength` (EASE's λ, item-kNN's shrinkage) and `decay`.
    """
    if kind == "ease":
        from semrec.behaviour.ease import fit_ease, prune_ease

        whole = fit_ease(matrix, regularization=options["strength"], decay=options["decay"])
        return prune_ease(whole, config.keep)
    from semrec.behaviour.item_knn import fit_item_knn

    return fit_item_knn(
        matrix, shrink=options["strength"], neighbours=config.keep, decay=options["decay"]
    )


def fit_baseline(
    name: str, matrix: sp.csr_matrix[np.float32], *, decay: float = 1.0, strength: float = 200.0
) -> Scorer:
    """Fit an independent baseline by name.

    Args:
        name: ``popularity``, ``item_knn`` or ``ease``.
        matrix: (n_users, n_items) sparse float32.
        decay: Of an event's pull with every newer one; popularity has none.
        strength: EASE's λ, item-kNN's shrinkage.

    Raises:
        ConfigError: If the name is unknown.
    """
    match name:
        case "popularity":
            from semrec.behaviour.popularity import fit_popularity

            return fit_popularity(matrix)
        case "item_knn":
            from semrec.behaviour.item_knn import fit_item_knn

            return fit_item_knn(matrix, shrink=strength, neighbours=200, decay=decay)
        case "ease":
            from semrec.behaviour.ease import fit_ease

            return fit_ease(matrix, regularization=strength, decay=decay)
    raise ConfigError(f"unknown baseline {name!r}{nearest(name, BASELINES)}")


def state_of(model: VectorModel) -> dict[str, FloatArray]:
    """The arrays that `load_behaviour` makes the model from."""
    return model.state() if isinstance(model, _Stateful) else {"item_vectors": model.item_vectors}


def options_of(model: VectorModel) -> dict[str, Any]:
    """Options of a sequence model that `load_behaviour` needs: its shape and how training went."""
    if not isinstance(model, _Stateful):
        return {}
    from semrec.behaviour.sequential import SequenceModel

    assert isinstance(model, SequenceModel)
    return {"shape": asdict(model.shape), "trained": asdict(model.trained)}


def load_behaviour(arrays: Mapping[str, FloatArray], chosen: Mapping[str, Any]) -> VectorModel:
    """A behavioural model from its arrays and the options it was fitted with."""
    vectors = arrays["item_vectors"]
    match chosen["kind"]:
        case "als":
            from semrec.behaviour.als import ALS

            return ALS(
                item_vectors=vectors,
                regularization=chosen["regularization"],
                alpha=chosen["alpha"],
                decay=chosen["decay"],
            )
        case "pure_svd":
            from semrec.behaviour.pure_svd import PureSVD

            return PureSVD(item_vectors=vectors, decay=chosen["decay"])
        case "none":
            from semrec.behaviour.null_model import NullVectorModel

            return NullVectorModel(n_items=len(vectors))
        case "sasrec" | "two_tower":
            from semrec.behaviour.sequence_training import Trained
            from semrec.behaviour.sequential import Shape, load_sequence_model

            return load_sequence_model(
                arrays, Shape(**chosen["shape"]), Trained(**chosen["trained"])
            )
    raise ArtifactError(f"unknown behavioural model {chosen['kind']!r}; made by a newer semrec?")


def load_neighbours(
    arrays: Mapping[str, np.ndarray[Any, Any]], chosen: Mapping[str, Any]
) -> Neighbours:
    """Neighbours from their arrays and the options they were fitted with."""
    n_items = len(arrays["starts"]) - 1
    weights = sp.csr_matrix(
        (arrays["weights"], arrays["columns"], arrays["starts"]), shape=(n_items, n_items)
    )
    return Neighbours(weights=weights, n_seen=int(chosen["n_seen"]), decay=float(chosen["decay"]))
