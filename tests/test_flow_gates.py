"""Gates and promotion: what is worse stays out, and a link is turned in one step."""

import json
import shutil
import sys
import threading
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest
from conftest import GROUP, N_ITEMS, THEMES, item_id, theme, world_config, world_tables
from hypothesis import given
from hypothesis import strategies as st

import semrec
from semrec.errors import ArtifactError, ConfigError, ModelError, StateError
from semrec.evaluate.compare import compare
from semrec.evaluate.report import Pair
from semrec.evaluate.slices import Slice
from semrec.evaluate.yardsticks import ASKED_FOR, LIKED
from semrec.flow.gates import Evidence, Gates, QualityGate, check_gates, load_gates
from semrec.flow.measuring import build_candidate, topic_cases
from semrec.flow.promoting import history_of, locked, promote, prune, rollback
from semrec.flow.running import start_run
from semrec.flow.snapshot import Drift, describe_snapshot, drift_of
from semrec.flow.steps import Plan
from semrec.types import Case, Query

N_CASES = 240  # of each yardstick, each a unit of its own


def planted_cases():
    """Visitors who want the rest of their group, and topics that all items of a theme answer."""
    rng = np.random.default_rng(3)
    liked, topics = [], []
    for n in range(N_CASES):
        own = [item_id(n % 6 * GROUP + int(row)) for row in rng.permutation(GROUP)]
        query = Query(session=own[:3])
        liked.append(Case(case_id=f"v{n}", query=query, relevant=tuple(own[3:]), unit=f"v{n}"))
        word = THEMES[n % 6]
        right = tuple(item_id(row) for row in range(N_ITEMS) if theme(row) == word)
        stranger = [item_id(int(row)) for row in rng.integers(N_ITEMS, size=n % 2)]
        query = Query(intent=f"a {word} story", session=stranger)
        topics.append(Case(case_id=f"t{n}", query=query, relevant=right, unit=f"t{n}", topic=word))
    return [*liked, *topics]


CASES = planted_cases()


def shuffled_world(seed):
    """The planted world with events whose items were drawn out of a hat."""
    items, events = world_tables()
    order = np.random.default_rng(seed).permutation(len(events))
    column = events.schema.get_field_index("item_id")
    shuffled = events.set_column(column, "item_id", events["item_id"].take(order))
    return semrec.from_frames(items, shuffled.to_pandas().drop_duplicates(["user_id", "item_id"]))


def evidence_of(candidate, champion, **figures):
    systems = {"champion": champion, "baseline": candidate.baseline(), "fused": candidate}
    report = compare({n: s for n, s in systems.items() if s is not None}, CASES, timed=0)
    known = {"p99_ms": 10.0, "recall": 1.0, "drift": None}
    return Evidence(report=report, **{**known, **figures})


def failed(gates, evidence):
    return [verdict.gate for verdict in check_gates(gates, evidence) if not verdict.passed]


@pytest.fixture(scope="module")
def tie(rec):
    return evidence_of(rec, rec)


def test_a_tie_passes_all_gates_and_each_verdict_says_why(tie):
    verdicts = check_gates(Gates(), tie)
    assert all(verdict.passed for verdict in verdicts), verdicts
    names = [verdict.gate for verdict in verdicts]
    assert f"quality ({LIKED}) against champion" in names
    assert f"quality ({ASKED_FOR}) against champion" in names
    assert "240 units" in verdicts[0].reason


def test_the_same_tie_of_too_few_units_proves_nothing(tie):
    gates = Gates(quality=QualityGate(min_units=N_CASES + 1, against=("champion",)))
    assert len(failed(gates, tie)) == 2


@pytest.mark.parametrize("seed", range(2))
def test_shuffled_interactions_are_refused_by_what_people_liked_alone(rec, seed):
    worse = semrec.build(shuffled_world(seed), config=world_config())
    refused = failed(Gates(), evidence_of(worse, rec))
    assert f"quality ({LIKED}) against champion" in refused
    assert f"quality ({ASKED_FOR}) against champion" not in refused


@pytest.mark.slow
def test_of_twenty_shuffled_candidates_none_is_promoted(rec):
    promoted = 0
    for seed in range(20):
        worse = semrec.build(shuffled_world(seed), config=world_config())
        promoted += not failed(Gates(), evidence_of(worse, rec))
    assert promoted == 0


