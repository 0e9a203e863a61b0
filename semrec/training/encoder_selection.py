"""With which encoder the fusion does best, and with which weights.

items and validation requests embedded → labels and weights tuned → the better encoder's

A trained encoder is kept only where the fused lists of real requests gain by it. Alone it
nearly always is better than before; but what it has learned from few requests, behaviour and
domain popularity knew already, while what it has forgotten nobody else knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semrec.fusion.blocks import Block
from semrec.fusion.fitting import fit_block
from semrec.fusion.fused import FusedBlocks
from semrec.metrics.significance import gain_interval
from semrec.protocols import Encoder
from semrec.training.encoder_training import FinetunedEncoder
from semrec.training.fusion import choose_named, fuse, ndcg_by_case, tune_gate
from semrec.training.item_vectors import embed_views, in_bulk
from semrec.training.job import Job, Stage
from semrec.training.preparation import Prepared
from semrec.training.validation_queries import TuningSets, make_tuning_sets
from semrec.training.weight_search import cutoff_of
from semrec.types import FloatArray


@dataclass(frozen=True, kw_only=True)
class EncoderSelection:
    """An encoder, and the fusion as validation likes it.

    Attributes:
        encoder: The encoder.
        semantic: The items' texts.
        sets: What was tuned on.
        trial: The blocks over `validation.train`, with a gate that is tuned for sessions.
        tuned: What was reached on how many cases, for the manifest.
        is_trained: True if it is the encoder that was trained here.
    """

    encoder: Encoder
    semantic: Block
    sets: TuningSets
    trial: FusedBlocks
    tuned: dict[str, Any]
    is_trained: bool = False

    def ndcg_of_requests(self, cutoff: int | None) -> NDArray[np.float64]:
        """NDCG of each real request's fused list; none where only synthetic ones validate.

        Args:
            cutoff: As `fusion.cutoff`.
        """
        real = self.sets.real
        return ndcg_by_case(self.trial, real, cutoff_of(cutoff, real))


def select_encoder(
    prepared: Prepared,
    untrained: Encoder,
    finetuned: FinetunedEncoder,
    job: Job,
    embedded: FloatArray | None = None,
) -> EncoderSelection:
    """The fusion with the trained encoder, or with the untrained one.

    The trained one is kept where the fused lists of real requests gain by it, in the whole 95 %
    interval. It was trained on three quarters of the requests, and then nothing else is.

    Args:
        prepared: Requests, behaviour, texts.
        untrained: As it was given.
        finetuned: What training made of it.
        job: Whom to tell, when to stop, what to draw from.
        embedded: (n_items, dim) float32, the items as the untrained one reads them, if that was
            done elsewhere.

    Raises:
        DataError: If the time is up before all items are embedded.
    """
    if finetuned.folder is None:
        return _tuned_fusion(prepared, untrained, job, embedded)
    trained = _tuned_fusion(prepared, finetuned.encoder, job)
    looks = {"encoder": dict(finetuned.looks)}
    trained = replace(trained, tuned=trained.tuned | looks, is_trained=True)
    if not trained.sets.real:
        return trained
    config = prepared.config
    before = _tuned_fusion(prepared, untrained, job, embedded)
    old, new = (selection.ndcg_of_requests(config.fusion.cutoff) for selection in (before, trained))
    low, high = gain_interval(old, new, [case.unit for case in trained.sets.real], config.seed)
    fused = {
        "untrained": round(float(old.mean()), 6),
        "trained": round(float(new.mean()), 6),
        "gain": [round(low, 6), round(high, 6)],
    }
    kept = trained if low > 0 else before
    info = {"encoder": trained.tuned["encoder"], "fused_with_encoder": fused}
    return replace(kept, tuned=kept.tuned | info)


def _tuned_fusion(
    prepared: Prepared, encoder: Encoder, job: Job, embedded: FloatArray | None = None
) -> EncoderSelection:
    config, known, chosen = prepared.config, prepared.validation.train, prepared.chosen
    if embedded is None:
        quick = in_bulk(encoder, config.encoder)
        semantic = fit_block(*embed_views(prepared.views, quick, job))
    else:
        semantic = fit_block(embedded, np.asarray(embedded.any(axis=1)))
    sets = make_tuning_sets(
        prepared.reader,
        encoder,
        config,
        validation=prepared.validation,
        dialogs=prepared.valid_queries,
        cases=prepared.cases,
        rng=job.rng_of(Stage.REQUESTS),  # each encoder is asked the same made-up ones
    )
    share = chosen.weights.neighbour_share
    trial = fuse(
        semantic,
        chosen.vectors,
        chosen.neighbours,
        known,
        config,
        wanted=prepared.wanted(prepared.train_queries),
        labelled=prepared.labelled,
    )
    trial = choose_named(trial, sets, config)
    gate, tuned = tune_gate(trial, sets, config, share, job.report)
    if trial.label_centroids is not None:
        tuned["named"] = trial.label_centroids.strength
    tried = {"taken": chosen.taken, "tried": dict(chosen.tried)}
    return EncoderSelection(
        encoder=encoder,
        semantic=semantic,
        sets=sets,
        trial=replace(trial, gate=gate),
        tuned=tuned | {**tried, "encoder": {}},
    )
