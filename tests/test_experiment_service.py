"""Experiments in a running service: arms, drafts and draws in its log, reports from it, erasure."""

import json

import httpx
import numpy as np
import pytest
import yaml
from conftest import world_config
from serving import Process, in_thread
from typer.testing import CliRunner

import semrec
from semrec.cli import app
from semrec.errors import ConfigError, DataError, StateError
from semrec.experiments.assign import arm_of, enrolled
from semrec.experiments.credit import assign_credit
from semrec.experiments.experiment_report import experiment_report
from semrec.experiments.exploration import propensities
from semrec.experiments.plan import Experiment, keep, read_experiments
from semrec.serve.replay import replay
from semrec.sessions.experiment_log import ShownList
from semrec.sessions.log import open_log

BODY = {"session": ["i01", "i13"], "intent": "a ghost story", "k": 10}


@pytest.fixture(scope="module")
def other(world, tmp_path_factory):
    """An artifact that answers differently."""
    out = tmp_path_factory.mktemp("artifacts") / "other"
    semrec.build(world, config=world_config(lexical={"enabled": False}), out=out)
    return out


def written(folder, *experiments):
    path = folder / "experiments.yaml"
    path.write_text(yaml.safe_dump({"experiments": list(experiments)}))
    return path


def ask(client, session_id, **fields):
    answer = client.post("/v1/recommend", json={**BODY, "session_id": session_id, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def like(client, session_id, item_id, event_id):
    event = {"session_id": session_id, "item_id": item_id, "type": "like", "event_id": event_id}
    answer = client.post("/v1/events", json={"events": [event]})
    assert answer.status_code < 300, answer.text


@pytest.mark.slow
def test_a_session_stays_in_its_arm_over_workers_and_restarts(artifact, other, tmp_path):
    spec = {"name": "art", "kind": "ab", "a": str(artifact), "b": str(other), "share": 0.5}
    path = written(tmp_path, spec)
    versions = {"a": semrec.load(artifact).version, "b": semrec.load(other).version}
    service = Process(artifact, tmp_path / "state", "--experiments", path, "--workers", 2)
    sessions = [f"s{i}" for i in range(24)]
    try:
        for _ in range(2):
            with httpx.Client(base_url=service.url, timeout=60) as client:
                for session in sessions:
                    listed = ask(client, session)
                    expected = arm_of("art", session) if enrolled("art", session, 0.5) else "a"
                    assert listed["version"] == versions[expected]
            service.kill()
            service.start()
    finally:
        service.kill()
    log = open_log(tmp_path / "state")
    with log.reading() as connection:
        rows = connection.execute(
            "SELECT session_id, experiment, arm, unit, count(*) FROM served GROUP BY 1, 2, 3, 4"
        ).fetchall()
    log.close()
    assert sorted(rows) == sorted(
        (s, "art", arm_of("art", s), s, 2) if enrolled("art", s, 0.5) else (s, None, None, None, 2)
        for s in sessions
    )


def test_arms_of_settings_are_in_the_query_and_replayed(artifact, tmp_path):
    spec = {"name": "gate", "kind": "ab", "a": {}, "b": {"semantic_weight": 1.0}}
    with in_thread(artifact, tmp_path / "s", experiments=written(tmp_path, spec)) as client:
        by_arm = {arm_of("gate", f"s{i}"): f"s{i}" for i in range(9)}
        a, b = (ask(client, by_arm[arm]) for arm in "ab")
        assert a["items"] != b["items"]
        own = ask(client, by_arm["b"], semantic_weight=0.5)  # what a request says stays
        nobodys = client.post("/v1/recommend", json=BODY).json()
    log = open_log(tmp_path / "s")
    assert log.served(b["recommendation_id"]).query.semantic_weight == 1.0
    assert log.served(own["recommendation_id"]).query.semantic_weight == 0.5
    assert log.served(a["recommendation_id"]).query.semantic_weight is None
    assert log.served(nobodys["recommendation_id"]).experiment is None
    log.close()
    for listed in (a, b):
        assert replay(listed["recommendation_id"], tmp_path / "s").same


def test_interleaved_lists_are_of_both_and_credit_goes_with_the_session(artifact, other, tmp_path):
    spec = {"name": "two", "kind": "interleave", "a": str(artifact), "b": str(other)}
    path, state = written(tmp_path, spec), tmp_path / "state"
    query = semrec.Query(**BODY)
    ranked = {
        arm: [item.item_id for item in semrec.load(of).recommend(query).items]
        for arm, of in (("a", artifact), ("b", other))
    }
    wanted = {}
    with in_thread(artifact, state, experiments=path) as client:
        for i in range(40):
            listed = ask(client, f"s{i}", explain=i == 0)
            ids = [item["item_id"] for item in listed["items"]]
            assert len({*ids}) == len(ids) == 10
            assert [item["rank"] for item in listed["items"]] == [*range(1, 11)]
            log = open_log(state)
            served = log.served(listed["recommendation_id"])
            log.close()
            teams = [placement.team for placement in served.placements]
            assert [placement.item_id for placement in served.placements] == ids
            assert abs(teams.count("a") - teams.count("b")) <= 1
            assert all(of in ranked[t] for of, t in zip(ids, teams, strict=True) if t)
            wanted[f"s{i}"] = ids, teams
        for i in range(30):
            ids, teams = wanted[f"s{i}"]
            like(client, f"s{i}", ids[teams.index("b")], f"e{i}")
        report = experiment_report(state, "two")
        assert report["lists"] == report["units"] == 40
        assert report["prefer"] == {"a": 0, "b": 30}
        assert report["difference"]["mean"] == 30 / 40
        assert report["sign_p"] == pytest.approx(2 * 0.5**30)
        client.delete("/v1/sessions/s0")
        after = experiment_report(state, "two")
        assert (after["lists"], after["prefer"]["b"]) == (39, 29)
    with pytest.raises(StateError, match="which drew it"):
        replay(listed["recommendation_id"], state)


@pytest.mark.slow
def test_a_tail_is_drawn_with_the_propensities_that_are_logged(artifact, rec, tmp_path):
    spec = {"name": "tail", "kind": "explore", "explore": {"from_rank": 6, "temperature": 0.5}}
    plain = [item.item_id for item in rec.recommend(semrec.Query(**BODY)).items]
    state, orders = tmp_path / "s", set()
    with in_thread(artifact, state, experiments=written(tmp_path, spec)) as client:
        for i in range(130):
            listed = ask(client, f"s{i}")
            ids = [item["item_id"] for item in listed["items"]]
            assert ids[:5] == plain[:5]
            assert sorted(ids) == sorted(plain)
            orders.add(tuple(ids))
            log = open_log(state)
            served = log.served(listed["recommendation_id"])
            log.close()
            logged = [placement.propensity for placement in served.placements]
            scores = np.array([score for _, score in served.items[5:]])
            assert logged[:5] == [None] * 5
            assert logged[5:] == pytest.approx(propensities(scores, 0.5).tolist())
            if i % 2:
                like(client, f"s{i}", ids[6], f"e{i}")
    assert len(orders) > 20
    same = experiment_report(state, "tail", temperature=0.5)
    assert same["snips"]["mean"] == same["logged_mean"] == pytest.approx(0.5)
    assert same["effective"] == pytest.approx(130)
    with pytest.raises(DataError, match="130 lists are worth"):
        experiment_report(state, "tail", temperature=0)


def test_reports_are_printed_or_refused(tmp_path):
    from experiment_scale import fill

    fill(tmp_path / "ab", "ab", 4_000)
    run = CliRunner().invoke
    shown = run(app, ["experiment", "report", str(tmp_path / "ab"), "--name", "scale"])
    assert shown.exit_code == 0
    assert "scale (ab): 4,000 lists of 1,000 sessions, like_or_buy@10" in shown.stdout
    made = run(app, ["experiment", "report", str(tmp_path / "ab"), "--name", "scale", "--json"])
    figures = json.loads(made.stdout)
    assert sum(arm["units"] for arm in figures["arms"].values()) == 1_000
    for kind, words in (("interleave", "sessions prefer b"), ("explore", "snips:")):
        fill(tmp_path / kind, kind, 4_000)
        shown = run(app, ["experiment", "report", str(tmp_path / kind), "--name", "scale"])
        assert words in shown.stdout
    with pytest.raises(StateError, match="no experiment 'scal'; did you mean 'scale'"):
        experiment_report(tmp_path / "ab", "scal")
    with pytest.raises(DataError, match="did you mean 'like'"):
        experiment_report(tmp_path / "ab", "scale", metric="likes@10")
    log = open_log(tmp_path / "ab")
    with log._database.writing() as connection:
        connection.execute("DELETE FROM served WHERE arm = 'a' AND abs(random()) % 3 = 0")
        connection.execute("DELETE FROM served WHERE arm = 'a' AND unit < 'session-4'")
    log.close()
    with pytest.raises(DataError, match="sample ratio mismatch"):
        experiment_report(tmp_path / "ab", "scale")
    log = open_log(tmp_path / "explore")
    with log._database.writing() as connection:
        connection.execute(
            "UPDATE served SET placements = replace(placements, '\"propensity\"', 'x')"
        )
        connection.execute("UPDATE served SET placements = '[]'")
    log.close()
    with pytest.raises(DataError, match="deterministic"):
        experiment_report(tmp_path / "explore", "scale")


def shown(timestamp, *items):
    placements = tuple({"item_id": item, "team": "ab"[i % 2]} for i, item in enumerate(items))
    return ShownList(timestamp, "ada", "ab", (), placements)


def test_credit_goes_to_the_newest_list_before_and_once():
    lists = [shown(1.0, "x", "y", "z"), shown(5.0, "x", "w"), shown(9.0, "x")]
    events = [(0.5, "x"), (2.0, "y"), (2.5, "y"), (6.0, "x"), (6.5, "z"), (7.0, "q")]
    credited = assign_credit(lists, events, k=10)
    assert [listed.positions for listed in credited] == [(2, 3), (1,), ()]
    assert [listed.by_team for listed in credited] == [0, -1, 0]
    assert [listed.positions for listed in assign_credit(lists, events, k=2)] == [(2,), (1,), ()]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "ab", "b": {"k": 3}}, "an arm has no setting 'k'"),
        ({"kind": "ab", "b": {"diversity": 3}}, "diversity is 3"),
        ({"kind": "ab"}, "a and b are the same"),
        ({"kind": "explore"}, "explore goes with kind explore"),
        ({"kind": "explore", "explore": {"from_rank": 1}}, "explore.from_rank"),
        ({"kind": "ab", "b": {"diversity": 0.3}, "share": 0}, "share"),
        ({"kind": "ab", "b": {"diversity": 0.3}, "metric": "clicks@10"}, "is no event"),
        ({"kind": "ab", "b": {"diversity": 0.3}, "metric": "like"}, "expected types of events"),
        ({"kind": "bandit"}, "kind"),
        (["ab"], "experiment 1"),
        ({"kind": "ab", "b": {"diversity": 0.3}, "arms": 2}, "arms"),
    ],
)
def test_a_wrong_experiment_is_refused(tmp_path, entry, message):
    entry = {"name": "x", **entry} if isinstance(entry, dict) else entry
    with pytest.raises(ConfigError, match=message):
        read_experiments(written(tmp_path, entry))


def test_a_name_stays_that_of_one_experiment(tmp_path):
    first = Experiment(name="x", kind="ab", b={"diversity": 0.3}, share=0.1)
    keep(tmp_path, [first])
    keep(tmp_path, [first.model_copy(update={"share": 0.5})])
    keep(tmp_path, [])
    with pytest.raises(ConfigError, match="give the new one another name"):
        keep(tmp_path, [first.model_copy(update={"b": {"diversity": 0.4}})])
    with pytest.raises(ConfigError, match="no such file of experiments"):
        read_experiments(tmp_path / "absent.yaml")
    twice = first.model_dump(mode="json")
    with pytest.raises(ConfigError, match="the same name"):
        read_experiments(written(tmp_path, twice, twice))
