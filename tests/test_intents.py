"""Files of requests: read from every format, never the test rows for training."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semrec import DataError
from semrec.data.intents import (
    cases_from,
    of_groups,
    read_cases,
    refuse_seen,
    unit_hash,
    unit_hashes,
)
from semrec.types import Case, Query

COLUMNS = {
    "intent_id": ["1", "2", "3"],
    "text": ["a quiet film", "", "ghosts"],
    "session": [["i01", "i02"], ["i03"], []],
    "relevant": [["i04"], ["i05", "i06"], []],
    "dialog_id": ["d1", "d2", "d1"],
    "split": ["train", "test", ""],
}
CASES = [
    Case(
        case_id="1",
        query=Query(intent="a quiet film", session=["i01", "i02"]),
        relevant=("i04",),
        unit="d1",
    ),
    Case(case_id="2", query=Query(session=["i03"]), relevant=("i05", "i06"), unit="d2"),
    Case(case_id="3", query=Query(intent="ghosts"), relevant=(), unit="d1"),
]


@pytest.fixture
def file(tmp_path):
    """Writes an intents file: text as it is, columns as parquet."""

    def _file(content, name="intents.parquet"):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            pq.write_table(pa.table(content), path)
        return path

    return _file


def without(*names):
    return {name: values for name, values in COLUMNS.items() if name not in names}


def test_lists_are_read_from_parquet(file):
    assert read_cases(file(COLUMNS)) == CASES


def test_lists_are_read_from_json_lines(file):
    lines = (
        '{"intent_id": 1, "text": "a quiet film", "session": ["i01", "i02"],'
        ' "relevant": ["i04"], "dialog_id": "d1"}\n'
        '{"intent_id": 2, "text": null, "session": ["i03"],'
        ' "relevant": ["i05", "i06"], "dialog_id": "d2"}\n'
        '{"intent_id": 3, "text": "ghosts", "session": [], "relevant": null, "dialog_id": "d1"}\n'
    )
    assert read_cases(file(lines, "intents.jsonl")) == CASES


def test_ids_in_a_csv_are_separated_by_spaces(file):
    lines = (
        "intent_id,text,session,relevant,dialog_id,split\n"
        "1,a quiet film,i01 i02,i04,d1,train\n"
        "2,,i03,i05  i06 ,d2,test\n"
        "3,ghosts,,,d1,\n"
    )
    assert read_cases(str(file(lines, "intents.csv"))) == CASES


def test_numbers_in_a_csv_stay_the_ids_and_words_they_were(file):
    (case,) = read_cases(file("intent_id,text,session,relevant\n01,1984,007,0010\n", "intents.csv"))
    assert (case.case_id, case.unit, case.query.intent) == ("01", "01", "1984")
    assert [event.item_id for event in case.query.events] == ["007"]
    assert case.relevant == ("0010",)


def test_integer_ids_become_text(file):
    columns = {"intent_id": [1], "text": ["x"], "session": [[7, 8]], "relevant": [[9]]}
    (case,) = read_cases(file(columns))
    assert case == Case(
        case_id="1", query=Query(intent="x", session=["7", "8"]), relevant=("9",), unit="1"
    )


def test_test_rows_are_never_read_for_training(file):
    assert read_cases(file(COLUMNS), for_training=True) == [CASES[0], CASES[2]]
    assert read_cases(file(without("split")), for_training=True) == CASES


def test_a_request_without_a_dialog_is_its_own_unit(file):
    assert [case.unit for case in read_cases(file(without("dialog_id")))] == ["1", "2", "3"]
    some = {**COLUMNS, "dialog_id": ["d1", None, ""]}
    assert [case.unit for case in read_cases(file(some))] == ["d1", "2", "3"]


@pytest.mark.parametrize("name", ["intent_id", "text", "session", "relevant"])
def test_a_missing_column_is_named_with_its_file(file, name):
    with pytest.raises(DataError, match=rf"intents\.parquet: column '{name}' is missing"):
        read_cases(file(without(name)))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"intent_id": ["1", "2", "1"]}, r"1 doubled values in 'intent_id'; they must be unique"),
        ({"intent_id": ["1", None, "3"]}, r"row 2, column 'intent_id': found nothing"),
        ({"session": [1.5, 2.5, 3.5]}, r"column 'session' is double, expected a list of item ids"),
        ({"relevant": [[1.0], [], []]}, r"column 'relevant' is list<.*double>, expected a list"),
        ({"text": [["a"], ["b"], ["c"]]}, r"column 'text' is list.*, expected text"),
        ({"session": [["i01"], [], ["i02", ""]]}, r"row 3: session holds '', expected an id"),
        ({"text": ["a", "b", "x" * 100_001]}, r"row 3: intent has 100001 characters"),
        ({"split": ["test"] * 3}, r"found no requests, expected at least one"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(file, columns, message):
    with pytest.raises(DataError, match=r"intents\.parquet: " + message):
        read_cases(file({**COLUMNS, **columns}), for_training=True)


def test_a_file_that_is_not_there_or_no_table_is_refused(file, tmp_path):
    with pytest.raises(DataError, match=r"none\.parquet: no such file"):
        read_cases(tmp_path / "none.parquet")
    with pytest.raises(DataError, match=r"intents\.txt: column 'intent_id' is missing"):
        read_cases(file("words", "intents.txt"))


def test_unit_hashes_name_every_dialog_once():
    assert unit_hashes(CASES) == sorted([unit_hash("d1"), unit_hash("d2")])
    assert unit_hashes([]) == []


def test_cases_from_dialogs_that_a_system_was_trained_on_are_refused():
    seen = {"rules": [], "tuned": [unit_hash("d2"), unit_hash("d9")]}
    with pytest.raises(DataError, match=r"1 of the 2 dialogs in these cases .* train 'tuned'"):
        refuse_seen(CASES, seen)
    refuse_seen(CASES[::2], seen)
    refuse_seen(CASES, {})


@pytest.mark.parametrize("for_training", [True, False])
def test_a_dialog_in_both_halves_is_refused(file, for_training):
    divided = {**COLUMNS, "dialog_id": ["d1", "d1", "d2"]}
    with pytest.raises(DataError, match="'d1' has rows in the test split and outside of it"):
        read_cases(file(divided), for_training=for_training)


def test_turns_are_read_where_the_file_has_them(file):
    assert [case.turn for case in read_cases(file({**COLUMNS, "turn": [2, 1, None]}))] == [
        2,
        1,
        None,
    ]
    with pytest.raises(DataError, match="column 'turn' is double, expected whole numbers"):
        read_cases(file({**COLUMNS, "turn": [1.5, 2, 3]}))


# --- topics ---


def test_a_topic_column_makes_topic_cases(file):
    topics = ["quiet", None, ""]
    assert [case.topic for case in read_cases(file({**COLUMNS, "topic": topics}))] == [
        "quiet",
        None,
        None,
    ]
    nothing = pa.array([None] * 3, pa.null())
    assert read_cases(file({**COLUMNS, "topic": nothing})) == CASES
    assert [case.topic for case in CASES] == [None] * 3


def test_cases_come_from_one_file_from_several_or_as_they_are(file):
    one, two = file(COLUMNS), file(COLUMNS, "more.parquet")
    assert cases_from(one) == cases_from(str(one)) == cases_from(CASES) == CASES
    assert cases_from([one, str(two)]) == [*CASES, *CASES]
    assert cases_from([one, CASES[:1]]) == [*CASES, CASES[0]]


def grouped(*units, topic="t"):
    return [
        Case(case_id=unit, query=Query(intent="x"), relevant=("i01",), unit=unit, topic=topic)
        for unit in units
    ]


def test_groups_are_odd_or_even_by_their_last_digit():
    cases = grouped("g1", "g10", "g21", "g1")
    assert [case.unit for case in of_groups(cases, "odd")] == ["g1", "g21", "g1"]
    assert [case.unit for case in of_groups(cases, "even")] == ["g10"]
    assert of_groups(cases, "all") == cases
    liked = grouped("d2", "d3", topic=None)
    assert [case.unit for case in of_groups(liked, "odd")] == ["d3"]


def test_beside_topics_what_was_liked_stays_whole():
    cases = [*grouped("g1", "g2"), *grouped("d2", "someone", topic=None)]
    assert [case.unit for case in of_groups(cases, "odd")] == ["g1", "d2", "someone"]


@pytest.mark.parametrize(
    ("units", "groups", "message"),
    [
        (("g1", "gx"), "odd", "end in a number, found 'gx'"),
        (("g1",), "even", "none of the 1 cases"),
        (("g1",), "od", "expected odd, even or all"),
    ],
)
def test_groups_that_make_no_sense_are_refused(units, groups, message):
    with pytest.raises(DataError, match=message):
        of_groups(grouped(*units), groups)
