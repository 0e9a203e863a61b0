"""Cutting cases into parts: by what they bring, and by what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from semrec.data.attributes import Labels, Numbers
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.errors import DataError, nearest
from semrec.evaluate.yardsticks import AFTER, ASKED_FOR, SESSION, WITHOUT, by_kind
from semrec.metrics.significance import Values
from semrec.types import Case, RowArray

COLDEST = 0.3  # of the items that were touched, by how many people touched them
SHORT_SESSION = 5
SHORT_INTENT = 10  # words
MAX_CROSSED_LABELS = 12  # of an attribute, those that most cases ask for


def slices_of(
    cases: Sequence[Case],
    catalog: Catalog | None = None,
    interactions: Interactions | None = None,
    attributes: Sequence[str] = (),
) -> dict[str, dict[str, list[int]]]:
    """Places of the cases in each slice that holds some but not all of them, by family.

    Cases of the two kinds, liked and asked for, are cut each by themselves.

    Args:
        cases: What was asked.
        catalog: The items; without it nothing is known of targets.
        interactions: What was learned from: tells popular, cold and unknown.
        attributes: Names of attributes of the targets to cut by.

    Raises:
        DataError: If there is no such attribute.
    """
    merged: dict[str, dict[str, list[int]]] = {}
    for kind, indices in by_kind(cases).items():
        families = _cut([cases[i] for i in indices], kind, catalog, interactions, attributes)
        for family, parts in families.items():
            for name, own in parts.items():
                merged.setdefault(family, {}).setdefault(name, []).extend(indices[n] for n in own)
    return merged


def _cut(
    cases: Sequence[Case],
    kind: str,
    catalog: Catalog | None,
    interactions: Interactions | None,
    attributes: Sequence[str],
) -> dict[str, dict[str, list[int]]]:
    families: dict[str, dict[str, list[int]]] = {
        SESSION: _where(
            cases,
            {
                "no session": lambda case: not case.query.events,
                f"session of 1 to {SHORT_SESSION}": lambda case: (
                    0 < len(case.query.events) <= SHORT_SESSION
                ),
                f"session over {SHORT_SESSION}": lambda case: (
                    len(case.query.events) > SHORT_SESSION
                ),
            },
        ),
        "words": _where(
            cases,
            {
                "no words": lambda case: not case.query.intent.strip(),
                f"1 to {SHORT_INTENT} words": lambda case: (
                    0 < len(case.query.intent.split()) <= SHORT_INTENT
                ),
                f"over {SHORT_INTENT} words": lambda case: (
                    len(case.query.intent.split()) > SHORT_INTENT
                ),
            },
        ),
        "place in the dialog": _turns(cases),
    }
    if catalog is not None and interactions is not None:
        families |= _by_popularity(cases, catalog, interactions)
    for name in attributes:
        if catalog is None or name not in catalog.attributes:
            known = catalog.attribute_names if catalog is not None else ()
            raise DataError(f"--slice {name!r}: no such attribute{nearest(name, known)}")
        families[name] = _by_attribute(cases, catalog, name)
    if kind == ASKED_FOR:
        del families["place in the dialog"]  # topics of a group are no dialog
        return {SESSION: _parts(cases)} | _partial(families, len(cases), but=SESSION)
    return _partial(families, len(cases))


def _parts(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Topics asked for out of nothing, and after a session; also where all are of one sort."""
    parts = _where(
        cases,
        {
            WITHOUT: lambda case: not case.query.events,
            AFTER: lambda case: len(case.query.events) > 0,
        },
    )
    return {name: indices for name, indices in parts.items() if indices}


def _partial(
    families: Mapping[str, Mapping[str, list[int]]], n_cases: int, but: str = ""
) -> dict[str, dict[str, list[int]]]:
    """The parts that hold some but not all cases."""
    return {
        family: kept
        for family, parts in families.items()
        if family != but
        and (kept := {name: p for name, p in parts.items() if 0 < len(p) < n_cases})
    }


