"""Limits and attributes in words, as replies and explanations say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semrec.data.attributes import Labels
from semrec.data.catalog import Catalog
from semrec.intent.intent_parser import IntentParser
from semrec.intent.tokens import key
from semrec.intent.units import CURRENCIES, UNITS

MAX_SHOWN = 5


def spoken(name: str) -> str:
    """An attribute's name in words."""
    return name.replace("_", " ")


def measured(name: str, amount: object) -> str:
    """A number with the unit that its attribute's name ends in: "weight 690 g", "price 94"."""
    words = spoken(name).split()
    if len(words) > 1 and (unit := words[-1].casefold()) in UNITS:
        sign = unit.upper() if unit in CURRENCIES else unit
        return f"{' '.join(words[:-1])} {amount} {sign}"
    return f"{spoken(name)} {amount}"


def first_of(phrases: Sequence[str], n: int) -> list[str]:
    """The first `n` phrases; of more, how many there are: nothing is left out in silence."""
    left = len(phrases) - n
    return [*phrases[:n], f"{left} more"] if left > 0 else list(phrases)


def shortened(text: str, max_chars: int) -> str:
    """A text, cut at a word where it is too long."""
    if len(text) <= max_chars:
        return text
    return f"{text[:max_chars].rsplit(' ', 1)[0].rstrip(' ,;:')} …"


def languages_of(intent_parser: IntentParser | None) -> Mapping[str, str]:
    """The language attribute's codes → what they are called; empty without one."""
    if intent_parser is None or intent_parser.vocabulary.language is None:
        return {}
    called: dict[str, str] = {}
    for word, codes in intent_parser.vocabulary.languages.items():
        for code in codes:
            called.setdefault(code, word.capitalize())
    return called


def limits_in_words(
    filters: Mapping[str, Any], catalog: Catalog, intent_parser: IntentParser | None
) -> list[str]:
    """Each limit as a phrase: "no Horror", "only Comedy or Drama", "year 1990 to 1999"."""
    called = languages_of(intent_parser)
    language = intent_parser.vocabulary.language if intent_parser else None
    year = (
        intent_parser.vocabulary.year.attribute
        if intent_parser and intent_parser.vocabulary.year
        else None
    )
    phrases: list[str] = []
    ruled_out: set[str] = set()  # attributes share labels, and labels differ by a plural's s
    for name, condition in filters.items():
        of = dict(condition) if isinstance(condition, Mapping) else {"any": [condition]}
        labels = isinstance(catalog.attributes.get(name), Labels)
        if (is_so := _truth(of)) is not None:
            phrases.append(spoken(name) if is_so else f"not {spoken(name)}")
            continue
        listed = {
            operator: _listed(value, called if name == language else {})
            for operator, value in of.items()
            if operator in ("any", "all") and value
        }
        prefix = "" if labels else f"{spoken(name)} "
        if "all" in listed:
            phrases.append(f"only {prefix}{' and '.join(listed['all'])}")
        if "any" in listed:
            phrases.append(f"only {prefix}{' or '.join(listed['any'])}")
        none = {
            key(str(n)): n for n in reversed(of.get("none", ())) if key(str(n)) not in ruled_out
        }
        ruled_out |= none.keys()
        if none:
            denied = _listed([*none.values()][::-1], called if name == language else {})
            phrases.append(f"no {prefix}{_nor(denied)}")
        if name == year:
            phrases += _years(of)
        elif bounds := _bounds(of):
            phrases.append(measured(name, bounds))
    return phrases


def _truth(of: Mapping[str, Any]) -> bool | None:
    """True or False for a limit to one truth value; None for all others."""
    values = [(op, value) for op in of for value in (of[op] if isinstance(of[op], list) else ())]
    if len(values) != 1 or values[0][0] not in ("any", "none") or values[0][1] not in (True, False):
        return None
    operator, value = values[0]
    return None if not isinstance(value, bool) else value == (operator == "any")


def _nor(labels: Sequence[str]) -> str:
    """Labels that are ruled out: "Horror, War or Crime"; of many the first, "and the like"."""
    if labels[-1] == "…":
        return f"{', '.join(labels[:-1])} and the like"
    *head, last = labels
    return f"{', '.join(head)} or {last}" if head else last


def _years(of: Mapping[str, Any]) -> list[str]:
    """A year's bounds, as people say them: "from 1990 to 1999", "from 1990 on", "before 1980"."""
    low = of["gte"] if "gte" in of else of["gt"] + 1 if "gt" in of else None
    high = of["lte"] if "lte" in of else of["lt"] - 1 if "lt" in of else None
    if low is not None and high is not None:
        return [f"from {low:g}" if low == high else f"from {low:g} to {high:g}"]
    if low is not None:
        return [f"from {low:g} on"]
    return [] if high is None else [f"before {high + 1:g}"]


def _bounds(of: Mapping[str, Any]) -> str:
    ends = (of.get("gte", of.get("gt")), of.get("lte", of.get("lt")))
    low, high = (None if end is None else f"{end:.10g}" for end in ends)
    if low is not None and high is not None:
        if low == high:
            return low
        if "gte" in of and "lte" in of:
            return f"{low} to {high}"
    parts = []
    if low is not None:
        parts.append(f"from {low}" if "gte" in of else f"above {low}")
    if high is not None:
        parts.append(f"up to {high}" if "lte" in of else f"below {high}")
    return " and ".join(parts)


def _listed(values: Sequence[Any], called: Mapping[str, str]) -> list[str]:
    """Values as words; a run of whole numbers as its ends."""
    if len(values) > 2 and all(isinstance(value, int) for value in values):
        ordered = sorted(values)
        if ordered[-1] - ordered[0] == len(ordered) - 1:
            return [f"{ordered[0]} to {ordered[-1]}"]
    words = list(dict.fromkeys(called.get(str(value), str(value)) for value in values))
    return words if len(words) <= MAX_SHOWN else [words[0], "…"]
