"""The script that makes cases of topics within a taste, on planted events."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import topics_within_taste
from topics_within_taste import cases_within_taste

from semrec.data.dataset import read_dataset
from semrec.data.intents import read_cases
from semrec.data.splits import split_at, time_split
from semrec.types import Case, Query

FILMS = [f"f{n}" for n in range(12)]
EVENTS = {  # user → films before the cut, and after it
    "1": (["f0", "f1", "f2"], ["f5", "f6", "f7"]),
    "2": (["f3"], ["f8"]),  # carries no topic
    "3": ([], ["f5"]),  # nothing to know them by
    "4": (["f5", "f4"], ["f6"]),
}


def topic(name, relevant, unit, session=()):
    words = f"a film about {name}" if not session else f"{name}, after these"
    return Case(
        case_id=f"{name} {len(session)}",
        query=Query(intent=words, session=session),
        relevant=relevant,
        unit=unit,
        topic=name,
    )


TOPICS = [
    topic("war", ("f5", "f6", "f9"), "g1", session=("f11",)),
    topic("war", ("f5", "f6", "f9"), "g1"),
    topic("love", ("f7", "f0"), "g3"),
    topic("peace", ("f6",), "g5"),
    topic("rain", ("f5", "f7"), "g2"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taste") / "data"
    folder.mkdir()
    pq.write_table(pa.table({"item_id": FILMS, "title": FILMS}), folder / "items.parquet")
    rows = [
        (user, film, 1_000_000_000 + 1_000_000 * late + place)
        for user, halves in EVENTS.items()
        for late, films in enumerate(halves)
        for place, film in enumerate(films)
    ]
    names = ("user_id", "item_id", "timestamp")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "interactions.parquet")
    (folder / "dataset.yaml").write_text("name: taste\ntime: clock\n")
    return folder


def made(folder, topics, **options):
    dataset = read_dataset(folder)
    split = split_at(dataset.positives, 1_000_500_000)
    return cases_within_taste(split, dataset.catalog, topics, **options)


def test_what_is_right_was_liked_after_the_cut_and_carries_the_topic(folder):
    cases = made(folder, TOPICS)
    assert {case.case_id: case.relevant for case in cases} == {
        "1: love": ("f7",),
        "1: peace": ("f6",),
        "1: rain": ("f5", "f7"),
        "1: war": ("f5", "f6"),
        "4: peace": ("f6",),
        "4: war": ("f6",),  # f5 was liked before
    }
    first = cases[0]
    assert first.query.intent == "a film about love"
    assert [event.item_id for event in first.query.events] == ["f0", "f1", "f2"]
    assert (first.unit, first.topic) == ("1", None)
    assert {c.query.intent for c in cases if "war" in c.case_id} == {"a film about war"}


def test_of_a_user_there_are_only_so_many_topics_and_events(folder):
    cases = made(folder, TOPICS, most_topics=2, most_events=1)
    assert [case.unit for case in cases] == ["1", "1", "4", "4"]
    assert [event.item_id for event in cases[0].query.events] == ["f2"]  # the newest
    assert cases == made(folder, TOPICS, most_topics=2, most_events=1)
    drawn = {
        tuple(c.case_id for c in made(folder, TOPICS, most_topics=2, seed=seed))
        for seed in range(8)
    }
    assert len(drawn) > 1


def test_the_script_writes_cases_of_odd_groups_at_the_usual_cut(
    folder, tmp_path, monkeypatch, capsys
):
    topics, out = tmp_path / "topics.parquet", tmp_path / "taste.parquet"
    table = {
        "intent_id": [case.case_id for case in TOPICS],
        "dialog_id": [case.unit for case in TOPICS],
        "text": [case.query.intent for case in TOPICS],
        "session": [[event.item_id for event in case.query.events] for case in TOPICS],
        "relevant": [list(case.relevant) for case in TOPICS],
        "topic": [case.topic for case in TOPICS],
        "split": ["test"] * len(TOPICS),
    }
    pq.write_table(pa.table(table), topics)
    monkeypatch.setattr(sys, "argv", ["x", str(folder), str(topics), str(out)])
    topics_within_taste.main()
    cases = read_cases(out)
    dataset = read_dataset(folder)
    want = cases_within_taste(time_split(dataset.positives, 0.1), dataset.catalog, TOPICS[:4])
    assert cases == want
    assert all("rain" not in case.case_id for case in cases)
    assert f"{len(cases)} cases" in capsys.readouterr().out
