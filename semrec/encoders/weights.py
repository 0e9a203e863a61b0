"""Contents of a model's folder: its weights' hash, their quantisation, the kind of model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from semrec.errors import ModelError


def weights_hash(path: Path) -> str:
    """sha256 over a model's weights: the same from the hub, a package or a copied folder.

    Args:
        path: A model's folder, or a single GGUF file.

    Raises:
        ModelError: If there are no weights.
    """
    if path.is_file():
        files = [path]
    else:
        kinds = ("*.safetensors", "pytorch_model*.bin", "*.gguf")
        files = next((matches for kind in kinds if (matches := sorted(path.rglob(kind)))), [])
    if not files:
        raise ModelError(f"{path}: found no weights (*.safetensors, pytorch_model*.bin, *.gguf)")
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()


def fingerprint_of(weights: str, **options: str | int) -> str:
    """One hash of all that decides an encoder's vectors: `weights` itself without options."""
    if not options:
        return weights
    return hashlib.sha256(json.dumps([weights, options], sort_keys=True).encode()).hexdigest()


def gguf_file(path: Path) -> Path | None:
    """The GGUF file that a path is or a folder holds; None if its weights come another way.

    Raises:
        ModelError: If the folder holds several and nothing else.
    """
    if path.is_file():
        return path
    files = sorted(path.glob("*.gguf"))
    if not files or (path / "config.json").is_file():
        return None
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:5])
        raise ModelError(f"{path}: holds {len(files)} GGUF files ({names}); give the path of one")
    return files[0]


def quantisation_of(path: Path) -> str:
    """Quantisation of a GGUF file's weights, as its header says: ``Q4_1``, ``Q8_0``, ``F16``.

    Raises:
        ModelError: If the package gguf isn't installed, or the file isn't GGUF.
    """
    require_gguf()
    from gguf import GGUFReader, LlamaFileType

    try:
        file_type = GGUFReader(path).fields["general.file_type"].contents()
        return str(LlamaFileType(file_type).name).removeprefix("MOSTLY_").removeprefix("ALL_")
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise ModelError(f"{path}: not readable as GGUF: {error}") from error


def require_gguf() -> None:
    """Check that GGUF files can be read.

    Raises:
        ModelError: If the package isn't installed.
    """
    try:
        import gguf  # noqa: F401
    except ImportError:
        raise ModelError("gguf isn't installed: pip install 'semrec[llm]'") from None


def kind_of_model(path: Path) -> Literal["sentence", "decoder"]:
    """The kind of a model by its files: made for sentences, or a decoder-only LLM."""
    if path.is_dir() and (path / "modules.json").is_file():
        return "sentence"
    if gguf_file(path) is not None:
        return "decoder"
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        architectures = [str(name) for name in config.get("architectures") or ()]
    except (OSError, ValueError, AttributeError, TypeError):
        return "sentence"
    return "decoder" if any(name.endswith("ForCausalLM") for name in architectures) else "sentence"
