"""The values that pass between semrec and its callers, and along the line.

Outside, an item is its ``item_id`` (a string); inside, it is its ``row`` (an integer).
Knows nothing of models, files or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, get_args

import numpy as np

from semrec.errors import QueryError, nearest, preview
from semrec.types.checks import as_list, id_text, number, seconds, whole_number
from semrec.types.display import as_html, short_repr
from semrec.types.outcomes import Moved as Moved
from semrec.types.outcomes import RequestStats as RequestStats
from semrec.types.outcomes import RerankStatus as RerankStatus
from semrec.types.outcomes import RerankTrace as RerankTrace
from semrec.types.signals import NO_BOOST as NO_BOOST
from semrec.types.signals import NO_MATCH as NO_MATCH
from semrec.types.signals import NO_ROWS as NO_ROWS
from semrec.types.signals import Allowed as Allowed
from semrec.types.signals import BoolArray as BoolArray
from semrec.types.signals import Condition as Condition
from semrec.types.signals import FloatArray as FloatArray
from semrec.types.signals import FusedQuery as FusedQuery
from semrec.types.signals import IndexQuery as IndexQuery
from semrec.types.signals import LexicalMatch as LexicalMatch
from semrec.types.signals import Operator as Operator
from semrec.types.signals import QueryKind as QueryKind
from semrec.types.signals import RerankScores as RerankScores
from semrec.types.signals import RowArray as RowArray
from semrec.types.signals import SessionRows as SessionRows
from semrec.types.signals import SparseScores as SparseScores

if TYPE_CHECKING:
    import pandas as pd

Label = tuple[str, str]
"""An attribute's name and one of its labels: ("genres", "Comedy")."""
EventType = Literal["view", "like", "play", "buy", "reject"]

MAX_K = 1_000
MAX_INTENT_CHARS = 100_000
MAX_ID_CHARS = 512  # of an item, a user


class Progress(Protocol):
    """Called by work that takes longer than a moment."""

    def __call__(self, stage: str, done: int, total: int, detail: str = "", /) -> None:
        """`done` of `total` steps of `stage` are done; `detail` says how it goes."""
        ...


def silent(_stage: str, _done: int, _total: int, _detail: str = "", /) -> None:
    """A `Progress` that tells nobody."""


# How strongly an event pulls the session towards its item. A rejected item never attracts.
EVENT_WEIGHTS: Mapping[str, float] = {
    "view": 1.0,
    "play": 1.5,
    "like": 2.0,
    "buy": 2.0,
    "reject": 0.0,
}


@dataclass(frozen=True)
class Event:
    """One thing that somebody did.

    Attributes:
        item_id: The item that was touched; a whole number becomes text.
        type: ``view``, ``play``, ``like``, ``buy`` or ``reject``: a stronger one pulls the session
            further towards its item (`EVENT_WEIGHTS`); a rejected item never attracts.
        timestamp: Unix seconds, or ISO 8601, which becomes seconds; None: not known.
        event_id: A service takes an event with the same id once.

    Raises:
        QueryError: If an id isn't text or a whole number, the type is unknown, or the time is no
            such time (milliseconds, say).

    Examples:
        >>> Event(1240, "like").item_id
        '1240'
        >>> Event("1240", "liked")
        Traceback (most recent call last):
        semrec.errors.QueryError: event type 'liked' is unknown; did you mean 'like'?
    """

    item_id: str
    type: EventType = "view"
    timestamp: float | None = None
    event_id: str | None = None

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "item_id", id_text(self.item_id, "Event.item_id"))
        if self.type not in get_args(EventType):
            known = nearest(str(self.type), get_args(EventType))
            raise QueryError(f"event type {preview(self.type)} is unknown{known}")
        if self.timestamp is not None:
            set_(self, "timestamp", seconds(self.timestamp))
        if self.event_id is not None:
            set_(self, "event_id", id_text(self.event_id, "Event.event_id"))


