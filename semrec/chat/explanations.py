"""Explanations: what can be said and proved of an item, from records, session and counts.

    list + query → reasons → a sentence from a template

Looks at the answer from outside, so that lists cost nothing where nobody asks why. Every label and
title that is named stands in the item's record or in the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from semrec.chat.phrasing import languages_of, measured, spoken
from semrec.data.attributes import Labels, Numbers
from semrec.data.catalog import Catalog
from semrec.intent.english import (
    DETERMINERS,
    FILLERS,
    FOLLOWERS,
    NOT_A_NOUN,
    OPINIONS,
    RESTRICTIONS,
)
from semrec.intent.tokens import MARKS, read_tokens
from semrec.prompting import Prompt, load_prompt
from semrec.recommender import Recommender
from semrec.types import (
    EVENT_WEIGHTS,
    Event,
    Query,
    Recommendations,
    SessionRows,
)

MAX_ITEMS, MAX_SESSION, MAX_LABELS, MAX_MENTIONS = 50, 20, 3, 2
MAX_BRIEF = 3  # liked items that a few words look at
MIN_TOGETHER = 3  # fewer people who chose both say nothing about either
CLOSE = 1.5  # deviations above the catalogue's mean
POPULAR_SHARE = 0.05
MIN_WORD_CHARS = 4
_COMMON = DETERMINERS | FILLERS | FOLLOWERS | NOT_A_NOUN | OPINIONS | RESTRICTIONS


@dataclass(frozen=True, kw_only=True)
class Reasons:
    """Facts about an item and the request.

    Attributes:
        asked: Its labels that the words name or that a limit demands.
        values: Its numbers and languages that a limit is about, in words.
        mentions: Words of the request that its text has, as they stand there.
        chosen_with: Title of the session's item that most who chose it have in common with this.
        n_both: How many people chose both.
        n_who: How many chose that one.
        close_to: Title of the session's item whose text is most like this one's.
        shared: Labels that both have.
        n_people: How many chose it, if it is among the most chosen; else 0.
    """

    asked: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    chosen_with: str = ""
    n_both: int = 0
    n_who: int = 0
    close_to: str = ""
    shared: tuple[str, ...] = ()
    n_people: int = 0


def explain(recommender: Recommender, query: Query, ranked: Recommendations) -> Recommendations:
    """The same list with an explanation of each of its first `MAX_ITEMS` items."""
    template = _template()
    explained = [
        replace(item, explanation=_sentence(template, reason))
        for item, reason in zip(ranked.items, reasons_for(recommender, query, ranked), strict=False)
    ]
    return replace(ranked, items=(*explained, *ranked.items[len(explained) :]))


def reasons_for(recommender: Recommender, query: Query, ranked: Recommendations) -> list[Reasons]:
    """Reasons for each of the first `MAX_ITEMS` items.

    Args:
        recommender: Whose list it is.
        query: As it was asked.
        ranked: The list; what was understood stands in its trace.
    """
    catalog = recommender.catalog
    rows = catalog.rows(item.item_id for item in ranked.items[:MAX_ITEMS])
    understood, weights = ranked.trace.understood, ranked.trace.weights
    reads = recommender.encoder is not None and weights.get("semantic", 0.0) > 0
    liked = _session(recommender, query, understood.get("session"))
    together = _together(recommender, rows, liked)
    close = _close(recommender, rows, liked) if reads else [None] * len(rows)
    named = understood.get("named", {}) if reads else {}
    filters = understood.get("filters", {})
    words = set(_content(str(understood.get("intent", query.intent)))) if reads else set()
    called = languages_of(recommender.intent_parser)
    popular = _popular(recommender, rows)
    reasons = []
    for row, near, chosen, n_people in zip(rows, close, together, popular, strict=True):
        record = catalog.record(row)
        reason = Reasons(
            asked=_requested(record, named, filters, catalog),
            values=_values(record, filters, catalog, called),
            mentions=_mentions(catalog.texts[row], words),
        )
        if chosen is not None:
            reason = replace(reason, chosen_with=chosen[0], n_both=chosen[1], n_who=chosen[2])
        elif near is not None:
            shared = _shared(record, catalog.record(near), catalog)
            reason = replace(reason, close_to=catalog.titles[near], shared=shared)
        if reason == Reasons() or weights.get("popularity", 0.0) > 0.5:
            reason = replace(reason, n_people=n_people)
        reasons.append(reason)
    return reasons


def main_reason(recommender: Recommender, query: Query, ranked: Recommendations) -> str:
    """The best reason for the first item, in a few words; empty if there is none at hand.

    The words before the session: who chose both is counted only where no word speaks.
    """
    if not ranked.items:
        return ""
    catalog = recommender.catalog
    row = catalog.row(ranked.items[0].item_id)
    understood, weights = ranked.trace.understood, ranked.trace.weights
    if row is None:
        return ""
    reasons = Reasons()
    if recommender.encoder is not None and weights.get("semantic", 0.0) > 0:
        words = set(_content(str(understood.get("intent", query.intent))))
        named = understood.get("named", {})
        requested = _requested(catalog.record(row), named, {}, catalog) if named else ()
        reasons = Reasons(
            asked=requested, mentions=() if requested else _mentions(catalog.texts[row], words)
        )
    if reasons == Reasons():
        liked = _session(recommender, query, understood.get("session"))
        chosen = _together(recommender, [row], liked[:MAX_BRIEF])[0] if liked else None
        if chosen is None:
            return ""
        reasons = Reasons(chosen_with=chosen[0], n_both=chosen[1], n_who=chosen[2])
    text = _sentence(_template(), reasons).removesuffix(", as you asked")
    return text[:1].lower() + text[1:] if not reasons.asked else text


@lru_cache(maxsize=1)
def _template() -> Prompt:
    return load_prompt("explanation", "explanation")


def _sentence(template: Prompt, reasons: Reasons) -> str:
    values = {name: getattr(reasons, name) for name in Reasons.__dataclass_fields__}
    text = template.render(**values)
    return text[:1].upper() + text[1:]


def _session(recommender: Recommender, query: Query, understood: Sequence[Any] | None) -> list[int]:
    """Rows of what was liked last, each once: the user's history, then the session."""
    events = query.events
    if understood is not None:
        events = tuple(Event(**e) if isinstance(e, Mapping) else Event(e) for e in understood)
    catalog, history = recommender.catalog, None
    if query.user_id is not None:
        history = recommender.interactions.history(query.user_id)
    rows = [] if history is None else history[-MAX_SESSION:].tolist()
    rejected = set(catalog.rows(e.item_id for e in events if not EVENT_WEIGHTS[e.type]))
    rows += [row for row in catalog.rows(e.item_id for e in events) if row not in rejected]
    return list(dict.fromkeys(reversed(rows)))[:MAX_SESSION]


