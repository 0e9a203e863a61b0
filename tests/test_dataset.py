"""Dataset folders: the same from every format, and every bad input refused with its place."""

import gzip
import json
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from conftest import N_ITEMS
from hypothesis import given
from hypothesis import strategies as st

from semrec import ArtifactError, DataError, QueryError
from semrec.data.attributes import Labels, Numbers, make_attribute
from semrec.data.dataset import Tag, describe, read_dataset
from semrec.data.interactions import Interactions, load_interactions

ITEMS = {"item_id": ["007", "8", "9"], "title": ["Goldfinger", "8½", "12"], "year": [1964, 1963, 7]}
EVENTS = {
    "user_id": ["2", "1", "1", "1"],
    "item_id": ["007", "9", "007", "9"],
    "timestamp": [1_500_000_000, 1_500_000_300, 1_500_000_100, 1_500_000_200],
    "weight": [5.0, 3.0, 4.0, 1.0],
}
ITEMS_CSV = "item_id,title\na,Alien\nb,Brazil\n"
EVENTS_CSV = "user_id,item_id,timestamp\nu,a,1500000000\n"


def write_table(path, columns):
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        lines = (json.dumps(record) + "\n" for record in table.to_pylist())
        path.write_text("".join(lines), encoding="utf-8")


def folder_of(folder, files):
    """A folder of files: text as it is, columns in the format that the file's name says."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif isinstance(content, str):
            (folder / name).write_text(content, encoding="utf-8")
        else:
            write_table(folder / name, content)
    return folder


@pytest.fixture
def read(tmp_path):
    """Reads a folder of the given files; items and interactions are there unless replaced."""

    def _read(files):
        stems = {name.split(".")[0] for name in files}
        if "items" not in stems:
            files = {"items.csv": ITEMS_CSV, **files}
        if "interactions" not in stems:
            files = {"interactions.csv": EVENTS_CSV, **files}
        return read_dataset(folder_of(tmp_path / "mine", files))

    _read.folder = tmp_path / "mine"
    return _read


def assert_same(one, other):
    assert one.catalog.item_ids == other.catalog.item_ids
    assert one.catalog.titles == other.catalog.titles
    assert one.catalog.texts == other.catalog.texts
    rows = range(len(one.catalog))
    assert [one.catalog.record(r) for r in rows] == [other.catalog.record(r) for r in rows]
    assert_same_events(one.interactions, other.interactions)


def assert_same_events(one, other):
    for field in fields(Interactions):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(ours, theirs)
        assert type(ours) is type(theirs)
        assert getattr(ours, "dtype", None) == getattr(theirs, "dtype", None)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_every_format_gives_the_same_dataset(tmp_path, read, suffix):
    want = read({"items.parquet": ITEMS, "interactions.parquet": EVENTS})
    other = folder_of(
        tmp_path / "other", {f"items.{suffix}": ITEMS, f"interactions.{suffix}": EVENTS}
    )
    assert_same(read_dataset(other), want)


def test_numbers_in_a_csv_stay_the_ids_and_titles_they_were(read):
    dataset = read(
        {
            "items.csv": "item_id,title\n007,0010\n08,1984\n",
            "interactions.csv": "user_id,item_id,timestamp\n0001,007,1\n",
        }
    )
    assert dataset.catalog.item_ids == ("007", "08")
    assert dataset.catalog.titles == ("0010", "1984")
    assert dataset.interactions.user_ids == ("0001",)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_integer_ids_become_text(read, suffix):
    events = {"user_id": [11, 11], "item_id": [8, 7], "timestamp": [1, 2]}
    items = {"item_id": [7, 8], "title": ["Seven", "8½"]}
    dataset = read({f"items.{suffix}": items, f"interactions.{suffix}": events})
    assert dataset.catalog.item_ids == ("7", "8")
    assert dataset.interactions.history("11").tolist() == [1, 0]


def test_lines_and_commas_in_quotes_belong_to_a_csv_value(read):
    dataset = read({"items.csv": 'item_id,title,text\na,"Good, Bad","one\ntwo ""three"""\n'})
    assert dataset.catalog.titles == ("Good, Bad",)
    assert dataset.catalog.texts == ('one\ntwo "three"',)


