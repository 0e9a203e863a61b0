"""An artifact's parts, written to its folder and read again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import load_file, save_file

from semrec.artifact.addresses import as_served
from semrec.artifact.assembly import Parts, make_diversity, make_intent_parser, make_recommender
from semrec.artifact.behavioural_models import load_behaviour, load_neighbours, state_of
from semrec.artifact.encoder import (
    make_encoder,
    make_interpreter,
    make_language_model,
    make_reader,
    make_watched_encoder,
)
from semrec.artifact.folder import Verify, read_manifest
from semrec.artifact.indexes import load_index, make_index, mapped_vectors, save_index
from semrec.artifact.manifest import Manifest, NeighboursEntry
from semrec.artifact.published import open_published
from semrec.artifact.rerankers import make_reranking
from semrec.config import Config, make_config
from semrec.data.catalog import load_catalog, save_catalog
from semrec.data.interactions import load_interactions
from semrec.encoders.onnx import OnnxEncoder, have_onnxruntime, load_onnx
from semrec.encoders.static import StaticEncoder, load_static, save_static
from semrec.endpoint import Address, Addresses
from semrec.errors import ArtifactError, preview
from semrec.fusion.blocks import Block, LabelCentroids
from semrec.fusion.fused import N_COUNTED, FusedBlocks
from semrec.fusion.gate import Gate
from semrec.intent.audience import load_audience
from semrec.lexical.postings import load_bm25, save_bm25
from semrec.prompting import Prompt, Prompts
from semrec.protocols import Encoder, Index
from semrec.ranking.ranker import load_ranker, save_ranker
from semrec.recommender import Recommender
from semrec.types import FloatArray

if TYPE_CHECKING:
    from semrec.encoders.language_model import LanguageModel

ENCODER = "encoder"  # an artifact's folder of the weights that were trained with it
AUDIENCE = "audience.yaml"  # its own table of moods, where it isn't the packaged one
RUNTIME = "runtime"  # and of the encoder in the form that serves
STATIC = "static"  # of one that was distilled
STAND_IN = "stand_in"  # and of one that stands in for a slow one
CANARY = "canary.safetensors"


@dataclass(frozen=True, kw_only=True)
class Models:
    """The models that an artifact holds.

    Attributes:
        trained: An encoder that is nowhere else.
        dialogs: Hashed ids of what it was trained on.
        prompts: Further templates that it answers with.
        runtime: A folder of the encoder in its quick form.
        static: An encoder that was distilled by the build.
        canary: Vectors by which an encoder that is served elsewhere is known again.
    """

    trained: Encoder | None = None
    dialogs: Sequence[str] = ()
    prompts: Sequence[Prompt] = ()
    runtime: Path | None = None
    static: StaticEncoder | None = None
    canary: FloatArray | None = None


def save_parts(parts: Parts, folder: Path, models: Models) -> None:
    """Write everything but the manifest into a folder."""
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
    vectors = {}
    mapped = save_index(parts.index, folder)  # which has the blocks' vectors side by side
    save_catalog(parts.catalog, folder, mapped=mapped)
    if not mapped:
        vectors = {"semantic": fusion.semantic.vectors, "behavioural": fusion.behavioural.vectors}
    _save(
        folder / "fusion.safetensors",
        semantic_covariance=fusion.semantic.covariance,
        semantic_mean=fusion.semantic.mean,
        behavioural_covariance=fusion.behavioural.covariance,
        behavioural_mean=fusion.behavioural.mean,
        popularity=fusion.popularity,
        domain=fusion.domain,
        item_counts=parts.interactions.counts,
        **vectors,
        **({} if fusion.text_map is None else {"text_map": fusion.text_map}),
    )
    if fusion.label_centroids is not None:
        _save(
            folder / "labels.safetensors",
            semantic=fusion.label_centroids.semantic,
            behavioural=fusion.label_centroids.behavioural,
        )
        header = {
            "labels": list(fusion.label_centroids.labels),
            "strength": fusion.label_centroids.strength,
        }
        (folder / "labels.json").write_text(json.dumps(header), encoding="utf-8")
    if parts.lexical is not None:
        save_bm25(parts.lexical, folder)
    if parts.ranker is not None:
        save_ranker(parts.ranker, folder)
    if parts.intent_parser is not None and parts.intent_parser.audience != load_audience():
        table = parts.intent_parser.audience.model_dump_json()  # which is YAML, too
        (folder / AUDIENCE).write_text(table, encoding="utf-8")
    if parts.stand_in is not None:
        save_static(parts.stand_in, folder / STAND_IN)
    _save_models(models, folder)
    (folder / "prompts").mkdir()
    for prompt in (*parts.prompts.all, *models.prompts):
        (folder / "prompts" / f"{prompt.kind}.j2").write_text(prompt.source, encoding="utf-8")


def _save_models(models: Models, folder: Path) -> None:
    if models.trained is not None:
        from semrec.encoders.checkpoints import save_sentence_encoder

        save_sentence_encoder(models.trained, folder / ENCODER, models.dialogs)
    if models.runtime is not None:
        shutil.copytree(models.runtime, folder / RUNTIME)
    if models.static is not None:
        save_static(models.static, folder / STATIC)
    if models.canary is not None:
        _save(folder / CANARY, canary=models.canary)


def load(
    path: str | Path,
    *,
    verify: Verify = "full",
    encoder: str | Encoder | None = None,
    addresses: Addresses | None = None,
) -> Recommender:
    """Load an artifact.

    Args:
        path: Its folder.
        verify: ``full`` compares every file's hash, ``size`` only sizes (quicker start).
        encoder: Where the encoder is, if its name can't be resolved here: a path, another name
            of the same weights, or a loaded encoder. It serves as it is, in torch.
        addresses: Where the models are that this artifact leaves to others, and where its rows are
            published if they aren't searched here; None: as the variables ``SEMREC_ENCODER_URL``,
            ``SEMREC_RERANK_URL``, ``SEMREC_INTENT_URL``, their ``…_KEY_VARIABLE`` and
            ``SEMREC_INDEX`` say.

    Raises:
        ArtifactError: If a file is missing or changed, the encoder is another one, or the artifact
            names an address.
        ConfigError: If its encoder is served elsewhere and nothing says where.
        ModelError: If the encoder isn't here and the hub doesn't give it.

    Examples:
        >>> import semrec
        >>> rec = semrec.load("artifacts/films", verify="size")
        >>> len(rec.version)
        12
    """
    if not isinstance(path, str | PathLike):
        raise ArtifactError(f"the artifact is {preview(path)}, expected a folder's path")
    folder = Path(path)
    manifest = read_manifest(folder, verify)
    config = make_config(manifest.config, f"{folder}/manifest.json")
    addresses = addresses or Addresses.from_environment()
    config = as_served(config, addresses, str(folder))
    model = make_language_model(config)
    loaded = _encoder(folder, manifest, config, encoder, model)
    expected = manifest.encoder.fingerprint
    made_of = loaded.source if isinstance(loaded, OnnxEncoder) else loaded.fingerprint
    if made_of != expected:
        raise ArtifactError(
            f"{folder}: made with encoder {manifest.encoder.name!r} "
            f"({expected[:12]}…), found {loaded.name!r} ({made_of[:12]}…); "
            "install the right one, give encoder=PATH, or build again"
        )
    own = {
        path.stem: Prompt(kind=path.stem, source=path.read_text(encoding="utf-8"))
        for path in sorted((folder / "prompts").glob("*.j2"))
    }
    parts = _load_parts(folder, manifest, config, own, addresses.index)
    weights = manifest.validation.rerank_weights
    return make_recommender(
        parts,
        loaded,
        manifest.to_dict(),
        folder,
        make_interpreter(config, loaded, model, own.get("limit")),
        make_reranking(config.rerank, parts.prompts, weights, model, own),
        make_reader(config, addresses.intent, parts.catalog),
    )


def _encoder(
    folder: Path,
    manifest: Manifest,
    config: Config,
    given: str | Encoder | None,
    model: LanguageModel | None,
) -> Encoder:
    """The encoder that was given, else the artifact's own in its quick form, else in torch."""
    name, settings = manifest.encoder.name, config.encoder
    if given is None and (folder / RUNTIME).is_dir() and have_onnxruntime():
        return load_onnx(folder / RUNTIME, batch_size=settings.batch_size)
    if given is None and (folder / ENCODER).is_dir():
        from semrec.encoders.checkpoints import load_trained_encoder

        return load_trained_encoder(
            folder / ENCODER,
            name=name,
            device=settings.device,
            batch_size=settings.batch_size,
            query_prompt=settings.query_prompt,
            max_length=settings.max_length,
        )
    if given is None and settings.kind == "static":
        return load_static(folder / STATIC, name)
    if given is None and settings.kind == "endpoint":
        canary = load_file(folder / CANARY)["canary"]
        return make_watched_encoder(settings, canary)
    if given is None or isinstance(given, str):
        settings = settings.model_copy(update={"model": given or name})
        return make_encoder(settings, cache=False, model=model)
    return given


