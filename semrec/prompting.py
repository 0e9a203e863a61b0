"""Prompts: Jinja2 files, checked when they are loaded, rendered with data that stays data.

A name is looked up among the packaged prompts (the wheel's copy, else the checkout's); a path is
taken as it is. Templates run in Jinja2's sandbox and may use only the variables of their kind.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import jinja2
import jinja2.meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from semrec.data.catalog import Catalog
from semrec.environment.packaged import find_packaged
from semrec.errors import ConfigError, nearest

# What each kind of prompt may use, with values to try it on.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "item": {
        "title": "Alien",
        "text": "A crew answers a call.",
        "attributes": {"year": 1979},
        "tags": ["space"],
    },
    "item_about": {
        "text": "A crew answers a call.",
        "attributes": {"year": 1979},
        "tags": ["space"],
    },
    "query": {"intent": "a quiet story", "session": ["Alien", "Solaris"]},
    "request": {"labels": ["horror"], "tags": ["space"], "decade": 1970},
    "limit": {"phrase": "gory", "labels": ["Horror", "Comedy"]},
    "read_request": {
        "message": "a quiet story, no war",
        "attributes": [("genres", ["drama", "war"]), ("year", [])],
    },
    "rerank_request": {"intent": "a quiet story", "session": ["Alien", "Solaris"]},
    "rerank_likelihood": {"request": "a quiet story", "candidate": "Alien"},
    "rerank_listwise": {"request": "a quiet story", "candidates": [("1", "Alien"), ("2", "Big")]},
    "synthesise": {
        "labels": ["horror"],
        "tags": ["space"],
        "decade": 1970,
        "snippet": "a crew that answers a call",
        "liked": ["Solaris", "Stalker"],
        "variant": 3,
    },
    "chat_act": {
        "kind": "more",
        "n": 10,
        "n_items": 2_000,
        "done": True,
        "title": "Alien",
        "reason": "it is about a crew",
        "answer": "“Alien” is from 1979.",
        "first": ["Stalker", "Moon"],
    },
    "chat_llm": {
        "message": "a quiet story",
        "items": [("Stalker", "year 1979; Drama")],
        "reply": "“Stalker” comes first.",
    },
    "chat_reply": {
        "anew": True,
        "wish": "a quiet story",
        "liked": ["“Solaris”"],
        "seen": ["“Solaris”"],
        "bought": ["“Moon”"],
        "rejected": ["“Alien”"],
        "others": True,
        "stated": ["no Horror"],
        "lifted": ["War"],
        "dropped": ["from 1990 to 1999"],
        "missed": ["“nothing gory”"],
        "language": "",
        "beside": "no Tents within the limits: other kinds are listed",
        "idle": False,
        "nothing": "nothing satisfies year >= 2000 and year < 1990",
        "first": ["Stalker", "Gattaca"],
        "reason": "its text has “quiet”",
        "ask": True,
    },
    "explanation": {
        "asked": ["Sci-Fi"],
        "values": ["year 1979"],
        "mentions": ["robots"],
        "chosen_with": "Solaris",
        "n_both": 12,
        "n_who": 40,
        "close_to": "Stalker",
        "shared": ["Drama"],
        "n_people": 329,
    },
}
MAX_CHARS = 8_000
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A checked template.

    Attributes:
        kind: ``item``, ``query``, ``limit``, …: decides which variables it may use.
        source: The template's text.
    """

    kind: str
    source: str

    def __post_init__(self) -> None:
        allowed = EXAMPLES[self.kind]
        try:
            used = jinja2.meta.find_undeclared_variables(_ENVIRONMENT.parse(self.source))
        except jinja2.TemplateSyntaxError as error:
            raise ConfigError(f"{self.kind} prompt, line {error.lineno}: {error.message}") from None
        for name in sorted(used - set(allowed)):
            raise ConfigError(
                f"{self.kind} prompt: unknown variable {name!r}{nearest(name, allowed)}"
            )
        self.render(**allowed)

    @property
    def hash(self) -> str:
        """sha256 of the template."""
        return hashlib.sha256(f"{self.kind}\n{self.source}".encode()).hexdigest()

    @cached_property
    def _template(self) -> jinja2.Template:
        return _ENVIRONMENT.from_string(self.source)

    def render(self, **values: Any) -> str:  # noqa: ANN401
        """The prompt in one line of at most 8,000 characters, surrounding space removed.

        Raises:
            ConfigError: If the template fails on these values.
        """
        try:
            text = self._template.render(**values)
        except Exception as error:  # a template can compute, so anything can go wrong in it
            raise ConfigError(f"{self.kind} prompt: can't be rendered: {error}") from error
        text = _SPACES.sub(" ", text[: 4 * MAX_CHARS]).strip()[:MAX_CHARS]
        # Half a surrogate pair is no text: tokenisers refuse it.
        return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """The prompts of one recommender.

    Attributes:
        item: An item in words, whole.
        query: A request in words.
        about: An item in words without its title, its second view; None: there is one view.
    """

    item: Prompt
    query: Prompt
    about: Prompt | None = None

    @property
    def all(self) -> tuple[Prompt, ...]:
        """Those that there are."""
        return tuple(prompt for prompt in (self.item, self.about, self.query) if prompt is not None)

    def item_text(
        self, title: str, text: str, attributes: Mapping[str, Any], tags: Sequence[str] = ()
    ) -> str:
        """An item in words; ``""`` if it has neither title nor text."""
        if not title.strip() and not text.strip():
            return ""
        return self.item.render(title=title, text=text, attributes=attributes, tags=tags)

    def text_of(self, catalog: Catalog, row: int, tags: Sequence[str] = ()) -> str:
        """A row of a catalogue in words; ``""`` if it has neither title nor text."""
        return self.item_text(
            catalog.titles[row], catalog.texts[row], catalog.attributes_of(row), tags
        )

    def about_of(self, catalog: Catalog, row: int, tags: Sequence[str] = ()) -> str:
        """The text of a row without its title; ``""`` where nothing says what it is about."""
        if self.about is None:
            return ""
        attributes = catalog.attributes_of(row)
        return self.about.render(text=catalog.texts[row], attributes=attributes, tags=tags)

    def fields_of(self, catalog: Catalog, row: int, tags: Sequence[str] = ()) -> tuple[str, str]:
        """A row's title and what else is said of it, to be matched as words."""
        if self.about is None:
            return "", self.text_of(catalog, row, tags)
        return catalog.titles[row], self.about_of(catalog, row, tags)

    def query_text(self, intent: str, session: Sequence[str]) -> str:
        """A request in words; `session` holds titles, oldest first."""
        return self.query.render(intent=intent, session=session)


