"""The loop: a log becomes a version of its dataset; a service whose users change recovers."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import run
from conftest import N_ITEMS, THEMES, item_id, theme, themed_requests, world_config, write_world
from hypothesis import given
from hypothesis import strategies as st

import semrec
from semrec.data.dataset import read_dataset
from semrec.data.intents import fold_of, read_cases
from semrec.data.traffic import TRAFFIC, read_traffic, write_traffic
from semrec.errors import DataError, StateError
from semrec.flow.log_drift import read_log_state
from semrec.flow.promoting import promote
from semrec.flow.steps import Plan, import_step
from semrec.monitor.reference import load_reference
from semrec.sessions.importing import COMPARED, LEARNED, next_version
from semrec.sessions.list_stats import list_stats
from semrec.sessions.log import Log, served_list
from semrec.sessions.logged_requests import COMPARED_OF, HORIZON_S, read_requests
from semrec.types import Event, Item, Query

NOON_S = 1_700_000_000.0 // 3_600 * 3_600


def serve(log, session, at_s, query, *item_ids):
    """Log a list."""
    items = [Item(of, of, 1.0, rank) for rank, of in enumerate(item_ids, start=1)]
    log.add_served(named(session, at_s, query, items))


def named(session, at_s, query, items):
    name = f"{session} {at_s}"
    return served_list(name, session, query, items, version="v", artifact="x", at_s=at_s)


def like(log, session, at_s, item, kind="like"):
    log.add_events({session: [Event(item, kind, at_s, f"{item} {at_s}")]})


def live(folder, n=40, at_s=NOON_S):
    """A log of sessions that ask once, and like what stands second."""
    log = Log(folder)
    for number in range(n):
        query = Query(intent=f"a {THEMES[number % 6]} story")
        serve(log, f"s{number}", at_s + number, query, "i01", item_id(number))
        like(log, f"s{number}", at_s + number + 5, item_id(number))
    return log


@pytest.fixture
def data(tmp_path):
    return write_world(tmp_path / "data")


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# -- requests with what was liked


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "state")
    yield made
    made.close()


def test_right_is_what_a_session_liked_next_wherever_it_came_from(log):
    asked = Query(intent="a ghost story", session=["i05"])
    serve(log, "s", NOON_S, asked, "i01", "i02")
    like(log, "s", NOON_S - 1, "i09")  # before
    like(log, "s", NOON_S + 60, "i02")
    like(log, "s", NOON_S + 61, "i05")  # known already
    like(log, "s", NOON_S + 62, "i03", "view")  # perhaps a mistake
    like(log, "s", NOON_S + 63, "i04", "reject")
    like(log, "s", NOON_S + 64, "i30", "buy")  # found elsewhere
    like(log, "s", NOON_S + HORIZON_S + 1, "i40")
    like(log, "elsewhere", NOON_S + 60, "i01")
    serve(log, "s", NOON_S + 10, Query(), "i01", "i02")  # no words
    serve(log, None, NOON_S, asked, "i01")  # nobody's
    requests = read_requests(log, 0.0)
    [case] = [*requests.learned, *requests.compared]
    assert case.relevant == ("i02", "i30")
    assert case.query == asked
    assert len(requests.traffic) == 3


def test_only_lists_from_a_moment_on_count(log):
    for at_s in (NOON_S, NOON_S + 100):
        serve(log, "s", at_s, Query(intent="a ghost story"), "i01")
        like(log, "s", at_s + 1, item_id(int(at_s - NOON_S) // 10))
    requests = read_requests(log, NOON_S + 50)
    [case] = [*requests.learned, *requests.compared]
    assert case.relevant == ("i10",)


@given(users=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12))
def test_no_user_is_on_both_sides(tmp_path_factory, users):
    """Sessions of the same user go together; a session without one is a user of its own."""
    log = Log(tmp_path_factory.mktemp("state"))
    for number, user in enumerate(users):
        said = None if user == "h" else user
        serve(log, f"s{number}", NOON_S, Query(intent="a heist", user_id=said), "i01")
        like(log, f"s{number}", NOON_S + 1, "i02")
    requests = read_requests(log, 0.0)
    log.close()
    learned, compared = (
        {case.unit for case in side} for side in (requests.learned, requests.compared)
    )
    assert not learned & compared
    assert len(requests.learned) + len(requests.compared) == len(users)
    assert all(fold_of(unit, COMPARED_OF) == 0 for unit in compared)


def test_whom_the_dataset_knows_is_never_compared_on(log):
    for number in range(60):
        serve(log, f"s{number}", NOON_S, Query(intent="a heist"), "i01")
        like(log, f"s{number}", NOON_S + 1, "i02")
    [first, *_] = read_requests(log, 0.0).compared
    again = read_requests(log, 0.0, known={first.unit})
    assert first.unit in {case.unit for case in again.learned}
    assert first.unit not in again.held_out


# -- a new version of the dataset


def test_a_log_becomes_a_version_beside_its_dataset(data, tmp_path):
    live(tmp_path / "state").close()
    before, old = files_of(data), read_dataset(data)
    folder = next_version(tmp_path / "state", data, NOON_S)
    assert folder.parent == data.parent
    assert files_of(data) == before
    new = read_dataset(folder)
    held_out = {f"s{n}" for n in range(40) if fold_of(f"s{n}", COMPARED_OF) == 0}
    assert 2 <= len(held_out) <= 20
    assert len(new.interactions) == len(old.interactions) + 40 - len(held_out)
    assert not held_out & set(new.interactions.user_ids)
    assert new.intents == (folder / LEARNED,)
    learned, compared = read_cases(folder / LEARNED), read_cases(folder / COMPARED)
    assert {case.unit for case in compared} == held_out
    assert len(learned) + len(compared) == 40
    assert len(read_traffic(new.traffic)) == 40


def test_the_same_log_gives_the_same_version_once(data, tmp_path):
    live(tmp_path / "state").close()
    first = next_version(tmp_path / "state", data, NOON_S)
    written = (first / "interactions.parquet").stat().st_mtime_ns
    assert next_version(tmp_path / "state", data, NOON_S) == first
    assert (first / "interactions.parquet").stat().st_mtime_ns == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", first.name, "state"]
    live(tmp_path / "later").close()
    assert next_version(tmp_path / "later", data, NOON_S).name == first.name


def test_an_event_counts_once_whichever_version_it_is_added_to(data, tmp_path):
    live(tmp_path / "state").close()
    first = next_version(tmp_path / "state", data, NOON_S)
    log = Log(tmp_path / "state")
    new = next(f"n{n}" for n in range(99) if fold_of(f"n{n}", COMPARED_OF))
    serve(log, new, NOON_S + 900, Query(intent="a ghost story"), "i05")
    like(log, new, NOON_S + 901, "i05")
    log.close()
    from_base = read_dataset(next_version(tmp_path / "state", data, NOON_S)).interactions
    from_first = read_dataset(next_version(tmp_path / "state", first, NOON_S)).interactions
    n_before = len(read_dataset(first).interactions)
    assert len(from_base) == len(from_first) == n_before + 1
    assert set(from_base.user_ids) == set(from_first.user_ids)
    with pytest.raises(DataError, match="nothing to import"):
        next_version(tmp_path / "state", next_version(tmp_path / "state", first, NOON_S), NOON_S)


def test_nonsense_is_refused_and_nothing_is_left(data, tmp_path):
    with pytest.raises(StateError, match="--state"):
        next_version(tmp_path / "nowhere", data, 0.0)
    Log(tmp_path / "state").close()
    with pytest.raises(DataError, match="nothing to import"):
        next_version(tmp_path / "state", data, 0.0)
    with pytest.raises(DataError, match="nothing was served"):
        read_log_state(tmp_path / "state", None, 60.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "state"]
    (tmp_path / TRAFFIC).write_text('{"unit": "u", "query": {"intent": "a heist"}}\n{"unit": 3}\n')
    with pytest.raises(DataError, match="line 2: expected a unit and its query"):
        read_traffic(tmp_path / TRAFFIC)


@given(
    intent=st.text(max_size=40),
    filters=st.dictionaries(st.sampled_from(["year", "labels"]), st.text(max_size=9)),
    session=st.lists(st.sampled_from(["i01", "i02"]), max_size=3),
)
def test_traffic_comes_back_as_it_was(tmp_path_factory, intent, filters, session):
    path = tmp_path_factory.mktemp("traffic") / TRAFFIC
    query = Query(intent=intent, filters=filters, session=session, k=7)
    write_traffic(path, [("visitor", query)])
    [case] = read_traffic(path)
    assert (case.query, case.unit, case.relevant) == (query, "visitor", ())


# -- what a build and a run make of it


def answered(folder, rec, cases, at_s):
    """A log of what an artifact answers, with statistics, each in a session of its own."""
    log = Log(folder)
    for number, case in enumerate(cases):
        answer = rec.recommend(case.query)
        session, moment_s = f"{at_s:.0f}-{number}", at_s + number
        stats = list_stats(case.query, answer, rec.catalog)
        log.add_served(named(session, moment_s, case.query, answer.items), stats)
        like(log, session, moment_s + 1, answer.items[0].item_id)
    log.close()


@pytest.mark.slow
def test_after_a_build_on_its_own_traffic_a_service_is_quiet(data, tmp_path):
    """Dialogs of another kind alarm; the service's own requests, which they are, don't."""
    dialogs = themed_requests([row % N_ITEMS for row in range(120)])
    first = tmp_path / "first"
    semrec.build(data, config=world_config(), out=first, intents=[dialogs])
    ways = ["hello there, have you anything with a {} in it?", "{} {}, quickly", "1970s {}, please"]
    spoken = [
        replace(case, query=Query(intent=ways[n % 3].replace("{}", theme(n))))
        for n, case in enumerate(dialogs)
    ]
    answered(tmp_path / "state", semrec.load(first), spoken, NOON_S)
    link = tmp_path / "current"
    promote(link, first)
    drifted = read_log_state(tmp_path / "state", link, 3_600.0)
    assert drifted.alarms
    assert drifted.since_s(0.0) == NOON_S
    version = next_version(tmp_path / "state", data, drifted.since_s(0.0))
    semrec.build(version, config=world_config(), out=tmp_path / "second")
    assert load_reference(tmp_path / "second")[0].n_lists == len(spoken)
    promote(link, tmp_path / "second")
    answered(tmp_path / "state", semrec.load(link), spoken, NOON_S + 3_600)
    assert read_log_state(tmp_path / "state", link, 3_600.0).is_quiet


def test_a_run_goes_on_with_the_logs_version(data, tmp_path):
    live(tmp_path / "state").close()
    plan = Plan(data=str(data), out=str(tmp_path / "out"), log=str(tmp_path / "state"))
    assert not plan.learns_all
    imported = replace(plan, data=import_step(plan))
    assert imported.logged_cases == (str(Path(imported.data) / COMPARED),)
    assert imported.learns_all
    assert import_step(replace(plan, log="")) == str(data)


@pytest.mark.slow
def test_the_command_does_nothing_where_nothing_drifts(data, tmp_path):
    dialogs = themed_requests([row % N_ITEMS for row in range(120)])
    semrec.build(data, config=world_config(), out=tmp_path / "first", intents=[dialogs])
    answered(tmp_path / "state", semrec.load(tmp_path / "first"), dialogs[:80], NOON_S)
    promote(tmp_path / "current", tmp_path / "first")
    words = ("flow", "run", data, "--log", tmp_path / "state", "--if-drift")
    done = run(*words, "--promote", tmp_path / "current", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"drifted": False}
    assert not (tmp_path / "artifacts").exists()
    assert not list(tmp_path.glob("data-*"))
    wrong = run("flow", "run", data, "--if-drift", cwd=tmp_path, ok=False)
    assert wrong.returncode == 1
    assert "--log STATE and --promote LINK" in wrong.stderr
    wrong = run(*words, "--promote", "current", "--window", "soon", cwd=tmp_path, ok=False)
    assert "30m, 1h or 1d" in wrong.stderr


# -- the week


@pytest.fixture
def week(monkeypatch):
    pytest.importorskip("metaflow")
    pytest.importorskip("pandas")
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1] / "notebooks")
    yield importlib.import_module("simulated_week")
    sys.modules.pop("simulated_week")


@pytest.mark.slow
def test_a_week_whose_taste_shifts_recovers_and_is_the_same_again(week, tmp_path):
    size = week.Size(days=3, shift_day=2)
    days = week.live_week(tmp_path / "first", seed=7, size=size)
    assert [day.verdict for day in days] == ["promoted", "quiet", "promoted", "quiet"]
    assert [bool(day.alarms) for day in days] == [False, False, True, False]
    assert [bool(day.alarms_alone) for day in days] == [False, False, True, True]
    figures = week.recovery(days, size.shift_day)
    assert figures["after it, alone"] < 0.8 * figures["before the shift"]
    assert figures["of the quality before"] > 0.9
    again = week.live_week(tmp_path / "again", seed=7, size=replace(size, days=1))
    assert again == days[:2]
    first, second = ({p.name for p in (tmp_path / of).glob("data-*")} for of in ("first", "again"))
    assert second < first  # the version of the opening's log, and the shift's
