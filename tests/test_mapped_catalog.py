"""A catalogue that is read from a file as it is needed: the same as one in memory."""

import string

import numpy as np
import pyarrow as pa
import pytest
from conftest import world_config
from hypothesis import given, settings
from hypothesis import strategies as st

import semrec
from semrec.data import mapped_catalog
from semrec.data.catalog import load_catalog, make_catalog, save_catalog
from semrec.errors import DataError

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
words = st.none() | st.text(string.ascii_letters + " é🎬", max_size=12)


def both(table, folder):
    """The catalogue of a table in memory, and read from its file."""
    memory = make_catalog(table, folder)
    save_catalog(memory, folder, mapped=True)
    return memory, load_catalog(folder)


def same(one, other):
    rows = range(len(one))
    assert len(other) == len(one)
    assert list(other.item_ids) == list(one.item_ids)
    assert list(other.titles) == list(one.titles) == [other.titles[row] for row in rows]
    assert list(other.texts) == list(one.texts)
    assert [other.record(row) for row in rows] == [one.record(row) for row in rows]
    assert [other.row(item_id) for item_id in one.item_ids] == list(rows)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(ids, st.tuples(words, words, st.integers(0, 9)), min_size=1, max_size=40))
def test_it_is_the_catalogue_in_memory(tmp_path_factory, items):
    rows = [
        {"item_id": item_id, "title": title, "text": text, "year": year}
        for item_id, (title, text, year) in items.items()
    ]
    schema = pa.schema(
        [
            ("item_id", pa.string()),
            ("title", pa.string()),
            ("text", pa.string()),
            ("year", pa.int64()),
        ]
    )
    table = pa.Table.from_pylist(rows, schema=schema)
    memory, mapped = both(table, tmp_path_factory.mktemp("catalogue"))
    same(memory, mapped)
    assert mapped.row("nobody has this id") is None
    assert mapped.mask({"year": {"gte": 5}}).tolist() == memory.mask({"year": {"gte": 5}}).tolist()
    assert tuple(mapped.titles[1:3]) == memory.titles[1:3]


def test_ids_with_the_same_hash_are_told_apart(world, tmp_path, monkeypatch):
    monkeypatch.setattr(mapped_catalog, "_hash", lambda item_id: len(item_id))
    memory, mapped = both(world.catalog.table, tmp_path)
    same(memory, mapped)
    assert mapped.row("i99") is None


def test_items_that_are_added_leave_the_file_alone(world, tmp_path):
    memory, mapped = both(world.catalog.table, tmp_path)
    before = (tmp_path / "catalog.arrow").read_bytes()
    for n in range(3):
        new = [{"item_id": f"n{n}", "title": f"new {n}", "year": 2000 + n}]
        memory, mapped = memory.with_items(new, set()), mapped.with_items(new, set())
    same(memory, mapped)
    assert mapped.table["title"].num_chunks == 2, "a part for each addition makes each look slower"
    for catalog in (memory, mapped):
        for taken in ("i03", "n1"):
            with pytest.raises(DataError, match="already there"):
                catalog.with_items([{"item_id": taken, "title": "again"}], set())
            again = catalog.with_items([{"item_id": taken}], {catalog.row(taken)})
            assert (again.row(taken), again.titles[-1]) == (len(catalog), "")
    assert (tmp_path / "catalog.arrow").read_bytes() == before


def test_text_isnt_in_memory(tmp_path):
    """A process that has the catalogue open holds none of its words, and no table of its ids."""
    n, words = 20_000, "a long description of what it is about " * 10
    rows = range(n)
    columns = {
        "item_id": [f"item {row}" for row in rows],
        "title": [f"title {row}" for row in rows],
    }
    table = pa.table({**columns, "text": [words] * n})
    save_catalog(make_catalog(table, tmp_path), tmp_path, mapped=True)
    del table
    before = pa.total_allocated_bytes()
    catalog = load_catalog(tmp_path)
    assert catalog.titles[n - 1] == f"title {n - 1}"
    assert catalog.row("item 777") == 777
    assert pa.total_allocated_bytes() - before < 100_000
    assert isinstance(catalog._rows.hashes, np.memmap)


def test_an_artifact_over_a_mapped_index_maps_its_catalogue_too(world, tmp_path):
    config = world_config(index={"kind": "ivf"})
    built = semrec.build(world, config=config, out=tmp_path / "mapped")
    names = {path.name for path in (tmp_path / "mapped").iterdir()}
    assert {"catalog.arrow", "catalog_rows.npy"} <= names
    assert "catalog.parquet" not in names
    loaded = semrec.load(tmp_path / "mapped")
    queries = [
        semrec.Query(intent="a quiet heist", session=["i03"], k=20),
        semrec.Query(intent="like 'ghost ghost story number5'", filters={"labels": "odd"}),
        semrec.Query(session=["i07", "i17"]),
    ]
    assert [r.items for r in loaded.recommend_many(queries)] == [
        r.items for r in built.recommend_many(queries)
    ]
    loaded.add_items([{"item_id": "new", "title": "a submarine heist"}])
    assert "new" in [item.item_id for item in loaded.recommend(intent="submarine", k=3).items]


def test_a_broken_file_is_named(world, tmp_path):
    semrec.build(world, config=world_config(index={"kind": "ivf"}), out=tmp_path / "a")
    path = tmp_path / "a" / "catalog.arrow"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(semrec.ArtifactError, match=r"catalog\.arrow"):
        semrec.load(tmp_path / "a", verify="size")
