"""Promotion: the link that a service follows, turned in one step, with a way back.

The history lies beside the link (``.current-history.json``), so that a link is all that a rollback
needs. `serve` sees a link that was turned and swaps the artifact by itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from semrec.artifact.folder import MANIFEST, read_manifest
from semrec.environment.files import write_text
from semrec.errors import ArtifactError, StateError

N_VERSION = 12  # letters of the checksum that name an artifact
UNFINISHED = ".building-"  # begins the name of a folder that is built in


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """An artifact that a link was turned to.

    Attributes:
        artifact: Its folder, as an absolute path.
        version: The first letters of its checksum.
        promoted: In UTC, ISO 8601; ``""``: it was there before the history began.
        run: The run that built it; ``""``: it was promoted by hand.
        rolled_back: The moment at which it was gone back from; None: it wasn't.
    """

    artifact: str
    version: str
    promoted: str = ""
    run: str = ""
    rolled_back: str | None = None


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[int]:
    """Hold off others that run or promote in a folder; the lock's file descriptor.

    A process that inherits the descriptor holds the lock too, so that a run which lost its parent
    isn't joined by another.

    Raises:
        StateError: If another is at work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".flow-lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(f"{folder}: another {doing} is under way; wait for its end") from None
        yield lock.fileno()


def promote(link: Path, artifact: Path, run: str = "") -> Promotion:
    """Turn a link to an artifact, in one step, and write it down.

    Args:
        link: Absent, or a link.
        artifact: The folder that it is to lead to.
        run: The run that built it.

    Raises:
        ArtifactError: If `artifact` is none or a file of it is not as written, or `link` is
            something else than a link; the link is as before then.
        StateError: If another promotion is under way.
    """
    with locked(link.parent, "promotion"):
        if link.exists() and not link.is_symlink():
            raise ArtifactError(f"{link}: is no link, expected a link or nothing; move it away")
        made = _promotion(artifact, run)
        history = history_of(link)
        if not history and (link / MANIFEST).is_file():  # turned by hand before
            history = [replace(_promotion(link.resolve(), ""), promoted="")]
        _write(link, [*history, made])
        _turn(link, Path(made.artifact))
        return made


def rollback(link: Path) -> Promotion:
    """Turn a link back to what it led to before its newest promotion; again: one further back.

    Raises:
        ArtifactError: If nothing was before, or it is gone or broken.
        StateError: If another promotion is under way.
    """
    with locked(link.parent, "promotion"):
        history = history_of(link)
        standing = [at for at, past in enumerate(history) if past.rolled_back is None]
        if len(standing) < 2:
            raise ArtifactError(f"{link}: its history has no earlier artifact to go back to")
        newest, before = standing[-1], history[standing[-2]]
        _promotion(Path(before.artifact), before.run)
        history[newest] = replace(history[newest], rolled_back=_now())
        _write(link, history)
        _turn(link, Path(before.artifact))
        return before


def history_of(link: Path) -> list[Promotion]:
    """All promotions of a link, the oldest first.

    Raises:
        StateError: If the history can't be read.
    """
    path = _history(link)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return [Promotion(**value) for value in values]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise StateError(f"{path}: broken: {error}; move it away to begin a new history") from None


def prune(out: Path, links: Sequence[Path], keep: int) -> list[Path]:
    """Remove a folder's artifacts but for the newest, and what its links need.

    Only folders that are named by their own checksum are looked at, and what a build that was
    killed left. A link keeps what it leads to and what a rollback would turn it to.

    Args:
        out: The folder of artifacts, in which no run is under way.
        links: Links, there or elsewhere.
        keep: How many of the newest stay.

    Returns:
        The folders that were removed.

    Raises:
        StateError: If a promotion is under way.
    """
    with locked(out, "promotion"):
        held = {link.resolve() for link in links}
        for link in links:
            standing = [past for past in history_of(link) if past.rolled_back is None]
            held |= {Path(past.artifact) for past in standing[-2:]}
        written = {
            path.resolve(): created
            for path in out.iterdir()
            if not path.is_symlink() and (created := _created(path)) is not None
        }
        newest = sorted(written, key=lambda path: written[path], reverse=True)
        removed = [path for path in newest[keep:] if path not in held]
        removed += sorted(out.glob(f"{UNFINISHED}*"))
        for path in removed:
            shutil.rmtree(path)
        return removed


def links_in(out: Path) -> list[Path]:
    """Links that lie in a folder."""
    return sorted(path for path in out.iterdir() if path.is_symlink())


def _promotion(artifact: Path, run: str) -> Promotion:
    folder = artifact.resolve()
    version = read_manifest(folder, verify="full").checksum[:N_VERSION]
    return Promotion(artifact=str(folder), version=version, promoted=_now(), run=run)


def _created(path: Path) -> str | None:
    """The moment at which an artifact was written; None if it isn't named by its checksum."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        return str(manifest["created"]) if manifest["checksum"].startswith(path.name) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _turn(link: Path, target: Path) -> None:
    """Lead a link elsewhere; a reader sees the old target or the new."""
    beside = link.with_name(f".{link.name}-turned")
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(target, link.parent.resolve()))
    beside.replace(link)


def _history(link: Path) -> Path:
    return link.with_name(f".{link.name}-history.json")


def _write(link: Path, history: Sequence[Promotion]) -> None:
    text = json.dumps([asdict(past) for past in history], indent=1)
    write_text(_history(link), f"{text}\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
