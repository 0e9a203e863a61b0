"""Comparisons on the planted world, where it is known who is better and by how much."""

import json
from dataclasses import dataclass, field, replace
from math import log2

import numpy as np
import pytest
from conftest import GROUP, N_ITEMS, THEMES, group, item_id, theme, world_config

import semrec
from semrec import Case, Query
from semrec.data.intents import fold_of
from semrec.data.splits import split_at
from semrec.encoders.hashing import HashingEncoder
from semrec.errors import DataError
from semrec.evaluate.baselines import tuned_baseline
from semrec.evaluate.compare import compare
from semrec.evaluate.crossfit import crossfit
from semrec.evaluate.runners import SemanticOnly, ask
from semrec.evaluate.systems import (
    cases_for,
    load_artifacts,
    make_systems,
    marked_cases,
    refuse_leaks,
    within_budgets,
)


def planted_cases():
    """Sessions in one group, words of one theme; right is what belongs to both."""
    cases = []
    for n in range(36):
        g, t = divmod(n, 6)
        own = range(g * GROUP, (g + 1) * GROUP)
        session = [item_id(row) for row in own if row % 6 != t][:3]
        right = tuple(item_id(row) for row in own if row % 6 == t)
        query = Query(intent=f"{THEMES[t]} request{n:02d}", session=session)
        cases.append(Case(case_id=f"c{n}", query=query, relevant=right, unit=f"d{n // 2}"))
    return cases


CASES = planted_cases()


def case(relevant, *, case_id="c", unit="d", **query):
    return Case(case_id=case_id, query=Query(**query), relevant=tuple(relevant), unit=unit)


def found(report, system, metric="ndcg"):
    return next(row for row in report.rows if row.system == system).metrics[metric]


@pytest.fixture(scope="module")
def trained(world):
    """Learned from the very cases that it could be asked."""
    return semrec.build(world, config=world_config(), intents=[CASES])


@pytest.fixture(scope="module")
def report(rec):
    systems = {
        "popularity": lambda query: [item_id(row) for row in range(10)],
        "baseline": rec.baseline(),
        "semantic-only": SemanticOnly(recommender=rec),
        "fused": rec,
    }
    return compare(systems, CASES)


def pair(report, first, second):
    return next(p for p in report.pairs if (p.first, p.second) == (first, second))


# --- what a report says ---


def test_fused_is_better_where_both_signals_are_needed(report):
    for other in ("baseline", "semantic-only"):
        assert found(report, "fused").mean > found(report, other).mean + 0.1
        assert pair(report, other, "fused").verdict == "worse"
    assert report.ratios["fused"].low > 1
    assert report.verdict().startswith("fused has ")
    assert report.verdict().endswith(": better")


def test_behavioural_only_is_the_best_of_those_without_words(report, rec):
    assert report.behavioural_only == "baseline"
    assert set(report.ratios) == {"popularity", "semantic-only", "fused"}
    want = found(report, "fused").mean / found(report, "baseline").mean
    assert report.ratios["fused"].mean == pytest.approx(want)
    perfect = {query.intent: right for query, right in ((c.query, c.relevant) for c in CASES)}
    better = compare({"ease": lambda q: perfect[q.intent], "baseline": rec.baseline()}, CASES)
    assert better.behavioural_only == "ease"


def test_cases_and_their_independent_units_are_counted(report):
    assert (report.n_cases, report.n_units, report.without_relevant) == (36, 18, 0)


def test_intervals_hold_their_mean_and_p_is_adjusted(report):
    for row in report.rows:
        for estimate in row.metrics.values():
            assert 0 <= estimate.low <= estimate.mean <= estimate.high <= 1
    assert len(report.pairs) == 6
    assert all(p.low <= p.difference <= p.high and p.p <= p.p_holm for p in report.pairs)


def test_coverage_is_the_share_of_the_catalogue_that_was_shown(report):
    shares = {row.system: row.coverage for row in report.rows}
    assert shares["popularity"] == 10 / N_ITEMS
    assert shares["popularity"] < shares["fused"] <= 1


def test_the_same_seed_gives_the_same_report(rec, report):
    systems = {"baseline": rec.baseline(), "fused": rec}
    one, again, other = (
        compare(systems, CASES, seed=seed, timed=0).to_dict() for seed in (1, 1, 2)
    )
    assert one == again
    assert one["rows"] != other["rows"]
    assert one["cases_hash"] == other["cases_hash"] == report.cases_hash
    assert compare(systems, CASES[1:]).cases_hash != report.cases_hash


