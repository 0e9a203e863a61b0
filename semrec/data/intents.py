"""Requests in words with what turned out right: training data for `build`, cases for `compare`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semrec.data.catalog import Catalog
from semrec.data.cells import labels_in
from semrec.data.formats import is_text, read_table, refuse_nulls, require_columns, strings
from semrec.errors import DataError, QueryError, preview
from semrec.types import Case, FloatArray, Query

DIGITS = {"odd": "13579", "even": "02468"}

CaseSource = Case | str | Path | Sequence[Case]
"""A case, an intents file, or cases."""


def read_cases(path: str | Path, *, for_training: bool = False) -> list[Case]:
    """Requests from an intents file, in its order.

    Args:
        path: A table with `intent_id`, `text`, `session`, `relevant`; optional `dialog_id`
            (else every request is its own unit), `turn`, `split`, `topic` (then `relevant` is all
            that carries the topic).
        for_training: Leave out the rows whose `split` is ``test``.

    Raises:
        DataError: On a missing column, a doubled intent id, an id that isn't text, or a dialog
            that is in the test split and outside of it.
    """
    path = Path(path)
    table = read_table(path)
    require_columns(path, table, ("intent_id", "text", "session", "relevant"))
    refuse_nulls(path, table, "intent_id")
    ids = strings(path, table, "intent_id")
    doubled = len(ids) - len(set(ids))
    if doubled:
        raise DataError(f"{path}: {doubled} doubled values in 'intent_id'; they must be unique")
    texts = strings(path, table, "text")
    sessions, relevant = (_id_lists(path, table, name) for name in ("session", "relevant"))
    units = strings(path, table, "dialog_id") if "dialog_id" in table.column_names else ids
    has_split = "split" in table.column_names
    splits = strings(path, table, "split") if has_split else [""] * len(ids)
    _refuse_divided(path, units, splits)
    turns = _turns(path, table)
    has_topics = "topic" in table.column_names
    topics = strings(path, table, "topic") if has_topics else [""] * len(ids)
    cases = []
    for row, (case_id, text, session) in enumerate(zip(ids, texts, sessions, strict=True)):
        if for_training and splits[row] == "test":
            continue
        try:
            query = Query(intent=text, session=session)
        except QueryError as error:
            raise DataError(f"{path}: row {row + 1}: {error}") from None
        cases.append(
            Case(
                case_id=case_id,
                query=query,
                relevant=relevant[row],
                unit=units[row] or case_id,
                turn=turns[row],
                topic=topics[row] or None,
            )
        )
    if not cases:
        raise DataError(f"{path}: found no requests, expected at least one")
    return cases


def cases_from(source: CaseSource | Sequence[CaseSource]) -> list[Case]:
    """Cases from a file, from several, or given as they are, in this order.

    Raises:
        DataError: As `read_cases`, or if it is something else.
    """
    if isinstance(source, Case):
        return [source]
    if isinstance(source, str | Path):
        if not Path(source).exists():
            raise DataError(
                f"cases: no file {str(source)!r}, expected an intents file or cases; those that "
                "were held out come from semrec.evaluate.systems.cases_for"
            )
        return read_cases(source)
    if not isinstance(source, Iterable):
        raise DataError(f"cases holds {preview(source)}, expected a Case or an intents file")
    return [case for entry in source for case in cases_from(entry)]


def of_groups(cases: Iterable[Case], groups: str) -> list[Case]:
    """The topic cases whose unit ends in an odd number, or an even one; the others all stay.

    So one half of the topics can be worked with while the other half stays unread. Without any
    topic case the same goes for all cases.

    Args:
        cases: The cases.
        groups: ``odd``, ``even`` or ``all``.

    Raises:
        DataError: On another word, if a unit doesn't end in a number, or if none is left.
    """
    cases = list(cases)
    if groups == "all":
        return cases
    if groups not in DIGITS:
        raise DataError(f"--groups is {groups!r}, expected odd, even or all")
    with_topics = any(case.topic is not None for case in cases)
    cut = [case for case in cases if case.topic is not None or not with_topics]
    for case in cut:
        if case.unit[-1] not in DIGITS["odd"] + DIGITS["even"]:
            raise DataError(
                f"--groups {groups} needs dialog ids that end in a number, found {case.unit!r}"
            )
    kept = {case.unit for case in cut if case.unit[-1] in DIGITS[groups]}
    if not kept:
        raise DataError(f"--groups {groups}: none of the {len(cut)} cases is in such a group")
    return [case for case in cases if case.unit in kept or (with_topics and case.topic is None)]


def unit_hashes(cases: Iterable[Case]) -> list[str]:
    """Hashed ids of the dialogs that cases come from, sorted: enough to recognise one again."""
    return sorted({unit_hash(case.unit) for case in cases})


def unit_hash(unit: str) -> str:
    """A dialog's or user's id, hashed."""
    return hashlib.sha256(f"semrec unit {unit}".encode()).hexdigest()[:16]


def fold_of(unit: str, folds: int) -> int:
    """The fold of a unit, of `folds`: always the same, whatever else there is."""
    return int(unit_hash(unit), 16) % folds


def split_dialogs(cases: Iterable[Case], share: float) -> tuple[list[Case], list[Case]]:
    """Cases to train on, and those of some `share` of the dialogs, to validate on.

    Which dialog is where follows from its id alone, by other bits than those of `fold_of`.
    """
    train: list[Case] = []
    valid: list[Case] = []
    for case in cases:
        bucket = int(unit_hash(f"validation {case.unit}"), 16) % 10_000
        (valid if bucket < share * 10_000 else train).append(case)
    return train, valid


def dialogs_wanting(cases: Iterable[Case], catalog: Catalog) -> FloatArray:
    """(n_items,) float32: in how many dialogs each item was right; each dialog counts once."""
    wanted = {(case.unit, row) for case in cases for row in catalog.rows(case.relevant)}
    rows = np.fromiter((row for _, row in wanted), dtype=np.int64, count=len(wanted))
    return np.bincount(rows, minlength=len(catalog)).astype(np.float32)


def refuse_seen(cases: Iterable[Case], seen: Mapping[str, Iterable[str]]) -> None:
    """Check that no case comes from a dialog that a system was trained on.

    Args:
        cases: The cases to be asked.
        seen: System name → hashed ids of its training dialogs.

    Raises:
        DataError: Naming the system and how many dialogs overlap.
    """
    units = {unit_hash(case.unit) for case in cases}
    for name, hashes in seen.items():
        overlap = len(units & set(hashes))
        if overlap:
            raise DataError(
                f"{overlap} of the {len(units)} dialogs in these cases were used to train "
                f"{name!r}; take other cases, use `semrec crossfit`, or mark the result with "
                "--allow-seen"
            )


def _refuse_divided(path: Path, units: Sequence[str], splits: Sequence[str]) -> None:
    """Check that no dialog is learned from in one row and asked about in another."""
    halves = {
        side: {unit for unit, split in zip(units, splits, strict=True) if (split == "test") is side}
        for side in (True, False)
    }
    both = sorted((halves[True] & halves[False]) - {""})
    if both:
        raise DataError(
            f"{path}: dialog {both[0]!r} has rows in the test split and outside of it "
            f"({len(both)} such dialogs); a dialog belongs to one side as a whole"
        )


def _turns(path: Path, table: pa.Table) -> list[int | None]:
    """Each row's place in its dialog; None where the file doesn't say."""
    if "turn" not in table.column_names or pa.types.is_null(table["turn"].type):
        return [None] * table.num_rows
    turns = table["turn"]
    if is_text(turns.type):
        turns = pc.if_else(pc.equal(turns, ""), None, turns)
    try:
        return list(turns.cast(pa.int64()).to_pylist())
    except pa.ArrowException:
        raise DataError(f"{path}: column 'turn' is {turns.type}, expected whole numbers") from None


def _id_lists(path: Path, table: pa.Table, name: str) -> list[tuple[str, ...]]:
    kind = table[name].type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [_ids_in(value) for value in strings(path, table, name)]
    if pa.types.is_null(kind):
        return [()] * table.num_rows
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list or pa.types.is_floating(kind.value_type):
        raise DataError(f"{path}: column {name!r} is {kind}, expected a list of item ids")
    lists = table[name].to_pylist()
    for row, value in enumerate(lists, start=1):
        if None in (value or ()):
            raise DataError(f"{path}: row {row}, column {name!r}: a missing id in the list")
    return [tuple(map(str, value or ())) for value in lists]


def _ids_in(cell: str) -> tuple[str, ...]:
    """The ids of a cell: CSV has no lists, but JSON's, or ids with something between them."""
    labels = labels_in(cell)
    return tuple(re.findall(r"[^\s,;|]+", cell) if labels is None else labels)
