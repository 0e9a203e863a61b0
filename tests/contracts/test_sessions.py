"""Every session store against the same contract; Redis is a real one."""

import threading

import pytest
from redis_server import RedisServer

from semrec.errors import StateError
from semrec.protocols import KEPT_EVENTS
from semrec.sessions.memory import MemorySessions
from semrec.sessions.redis import RedisSessions
from semrec.sessions.sqlite import SqliteSessions
from semrec.types import Event


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request, tmp_path):
    if request.param == "memory":
        made = MemorySessions()
    elif request.param == "sqlite":
        made = SqliteSessions(tmp_path / "new" / "sessions.sqlite")
    else:
        url = request.getfixturevalue("redis").url
        made = RedisSessions(url)
        made._redis.flushall()
    yield made
    made.close()


def event(n, kind="view", timestamp=None):
    return Event(f"i{n}", kind, timestamp, f"e{n}")


def test_an_unknown_session_is_empty(store):
    assert store.get("nobody") == ()
    assert store.erase("nobody") == 0


def test_events_come_back_as_they_were_in_the_order_they_came(store):
    given = (event(3, "like", 12.5), event(1), event(2, "reject", 3.0))
    assert store.append({"s": given[:2]}) == 2
    assert store.append({"s": given[2:]}) == 1
    assert store.get("s") == given


def test_an_event_counts_once_however_often_it_is_sent(store):
    assert store.append({"s": [event(1), event(1)]}) == 1
    assert store.append({"s": [event(1), event(2)]}) == 1
    changed = Event("other", "like", None, "e1")
    assert store.append({"s": [changed]}) == 0
    assert store.get("s") == (event(1), event(2))


def test_sessions_are_apart(store):
    assert store.append({"a": [event(1)], "b": [event(1), event(2)]}) == 3
    assert store.get("a") == (event(1),)
    assert store.erase("a") == 1
    assert store.get("a") == ()
    assert store.get("b") == (event(1), event(2))


def test_some_events_are_taken_back_and_the_others_stay(store):
    store.append({"s": [event(1), event(2, "like"), event(3)], "other": [event(2)]})
    store.keep("s", "said")
    assert store.erase("s", ["e2", "e9"]) == 1
    assert store.get("s") == (event(1), event(3))
    assert store.get("other") == (event(2),)
    assert store.conversation("s") == "said"
    assert store.erase("s", []) == 0
    assert store.append({"s": [event(2, "like")]}) == 1  # it may be sent anew


def test_an_erased_session_starts_anew(store):
    store.append({"s": [event(1), event(2)]})
    assert store.erase("s") == 2
    assert store.append({"s": [event(2)]}) == 1
    assert store.get("s") == (event(2),)


def test_a_conversation_is_kept_until_the_session_is_erased(store):
    assert store.conversation("s") == ""
    store.keep("s", "one")
    store.keep("s", "zwei, ü")
    store.keep("other", "else")
    assert store.conversation("s") == "zwei, ü"
    assert store.erase("s") == 0
    assert store.conversation("s") == ""
    assert store.conversation("other") == "else"


@pytest.mark.parametrize(
    "odd", ["../../etc", "a b", "{x}", "'; DROP TABLE events", "ü\u2028", "%s*"]
)
def test_ids_are_just_text(store, odd):
    one = Event(odd, "view", None, odd)
    assert store.append({odd: [one], "other": [one]}) == 2
    assert store.get(odd) == (one,)
    assert store.erase(odd) == 1
    assert store.get("other") == (one,)


def test_the_newest_events_are_kept(store):
    n = KEPT_EVENTS + 30
    assert store.append({"s": [event(place) for place in range(n)]}) == n
    assert store.append({"s": [event(n - 1)]}) == 0
    assert store.get("s") == tuple(event(place) for place in range(30, n))


def test_nothing_is_lost_or_doubled_between_threads(store):
    def send(first):
        for n in range(first, first + 60):
            store.append({"s": [event(n)]})

    threads = [threading.Thread(target=send, args=(first,)) for first in (0, 30, 60, 90)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(e.event_id for e in store.get("s")) == sorted(f"e{n}" for n in range(150))


def test_sqlite_and_redis_are_shared_and_survive_a_restart(tmp_path, redis):
    for make in (lambda: SqliteSessions(tmp_path / "x.sqlite"), lambda: RedisSessions(redis.url)):
        one, other = make(), make()
        one.append({"shared": [event(1)]})
        assert other.get("shared") == (event(1),)
        assert other.append({"shared": [event(1), event(2)]}) == 1
        assert one.get("shared") == (event(1), event(2))
        one.close()
        other.close()
        again = make()
        assert again.get("shared") == (event(1), event(2))
        again.close()


def test_redis_gone_is_a_clear_error_and_back_again_is_well(redis):
    store = RedisSessions(redis.url)
    store.append({"lasting": [event(1)]})
    redis.stop()
    for ask in (
        lambda: store.get("lasting"),
        lambda: store.append({"s": [event(1)]}),
        lambda: store.erase("s"),
    ):
        with pytest.raises(StateError, match="Redis doesn't answer"):
            ask()
    redis.start()
    assert store.get("lasting") == (event(1),)
    assert store.append({"lasting": [event(1), event(2)]}) == 1
    store.close()


def test_an_address_that_is_none_is_refused():
    with pytest.raises(StateError, match="redis://"):
        RedisSessions("http://example.org")


def test_a_file_that_cant_be_opened_is_a_clear_error(tmp_path):
    (tmp_path / "broken.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StateError, match=r"broken\.sqlite"):
        SqliteSessions(tmp_path / "broken.sqlite")


def test_memory_forgets_the_sessions_idle_for_longest():
    store = MemorySessions(max_sessions=2)
    for session_id in ("a", "b", "a", "c"):
        store.append({session_id: [event(len(store.get(session_id)))]})
    assert store.get("b") == ()
    assert len(store.get("a")) == 2
    assert len(store.get("c")) == 1


def test_what_is_erased_is_gone_from_the_file(tmp_path):
    store = SqliteSessions(tmp_path / "x.sqlite")
    store.append({"s": [Event("private-item", "view", None, "e")]})
    store.erase("s")
    for path in tmp_path.iterdir():
        assert b"private-item" not in path.read_bytes(), path
    store.close()