def test_dataset_yaml_renames_columns(read):
    renamed = read(
        {
            "items.csv": "movieId,title\n007,Goldfinger\n",
            "interactions.csv": "userId,movieId,when,rating\n01,007,1500000000,4\n",
            "dataset.yaml": (
                "name: mine\nlicence: free\n"
                "columns: {movieId: item_id, userId: user_id, when: timestamp, rating: weight}\n"
            ),
        }
    )
    assert (renamed.name, renamed.licence) == ("mine", "free")
    assert renamed.catalog.item_ids == ("007",)
    assert renamed.interactions.user_ids == ("01",)
    assert renamed.interactions.weights.tolist() == [4.0]


def test_without_dataset_yaml_the_name_is_the_folders(read):
    dataset = read({})
    assert dataset.name == "mine"
    assert dataset.positive_weight is None
    assert dataset.positives is dataset.interactions


def test_positive_weight_is_the_least_that_counts(read):
    dataset = read(
        {
            "items.parquet": ITEMS,
            "interactions.parquet": EVENTS,
            "dataset.yaml": "positive_weight: 4",
        }
    )
    assert len(dataset.interactions) == 4
    assert dataset.positives.weights.tolist() == [4.0, 5.0]
    assert dataset.positives.user_ids == dataset.interactions.user_ids


def test_without_weights_every_event_weighs_1(read):
    assert read({}).interactions.weights.tolist() == [1.0]


@pytest.mark.parametrize(
    ("timestamps", "settings", "clock"),
    [
        ([1, 2, 3], "", False),
        ([1, 2, 1e8 - 1], "", False),
        ([1, 2, 1e8], "", True),
        ([868_000_000.5, 2, 3], "", True),
        ([1, 2, 3], "time: clock", True),
        ([1_500_000_000, 2, 3], "time: order", False),
    ],
)
def test_large_numbers_are_a_clock_and_small_ones_an_order(read, timestamps, settings, clock):
    events = {"user_id": ["u"] * 3, "item_id": ["a"] * 3, "timestamp": timestamps}
    dataset = read({"interactions.parquet": events, "dataset.yaml": settings})
    assert dataset.interactions.clock is clock
    assert dataset.interactions.timestamps.tolist() == sorted(timestamps)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2020-01-01", 1_577_836_800),
        ("2020-01-01 00:00:01", 1_577_836_801),
        ("2020-01-01T00:00:01Z", 1_577_836_801),
        ("2020-01-01T02:00:00+02:00", 1_577_836_800),
        ("2020-01-01T00:00:00.25", 1_577_836_800.25),
    ],
)
def test_iso_8601_is_unix_seconds_and_utc_unless_it_says_otherwise(read, suffix, text, seconds):
    events = {"user_id": ["u"], "item_id": ["a"], "timestamp": [text]}
    found = read({f"interactions.{suffix}": events}).interactions
    assert found.timestamps.tolist() == [seconds]
    assert found.clock


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("ms", "UTC"), pa.date32(), pa.date64()],
    ids=str,
)
def test_typed_times_are_unix_seconds(read, kind):
    times = pa.array([1_577_836_800], pa.timestamp("s")).cast(kind)
    events = {"user_id": ["u"], "item_id": ["a"], "timestamp": times}
    assert read({"interactions.parquet": events}).interactions.timestamps.tolist() == [1577836800]


def test_nanoseconds_are_cut_to_microseconds(read):
    times = pa.array([1_500_000_000_123_456_789], pa.timestamp("ns"))
    events = {"user_id": ["u"], "item_id": ["a"], "timestamp": times}
    found = read({"interactions.parquet": events}).interactions
    assert found.timestamps.tolist() == [1_500_000_000.123456]


def test_events_are_sorted_by_user_then_time_and_ties_keep_their_order(read):
    events = {
        "user_id": ["v", "u", "u", "u", "v"],
        "item_id": ["a", "b", "a", "a", "b"],
        "timestamp": [9, 5, 5, 3, 1],
    }
    found = read({"interactions.parquet": events}).interactions
    assert found.user_ids == ("u", "v")
    assert found.users.tolist() == [0, 0, 0, 1, 1]
    assert found.timestamps.tolist() == [3, 5, 5, 1, 9]
    assert found.rows.tolist() == [0, 1, 0, 1, 0]
    assert found.starts.tolist() == [0, 3, 5]
    assert found.counts.tolist() == [2, 2], "u touched a twice"