def _load_parts(
    folder: Path, manifest: Manifest, config: Config, own: Mapping[str, Prompt], index_at: Address
) -> Parts:
    arrays, mapped = load_file(folder / "fusion.safetensors"), mapped_vectors(folder)
    if mapped is not None:
        dim = len(arrays["semantic_mean"])
        arrays["semantic"], arrays["behavioural"] = mapped[:, :dim], mapped[:, dim:-N_COUNTED]
    behaviour = load_behaviour(
        load_file(folder / "behaviour.safetensors"),
        manifest.behaviour.model_dump(exclude_unset=True),
    )
    neighbours = None
    if isinstance(manifest.neighbours, NeighboursEntry):
        neighbours = load_neighbours(
            load_file(folder / "neighbours.safetensors"), manifest.neighbours.model_dump()
        )
    fusion = FusedBlocks(
        semantic=_block(arrays, "semantic"),
        behavioural=_block(arrays, "behavioural"),
        popularity=arrays["popularity"],
        domain=arrays["domain"],
        behaviour=behaviour,
        neighbours=neighbours,
        gate=Gate.from_dict(manifest.gate),
        decay=config.fusion.decay,
        text_map=arrays.get("text_map"),
        label_centroids=_load_label_centroids(folder),
    )
    catalog = load_catalog(folder)
    interactions = load_interactions(folder / "interactions.npz")
    index: Index | None
    if index_at.url:
        index = open_published(manifest.to_dict(), index_at, fusion, catalog, interactions, mapped)
    else:
        counted = np.stack([fusion.popularity, fusion.domain], axis=1)
        index = load_index(folder, config.index, manifest.index.breadth, mapped, counted)
    if index is None:
        index = make_index(config.index, fusion.items()).index
    own_audience, stand_in = folder / AUDIENCE, folder / STAND_IN
    return Parts(
        catalog=catalog,
        interactions=interactions,
        intent_parser=make_intent_parser(
            config, catalog, interactions, own_audience if own_audience.is_file() else None
        ),
        prompts=Prompts(item=own["item"], query=own["query"], about=own.get("item_about")),
        behaviour=behaviour,
        neighbours=neighbours,
        fusion=fusion,
        index=index,
        untouched_every=config.fusion.untouched_every,
        lexical=load_bm25(folder),
        ranker=load_ranker(folder, catalog, interactions),
        stand_in=load_static(stand_in, "stand-in") if stand_in.is_dir() else None,
        diversity=make_diversity(config.diversity, manifest.validation.diversity),
    )


def _load_label_centroids(folder: Path) -> LabelCentroids | None:
    stored = folder / "labels.safetensors"
    if not stored.is_file():
        return None
    header = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return LabelCentroids(
        labels=[(name, label) for name, label in header["labels"]],
        strength=header["strength"],
        **load_file(stored),
    )


def _block(arrays: Mapping[str, FloatArray], name: str) -> Block:
    return Block(
        vectors=arrays[name],
        covariance=arrays[f"{name}_covariance"],
        mean=arrays[f"{name}_mean"],
    )


def _save(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
