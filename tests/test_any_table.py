"""Any table of ids, times and labels is imported as it was, or each row that isn't is counted."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from semrec import DataError
from semrec.data.cells import NO_LABEL, NO_TEXT
from semrec.data.import_report import ImportOptions
from semrec.data.imports import import_files

# Ids that a table can hold: without line ends, and not what a merge makes of whole numbers.
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"])
IDS = st.text(LETTERS, min_size=1, max_size=12).filter(lambda text: not text.endswith(".0"))
CELLS = {
    "user": st.one_of(st.none(), IDS),
    "item": st.one_of(st.none(), st.just("nowhere"), st.sampled_from(["a", "b", "007", "ü;|,x"])),
    "time": st.one_of(
        st.none(), st.just("soon"), st.integers(0, 9_999), st.integers(100_000_000, 2_000_000_000)
    ),
    "rating": st.one_of(st.just("good"), st.sampled_from([0.5, 1, 3.5, 5])),
}
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=12)
FORMS = st.one_of(
    st.tuples(
        st.just("csv"),
        st.sampled_from([",", ";", "\t", "|"]),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ),
    st.tuples(st.sampled_from(["jsonl", "json", "parquet"]), st.just(""), st.just("utf-8")),
)


def write(folder, rows, form, codec):
    kind, separator, encoding = form
    path = folder / f"rows.{kind}"
    if kind == "parquet":
        columns = {name: [row[name] for row in rows] for name in CELLS}
        texts = {name: [None if v is None else str(v) for v in of] for name, of in columns.items()}
        pq.write_table(pa.table({n: pa.array(of, pa.string()) for n, of in texts.items()}), path)
        return path
    if kind == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(CELLS), delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
        data = text.getvalue().encode(encoding)
    elif kind == "jsonl":
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    else:
        data = json.dumps(rows).encode()
    if codec == "none":
        path.write_bytes(data)
    else:
        with pa.CompressedOutputStream(str(path), codec) as out:
            out.write(data)
    return path


def usable(row):
    return (
        row["user"] is not None
        and row["item"] not in (None, "nowhere")
        and row["time"] not in (None, "soon")
        and row["rating"] != "good"
    )


BACKSLASH = {"user": "\\", "item": "a", "time": 0, "rating": 0.5}


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(
    rows=[{**BACKSLASH, "user": None, "rating": "good"}, {**BACKSLASH, "user": "0"}, BACKSLASH],
    form=("csv", ",", "utf-8"),
    codec="none",
)
@example(rows=[{**BACKSLASH, "user": None}, BACKSLASH], form=("csv", ";", "utf-8"), codec="gzip")
@given(rows=ROWS, form=FORMS, codec=st.sampled_from(["none", "gzip", "zstd", "bz2"]))
def test_every_row_comes_back_or_is_counted(rows, form, codec):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        goods = folder / "goods.csv"
        goods.write_text('item,title\na,A\nb,B\n007,C\n"ü;|,x",D\n', encoding="utf-8")
        path = write(folder, rows, form, codec)
        kept = [row for row in rows if usable(row)]
        try:
            report = import_files([path, goods], folder / "out", ImportOptions(positive_weight=0))
        except DataError:
            if kept:
                raise
            return
        found, ids = report.dataset.interactions, report.dataset.catalog.item_ids
        assert sum(left.count for left in report.left_out) == len(rows) - len(kept)
        came = sorted(
            zip(
                (found.user_ids[user] for user in found.users),
                (ids[row] for row in found.rows),
                found.timestamps.tolist(),
                found.weights.tolist(),
                strict=True,
            )
        )
        assert came == sorted((r["user"], r["item"], r["time"], r["rating"]) for r in kept)


LABELS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=8).filter(
    lambda word: word not in NO_LABEL | NO_TEXT
)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "genres": st.one_of(st.none(), st.lists(LABELS, max_size=4, unique=True)),
            "stock": st.one_of(
                st.none(), st.just("plenty"), st.integers(-99, 9_999), st.sampled_from([0.5, 7.25])
            ),
            "maker": st.one_of(st.none(), LABELS.map("by {}".format)),
        }
    ),
    min_size=1,
    max_size=25,
)
AS_CELLS = {
    "json": json.dumps,
    "json, unescaped": lambda labels: json.dumps(labels, ensure_ascii=False),
    "python": repr,
    **{sign: sign.join for sign in "|;,/"},
}


def write_items(path, items, form, lists):
    """The items; their labels as lists where the form has any, else in a cell."""
    rows = [{"item_id": f"n{n}", "title": f"T{n}", **item} for n, item in enumerate(items)]
    if form[0] in ("jsonl", "json"):
        text = (
            json.dumps(rows)
            if form[0] == "json"
            else "".join(map("{}\n".format, map(json.dumps, rows)))
        )
        path.write_text(text, encoding="utf-8")
    elif form[0] == "parquet":
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        columns["stock"] = [None if value is None else str(value) for value in columns["stock"]]
        types = {"genres": pa.list_(pa.string())}
        made = {n: pa.array(of, types.get(n, pa.string())) for n, of in columns.items()}
        pq.write_table(pa.table(made), path)
    else:
        cell = AS_CELLS[lists]
        told = [{**r, "genres": None if r["genres"] is None else cell(r["genres"])} for r in rows]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), delimiter=form[1], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(told)
        path.write_bytes(text.getvalue().encode(form[2]))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=ITEMS, form=FORMS, lists=st.sampled_from(sorted(AS_CELLS)))
def test_every_value_of_an_item_comes_back_or_is_counted(items, form, lists):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, seen = folder / f"goods.{form[0]}", folder / "seen.csv"
        write_items(path, items, form, lists)
        events = "".join(f"u,n{n},1600000000\n" for n in range(len(items)))
        seen.write_text(f"user,item,time\n{events}", encoding="utf-8")
        splits = {"genres": lists} if form[0] == "csv" and len(lists) == 1 else {}
        report = import_files([path, seen], folder / "out", ImportOptions(splits=splits))
        lost = 0
        for row, item in enumerate(items):
            record = report.dataset.catalog.record(row)
            assert (record["item_id"], record["title"]) == (f"n{row}", f"T{row}")
            assert record.get("genres", []) == (item["genres"] or [])
            assert record.get("maker") == item["maker"]
            kept = record.get("stock")
            if item["stock"] is None:
                assert kept is None
            elif kept is None:
                lost += 1
            elif isinstance(kept, str):
                assert kept == str(item["stock"])
            else:
                assert kept == item["stock"]
        assert sum(left.count for left in report.left_out) == lost
