"""Choosing the behavioural half on validation, and what becomes of it in an artifact."""

import itertools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import GROUP, group, item_id, world_config

import semrec
from semrec.artifact.behavioural_models import cache_folder
from semrec.config import SplitConfig
from semrec.data.dataset import read_dataset
from semrec.errors import ConfigError, DataError
from semrec.evaluate.baselines import tuned_baseline
from semrec.fusion.gate import UNTUNED
from semrec.metrics.significance import standard_error
from semrec.training import neighbour_selection as choosing_neighbours
from semrec.training.behaviour_selection import (
    Candidate,
    forget_checkpoints,
    refit,
    select_behaviour,
    simplest,
)
from semrec.training.job import Job
from semrec.training.search_context import checkpoint_of, make_search_context
from semrec.training.validation import validation_of
from semrec.training.weight_search import Weighed
from semrec.types import Query

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = ("als", "pure_svd", "none")
TRAINED = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("sasrec", "two_tower")]
TINY = {"epochs": 4, "blocks": 1, "heads": 1, "dropout": 0.1, "batch_size": 32}


def config_of(kind, neighbours="none", **training):
    return world_config(
        behaviour={
            "kind": kind,
            "factors": 8,
            "training": {**TINY, **training},
            "neighbours": {"kind": neighbours, "decay": [0.8]},
        }
    )


def context_of(world, config, **changes):
    validation = validation_of(world.positives, config.split)
    context, _ = make_search_context(validation, world, config, Job(seed=config.seed))
    return replace(context, **changes)


def own_group_first(recommender, session, k=3):
    """Whether the baseline's best are of the session's group."""
    items = recommender.baseline().recommend(session=session, k=k).items
    return {group(int(item.item_id[1:])) for item in items} == {group(int(session[0][1:]))}


# --- what is chosen ---


def test_auto_takes_the_best_of_what_is_quick_and_says_what_it_tried(world):
    chosen = select_behaviour(context_of(world, config_of("auto", "auto")))
    assert chosen.options["kind"] in ("als", "pure_svd")
    kinds = {name.split()[0] for name in chosen.tried}
    assert kinds == {"als", "pure_svd", "item_knn", "ease"}
    assert list(chosen.tried.values()) == sorted(chosen.tried.values(), reverse=True)
    alone = {n: score for n, score in chosen.tried.items() if n.split()[0] in ("als", "pure_svd")}
    best = max((n for n in alone if "+" not in n), key=lambda name: alone[name])
    assert best.startswith(chosen.options["kind"])


def test_auto_takes_neighbours_alone_where_vectors_can_not_tell(world):
    """One factor can't hold six groups apart; the neighbours are the groups."""
    section = {"kind": "auto", "factors": 1, "neighbours": {"kind": "item_knn", "decay": [0.8]}}
    config = world_config(behaviour=section)
    chosen = select_behaviour(context_of(world, config))
    assert chosen.taken.startswith("item_knn")
    assert chosen.weights.neighbour_share == 1.0
    built = semrec.build(world, config=config)
    assert built.manifest["validation"]["taken"] == chosen.taken
    assert built.manifest["gate"]["session"]["neighbour_share"] == 1.0
    assert built.manifest["behaviour"]["dim"] == 1, "vectors stay, for what has no events"
    for g in range(6):
        assert own_group_first(built, [item_id(g * GROUP), item_id(g * GROUP + 1)])


def candidate_of(name, values):
    weighed = Weighed(weights=UNTUNED.baseline, values=np.asarray(values, dtype=float))
    return Candidate(name=name, vectors=None, near=None, weighed=weighed)


