"""The state of a conversation: a small value that can be written down and sent along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from semrec.chat.acts import Act
from semrec.errors import QueryError, nearest
from semrec.intent.conditions import Has
from semrec.types import Event, Query, Recommendations, to_query

MAX_WISHES, MAX_WISH_CHARS, MAX_WISHES_CHARS = 3, 1_000, 1_500
MAX_EVENTS, MAX_PASSED, MAX_SHOWN, MAX_NOT_UNDERSTOOD, MAX_PAST = 200, 200, 100, 10, 5
ECHOED = ("intent", "wishes", "filters", "session", "exclude", "not_understood", "shown")


@dataclass(frozen=True, kw_only=True)
class Past:
    """A state of a conversation to go back to.

    Attributes:
        wishes: As `Conversation` has them, and so `filters`, `not_understood`, `passed`, `k`.
        events: Those that the turn after it added.
    """

    wishes: tuple[str, ...] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    not_understood: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    k: int = 0
    events: tuple[Event, ...] = ()


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
        k: The number of items that was asked for in words; 0: none was.
        past: What "undo" goes back to, oldest first.
    """

    wishes: tuple[str, ...] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    session: tuple[Event, ...] = ()
    not_understood: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    focus: str | None = None
    k: int = 0
    past: tuple[Past, ...] = ()

    @property
    def intent(self) -> str:
        """The wishes as one text, the last one last."""
        return ". ".join(wish.rstrip(" .") for wish in self.wishes)

    def query(self, **fields: Any) -> Query:  # noqa: ANN401 (the fields of Query)
        """The query that it asks now; `fields` are those that no words say, such as `k`.

        Raises:
            QueryError: If a value is wrong.
        """
        if self.k:
            fields["k"] = self.k
        return to_query(
            intent=self.intent,
            filters=self.filters,
            session=last_words(self.session),
            exclude=self.passed,
            **fields,
        )

    def state(self, events: tuple[Event, ...]) -> Past:
        """The state as "undo" goes back to it, when a turn adds `events`."""
        return Past(
            wishes=self.wishes,
            filters=self.filters,
            not_understood=self.not_understood,
            passed=self.passed,
            k=self.k,
            events=events,
        )

    def undone(self) -> tuple[Conversation, tuple[Event, ...]]:
        """The conversation before the last turn that changed it, and the events that went."""
        if not self.past:
            return self, ()
        last = self.past[-1]
        session = list(self.session)
        gone: list[Event] = []
        for event in reversed(last.events):
            same = [at for at, e in enumerate(session) if _alike(e, event)]
            if same:
                gone.append(session.pop(same[-1]))
        return replace(
            self,
            wishes=last.wishes,
            filters=last.filters,
            not_understood=last.not_understood,
            passed=last.passed,
            k=last.k,
            session=tuple(session),
            past=self.past[:-1],
        ), tuple(gone)

    def after(self, ranked: Recommendations) -> Conversation:
        """The same when a list has been shown."""
        shown = tuple(item.item_id for item in ranked.items[:MAX_SHOWN])
        focus = self.focus if self.focus in shown else next(iter(shown), None)
        return replace(self, shown=shown, focus=focus)

    def understood(self) -> dict[str, Any]:
        """The parse so far, to be shown, edited and sent back."""
        return {
            "intent": self.intent,
            "wishes": list(self.wishes),
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
        query = to_query({k: v for k, v in understood.items() if k in Query.__dataclass_fields__})
        for name in ("not_understood", "shown", "wishes"):
            texts = understood.get(name, ())
            if not isinstance(texts, list | tuple) or not all(isinstance(t, str) for t in texts):
                raise QueryError(f"understood.{name}: expected a list of texts")
        wishes = tuple(understood.get("wishes", self.wishes))
        if wishes == self.wishes and "intent" in understood and query.intent != self.intent:
            wishes = (query.intent,) if query.intent.strip() else ()
        return bounded(
            replace(
                self,
                wishes=wishes,
                filters=query.filters if "filters" in understood else self.filters,
                session=query.events if "session" in understood else self.session,
                passed=tuple(query.exclude) if "exclude" in understood else self.passed,
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
        events = _events(known.pop("session", ()))
        past = tuple(
            Past(**{**_tuples(state), "events": _events(state["events"])})
            for state in known.pop("past", ())
        )
        return cls(session=events, past=past, **_tuples(known))


def _events(values: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
    return tuple(Event(**event) for event in values)


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def _alike(event: Event, other: Event) -> bool:
    return (event.item_id, event.type) == (other.item_id, other.type)


@dataclass(frozen=True, kw_only=True)
class StateUpdate:
    """Changes that a message made, for the reply.

    Attributes:
        stated: The limits that it states, as `Query.filters`.
        denied: What it denies in words that mean more than one of these labels: as written → them.
        before: The limits that held before it.
        events: What it says of items: liked, seen, rejected.
        not_understood: Limits that it states and no attribute can answer.
        wish: What it asks for in words.
        others: Whether it asks for other items than those shown.
        anew: Whether it starts over.
        act: The act that it is, if it is nothing else.
        withdrawn: Events that it takes back.
        undone: Whether it took a turn back.
        language: What it is written in, if that isn't English.
    """

    stated: Mapping[str, Any] = field(default_factory=dict)
    denied: Mapping[str, tuple[Has, ...]] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    not_understood: tuple[str, ...] = ()
    wish: str = ""
    others: bool = False
    anew: bool = False
    act: Act | None = None
    withdrawn: tuple[Event, ...] = ()
    undone: bool = False
    language: str = ""


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
        past=conversation.past[-MAX_PAST:],
    )


def last_words(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events that still hold: what was said of an item last counts, liked or rejected."""
    rejected = {e.item_id: i for i, e in enumerate(events) if e.type == "reject"}
    liked = {e.item_id: i for i, e in enumerate(events) if e.type != "reject"}
    return tuple(
        event
        for event in events
        if (event.type == "reject")
        == (rejected.get(event.item_id, -1) > liked.get(event.item_id, -1))
    )