def test_a_report_is_saved_as_json_and_markdown(report, rec, tmp_path):
    as_json, as_markdown, _ = report.save(tmp_path / "new")
    values = json.loads(as_json.read_text(encoding="utf-8"))
    fused = next(row for row in values["rows"] if row["system"] == "fused")
    assert fused["metrics"]["ndcg"]["mean"] == found(report, "fused").mean
    assert values["versions"] == {"baseline": rec.version, "fused": rec.version}
    assert {p["verdict"] for p in values["pairs"]} <= {"better", "worse", "no difference shown"}
    text = as_markdown.read_text(encoding="utf-8")
    assert text.startswith(report.verdict())
    for row in report.rows:
        ndcg = row.metrics["ndcg"]
        figures = f"{ndcg.mean:.4f} | {ndcg.low:.4f}–{ndcg.high:.4f}"
        assert any(row.system in line and figures in line for line in text.splitlines())
    assert "36 cases, 18 independent units" in text


def test_a_report_as_a_frame(report):
    frame = report.to_frame()
    assert list(frame["system"]) == ["popularity", "baseline", "semantic-only", "fused"]
    assert frame["ndcg@10"].iloc[-1] == found(report, "fused").mean


def test_a_system_against_itself_shows_no_difference(rec):
    same = compare({"baseline": rec.baseline(), "again": rec.baseline()}, CASES)
    (only,) = same.pairs
    assert (only.difference, only.low, only.high, only.p) == (0, 0, 0, 1)
    assert only.verdict == "no difference shown"
    ratio = same.ratios["again"]
    assert (ratio.mean, ratio.low, ratio.high) == (1, 1, 1)
    assert same.verdict().endswith("no difference shown")


@pytest.mark.parametrize("order", [("fused", "baseline"), ("baseline", "fused")])
def test_the_verdict_stands_where_there_is_nothing_to_divide_by(rec, order):
    """A baseline that finds nothing at all has no ratio, but the difference is there."""
    systems = {"fused": rec, "baseline": lambda query: []}
    silent = compare({name: systems[name] for name in order}, CASES)
    assert silent.ratios == {}
    assert silent.verdict().startswith("fused")
    assert f"+{found(silent, 'fused').mean:.4f}" in silent.verdict()
    assert silent.verdict().endswith(": better")


# --- what is scored ---


def test_a_function_is_a_system_and_is_asked_with_k():
    asked = []

    def system(query):
        asked.append((query.intent, query.k))
        return [7, "b", "c", "d"]  # ids may be numbers; what is too much is cut

    cases = [case("d", intent="one"), case("7", intent="two")]
    assert ask(system, cases, k=3) == [["7", "b", "c"]] * 2
    assert asked == [("one", 3), ("two", 3)]
    result = compare({"mine": system}, cases, k=3)
    assert found(result, "mine").mean == 1 / 2
    assert result.behavioural_only is None
    assert result.verdict() == "2 cases from 1 independent units"


@pytest.mark.parametrize(
    ("answer", "ndcg", "recall"),
    [
        (["a", "a", "b"], (1 + 1 / log2(4)) / (1 + 1 / log2(3)), 1),
        (["b"], 1 / (1 + 1 / log2(3)), 1 / 2),
        ([], 0, 0),
        (["x", "y", "b"], (1 / log2(4)) / (1 + 1 / log2(3)), 1 / 2),
    ],
    ids=["repeated", "short", "empty", "late"],
)
def test_short_lists_and_repeated_items(answer, ndcg, recall):
    result = compare({"mine": lambda query: answer}, [case(["a", "b", "a"])], k=5)
    assert found(result, "mine").mean == pytest.approx(ndcg)
    assert found(result, "mine", "recall").mean == pytest.approx(recall)


def test_cases_without_a_right_answer_are_counted_and_not_scored():
    cases = [case(["a"]), case([]), case(["b"], unit="e"), case([], unit="f")]
    result = compare({"mine": lambda query: ["a"]}, cases)
    assert (result.n_cases, result.n_units, result.without_relevant) == (2, 2, 2)
    assert found(result, "mine").mean == 1 / 2
    assert "2 more cases without a right answer" in result.to_markdown()


