"""Monitoring: clean windows are quiet; what was planted is seen and named."""

import json
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from command_line import run
from conftest import themed_requests, world_config
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from serving import in_thread

import semrec
from semrec.errors import ArtifactError
from semrec.monitor.alarms import WindowDrift, current_alarms
from semrec.monitor.drift import fit_baseline
from semrec.monitor.quality import HORIZON_S, served_quality
from semrec.monitor.reference import (
    FILE,
    answer_cases,
    load_reference,
    make_reference,
    popularity_by,
)
from semrec.monitor.windows import drift_of, read_windows
from semrec.serve.metrics import Metrics
from semrec.sessions.list_stats import ListStats, MonitoredList, from_bytes, in_bytes, list_stats
from semrec.sessions.log import Log, LoggedEvent, open_log, served_list
from semrec.types import Event, Query

NOON_S = 1_700_000_000 // 3_600 * 3_600


@pytest.fixture(scope="module")
def monitored(world, made_once):
    """An artifact that was built with 120 requests in words."""
    requests = themed_requests([row % 60 for row in range(120)])
    return made_once(
        "monitored",
        lambda out: semrec.build(world, config=world_config(), out=out, intents=[requests]),
    )


def write_lists(folder, rec, queries, at_s, session="s"):
    """Log the answers to queries, each in a session of its own, some seconds apart."""
    log = Log(folder)
    for number, query in enumerate(queries):
        answer = rec.recommend(query)
        served = served_list(
            f"{at_s:.0f}-{number}",
            f"{session}{number}",
            query,
            answer.items,
            version="v",
            artifact="x",
        )
        stats = list_stats(query, answer, rec.catalog)
        log.add_served(replace(served, timestamp=at_s + number), stats)
    log.close()


def usual(n=80):
    return [case.query for case in themed_requests([(7 * row) % 60 for row in range(n)])]


# -- statistics and alarms


@given(seed=st.integers(0, 10_000), shift=st.floats(0.5, 5))
def test_a_shift_of_all_is_seen_and_its_size_orders(seed, shift):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(600, 5))
    fitted = fit_baseline(rows, rng)
    window = rng.normal(size=(300, 5))
    drifts = [fitted.drift(window + by) for by in (shift, 2 * shift)]
    assert 1 < drifts[0] < drifts[1]
    assert fitted.drift(rows) == pytest.approx(0, abs=1e-6)


def test_half_a_percent_of_clean_windows_is_beyond():
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(8, 8))
    beyond = 0
    for _ in range(40):
        fitted = fit_baseline(rng.normal(size=(1_000, 8)) @ mixed, rng)
        windows = rng.normal(size=(50, 400, 8)) @ mixed
        beyond += sum(fitted.drift(window) > 1 for window in windows)
    assert beyond / 2_000 < 0.012  # alpha is .005


def test_a_category_that_never_occurred_may_occur_a_little():
    never = np.zeros((500, 1))
    fitted = fit_baseline(never, np.random.default_rng(0), floor=0.01)
    few, many = np.zeros((1_000, 1)), np.zeros((1_000, 1))
    few[:3], many[:100] = 1, 1
    assert fitted.drift(few) < 1 < 5 < fitted.drift(many)
    assert fitted.drift(np.zeros((9, 2))) == np.inf  # an encoder of another length


@pytest.mark.parametrize(
    ("drifts", "since"),
    [
        ((0.5, 0.9), None),
        ((1.5,), None),
        ((1.5, 0.2, 1.1), 0),
        ((1.5, 0.2, 0.3, 1.1), None),
        ((0.2, 7.0), 1),
        ((0.2, 1.2, 1.3, 0.2, 0.1), None),  # over
        ((0.2, 1.2, 1.3, 0.2, 1.4, 1.5), 1),  # one drift, not two
        ((9.0, 0.1, 0.1, 0.1, 2.0, 2.0), 4),
    ],
)
def test_two_of_three_windows_or_a_far_one(drifts, since):
    windows = [
        WindowDrift(from_s=n, until_s=n + 1, drift={"scores": drift, "filters": 0.1})
        for n, drift in enumerate(drifts)
    ]
    alarms = current_alarms(windows)
    assert [alarm.since_s for alarm in alarms] == ([] if since is None else [since])
    assert {alarm.signal for alarm in alarms} <= {"scores"}


# -- what the log keeps


@given(arrays.arrays(np.float32, 16, elements=st.floats(-5, 5, width=32)))
@example(np.full(16, 1e-44, dtype=np.float32))
def test_a_vector_keeps_its_direction(vector):
    [kept] = from_bytes([in_bytes(vector)])
    length = np.linalg.norm(vector)
    if length > 1e-3:
        assert kept @ (vector / length) > 0.99


