"""Dialogs replayed: feedback reaches the next turn, success is counted once, limits are kept."""

import pytest
from conftest import item_id

from semrec import Case, Query
from semrec.errors import DataError
from semrec.evaluate.replay import TURNS, replay_dialogs


def turn(unit, number, relevant=(), intent="", session=()):
    return Case(
        case_id=f"{unit}-{number}",
        query=Query(intent=intent, session=session),
        relevant=tuple(relevant),
        unit=unit,
        turn=number,
    )


def by_turn(replay, system):
    (found,) = [one for one in replay.systems if one.system == system]
    return [round(one.mean, 6) for one in found.success]


def offers(*items):
    """Shows the first of `items` that wasn't rejected."""

    def system(query):
        rejected = {event.item_id for event in query.events if event.type == "reject"}
        return [item for item in items if item not in rejected][: query.k]

    return system


def test_what_was_shown_in_vain_is_rejected_and_what_is_right_ends_the_dialog():
    dialog = [turn("d", 3, ["c"]), turn("d", 1, ["b"]), turn("d", 8, ["z"])]
    systems = {
        "learns": offers("a", "c"),
        "stubborn": lambda query: ["a"],
        "at once": offers("b"),
    }
    found = replay_dialogs(systems, dialog, k=1)
    assert by_turn(found, "learns") == [0, 1, 1, 1, 1]
    assert by_turn(found, "stubborn") == [0] * TURNS
    assert by_turn(found, "at once") == [1] * TURNS
    assert found.reached == (1, 1, 1, 0, 0)


def test_what_turns_out_right_later_is_no_failure():
    dialog = [turn("d", 1), turn("d", 2, ["b"])]
    assert by_turn(replay_dialogs({"early": offers("b")}, dialog, k=1), "early")[0] == 1
    late = [turn("d", 1, ["b"]), turn("d", 2)]
    asked = replay_dialogs({"late": offers("x", "b")}, late, k=1)
    assert by_turn(asked, "late") == [0] * TURNS  # by then nothing is right any more


def test_what_the_person_takes_up_is_not_rejected():
    seen = []

    def system(query):
        seen.append([(event.item_id, event.type) for event in query.events])
        return ["a", "b"]

    replay_dialogs({"s": system}, [turn("d", 1), turn("d", 2, ["c"], session=["a"])], k=2)
    assert seen == [[], [("a", "view"), ("b", "reject")]]


def test_an_item_in_the_session_is_no_success():
    dialog = [turn("d", 1, ["a"], session=["a"])]
    assert by_turn(replay_dialogs({"echo": offers("a")}, dialog, k=1), "echo") == [0] * TURNS


def test_limits_are_kept_by_who_reads_them(rec):
    """ "Before 1980" holds on; the systems are judged by the same reading."""
    first = "no ghost story, please"
    dialogs = [
        one
        for n in range(6)
        for one in (
            turn(f"d{n}", 1, intent=first),
            turn(f"d{n}", 2, [item_id(n)], f"{first} something else", [item_id(n)]),
        )
    ]
    found = replay_dialogs({"baseline": rec.baseline(), "fused": rec}, dialogs, k=10)
    kept = {one.system: one.kept for one in found.systems}
    assert found.n_limited == 6
    assert kept["fused"].mean == 1
    assert kept["baseline"].mean < 1
    assert kept["baseline"].low <= kept["baseline"].mean <= kept["baseline"].high
    (alone,) = replay_dialogs({"mine": offers("i01")}, dialogs, k=1).systems
    assert alone.kept is None  # nobody is there who reads limits


def test_a_limit_that_is_taken_back_is_not_asked_for(rec):
    dialog = [turn("d", 1, intent="only films before 1980"), turn("d", 2, ["i01"], "after 1990")]
    assert replay_dialogs({"fused": rec}, dialog).n_limited in (0, 1)
    same = [turn("d", 1, intent="hello"), turn("d", 2, ["i01"], "films before 1980")]
    assert replay_dialogs({"fused": rec}, same).n_limited == 0  # not stated earlier


def test_cases_that_are_no_turns_are_refused():
    alone = Case(case_id="1", query=Query(), relevant=("a",), unit="u")
    with pytest.raises(DataError, match="a column `turn` beside `dialog_id`"):
        replay_dialogs({"s": offers("a")}, [alone])