@pytest.mark.parametrize("cases", [[], [case([])]], ids=["no cases", "none with an answer"])
def test_nothing_to_score_is_refused(cases):
    with pytest.raises(DataError, match="nothing to score"):
        compare({"mine": lambda query: ["a"]}, cases)


def test_a_cutoff_below_1_is_refused():
    with pytest.raises(DataError, match="expected 1 or more"):
        compare({"mine": lambda query: ["a"]}, CASES, cutoffs=[0])
    alone = compare({"mine": lambda query: ["a"]}, [case(["a"])], cutoffs=[])
    assert list(alone.rows[0].at) == [10]


def test_no_systems_are_refused():
    with pytest.raises(DataError, match="no systems"):
        compare({}, CASES)


def test_cases_that_are_harder_or_easier_than_they_look_are_noted(rec):
    cases = [
        case(["i00"], case_id="1", session=["i00", "i01"]),
        case(["i02"], case_id="2", exclude=["i02"]),
        case(["gone", "i03"], case_id="3", session=["i04"]),
        case(["i05"], case_id="4", intent=f"like {theme(5)} {theme(5)} story number5"),
    ]
    notes = compare({"fused": rec}, cases).notes
    assert [note.split(" cases ")[0] for note in notes] == ["2 of 4", "1 of 4", "1 of 4"]
    for note, what in zip(notes, ("session", "isn't in the catalogue", "title"), strict=True):
        assert what in note


# --- fairness ---


@pytest.mark.parametrize(
    "asked",
    [lambda rec: rec, lambda rec: rec.baseline(), lambda rec: SemanticOnly(recommender=rec)],
    ids=["fused", "baseline", "semantic-only"],
)
def test_cases_from_training_dialogs_are_refused(trained, asked):
    with pytest.raises(DataError, match="18 of the 18 dialogs"):
        compare({"mine": asked(trained)}, CASES)


def test_cases_from_training_dialogs_can_be_allowed_and_are_marked(trained):
    seen = compare({"fused": trained}, CASES[:2], allow_seen=True)
    assert seen.notes[0].startswith("NOT A FAIR TEST: 1 of the 1 dialogs")
    assert "NOT A FAIR TEST" in seen.to_markdown()
    fresh = [replace(one, unit=f"new {one.unit}") for one in CASES]
    assert compare({"fused": trained}, fresh, allow_seen=True).notes == ()


# --- systems and cases by name ---


def systems_of(names, data=None):
    return make_systems(names, load_artifacts(names), CASES, data)


def test_an_artifact_becomes_six_systems(artifact, without_minilm):
    systems = systems_of([str(artifact)])
    text = "text (hashing-64)"  # by the artifact's own encoder
    assert list(systems) == ["baseline", "item_knn", "ease", text, "semantic-only", "fused"]
    report = compare(systems, CASES)
    assert report.behavioural_only in ("baseline", "item_knn", "ease")
    assert report.ratios["fused"].low > 1


def test_artifacts_and_baselines_by_name(artifact, world_folder):
    beside = systems_of([str(artifact), "popularity"])
    assert list(beside) == [artifact.name, "popularity"]
    alone = systems_of(["popularity", "ease"], world_folder)
    assert [len(s.recommend_many([Query(k=60)])[0].items) for s in alone.values()] == [60, 60]


def test_what_is_neither_artifact_nor_baseline_is_refused(world_folder):
    with pytest.raises(DataError, match="did you mean 'ease'"):
        systems_of(["eese"], world_folder)
    with pytest.raises(DataError, match="need --data"):
        systems_of(["ease"])


@pytest.mark.parametrize("test", ["time", "last"])
def test_the_events_that_were_held_out_are_asked_about(world, world_folder, tmp_path, test):
    split = {"test": test, "test_share": 0.2}
    semrec.build(world, config=world_config(split=split), out=tmp_path / "held-out")
    systems = {"fused": semrec.load(tmp_path / "held-out")}
    cases = cases_for("test", systems, world_folder)
    learned = systems["fused"].interactions
    held_out = len(world.interactions) - len(learned)
    assert held_out == (180 if test == "last" else pytest.approx(216, abs=1))
    assert sum(len(one.relevant) for one in cases) == held_out
    for one in cases:
        past = [item_id(row) for row in learned.history(one.unit)]
        session = [event.item_id for event in one.query.events]
        assert session[: len(past)] == past
        assert not set(one.relevant) & set(past)
    assert compare(systems, cases).n_cases == len(cases)


