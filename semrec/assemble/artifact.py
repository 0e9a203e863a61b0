"""From configuration and arrays to a working recommender, and to and from an artifact."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from semrec.artifacts import Verify, read_manifest
from semrec.assemble.behaviour import load_behaviour, load_neighbours, state_of
from semrec.assemble.models import make_encoder, make_interpreter, make_language_model
from semrec.behaviour.neighbours import Neighbours
from semrec.config import Config, IndexConfig, make_config
from semrec.data.catalog import Catalog, read_catalog
from semrec.data.interactions import Interactions, load_interactions
from semrec.errors import ArtifactError
from semrec.fusion.behavioural import BehaviouralBlocks
from semrec.fusion.blocks import Block, fit_block, standardised_popularity
from semrec.fusion.fused import FusedBlocks
from semrec.fusion.gate import Gate
from semrec.fusion.prototypes import Prototypes
from semrec.index.exact import ExactIndex
from semrec.intent.understanding import Understanding, learn_vocabulary
from semrec.prompting import Prompt, Prompts
from semrec.protocols import Encoder, Index, Interpreter, VectorModel
from semrec.recommender import Recommender
from semrec.types import FloatArray

ENCODER = "encoder"  # an artifact's folder of the weights that were trained with it


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All that an artifact holds, in memory.

    Attributes:
        catalog: The items.
        interactions: What was learned from.
        prompts: Item and query prompt.
        behaviour: The behavioural model's vectors.
        neighbours: What stands beside them, or None.
        fusion: Blocks and gate.
        understanding: Reads requests, or None.
        index: Over `fusion.items()`.
        untouched_every: Places kept for items without events.
    """

    catalog: Catalog
    interactions: Interactions
    prompts: Prompts
    behaviour: VectorModel
    neighbours: Neighbours | None
    fusion: FusedBlocks
    understanding: Understanding | None
    index: Index
    untouched_every: int


def make_understanding(
    config: Config, catalog: Catalog, interactions: Interactions
) -> Understanding | None:
    """What reads requests over this catalogue; of equal titles it takes the more popular item."""
    if not config.intent.enabled:
        return None
    return learn_vocabulary(catalog, interactions.counts)


def make_index(config: IndexConfig, vectors: FloatArray) -> Index:
    """The configured index over `vectors`, (n_items, dim) float32."""
    match config.kind:
        case "exact":
            return ExactIndex(vectors=vectors)
        case "flat" | "hnsw":
            from semrec.index.faiss import build_faiss

            return build_faiss(
                vectors,
                kind=config.kind,
                links=config.links,
                ef_construction=config.ef_construction,
                ef_search=config.ef_search,
            )


def make_baseline(
    *,
    catalog: Catalog,
    interactions: Interactions,
    prompts: Prompts,
    vectors: VectorModel,
    neighbours: Neighbours | None,
    gate: Gate,
    manifest: Mapping[str, Any] | None = None,
    path: Path | None = None,
) -> Recommender:
    """A behavioural-only recommender."""
    counts = interactions.counts
    fusion = BehaviouralBlocks(
        behavioural=fit_block(vectors.item_vectors, counts > 0),
        popularity=standardised_popularity(counts.astype(np.float32)),
        behaviour=vectors,
        neighbours=neighbours,
        gate=gate,
    )
    return Recommender(
        catalog=catalog,
        interactions=interactions,
        encoder=None,
        prompts=prompts,
        fusion=fusion,
        # Never-seen items would pass everything with a negative score: they are left out.
        index=ExactIndex(vectors=fusion.items(), searchable=counts > 0),
        behavioural=None,
        manifest=manifest or {},
        path=path,
    )


def make_recommender(
    parts: Parts,
    encoder: Encoder,
    manifest: Mapping[str, Any] | None = None,
    path: Path | None = None,
    interpreter: Interpreter | None = None,
) -> Recommender:
    """A recommender and the baseline that belongs to it."""
    understanding = parts.understanding
    if understanding is not None:
        understanding = replace(understanding, interpreter=interpreter)
    baseline = make_baseline(
        catalog=parts.catalog,
        interactions=parts.interactions,
        prompts=parts.prompts,
        vectors=parts.behaviour,
        neighbours=parts.neighbours,
        gate=parts.fusion.gate,
        manifest=manifest,
        path=path,
    )
    return Recommender(
        catalog=parts.catalog,
        interactions=parts.interactions,
        encoder=encoder,
        prompts=parts.prompts,
        fusion=parts.fusion,
        index=parts.index,
        behavioural=baseline,
        understanding=understanding,
        untouched_every=parts.untouched_every,
        manifest=manifest or {},
        path=path,
    )


