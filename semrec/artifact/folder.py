"""An artifact's folder: written whole or not at all, and checked when it is read.

Knows files, sizes and hashes; `stored` knows what is in them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from semrec.artifact.manifest import FORMAT, FileEntry, Manifest, make_manifest
from semrec.environment.files import replacing, write_text
from semrec.errors import ArtifactError

MANIFEST = "manifest.json"
Verify = Literal["full", "size"]


def check_target(out: Path) -> None:
    """Check that an artifact may be written to `out`: absent, empty, or an artifact already.

    Raises:
        ArtifactError: If anything else lies there.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise ArtifactError(f"{out}: is a file, expected a folder to write an artifact to")
    if any(out.iterdir()) and not _is_artifact(out):
        raise ArtifactError(
            f"{out}: holds something that isn't a semrec artifact; "
            "take another --out, or empty the folder yourself"
        )


def write_artifact(out: Path, write: Callable[[Path], None], manifest: Manifest) -> Manifest:
    """Write a folder beside `out`, its manifest last, then put it in `out`'s place.

    Args:
        out: As `check_target` allows. An artifact there is removed after the swap.
        write: Writes all files into the folder it is given.
        manifest: What to say about them; format, file hashes and a checksum are added.

    Returns:
        The manifest as written.

    Raises:
        ArtifactError: As `check_target`.
    """
    check_target(out)
    with replacing(out) as made:
        made.mkdir()
        write(made)
        files = {
            path.relative_to(made).as_posix(): FileEntry(
                bytes=path.stat().st_size, sha256=_sha256(path)
            )
            for path in sorted(made.rglob("*"))
            if path.is_file()
        }
        whole = manifest.model_copy(update={"format": FORMAT, "files": files})
        whole = whole.model_copy(update={"checksum": _checksum(whole.to_dict())})
        _write_manifest(made, whole)
        check_target(out)
    return whole


def write_run(folder: Path, run: str) -> None:
    """Write into an artifact's manifest by which run of the flow it was built.

    Raises:
        ArtifactError: As `read_manifest`.
    """
    manifest = read_manifest(folder, verify="size").model_copy(update={"run": run})
    _write_manifest(folder, manifest)


def read_manifest(folder: Path, verify: Verify = "full") -> Manifest:
    """An artifact's manifest, after checking the folder against it.

    Args:
        folder: The artifact.
        verify: ``full`` reads every file and compares hashes, ``size`` only looks at sizes.

    Raises:
        ArtifactError: If it is of another format, or naming the first file that doesn't match.
    """
    if verify not in ("full", "size"):
        raise ArtifactError(f"verify is {verify!r}, expected 'full' or 'size'")
    path = folder / MANIFEST
    if not path.is_file():
        problem = "no such folder" if not folder.is_dir() else f"no {MANIFEST} in it"
        raise ArtifactError(f"{folder}: {problem}; expected an artifact made by `semrec build`")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version, checksum = values["format"], values["checksum"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: broken: {error!r}; build the artifact again") from error
    if version != FORMAT:
        made_by = f"written by semrec {values.get('semrec_version')!s:.20}"
        raise ArtifactError(
            f"{path}: found format {version!r:.20} ({made_by}), "
            f"expected format {FORMAT}; build the artifact again with `semrec build`"
        )
    if checksum not in (_checksum(values), _dated_checksum(values)):
        raise ArtifactError(f"{path}: doesn't match its checksum; build the artifact again")
    manifest = make_manifest(values, str(path))
    for name, expected in manifest.files.items():
        _check_file(folder / name, expected, verify)
    return manifest


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False) + "\n"
    write_text(folder / MANIFEST, text)


def _check_file(path: Path, expected: FileEntry, verify: Verify) -> None:
    if not path.is_file():
        raise ArtifactError(f"{path}: missing; build the artifact again")
    size = path.stat().st_size
    if size != expected.bytes:
        raise ArtifactError(f"{path}: {size} bytes, expected {expected.bytes}; build again")
    if verify == "full" and (actual := _sha256(path)) != expected.sha256:
        raise ArtifactError(
            f"{path}: sha256 {actual[:12]}…, expected {expected.sha256[:12]}…: "
            "the file was changed; build the artifact again"
        )


def _is_artifact(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and {"format", "semrec_version"} <= manifest.keys()


def _checksum(manifest: Mapping[str, Any]) -> str:
    """Over all but when and by which run: the same artifact built again has the same."""
    content = {key: value for key, value in manifest.items() if key not in ("created", "run")}
    return _dated_checksum(content)


def _dated_checksum(manifest: Mapping[str, Any]) -> str:
    """As it was written before the moment left it: such artifacts still load."""
    content = {key: value for key, value in manifest.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