def test_words_that_are_ignored_are_refused_by_what_words_ask_for(rec):
    deaf = evidence_of(rec.baseline(), rec)
    assert f"quality ({ASKED_FOR}) against champion" in failed(Gates(), deaf)


@given(low=st.floats(-0.2, 0.2), bound=st.floats(-0.2, 0))
def test_the_lower_end_decides_wherever_units_are_enough(tie, low, bound):
    report = tie.report
    base = report.row("champion").metrics["ndcg"].mean
    others = [p for p in report.pairs if {p.first, p.second} != {"champion", "fused"}]
    pair = Pair(
        first="fused", second="champion", difference=0.0, low=low * base, high=0.3, p=1, p_holm=1
    )
    gate = QualityGate(lower_end_at_least=bound, against=("champion",), yardsticks=(LIKED,))
    [verdict, *_] = check_gates(
        Gates(quality=gate), replace(tie, report=replace(report, pairs=(pair, *others)))
    )
    assert verdict.figure == pytest.approx(low)
    assert verdict.passed == (verdict.figure >= bound)


@pytest.mark.parametrize(
    ("over", "n_units", "lost"),
    [
        ((0.8, 0.7, 0.9), 240, True),
        ((0.99, 0.98, 0.999), 240, False),  # many cases show it, and it is a hundredth
        ((0.97, 0.9, 1.04), 240, False),  # nothing is shown
        ((0.8, 0.7, 0.9), 199, False),
        ((1.2, 1.1, 1.3), 240, False),
    ],
)
def test_a_slice_is_lost_wholly_below_and_by_more_than_the_margin(tie, over, n_units, lost):
    part = Slice(
        name="no session",
        n_cases=n_units,
        n_units=n_units,
        behavioural=0.5,
        fused=0.5,
        low=0.0,
        high=0.0,
        over={"champion": over},
    )
    evidence = replace(tie, report=replace(tie.report, slices=(part,)))
    gates = Gates(quality=None)
    assert failed(gates, evidence) == (["slices"] if lost else [])
    assert failed(Gates(quality=None, slices={"lost": 1}), evidence) == []


def test_latency_recall_and_drift_are_held_to_their_bounds(tie):
    gates = Gates(quality=None, slices=None, latency={"p99_ms": 20}, recall=0.9)
    assert failed(gates, tie) == []
    assert failed(gates, replace(tie, p99_ms=20.1)) == ["latency p99"]
    assert failed(gates, replace(tie, recall=0.89)) == ["recall"]
    drift = Drift(items_gone=0.2, attributes_gone=("year",), popularity=0.6, events=1.0)
    verdicts = check_gates(gates, replace(tie, drift=drift))
    assert [v.gate for v in verdicts if not v.passed] == [
        "drift: items gone",
        "drift: attributes gone",
        "drift: popularity",
    ]
    assert "year" in verdicts[-2].reason


def test_a_first_candidate_has_no_champion_to_be_worse_than(rec):
    evidence = evidence_of(rec, None)
    verdicts = {v.gate: v for v in check_gates(Gates(), evidence)}
    assert verdicts[f"quality ({LIKED}) against champion"].reason == "no champion yet"
    assert verdicts["drift"].passed
    assert failed(Gates(quality={"against": ["text"]}), evidence) == [
        f"quality ({ASKED_FOR}) against text"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("qualty: {}", "unknown key 'qualty'; did you mean 'quality'"),
        ("latency: {p99: 3}", "latency.p99_ms"),
        ("recall: 2", "recall: found 2"),
        ("- 1", "expected `gate: bounds`"),
        ("a: [", "not readable as YAML"),
    ],
)
def test_a_file_of_gates_is_closed(tmp_path, text, says):
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says.replace("(", r"\(")):
        load_gates(path)