def test_a_history_is_a_users_items_oldest_first_and_none_for_a_stranger(read):
    found = read({"items.parquet": ITEMS, "interactions.parquet": EVENTS}).interactions
    assert found.history("1").tolist() == [0, 2, 2]
    assert found.history("2").tolist() == [0]
    assert found.history("3") is None


def test_the_matrix_holds_1_however_often_an_item_was_touched(read):
    found = read({"items.parquet": ITEMS, "interactions.parquet": EVENTS}).interactions
    assert found.matrix().toarray().tolist() == [[1, 0, 1], [1, 0, 0]]
    assert found.matrix().nnz == 3
    assert found.matrix().dtype == np.float32


def test_interactions_survive_saving(world, tmp_path):
    world.interactions.save(tmp_path / "events.npz")
    assert_same_events(load_interactions(tmp_path / "events.npz"), world.interactions)


def test_users_left_without_events_survive_saving(world, tmp_path):
    few = world.interactions.where(world.interactions.rows == 3)
    few.save(tmp_path / "events.npz")
    assert_same_events(load_interactions(tmp_path / "events.npz"), few)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut short"])
def test_a_broken_file_of_interactions_is_refused(tmp_path, content):
    path = tmp_path / "events.npz"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"events\.npz: not a file of interactions"):
        load_interactions(path)
    with pytest.raises(ArtifactError, match="not a file of interactions"):
        load_interactions(tmp_path / "nothing.npz")


def test_tags_are_read_and_those_on_unknown_items_dropped(read):
    tags = "user_id,item_id,tag,timestamp\nu,b,007,20\nu,nope,dark,21\nu,a,slow burn,22\n"
    assert read({"tags.csv": tags}).tags == (
        Tag(row=1, tag="007", timestamp=20.0),
        Tag(row=0, tag="slow burn", timestamp=22.0),
    )


def test_intents_files_that_lie_in_the_folder_are_listed(read):
    intents = {"intent_id": ["1"], "text": ["a film"]}
    files = {"my_intents.parquet": intents, "intents.csv": "intent_id\n", "intents.txt": "no"}
    assert [path.name for path in read(files).intents] == ["intents.csv", "my_intents.parquet"]


def test_the_hash_changes_with_every_file_that_is_read_and_with_none_other(read):
    first = read({}).hash
    assert read({"notes.txt": "anything"}).hash == first
    seen = {first}
    for name, content in {
        "dataset.yaml": "positive_weight: 1",
        "items.csv": ITEMS_CSV + "c,Cube\n",
        "interactions.csv": EVENTS_CSV + "u,b,1500000001\n",
        "tags.csv": "user_id,item_id,tag,timestamp\nu,a,dark,1\n",
    }.items():
        hash_ = read({name: content}).hash
        assert hash_ not in seen
        seen.add(hash_)


def test_describe_counts_what_was_planted(world):
    described = describe(world)
    assert described == {
        "name": "planted",
        "licence": "",
        "items": 60,
        "users": 180,
        "interactions": 1080,
        "positive": 1080,
        "positive_weight": None,
        "density": 0.1,
        "median_events_per_user": 6.0,
        "items_without_events": 0,
        "attributes": ["year", "labels", "language"],
        "tags": 0,
        "time": "clock",
        "from": "2017-07-14",
        "to": "2018-01-09",
        "warnings": [],
    }


def test_describe_counts_positive_events_and_warns(read):
    described = describe(
        read(
            {
                "items.csv": "item_id,title,text\na,Alien,\nb,,A clerk dreams.\nc,,\n",
                "interactions.csv": "user_id,item_id,timestamp,weight\nu,a,1,5\nu,b,2,1\nv,b,3,1\n",
                "dataset.yaml": "positive_weight: 3",
            }
        )
    )
    assert (described["users"], described["interactions"], described["positive"]) == (1, 3, 1)
    assert described["items_without_events"] == 2
    assert described["density"] == round(1 / 3, 6)
    assert (described["time"], "from" in described) == ("order", False)
    assert described["warnings"] == [
        "2 items have no title",
        "1 items have neither title nor text: no semantic block for them",
        "only 1 users: weights tuned on so few are uncertain",
        "no user has two interactions that count: nothing says what follows what",
    ]


def events_csv(row, header="user_id,item_id,timestamp,weight"):
    return {"interactions.csv": f"{header}\nu,a,1500000000,1\n{row}\n"}