@dataclass(frozen=True, kw_only=True)
class Query:
    """A request: words, what was done before, limits.

    Attributes:
        intent: What is wanted, in words; may be empty.
        session: Item ids or `Event`s, oldest first.
        user_id: A user known from training: their events come before `session`.
        k: How many items to return, 1 to 1000.
        exclude: Item ids that must not come back.
        filters: Conditions on attributes, such as ``{"year": {"gte": 1990}}``.
        budget_ms: Time that may be spent, in milliseconds; None: no limit.
        rerank: True or False; None: as configured.
        semantic_weight: Weight of the semantic block, 0 to 1; None: the gate decides.
        diversity: How much items that resemble those before them give way to others, 0 (the list
            as it was ranked) to 1; None: as configured, which is 0 unless a build says otherwise.
        max_per: By attribute, how many items may share a label (or a number), 1 to 1000, such as
            ``{"genres": 3}``; other attributes are limited as configured.
        include_seen: Whether items of the session and of the user's history may come back, as in
            groceries or music; what was rejected never does.

    Raises:
        QueryError: If a value has the wrong type or lies out of range.

    Examples:
        >>> query = Query(intent="a quiet heist", session=["heat"], filters={"year": {"lt": 1990}})
        >>> query.k, query.events
        (10, (Event(item_id='heat', type='view', timestamp=None, event_id=None),))
    """

    intent: str = ""
    session: Sequence[str | Event] = ()
    user_id: str | None = None
    k: int = 10
    exclude: Sequence[str] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    budget_ms: float | None = None
    rerank: bool | None = None
    semantic_weight: float | None = None
    diversity: float | None = None
    max_per: Mapping[str, int] = field(default_factory=dict)
    include_seen: bool = False

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        if not isinstance(self.intent, str):
            raise QueryError(f"intent is {preview(self.intent)}, expected text")
        if len(self.intent) > MAX_INTENT_CHARS:
            raise QueryError(
                f"intent has {len(self.intent)} characters, at most {MAX_INTENT_CHARS}"
            )
        set_(self, "session", tuple(_as_event(e) for e in as_list(self.session, "session")))
        exclude = as_list(self.exclude, "exclude")
        set_(self, "exclude", tuple(id_text(i, "exclude") for i in exclude))
        if self.user_id is not None:
            set_(self, "user_id", id_text(self.user_id, "user_id"))
        set_(self, "k", whole_number(self.k, "k", MAX_K))
        for name in ("filters", "max_per"):
            if not isinstance(getattr(self, name), Mapping):
                raise QueryError(f"{name} is {preview(getattr(self, name))}, expected a mapping")
        limits = {
            n: whole_number(of, f"max_per of {preview(n)}", MAX_K) for n, of in self.max_per.items()
        }
        set_(self, "max_per", limits)
        for name, high in (("semantic_weight", 1.0), ("diversity", 1.0), ("budget_ms", np.inf)):
            value = getattr(self, name)
            if value is not None:
                set_(self, name, number(value, name, 0.0, high))
        for name, also in (("rerank", None), ("include_seen", False)):
            value = getattr(self, name)
            if not isinstance(value, bool | np.bool_) and value is not also:
                raise QueryError(f"{name} is {preview(value)}, expected True or False")

    __repr__ = short_repr

    @property
    def events(self) -> tuple[Event, ...]:
        """The session as events, oldest first."""
        return cast("tuple[Event, ...]", self.session)  # __post_init__ made them