@given(
    has_words=st.booleans(),
    n_unknown=st.integers(0, 9),
    language=st.text(max_size=9),
    filters=st.lists(st.text(max_size=9)).map(tuple),
    attributes=st.none() | st.lists(st.text(max_size=9)).map(tuple),
)
def test_statistics_come_back_as_they_were(**values):
    stats = ListStats(**values, degraded=True, vector=b"\x01")
    assert ListStats.from_json(stats.to_json(), b"\x01") == stats


def test_statistics_go_with_their_session(tmp_path, rec):
    query = Query(intent="a ghost story", filters={"year": {"gte": 1970}})
    write_lists(tmp_path, rec, [query, query], NOON_S)
    log = open_log(tmp_path)
    first, second = log.monitored(NOON_S, NOON_S + 60, 10)
    assert (first.stats.filters, first.stats.has_words) == (("year",), True)
    assert set(first.stats.attributes) == set(rec.catalog.attribute_names)
    assert first.stats.vector is not None
    assert log.monitored(NOON_S, NOON_S + 1, 10) == [first]
    log.erase("s0")
    assert log.monitored(NOON_S, NOON_S + 60, 10) == [second]
    log.erase("s1")
    log.close()
    for path in tmp_path.iterdir():
        assert first.stats.vector not in path.read_bytes(), path.name


# -- reference and windows


def test_build_writes_a_reference_that_is_the_same_each_time(monitored, world, tmp_path):
    requests = themed_requests([row % 60 for row in range(120)])
    semrec.build(world, config=world_config(), out=tmp_path / "again", intents=[requests])
    assert (tmp_path / "again" / FILE).read_bytes() == (monitored / FILE).read_bytes()
    reference, popularity_of = load_reference(monitored)
    assert {"request vectors", "scores", "session scores", "filters"} <= set(reference.baselines)
    assert popularity_of("i01") > 0
    assert popularity_of("nobody") == 0


def test_an_artifact_of_before_is_to_be_built_again(artifact, tmp_path):
    before = shutil.copytree(artifact, tmp_path / "before")
    (before / FILE).unlink()
    manifest = json.loads((before / "manifest.json").read_text())
    del manifest["files"][FILE]
    from semrec.artifact.folder import _checksum

    manifest["checksum"] = _checksum(manifest)
    (before / "manifest.json").write_text(json.dumps(manifest))
    assert semrec.load(before).recommend(k=1).items
    with pytest.raises(ArtifactError, match="build the artifact again"):
        load_reference(before)


def test_a_missing_attribute_and_another_encoder_are_named(monitored):
    rec = semrec.load(monitored)
    cases = themed_requests([(7 * row) % 60 for row in range(200)])
    lists = answer_cases(rec, cases)
    popularity_of = popularity_by(rec.catalog, rec.interactions.counts)
    reference = make_reference(lists, popularity_of)
    assert max(drift_of(lists, reference, popularity_of).values()) < 1

    def having(**stats):
        return [replace(of, stats=replace(of.stats, **stats)) for of in lists]

    def far(changed):
        drifts = drift_of(changed, reference, popularity_of)
        return {name for name, drift in drifts.items() if drift > 5}

    assert far(having(attributes=("year",))) == {"attributes"}
    assert far(having(filters=("year",))) == {"filters"}
    assert far(having(language="German")) == {"languages"}
    assert far(having(degraded=True)) == {"degraded"}
    assert far(having(vector=bytes(range(64)))) == {"request vectors"}
    assert far(having(vector=bytes(range(32)))) == {"request vectors"}
    worse = [replace(of, items=tuple((i, s - 9) for i, s in of.items)) for of in lists]
    assert far(worse) == {"scores"}
    alike = [replace(of, items=lists[0].items) for of in lists]
    assert "concentration" in far(alike)


def test_a_session_counts_once(monitored, tmp_path):
    rec = semrec.load(monitored)
    lists = answer_cases(rec, themed_requests([row % 60 for row in range(60)]))
    reference, popularity_of = load_reference(monitored)
    repeated = [*lists, *(replace(lists[0], recommendation_id=f"r{n}") for n in range(500))]
    once = drift_of(lists, reference, popularity_of)
    again = drift_of(repeated, reference, popularity_of)
    assert again["request vectors"] == pytest.approx(once["request vectors"])
    assert drift_of(lists[:40], reference, popularity_of) == {}  # too few sessions


def test_windows_are_read_by_time(monitored, tmp_path):
    rec = semrec.load(monitored)
    reference, popularity_of = load_reference(monitored)
    log = Log(tmp_path)
    assert read_windows(log, reference, popularity_of, 3_600, 5) == []
    log.close()
    write_lists(tmp_path, rec, usual(), NOON_S - 7_200, "a")
    write_lists(tmp_path, rec, usual(), NOON_S, "b")
    log = open_log(tmp_path)
    windows = read_windows(log, reference, popularity_of, 3_600, 24)
    assert [window.n_lists for window in windows] == [80, 0, 80]
    assert [window.from_s - NOON_S for window in windows] == [-7_200, -3_600, 0]
    assert windows[0].drift == windows[2].drift
    assert windows[1].drift == {}
    assert len(read_windows(log, reference, popularity_of, 3_600, 2)) == 2
    log.close()


