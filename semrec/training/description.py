"""A build in its manifest: what it was made of, what was chosen, and by which figures."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from semrec import __version__
from semrec.artifact.assembly import Parts
from semrec.artifact.manifest import (
    FORMAT,
    BehaviourEntry,
    Counts,
    DatasetEntry,
    EncoderEntry,
    IndexEntry,
    Manifest,
    NeighboursEntry,
    NoNeighbours,
    ValidationEntry,
)
from semrec.artifact.rerankers import stored_rerank
from semrec.config import Config
from semrec.data.checking import NO_TEXT
from semrec.data.intents import unit_hashes
from semrec.encoders.checkpoints import dialogs_seen
from semrec.training.behaviour_selection import Behaviour
from semrec.training.encoder_selection import EncoderSelection
from semrec.training.preparation import Prepared


def describe(
    prepared: Prepared,
    selected: EncoderSelection,
    behaviour: Behaviour,
    parts: Parts,
    index: IndexEntry,
) -> Manifest:
    """The manifest of a build that isn't written yet."""
    dataset, config, encoder = prepared.dataset, prepared.config, selected.encoder
    options = behaviour.neighbour_options
    learned_from = dialogs_seen(encoder)
    return Manifest(
        format=FORMAT,
        semrec_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        dataset=DatasetEntry(name=dataset.name, licence=dataset.licence, hash=dataset.hash),
        config=_stored(config, encoder.name).model_dump(mode="json"),
        config_hash=config.hash,
        prompt_hashes={prompt.kind: prompt.hash for prompt in parts.prompts.all},
        encoder=EncoderEntry(
            name=encoder.name,
            fingerprint=encoder.fingerprint,
            dim=encoder.dim,
            trained=selected.is_trained,
        ),
        behaviour=BehaviourEntry(
            **behaviour.options, dim=int(parts.behaviour.item_vectors.shape[1])
        ),
        neighbours=NeighboursEntry(**options) if options else NoNeighbours(),
        notes=[
            *behaviour.notes,
            *dataset.notes,
            *([] if prepared.has_texts else [NO_TEXT]),
        ],
        gate=parts.fusion.gate.to_dict(),
        validation=ValidationEntry(**selected.tuned),
        time_cut=prepared.held_out.cut,
        counts=Counts(
            items=len(parts.catalog),
            cold_items=int((parts.interactions.counts == 0).sum()),
            users=len(np.unique(parts.interactions.users)),
            interactions=len(parts.interactions),
        ),
        dim=parts.fusion.dim,
        index=index,
        training_dialogs=sorted({*unit_hashes(prepared.dialogs), *learned_from}),
    )


def _stored(config: Config, encoder: str) -> Config:
    """The configuration without paths: what it names lies in the artifact."""
    return config.model_copy(
        update={
            "encoder": config.encoder.model_copy(update={"model": encoder}),
            "prompts": type(config.prompts)(),  # the templates themselves are in the artifact
            "rerank": stored_rerank(config.rerank),
        }
    )