def test_of_what_is_within_one_standard_error_the_simpler_is_taken():
    """The second is better by .1 in half of the cases: mean .05, standard error .005."""
    n = 100
    base = np.tile([0.2, 0.2], n // 2)
    gain = np.tile([0.1, 0.0], n // 2)
    noise = np.where(np.arange(n) < 55, 0.1, -0.1)  # mean .01, standard error .00999
    noise[0] -= 0.02
    units = [f"u{place}" for place in range(n)]
    simple, better = candidate_of("simple", base), candidate_of("better", base + gain)
    lucky = candidate_of("lucky", base + noise)
    assert simplest([simple, lucky], units).name == "simple"
    assert simplest([simple, better], units).name == "better"
    assert simplest([simple, lucky, better], units).name == "better"
    assert simplest([better, candidate_of("equal", base + gain)], units).name == "better"


def test_standard_error_by_hand():
    values = np.array([1.0, 0.0, 0.0, 1.0])
    by_case = values.std(ddof=1) / 2
    assert standard_error(values, ["a", "b", "c", "d"]) == pytest.approx(by_case)
    # two users with sums 1 and 1 of two cases each: nothing between them differs
    assert standard_error(values, ["a", "a", "b", "b"]) == pytest.approx(0)
    # and here they have 2 and 0, so what they say counts as two values, not as four
    assert standard_error(np.sort(values), ["a", "a", "b", "b"]) == pytest.approx(0.5)


def test_more_cases_choose_than_tune(world):
    config = world_config(behaviour={"kind": "als", "max_cases": 50}, fusion={"max_cases": 20})
    config = config.model_copy(update={"split": SplitConfig(test="last")})
    validation = validation_of(world.positives, config.split)
    context, tuning = make_search_context(validation, world, config, Job(seed=config.seed))
    assert len(context.cases) == 50
    assert len(tuning) == 20
    assert [one.unit for one in context.cases[:20]] == [one.unit for one in tuning]


@pytest.mark.slow
def test_auto_takes_a_network_where_order_tells_and_minutes_are_allowed(tmp_path):
    """After x, y comes one item, after y, x another: what goes with what can't tell them apart."""
    rng = np.random.default_rng(5)
    events = []
    for user in range(500):
        times = iter(range(12))
        for motif in rng.choice(6, 2, replace=False):
            x, y, first, second = range(4 * motif, 4 * motif + 4)
            walk = [x, y, first] if rng.random() < 0.5 else [y, x, second]
            events += [(f"u{user}", row, next(times)) for row in walk]
    dataset = write_dataset(tmp_path / "order", events, n_items=24, time="order")
    training = {"epochs": 40, "patience": 8, "heads": 1, "blocks": 1, "dropout": 0.1}
    section = {"kind": "auto", "factors": 16, "regularization": [1.0], "alpha": [5.0]}
    section |= {"training": {**training, "learning_rate": 0.01}}
    split = {"test": "last"}
    without = select_behaviour(context_of(dataset, world_config(behaviour=section, split=split)))
    assert "sasrec" not in " ".join(without.tried)
    section |= {"network_minutes": 2.0}
    context = context_of(dataset, world_config(behaviour=section, split=split))
    chosen = select_behaviour(context)
    assert chosen.taken.startswith("sasrec")
    assert chosen.tried[chosen.taken] > 1.1 * max(without.tried.values())
    assert refit(chosen, dataset.positives, context).options["kind"] == "sasrec"
    forget_checkpoints(replace(without, taken="als"), dataset.positives, context)
    assert not checkpoint_of("sasrec", context.events, context, None).exists(), "tried, not taken"
    forget_checkpoints(chosen, dataset.positives, context)


def test_the_vectors_that_score_best_are_taken(world):
    """Of two ways to fit, one of them hopeless: a thousandfold ridge leaves nothing."""
    config = world_config(behaviour={"kind": "als", "regularization": [1e9, 1.0]})
    chosen = select_behaviour(context_of(world, config))
    assert chosen.options["regularization"] == 1.0


def test_neighbours_are_left_out_where_they_do_not_help(world, monkeypatch):
    from semrec.behaviour.neighbours import Neighbours

    def useless(kind, matrix, config, options):
        rng = np.random.default_rng(3)
        import scipy.sparse as sp

        noise = rng.random((60, 60)) * (rng.random((60, 60)) < 0.2)
        return Neighbours(weights=sp.csr_matrix(noise, dtype=np.float32), n_seen=60, decay=0.8)

    monkeypatch.setattr(choosing_neighbours, "fit_neighbours", useless)
    chosen = select_behaviour(context_of(world, config_of("als", "ease")))
    assert chosen.neighbours is None
    assert chosen.neighbour_options == {}


def test_neighbours_carry_the_list_where_there_are_no_vectors(world):
    built = semrec.build(world, config=config_of("none", "ease"))
    assert built.manifest["neighbours"]["kind"] == "ease"
    assert built.manifest["behaviour"]["dim"] == 0
    for g in range(6):
        assert own_group_first(built, [item_id(g * GROUP), item_id(g * GROUP + 1)])


def test_ease_is_left_out_with_a_word_where_it_would_be_too_large(world, monkeypatch):
    monkeypatch.setattr(choosing_neighbours, "MAX_ITEMS", 50)
    chosen = select_behaviour(context_of(world, config_of("als", "auto")))
    assert chosen.notes == ("EASE is left out: 60 items have events, it is fitted on at most 50",)
    assert not any(name.startswith("ease") for name in chosen.tried)
    with pytest.raises(ConfigError, match=r"set behaviour\.neighbours\.kind to item_knn"):
        select_behaviour(context_of(world, config_of("als", "ease")))


def test_without_cases_the_first_options_stay(world):
    options = {"kind": "auto", "regularization": [3.0, 1.0], "neighbours": {"kind": "auto"}}
    config = world_config(behaviour=options)
    chosen = select_behaviour(context_of(world, config, cases=[]))
    assert chosen.options["kind"] == "als"
    assert chosen.options["regularization"] == 3.0
    assert chosen.neighbours is None


def test_when_the_time_is_up_what_is_there_is_taken(world):
    config = world_config(behaviour={"kind": "auto", "regularization": [3.0, 1.0]})
    chosen = select_behaviour(context_of(world, config, job=Job(seed=0, deadline=0.0)))
    assert chosen.options["regularization"] == 3.0
    assert sorted(name.split()[0] for name in chosen.tried) == ["als", "als", "item_knn"]


def test_heads_that_do_not_divide_the_factors_are_refused(world):
    with pytest.raises(ConfigError, match=r"behaviour\.factors is 8, expected a multiple"):
        semrec.build(world, config=config_of("sasrec", heads=3))


# --- in an artifact ---


@pytest.mark.parametrize(
    ("kind", "neighbours"),
    [
        *itertools.product(QUICK, ("none", "item_knn", "ease")),
        *(pytest.param(*kind.values, "ease", marks=kind.marks) for kind in TRAINED),
    ],
)
def test_every_kind_answers_the_same_after_loading(world, tmp_path, kind, neighbours):
    built = semrec.build(world, config=config_of(kind, neighbours), out=tmp_path / "a")
    loaded = semrec.load(tmp_path / "a")
    assert loaded.manifest["behaviour"]["kind"] == kind
    for session in (["i03"], ["i03", "i07", "i55"], []):
        for one, other in ((built, loaded), (built.baseline(), loaded.baseline())):
            before = one.recommend(session=session, intent="ghost", k=20)
            after = other.recommend(session=session, intent="ghost", k=20)
            assert [i.item_id for i in before.items] == [i.item_id for i in after.items]
            scores = [[i.score for i in found.items] for found in (before, after)]
            np.testing.assert_allclose(*scores, rtol=1e-5)


@pytest.mark.parametrize("kind", ["auto", "als", *TRAINED])
def test_weight_0_is_the_baseline_whatever_the_model(world, kind):
    built = semrec.build(world, config=config_of(kind, "ease"))
    for session in (["i03"], ["i03", "i07"], []):
        fused = built.recommend(session=session, semantic_weight=0, k=20)
        base = built.baseline().recommend(session=session, k=20)
        assert fused.items == base.items


@pytest.mark.parametrize("kind", TRAINED)
def test_a_trained_model_knows_who_goes_with_whom(world, kind):
    built = semrec.build(world, config=config_of(kind, epochs=30, learning_rate=0.01))
    for g in range(6):
        assert own_group_first(built, [item_id(g * GROUP), item_id(g * GROUP + 1)])
    assert built.manifest["behaviour"]["trained"]["epochs"] >= 1


@pytest.mark.parametrize("kind", TRAINED)
def test_two_builds_with_one_seed_are_the_same(world, kind):
    one, other = (semrec.build(world, config=config_of(kind)) for _ in range(2))
    for session in (["i03"], ["i13", "i14"]):
        first, second = (r.baseline().recommend(session=session, k=20) for r in (one, other))
        assert first.items == second.items


# --- trainings that are cut off ---


class Killed(Exception):
    pass


@pytest.mark.slow
def test_a_killed_build_goes_on_where_its_training_was(world):
    config = config_of("sasrec", epochs=6, patience=6)
    whole = semrec.build(world, config=config)
    seen = []

    def kill(stage, done, total, detail=""):
        if stage == "train sasrec":
            seen.append(done)
            if len(seen) == 4:
                raise Killed

    with pytest.raises(Killed):
        semrec.build(world, config=config, progress=kill)
    left = list((cache_folder() / "training").glob("*"))
    assert len(left) == 1
    first_run, seen[:] = list(seen), []
    again = semrec.build(world, config=config, progress=lambda *step: seen.append(step[:2]))
    started = next(done for stage, done in seen if stage == "train sasrec")
    assert started > first_run[0], "the second run began at the first epoch"
    one, other = (r.baseline().recommend(session=["i03", "i07"], k=20) for r in (whole, again))
    assert one.items == other.items
    assert not list((cache_folder() / "training").glob("*")), "checkpoints are left behind"


@pytest.mark.slow
def test_a_build_goes_on_from_what_train_left(world):
    config = config_of("sasrec")
    context = context_of(world, config)
    chosen = select_behaviour(context)
    refit(chosen, world.positives, context)
    told = []
    built = semrec.build(world, config=config, progress=lambda *step: told.append(step[0]))
    assert "train sasrec" not in told
    assert built.manifest["behaviour"]["epochs"] == chosen.options["epochs"]


@pytest.mark.slow
def test_another_configuration_never_goes_on_from_a_foreign_training(world):
    one, other = (context_of(world, config_of("sasrec", dropout=d)) for d in (0.1, 0.2))
    for context in (one, other):
        select_behaviour(context)
    assert len(list((cache_folder() / "training").glob("sasrec-*"))) == 2
    for context in (one, other):
        forget_checkpoints(select_behaviour(context), context.events, context)
    assert not list((cache_folder() / "training").glob("*"))


# --- odd data ---


def write_dataset(folder, events, n_items=12, time="clock"):
    folder.mkdir()
    items = {"item_id": [f"x{row}" for row in range(n_items)], "title": ["a title"] * n_items}
    users, rows, times = zip(*events, strict=True)
    table = {"user_id": users, "item_id": [f"x{row}" for row in rows], "timestamp": times}
    pq.write_table(pa.table(items), folder / "items.parquet")
    pq.write_table(pa.table(table), folder / "interactions.parquet")
    (folder / "dataset.yaml").write_text(f"name: odd\ntime: {time}\n")
    return read_dataset(folder)


T0 = 1_500_000_000
ODD = {
    "one event": [("u", 0, T0)],
    "one item for every user": [(f"u{n}", n % 3, T0 + n) for n in range(30)],
    "one item again and again": [("u", 0, T0 + n) for n in range(9)] + [("v", 1, T0 + 4)],
    "all at one moment": [(f"u{n}", row, T0) for n in range(9) for row in range(4)],
    "ties within each user": [
        (f"u{n}", (n + r) % 12, T0 + n + r // 2) for n in range(20) for r in range(6)
    ],
    "repeats": [(f"u{n}", (n * r) % 5, T0 + 60 * n + r) for n in range(20) for r in range(7)],
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", [*QUICK, *TRAINED])
def test_odd_data_gives_a_working_recommender(tmp_path, kind, odd):
    dataset = write_dataset(tmp_path / "odd", ODD[odd])
    built = semrec.build(dataset, config=config_of(kind, "auto", epochs=2))
    for session in ([], ["x0"], ["x0", "x0", "x11"], ["nobody knows"]):
        for system in (built, built.baseline()):
            found = system.recommend(session=session, k=12).items
            known = {f"x{row}" for _, row, _ in ODD[odd]}
            nothing_left = system is not built and known <= set(session)
            assert found or nothing_left
            assert np.isfinite([item.score for item in found]).all()


def test_one_person_a_thousand_times_is_less_popular_than_ninety_people(tmp_path):
    """x1 once by each of 90 people, x2 a thousand times by one: x1 is first for everybody."""
    events = [(f"u{n}", 1, T0 + n) for n in range(90)]
    events += [("again", 2, T0 + n) for n in range(1000)]
    events += [(f"u{n}", 3, T0 + 2000 + n) for n in range(30)]
    dataset = write_dataset(tmp_path / "again", events)
    built = semrec.build(dataset, config=config_of("als", "none"))
    popular = tuned_baseline("popularity", dataset.positives, dataset.catalog, config_of("als"))
    (alone,) = popular.recommend_many([Query(k=2)])
    for found in (built.recommend(k=2), built.baseline().recommend(k=2), alone):
        assert [item.item_id for item in found.items] == ["x1", "x3"]


@pytest.mark.parametrize("test", ["last", "time"])
def test_data_with_nothing_to_hold_out_is_refused_with_a_reason_or_split(tmp_path, test):
    dataset = write_dataset(tmp_path / "odd", ODD["all at one moment"])
    config = config_of("als")
    split = config.split.model_copy(update={"test": test})
    config = config.model_copy(update={"split": split})
    if test == "time":
        with pytest.raises(DataError, match="lie after the time cut"):
            semrec.build(dataset, config=config)
    else:
        assert len(semrec.build(dataset, config=config).interactions) == 36


def test_events_that_tie_with_the_validation_cut_are_not_learned_from(tmp_path):
    """Half of all events share the moment of the cut: none of them may be in training."""
    events = [(f"u{n}", row, T0 + 60 * row) for n in range(30) for row in range(6)]
    events += [(f"u{n}", row, T0 + 10_000) for n in range(30) for row in range(6, 9)]
    dataset = write_dataset(tmp_path / "odd", events)
    context = context_of(dataset, config_of("als"))
    assert context.events.timestamps.max() < T0 + 10_000
    assert len(context.cases) == 30
    for case in context.cases:
        assert sorted(case.targets) == [6, 7, 8], "tied events are one target set"
        assert not set(case.targets) & set(case.session.rows)


def test_another_validation_never_goes_on_from_a_foreign_training(world):
    """The cases say when to stop, so a training that other cases stopped is another training."""
    context = context_of(world, config_of("sasrec"))
    other = replace(context, cases=context.cases[::-1])
    names = {checkpoint_of("sasrec", one.events, one, None) for one in (context, other, context)}
    assert len(names) == 2
