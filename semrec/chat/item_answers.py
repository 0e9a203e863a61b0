"""Answers to a question about an item, from its record alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from semrec.chat.phrasing import languages_of, measured, spoken
from semrec.data.catalog import Catalog
from semrec.data.kinds import kinds
from semrec.intent.intent_parser import IntentParser

MAX_TEXT_CHARS, MAX_VALUES = 200, 5
# A topic → words in the names of attributes that know it.
_QUESTIONS = {
    topic: question for kind in kinds().values() for topic, question in kind.questions.items()
}
_NAMES: Mapping[str, Collection[str]] = {
    **{topic: question.attributes for topic, question in _QUESTIONS.items()},
    "year": ("year", "released", "release_date", "date"),
    "minutes": ("minutes", "runtime", "duration", "length", "pages"),
    "language": ("language",),
    "country": ("country", "countries", "place"),
    "price": ("price",),
    "rating": ("rating", "score", "stars"),
}
_PLURALS = {
    **{topic: question.plural for topic, question in _QUESTIONS.items()},
    "year": "years",
    "minutes": "lengths",
    "language": "languages",
    "country": "countries",
    "price": "prices",
    "rating": "ratings",
}


def answer_about(row: int, topic: str, catalog: Catalog, intent_parser: IntentParser | None) -> str:
    """A sentence about an item, or one that says what isn't known here.

    Args:
        row: The item.
        topic: As `Act.topic`, or the name of an attribute.
        catalog: Its record.
        intent_parser: For the names of languages.
    """
    title = catalog.titles[row] or catalog.item_ids[row]
    record = catalog.record(row)
    called = languages_of(intent_parser)
    if topic in catalog.attribute_names and isinstance(record.get(topic), bool):
        return f"“{title}” {'is' if record[topic] else 'isn’t'} {spoken(topic)}."
    if topic in catalog.attribute_names and (value := _value(record.get(topic), called)):
        return f"“{title}”: {measured(topic, value)}."
    if topic in _NAMES:
        for name in catalog.attribute_names:
            if any(word in name.casefold() for word in _NAMES[topic]):
                value = _value(record.get(name), called)
                if value:
                    return f"“{title}”: {measured(name, value)}."
        return f"I don’t know {_PLURALS[topic]} here. {_described(title, record, called, catalog)}"
    text = " ".join(catalog.texts[row].split())
    if topic == "about" and text:
        return f"“{title}”: {_shortened(text)}"
    return _described(title, record, called, catalog)


def _described(
    title: str, record: Mapping[str, Any], called: Mapping[str, str], catalog: Catalog
) -> str:
    """The record's attributes in a sentence."""
    values = [
        value if isinstance(record.get(name), list) else measured(name, value)
        for name in catalog.attribute_names
        if (value := _value(record.get(name), called))
    ]
    first = {re.sub(r"\W", "", value.casefold()): value for value in reversed(values)}
    known = "; ".join(list(reversed(first.values()))[:MAX_VALUES])
    return f"“{title}”: {known}." if known else f"I know nothing more of “{title}” than its title."


def _value(value: Any, called: Mapping[str, str]) -> str:  # noqa: ANN401
    if value is None or value == [] or value == "" or isinstance(value, bool):
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        # What is written in two ways ("sci fi", "sci-fi") is said once.
        first = {re.sub(r"\W", "", str(v).casefold()): str(v) for v in reversed(value)}
        return ", ".join(list(reversed(first.values()))[:MAX_VALUES])
    if isinstance(value, float):
        return f"{value:g}"
    return called.get(str(value), str(value))


def _shortened(text: str) -> str:
    """The first sentences of a text, cut at a word where they are long."""
    if len(text) <= MAX_TEXT_CHARS:
        return text
    head = text[:MAX_TEXT_CHARS]
    end = max(head.rfind(mark) for mark in (". ", "! ", "? "))
    return head[: end + 1] if end > 0 else f"{head.rsplit(' ', 1)[0]} …"
