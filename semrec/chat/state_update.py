"""Dialogue state update: what a message adds, what it takes back, what it says of the list.

    message → start over? → limits taken back → items referred to → comparisons
            → what is left is read as any request → conversation, and what has changed

Deterministic, and linear in the message's length; the conversation's length doesn't matter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semrec.chat.acting import carry_out
from semrec.chat.acts import read_act, read_count
from semrec.chat.conversation import Conversation, StateUpdate, bounded
from semrec.chat.intent_texts import (
    as_said,
    content_of,
    labels_of,
    plainly,
    without_labels,
)
from semrec.chat.wishes import (
    adds_to_wishes,
    asks_how_about,
    bare_label,
    is_mood,
    only_tells,
    replaces_wishes,
    without_topic,
)
from semrec.data.attributes import Labels, Numbers
from semrec.data.catalog import Catalog
from semrec.deadline import NEVER, Deadline
from semrec.intent import follow_ups
from semrec.intent.conditions import Filters, Has
from semrec.intent.filters import added, retracted
from semrec.intent.intent_parser import MAX_READ_CHARS, IntentParser, ParsedIntent
from semrec.intent.mentions import labels_within, named_labels
from semrec.intent.references import Reference, read_references
from semrec.intent.tokens import Tokens, read_tokens, words_of
from semrec.types import Event, Label

MAX_ROUNDS = 3
_YEAR = re.compile(r"\s*\(\d{4}\)\s*$")


def update_state(
    conversation: Conversation,
    message: str,
    intent_parser: IntentParser | None,
    catalog: Catalog,
    deadline: Deadline = NEVER,
) -> tuple[Conversation, StateUpdate]:
    """The conversation with a message in it, and what the message changed.

    Args:
        conversation: As it was.
        message: What is said; of a very long one the end is read.
        intent_parser: Reads words; None: the message is a wish and nothing else.
        catalog: The items that the conversation is about.
        deadline: When an interpreter must be done.

    Raises:
        QueryError: If the conversation's filters don't suit the catalogue.
    """
    catalog.mask(conversation.filters)
    if intent_parser is None:
        wishes = (*conversation.wishes, message.strip()) if message.strip() else conversation.wishes
        return bounded(replace(conversation, wishes=wishes)), StateUpdate(
            before=conversation.filters
        )
    t = read_tokens(message[-MAX_READ_CHARS:])
    shown = shown_words(conversation, catalog)
    if (act := read_act(t, shown, intent_parser.vocabulary)) is not None:
        return carry_out(act, conversation)
    updater = _Updater(conversation, intent_parser, catalog)
    updater.read_follow_ups(message, t, shown)
    updater.read_request(deadline)
    return updater.result()


class _Updater:
    """The state update that a message makes, and what is left of the message's words."""

    def __init__(
        self, conversation: Conversation, intent_parser: IntentParser, catalog: Catalog
    ) -> None:
        self._start, self._parser, self._catalog = conversation, intent_parser, catalog
        self._wishes = conversation.wishes
        self._filters: dict[str, Any] = dict(conversation.filters)
        self._stated: dict[str, Any] = {}
        self._denied: dict[str, tuple[Has, ...]] = {}
        self._events: list[Event] = []
        self._not_understood: tuple[str, ...] = conversation.not_understood
        self._missed: list[str] = []
        self._passed = conversation.passed
        self._focus = conversation.focus
        self._talked_of: str | None = None
        self._others = self._anew = self._instead = False
        self._adds = True
        self._k = conversation.k
        self._text = self._wish = self._language = ""

    def read_follow_ups(self, message: str, t: Tokens, shown: Sequence[Sequence[str]]) -> None:
        """Take out what only a conversation can mean; the rest of the words is left."""
        if unread := message[:-MAX_READ_CHARS]:
            self._missed.append(f"(the first {len(unread)} characters were not read)")
        cut: list[tuple[int, int]] = []
        if (reset := follow_ups.read_reset(t)) is not None:
            self._start_over()
            cut.append(reset)
        for retraction in follow_ups.read_retractions(t, self._parser.vocabulary):
            if self._retract(retraction):
                cut.append((retraction.first, retraction.end))
        t = t.without(cut)
        references = read_references(t, shown)
        for reference in references:
            self._refer(reference)
            cut.append((reference.first, reference.end))
        for first, end in follow_ups.read_others(t):
            self._pass_over()
            cut.append((first, end))
        comparisons = follow_ups.read_comparisons(t, self._parser.vocabulary)
        cut += self._measure(t, comparisons, self._focus if len(references) == 1 else None)
        if (count := read_count(t)) is not None:
            self._k = count[0]
            cut.append(count[1])
        self._text = _left(t, cut)
        self._relate(t, compares=bool(comparisons))

    def _measure(
        self, t: Tokens, comparisons: Sequence[follow_ups.Comparison], item_id: str | None
    ) -> list[tuple[int, int]]:
        """Limits by what was shown: "the same brand", "cheaper"; returns the places of words.

        `item_id`: what is compared with: "like the second one but cheaper".
        """
        same = follow_ups.read_same(t, self._parser.vocabulary)
        cut = [(first, end) for first, end, name in same if self._keep(name)]
        for comparison in comparisons:
            if self._start.shown or comparison.quantity is None:
                self._compare(comparison, t, item_id)
                cut.append((comparison.first, comparison.end + (t.word(comparison.end) == "than")))
        return cut

    def _relate(self, t: Tokens, *, compares: bool) -> None:
        """Decide what becomes of the wishes that stand: it adds to them, or replaces them."""
        self._instead = replaces_wishes(t)
        self._adds = (adds_to_wishes(t) or compares) and not self._instead
        if asks_how_about(t) and not self._instead:
            self._wishes = without_topic(self._wishes)
            self._adds = True

    def read_request(self, deadline: Deadline) -> None:
        """Read what is left as any request, until no limit is left in it."""
        text = plainly(self._text)
        # "Action films", then "less violent": what is asked for isn't ruled out.
        said = read_tokens(". ".join(self._wishes if self._adds else ()))
        vocabulary = self._parser.vocabulary
        wanted = [*named_labels(said, vocabulary), *labels_within(said, vocabulary)]
        for _ in range(MAX_ROUNDS):
            read = self._parser.parse_intent(text, deadline, wanted)
            self._state(read.filters)
            self._denied |= {as_said(phrase, self._text): of for phrase, of in read.denied.items()}
            self._language = self._language or read.language
            ids = self._catalog.item_ids
            self._events += [Event(ids[row], "view") for row in read.liked]
            self._events += [Event(ids[row], "reject") for row in read.rejected]
            missed = [as_said(phrase, self._text) for phrase in read.not_understood]
            self._missed += [phrase for phrase in missed if phrase not in self._missed]
            text = read.words
            tells = self._tells(read)
            if not (read.filters or read.rejected or read.not_understood):
                break
        if tells and self._wishes:
            pass  # "I've seen Alien": the title is in the session, and the wish stands
        elif (wish := content_of(text)) and wish not in self._wishes[-1:]:
            more = adds_to_wishes(read_tokens(wish)) or is_mood(wish, read.moods)
            more |= self._narrows(wish)
            self._want(wish, adds=self._adds or (more and not self._instead))
        if tells:
            self._wish = ""  # "More like “Heat”" says it
        if self._events:
            self._talked_of = self._events[-1].item_id

    def _narrows(self, wish: str) -> bool:
        """True for a genre alone, where no genre stands yet: "robots", then "a comedy"."""
        vocabulary = self._parser.vocabulary
        conditions = vocabulary.labels.get(bare_label(wish), ())
        if not any(label in vocabulary.choices for has in conditions for label in has.labels):
            return False
        stands = read_tokens(". ".join(self._wishes))
        wanted = {*named_labels(stands, vocabulary), *labels_within(stands, vocabulary)}
        return not any(label in vocabulary.choices for _, label in wanted)

    def _tells(self, read: ParsedIntent) -> bool:
        """True for a message about titles and people that asks for nothing."""
        about = read.about
        for phrase in read.not_understood:
            about = about.replace(phrase, "")
        talked = self._events or read.liked or read.not_understood
        return bool(talked) and only_tells(about)

    def result(self) -> tuple[Conversation, StateUpdate]:
        """The conversation, and what has changed."""
        events = tuple(dict.fromkeys(self._events))
        missed = tuple(self._missed)
        conversation = replace(
            self._start,
            wishes=without_labels(self._wishes, self._ruled_out(), self._parser.vocabulary),
            filters=self._filters,
            session=(*self._start.session, *events),
            not_understood=tuple(dict.fromkeys((*self._not_understood, *missed))),
            passed=self._passed,
            focus=self._talked_of,
            k=self._k,
        )
        if conversation != self._start:
            past = (*self._start.past, self._start.state(events))
            conversation = replace(conversation, past=past)
        update = StateUpdate(
            stated=self._stated,
            denied=self._denied,
            before={} if self._anew else self._start.filters,
            events=events,
            not_understood=missed,
            wish=self._wish,
            others=self._others,
            anew=self._anew,
            language=self._language,
        )
        return bounded(conversation), update

    def _want(self, wish: str, *, adds: bool) -> None:
        """The newest wish leads; older ones stay where it only adds to them."""
        if not adds:
            self._wishes = ()
            self._passed = self._passed if self._others else ()
        self._wish = wish
        self._wishes = (*self._wishes, wish)

    def _start_over(self) -> None:
        """Forget what was said; what was liked and rejected is known all the same."""
        self._anew, self._filters, self._wishes = True, {}, ()
        self._not_understood, self._passed, self._k = (), (), 0

    def _retract(self, retraction: follow_ups.Retraction) -> bool:
        """Take a limit back or replace it; whether the words have done their work with that."""
        if retraction.replaces:
            replacing = Filters()
            if not all([replacing.add(condition) for condition in retraction.conditions]):  # noqa: C419
                return False
            self._filters = added(self._filters, replacing.limits, self._catalog, instead=True)
            self._stated = added(self._stated, replacing.limits, self._catalog, instead=True)
            return True
        left = retracted(self._filters, retraction)
        wishes = self._wishes
        if not retraction.allows:
            vocabulary = self._parser.vocabulary
            wishes = without_labels(wishes, labels_of(retraction.conditions), vocabulary)
        changed = left != self._filters or wishes != self._wishes
        if retraction.everything:
            self._not_understood = ()
        self._filters, self._wishes = left, wishes
        said_all = retraction.allows or retraction.everything or retraction.attribute is not None
        return (changed or said_all) and not retraction.wishes

    def _refer(self, reference: Reference) -> None:
        for position in reference.positions:
            item_id = self._focus if position < 0 else self._start.shown[position]
            if item_id is not None:
                self._focus = self._talked_of = item_id
                if reference.taken != "asked":
                    self._events.append(Event(item_id, reference.taken))

    def _pass_over(self) -> None:
        self._others = True
        kept = {event.item_id for event in self._events}
        self._passed = (*self._passed, *(i for i in self._start.shown if i not in kept))

    def _keep(self, name: str) -> bool:
        """Keep to the labels that the item talked of last has; False if it has none."""
        row = None if self._focus is None else self._catalog.row(self._focus)
        if row is None or not isinstance(self._catalog.attributes[name], Labels):
            return False
        value = self._catalog.record(row).get(name)
        labels = value if isinstance(value, list) else [value] if value else []
        self._state({name: {"any": labels}} if labels else {})
        return bool(labels)

    def _compare(
        self, comparison: follow_ups.Comparison, t: Tokens, item_id: str | None = None
    ) -> None:
        """More or less than an item has, or than the middle of what was shown."""
        if comparison.quantity is None:
            self._missed.append(t.phrase(comparison.first, comparison.end))
            return
        name = comparison.quantity.attribute
        attribute = self._catalog.attributes[name]
        assert isinstance(attribute, Numbers)
        values = attribute.values[self._catalog.rows([item_id] if item_id else self._start.shown)]
        if np.isnan(values).all():
            self._missed.append(t.phrase(comparison.first, comparison.end))
            return
        middle = float(np.nanmedian(values))
        if comparison.quantity.whole:
            more, less = {"gte": math.floor(middle) + 1}, {"lte": math.ceil(middle) - 1}
            self._state({name: more if comparison.more else less})
        else:
            self._state({name: {"gt" if comparison.more else "lt": middle}})

    def _state(self, stated: Mapping[str, Any]) -> None:
        if stated:
            instead = self._instead_of(stated)
            self._filters = added(self._filters, stated, self._catalog, instead=instead)
            self._stated = added(self._stated, stated, self._catalog)

    def _instead_of(self, stated: Mapping[str, Any]) -> bool:
        """True if what is said replaces what stood: "the eighties instead"."""
        return self._instead and any(
            isinstance(of, Mapping) and set(of) - {"none"} for of in stated.values()
        )

    def _ruled_out(self) -> set[Label]:
        """Labels that no longer fit in a wish, because a limit rules them out."""
        return {
            (name, str(label))
            for name, of in self._filters.items()
            if isinstance(of, Mapping)
            for label in of.get("none", ())
        }


def shown_words(conversation: Conversation, catalog: Catalog) -> list[Sequence[str]]:
    """The words of each shown item's title, in the list's order."""
    rows = [catalog.row(item_id) for item_id in conversation.shown]
    titles = ["" if row is None else catalog.titles[row] for row in rows]
    return [words_of(_YEAR.sub("", title)) for title in titles]


def _left(t: Tokens, cut: Sequence[tuple[int, int]]) -> str:
    """The text without some of its words."""
    parts, at = [], 0
    for first, end in sorted(span for span in cut if span[1] > span[0]):
        start, stop = t.starts[first], t.ends[end - 1]
        parts.append(t.text[at : max(at, start)])
        at = max(at, stop)
    return " ".join(part.strip() for part in (*parts, t.text[at:]) if part.strip())
