"""A catalogue's vectors made by several processes or machines, chunk by chunk, and put together.

    rows → chunks of 4,096 → shard i of n has every n-th → vectors-00017.npy → `build --vectors`

A chunk's vectors depend on its own rows and nothing else: not on the number of shards, nor on what
was encoded before. So one process or several write the same bytes, and what is there is skipped.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from semrec.artifact.encoder import make_encoder
from semrec.config import Config
from semrec.data.dataset import Dataset
from semrec.encoders.cached import uncached
from semrec.environment.files import replacing, write_text
from semrec.errors import DataError
from semrec.protocols import Encoder
from semrec.training.item_vectors import embed_views, in_bulk
from semrec.training.job import Job
from semrec.training.preparation import item_views, load_prompts
from semrec.training.validation import hold_out
from semrec.types import FloatArray, Progress, silent

CHUNK = 4096  # rows; never changed by the number of shards
ENCODING = "encoding.json"


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """All that decides a folder of vectors.

    Attributes:
        dataset: Hash of the dataset.
        encoder: The encoder's name.
        fingerprint: Hash of its weights and options.
        dim: Length of its vectors.
        prompts: Hashes of the prompts that put items into words.
        n_items: Number of rows.
        chunk: Rows of a file.
    """

    dataset: str
    encoder: str
    fingerprint: str
    dim: int
    prompts: list[str]
    n_items: int
    chunk: int = CHUNK

    @property
    def n_chunks(self) -> int:
        """Number of files."""
        return -(-self.n_items // self.chunk)


@dataclass(frozen=True, kw_only=True)
class ShardReport:
    """The outcome of encoding a shard.

    Attributes:
        encoded: Files that were written.
        skipped: Files that were there.
        missing: Files of other shards that aren't there yet.
    """

    encoded: int
    skipped: int
    missing: int


def encode_shard(
    dataset: Dataset,
    config: Config,
    out: Path,
    *,
    shard: int = 1,
    of: int = 1,
    progress: Progress | None = None,
) -> ShardReport:
    """Encode one shard's items into a folder that all shards share.

    Args:
        dataset: What was read.
        config: How it will be built.
        out: The folder: absent, or begun with the same dataset, encoder and prompts.
        shard: Which, from 1.
        of: How many there are.
        progress: Called as work proceeds.

    Raises:
        DataError: If there is no such shard, or the folder holds vectors of something else.
        ModelError: If the encoder isn't here.
    """
    if not 1 <= shard <= of:
        raise DataError(f"shard {shard}/{of}: expected 1/{of} to {of}/{of}")
    cut = hold_out(dataset.positives, config.split).cut
    views = item_views(dataset, load_prompts(config), cut)
    encoder = uncached(in_bulk(make_encoder(config.encoder), config.encoder))
    encoding = encoding_of(dataset, config, encoder)
    _refuse_others(out, encoding)
    write_text(out / ENCODING, json.dumps(asdict(encoding), indent=2) + "\n")
    report = progress or silent
    own = range(shard - 1, encoding.n_chunks, of)
    new = [chunk for chunk in own if not _is_whole(_file(out, chunk))]
    report("encode", len(own) - len(new), len(own))
    for done, chunk in enumerate(new, start=len(own) - len(new) + 1):
        rows = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
        vectors, _ = embed_views([view[rows] for view in views], encoder, Job(seed=config.seed))
        _write(_file(out, chunk), vectors)
        report("encode", done, len(own), f"{_file(out, chunk).name}")
    missing = sum(not _file(out, chunk).is_file() for chunk in range(encoding.n_chunks))
    return ShardReport(encoded=len(new), skipped=len(own) - len(new), missing=missing)


def encoding_of(dataset: Dataset, config: Config, encoder: Encoder) -> Encoding:
    """All that would decide the vectors of a dataset's items."""
    prompts = load_prompts(config)
    return Encoding(
        dataset=dataset.hash,
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        prompts=[prompt.hash for prompt in prompts.all if prompt.kind.startswith("item")],
        n_items=len(dataset.catalog),
    )


def read_vectors(folder: Path, encoding: Encoding) -> FloatArray:
    """(n_items, dim) float32 unit rows, zeros for items without text, as the shards wrote them.

    Raises:
        DataError: If they are of something else, or one is missing or changed.
    """
    if not (folder / ENCODING).is_file():
        raise DataError(f"{folder}: no {ENCODING}; expected a folder that `semrec encode` wrote")
    _refuse_others(folder, encoding)
    files = [_file(folder, chunk) for chunk in range(encoding.n_chunks)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        listed = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        raise DataError(
            f"{folder}: {len(missing)} of {len(files)} files are missing ({listed}); "
            "run `semrec encode` for the other shards"
        )
    vectors = np.empty((encoding.n_items, encoding.dim), dtype=np.float32)
    for chunk, file in enumerate(files):
        if not _is_whole(file):
            raise DataError(f"{file}: changed since it was written; remove it and encode again")
        vectors[chunk * encoding.chunk : (chunk + 1) * encoding.chunk] = np.load(file)
    return vectors


def _refuse_others(folder: Path, expected: Encoding) -> None:
    path = folder / ENCODING
    if not path.is_file():
        return
    try:
        stored = Encoding(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: not readable: {error}") from None
    for name, value in asdict(expected).items():
        if getattr(stored, name) != value:
            raise DataError(
                f"{folder}: its vectors are of another {name} "
                f"({getattr(stored, name)!r:.80}, expected {value!r:.80}); take another folder"
            )


def _file(folder: Path, chunk: int) -> Path:
    return folder / f"vectors-{chunk:05}.npy"


def _write(path: Path, vectors: FloatArray) -> None:
    with replacing(path) as made:
        np.save(made, vectors)
        digest = _sha256(made)
    write_text(path.with_suffix(".sha256"), digest + "\n")


def _is_whole(path: Path) -> bool:
    said = path.with_suffix(".sha256")
    if not path.is_file() or not said.is_file():
        return False
    return said.read_text(encoding="utf-8").strip() == _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
