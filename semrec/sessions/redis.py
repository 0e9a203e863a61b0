"""Sessions in Redis: for several replicas.

What Redis has acknowledged is as durable as Redis is told to be: with ``appendonly yes`` and
``appendfsync always`` it survives Redis' own end.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from semrec.errors import ModelError, StateError
from semrec.protocols import KEPT_EVENTS
from semrec.types import Event

TIMEOUT_S = 1.0
# One step for all others: each event once, the newest kept. KEYS: events, ids.
APPEND = """
local accepted = 0
for place = 1, #ARGV, 2 do
    if redis.call('SADD', KEYS[2], ARGV[place]) == 1 then
        redis.call('RPUSH', KEYS[1], ARGV[place + 1])
        accepted = accepted + 1
    end
end
while redis.call('LLEN', KEYS[1]) > %d do
    redis.call('SREM', KEYS[2], cjson.decode(redis.call('LPOP', KEYS[1]))[4])
end
return accepted
"""
# KEYS: events, ids; ARGV: the ids of those that go.
ERASE = """
local erased, gone = 0, {}
for place = 1, #ARGV do gone[ARGV[place]] = true end
for _, row in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
    local id = cjson.decode(row)[4]
    if gone[id] then
        erased = erased + redis.call('LREM', KEYS[1], 1, row)
        redis.call('SREM', KEYS[2], id)
    end
end
return erased
"""


class RedisSessions:
    """A `SessionStore` in Redis. Raises `StateError` while Redis doesn't answer, then goes on.

    Args:
        url: Such as ``redis://localhost:6379/0``.

    Raises:
        ModelError: If redis-py isn't installed.
        StateError: If the address is none.
    """

    def __init__(self, url: str) -> None:
        try:
            from redis import Redis, RedisError
        except ImportError:
            raise ModelError("redis isn't installed: pip install 'semrec[redis]'") from None
        self._error = RedisError
        try:
            self._redis = Redis.from_url(
                url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
            )
        except ValueError as error:
            raise StateError(f"not an address of Redis (redis://host:port/0): {error}") from None
        self._append = self._redis.register_script(APPEND % KEPT_EVENTS)
        self._erase = self._redis.register_script(ERASE)

    def get(self, session_id: str) -> tuple[Event, ...]:
        """The events of a session, oldest first; empty for an unknown one."""
        with self._state_errors():
            rows = cast("list[bytes]", self._redis.lrange(_keys(session_id)[0], 0, -1))
        return tuple(Event(*json.loads(row)) for row in rows)

    def append(self, events: Mapping[str, Sequence[Event]]) -> int:
        """Add events by session id, each session in one step; how many were new."""
        accepted = 0
        with self._state_errors():
            for session_id, added in events.items():
                arguments: list[str] = []
                for event in added:
                    row = [event.item_id, event.type, event.timestamp, event.event_id]
                    arguments += (str(event.event_id), json.dumps(row))
                accepted += cast("int", self._append(keys=_keys(session_id), args=arguments))
        return accepted

    def conversation(self, session_id: str) -> str:
        """The text that was kept last; ``""`` if nothing was."""
        with self._state_errors():
            stored = cast("bytes | None", self._redis.get(_conversation_key(session_id)))
        return stored.decode() if stored else ""

    def keep(self, session_id: str, conversation: str) -> None:
        """Keep what a conversation has come to."""
        with self._state_errors():
            self._redis.set(_conversation_key(session_id), conversation)

    def erase(self, session_id: str, event_ids: Collection[str] | None = None) -> int:
        """Forget some events of a session, or all of it and its conversation; how many events."""
        events, ids = _keys(session_id)
        with self._state_errors():
            if event_ids is not None:
                return cast("int", self._erase(keys=[events, ids], args=list(event_ids)))
            pipeline = self._redis.pipeline()
            pipeline.llen(events)
            pipeline.delete(events, ids, _conversation_key(session_id))
            n_events, _ = pipeline.execute()
        return int(n_events)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    @contextmanager
    def _state_errors(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise StateError(f"the sessions' Redis doesn't answer: {error}") from error


def _keys(session_id: str) -> list[str]:
    """The two keys of a session; the braces keep them on one node of a cluster."""
    return [f"semrec:{{{session_id}}}:events", f"semrec:{{{session_id}}}:ids"]


def _conversation_key(session_id: str) -> str:
    return f"semrec:{{{session_id}}}:conversation"
