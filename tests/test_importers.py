"""Importers: what was planted in a public form comes back from the dataset, or nothing is written.

The last tests go through the command line, in this process and through the same `main`.
"""

import gzip
import json
import sys

import pytest

from semrec import DataError
from semrec.cli import main
from semrec.data.dataset import describe, read_dataset
from semrec.data.importers import from_amazon_2023, from_recbole

INTER = """user_id:token	item_id:token	rating:float	timestamp:float
u1	10	5	900000200
u1	007	3.5	900000100
nan	10	1	900000300.5
"""
ITEM = """item_id:token	movie_title:token_seq	release_year:float	class:token_seq	code:token
10	"Toy" Story, A	1995	Animation Children's	007
007	GoldenEye	nan		nan
12	Jumanji	1996	Adventure	12
"""
RATINGS = """user_id,parent_asin,rating,timestamp,history
AE2,B2,5.0,1600000000500,
AE1,B1,1.0,1500000000000,B9 B8
AE1,B2,4.0,1400000000000,"B9, B7"
"""
META = [
    {
        "parent_asin": "B1",
        "title": "Kettle ☕",
        "features": ["Boils water.", "", "Red."],
        "description": ["For the kitchen."],
        "categories": ["Home", "Kitchen & Dining"],
        "main_category": "Amazon Home",
        "store": "Kettles Ltd",
        "price": "19.99",
        "images": [{"thumb": "x"}],
    },
    {"parent_asin": "B3", "title": None, "features": None, "price": "from 12.99", "store": None},
]


def recbole(folder, inter=INTER, item=ITEM, name="ml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.inter").write_text(inter)
    if item is not None:
        (folder / f"{name}.item").write_text(item)
    return folder / f"{name}.inter"