def events_with(**columns):
    good = {"user_id": ["u", "u"], "item_id": ["a", "b"], "timestamp": [1, 2]}
    return {"interactions.parquet": {**good, **columns}}


REFUSED = {
    "items without ids": (
        {"items.csv": "itm_id_,title\na,Alien\n", "dataset.yaml": "columns: {itm_id_: code}"},
        ["items.csv", "column 'item_id' is missing", "--rename FOUND=item_id"],
    ),
    "events without times": (
        {"interactions.csv": "user_id,item_id,timestmp\nu,a,1\n"},
        ["interactions.csv", "column 'timestamp' is missing", "did you mean 'timestmp'?"],
    ),
    "doubled ids": (
        {"items.csv": "item_id,title\na,Alien\nb,Brazil\na,Aliens\n"},
        ["items.csv", "row 3", "column 'item_id'", "'a' is already in another row", "unique"],
    ),
    "no items": ({"items.csv": "item_id,title\n"}, ["items.csv", "no rows", "at least one item"]),
    "an empty file": ({"items.csv": ""}, ["items.csv", "found nothing in it"]),
    "an empty id": (
        {"items.csv": "item_id,title\na,Alien\n,Brazil\n"},
        ["items.csv", "row 2", "column 'item_id'", "found nothing", "expected a value"],
    ),
    "an id of no characters": (
        {"items.jsonl": {"item_id": ["a", ""], "title": ["Alien", "Brazil"]}},
        ["items.jsonl", "row 2", "column 'item_id'", "found nothing"],
    ),
    "a null id": (
        {"items.parquet": {"item_id": [None, "a"], "title": ["Alien", "Brazil"]}},
        ["items.parquet", "row 1", "column 'item_id'", "found nothing"],
    ),
    "ids of fractions": (
        {"items.parquet": {"item_id": [1.0, 1.5], "title": ["Alien", "Brazil"]}},
        ["items.parquet", "row 2, column 'item_id'", "found 1.5", "expected text or integers"],
    ),
    "a null user": (
        events_with(user_id=["u", None]),
        ["interactions.parquet", "row 2", "column 'user_id'", "found nothing"],
    ),
    "a user of no characters": (
        events_with(user_id=["u", ""]),
        ["interactions.parquet", "row 2", "column 'user_id'", "found nothing"],
    ),
    "no time": (
        events_with(timestamp=[1, None]),
        ["interactions.parquet", "row 2", "column 'timestamp'", "found nothing"],
    ),
    "a time that isn't a number": (
        events_with(timestamp=[1.0, float("nan")]),
        ["interactions.parquet", "row 2", "column 'timestamp'", "found nothing"],
    ),
    "a negative time": (
        events_with(timestamp=[1, -5]),
        ["row 2", "column 'timestamp'", "found '-5'", "expected Unix seconds, ISO 8601"],
    ),
    "an infinite time": (
        events_with(timestamp=[float("inf"), 1.0]),
        ["row 1", "column 'timestamp'", "found 'inf'", "expected Unix seconds"],
    ),
    "a time of words among numbers": (
        events_csv("u,b,last week,1"),
        ["interactions.csv", "row 2", "found 'last week'", "expected Unix seconds, ISO 8601"],
    ),
    "a time of words among dates": (
        events_with(timestamp=["2020-01-01", "soon"]),
        ["row 2", "column 'timestamp'", "found 'soon'", "ISO 8601"],
    ),
    "an empty time among dates": (
        {
            "interactions.jsonl": {
                **EVENTS,
                "item_id": ["a"] * 4,
                "timestamp": ["2020-01-01", "2020-01-02", "", ""],
            }
        },
        ["interactions.jsonl", "row 3", "column 'timestamp'", "found nothing"],
    ),
    "times that are true or false": (
        events_with(timestamp=[True, False]),
        ["row 1, column 'timestamp'", "found 'true'", "expected Unix seconds"],
    ),
    "an infinite weight": (
        events_with(weight=[1.0, float("inf")]),
        ["interactions.parquet", "row 2", "column 'weight'", "found 'inf'", "expected a number"],
    ),
    "a weight too large": (
        events_with(weight=[1.0, 1e300]),
        ["interactions.parquet", "row 2", "column 'weight'", "expected a number"],
    ),
    "a missing weight": (
        events_csv("u,b,1500000001,"),
        ["interactions.csv", "row 2", "column 'weight'", "found nothing"],
    ),
    "a weight of words": (
        events_csv("u,b,1500000001,much"),
        ["interactions.csv", "row 2", "column 'weight'", "found 'much'", "expected a number"],
    ),
    "an unknown item": (
        events_csv("u,nope,1500000001,1\nv,what,1500000002,1"),
        [
            "row 2",
            "column 'item_id'",
            "'nope' is not in the catalogue",
            "2 such rows",
            "data import",
        ],
    ),
    "no events": (
        {"interactions.csv": "user_id,item_id,timestamp\n"},
        ["interactions.csv", "no rows", "at least one interaction"],
    ),
    "no event that counts": (
        {"dataset.yaml": "positive_weight: 2"},
        ["interactions.csv", "no interaction has a weight of at least 2.0", "dataset.yaml"],
    ),
    "two files of items": (
        {"items.csv": ITEMS_CSV, "items.parquet": ITEMS},
        ["items.parquet and items.csv are both there", "keep one"],
    ),
    "parquet that isn't": (
        {"items.parquet": b"PAR1 no PAR1"},
        ["items.parquet", "not readable as parquet"],
    ),
    "rows of different lengths": (
        {"items.csv": "item_id,title\na,Good, Bad\n"},
        ["items.csv", "row 1", "'a,Good, Bad'", "as many values as the header"],
    ),
    "lines that aren't json": (
        {"items.jsonl": "{a\n"},
        ["items.jsonl", "row 1", "found '{a'", "one JSON object a line"],
    ),
    "a column twice": (
        {"items.csv": "item_id,name,title\na,b,c\n", "dataset.yaml": "columns: {name: title}"},
        ["items.csv", "column 'title' is there twice"],
    ),
    "an unknown key": (
        {"dataset.yaml": "positve_weight: 4"},
        ["dataset.yaml", "unknown key 'positve_weight'", "did you mean 'positive_weight'?"],
    ),
    "a wrong value": (
        {"dataset.yaml": "time: clocks"},
        ["dataset.yaml", "time: found 'clocks'", "'clock' or 'order'"],
    ),
    "yaml that isn't": ({"dataset.yaml": "a: [1"}, ["dataset.yaml", "not readable as YAML"]),
    "yaml of a list": (
        {"dataset.yaml": "- name"},
        ["dataset.yaml", "found list", "expected `key: value` lines"],
    ),
    "tags without words": (
        {"tags.csv": "user_id,item_id,tag,timestamp\nu,a,,1\n"},
        ["tags.csv", "row 1", "column 'tag'", "found nothing"],
    ),
    "tags without a column": (
        {"tags.csv": "user_id,item_id,tags,timestamp\nu,a,x,1\n"},
        ["tags.csv", "column 'tag' is missing", "did you mean 'tags'?"],
    ),
}


