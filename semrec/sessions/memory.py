"""Sessions in this process: for one worker, and gone when it ends."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence

from semrec.protocols import KEPT_EVENTS
from semrec.types import Event

MAX_SESSIONS = 100_000


class MemorySessions:
    """A `SessionStore` in a dictionary; the sessions idle for longest go when there are too many.

    Args:
        max_sessions: How many are kept.
    """

    def __init__(self, max_sessions: int = MAX_SESSIONS) -> None:
        self._max_sessions = max_sessions
        self._sessions: OrderedDict[str, dict[str, Event]] = OrderedDict()  # by event id
        self._conversations: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session_id: str) -> tuple[Event, ...]:
        """The events of a session, oldest first; empty for an unknown one."""
        with self._lock:
            return tuple(self._sessions.get(session_id, {}).values())

    def append(self, events: Mapping[str, Sequence[Event]]) -> int:
        """Add events by session id; how many were new."""
        accepted = 0
        with self._lock:
            for session_id, added in events.items():
                session = self._sessions.setdefault(session_id, {})
                self._sessions.move_to_end(session_id)
                for event in added:
                    assert event.event_id is not None
                    if event.event_id not in session:
                        session[event.event_id] = event
                        accepted += 1
                for event_id in list(session)[: len(session) - KEPT_EVENTS]:
                    del session[event_id]
            while len(self._sessions) > self._max_sessions:
                self._sessions.popitem(last=False)
        return accepted

    def conversation(self, session_id: str) -> str:
        """The text that was kept last; ``""`` if nothing was."""
        with self._lock:
            return self._conversations.get(session_id, "")

    def keep(self, session_id: str, conversation: str) -> None:
        """Keep what a conversation has come to."""
        with self._lock:
            self._conversations[session_id] = conversation
            self._conversations.move_to_end(session_id)
            while len(self._conversations) > self._max_sessions:
                self._conversations.popitem(last=False)

    def erase(self, session_id: str, event_ids: Collection[str] | None = None) -> int:
        """Forget some events of a session, or all of it and its conversation; how many events."""
        with self._lock:
            if event_ids is not None:
                session = self._sessions.get(session_id, {})
                return len([session.pop(event_id) for event_id in set(event_ids) & set(session)])
            self._conversations.pop(session_id, None)
            return len(self._sessions.pop(session_id, {}))

    def close(self) -> None:
        """Nothing to let go of."""