def amazon(folder, ratings=RATINGS, meta=META):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "X.csv").write_text(ratings)
    if meta is not None:
        lines = (json.dumps(record) for record in meta)
        (folder / "meta_X.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "X.csv", folder / "meta_X.jsonl"


def events(dataset):
    """(user, item, moment, weight) of every event, as the folder on disk has them."""
    found = dataset.interactions
    return [
        (found.user_ids[user], dataset.catalog.item_ids[row], moment, weight)
        for user, row, moment, weight in zip(
            found.users.tolist(),
            found.rows.tolist(),
            found.timestamps.tolist(),
            found.weights.tolist(),
            strict=True,
        )
    ]


def records(dataset):
    return [dataset.catalog.record(row) for row in range(len(dataset.catalog))]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(tmp_path, import_it):
    """The message of an import that must fail and leave nothing."""
    before = names(tmp_path)
    with pytest.raises(DataError) as caught:
        import_it(tmp_path / "out")
    assert names(tmp_path) == before
    return str(caught.value)


# RecBole


def test_recbole_files_come_back_as_they_were_planted(tmp_path):
    made = from_recbole(
        recbole(tmp_path / "ml"), tmp_path / "out", name="films", positive_weight=3.5
    )
    dataset = read_dataset(tmp_path / "out")
    assert dataset.hash == made.hash
    assert (dataset.name, dataset.positive_weight) == ("films", 3.5)
    assert records(dataset) == [
        {
            "item_id": "10",
            "title": '"Toy" Story, A',
            "release_year": 1995,
            "class": ["Animation", "Children's"],
            "code": "007",
        },
        {"item_id": "007", "title": "GoldenEye"},
        {
            "item_id": "12",
            "title": "Jumanji",
            "release_year": 1996,
            "class": ["Adventure"],
            "code": "12",
        },
    ]
    assert events(dataset) == [
        ("nan", "10", 900000300.5, 1.0),
        ("u1", "007", 900000100.0, 3.5),
        ("u1", "10", 900000200.0, 5.0),
    ]
    assert dataset.interactions.clock
    assert dataset.catalog.mask({"class": "children's"}).tolist() == [True, False, False]
    assert dataset.catalog.mask({"release_year": {"gt": 1995}}).tolist() == [False, False, True]


def test_a_folder_with_one_inter_file_is_enough(tmp_path):
    recbole(tmp_path / "ml")
    assert from_recbole(tmp_path / "ml", tmp_path / "out").catalog.titles[2] == "Jumanji"


def test_the_items_can_lie_elsewhere(tmp_path):
    inter = recbole(tmp_path / "ml", name="ml.part1", item=None)
    other = recbole(tmp_path / "other").with_suffix(".item")
    assert len(from_recbole(inter, tmp_path / "out", items=other).catalog) == 3


def test_without_an_item_file_the_items_are_the_ids_seen(tmp_path):
    dataset = from_recbole(recbole(tmp_path / "ml", item=None), tmp_path / "out")
    assert records(dataset) == [{"item_id": "10"}, {"item_id": "007"}]
    assert "2 items have no title" in describe(dataset)["warnings"]


def test_without_timestamps_the_order_of_the_file_is_the_order_of_each_user(tmp_path):
    inter = "user_id:token\titem_id:token\nu\tb\nv\tb\nu\ta\nu\tc\n"
    dataset = from_recbole(recbole(tmp_path / "x", inter, None), tmp_path / "out")
    assert describe(dataset)["time"] == "order"
    assert "time: order" in (tmp_path / "out" / "dataset.yaml").read_text()
    assert events(dataset) == [
        ("u", "b", 0, 1),
        ("u", "a", 1, 1),
        ("u", "c", 2, 1),
        ("v", "b", 0, 1),
    ]


def test_other_fields_of_interactions_are_ignored(tmp_path):
    inter = "review:token_seq\tuser_id:token\titem_id:token\ttimestamp:float\nI  liked\tu\ta\t5\n"
    dataset = from_recbole(recbole(tmp_path / "x", inter, None), tmp_path / "out")
    assert events(dataset) == [("u", "a", 5, 1)]
    assert not dataset.interactions.clock


@pytest.mark.parametrize("field", ["movie_title", "title", "name", "item_name", "venue_name"])
@pytest.mark.parametrize("kind", ["token", "token_seq"])
def test_a_field_like_a_title_is_the_title_as_it_stands(tmp_path, field, kind):
    item = f"{field}:{kind}\titem_id:token\nToy  Story \t10\nGoldenEye\t007\n"
    dataset = from_recbole(recbole(tmp_path / "x", INTER, item), tmp_path / "out")
    assert dataset.catalog.titles == ("Toy  Story ", "GoldenEye")
    assert dataset.catalog.attribute_names == ()


def test_of_two_titles_one_is_the_title_and_the_other_a_text_attribute(tmp_path):
    item = "item_id:token\tname:token_seq\ttitle:token_seq\n10\tToy Story\tTS\n007\tGold Eye\tGE\n"
    dataset = from_recbole(recbole(tmp_path / "x", INTER, item), tmp_path / "out")
    assert dataset.catalog.titles == ("TS", "GE")
    assert dataset.catalog.record(0)["name"] == "Toy Story"


def test_texts_are_joined_and_float_sequences_left_out(tmp_path):
    item = (
        "item_id:token\tdescription:token_seq\ttext:token_seq\tvector:float_seq\n"
        "10\tA film. Of toys.\tLong.\t1 2\n007\tnan\tSpies\t3 4\n"
    )
    dataset = from_recbole(recbole(tmp_path / "x", INTER, item), tmp_path / "out")
    assert dataset.catalog.texts == ("Long.\nA film. Of toys.", "Spies")
    assert dataset.catalog.titles == ("", "")
    assert dataset.catalog.attribute_names == ()


def test_windows_line_ends_a_byte_order_mark_and_empty_lines_change_nothing(tmp_path):
    inter = recbole(tmp_path / "ml")
    plain = from_recbole(inter, tmp_path / "plain", name="x")
    for path in (inter, inter.with_suffix(".item")):
        text = path.read_text().replace("\n10\t", "\n\n10\t").replace("\n", "\r\n")
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert from_recbole(inter, tmp_path / "windows", name="x").hash == plain.hash


def test_interactions_of_unknown_items_are_refused_or_dropped(tmp_path):
    inter = recbole(tmp_path / "ml", INTER + "u2\t99\t5\t900000000\nu2\t12\t4\t900000001\n")
    message = refused(tmp_path, lambda out: from_recbole(inter, out))
    assert message.startswith(f"{inter}: row 4, column 'item_id': '99' is not in the catalogue")
    assert "--drop-unknown" in message
    dataset = from_recbole(inter, tmp_path / "out", drop_unknown=True)
    assert len(dataset.interactions) == 4
    assert dataset.interactions.history("u2").tolist() == [2]


def test_dropping_everything_says_that_the_files_are_strangers(tmp_path):
    inter = recbole(tmp_path / "ml", item="item_id:token\nx\n")
    message = refused(tmp_path, lambda out: from_recbole(inter, out, drop_unknown=True))
    assert f"{inter}: no interaction has an item of {inter.with_suffix('.item')}" in message


BAD_INTER = {
    "no type": (
        "user_id:token\titem_id\nu\ta\n",
        "header, column 2: found 'item_id' without a known type, expected name:type",
    ),
    "an unknown type": (
        "user_id:tokens\titem_id:token\nu\ta\n",
        "header, column 1: found 'user_id:tokens' without a known type, expected name:type",
    ),
    "no name": (":token\titem_id:token\nu\ta\n", "header, column 1: found ':token'"),
    "commas": (
        "user_id:token,item_id:token\nu,a\n",
        "header: no field user_id:token; known: user_id:token,item_id",
    ),
    "a field twice": (
        "user_id:token\titem_id:token\titem_id:token\nu\ta\ta\n",
        "header, column 3: found 'item_id:token' twice",
    ),
    "another id": (
        "user_id:token\titem:token\nu\ta\n",
        "header: no field item_id:token; did you mean 'item'?",
    ),
    "numbers for ids": (
        "user_id:float\titem_id:token\n1\ta\n",
        "header: found user_id:float, expected user_id:token",
    ),
    "a rating of words": (
        "user_id:token\titem_id:token\trating:token\nu\ta\t5\n",
        "header: found rating:token, expected rating:float",
    ),
    "too many columns": (INTER + "u\t10\t1\t2\t3\n", "row 4: found 5 columns, expected 4"),
    "too few columns": (INTER + "\nu\t10\t1\n", "row 4: found 3 columns, expected 4"),
    "no user": (INTER + "\t10\t1\t2\n", "row 4, column 'user_id': found nothing"),
    "no item": (INTER + "u\t\t1\t2\n", "row 4, column 'item_id': found nothing"),
    "no rating": (INTER + "u\t10\t\t2\n", "row 4, column 'rating': found nothing"),
    "nan for a rating": (INTER + "u\t10\tnan\t2\n", "row 4, column 'rating': found nothing"),
    "a word for a rating": (
        INTER + "u\t10\tgood\t2\n",
        "row 4, column 'rating': found 'good', expected a number",
    ),
    "an endless rating": (INTER + "u\t10\tinf\t2\n", "row 4, column 'rating': found 'inf'"),
    "a rating too big": (INTER + "u\t10\t1e400\t2\n", "row 4, column 'rating': found '1e400'"),
    "a date": (
        INTER + "u\t10\t1\t2020-01-01\n",
        "row 4, column 'timestamp': found '2020-01-01', expected a number",
    ),
    "no time": (INTER + "u\t10\t1\t\n", "row 4, column 'timestamp': found nothing"),
    "a time before time": (INTER + "u\t10\t1\t-1\n", "row 4, column 'timestamp': found -1"),
    "milliseconds": (INTER + "u\t10\t1\t1500000000000\n", "milliseconds? divide by 1000"),
    "nothing": ("", "found nothing in the first line, expected a header"),
    "only a header": (INTER.splitlines()[0], "found no rows after the header"),
    "only a header and its end": (INTER.splitlines()[0] + "\n", "found no rows after the header"),
}


@pytest.mark.parametrize(("inter", "message"), BAD_INTER.values(), ids=BAD_INTER)
def test_a_bad_inter_file_is_refused_by_name_and_nothing_written(tmp_path, inter, message):
    path = recbole(tmp_path / "ml", inter)
    told = refused(tmp_path, lambda out: from_recbole(path, out))
    assert told.startswith(f"{path}: ")
    assert message in told


BAD_ITEM = {
    "an id twice": (ITEM + "10\tx\t1\ty\tz\n", "row 4, column 'item_id': '10' is already in row 1"),
    "no id": (ITEM + "\tx\t1\ty\tz\n", "row 4, column 'item_id': found nothing"),
    "another id": (
        ITEM.replace("item_id", "movie_id"),
        "header: no field item_id:token; known: class, code, movie_id",
    ),
    "a word for a number": (
        ITEM + "13\tx\tlate\ty\tz\n",
        "row 4, column 'release_year': found 'late', expected a number",
    ),
    "a number too big": (
        ITEM + "13\tx\t1e300\ty\tz\n",
        "row 4, column 'release_year': found '1e300', expected a number",
    ),
    "too few columns": (ITEM + "13\tx\n", "row 4: found 2 columns, expected 5"),
    "nothing": ("", "found nothing in the first line"),
    "only a header": (ITEM.splitlines()[0] + "\n", "found no rows after the header"),
}


@pytest.mark.parametrize(("item", "message"), BAD_ITEM.values(), ids=BAD_ITEM)
def test_a_bad_item_file_is_refused_by_name_and_nothing_written(tmp_path, item, message):
    inter = recbole(tmp_path / "ml", item=item)
    told = refused(tmp_path, lambda out: from_recbole(inter, out))
    assert told.startswith(f"{inter.with_suffix('.item')}: ")
    assert message in told


@pytest.mark.parametrize("rows", [1, 5000])
def test_text_that_is_not_utf_8_is_refused(tmp_path, rows):
    inter = recbole(tmp_path / "ml")
    inter.write_bytes(INTER.encode() + b"u\t10\t1\t2\n" * rows + b"u\xff\t10\t1\t2\n")
    told = refused(tmp_path, lambda out: from_recbole(inter, out))
    assert told.startswith(f"{inter}: not readable")
    assert "UTF" in told


def test_which_inter_file_is_meant_is_not_guessed(tmp_path):
    folder = recbole(tmp_path / "ml").parent
    recbole(folder, name="other")
    told = refused(tmp_path, lambda out: from_recbole(folder, out))
    assert "found ml.inter, other.inter; expected one .inter file" in told
    told = refused(tmp_path, lambda out: from_recbole(folder / "ml.item", out))
    assert "found ml.item; expected one .inter file" in told
    assert "found none" in refused(tmp_path, lambda out: from_recbole(tmp_path, out))


def test_a_file_that_is_not_there_is_named(tmp_path):
    missing = tmp_path / "no.inter"
    assert refused(tmp_path, lambda out: from_recbole(missing, out)) == f"{missing}: no such file"
    inter = recbole(tmp_path / "ml")
    told = refused(tmp_path, lambda out: from_recbole(inter, out, items=tmp_path / "no.item"))
    assert told == f"{tmp_path / 'no.item'}: no such file"


def test_a_failed_import_leaves_an_earlier_dataset_as_it_was(tmp_path):
    out = tmp_path / "out"
    before = from_recbole(recbole(tmp_path / "ml"), out).hash
    bad = recbole(tmp_path / "bad", INTER + "u\t99\t1\t2\n")
    with pytest.raises(DataError):
        from_recbole(bad, out)
    assert read_dataset(out).hash == before
    assert names(tmp_path) == ["bad", "ml", "out"]


# Amazon Reviews 2023


def test_amazon_files_come_back_as_they_were_planted(tmp_path):
    ratings, meta = amazon(tmp_path / "amazon")
    made = from_amazon_2023(
        ratings, tmp_path / "out", metadata=meta, name="home", positive_weight=4
    )
    dataset = read_dataset(tmp_path / "out")
    assert dataset.hash == made.hash
    assert (dataset.name, dataset.positive_weight) == ("home", 4.0)
    assert records(dataset) == [
        {
            "item_id": "B1",
            "title": "Kettle ☕",
            "text": "Boils water.\nRed.\nFor the kitchen.",
            "categories": ["Home", "Kitchen & Dining"],
            "main_category": "Amazon Home",
            "store": "Kettles Ltd",
            "price": 19.99,
        },
        {"item_id": "B3"},
        {"item_id": "B2"},
    ]
    assert dataset.catalog.titles == ("Kettle ☕", "", "")
    assert events(dataset) == [
        ("AE1", "B2", 1_400_000_000.0, 4.0),
        ("AE1", "B1", 1_500_000_000.0, 1.0),
        ("AE2", "B2", 1_600_000_000.5, 5.0),
    ]
    assert dataset.interactions.clock
    assert "time: clock" in (tmp_path / "out" / "dataset.yaml").read_text()
    assert len(dataset.positives) == 2
    assert "2 items have no title" in describe(dataset)["warnings"]
    assert dataset.catalog.mask({"price": {"lt": 20}}).tolist() == [True, False, False]
    assert dataset.catalog.mask({"categories": "kitchen & dining"}).tolist() == [1, 0, 0]


def test_without_metadata_the_items_are_the_ids_seen(tmp_path):
    ratings, _ = amazon(tmp_path / "amazon", meta=None)
    dataset = from_amazon_2023(ratings, tmp_path / "out")
    assert records(dataset) == [{"item_id": "B2"}, {"item_id": "B1"}]
    assert "2 items have no title" in describe(dataset)["warnings"]


def test_compressed_files_give_the_same_dataset(tmp_path):
    plain = amazon(tmp_path / "amazon")
    packed = [path.with_name(path.name + ".gz") for path in plain]
    for path, target in zip(plain, packed, strict=True):
        target.write_bytes(gzip.compress(path.read_bytes()))
    hashes = {
        from_amazon_2023(ratings, tmp_path / out, metadata=meta, name="x").hash
        for out, (ratings, meta) in {"plain": plain, "packed": packed}.items()
    }
    assert len(hashes) == 1


def test_columns_may_stand_in_another_order_and_in_quotes(tmp_path):
    text = '"timestamp","rating","parent_asin","user_id"\n1500000000000,2,"B,1",AE\n'
    ratings, _ = amazon(tmp_path / "amazon", text, meta=None)
    dataset = from_amazon_2023(ratings, tmp_path / "out")
    assert events(dataset) == [("AE", "B,1", 1_500_000_000.0, 2.0)]


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (12.5, 12.5),
        ("12.5", 12.5),
        ("from 12.99", None),
        ("—", None),
        ("", None),
        ("None", None),
        (None, None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
        (True, None),
        ([1], None),
        (10**30, None),
    ],
)
def test_a_price_that_is_no_number_is_missing(tmp_path, price, expected):
    ratings, meta = amazon(
        tmp_path / "amazon",
        meta=[{"parent_asin": "B1", "price": price}, {"parent_asin": "B2", "price": 0.5}],
    )
    dataset = from_amazon_2023(ratings, tmp_path / "out", metadata=meta)
    assert [record.get("price") for record in records(dataset)] == [expected, 0.5]