def _together(
    recommender: Recommender, rows: Sequence[int], liked: Sequence[int]
) -> list[tuple[str, int, int] | None]:
    """For each row (title, people who chose both, people who chose that one), or None.

    Of the session's items the one with the highest cosine of who chose it, if more people chose
    both than would by chance.
    """
    interactions, titles = recommender.interactions, recommender.catalog.titles
    n_known = interactions.n_items
    liked = [row for row in liked if row < n_known and titles[row]]
    if not liked or not len(interactions):
        return [None] * len(rows)
    who = interactions.by_item
    # By hand: for one row, slices of sparse matrices cost more than all else in a reply.
    ends = who.indptr[1:]
    liked_by, chosen_by = (
        [who.indices[who.indptr[row] : ends[row]] for row in of]
        for of in (liked, [min(row, n_known - 1) for row in rows])
    )
    both = np.zeros((len(liked), len(rows)), dtype=np.int64)
    for at, users in enumerate(chosen_by):
        chose = np.zeros(who.shape[0], dtype=bool)
        chose[users] = True
        both[:, at] = [np.count_nonzero(chose[of]) for of in liked_by]
    n_liked, n_rows = ([len(users) for users in of] for of in (liked_by, chosen_by))
    expected = np.outer(n_liked, n_rows) / max(1, who.shape[0])
    cosines = both / np.sqrt(np.maximum(1.0, np.outer(n_liked, n_rows)))
    cosines[(both < MIN_TOGETHER) | (both <= expected)] = 0.0
    partners: list[tuple[str, int, int] | None] = []
    for i, row in enumerate(rows):
        best = int(cosines[:, i].argmax())
        if row >= n_known or not cosines[best, i]:
            partners.append(None)
        else:
            partners.append((titles[liked[best]], int(both[best, i]), n_liked[best]))
    return partners


