"""Choices of an import, and the report of what it took for what, converted and left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from semrec.data.dataset import Dataset
from semrec.data.scans import Reading


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Choices of an import, where files don't tell or tell it wrong.

    Attributes:
        name: What the dataset is called.
        licence: Its terms.
        kind: Of its items: films, books, …; empty: told by their attributes and texts.
        positive_weight: Weight from which an interaction counts; None: told by the weights.
        time: ``clock`` or ``order``; None: told by the numbers.
        renames: Column in a file → ``user_id``, ``item_id``, ``title``, … or an attribute's name.
        splits: Column of text → what separates its labels; empty: nothing does.
        events: Name of an event in a file → ``view``, ``like``, ``play``, ``buy``, ``reject``, or
            ``drop``.
        ignored: Columns that are left out.
        dates: ``dmy`` or ``mdy``: the order in dates of numbers.
        keep_titles: Leave titles as they stand, years and articles included.
        drop_unknown: Leave out interactions with items that aren't there, also where it is strict.
        strict: Refuse what would be left out.
        reading: Encoding, separator and names of columns.
    """

    name: str = ""
    licence: str = ""
    kind: str = ""
    positive_weight: float | None = None
    time: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    ignored: Collection[str] = ()
    dates: str = ""
    keep_titles: bool = False
    drop_unknown: bool = False
    strict: bool = False
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, kw_only=True)
class TakenFile:
    """A file, the part that it plays (empty: none), and its columns by semrec's names."""

    path: str
    role: str
    columns: Mapping[str, str]
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Rows (or single values of items) that weren't taken for one reason, and the first of them."""

    path: str
    column: str
    reason: str
    count: int
    row: int
    value: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"row {self.row}" + (f", column {self.column!r}" if self.column else "")
        says = "" if self.reason.startswith("is ") else "found "
        value = f"{says}{self.value!r:.80}{', ' if says else ' '}" if self.value else ""
        reason = self.reason.removeprefix("found nothing, ") if value else self.reason
        return f"{self.path}: {where}: {value}{reason}{self.hint}"


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """An account of an import: what it took for what, converted, and left out.

    Attributes:
        files: Every file, in the order given.
        left_out: By file, column and reason; all rows stand in the dataset's ``rejects.csv``.
        notes: Decisions on the dataset as a whole.
        settings: What its ``dataset.yaml`` says.
        dataset: The dataset; None after a dry run.
    """

    files: Sequence[TakenFile]
    left_out: Sequence[LeftOut]
    notes: Sequence[str]
    settings: Mapping[str, object]
    dataset: Dataset | None = None

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it, without the dataset."""
        return {
            "files": [asdict(taken) for taken in self.files],
            "left_out": [asdict(left) for left in self.left_out],
            "notes": list(self.notes),
            "settings": dict(self.settings),
        }