def test_metadata_without_anything_but_ids_is_enough(tmp_path):
    ratings, meta = amazon(tmp_path / "amazon", meta=[{"parent_asin": "B1"}, {"parent_asin": "B2"}])
    dataset = from_amazon_2023(ratings, tmp_path / "out", metadata=meta)
    assert records(dataset) == [{"item_id": "B1"}, {"item_id": "B2"}]
    assert dataset.catalog.mask({"store": {"none": ["x"]}}).tolist() == [True, True]


HEADER = "user_id,parent_asin,rating,timestamp\n"
BAD_RATINGS = {
    "no item column": (
        "user_id,asin,rating,timestamp\nu,B1,5,1500000000000\n",
        "header: found 'user_id,asin,rating,timestamp', "
        "expected user_id,parent_asin,rating,timestamp",
    ),
    "a column twice": (
        "user_id,parent_asin,rating,rating,timestamp\nu,B1,5,5,1500000000000\n",
        "header: found 'user_id,parent_asin,rating,rating,timestamp'",
    ),
    "no header": ("AE1,B1,5.0,1500000000000\n", "header: found 'AE1,B1"),
    "nothing": ("", "found nothing in the first line, expected a header"),
    "only a header": (HEADER, "found no rows after the header"),
    "too few columns": (HEADER + "u,B1,5\n", "row 1: found 3 columns, expected 4"),
    "too many columns": (
        HEADER + "u,B1,5,1500000000000\nu,B1,5,1500000000000,x\n",
        "row 2: found 5 columns, expected 4",
    ),
    "no user": (HEADER + ",B1,5,1500000000000\n", "row 1, column 'user_id': found nothing"),
    "no item": (HEADER + "u,,5,1500000000000\n", "row 1, column 'parent_asin': found nothing"),
    "no rating": (HEADER + "u,B1,,1500000000000\n", "row 1, column 'rating': found nothing"),
    "a word for a rating": (
        HEADER + "u,B1,five,1500000000000\n",
        "row 1, column 'rating': found 'five', expected a number",
    ),
    "seconds": (
        HEADER + "u,B1,5,1500000000000\nu,B1,5,1500000000\n",
        "row 2, column 'timestamp': found '1500000000', "
        "expected Unix milliseconds (seconds? times 1000)",
    ),
    "microseconds": (
        HEADER + "u,B1,5,1500000000000000\n",
        "row 1, column 'timestamp': found '1500000000000000', expected Unix milliseconds",
    ),
    "no time": (
        HEADER + "u,B1,5,\n",
        "row 1, column 'timestamp': found '', expected Unix milliseconds",
    ),
    "a date": (HEADER + "u,B1,5,2020-01-01\n", "row 1, column 'timestamp': found '2020-01-01'"),
}