def test_an_artifact_that_held_nothing_out_has_no_test_cases(rec, world_folder):
    with pytest.raises(DataError, match=r"split\.test=time"):
        cases_for("test", {"fused": rec}, world_folder)


def test_test_cases_need_the_dataset_of_the_artifact(rec, tmp_path, world_folder):
    with pytest.raises(DataError, match="--data DATASET"):
        cases_for("test", {"fused": rec}, None)
    with pytest.raises(DataError, match="needs an artifact"):
        cases_for("test", {}, world_folder)
    other = tmp_path / "other"
    other.mkdir()
    for file in world_folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "dataset.yaml").write_text("name: another\ntime: clock\n")
    with pytest.raises(DataError, match="not the dataset"):
        cases_for("test", {"fused": rec}, other)


def test_cases_from_a_file(rec, tmp_path):
    path = tmp_path / "intents.jsonl"
    row = {"intent_id": "1", "text": "ghost", "session": ["i01"], "relevant": ["i05"]}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    (one,) = cases_for(str(path), {"fused": rec}, None)
    assert (one.query.intent, one.relevant) == ("ghost", ("i05",))
    assert compare({"fused": rec}, path).n_cases == 1


@pytest.mark.parametrize("name", ["item_knn", "ease"])
def test_a_tuned_baseline_knows_who_goes_with_whom(world, name):
    baseline = tuned_baseline(name, world.positives, world.catalog, world_config())
    (answer,) = baseline.recommend_many([Query(session=["i30", "i31"], intent="ghost", k=8)])
    assert {group(int(item.item_id[1:])) for item in answer.items} == {3}
    assert not {"i30", "i31"} & {item.item_id for item in answer.items}


def test_a_baseline_without_a_session_gives_the_most_popular_it_may(world):
    events = world.positives
    unseen = events.where(events.rows != 30)
    baseline = tuned_baseline("ease", unseen, world.catalog, world_config())
    (answer,) = baseline.recommend_many([Query(k=N_ITEMS, filters={"year": {"gte": 1970}})])
    rows = [int(item.item_id[1:]) for item in answer.items]
    assert set(rows) == set(range(10, N_ITEMS)) - {30}
    assert (np.diff(unseen.counts[rows]) <= 0).all()


# --- cross-fitting ---


@dataclass(frozen=True)
class RecordingEncoder:
    """Notes which of the cases' texts each build learned from, and which it was asked."""

    inner: HashingEncoder = field(default_factory=lambda: HashingEncoder(dim=64))
    builds: list[list[set[str]]] = field(default_factory=list)

    @property
    def name(self):
        return self.inner.name

    @property
    def fingerprint(self):
        return self.inner.fingerprint

    @property
    def dim(self):
        return self.inner.dim

    def encode_items(self, texts):
        if not self.builds or self.builds[-1]:
            self.builds.append([])  # a build begins with the items, in two views
        return self.inner.encode_items(texts)

    def encode_queries(self, texts):
        of_cases = {one.case_id for one in CASES for text in texts if one.query.intent in text}
        if of_cases:
            self.builds[-1].append(of_cases)
        return self.inner.encode_queries(texts)


def test_crossfit_answers_each_case_without_having_seen_its_dialog(world, monkeypatch):
    monkeypatch.setattr("semrec.evaluate.crossfit.text_systems", lambda *asked: {})
    encoder = RecordingEncoder()
    config = world_config(split={"valid_dialogs": 0.5})
    crossfit(world, CASES, config=config, encoder=encoder, folds=2, baselines=())
    assert len(encoder.builds) == 2
    dialogs = {one.case_id: one.unit for one in CASES}
    everything = set()
    for fold, (judged, learned, *asked) in enumerate(encoder.builds):
        ours = {case_id for case_id, unit in dialogs.items() if fold_of(unit, 2) == fold}
        assert judged
        assert judged < set(dialogs) - ours  # a share of the dialogs learned from
        assert learned == set(dialogs) - ours  # the gate's mixes are learned from all of them
        assert asked
        assert set.union(*asked) == ours
        everything |= ours
    assert everything == set(dialogs)


