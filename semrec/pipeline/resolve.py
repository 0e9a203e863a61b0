"""From words and ids to a query in rows: what a request means in this catalogue.

    Query ─ parse_intent → ParsedQuery ─ resolve → Resolved

What the words state joins the query's filters, its session, its exclusions. It comes back in the
form of a `Query`'s fields, so that it can be shown, edited and sent back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from semrec.data.attributes import Labels
from semrec.data.catalog import Catalog
from semrec.data.interactions import Interactions
from semrec.deadline import NEVER, Deadline
from semrec.intent.familiarity import Familiarity, familiar
from semrec.intent.intent_parser import IntentParser, ParsedIntent
from semrec.intent.model_reading import JoinedReading, joined
from semrec.lexical.analysis import content_words
from semrec.prompting import Prompts
from semrec.protocols import RequestReader
from semrec.types import (
    EVENT_WEIGHTS,
    MAX_INTENT_CHARS,
    Allowed,
    Condition,
    Event,
    Label,
    Query,
    RowArray,
    SessionRows,
)

AFTER_READING_MS = 25.0  # of a budget, for what comes after a model's reading
MAX_KINDS = 50  # labels of an attribute that says what kind an item is
OTHER_KINDS = "within the limits: other kinds are listed"  # the end of a note
MIN_KIND = 50  # items of a kind that a list keeps to


@dataclass(frozen=True, kw_only=True)
class ParsedQuery:
    """A query as it was understood.

    Attributes:
        query: With what its words state made exact.
        about: Its words without limits and titles: what is encoded and matched.
        spoken: The same with titles: what the gate counts.
        named: Labels that its words name without making them a limit: they pull.
        familiarity: How well known the items should be; "": it isn't said.
        kinds: Kinds that the list keeps to: attribute → labels.
        understood: For the trace: `intent`, `filters`, `session` as they are now if the words
            stated anything; `not_understood` lists limits that no attribute can answer, `named` the
            labels that pull, by attribute; `interpreted` what an interpreter made of a limit, and
            what is searched for in place of a mood or an audience.
        language: What it is written in, if that isn't English.
        notes: What a model read that the catalogue doesn't know.
        is_unanswered: Whether a model that was asked gave no answer in time.
    """

    query: Query
    about: str
    spoken: str
    named: tuple[Label, ...] = ()
    familiarity: Familiarity = ""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    understood: Mapping[str, Any] = field(default_factory=dict)
    language: str = ""
    notes: tuple[str, ...] = ()
    is_unanswered: bool = False


def parse_intent(
    query: Query,
    intent_parser: IntentParser | None,
    catalog: Catalog,
    deadline: Deadline = NEVER,
    reader: RequestReader | None = None,
) -> ParsedQuery:
    """The query with what its words state made exact, and what was understood.

    A limit that was read is a filter beside the given ones; of the same attribute the given one
    counts alone. A title named with approval is the newest event of the session unless it is in
    it already; one named with dislike is rejected.

    Args:
        query: As it was asked.
        intent_parser: Reads the words; None: nothing is read.
        catalog: For item ids.
        deadline: When an interpreter must be done.
        reader: Reads the request beside the rules; what it adds is checked. None: nobody does.
    """
    if intent_parser is None or not query.intent.strip():
        stated = {"filters": query.filters} if query.filters else {}
        return ParsedQuery(query=query, about=query.intent, spoken=query.intent, understood=stated)
    both, is_unanswered = _read(query.intent, intent_parser, catalog, deadline, reader)
    read = both.parsed
    filters = {**read.filters, **query.filters}
    present = {event.item_id for event in query.events}
    liked = [catalog.item_ids[row] for row in read.liked]
    added = [Event(item_id) for item_id in liked if item_id not in present]
    added += [Event(catalog.item_ids[row], type="reject") for row in read.rejected]
    understood = _understood(read, filters, query.intent, (*query.events, *added) if added else ())
    if both.added:
        understood["read_by_model"] = both.added
    words = read.words[-MAX_INTENT_CHARS:]  # a joint may have made it a character longer
    changed = replace(query, intent=words, filters=filters, session=(*query.events, *added))
    if query.include_seen:  # who says "like Alien" asks for others
        changed = replace(changed, exclude=(*query.exclude, *liked))
    return ParsedQuery(
        query=changed,
        about=read.about,
        spoken=read.spoken,
        named=read.named,
        familiarity=read.familiarity,
        kinds=read.kinds,
        understood=understood,
        language=read.language,
        notes=both.dropped,
        is_unanswered=is_unanswered,
    )


def _read(
    text: str,
    intent_parser: IntentParser,
    catalog: Catalog,
    deadline: Deadline,
    reader: RequestReader | None,
) -> tuple[JoinedReading, bool]:
    """The rules' reading, with a model's if one is asked; whether that gave no answer in time."""
    if reader is None:
        return JoinedReading(parsed=intent_parser.parse_intent(text, deadline)), False
    begun = reader.begin(text)
    parsed = intent_parser.parse_intent(text, deadline)
    within_ms = min(deadline.left_ms - AFTER_READING_MS, reader.max_ms)
    try:
        reading = None if begun is None else begun.result(timeout=max(within_ms, 0.0) / 1000)
    except TimeoutError:
        reading = None
    if reading is None:
        late = "the model that reads requests gave no answer in time: the rules read it alone"
        return JoinedReading(parsed=parsed, dropped=(late,)), True
    return joined(parsed, reading, catalog, intent_parser.titles), False


def _understood(
    read: ParsedIntent, filters: Mapping[str, Any], text: str, session: Sequence[Event]
) -> dict[str, Any]:
    """The reading for the trace, in the form of a query's fields."""
    understood: dict[str, Any] = {"filters": filters} if filters else {}
    if read.filters or read.words != text.strip():
        understood["intent"] = read.words
    if session:
        understood["session"] = [
            event.item_id
            if event.type == "view"
            else {"item_id": event.item_id, "type": event.type}
            for event in session
        ]
    if read.not_understood:
        understood["not_understood"] = list(read.not_understood)
    if read.interpreted or read.moods:
        understood["interpreted"] = {**read.interpreted, **read.moods}
    if read.named:
        by_attribute: dict[str, list[str]] = {}
        for attribute, label in read.named:
            by_attribute.setdefault(attribute, []).append(label)
        understood["named"] = by_attribute
    return understood


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A query in rows: its session, what may not come back, what may, and what to note."""

    session: SessionRows
    excluded: RowArray
    allowed: Allowed | None
    notes: tuple[str, ...]


def in_words(about: str, session: SessionRows, catalog: Catalog, prompts: Prompts) -> str:
    """A request as the encoder reads it: its content words; ``""`` if it has none.

    Args:
        about: Its words, without limits and titles.
        session: What was done before; what was rejected in it isn't named.
        catalog: For titles.
        prompts: Put the request into words.
    """
    words = content_words(about, catalog.kind)
    if not words:
        return ""
    return prompts.query_text(" ".join(words), [catalog.titles[row] for row in session.rows])


def resolve(
    query: Query,
    catalog: Catalog,
    interactions: Interactions,
    familiarity: Familiarity = "",
    named: Sequence[Label] = (),
    about: str = "",
    kinds: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Resolved:
    """Look up ids, put the known user's history before the session, apply filters.

    Args:
        query: With what its words state made exact.
        catalog: The items.
        interactions: Histories, and how many people know each item.
        familiarity: How well known the items should be among those of their kind.
        named: Labels that say what kind.
        about: The words; a genre alone, without a session, is kept to.
        kinds: Kinds that are kept to as long as an item is left: attribute → labels.

    Raises:
        QueryError: If a filter names an unknown attribute or is malformed.
    """
    is_apart = not query.events and query.user_id is None
    alone = kind_alone(about, named, catalog) if is_apart and not kinds else {}
    kept = [({name: {"any": list(of)} for name, of in kinds.items()}, 1), (alone, MIN_KIND)]
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
        listed = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        notes.append(f"{len(unknown)} unknown item ids in the session were skipped: {listed}")
    excluded = [*rejected, *catalog.rows(query.exclude)]
    seen = [] if query.include_seen else rows
    session = SessionRows(
        rows=np.asarray(rows, dtype=np.int64), weights=np.asarray(weights, dtype=np.float32)
    )
    allowed = _allowed(query.filters, catalog, interactions, familiarity, named, kept)
    if kinds and (allowed is None or len(allowed.conditions) == len(query.filters)):
        listed = " or ".join(label for of in kinds.values() for label in of)
        notes.append(f"no {listed} {OTHER_KINDS}")
    return Resolved(
        session=session,
        excluded=np.unique(np.asarray([*seen, *excluded], dtype=np.int64)),
        allowed=allowed,
        notes=tuple(notes),
    )


def _allowed(
    filters: Mapping[str, Any],
    catalog: Catalog,
    interactions: Interactions,
    familiarity: Familiarity,
    named: Sequence[Label],
    kinds: Sequence[tuple[Mapping[str, Any], int]],
) -> Allowed | None:
    """The items that filters permit and that are as well known as wished; None: all.

    `kinds` are filters that hold too where they leave so many items.
    """
    allowed = _satisfying(catalog.conditions(filters), catalog)
    for of, least in kinds:
        if of:
            kept = _satisfying((*allowed.conditions, *catalog.conditions(of)), catalog)
            if int(kept.mask.sum()) >= least:
                allowed = kept
    if not familiarity:
        return allowed if allowed.conditions else None
    counts = np.zeros(len(catalog), dtype=np.int64)  # items may have been added since
    counts[: len(interactions.counts)] = interactions.counts
    permitted = pool = allowed.mask
    if named:
        kinds_of = [catalog.conditions({name: {"any": [label]}}) for name, label in named]
        pool = permitted & np.logical_or.reduce([catalog.satisfying(of) for of in kinds_of])
    known = familiar(familiarity, counts, pool if pool.any() else permitted, permitted)
    return replace(allowed, counts=known, make_mask=lambda: permitted & known.within(counts))


def _satisfying(conditions: tuple[tuple[str, Condition], ...], catalog: Catalog) -> Allowed:
    return Allowed(conditions=conditions, make_mask=lambda: catalog.satisfying(conditions))


def kind_alone(about: str, named: Sequence[Label], catalog: Catalog) -> dict[str, Any]:
    """The filter of a request that is a label of a small set and nothing else: "a musical"."""
    kinds: dict[str, list[str]] = {}
    for name, label in named:
        attribute = catalog.attributes[name]
        if isinstance(attribute, Labels) and len(attribute.vocabulary) <= MAX_KINDS:
            kinds.setdefault(name, []).append(label)
    if len(kinds) != 1:
        return {}
    [(name, labels)] = kinds.items()
    n_words = sum(len(content_words(label, catalog.kind)) for label in labels)
    n_about = len(content_words(about, catalog.kind))
    return {name: {"any": labels}} if n_about <= n_words else {}