@pytest.mark.parametrize(("text", "message"), BAD_RATINGS.values(), ids=BAD_RATINGS)
def test_bad_ratings_are_refused_by_name_and_nothing_written(tmp_path, text, message):
    ratings, meta = amazon(tmp_path / "amazon", text)
    told = refused(tmp_path, lambda out: from_amazon_2023(ratings, out, metadata=meta))
    assert told.startswith(f"{ratings}: ")
    assert message in told


GOOD = '{"parent_asin": "B1"}\n'
BAD_META = {
    "an item twice": (GOOD + "\n" + GOOD, "row 2, column 'item_id': 'B1' is already in row 1"),
    "no JSON": (GOOD + "{'parent_asin': 'B2'}\n", "row 2: found"),
    "half a line": (GOOD + '{"parent_asin": "B2"', "row 2: found"),
    "no object": (GOOD + "[1]\n", "row 2: found [1]"),
    "no id": ('{"asin": "B1"}\n', "row 1.parent_asin: found {'asin': 'B1'}; Field required"),
    "an empty id": ('{"parent_asin": ""}\n', "row 1.parent_asin: found ''"),
    "a number for an id": ('{"parent_asin": 5}\n', "row 1.parent_asin: found 5"),
    "a number for a title": (GOOD[:-2] + ', "title": 5}\n', "row 1.title: found 5"),
    "text for a list": (GOOD[:-2] + ', "features": "x"}\n', "row 1.features: found 'x'"),
    "a number in a list": (GOOD[:-2] + ', "categories": [1]}\n', "row 1.categories.0: found 1"),
    "half a character": (GOOD[:-2] + ', "title": "\\ud83d"}\n', "row 1: found"),
    "a deep nest": ("[" * 100_000 + "\n", "row 1: found"),
    "nothing": ("", "found no rows, expected at least one item"),
}