def test_a_snapshot_and_its_drift(world, rec):
    snapshot = describe_snapshot(world)
    assert snapshot["items"] == N_ITEMS
    assert snapshot["schema"]["year"] == "numbers"
    same = drift_of(world, rec)
    assert same.items_gone == 0
    assert same.attributes_gone == ()
    assert same.popularity < 0.1
    items, events = world_tables()
    kept = items.slice(30)
    known = events.filter(pc.is_in(events["item_id"], value_set=kept["item_id"].combine_chunks()))
    half = semrec.from_frames(kept.drop_columns(["year"]), known)
    moved = drift_of(half, rec)
    assert moved.items_gone == 0.5
    assert moved.attributes_gone == ("year",)
    assert moved.popularity == pytest.approx(0.5, abs=0.05)


def test_topics_of_a_catalogue_are_cases_of_what_words_ask_for(rec):
    cases = topic_cases(rec)
    assert all(case.topic for case in cases)
    assert len({case.case_id for case in cases}) == len(cases)


@pytest.fixture
def versions(artifact, world, tmp_path):
    """Two artifacts in a folder of them, named by their checksums."""
    out = tmp_path / "artifacts"
    first = build_candidate(world, world_config(), out)
    second = build_candidate(world, world_config(lexical={"enabled": False}), out)
    return out, first, second


def test_built_twice_it_is_the_same_artifact(versions, world):
    out, first, second = versions
    assert first != second
    assert build_candidate(world, world_config(), out) == first
    assert sorted(path.name for path in out.iterdir()) == sorted([first.name, second.name])


def test_a_link_is_turned_and_turned_back(versions):
    out, first, second = versions
    link = out / "current"
    promote(link, first, run="1")
    promote(link, second, run="2")
    assert link.resolve() == second
    assert not str(link.readlink()).startswith("/")
    assert rollback(link).version == first.name
    assert link.resolve() == first
    with pytest.raises(ArtifactError, match="no earlier artifact"):
        rollback(link)
    assert [(p.run, p.rolled_back is None) for p in history_of(link)] == [("1", True), ("2", False)]


def test_what_a_link_led_to_before_its_history_can_be_gone_back_to(versions):
    out, first, second = versions
    link = out / "current"
    link.symlink_to(first)
    promote(link, second)
    assert rollback(link).version == first.name


def test_what_is_no_artifact_is_refused_and_the_link_stays(versions):
    out, first, second = versions
    link = out / "current"
    promote(link, first)
    (out / "empty").mkdir()
    with pytest.raises(ArtifactError, match="no manifest"):
        promote(link, out / "empty")
    (second / "interactions.npz").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="expected"):
        promote(link, second)
    with pytest.raises(ArtifactError, match="is no link"):
        promote(first, first)
    assert link.resolve() == first
    assert len(history_of(link)) == 1


def test_a_reader_never_meets_a_link_that_leads_nowhere(versions):
    out, first, second = versions
    link, stop, missing = out / "current", threading.Event(), []
    promote(link, first)

    def read():
        while not stop.is_set():
            if not (link / "manifest.json").is_file():
                missing.append(1)

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(20):
        promote(link, (second, first)[n % 2])
    stop.set()
    thread.join()
    assert not missing


def test_a_second_promotion_waits_for_the_first_to_end(versions):
    out, first, _ = versions
    with locked(out, "promotion"), pytest.raises(StateError, match="under way"):
        promote(out / "current", first)


def test_prune_keeps_the_newest_and_what_links_need(versions):
    out, first, second = versions
    link = out / "current"
    promote(link, first)
    third = out / "0123456789ab"
    shutil.copytree(second, third)
    # Both were built within the same second, perhaps.
    for path, year in ((third, 2000), (first, 2001), (second, 2002)):
        manifest = json.loads((path / "manifest.json").read_text())
        manifest |= {"created": f"{year}-01-01T00:00:00+00:00", "checksum": path.name}
        (path / "manifest.json").write_text(json.dumps(manifest))
    (out / "mine").mkdir()
    assert prune(out, [link], keep=1) == [third]
    assert prune(out, [link], keep=0) == [second]
    assert link.resolve() == first
    assert (out / "mine").is_dir()


def test_a_history_that_is_broken_is_said(tmp_path):
    (tmp_path / ".current-history.json").write_text("{")
    with pytest.raises(StateError, match="move it away"):
        history_of(tmp_path / "current")


def test_a_missing_extra_is_a_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "metaflow", None)
    with pytest.raises(ModelError, match=r"pip install 'semrec\[flow\]'"):
        start_run(Plan(data="data", out="artifacts"), tmp_path)