@pytest.mark.slow
def test_crossfit_reports_on_all_cases(world, without_minilm):
    silent = case([], case_id="silent", unit="d1", intent="ghost")
    result = crossfit(
        world,
        [*CASES, silent],
        config=world_config(),
        encoder=HashingEncoder(dim=64),
        folds=2,
        baselines=("item_knn",),
    )
    names = [row.system for row in result.rows]
    counted = ["domain popularity", "behavioural + domain"]
    text = "text (hashing-64)"
    assert names == ["baseline", "item_knn", *counted, text, "semantic-only", "fused"]
    assert "`text` is left out" in result.notes[-1]
    assert (result.n_cases, result.n_units, result.without_relevant) == (36, 18, 1)
    assert result.ratios["fused"].low > 1
    assert "2 folds" in result.notes[0]


@pytest.mark.parametrize("folds", [1, 0, 1_000])
def test_crossfit_needs_two_folds_that_hold_cases(world, folds):
    with pytest.raises(DataError, match="folds hold cases"):
        crossfit(world, CASES, config=world_config(), encoder=HashingEncoder(dim=64), folds=folds)


# --- any number of systems, any of them odd ---


def test_of_functions_the_first_is_to_be_beaten():
    cases = [case([f"i{n}"], case_id=str(n), unit=f"u{n}", intent=str(n)) for n in range(40)]
    systems = {
        "old": lambda query: ["x", f"i{query.intent}"],
        "new": lambda query: [f"i{query.intent}"],
        "worst": lambda query: ["x"],
    }
    result = compare(systems, cases)
    assert (result.reference, result.candidate, result.ratios) == ("old", "new", {})
    assert result.verdict() == (
        "new against old: +0.3691 NDCG@10, 95 % interval +0.3691 to +0.3691: better"
    )
    assert result.pair("worst", "old").verdict == "worse"
    assert result.pair("old", "nobody") is None


def test_what_is_odd_about_answers_is_counted_and_told(rec):
    def odd(query):
        if "raise" in query.intent:
            raise ValueError("no answer")
        return {"short": ["i01"], "twice": ["i01"] * 10, "unknown": ["nope"] * 10}[query.intent]

    words = ("raise", "short", "twice", "unknown", "raise again")
    cases = [case(["i01"], case_id=word, unit=word, intent=word) for word in words]
    result = compare({"odd": odd, "fused": rec}, cases)
    assert result.row("odd").faults == {"raised": 2, "short": 1, "repeated": 2, "unknown": 1}
    assert result.row("fused").faults == {}
    assert result.n_cases == 5  # an answer that didn't come is a miss, not a case less
    assert found(result, "odd").mean == 2 / 5
    told = "\n".join(result.notes)
    assert "odd: 2 of 5 answers raised an error: an empty list, the first was ValueError" in told
    assert "odd: 1 of 5 answers have fewer than 10 items" in told


def test_one_request_that_fails_costs_no_other_one_its_answer(rec):
    class Fragile:
        def recommend_many(self, queries):
            if any(query.intent == "bad" for query in queries):
                raise RuntimeError("bad batch")
            return rec.recommend_many(queries)

    cases = [replace(one, case_id=f"{n}") for n, one in enumerate(CASES[:5])]
    cases[2] = replace(cases[2], query=replace(cases[2].query, intent="bad"))
    result = compare({"fragile": Fragile(), "fused": rec}, cases)
    assert result.row("fragile").faults["raised"] == 1
    good = [case for case in cases if case.query.intent != "bad"]
    alone = compare({"fragile": Fragile(), "fused": rec}, good)
    assert found(alone, "fragile").mean == found(alone, "fused").mean


def test_answers_that_are_too_few_for_the_batch_are_errors():
    class Lossy:
        def recommend_many(self, queries):
            return []

    result = compare({"lossy": Lossy()}, [case(["a"])])
    assert "0 answers came back to 1 queries" in result.notes[0]


def test_a_target_in_the_session_is_a_miss_also_for_who_shows_it():
    cases = [case(["a", "b"], session=["a"])]
    result = compare({"echo": lambda query: ["a", "x"], "fair": lambda query: ["b", "x"]}, cases)
    assert found(result, "echo").mean == 0
    assert found(result, "fair", "recall").mean == 1 / 2


