"""The part that each file of an import plays: items, interactions, tags, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semrec.data.columns import (
    EVENT,
    ITEM,
    TAG,
    TEXT,
    TIME,
    TITLE,
    USER,
    WEIGHT,
    YEAR,
    meanings,
    role,
)
from semrec.data.import_report import ImportOptions
from semrec.data.scans import Table
from semrec.errors import DataError, nearest

ROLES = ("interactions", "items", "tags")
PARTS = {
    "interactions": (USER, ITEM, TIME, WEIGHT, EVENT),
    "items": (ITEM, TITLE, TEXT, YEAR),
    "tags": (USER, ITEM, TAG, TIME),
}
REQUIRED = {"interactions": (USER, ITEM), "items": (ITEM,), "tags": (ITEM, TAG)}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file with the part that it plays.

    Attributes:
        number: Its number among all files.
        table: The file.
        role: interactions, items, tags, users, or nothing.
        meant: Known name → the columns that stand for it, best first.
    """

    number: int
    table: Table
    role: str
    meant: Mapping[str, Sequence[str]]

    def columns(self) -> dict[str, str]:
        """Known name → column, of those that its role has."""
        known = PARTS.get(self.role, tuple(self.meant))
        return {name: self.meant[name][0] for name in known if name in self.meant}


def assign_roles(
    tables: Sequence[Table], options: ImportOptions, roles: Mapping[Path, str]
) -> list[Part]:
    """Each file with its part; of several that could be one, those with the most in them.

    Raises:
        DataError: If no file has interactions, or an option names a column that no file has.
    """
    everywhere = {name for table in tables for name in table.columns}
    for name in [*options.renames, *options.splits, *options.ignored]:
        if name not in everywhere:
            raise DataError(f"no file has a column {name!r}{nearest(name, everywhere)}")
    parts = []
    for number, table in enumerate(tables):
        for name, wanted in options.renames.items():
            if name in table.columns and wanted in set(table.columns) - options.renames.keys():
                raise DataError(f"{table.path}: column {wanted!r} is there twice, with {name!r}")
        meant = meanings(table.columns, options.renames, options.ignored)
        part = Part(number=number, table=table, role=role(meant), meant=meant)
        if table.path in roles:
            part = replace(part, role=roles[table.path])
            require(part, REQUIRED[part.role])
        parts.append(part)
    chosen = [part for part in parts if part.role not in ROLES]
    for name in ROLES:
        chosen += _chosen([part for part in parts if part.role == name], roles)
    if not any(part.role == "interactions" for part in chosen):
        raise DataError(_no_interactions(parts))
    return sorted(chosen, key=lambda part: part.number)


def _chosen(parts: Sequence[Part], roles: Mapping[Path, str]) -> list[Part]:
    """Of files for one part those that somebody named, or else the best and those like it."""
    named = [part for part in parts if part.table.path in roles]
    best = max(parts, key=_worth, default=None)
    return [
        part
        if part in named or (not named and best and part.columns() == best.columns())
        else replace(part, role="")
        for part in parts
    ]


def require(part: Part, names: Sequence[str]) -> None:
    """Check that a file has what its part must have.

    Raises:
        DataError: Naming the file, the column and the nearest one.
    """
    for name in names:
        if name not in part.meant:
            raise DataError(
                f"{part.table.path}: column {name!r} is missing{nearest(name, part.table.columns)} "
                f"(say it: --rename FOUND={name}, or `columns: {{FOUND: {name}}}` in dataset.yaml)"
            )


def _worth(part: Part) -> int:
    """Counts what a file has of what its role can have: weights and times before the rest."""
    important = sum(name in part.meant for name in (TIME, WEIGHT, EVENT, TITLE))
    return 100 * important + len(part.meant)


def _no_interactions(parts: Sequence[Part]) -> str:
    first = parts[0] if parts else None
    if first is None:
        return "no file is a table that semrec reads: csv, tsv, jsonl, json, parquet, RecBole's"
    lines = "; ".join(
        f"{part.table.path} has {', '.join(list(part.table.columns)[:12])}" for part in parts
    )
    # Of the files that have one of both, the better one lacks the other.
    halves = sorted((part for part in parts if part.role), key=lambda part: part.role)
    missing = [name for name in (USER, ITEM) if halves and name not in halves[-1].meant]
    return (
        f"no file has users and items together ({' and '.join(missing) or 'both'} not recognised): "
        f"{lines}; say which columns they are: --rename FOUND=user_id --rename FOUND=item_id"
    )
