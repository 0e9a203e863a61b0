"""Session stores by their setting."""

from __future__ import annotations

from pathlib import Path

from semrec.protocols import SessionStore
from semrec.sessions.memory import MemorySessions
from semrec.sessions.redis import RedisSessions
from semrec.sessions.sqlite import SqliteSessions


def make_sessions(kind: str, state: Path) -> SessionStore:
    """A session store.

    Args:
        kind: ``memory``, ``sqlite`` (a file in `state`), or the address of a Redis.
        state: The service's folder.

    Raises:
        ModelError: If redis-py is needed and isn't installed.
        StateError: If the file can't be opened.
    """
    match kind:
        case "memory":
            return MemorySessions()
        case "sqlite":
            return SqliteSessions(state / "sessions.sqlite")
        case _:
            return RedisSessions(kind)
