"""A language model's reading of a request beside the rules': checked piece by piece, then joined.

The rules come first. The model may add a limit on an attribute that they found none on, titles
that they didn't find, and other words to search for. Whatever the catalogue doesn't know is
dropped and said; a limit that was stated is never taken away or made wider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from semrec.data.attributes import Labels, Numbers
from semrec.data.catalog import Catalog
from semrec.errors import QueryError, preview
from semrec.intent.intent_parser import ParsedIntent
from semrec.intent.mentions import find_titles
from semrec.intent.titles import Titles
from semrec.intent.tokens import read_tokens, words_of

MAX_QUERY_CHARS, MAX_QUERY_WORDS, MAX_TITLES, MAX_LIMITS, MAX_DROPPED = 500, 12, 10, 10, 5
_OPERATORS = {"min": "gte", "max": "lte"}


@dataclass(frozen=True, kw_only=True)
class JoinedReading:
    """The rules' reading and a model's, together.

    Attributes:
        parsed: As the rules give it, with what the model added.
        added: For the trace: the pieces that were added.
        dropped: Pieces that the catalogue doesn't know, as notes.
    """

    parsed: ParsedIntent
    added: Mapping[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def joined(
    parsed: ParsedIntent, reading: Mapping[str, Any], catalog: Catalog, titles: Titles
) -> JoinedReading:
    """The rules' reading with what holds of a model's.

    Args:
        parsed: The rules'.
        reading: The model's answer, untrusted: any JSON object.
        catalog: Knows attributes and labels.
        titles: Known titles.
    """
    dropped: list[str] = []
    filters = _limits(reading.get("filters"), parsed, catalog, dropped)
    known = {*parsed.liked, *parsed.rejected}
    rejected = [row for row in _rows(reading, "disliked", titles, dropped) if row not in known]
    known.update(rejected)
    liked = [row for row in _rows(reading, "liked", titles, dropped) if row not in known]
    about = parsed.about
    query = reading.get("query")
    if isinstance(query, str) and words_of(query) and query.isprintable():
        if len(query.split()) <= max(MAX_QUERY_WORDS, len(parsed.words.split())):
            about = " ".join(query.split())[:MAX_QUERY_CHARS]
        else:  # a small model repeats what it was told
            dropped.append(f"the model searches for {preview(query)}, more than was said")
    added: dict[str, Any] = {}
    if filters:
        added["filters"] = filters
    if liked or rejected:
        added["titles"] = [catalog.titles[row] for row in (*liked, *rejected)]
    if about != parsed.about:
        added["query"] = about
    changed = replace(
        parsed,
        about=about,
        filters={**parsed.filters, **filters},
        liked=(*parsed.liked, *liked),
        rejected=(*parsed.rejected, *rejected),
    )
    return JoinedReading(parsed=changed, added=added, dropped=tuple(dropped[:MAX_DROPPED]))


def _limits(
    stated: object, parsed: ParsedIntent, catalog: Catalog, dropped: list[str]
) -> dict[str, Any]:
    """The limits that hold: on known attributes, of known labels, and of something left."""
    kept: dict[str, Any] = {}
    for name, condition in list(stated.items() if isinstance(stated, dict) else ())[:MAX_LIMITS]:
        if name in parsed.filters:
            continue  # the rules read it
        attribute = catalog.attributes.get(name)
        if attribute is None or not isinstance(condition, dict):
            dropped.append(f"the model limits {preview(name)}, which no item has")
            continue
        limit: dict[str, Any] = {}
        if isinstance(attribute, Labels):
            limit = _labels(name, condition, attribute, dropped)
        elif isinstance(attribute, Numbers):
            bounds = {_OPERATORS[key]: condition[key] for key in _OPERATORS if key in condition}
            limit = {of: number for of, number in bounds.items() if _is_number(number)}
        if not limit:
            continue
        try:
            mask = catalog.mask({**parsed.filters, **kept, name: limit})
        except QueryError as error:
            dropped.append(str(error))
            continue
        if mask is not None and not mask.any():
            dropped.append(f"the model limits {name} to what no item has beside the other limits")
            continue
        kept[name] = limit
    return kept


def _labels(
    name: str, condition: Mapping[str, Any], attribute: Labels, dropped: list[str]
) -> dict[str, list[str]]:
    limit: dict[str, list[str]] = {}
    for operator in ("any", "none"):
        for label in _texts(condition.get(operator)):
            if label.casefold() in attribute.vocabulary:
                limit.setdefault(operator, []).append(label)
            else:
                dropped.append(f"the model limits {name} by {preview(label)}, which no item has")
    return limit


def _rows(
    reading: Mapping[str, Any], kind: str, titles: Titles, dropped: list[str]
) -> Sequence[int]:
    """Rows of titles that are known as they are named, each once."""
    rows: dict[int, None] = {}
    for title in _texts(reading.get(kind)):
        t = read_tokens(f"“{title}”")
        mentions = [mention for mention in find_titles(t, titles) if mention.row >= 0]
        if len(mentions) == 1:
            rows[mentions[0].row] = None
        else:
            dropped.append(f"the model names {preview(title)}, which no item is called")
    return list(rows)


def _texts(listed: object) -> list[str]:
    values = listed if isinstance(listed, list) else []
    return [value for value in values if isinstance(value, str) and value.strip()][:MAX_TITLES]


def _is_number(value: object) -> bool:
    return type(value) in (int, float)
