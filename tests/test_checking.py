"""Checks of a dataset: found before a build works, with counts, examples and advice."""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import semrec
from semrec import DataError
from semrec.cli import main
from semrec.data.checking import check
from semrec.data.dataset import read_dataset


@pytest.fixture
def folder(tmp_path):
    """A dataset that nothing is wrong with, but that few people are in it."""
    events = [(f"u{n % 20}", f"i{n % 7}", 1_500_000_000 + n) for n in range(100)]
    users, items, times = map(list, zip(*events, strict=True))
    table = {"user_id": users, "item_id": items, "timestamp": times}
    pq.write_table(pa.table(table), tmp_path / "interactions.parquet")
    write_items(tmp_path, [f"Film {n}" for n in range(7)])
    return tmp_path


def write_items(folder, titles):
    table = {"item_id": [f"i{n}" for n in range(7)], "title": titles}
    pq.write_table(pa.table(table), folder / "items.parquet")


def findings(folder):
    return [(finding.level, str(finding)) for finding in check(read_dataset(folder))]


def test_a_good_dataset_has_no_errors(folder):
    assert findings(folder) == [("warning", "only 20 users: weights tuned on so few are uncertain")]


def test_a_catalogue_without_any_text_is_told(folder):
    write_items(folder, [""] * 7)
    told = findings(folder)
    assert any("no item has a title or a text" in text for _, text in told)
    assert any("--rename FOUND=title" in text for _, text in told)


@pytest.mark.parametrize(
    ("relevant", "level", "part"),
    [
        ("i1.0", "error", "did you mean 'i1'?"),
        ("i1 nowhere", "warning", "1 of 2 ids aren't in the catalogue"),
        ('["i1", "nowhere"]', "warning", "1 of 2 ids aren't in the catalogue"),
        ("i1,i2", None, ""),
        ("i1|i2", None, ""),
    ],
)
def test_requests_are_held_against_the_catalogue(folder, relevant, level, part):
    quoted = relevant.replace('"', '""')
    (folder / "intents.csv").write_text(
        f'intent_id,text,session,relevant\n1,heist,,"{quoted}"\n', encoding="utf-8"
    )
    told = [(lev, text) for lev, text in findings(folder) if "intents.csv" in text]
    assert [lev for lev, _ in told] == [level] * (level is not None)
    assert all(part in text for _, text in told)


def test_a_build_refuses_what_validate_calls_an_error(folder):
    (folder / "intents.csv").write_text("intent_id,text,session,relevant\n1,heist,,nowhere\n")
    with pytest.raises(DataError, match=r"1 of 1 ids aren't in the catalogue.*'nowhere'"):
        semrec.build(folder)


@pytest.mark.parametrize(("relevant", "code"), [("i1", 0), ("nowhere", 1)])
def test_validate_prints_what_it_found_and_leaves_with_its_verdict(
    folder, monkeypatch, capsys, relevant, code
):
    (folder / "intents.csv").write_text(
        f"intent_id,text,session,relevant\n1,heist,,{relevant}\n", encoding="utf-8"
    )
    monkeypatch.setenv("COLUMNS", "500")
    for options in ((), ("--json",)):
        monkeypatch.setattr(sys, "argv", ["semrec", "data", "validate", str(folder), *options])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == code
        printed = capsys.readouterr().out
        if options:
            report = json.loads(printed)
            assert report["valid"] is (code == 0)
            assert report["findings"][0]["advice"] or code == 0
        else:
            verdict = "valid" if code == 0 else "not valid"
            assert f": {verdict}: 7 items, 100 interactions" in printed


def test_times_that_are_all_the_same_are_told(folder):
    table = {"user_id": ["u", "u"], "item_id": ["i1", "i2"], "timestamp": [1_500_000_000] * 2}
    pq.write_table(pa.table(table), folder / "interactions.parquet")
    assert any("all interactions have the same time" in text for _, text in findings(folder))
