"""The files beside the code: prompts and configurations, as a wheel or a checkout has them."""

from __future__ import annotations

from pathlib import Path

from semrec.errors import ConfigError, nearest


def find_packaged(kind: str, name: str, suffix: str) -> Path:
    """Path of a packaged file (`kind` is ``prompts`` or ``configs``), or `name` itself if a path.

    The packaged copy is the wheel's; in a checkout it is the folder at the top.

    Raises:
        ConfigError: If there is no such file, naming the nearest.
    """
    if "/" in name or "\\" in name or name.endswith((suffix, ".yaml", ".yml")):
        if not Path(name).is_file():
            raise ConfigError(f"{name}: no such file")
        return Path(name)
    path = packaged_folder(kind) / f"{name}{suffix}"
    if not path.is_file():
        raise ConfigError(f"no packaged {kind[:-1]} {name!r}{nearest(name, packaged_names(kind))}")
    return path


def packaged_folder(kind: str) -> Path:
    """The folder of packaged prompts or configs."""
    home = Path(__file__).resolve().parent.parent
    wheel = home / "_packaged" / kind
    return wheel if wheel.is_dir() else home.parent / kind


def packaged_names(kind: str) -> list[str]:
    """Names of the packaged prompts or configs."""
    suffix = {"prompts": ".j2", "configs": ".yaml"}[kind]
    return sorted(path.stem for path in packaged_folder(kind).glob(f"*{suffix}"))