@pytest.mark.parametrize(("text", "message"), BAD_META.values(), ids=BAD_META)
def test_bad_metadata_is_refused_by_name_and_nothing_written(tmp_path, text, message):
    ratings, meta = amazon(tmp_path / "amazon")
    meta.write_text(text)
    told = refused(tmp_path, lambda out: from_amazon_2023(ratings, out, metadata=meta))
    assert told.startswith(f"{meta}: ")
    assert message in told
    assert len(told) < len(str(meta)) + 250


DAMAGES = {
    "cut off": lambda packed: packed[:-9],
    "not packed": lambda packed: b"plain",
    "overwritten": lambda packed: packed[:20] + b"\xff" * 20 + packed[40:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_compressed_file_is_refused(tmp_path, damage):
    good = amazon(tmp_path / "amazon")
    for place in (0, 1):
        files = list(good)
        files[place] = good[place].with_name(good[place].name + ".gz")
        files[place].write_bytes(damage(gzip.compress(good[place].read_bytes() * 50)))
        told = refused(
            tmp_path, lambda out, files=files: from_amazon_2023(files[0], out, metadata=files[1])
        )
        assert told.startswith(f"{files[place]}: not readable")


# The command line


def run(monkeypatch, capsys, *arguments):
    """(exit code, what was printed) of `semrec data import`."""
    command = ["semrec", "data", "import", *map(str, arguments)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setenv("COLUMNS", "500")
    with pytest.raises(SystemExit) as left:
        main()
    printed = capsys.readouterr()
    return left.value.code, printed.out + printed.err


def test_the_command_imports_recbole(tmp_path, monkeypatch, capsys):
    inter = recbole(tmp_path / "ml", INTER + "u\t99\t1\t2\n")
    out = tmp_path / "films"
    options = ("--format", "recbole", "--interactions", inter, "--out", out)
    code, told = run(monkeypatch, capsys, *options)
    assert code == 1
    assert "'99' is not in the catalogue" in told
    assert not out.exists()
    code, _ = run(monkeypatch, capsys, *options, "--drop-unknown", "--positive-weight", "4")
    assert code == 0
    dataset = read_dataset(out)
    assert (dataset.name, dataset.positive_weight) == ("films", 4.0)
    assert dataset.catalog.titles[1] == "GoldenEye"
    assert len(dataset.interactions) == 3


def test_the_command_takes_recboles_items_from_elsewhere(tmp_path, monkeypatch, capsys):
    inter = recbole(tmp_path / "ml", item=None)
    item = recbole(tmp_path / "other").with_suffix(".item")
    options = ("--format", "recbole", "--interactions", inter, "--items", item)
    assert run(monkeypatch, capsys, *options, "--out", tmp_path / "out")[0] == 0
    assert read_dataset(tmp_path / "out").catalog.titles[1] == "GoldenEye"


def test_the_command_imports_amazon_with_and_without_metadata(tmp_path, monkeypatch, capsys):
    ratings, meta = amazon(tmp_path / "amazon")
    options = ("--format", "amazon-2023", "--interactions", ratings, "--name", "home")
    code, told = run(monkeypatch, capsys, *options, "--out", tmp_path / "bare")
    assert code == 0
    assert "2 items have no title" in told
    code, _ = run(monkeypatch, capsys, *options, "--items", meta, "--out", tmp_path / "full")
    assert code == 0
    assert len(read_dataset(tmp_path / "bare").catalog) == 2
    assert read_dataset(tmp_path / "full").catalog.record(0)["store"] == "Kettles Ltd"
    assert read_dataset(tmp_path / "full").name == "home"


def test_the_command_still_imports_tables(tmp_path, monkeypatch, capsys):
    (tmp_path / "films.csv").write_text("id,title,genres\n1,Alien,Horror|SF\n")
    (tmp_path / "seen.csv").write_text("user_id,id,timestamp\nu,1,5\nu,2,6\n")
    code, _ = run(
        monkeypatch,
        capsys,
        *("--items", tmp_path / "films.csv", "--interactions", tmp_path / "seen.csv"),
        *("--rename", "id=item_id", "--split", "genres=|", "--drop-unknown"),
        *("--out", tmp_path / "out"),
    )
    assert code == 0
    dataset = read_dataset(tmp_path / "out")
    assert records(dataset) == [{"item_id": "1", "title": "Alien", "genres": ["Horror", "SF"]}]
    assert len(dataset.interactions) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--items: found nothing, expected a table of items"),
        (("--format", "recbol"), "--format: unknown 'recbol'; did you mean 'recbole'?"),
        (("--format", "recbole", "--rename", "a=b"), "--rename says nothing with --format recbole"),
        (("--format", "recbole", "--split", "a=b"), "--split says nothing with --format recbole"),
        (("--format", "amazon-2023", "--rename", "a=b"), "--rename says nothing with --format am"),
        (("--format", "amazon-2023", "--split", "a=b"), "--split says nothing with --format am"),
        (("--format", "amazon-2023", "--drop-unknown"), "--drop-unknown says nothing with"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(
    tmp_path, monkeypatch, capsys, options, message
):
    inter = recbole(tmp_path / "ml")
    arguments = ("--interactions", inter, "--out", tmp_path / "out", *options)
    code, told = run(monkeypatch, capsys, *arguments)
    assert code == 1
    assert told.startswith(f"error: {message}")
    assert len(told.strip().splitlines()) == 1
    assert names(tmp_path) == ["ml"]
