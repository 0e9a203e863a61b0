"""From ids to rows and words: what a query means in this catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.lexical.analysis import content_words
from semrec.prompting import Prompts
from semrec.types import EVENT_WEIGHTS, BoolArray, Query, RowArray, SessionRows


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A query in rows: its session, what may not come back, what may, and what to note."""

    session: SessionRows
    excluded: RowArray
    allowed: BoolArray | None
    notes: tuple[str, ...]


def in_words(about: str, session: SessionRows, catalog: Catalog, prompts: Prompts) -> str:
    """A request as the encoder reads it: its content words; ``""`` if it has none.

    Args:
        about: Its words, without limits and titles.
        session: What was done before; what was rejected in it isn't named.
        catalog: For titles.
        prompts: Put the request into words.
    """
    words = content_words(about)
    if not words:
        return ""
    return prompts.query_text(" ".join(words), [catalog.titles[row] for row in session.rows])


def resolve(query: Query, catalog: Catalog, interactions: Interactions) -> Resolved:
    """Look up ids, put the known user's history before the session, apply filters.

    Raises:
        QueryError: If a filter names an unknown attribute or is malformed.
    """
    notes, rows, weights, unknown = [], [], [], []
    rejected = set(catalog.rows(e.item_id for e in query.events if e.type == "reject"))
    if query.user_id is not None:
        history = interactions.history(query.user_id)
        if history is None:
            notes.append(f"unknown user {query.user_id!r} was ignored")
        else:
            rows += [row for row in history.tolist() if row not in rejected]
            weights += [1.0] * len(rows)
    for event in query.events:
        row = catalog.row(event.item_id)
        if row is None:
            unknown.append(event.item_id)
        elif row not in rejected:
            rows.append(row)
            weights.append(EVENT_WEIGHTS[event.type])
    if unknown:
        shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        notes.append(f"{len(unknown)} unknown item ids in the session were skipped: {shown}")
    excluded = [*rejected, *catalog.rows(query.exclude)]
    seen = [] if query.include_seen else rows
    session = SessionRows(
        rows=np.asarray(rows, dtype=np.int64), weights=np.asarray(weights, dtype=np.float32)
    )
    return Resolved(
        session=session,
        excluded=np.unique(np.asarray([*seen, *excluded], dtype=np.int64)),
        allowed=catalog.mask(query.filters),
        notes=tuple(notes),
    )