# -- quality


def a_list(session_id, at_s, *item_ids):
    return MonitoredList(
        recommendation_id=f"{session_id}{at_s}",
        session_id=session_id,
        timestamp=at_s,
        version="v",
        items=tuple((item_id, 1.0) for item_id in item_ids),
        stats=ListStats(),
    )


def an_event(session_id, at_s, item_id, kind="view"):
    return LoggedEvent(session_id=session_id, event=Event(item_id, kind), timestamp=at_s)


def test_quality_counts_the_events_of_the_next_half_hour():
    lists = [a_list(session, 0.0, "a", "b") for session in ("s", "t", "u", "v", "w")]
    events = [
        an_event("s", 5.0, "b"),
        an_event("t", HORIZON_S + 1.0, "a"),  # too late
        an_event("u", 5.0, "a", "reject"),
        an_event("v", 5.0, "z"),
        an_event("elsewhere", 5.0, "a"),
    ]
    [quality] = served_quality(lists, events)
    assert (quality.n_lists, quality.n_sessions) == (2, 2)  # s and v
    assert (quality.hit.mean, quality.mrr.mean) == (0.5, 0.25)
    assert quality.hit.low == 0.0
    assert quality.hit.high == 1.0
    assert served_quality(lists, []) == []


# -- the command


def test_the_command_ends_with_3_where_something_drifts(monitored, tmp_path):
    rec = semrec.load(monitored)
    write_lists(tmp_path / "state", rec, usual(), NOON_S)
    log = open_log(tmp_path / "state")
    log.add_events(
        {"s0": [Event(log.served(f"{NOON_S}-0").items[0][0], "view", NOON_S + 60.0, "e")]}
    )
    log.close()
    arguments = ("monitor", tmp_path / "state", monitored)
    quiet = run(*arguments, "--json", cwd=tmp_path)
    values = json.loads(quiet.stdout)
    assert values["alarms"] == []
    assert values["quality"][0]["hit"]["mean"] == 1.0
    german = [Query(intent="ich suche einen lustigen Film über das Weltall")] * 80
    write_lists(tmp_path / "state", rec, german, NOON_S + 3_600, "d")
    alarmed = run(*arguments, "--html", tmp_path / "page.html", cwd=tmp_path, ok=False)
    assert alarmed.returncode == 3
    assert "languages" in alarmed.stdout
    page = (tmp_path / "page.html").read_text()
    assert "ich suche einen lustigen Film" in page
    wrong = run(*arguments, "--window", "soon", cwd=tmp_path, ok=False)
    assert wrong.returncode == 1
    assert "30m, 1h or 1d" in wrong.stderr


# -- the service


def test_the_service_watches_and_the_operator_sees(monitored, tmp_path):
    rec = semrec.load(monitored)
    hour_s = time.time() // 3_600 * 3_600 - 3_600
    write_lists(tmp_path / "state", rec, [Query(intent="ich suche einen guten Film")] * 80, hour_s)
    key = {"x-api-key": "boss"}
    with in_thread(monitored, tmp_path / "state", admin_key="boss", monitor_every=1) as client:
        assert client.get("/admin/drift").status_code == 401
        drift = client.get("/admin/drift", headers=key).json()
        assert "languages" in [alarm["signal"] for alarm in drift["alarms"]]
        assert drift["alarms"][0]["examples"] == ["ich suche einen guten Film"]
        client.app.state.service.look_at_drift()
        text = client.get("/metrics").text
        assert 'semrec_drift_alarm{signal="languages"} 1.0' in text
        for number in range(80):  # erased: nothing of them is left here, too
            client.delete(f"/v1/sessions/s{number}", headers=key)
        assert client.get("/admin/drift", headers=key).json()["alarms"] == []
        answer = client.post(
            "/v1/recommend", json={"intent": "a ghost", "session_id": "new"}, headers=key
        )
        log = client.app.state.service.log
        assert log.monitored(0, time.time() + 1, 9)[-1].stats.vector is not None
        assert "stats" not in answer.text


def test_every_metric_that_rules_and_dashboard_name_exists():
    folder = Path(__file__).resolve().parents[1] / "configs" / "monitoring"
    rules = yaml.safe_load((folder / "rules.yaml").read_text())
    panels = json.loads((folder / "dashboard.json").read_text())["panels"]
    asked = [rule["expr"] for rule in rules["groups"][0]["rules"]]
    asked += [target["expr"] for panel in panels for target in panel["targets"]]
    described = Metrics().text().decode()
    known = dict(re.findall(r"^# TYPE (semrec_\w+) (\w+)$", described, re.MULTILINE))
    for name in {name for text in asked for name in re.findall(r"semrec_\w+", text)}:
        bare = re.sub(r"_(bucket|count)$", "", name)
        assert known.get(bare) == "histogram" if bare != name else name in known, name
