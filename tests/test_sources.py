"""Datasets from frames, and the shipped one: whole or not at all, never over something else."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import semrec
from semrec import DataError
from semrec.data.dataset import describe, read_dataset
from semrec.data.sources import fetch, from_frames

ITEMS = pd.DataFrame({"item_id": ["a", "b"], "title": ["Alien", "Brazil"], "year": [1979, 1985]})
STEMS = ("items", "interactions", "tags")
EVENTS = pd.DataFrame({"user_id": ["u", "u"], "item_id": ["b", "a"], "timestamp": [2, 1]})


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_frames_become_a_dataset_folder(tmp_path):
    dataset = from_frames(
        ITEMS,
        EVENTS.assign(weight=[5.0, 1.0]),
        tmp_path / "new" / "mine",
        name="mine",
        licence="free",
        positive_weight=np.float64(3.5),
        time="order",
    )
    assert names(tmp_path / "new") == [
        "mine",
        "mine/dataset.yaml",
        "mine/interactions.parquet",
        "mine/items.parquet",
    ]
    assert (dataset.name, dataset.licence, dataset.positive_weight) == ("mine", "free", 3.5)
    assert dataset.catalog.record(1) == {"item_id": "b", "title": "Brazil", "year": 1985}
    assert dataset.interactions.history("u").tolist() == [0, 1]
    assert not dataset.interactions.clock
    assert read_dataset(tmp_path / "new" / "mine").hash == dataset.hash


def test_the_frames_stay_as_they_were(tmp_path):
    items, events = (
        ITEMS.assign(item_id=[1.0, 2.0], genres="x|y"),
        EVENTS.assign(item_id=[1.0, 2.0]),
    )
    before = items.copy(), events.copy()
    from_frames(items, events, tmp_path / "mine", lists={"genres": "|"})
    pd.testing.assert_frame_equal(items, before[0])
    pd.testing.assert_frame_equal(events, before[1])


def test_ids_that_a_merge_made_floats_are_integers_again(tmp_path):
    dataset = from_frames(
        ITEMS.assign(item_id=[1, 2]),
        EVENTS.assign(item_id=[1.0, 2.0], user_id=[10.0, 11.0]),
        tmp_path / "mine",
    )
    assert dataset.catalog.item_ids == ("1", "2")
    assert dataset.interactions.user_ids == ("10", "11")


def test_drop_unknown_leaves_out_events_without_a_known_item(tmp_path):
    items = ITEMS.assign(item_id=[1, 2])
    events = pd.DataFrame(
        {"user_id": list("uvwx"), "item_id": [1.0, None, 3.0, 2.0], "timestamp": range(4)}
    )
    dataset = from_frames(items, events, tmp_path / "mine", drop_unknown=True)
    assert dataset.interactions.user_ids == ("u", "x")
    assert dataset.interactions.rows.tolist() == [0, 1]


def test_lists_are_split_trimmed_and_empty_where_nothing_stands(tmp_path):
    items = pd.DataFrame(
        {"item_id": list("abc"), "title": "x", "genres": ["Drama| Sci-Fi ||", None, ""]}
    )
    dataset = from_frames(items, EVENTS, tmp_path / "mine", lists={"genres": "|"})
    assert dataset.catalog.table["genres"].to_pylist() == [["Drama", "Sci-Fi"], [], []]
    assert dataset.catalog.mask({"genres": "sci-fi"}).tolist() == [True, False, False]


def test_missing_titles_and_attributes_are_empty_not_nan(tmp_path):
    items = ITEMS.assign(title=["Alien", None], year=[1979, np.nan], text=np.nan)
    catalog = from_frames(items, EVENTS, tmp_path / "mine").catalog
    assert catalog.titles == ("Alien", "")
    assert catalog.texts == ("", "")
    assert catalog.record(1) == {"item_id": "b"}


def test_pandas_times_are_a_clock(tmp_path):
    events = EVENTS.assign(timestamp=pd.to_datetime(["2020-01-02", "2020-01-01"]))
    found = from_frames(ITEMS, events, tmp_path / "mine").interactions
    assert found.clock
    assert found.timestamps.tolist() == [1_577_836_800, 1_577_923_200]


FRAMES = {
    "pandas": lambda columns: pd.DataFrame(columns),
    "polars": lambda columns: pytest.importorskip("polars").DataFrame(columns),
    "arrow": lambda columns: pa.table(columns),
    "a stream of Arrow": lambda columns: pa.table(columns).to_reader(),
    "a list of mappings": lambda columns: pa.table(columns).to_pylist(),
    "columns by name": lambda columns: columns,
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_every_kind_are_the_same_dataset(kind):
    frame = FRAMES[kind]
    films = {
        "movieId": [1, 2],
        "title": ["Heat (1995)", "Matrix, The (1999)"],
        "price": [None, 2.5],
    }
    rated = {"userId": [7, 7], "movieId": [2, 1], "rating": [5.0, 0.5], "timestamp": [10, 20]}
    tags = {"movieId": [1], "tag": ["slow"], "userId": [7], "timestamp": [3]}
    dataset = semrec.from_frames(frame(films), frame(rated), tags=frame(tags))
    assert dataset.catalog.titles == ("Heat", "The Matrix")
    assert dataset.catalog.record(1)["price"] == 2.5
    assert dataset.interactions.history("7").tolist() == [1, 0]
    assert dataset.positives.rows.tolist() == [1]
    assert [(tag.row, tag.tag, tag.timestamp) for tag in dataset.tags] == [(0, "slow", 3.0)]


def test_columns_of_anything_are_taken(tmp_path):
    items = ITEMS.assign(
        shelf=pd.Categorical(["x", "y"]),
        labels=[{"b", "a"}, set()],
        mixed=[1, "x"],
        added=pd.to_datetime(["2020-01-01", None]),
    )
    record = from_frames(items, EVENTS).catalog.record(0)
    assert record["shelf"] == "x"
    assert sorted(record["labels"]) == ["a", "b"]
    assert record["mixed"] == "1"
    assert record["added"] == 1577836800


def test_an_index_with_a_name_is_a_column():
    dataset = from_frames(ITEMS.set_index("item_id"), EVENTS)
    assert dataset.catalog.item_ids == ("a", "b")


def test_what_is_not_strict_is_left_out_and_told():
    events = EVENTS.assign(item_id=["b", "nowhere"])
    dataset = from_frames(ITEMS, events, strict=False)
    assert len(dataset.interactions) == 1
    assert any("'nowhere' is not in the catalogue" in note for note in dataset.notes)


def test_the_name_that_readme_had_still_works():
    assert semrec.data.sources.from_frames is semrec.from_frames


@pytest.mark.parametrize("source", [3, [1], {"items": ITEMS}, (ITEMS,)], ids=str)
def test_what_is_no_dataset_is_refused_with_what_is(source):
    with pytest.raises(DataError, match=r"expected a folder, a Dataset, or frames"):
        semrec.build(source)


def test_an_unknown_option_is_named():
    with pytest.raises(DataError, match="unknown option 'positive_wieght'; did you mean"):
        from_frames(ITEMS, EVENTS, positive_wieght=3)


def test_an_earlier_dataset_is_replaced(tmp_path):
    out = tmp_path / "mine"
    from_frames(ITEMS, EVENTS, out, name="films")
    dataset = from_frames(ITEMS.assign(title="new"), EVENTS, out, name="films")
    assert dataset.catalog.titles == ("new", "new")
    assert names(tmp_path) == [
        "mine",
        "mine/dataset.yaml",
        "mine/interactions.parquet",
        "mine/items.parquet",
    ]


def test_a_dataset_of_another_name_is_somebodys_and_stays(tmp_path):
    from_frames(ITEMS, EVENTS, tmp_path / "mine", name="films")
    with pytest.raises(DataError, match="holds something else than an earlier dataset 'books'"):
        from_frames(ITEMS.assign(title="new"), EVENTS, tmp_path / "mine", name="books")
    assert read_dataset(tmp_path / "mine").name == "films"


def test_whole_numbers_with_gaps_stay_whole(tmp_path):
    items = ITEMS.assign(year=[1979.0, None])
    catalog = from_frames(items, EVENTS, tmp_path / "mine").catalog
    assert catalog.record(0)["year"] == 1979
    assert type(catalog.record(0)["year"]) is int
    assert "year" not in catalog.record(1)


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "mine").mkdir()
    assert len(from_frames(ITEMS, EVENTS, tmp_path / "mine").catalog) == 2


@pytest.mark.parametrize("name", ["thesis.txt", "items.csv", "tags.parquet"])
def test_a_folder_that_holds_something_else_is_refused_and_untouched(tmp_path, name):
    out = tmp_path / "mine"
    from_frames(ITEMS, EVENTS, out)
    (out / name).write_text("years of work")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for write in (lambda: from_frames(ITEMS, EVENTS, out), lambda: fetch("movielens", out)):
        with pytest.raises(DataError, match="mine: holds something else than an earlier dataset"):
            write()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert names(tmp_path)[0] == "mine"


def test_a_file_in_the_way_is_refused_and_untouched(tmp_path):
    (tmp_path / "mine").write_text("years of work")
    with pytest.raises(DataError, match=r"something else than .* take another folder"):
        from_frames(ITEMS, EVENTS, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "years of work"
    assert names(tmp_path) == ["mine"]


REFUSED = {
    "doubled ids": (ITEMS.assign(item_id="a"), EVENTS, {}, "'a' is already in another row"),
    "unknown items": (ITEMS, EVENTS.assign(item_id="c"), {}, "'c' is not in the catalogue"),
    "no known items": (
        ITEMS,
        EVENTS.assign(item_id="c"),
        {"drop_unknown": True},
        "No interaction can be used",
    ),
    "a missing id": (
        ITEMS,
        EVENTS.assign(item_id=["a", None]),
        {},
        "row 2, column 'item_id': found nothing",
    ),
    "ids of fractions": (
        ITEMS.assign(item_id=[1.0, 1.5]),
        EVENTS,
        {},
        "column 'item_id': found 1.5, expected text or integers",
    ),
    "endless ids": (
        ITEMS,
        EVENTS.assign(item_id=[1.0, np.inf]),
        {},
        "column 'item_id': found inf, expected text or integers",
    ),
    "a column twice": (
        pd.concat([ITEMS, ITEMS[["year"]]], axis=1),
        EVENTS,
        {},
        "items: column 'year' is there twice",
    ),
    "nothing to split": (
        ITEMS.assign(genres="x"),
        EVENTS,
        {"lists": {"genre": "|"}},
        "no file has a column 'genre'; did you mean 'genres'?",
    ),
    "an unknown kind of time": (ITEMS, EVENTS, {"time": "clocks"}, "found 'clocks'"),
    "nothing that counts": (ITEMS, EVENTS, {"positive_weight": 4}, "weight of at least 4.0"),
}


@pytest.mark.parametrize(("items", "events", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_nothing_half_written_stays_after_a_failure(tmp_path, items, events, options, message):
    out = tmp_path / "mine"
    for _ in ("into nothing", "over an earlier dataset"):
        before = names(tmp_path)
        with pytest.raises(DataError) as caught:
            from_frames(items, events, out, **options)
        assert message in str(caught.value)
        assert names(tmp_path) == before
        from_frames(ITEMS, EVENTS, out)
    assert read_dataset(out).catalog.titles == tuple(ITEMS["title"])


def test_an_unknown_dataset_names_the_nearest(tmp_path):
    with pytest.raises(DataError, match="unknown dataset 'movilens'; did you mean 'movielens'"):
        fetch("movilens", tmp_path / "mine")
    assert names(tmp_path) == []


@pytest.fixture(scope="module")
def movielens(tmp_path_factory):
    return fetch("movielens", tmp_path_factory.mktemp("fetched") / "movielens")


def test_movielens_is_all_there(movielens):
    described = describe(movielens)
    assert described["items"] == 9_742
    assert described["interactions"] == 100_836
    assert described["tags"] == 3_683
    assert len(movielens.interactions.user_ids) == 610
    assert described["attributes"] == ["year", "genres", "keywords"]
    assert (described["from"], described["to"]) == ("1996-03-29", "2018-09-24")
    assert "research use" in described["licence"]
    assert movielens.positives.weights.min() == 3.5


def test_movielens_knows_its_films(movielens):
    row = movielens.catalog.row("1")
    assert movielens.catalog.record(row) == {
        "item_id": "1",
        "title": "Toy Story",
        "year": 1995,
        "genres": ["Adventure", "Animation", "Children", "Comedy", "Fantasy"],
        "keywords": [
            "animation",
            "kids and family",
            "pixar animation",
            "computer animation",
            "toys",
        ],
    }


def test_the_terms_come_with_the_data_and_an_earlier_fetch_is_replaced(tmp_path):
    for _ in ("into nothing", "over an earlier one"):
        fetch("movielens", tmp_path / "movielens")
        files = names(tmp_path / "movielens")
        assert files == sorted([*(f"{stem}.parquet" for stem in STEMS), "LICENSE", "dataset.yaml"])
    terms = " ".join((tmp_path / "movielens" / "LICENSE").read_text("utf-8").split())
    for words in (
        "may not state or imply any endorsement",
        "so long as it is distributed under these same license conditions",
        "any commercial or revenue-bearing purposes",
        "https://doi.org/10.1145/2827872",
        "The Tag Genome",
    ):
        assert words in terms


def test_a_fetched_dataset_is_its_owners_to_change(tmp_path):
    fetch("movielens", tmp_path / "movielens")
    path = tmp_path / "movielens" / "dataset.yaml"
    path.write_text(path.read_text("utf-8").replace("movielens-keywords", "mine"), "utf-8")
    with pytest.raises(DataError, match="holds something else than an earlier dataset"):
        fetch("movielens", tmp_path / "movielens")
    assert read_dataset(tmp_path / "movielens").name == "mine"