@pytest.mark.parametrize(("files", "parts"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_with_its_place_and_what_was_expected(read, files, parts):
    with pytest.raises(DataError) as caught:
        read(files)
    for part in parts:
        assert part in str(caught.value)


TAKEN = {
    "titles of lists": ({"item_id": ["a"], "title": [["Alien"]]}, {"title": "Alien"}),
    "titles of numbers": ({"item_id": ["a"], "title": [1984]}, {"title": "1984"}),
    "titles of categories": (
        {"item_id": ["a"], "title": pa.array(["Alien"]).dictionary_encode()},
        {"title": "Alien"},
    ),
    "texts of numbers": ({"item_id": ["a"], "title": ["A"], "text": [7]}, {"text": "7"}),
    "lists of numbers": (
        {"item_id": ["a"], "title": ["A"], "spans": [[1, 2]]},
        {"spans": ["1", "2"]},
    ),
    "lists of structs": (
        {"item_id": ["a"], "title": ["A"], "genres": [[{"id": 18, "name": "Drama"}]]},
        {"genres": ["Drama"]},
    ),
    "decimals": (
        {"item_id": ["a"], "title": ["A"], "price": pa.array(["7.50"]).cast(pa.decimal128(5, 2))},
        {"price": 7.5},
    ),
    "categories": (
        {"item_id": ["a"], "title": ["A"], "shelf": pa.array(["x"]).dictionary_encode()},
        {"shelf": "x"},
    ),
    "dates": (
        {"item_id": ["a"], "title": ["A"], "added": pa.array([0], pa.date32())},
        {"added": 0},
    ),
    "lists in text": (
        {"item_id": ["a"], "title": ["A"], "genres": pa.array([["War"]], pa.list_(pa.string()))},
        {"genres": ["War"]},
    ),
}


@pytest.mark.parametrize(("columns", "expected"), TAKEN.values(), ids=TAKEN)
def test_types_that_other_tools_write_are_taken(read, columns, expected):
    record = read({"items.parquet": columns}).catalog.record(0)
    assert {name: record[name] for name in expected} == expected


def test_a_cell_that_is_a_list_is_one(read):
    items = 'item_id,title,genres\na,Alien,"[""Drama"", ""War""]"\nb,Brazil,\n'
    catalog = read({"items.csv": items}).catalog
    assert catalog.record(0)["genres"] == ["Drama", "War"]
    assert catalog.mask({"genres": "war"}).tolist() == [True, False]


@pytest.mark.parametrize("name", ["items.tsv", "items.csv.gz", "items.ndjson", "items.CSV"])
def test_files_of_a_folder_may_have_any_form(read, name):
    text = ITEMS_CSV.replace(",", "\t") if "tsv" in name else ITEMS_CSV
    if "json" in name:
        text = '{"item_id": "a", "title": "Alien"}\n'
    data = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    assert read({name: data}).catalog.titles[0] == "Alien"


def test_milliseconds_are_known_by_their_size(read):
    rows = events_csv("u,b,1500000001500,1")
    assert read(rows).interactions.timestamps.tolist() == [1500000000, 1500000001.5]


def test_dataset_yml_is_read_and_two_are_refused(read):
    assert read({"dataset.yml": "name: mine"}).name == "mine"
    with pytest.raises(DataError, match=r"dataset\.yaml and dataset\.yml are both there"):
        read({"dataset.yml": "name: mine", "dataset.yaml": "name: yours"})


def test_events_are_mapped_in_dataset_yaml(read):
    events = "user_id,item_id,timestamp,event\nu,a,1,order\nu,b,2,hide\n"
    with pytest.raises(DataError, match="events:"):
        read({"interactions.csv": events})
    settings = "events: {order: buy, hide: reject}"
    dataset = read({"interactions.csv": events, "dataset.yaml": settings})
    assert dataset.positives.rows.tolist() == [0]
    table = {
        "user_id": ["u", "u"],
        "item_id": ["a", "b"],
        "timestamp": [1, 2],
        "event": ["order", "hide"],
    }
    (read.folder / "interactions.csv").unlink()
    stored = read({"interactions.parquet": table, "dataset.yaml": settings})
    assert stored.positives.rows.tolist() == [0]


def test_a_missing_folder_and_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: no such folder; expected one with items"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no items\.parquet, items\.csv or items\.jsonl"):
        read_dataset(tmp_path)
    folder_of(tmp_path, {"items.csv": ITEMS_CSV})
    with pytest.raises(DataError, match=r"no interactions\.parquet"):
        read_dataset(tmp_path)


def test_a_record_leaves_out_what_has_no_value(read):
    columns = {
        "item_id": ["a"],
        "title": ["Alien"],
        "text": [""],
        "year": [0],
        "length": [float("nan")],
        "genres": pa.array([[]], pa.list_(pa.string())),
        "language": pa.array([None], pa.string()),
    }
    record = read({"items.parquet": columns}).catalog.record(0)
    assert record == {"item_id": "a", "title": "Alien", "year": 0}


def test_rows_and_ids_are_each_others_inverse(world):
    catalog = world.catalog
    assert [catalog.row(item_id) for item_id in catalog.item_ids] == list(range(N_ITEMS))
    assert catalog.row("nope") is None
    assert catalog.rows(["i05", "nope", "i01", "i05"]) == [5, 1, 5]


def having(attribute, value):
    return attribute.mask(attribute.condition(value))


NUMBERS = Numbers(name="year", values=np.array([1990.0, 2000.0, np.nan, 2010.0]))


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (2000, [1]),
        (2000.0, [1]),
        ({"any": [1990, 2010]}, [0, 3]),
        ({"any": []}, []),
        ({"none": [1990, 2010]}, [1, 2]),
        ({"none": []}, [0, 1, 2, 3]),
        ({"gt": 2000}, [3]),
        ({"gte": 2000}, [1, 3]),
        ({"lt": 2000}, [0]),
        ({"lte": 2000}, [0, 1]),
        ({"gte": 1990, "lt": 2010, "none": [2000]}, [0]),
        ({"gt": float("-inf")}, [0, 1, 3]),
        ({}, [0, 1, 2, 3]),
    ],
)
def test_a_missing_number_satisfies_only_none(condition, rows):
    assert np.flatnonzero(having(NUMBERS, condition)).tolist() == rows