@dataclass(frozen=True)
class Item:
    """One recommended item.

    Attributes:
        item_id: Its id in the catalogue.
        title: Its title there.
        score: Higher is better; comparable within one list only. It is the item's before the list
            was diversified: along a diversified list it needn't fall.
        rank: Its position in the list, from 1 on.
        explanation: A sentence on why it is there, if one was asked for.

    Examples:
        >>> Item("heat", "Heat", score=2.5, rank=1).title
        'Heat'
    """

    item_id: str
    title: str
    score: float
    rank: int
    explanation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The way to a list: weights, times, what was understood.

    Examples:
        >>> import semrec
        >>> rec = semrec.load("artifacts/films")
        >>> trace = rec.recommend(intent="a quiet heist film, no comedies").trace
        >>> trace.understood["filters"]
        {'genres': {'none': ['Comedy']}}
        >>> trace.reason
        'taken for a topic (87%): 2 content words'
        >>> round(sum(trace.weights[name] for name in ("semantic", "behavioural", "popularity")), 6)
        1.0

    Attributes:
        weights: Weight of each signal: semantic, behavioural, popularity, domain (popularity in
            training requests); they sum to 1. `lexical_share` is the share of the lexical match in
            the semantic weight, `intent_share` that of the words' vector in the rest of it; what
            remains is the session's text.
        evidence: What the weights went by: number and specificity of the content words, length of
            the session.
        reason: What kind of request it was taken for, and why, in a sentence.
        timings_ms: Milliseconds by stage; in a batch, the batch's time over its size.
        understood: What was read out of the request (filters as applied).
        notes: What a reader should know: unknown ids, signals that were missing.
        rerank: What the reranker did.
        moved: The first 50 items whose rank a diversified list changed.
        degraded: Whether something was left out that was asked for.
        version: The artifact's version.
        stats: Of the request, for monitoring; None for the baseline's lists.
    """

    weights: Mapping[str, float]
    timings_ms: Mapping[str, float]
    evidence: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    understood: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rerank: RerankTrace = field(default_factory=RerankTrace)
    moved: tuple[Moved, ...] = ()
    degraded: bool = False
    version: str = ""
    stats: RequestStats | None = field(default=None, repr=False, compare=False)

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Recommendations:
    """The answer to one `Query`.

    Attributes:
        items: At most `k`, best first; fewer only if fewer are permitted.
        trace: The way to this list.

    Examples:
        >>> import semrec
        >>> recs = semrec.load("artifacts/films").recommend(intent="a quiet heist", k=2)
        >>> [item.title for item in recs.items]
        ['Rififi', 'Inside Man']
        >>> recs.to_frame()["rank"].tolist()
        [1, 2]
    """

    items: tuple[Item, ...]
    trace: Trace

    def to_frame(self) -> pd.DataFrame:
        """The items as a pandas frame: rank, item_id, title, score, explanation.

        Raises:
            ModelError: If pandas isn't installed (extra ``pandas``).
        """
        from semrec.environment.optional import import_pandas

        columns = ["rank", "item_id", "title", "score", "explanation"]
        rows = [[getattr(item, name) for name in columns] for item in self.items]
        frame: pd.DataFrame = import_pandas().DataFrame(rows, columns=columns)
        return frame

    def __repr__(self) -> str:
        titles = [item.title or item.item_id for item in self.items]
        return f"Recommendations({len(titles)} items: {preview(titles)})"

    def _repr_html_(self) -> str:
        return as_html(self)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One question with a known answer, for tuning and for evaluation.

    Attributes:
        case_id: Its name in reports.
        query: What is asked.
        relevant: Item ids that count as right; may be empty (then it is not scored).
        unit: The dialog or user it belongs to: the independent unit that is resampled.
        turn: Its place in its dialog: turns with larger numbers came later; None: not in one.
        topic: What the words ask for, where `relevant` is all that carries it; None: `relevant` is
            what somebody liked.

    Examples:
        >>> query = Query(intent="a bank heist")
        >>> Case(case_id="1", query=query, relevant=("inside",), unit="dialog 1").topic is None
        True
    """

    case_id: str
    query: Query
    relevant: tuple[str, ...]
    unit: str
    turn: int | None = None
    topic: str | None = None

    __repr__ = short_repr


def to_query(
    query: Query | Mapping[str, Any] | str | None = None,
    /,
    **fields: Any,  # noqa: ANN401
) -> Query:
    """A `Query` from one, from a mapping, from words (an intent), or from keywords.

    Raises:
        QueryError: On an unknown field (naming the nearest), or a wrong value.

    Examples:
        >>> to_query({"intent": "a heist"}, k=3).k
        3
        >>> to_query(intnt="a heist")
        Traceback (most recent call last):
        semrec.errors.QueryError: unknown field 'intnt'; did you mean 'intent'?
    """
    if isinstance(query, Query):
        if fields:
            raise QueryError("give a Query or keywords, not both; dataclasses.replace changes one")
        return query
    if isinstance(query, str):
        if "intent" in fields:
            raise QueryError("the words are given twice: as the first argument and as intent")
        query = {"intent": query}
    if query is not None and not isinstance(query, Mapping):
        raise QueryError(f"got {preview(query)}, expected a Query, a mapping, words or keywords")
    values = {**(query or {}), **fields}
    for name in values:
        if name not in Query.__dataclass_fields__:
            hint = nearest(str(name), Query.__dataclass_fields__)
            raise QueryError(f"unknown field {preview(name)}{hint}")
    return Query(**values)


def _as_event(value: object) -> Event:
    if isinstance(value, Event):
        return value
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in Event.__dataclass_fields__]
        if unknown:
            hint = nearest(str(unknown[0]), Event.__dataclass_fields__)
            raise QueryError(f"an event has no field {preview(unknown[0])}{hint}")
        if "item_id" not in value:
            raise QueryError(f"the event {preview(dict(value))} has no item_id")
        return Event(**value)
    return Event(id_text(value, "session"))