def save_parts(
    parts: Parts,
    folder: Path,
    trained: Encoder | None = None,
    dialogs: Sequence[str] = (),
    extra_prompts: Sequence[Prompt] = (),
) -> None:
    """Write everything but the manifest.

    Args:
        parts: What to write.
        folder: Where to.
        trained: An encoder that is nowhere else.
        dialogs: Hashed ids of what it was trained on.
        extra_prompts: Further templates that it answers with.
    """
    from semrec.index.faiss import FaissIndex, save_faiss

    parts.catalog.save(folder / "catalog.parquet")
    parts.interactions.save(folder / "interactions.npz")
    fusion = parts.fusion
    _save(folder / "behaviour.safetensors", **state_of(parts.behaviour))
    if parts.neighbours is not None:
        pruned = parts.neighbours.weights
        _save(
            folder / "neighbours.safetensors",
            weights=pruned.data,
            columns=pruned.indices,
            starts=pruned.indptr,
        )
    _save(
        folder / "fusion.safetensors",
        semantic=fusion.semantic.vectors,
        semantic_covariance=fusion.semantic.covariance,
        semantic_mean=fusion.semantic.mean,
        behavioural=fusion.behavioural.vectors,
        behavioural_covariance=fusion.behavioural.covariance,
        behavioural_mean=fusion.behavioural.mean,
        popularity=fusion.popularity,
        domain=fusion.domain,
        item_counts=parts.interactions.counts,
        **({} if fusion.text_map is None else {"text_map": fusion.text_map}),
    )
    if fusion.prototypes is not None:
        _save(
            folder / "labels.safetensors",
            semantic=fusion.prototypes.semantic,
            behavioural=fusion.prototypes.behavioural,
        )
        names = [list(label) for label in fusion.prototypes.labels]
        (folder / "labels.json").write_text(json.dumps(names), encoding="utf-8")
    if isinstance(parts.index, FaissIndex) and not parts.index.exact:
        save_faiss(parts.index, str(folder / "index.faiss"))  # a graph takes long to build
    if trained is not None:
        from semrec.encoders.trained import save_sentence_encoder

        save_sentence_encoder(trained, folder / ENCODER, dialogs)
    (folder / "prompts").mkdir()
    for prompt in (parts.prompts.item, parts.prompts.query, *extra_prompts):
        (folder / "prompts" / f"{prompt.kind}.j2").write_text(prompt.source, encoding="utf-8")


def load(
    path: str | Path, *, verify: Verify = "full", encoder: str | Encoder | None = None
) -> Recommender:
    """Load an artifact.

    Args:
        path: Its folder.
        verify: ``full`` compares every file's hash, ``size`` only sizes (quicker start).
        encoder: Where the encoder is, if its name can't be resolved here: a path, another name
            of the same weights, or a loaded encoder.

    Raises:
        ArtifactError: If a file is missing or changed, or the encoder is another one.
        ModelError: If the encoder isn't here and the hub doesn't give it.
    """
    folder = Path(path)
    manifest = read_manifest(folder, verify)
    config = make_config(manifest["config"], f"{folder}/manifest.json")
    model = make_language_model(config)
    if encoder is None and (folder / ENCODER).is_dir():
        from semrec.encoders.trained import load_trained_encoder

        encoder = load_trained_encoder(
            folder / ENCODER,
            name=str(manifest["encoder"]["name"]),
            device=config.encoder.device,
            batch_size=config.encoder.batch_size,
            query_prompt=config.encoder.query_prompt,
            max_length=config.encoder.max_length,
        )
    elif encoder is None or isinstance(encoder, str):
        name = encoder or str(manifest["encoder"]["name"])
        settings = config.encoder.model_copy(update={"model": name})
        encoder = make_encoder(settings, cache=False, model=model)
    expected = manifest["encoder"]["fingerprint"]
    if encoder.fingerprint != expected:
        raise ArtifactError(
            f"{folder}: made with encoder {manifest['encoder']['name']!r} "
            f"({expected[:12]}…), found {encoder.name!r} ({encoder.fingerprint[:12]}…); "
            "install the right one, give encoder=PATH, or build again"
        )
    limit = folder / "prompts" / "limit.j2"
    prompt = None
    if limit.is_file():
        prompt = Prompt(kind="limit", source=limit.read_text(encoding="utf-8"))
    return make_recommender(
        _load_parts(folder, manifest, config),
        encoder,
        manifest,
        folder,
        make_interpreter(config, encoder, model, prompt),
    )


def _load_parts(folder: Path, manifest: Mapping[str, Any], config: Config) -> Parts:
    arrays = load_file(folder / "fusion.safetensors")
    chosen = manifest["behaviour"]
    behaviour = load_behaviour(load_file(folder / "behaviour.safetensors"), chosen)
    neighbours = None
    if manifest.get("neighbours"):
        neighbours = load_neighbours(
            load_file(folder / "neighbours.safetensors"), manifest["neighbours"]
        )
    fusion = FusedBlocks(
        semantic=_block(arrays, "semantic"),
        behavioural=_block(arrays, "behavioural"),
        popularity=arrays["popularity"],
        domain=arrays["domain"],
        behaviour=behaviour,
        neighbours=neighbours,
        gate=Gate.from_dict(manifest["gate"]),
        decay=config.fusion.decay,
        text_map=arrays.get("text_map"),
        prototypes=_load_prototypes(folder),
    )
    stored = folder / "index.faiss"
    if stored.is_file():
        from semrec.index.faiss import load_faiss

        index: Index = load_faiss(str(stored), ef_search=config.index.ef_search)
    else:
        index = make_index(config.index, fusion.items())
    sources = {
        kind: (folder / "prompts" / f"{kind}.j2").read_text(encoding="utf-8")
        for kind in ("item", "query")
    }
    catalog = read_catalog(folder / "catalog.parquet")
    interactions = load_interactions(folder / "interactions.npz")
    return Parts(
        catalog=catalog,
        interactions=interactions,
        understanding=make_understanding(config, catalog, interactions),
        prompts=Prompts(
            item=Prompt(kind="item", source=sources["item"]),
            query=Prompt(kind="query", source=sources["query"]),
        ),
        behaviour=behaviour,
        neighbours=neighbours,
        fusion=fusion,
        index=index,
        untouched_every=config.fusion.untouched_every,
    )


def _load_prototypes(folder: Path) -> Prototypes | None:
    stored = folder / "labels.safetensors"
    if not stored.is_file():
        return None
    names = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return Prototypes(labels=[(name, label) for name, label in names], **load_file(stored))


def _block(arrays: Mapping[str, FloatArray], name: str) -> Block:
    return Block(
        vectors=arrays[name],
        covariance=arrays[f"{name}_covariance"],
        mean=arrays[f"{name}_mean"],
    )


def _save(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