class ItemTexts(Sequence[str]):
    """A catalogue's items in words, by row, each made when it is asked for: never all in memory."""

    def __init__(
        self,
        *,
        prompts: Prompts,
        catalog: Catalog,
        tags: Mapping[int, Sequence[str]] | None = None,
        about: bool = False,
    ) -> None:
        """Texts of all rows.

        Args:
            prompts: Put an item into words.
            catalog: The items.
            tags: Row → what people called it.
            about: The view without the title, instead of the whole item.
        """
        self._catalog, self._tags = catalog, tags or {}
        self._text = prompts.about_of if about else prompts.text_of

    def __len__(self) -> int:
        return len(self._catalog)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> list[str]: ...

    def __getitem__(self, row: int | slice) -> str | list[str]:
        """The text of a row, ``""`` for an item that has none; or of several."""
        if isinstance(row, slice):
            return [self[index] for index in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        return self._text(self._catalog, row, self._tags.get(row, ()))


def load_prompt(kind: str, name_or_path: str | Path) -> Prompt:
    """A prompt by name (``item``) or path (anything with a suffix or a slash).

    Raises:
        ConfigError: If there is none, or the template is wrong.
    """
    path = find_packaged("prompts", str(name_or_path), ".j2")
    try:
        return Prompt(kind=kind, source=path.read_text(encoding="utf-8"))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: {error}") from None


def _join(values: object, separator: str = ", ") -> str:
    """Jinja's join for lists, tuples and arrays; a single text stays as it is."""
    if isinstance(values, str):
        return values
    return separator.join(map(str, values)) if hasattr(values, "__iter__") else str(values)


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_ENVIRONMENT.filters["words"] = _join
