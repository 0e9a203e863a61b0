"""The state of a conversation: a small value that can be written down and sent along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from semrec.errors import QueryError, nearest
from semrec.types import Event, Query, Recommendations, to_query

MAX_WISHES, MAX_WISH_CHARS, MAX_WISHES_CHARS = 3, 1_000, 1_500
MAX_EVENTS, MAX_PASSED, MAX_SHOWN, MAX_NOT_UNDERSTOOD = 200, 200, 100, 10
ECHOED = ("intent", "filters", "session", "exclude", "not_understood", "shown")


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """The state of a conversation; all of it bounded.

    Attributes:
        wishes: What was asked for in words, oldest first; limits are cut out.
        filters: The limits that hold, as `Query.filters`.
        session: What was liked, seen and rejected, oldest first.
        not_understood: Limits that hold and that no attribute can answer, as they were written.
        shown: Item ids of the last list, best first.
        passed: Item ids that were passed over for others.
        focus: The item that was talked of last.
    """

    wishes: tuple[str, ...] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    session: tuple[Event, ...] = ()
    not_understood: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    focus: str | None = None

    @property
    def intent(self) -> str:
        """The wishes as one text, the last one last."""
        return ". ".join(wish.rstrip(" .") for wish in self.wishes)

    def query(self, **fields: Any) -> Query:  # noqa: ANN401 (the fields of Query)
        """The query that it asks now; `fields` are those that no words say, such as `k`.

        Raises:
            QueryError: If a value is wrong.
        """
        return to_query(
            intent=self.intent,
            filters=self.filters,
            session=last_words(self.session),
            exclude=self.passed,
            **fields,
        )

    def after(self, found: Recommendations) -> Conversation:
        """The same when a list has been shown."""
        shown = tuple(item.item_id for item in found.items[:MAX_SHOWN])
        focus = self.focus if self.focus in shown else next(iter(shown), None)
        return replace(self, shown=shown, focus=focus)

    def understood(self) -> dict[str, Any]:
        """The parse so far, to be shown, edited and sent back."""
        return {
            "intent": self.intent,
            "filters": dict(self.filters),
            "session": [{"item_id": e.item_id, "type": e.type} for e in self.session],
            "exclude": list(self.passed),
            "not_understood": list(self.not_understood),
            "shown": list(self.shown),
        }

    def edited(self, understood: Mapping[str, Any]) -> Conversation:
        """The same with some of `understood` as a client wants it.

        Raises:
            QueryError: On an unknown field or a wrong value.
        """
        for name in understood:
            if name not in ECHOED:
                raise QueryError(f"understood has no field {name!r}{nearest(name, ECHOED)}")
        asked = to_query({k: v for k, v in understood.items() if k in Query.__dataclass_fields__})
        for name in ("not_understood", "shown"):
            texts = understood.get(name, ())
            if not isinstance(texts, list | tuple) or not all(isinstance(t, str) for t in texts):
                raise QueryError(f"understood.{name}: expected a list of texts")
        wishes = self.wishes
        if "intent" in understood and asked.intent != self.intent:
            wishes = (asked.intent,) if asked.intent.strip() else ()
        return bounded(
            replace(
                self,
                wishes=wishes,
                filters=asked.filters if "filters" in understood else self.filters,
                session=asked.events if "session" in understood else self.session,
                passed=tuple(asked.exclude) if "exclude" in understood else self.passed,
                not_understood=tuple(understood.get("not_understood", self.not_understood)),
                shown=tuple(understood.get("shown", self.shown))[:MAX_SHOWN],
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Conversation:
        """Read what `to_dict` gave; fields that this version doesn't know are left out."""
        known: dict[str, Any] = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        events = tuple(Event(**event) for event in known.pop("session", ()))
        for name, value in known.items():
            known[name] = tuple(value) if isinstance(value, list) else value
        return cls(session=events, **known)


def bounded(conversation: Conversation) -> Conversation:
    """The same with the oldest of everything left out that is too much."""
    wishes: list[str] = []
    n_chars = 0
    for wish in reversed(conversation.wishes[-MAX_WISHES:]):
        kept = wish[-MAX_WISH_CHARS:]
        n_chars += len(kept)
        if n_chars > MAX_WISHES_CHARS:
            break
        wishes.insert(0, kept)
    return replace(
        conversation,
        wishes=tuple(wishes),
        session=conversation.session[-MAX_EVENTS:],
        passed=conversation.passed[-MAX_PASSED:],
        not_understood=conversation.not_understood[-MAX_NOT_UNDERSTOOD:],
    )


def last_words(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events that still hold: what was said of an item last counts, liked or rejected."""
    rejected = {e.item_id: place for place, e in enumerate(events) if e.type == "reject"}
    liked = {e.item_id: place for place, e in enumerate(events) if e.type != "reject"}
    return tuple(
        event
        for event in events
        if (event.type == "reject")
        == (rejected.get(event.item_id, -1) > liked.get(event.item_id, -1))
    )