def test_cases_that_are_there_twice_are_noted(rec):
    one = case(["i01", "i01"], case_id="1", intent="x", session=["gone"])
    told = compare({"fused": rec}, [one, one, replace(one, unit="e", case_id="2")]).notes
    assert told == (
        "3 of 3 cases have an item in their session that isn't in the catalogue: it is skipped",
        "3 of 3 cases name a target twice: it counts once",
        "1 of 3 cases have the name of another one",
        "1 of 3 cases repeat another one of the same dialog or user",
    )


def test_metrics_at_several_cutoffs(report):
    for row in report.rows:
        assert sorted(row.at) == [1, 5, 10, 20]
        assert row.at[10] == row.metrics
        recalls = [row.at[cutoff]["recall"].mean for cutoff in (1, 5, 10, 20)]
        assert recalls == sorted(recalls)
        assert row.at[1]["mrr"] == row.at[1]["hit"]


def test_single_requests_are_timed(report, rec):
    for row in report.rows:
        assert 0 < row.latency_ms["p50"] <= row.latency_ms["p95"]
    assert report.row("popularity").latency_ms["n"] == 36  # a function: as it answered
    untimed = compare({"fused": rec}, CASES[:2], timed=0)
    assert untimed.row("fused").latency_ms == {}


def test_every_figure_can_be_traced(report, rec):
    origin = report.origins["fused"]
    assert origin["version"] == rec.version
    assert origin["dataset_hash"] == rec.manifest["dataset"]["hash"]
    assert origin["config_hash"] == rec.manifest["config_hash"]
    assert len(report.code_hash) == 64


def test_examples_are_the_cases_that_gained_and_lost_most(report):
    gains = [example.difference for example in report.examples]
    gained = [gain for gain in gains if gain > 0]
    assert gained
    assert gained == sorted(gained, reverse=True)
    best = report.examples[0]
    asked = next(one for one in CASES if one.case_id == best.case_id)
    assert best.intent == asked.query.intent
    assert all(title.startswith(THEMES[int(best.case_id[1:]) % 6]) for title in best.relevant)
    assert {shown.item_id for shown in best.candidate if shown.right} <= set(asked.relevant)


# --- leaks ---


@pytest.mark.parametrize("test", ["time", "last"])
def test_an_artifact_that_learned_what_is_asked_about_is_refused(
    world, world_folder, tmp_path, rec, test
):
    split = {"test": test, "test_share": 0.2}
    honest = semrec.build(world, config=world_config(split=split), out=tmp_path / "honest")
    systems = {"honest": semrec.load(tmp_path / "honest"), "leaky": rec}
    with pytest.raises(DataError, match=r"leaky: \d+ of the \d+ events that are asked about"):
        cases_for("test", systems, world_folder)
    asked, marks = marked_cases("test", systems, world_folder, allow_seen=True)
    assert asked
    assert marks[0].startswith("NOT A FAIR TEST: leaky: ")
    with pytest.raises(DataError, match="leaky"):
        marked_cases("test", systems, world_folder, allow_seen=False)
    assert marked_cases("test", {"honest": honest}, world_folder, allow_seen=True)[1] == ()
    assert len(honest.interactions) < len(rec.interactions)


def test_a_training_event_after_the_cut_is_refused(world, rec):
    events = world.positives
    users = events.users < 90
    later = rec.with_parts(interactions=events.where(users))
    asked = split_at(events.where(~users), float(events.timestamps[~users].min()) + 1)
    late = replace(asked, cut=float(events.timestamps[users].max()))
    with pytest.raises(DataError, match=r"training events lie at or after the time cut"):
        refuse_leaks("later", later, late, world.catalog)


# --- within a budget ---


def test_a_budget_makes_a_system_of_its_own(rec):
    made = within_budgets({"baseline": rec.baseline(), "fused": rec}, [50, 1000])
    assert list(made) == ["fused in 50 ms", "fused in 1000 ms"]
    result = compare({"fused": rec, **made}, CASES[:6], timed=2)
    assert [row.budget_ms for row in result.rows] == [None, 50, 1000]
    assert result.row("fused in 50 ms").metrics == result.row("fused").metrics  # nothing reranks
    assert result.row("fused in 50 ms").faults == {"degraded": 6}