LABELS = make_attribute(
    "genres", pa.chunked_array([[["Comedy", "Drama"], ["STRASSE"], None, [None, "", "drama"]]])
)


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("comedy", [0]),
        ("straße", [1]),
        ("western", []),
        ("", []),
        ({"any": ["Comedy", "Strasse"]}, [0, 1]),
        ({"any": []}, []),
        ({"all": ["comedy", "DRAMA"]}, [0]),
        ({"all": []}, [0, 1, 2, 3]),
        ({"none": ["drama"]}, [1, 2]),
        ({"none": []}, [0, 1, 2, 3]),
        ({"any": ["drama"], "none": ["comedy"]}, [3]),
    ],
)
def test_items_without_labels_satisfy_only_none_and_case_is_no_difference(condition, rows):
    assert np.flatnonzero(having(LABELS, condition)).tolist() == rows


@pytest.mark.parametrize(
    ("attribute", "condition", "message"),
    [
        (NUMBERS, "old", "filter 'year': found 'old', expected a number"),
        (NUMBERS, float("nan"), "found nan, expected a number"),
        (NUMBERS, {"gt": None}, "found nothing (null), expected a number"),
        (NUMBERS, {"any": 1990}, "'any' takes a list, found 1990"),
        (NUMBERS, {"all": [1990]}, "unknown operator 'all'"),
        (LABELS, 3, "filter 'genres': found 3, expected text"),
        (LABELS, {"any": ["Drama", None]}, "found nothing (null), expected text"),
        (LABELS, {"nome": ["Drama"]}, "unknown operator 'nome'; did you mean 'none'?"),
        (LABELS, {"any": ["x"] * 1001}, "'any' has 1001 values, max 1000"),
    ],
)
def test_a_malformed_condition_is_refused(attribute, condition, message):
    with pytest.raises(QueryError) as caught:
        having(attribute, condition)
    assert message in str(caught.value)