def _close(recommender: Recommender, rows: Sequence[int], liked: Sequence[int]) -> list[int | None]:
    """For each row the session's item whose text is nearest, if it is near at all."""
    liked = [row for row in liked if recommender.catalog.titles[row]]
    if not liked or not rows:
        return [None] * len(rows)
    queries = [recommender.fusion.query(None, SessionRows.of([row]), 1.0) for row in liked]
    items = recommender.fusion.items(np.array(rows, dtype=np.int64))
    scores = items @ np.stack([query.vector for query in queries]).T
    nearest = [max(zip(row.tolist(), liked, strict=True)) for row in scores]
    return [row if score >= CLOSE else None for score, row in nearest]


def _requested(
    record: Mapping[str, Any],
    named: Mapping[str, Sequence[str]],
    filters: Mapping[str, Any],
    catalog: Catalog,
) -> tuple[str, ...]:
    """The record's labels that are named or demanded."""
    wanted = [(name, label) for name, labels in named.items() for label in labels]
    for name, condition in filters.items():
        of = condition if isinstance(condition, Mapping) else {"any": [condition]}
        wanted += [(name, label) for op in ("all", "any") for label in of.get(op, ())]
    folded = {(name, str(label).casefold()) for name, label in wanted}
    return _each_once(
        label
        for name, attribute in catalog.attributes.items()
        if isinstance(attribute, Labels) and isinstance(record.get(name), list)
        for label in record[name]
        if (name, label.casefold()) in folded
    )


def _values(
    record: Mapping[str, Any],
    filters: Mapping[str, Any],
    catalog: Catalog,
    called: Mapping[str, str],
) -> tuple[str, ...]:
    """The record's own values of attributes that a limit is about."""
    phrases = []
    for name in filters:
        value = record.get(name)
        if value is None or isinstance(value, list):
            continue
        if isinstance(value, bool):
            phrases.append(spoken(name) if value else f"not {spoken(name)}")
        elif isinstance(catalog.attributes[name], Numbers):
            phrases.append(measured(name, f"{value:g}" if isinstance(value, float) else value))
        else:
            phrases.append(f"{spoken(name)} {called.get(str(value), value)}")
    return tuple(phrases[:MAX_LABELS])


def _mentions(text: str, words: set[str]) -> tuple[str, ...]:
    """Words of the text that the request has too, as they are written there."""
    if not words or not text:
        return ()
    t = read_tokens(text)
    mentioned: dict[str, str] = {}
    for i, stem in enumerate(t.stems):
        if stem in words:
            mentioned.setdefault(stem, t.text[t.starts[i] : t.ends[i]])
    return tuple(mentioned.values())[:MAX_MENTIONS]


def _content(text: str) -> list[str]:
    t = read_tokens(text)
    return [
        stem
        for word, stem in zip(t.words, t.stems, strict=True)
        if len(word) >= MIN_WORD_CHARS and word not in _COMMON and word not in MARKS
    ]


def _shared(
    record: Mapping[str, Any], other: Mapping[str, Any], catalog: Catalog
) -> tuple[str, ...]:
    return _each_once(
        label
        for name in catalog.attributes
        if isinstance(record.get(name), list)
        for label in record[name]
        if label in (other.get(name) or ())
    )


def _each_once(labels: Iterable[str]) -> tuple[str, ...]:
    """The first few; one that is a genre and a keyword too ("Fantasy", "fantasy") is said once."""
    first: dict[str, str] = {}
    for label in labels:
        first.setdefault(label.casefold(), label)
    return tuple(first.values())[:MAX_LABELS]


def _popular(recommender: Recommender, rows: Sequence[int]) -> list[int]:
    """Number of people who chose each row, where it is among the most chosen; else 0."""
    counts = np.diff(recommender.interactions.by_item.indptr)
    seen = counts[counts > 0]
    least = max(float(np.quantile(seen, 1 - POPULAR_SHARE)), MIN_TOGETHER) if len(seen) else np.inf
    return [int(counts[row]) if row < len(counts) and counts[row] >= least else 0 for row in rows]