def _where(
    cases: Sequence[Case], tests: Mapping[str, Callable[[Case], bool]]
) -> dict[str, list[int]]:
    return {
        name: [index for index, case in enumerate(cases) if test(case)]
        for name, test in tests.items()
    }


def _turns(cases: Sequence[Case]) -> dict[str, list[int]]:
    """By how many requests of the same dialog came before."""
    slices: dict[str, list[int]] = {name: [] for name in ("first", "second", "third or later")}
    by_dialog: dict[str, list[tuple[int, int]]] = {}
    for index, case in enumerate(cases):
        if case.turn is not None:
            by_dialog.setdefault(case.unit, []).append((case.turn, index))
    for turns in by_dialog.values():
        for before, (_, index) in enumerate(sorted(turns)):
            slices[list(slices)[min(before, 2)]].append(index)
    return {f"{name} request": sorted(indices) for name, indices in slices.items()}


def _by_popularity(
    cases: Sequence[Case], catalog: Catalog, interactions: Interactions
) -> dict[str, dict[str, list[int]]]:
    """By how many people touched the targets in training, and whether the user is known."""
    counts = interactions.counts
    targets = [counts[catalog.rows(case.relevant)] for case in cases]
    known = np.array([_middle(own) if len(own) else np.nan for own in targets])
    touched = counts[counts > 0]
    coldest = float(np.quantile(touched, COLDEST)) if len(touched) else 0.0
    tests: dict[str, Callable[[int], bool]] = {
        "coldest 30 % of items": lambda at: len(targets[at]) > 0 and targets[at].max() <= coldest,
        "items without events": lambda at: len(targets[at]) > 0 and not targets[at].any(),
    }
    users = [case.query.user_id for case in cases]
    return {
        "people of the target": _tenths(known, "people"),
        "cold items": {
            name: [index for index in range(len(cases)) if test(index)]
            for name, test in tests.items()
        },
        "users": {
            "unknown users": [
                index
                for index, user in enumerate(users)
                if user is not None and interactions.history(user) is None
            ]
        },
    }


def _by_attribute(cases: Sequence[Case], catalog: Catalog, name: str) -> dict[str, list[int]]:
    """By the labels of the targets; by tenths, if the attribute is a number."""
    attribute = catalog.attributes[name]
    rows = [catalog.rows(case.relevant) for case in cases]
    if isinstance(attribute, Numbers):
        with np.errstate(all="ignore"):
            middles = [_middle(attribute.values[own]) if own else np.nan for own in rows]
            return _tenths(np.array(middles), name, before=True)
    assert isinstance(attribute, Labels)
    words = list(attribute.vocabulary)
    of_item: dict[int, list[int]] = {}
    for row, code in zip(attribute.rows.tolist(), attribute.codes.tolist(), strict=True):
        of_item.setdefault(row, []).append(code)
    by_label: dict[str, list[int]] = {}
    for index, own in enumerate(rows):
        for code in {code for row in own for code in of_item.get(row, ())}:
            by_label.setdefault(words[code], []).append(index)
    most = sorted(by_label, key=lambda label: (-len(by_label[label]), label))[:MAX_CROSSED_LABELS]
    return {f"{name}: {label}": by_label[label] for label in most}


def _middle(values: Values | RowArray) -> float:
    """The median; of two in the middle the lower."""
    return float(np.sort(values)[(len(values) - 1) // 2])


def _tenths(values: Values, what: str, *, before: bool = False) -> dict[str, list[int]]:
    """Places by tenths of their values, named by what they span; tenths that tie are one."""
    known = np.isfinite(values)
    if not known.any():
        return {}
    edges = np.unique(np.quantile(values[known], np.arange(1, 10) / 10, method="lower"))
    tenths: dict[str, list[int]] = {}
    bins = np.searchsorted(edges, values)  # (edge before, edge]
    for number in range(len(edges) + 1):
        indices = np.flatnonzero(known & (bins == number))
        if len(indices):
            low, high = values[indices].min(), values[indices].max()
            span = f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"
            tenths[f"{what} {span}" if before else f"{span} {what}"] = indices.tolist()
    return tenths
