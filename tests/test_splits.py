"""Cutting by time: nothing is asked about that was learned from, nothing learns from its future."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from semrec import DataError, Event
from semrec.config import SplitConfig
from semrec.data.catalog import make_catalog
from semrec.data.intents import fold_of, unit_hash
from semrec.data.interactions import Interactions, make_interactions
from semrec.data.splits import (
    SESSION_LENGTHS,
    leave_out_last,
    next_item_cases,
    shorten,
    split_at,
    time_split,
    withhold_items,
)
from semrec.training.validation import validation_of
from semrec.types import Case, Query

ITEMS = "abcdefgh"
CATALOG = make_catalog(pa.table({"item_id": list(ITEMS), "title": list(ITEMS)}), Path("items.csv"))
# User, item and moment; few of each, so that repeats and ties are common.
EVENT = st.tuples(st.sampled_from("uvwx"), st.sampled_from(ITEMS), st.integers(0, 9))
EVENTS = st.lists(EVENT, min_size=1, max_size=40)


def interactions(events, time="clock"):
    columns = dict(zip(("user_id", "item_id", "timestamp"), zip(*events, strict=True), strict=True))
    table = pa.table({name: list(values) for name, values in columns.items()})
    return make_interactions(table, Path("events.csv"), CATALOG, time=time)


def of_user(user, items, start=0):
    return [(user, item, start + place) for place, item in enumerate(items)]


def listed(events):
    """What went into `interactions`, in its order: by user, then time."""
    places = zip(events.users, events.rows, events.timestamps, strict=True)
    return [(events.user_ids[user], ITEMS[row], moment) for user, row, moment in places]


def rng():
    return np.random.default_rng(0)


def cases_of(split, **limits):
    return next_item_cases(split, CATALOG, rng=rng(), **limits)


def session(case):
    return "".join(event.item_id for event in case.query.events)


def test_time_split_keeps_the_newest_share_for_the_test():
    split = time_split(interactions(of_user("u", "abcde") + of_user("v", "abcde", 5)), 0.2)
    assert split.cut == 7
    assert listed(split.train) == of_user("u", "abcde") + of_user("v", "ab", 5)
    assert listed(split.test) == of_user("v", "cde", 7)


def test_events_at_the_moment_of_the_cut_fall_after_it():
    split = split_at(interactions([("u", "a", 1), ("v", "b", 2), ("w", "c", 2), ("x", "d", 3)]), 2)
    assert listed(split.train) == [("u", "a", 1)]
    assert listed(split.test) == [("v", "b", 2), ("w", "c", 2), ("x", "d", 3)]


@given(events=EVENTS, share=st.floats(0.01, 0.99))
def test_a_time_split_leaks_nothing_and_loses_nothing(events, share):
    whole = interactions(events)
    assume(len(set(whole.timestamps)) > 1)
    if np.quantile(whole.timestamps, 1 - share, method="lower") == whole.timestamps.min():
        with pytest.raises(DataError, match="after the time cut"):
            time_split(whole, share)
        return
    split = time_split(whole, share)
    assert split.train.timestamps.max() < split.cut <= split.test.timestamps.min()
    assert Counter(listed(split.train)) + Counter(listed(split.test)) == Counter(listed(whole))
    assert len(split.test) >= int(share * len(whole))


@pytest.mark.parametrize(("cut", "side"), [(0, "after"), (5, "before")])
def test_a_cut_with_all_events_on_one_side_is_refused(cut, side):
    with pytest.raises(DataError, match=f"all 3 events lie {side} the time cut {cut}"):
        split_at(interactions(of_user("u", "abc")), cut)


def test_an_order_refuses_a_time_split():
    with pytest.raises(DataError, match="order within each user; use leave-one-out"):
        time_split(interactions(of_user("u", "abc"), time="order"), 0.1)


def test_leave_out_last_asks_about_the_last_event():
    split = leave_out_last(interactions(of_user("u", "abc") + of_user("v", "de") + [("w", "f", 1)]))
    assert listed(split.train) == [*of_user("u", "ab"), ("v", "d", 0), ("w", "f", 1)]
    assert listed(split.test) == [("u", "c", 2), ("v", "e", 1)]
    assert split.cut is None


def test_leave_out_last_but_one_gives_the_last_event_to_neither_side():
    events = of_user("u", "abcd") + of_user("v", "abc") + of_user("w", "de") + [("x", "f", 1)]
    split = leave_out_last(interactions(events), nth=2)
    assert listed(split.test) == [("u", "c", 2), ("v", "b", 1)]
    assert listed(split.train) == [
        *of_user("u", "ab"),
        ("v", "a", 0),
        *of_user("w", "de"),
        events[-1],
    ]


@given(events=EVENTS, nth=st.sampled_from([1, 2]))
def test_leave_out_last_asks_every_long_user_once_and_learns_from_all_before(events, nth):
    whole = interactions(events, time="order")
    split = leave_out_last(whole, nth)
    for number in range(len(whole.user_ids)):
        own, train, test = (
            e.where(e.users == number).timestamps.tolist() for e in (whole, split.train, split.test)
        )
        moments = sorted(set(own))
        if len(moments) <= nth:
            assert (train, test) == (own, [])
        else:
            asked = moments[-nth]
            assert train == [moment for moment in own if moment < asked]
            assert test == [moment for moment in own if moment == asked]


def test_a_long_history_is_asked_about_up_to_a_share_of_its_moments():
    events = interactions(of_user("u", "abcdefgh") + of_user("v", "abc"))
    split = leave_out_last(events, at_most=3, share=0.25)
    assert listed(split.test) == [("u", "g", 6), ("u", "h", 7), ("v", "c", 2)]
    assert listed(split.train) == [*of_user("u", "abcdef"), *of_user("v", "ab")]
    assert listed(leave_out_last(events, at_most=3, share=0.9).test)[:3] == [
        ("u", "f", 5),
        ("u", "g", 6),
        ("u", "h", 7),
    ]
    before = leave_out_last(events, nth=2, at_most=9, share=0.9)
    assert [row for row in listed(before.train) if row[0] == "u"] == of_user("u", "a")
    last = cases_of(split)[1]
    assert (session(last), last.relevant) == ("abcdefg", ("h",)), "what came between is known"


@pytest.mark.parametrize(("users", "moments"), [(20_000, 1), (5_000, 2), (10, 10)])
def test_few_users_validate_by_more_moments_each(users, moments):
    """A hundred moments each: a tenth of them at most, and no more than make 10,000 cases."""
    who = np.repeat(np.arange(users), 100)
    events = Interactions(
        user_ids=tuple(f"u{n}" for n in range(users)),
        users=who,
        rows=np.zeros(len(who), np.int64),
        timestamps=np.tile(np.arange(100.0), users),
        weights=np.ones(len(who), np.float32),
        clock=False,
        n_items=1,
    )
    split = validation_of(events, SplitConfig(test="last"))
    assert (np.bincount(split.test.users) == moments).all()


@pytest.mark.parametrize(("n_new", "by_time"), [(199, False), (200, True)])
def test_few_users_of_the_newest_time_dont_validate_alone(n_new, by_time):
    """1,000 users of old, of whom `n_new` come back in the newest time."""
    n_old, length = 1000, 10
    users = np.repeat(np.arange(n_old), length)
    times = np.tile(np.arange(float(length)), n_old)
    n_late = 1200  # events, some tenth of all
    who = np.sort(np.concatenate([users, np.arange(n_late) % n_new]))
    when = np.concatenate(
        [
            np.concatenate(
                [times[users == u], 100 + np.flatnonzero(np.arange(n_late) % n_new == u)]
            )
            for u in range(n_old)
        ]
    )
    events = Interactions(
        user_ids=tuple(f"u{n}" for n in range(n_old)),
        users=who,
        rows=np.zeros(len(who), np.int64),
        timestamps=when,
        weights=np.ones(len(who), np.float32),
        clock=True,
        n_items=1,
    )
    split = validation_of(events, SplitConfig())
    assert len(set(split.test.users.tolist())) == (n_new if by_time else n_old)
    assert (split.cut is not None) == by_time


def test_events_that_tie_at_the_end_are_one_target_set():
    split = leave_out_last(interactions([*of_user("u", "abc"), ("u", "d", 2)]))
    assert listed(split.test) == [("u", "c", 2), ("u", "d", 2)]
    assert listed(split.train) == of_user("u", "ab")


def test_next_item_cases_ask_for_each_moment_given_all_before():
    events = [*of_user("u", "abcd"), ("u", "e", 3), ("v", "f", 0), ("w", "g", 9)]
    first, second, third = cases_of(split_at(interactions(events), 2))
    assert first == Case(case_id="u@2", query=Query(session=["a", "b"]), relevant=("c",), unit="u")
    assert (session(second), second.relevant) == ("abc", ("d", "e"))
    assert (session(third), third.relevant, third.unit) == ("", ("g",), "w")


def test_a_target_that_the_user_already_had_stays_relevant():
    (case,) = cases_of(split_at(interactions(of_user("u", "aba")), 2))
    assert session(case) == "ab"
    assert case.relevant == ("a",)


def test_an_item_touched_twice_at_one_moment_is_one_target():
    (case,) = cases_of(split_at(interactions([("u", "a", 1), ("u", "b", 2), ("u", "b", 2)]), 2))
    assert case.relevant == ("b",)


def test_what_is_too_old_for_the_session_is_excluded():
    (case,) = cases_of(split_at(interactions(of_user("u", "abcde")), 4), max_session=3)
    assert session(case) == "bcd"
    assert case.query.exclude == ("a",)


def test_some_cases_are_drawn_as_if_all_had_been_made():
    split = split_at(interactions([*of_user("u", "abcdef"), *of_user("v", "fedcba")]), 2)
    drawn = np.random.default_rng(0)
    every = next_item_cases(split, CATALOG, max_targets=3, rng=drawn)
    wanted = [every[place] for place in drawn.permutation(len(every))[:4]]
    assert len(every) == 6
    assert cases_of(split, max_targets=3, at_most=4) == wanted


def test_moments_of_a_fraction_of_a_second_have_names_of_their_own():
    events = [("u", "a", 1.0), ("u", "b", 1_500_000_000.25), ("u", "c", 1_500_000_000.5)]
    cases = cases_of(split_at(interactions(events), 2))
    assert [case.case_id for case in cases] == ["u@1500000000.25", "u@1500000000.5"]


@given(
    events=EVENTS, cut=st.integers(1, 9), max_targets=st.integers(1, 4), length=st.integers(1, 5)
)
def test_no_case_knows_its_own_moment_or_later(events, cut, max_targets, length):
    whole = interactions(events)
    assume(whole.timestamps.min() < cut <= whole.timestamps.max())
    cases = cases_of(split_at(whole, cut), max_targets=max_targets, max_session=length)
    assert len({case.case_id for case in cases}) == len(cases)
    asked = Counter(case.unit for case in cases)
    moments = Counter(
        u for u, _ in {(u, moment) for u, _, moment in listed(whole) if moment >= cut}
    )
    assert asked == {user: min(n, max_targets) for user, n in moments.items()}
    for case in cases:
        moment = int(case.case_id.split("@")[1])
        own = [(item, at) for user, item, at in listed(whole) if user == case.unit]
        before = "".join(item for item, at in own if at < moment)
        assert set(case.relevant) == {item for item, at in own if at == moment}
        assert len(session(case)) <= length
        assert "".join(case.query.exclude) + session(case) == before


def test_the_same_seed_draws_the_same_moments():
    split = split_at(interactions(of_user("u", "abcdefgh")), 1)
    assert cases_of(split, max_targets=3) == cases_of(split, max_targets=3)
    assert len(cases_of(split, max_targets=3)) == 3
    assert len(cases_of(split)) == 7


@given(events=EVENTS, share=st.floats(0, 1))
def test_withheld_items_leave_no_event_behind(events, share):
    whole = interactions(events)
    split = withhold_items(whole, share, rng())
    cold, touched = set(split.test.rows), set(whole.rows)
    assert len(cold) == max(1, round(share * len(touched)))
    assert not cold & set(split.train.rows)
    assert Counter(listed(split.train)) + Counter(listed(split.test)) == Counter(listed(whole))


def test_sessions_before_a_withheld_item_are_in_the_order_of_time():
    events = interactions(of_user("u", "abcdefgh"))
    for case in cases_of(withhold_items(events, 0.4, rng()), max_session=3):
        moment = int(case.case_id.split("@")[1])
        assert "".join(case.query.exclude) + session(case) == "abcdefgh"[:moment]
        assert len(session(case)) == min(moment, 3)


def test_shorten_keeps_the_newest_items_and_excludes_the_rest():
    long = [f"i{place}" for place in range(40)]
    query = Query(session=[*long[:-1], Event("i39", "like")], exclude=["older"])
    cases = [Case(case_id=str(n), query=query, relevant=("z",), unit="u") for n in range(200)]
    shortened = shorten(cases, rng())
    assert {len(case.query.events) for case in shortened} == set(SESSION_LENGTHS)
    for case in shortened:
        kept = len(case.query.events)
        assert case.query.events == query.events[-kept:]
        assert case.query.exclude == ("older", *long[:-kept])
        assert (case.relevant, case.unit) == (("z",), "u")


def test_shorten_leaves_short_sessions_whole():
    case = Case(case_id="1", query=Query(session=["a"]), relevant=("b",), unit="u")
    empty = Case(case_id="2", query=Query(intent="words"), relevant=("b",), unit="u")
    assert shorten([case, empty], rng()) == [case, empty]


@given(unit=st.text(), folds=st.integers(1, 10))
def test_a_unit_is_always_in_the_same_fold(unit, folds):
    assert fold_of(unit, folds) == fold_of(unit, folds) == int(unit_hash(unit), 16) % folds
    assert 0 <= fold_of(unit, folds) < folds


def test_folds_are_the_same_in_every_process_and_about_even():
    assert unit_hash("dialog-1") == "9187442fd2d85742"
    assert [fold_of(f"dialog-{n}", 5) for n in range(8)] == [3, 4, 1, 0, 2, 2, 0, 3]
    counts = Counter(fold_of(str(n), 5) for n in range(1000))
    assert sorted(counts) == [0, 1, 2, 3, 4]
    assert min(counts.values()) > 150
