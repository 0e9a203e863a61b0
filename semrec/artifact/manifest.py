"""An artifact's manifest: what it was made of, what was chosen, and each file's hash.

The one place that knows the format's number and the form of what is written.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from semrec.errors import ArtifactError

FORMAT = 2  # raised with each change of form, of the configuration in it too

Figures = dict[str, bool | int | float]
"""How many cases there were, and what was reached on them: ``{"cases": 300, "ndcg@10": 0.24}``."""


class _Entry(BaseModel):
    """A part of the manifest: nothing is converted, nothing unknown is let in."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DatasetEntry(_Entry):
    """The dataset that was learned from."""

    name: str
    licence: str
    hash: str


class CosineEntry(_Entry):
    """Cosines between torch's vectors and those of another runtime."""

    least: float
    mean: float


class EncoderEntry(_Entry):
    """The encoder: its name and the hash of its weights, never a path.

    Attributes:
        trained: True if its weights were trained here and lie in the artifact.
        runtime: The form that serves, for example ``onnx int8``.
        why: Why that is torch, where another form can't be had.
        ndcg: Of validation requests, by form.
        cosine: By form, how near its vectors are to torch's.
    """

    name: str
    fingerprint: str
    dim: int
    trained: bool
    runtime: str = "torch"
    why: str = ""
    ndcg: dict[str, float] = {}
    cosine: dict[str, CosineEntry] = {}


class BehaviourEntry(_Entry):
    """The behavioural vectors: their kind, the options they were fitted with, their length."""

    kind: str
    decay: float
    regularization: float | None = None
    alpha: float | None = None
    epochs: int | None = None
    shape: dict[str, JsonValue] = {}
    trained: dict[str, JsonValue] = {}
    dim: int


class NeighboursEntry(_Entry):
    """The neighbours beside the vectors: their kind and options, among how many items."""

    kind: str
    strength: float
    decay: float
    n_seen: int


class NoNeighbours(_Entry):
    """The vectors speak alone: written as ``{}``."""


class EncoderGain(_Entry):
    """NDCG of fused lists with the untrained and the trained encoder; the gain's interval."""

    untrained: float
    trained: float
    gain: list[float]


class ValidationEntry(_Entry):
    """Choices by validation and the figures they were made by.

    Attributes:
        requests: The source of the requests' words.
        baseline: Of the behavioural list.
        session: Of sessions without words.
        words: Of words without a session.
        both: Of both.
        named: Strength of the labels that a request names.
        taken: The behavioural half that was taken.
        tried: NDCG of all that was tried.
        encoder: NDCG by step of its training; empty if it wasn't trained.
        fused_with_encoder: What training brought to the fused lists.
        gate: By kind of request, the default's and the learned gate's ratio to the better parent.
        ranker: By kind of query, lists without and with it.
        rerank: By kind of query, lists without and with the reranker.
        rerank_weights: What its scores weigh, by kind of query.
        diversity: The strength that was chosen and, by strength, lists with it; empty if it wasn't.
    """

    requests: str
    baseline: Figures
    session: Figures
    words: Figures
    both: Figures
    named: float | None = None
    taken: str
    tried: dict[str, float]
    encoder: dict[str, float]
    fused_with_encoder: EncoderGain | None = None
    gate: dict[str, Figures] = {}
    ranker: dict[str, dict[str, JsonValue]]
    rerank: dict[str, dict[str, JsonValue]] = {}
    rerank_weights: dict[str, float] = {}
    diversity: dict[str, JsonValue] = {}


class Counts(_Entry):
    """Sizes of what was learned from."""

    items: int
    cold_items: int
    users: int
    interactions: int


class IndexEntry(_Entry):
    """The index: its kind and, where it isn't exact, its breadth and the recall it reached."""

    kind: str
    breadth: int | None = None
    recall: dict[str, float] = {}
    wanted: float | None = None
    tried: list[dict[str, JsonValue]] = []


class FileEntry(_Entry):
    """A file's size and hash."""

    bytes: int
    sha256: str


class Manifest(_Entry):
    """The manifest.

    Attributes:
        format: Of the artifact, as `FORMAT`.
        semrec_version: That wrote it.
        created: In UTC, ISO 8601.
        run: Of the flow, that built it: ``TrainFlow/1764536000000000``; empty: none did.
        dataset: What was learned from.
        config: The whole configuration, without paths.
        config_hash: Of the configuration as it was given.
        prompt_hashes: By kind.
        encoder: Its name and weights, and the form that serves.
        behaviour: The vectors' kind and options.
        neighbours: The neighbours' kind and options.
        notes: What a reader should know, such as what was left out.
        gate: As `Gate.to_dict`.
        validation: What was chosen, and by which figures.
        time_cut: The moment from which events are held out; None: there is none.
        counts: Sizes.
        dim: Length of the fused vectors.
        index: The index.
        training_dialogs: Hashed ids of the dialogs that were learned from: no fair test.
        files: By path in the folder; empty as long as nothing is written.
        checksum: sha256 over all else but `created` and `run`; empty as long as nothing is written.
    """

    format: int = FORMAT
    semrec_version: str
    created: str
    run: str = ""
    dataset: DatasetEntry
    config: dict[str, JsonValue]
    config_hash: str
    prompt_hashes: dict[str, str]
    encoder: EncoderEntry
    behaviour: BehaviourEntry
    neighbours: NeighboursEntry | NoNeighbours
    notes: list[str]
    gate: dict[str, float | dict[str, float]]
    validation: ValidationEntry
    time_cut: float | None
    counts: Counts
    dim: int
    index: IndexEntry
    training_dialogs: list[str]
    files: dict[str, FileEntry] = {}
    checksum: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values, without what was never said."""
        return self.model_dump(mode="json", exclude_unset=True)


def make_manifest(values: dict[str, Any], source: str) -> Manifest:
    """A manifest from plain values.

    Raises:
        ArtifactError: Naming the first key that is missing, unknown or wrong.
    """
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ArtifactError(
            f"{source}: {where}: {first['msg']}; build the artifact again"
        ) from None
