"""What was acknowledged is there, once, whatever happens to the processes."""

import random
import threading
import time

import httpx
import psutil
import pytest
from redis_server import RedisServer
from serving import Process, in_thread

from semrec.protocols import KEPT_EVENTS
from semrec.sessions.log import open_log
from semrec.sessions.sqlite import SqliteSessions


def session_of(event_id):
    """The streams share their sessions; none gets more than a store keeps of one."""
    return f"s{int(event_id.split('-')[1]) // (KEPT_EVENTS // 4)}"


def stream(url, acknowledged, stop, name):
    """Send events, one or a few at a time, over and over until acknowledged."""
    with httpx.Client(timeout=5) as client:
        n = 0
        while not stop.is_set():
            ids = [f"{name}-{n + place}" for place in range(1 + n % 3)]
            events = [
                {"event_id": one, "session_id": session_of(one), "item_id": f"i{n % 60:02d}"}
                for one in ids
            ]
            try:
                answer = client.post(f"{url}/v1/events", json={"events": events})
            except httpx.HTTPError:
                stop.wait(0.02)
                continue  # sent again: it may have arrived, or not
            assert answer.status_code == 200, answer.text
            acknowledged += ids
            n += len(ids)


def killed(artifact, state, times, seed):
    """Kill a service `times` at random moments under a stream of events; what was acknowledged."""
    rng = random.Random(seed)
    acknowledged, stop = [[], []], threading.Event()
    with Process(artifact, state, "--workers", 2, OMP_NUM_THREADS="1") as service:
        threads = [
            threading.Thread(target=stream, args=(service.url, mine, stop, f"t{number}"))
            for number, mine in enumerate(acknowledged)
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(times):
                before = sum(map(len, acknowledged))
                until = time.monotonic() + 60
                while sum(map(len, acknowledged)) == before and time.monotonic() < until:
                    time.sleep(0.005)
                time.sleep(rng.uniform(0, 0.5))
                service.kill()
                service.start()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    return [event_id for mine in acknowledged for event_id in mine]


def check(state, acknowledged):
    sessions, log = SqliteSessions(state / "sessions.sqlite"), open_log(state)
    asked = {session_of(event_id) for event_id in acknowledged}
    stored = [event.event_id for one in asked for event in sessions.get(one)]
    logged = [one.event.event_id for one in log.events()]
    sessions.close()
    log.close()
    for found in (stored, logged):
        assert len(found) == len(set(found))
        assert set(acknowledged) <= set(found)


@pytest.mark.slow
def test_an_acknowledged_event_survives_kill_9_thirty_times(artifact, tmp_path):
    acknowledged = killed(artifact, tmp_path / "state", 30, seed=2)
    assert acknowledged
    check(tmp_path / "state", acknowledged)


@pytest.mark.slow
def test_workers_see_one_anothers_events_and_end_when_told(artifact, tmp_path):
    with Process(artifact, tmp_path / "state", "--workers", 2) as service:
        for n in range(15):
            event = {"event_id": f"{n}", "session_id": "shared", "item_id": "i01"}
            with httpx.Client(base_url=service.url, timeout=60) as one:  # any worker
                assert one.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1
            with httpx.Client(base_url=service.url, timeout=60) as other:
                seen = other.get("/v1/sessions/shared").json()["events"]
            assert [event["event_id"] for event in seen] == [f"{i}" for i in range(n + 1)]
        with httpx.Client(base_url=service.url, timeout=120) as client:
            told = client.post("/admin/reload").json()
            workers = {worker["pid"] for worker in told["workers"]}
            text = client.get("/metrics").text
        assert len(workers) == 2
        for pid in workers:  # what starts in a moment hasn't loaded torch
            assert not any("libtorch" in one.path for one in psutil.Process(pid).memory_maps())
        count = 'count{endpoint="/v1/events",method="POST",status="200"} 15.0'
        assert f"semrec_request_seconds_{count}" in text  # of both workers together
        assert service.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in workers)


def test_a_second_service_on_the_same_state_is_refused(artifact, tmp_path):
    with Process(artifact, tmp_path / "state") as service:
        with pytest.raises(AssertionError, match="another service runs on it"):
            Process(artifact, tmp_path / "state")
        assert service.ready()
        assert service.stop() == 0


def test_redis_gone_is_a_clear_503_and_it_comes_back_by_itself(artifact, tmp_path):
    redis = RedisServer(tmp_path)
    try:
        with in_thread(artifact, tmp_path / "state", sessions=redis.url) as client:
            body = {
                "events": [{"event_id": "1", "session_id": "s", "item_id": "i01", "type": "like"}]
            }
            assert client.post("/v1/events", json=body).json()["accepted"] == 1
            redis.stop()
            for ask in (
                lambda: client.post("/v1/events", json=body),
                lambda: client.post("/v1/recommend", json={"session_id": "s"}),
                lambda: client.get("/v1/sessions/s"),
                lambda: client.delete("/v1/sessions/s"),
            ):
                answer = ask()
                assert answer.status_code == 503
                assert answer.headers["content-type"] == "application/problem+json"
                assert "Redis" in answer.json()["detail"]
                assert int(answer.headers["retry-after"]) >= 1
            assert client.post("/v1/recommend", json={"session": ["i01"]}).status_code == 200
            assert client.get("/health/ready").status_code == 200
            redis.start()
            assert client.post("/v1/events", json=body).json() == {"accepted": 0, "duplicates": 1}
            shown = client.get("/v1/sessions/s").json()["events"]
            assert [event["item_id"] for event in shown] == ["i01"]
    finally:
        redis.stop()