def test_booleans_filter_as_numbers_and_one_text_as_a_label():
    seen = make_attribute("seen", pa.chunked_array([[True, None, False]]))
    assert having(seen, True).tolist() == [True, False, False]
    assert having(seen, {"none": [True]}).tolist() == [False, True, True]
    language = make_attribute("language", pa.chunked_array([["en", None, "FR", ""]]))
    assert isinstance(language, Labels)
    assert having(language, {"any": ["fr"]}).tolist() == [False, False, True, False]
    assert having(language, {"none": ["fr"]}).tolist() == [True, True, False, True]


def test_numbers_too_large_to_be_exact_still_filter():
    codes = make_attribute("code", pa.chunked_array([[2**53 + 1, 5]]))
    assert having(codes, {"gt": 5}).tolist() == [True, False]


def test_filters_on_several_attributes_must_all_hold(world):
    mask = world.catalog.mask({"year": {"gte": 2000}, "labels": "ghost"})
    assert np.flatnonzero(mask).tolist() == [41, 47, 53, 59]
    assert world.catalog.mask({}) is None
    with pytest.raises(QueryError, match="unknown attribute 'lables'; did you mean 'labels'"):
        world.catalog.mask({"lables": "ghost"})


@given(
    lists=st.lists(st.lists(st.sampled_from(["a", "b", "C"]), max_size=3), min_size=1),
    asked=st.lists(st.sampled_from(["A", "b", "c", "d"]), max_size=3),
)
def test_any_all_and_none_are_the_operations_on_sets(lists, asked):
    attribute = make_attribute("x", pa.chunked_array([pa.array(lists, pa.list_(pa.string()))]))
    want, has = {label.lower() for label in asked}, [{s.lower() for s in own} for own in lists]
    assert having(attribute, {"any": asked}).tolist() == [bool(own & want) for own in has]
    assert having(attribute, {"all": asked}).tolist() == [own >= want for own in has]
    assert having(attribute, {"none": asked}).tolist() == [not own & want for own in has]
