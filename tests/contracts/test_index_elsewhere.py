"""Indexes on a real Milvus, and on milvus-lite, against the oracle of all indexes."""

import shutil
import subprocess

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from milvus_server import MilvusServer, collection_of, rows_of
from test_index import MASKS, QUERIES, VECTORS, N, boost_of, oracle

from semrec.data.attributes import make_attribute
from semrec.deadline import Deadline
from semrec.errors import ConfigError
from semrec.index.expressions import expression
from semrec.index.milvus import MilvusIndex
from semrec.index.milvus_server import EngineError, Server, server_at
from semrec.index.publishing import fields_of, publish_rows
from semrec.index.subset import SubsetIndex
from semrec.types import NO_BOOST, Allowed, Condition, IndexQuery, silent

pytestmark = pytest.mark.slow
KINDS = ("flat", "hnsw", "lite")
LITE = 300  # rows: it reads them one by one
ODD = ['a"b', "a'b", "a\\b", '"] or row > 0 or "', "ß", "日本", "{x}", "%", "x" * 300, " "]
RNG = np.random.default_rng(5)
COUNTS = RNG.integers(0, 40, N)
YEARS = [None if row % 7 == 0 else float(1950 + row % 70) for row in range(N)]
LABELS = [[ODD[code] for code in RNG.integers(0, len(ODD), row % 4)] for row in range(N)]


GIVEN = {name: mask for name, mask in MASKS.items() if mask is not None}


def allowed(name, attributes, n):
    if name not in GIVEN:
        return None
    limit = (("masks", attributes["masks"].condition(name)),)
    return Allowed(conditions=limit, make_mask=lambda: GIVEN[name][:n])


def search(index, query, k, exclude=(), limits=None, boost=NO_BOOST):
    excluded = np.asarray(exclude, np.int64)
    asked = IndexQuery(vector=query, boost=boost, excluded=excluded, allowed=limits)
    return index.search([asked], k)[0]


def attributes_of(n):
    columns = {
        "labels": pa.chunked_array([pa.array(LABELS[:n], pa.list_(pa.string()))]),
        'or "1" == "1': pa.chunked_array([pa.array(YEARS[:n], pa.float64())]),
        "new": pa.chunked_array([pa.array([row % 3 == 0 for row in range(n)])]),
        "masks": pa.chunked_array(
            [
                pa.array(
                    [[name for name, mask in GIVEN.items() if mask[row]] for row in range(n)],
                    pa.list_(pa.string()),
                )
            ]
        ),
    }
    return {name: make_attribute(name, column) for name, column in columns.items()}


def opened(collection, vectors, attributes, local=100, gathered=0):
    rows = np.sort(np.argsort(-COUNTS[: len(vectors)], kind="stable")[:local])
    return MilvusIndex(
        collection,
        fields_of(attributes),
        vectors=vectors,
        counted=np.ascontiguousarray(vectors[:, -1:]),
        local=SubsetIndex(vectors=vectors[rows], rows=rows),
        gathered=gathered,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = MilvusServer(tmp_path_factory.mktemp("milvus"))
    yield server
    server.kill()


@pytest.fixture(scope="module")
def indexes(server, tmp_path_factory):
    made = {}
    for kind in KINDS:
        vectors = VECTORS[:LITE] if kind == "lite" else VECTORS
        attributes = attributes_of(len(vectors))
        where = tmp_path_factory.mktemp("lite") / "a.db" if kind == "lite" else server
        collection = collection_of(where, vectors, f"semrec_contract_{kind}")
        engine = "flat" if kind == "lite" else kind
        said = publish_rows(
            collection,
            rows_of(vectors, attributes, COUNTS[: len(vectors)]),
            {"real": QUERIES},
            engine=engine,
            progress=silent,
        )
        assert said["engine"] == engine
        assert said["recall"]["real"] >= 0.97
        made[kind] = (opened(collection, vectors, attributes), vectors, attributes)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_scores_are_the_oracles(indexes, kind):
    index, vectors, _ = indexes[kind]
    hits = 0
    for query in QUERIES[:20]:
        rows, scores = search(index, query, 20)
        want, their = oracle(vectors, query, 20)
        hits += len(np.intersect1d(rows, want))
        np.testing.assert_allclose(scores, vectors[rows] @ query, rtol=1e-5, atol=1e-5)
        if kind != "hnsw":
            np.testing.assert_array_equal(rows, want)
            np.testing.assert_allclose(scores, their, rtol=1e-5, atol=1e-5)
    assert hits / 400 >= 0.97


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    k=st.integers(1, 200),
    n_best=st.integers(0, 50),
    others=st.lists(st.integers(0, LITE - 1), max_size=20),
    mask=st.sampled_from(list(MASKS)),
    place=st.integers(0, 4),
    boosted=st.dictionaries(st.integers(0, LITE - 1), st.integers(0, 12), max_size=60),
)
def test_exactly_what_is_permitted_comes_back(
    indexes, kind, k, n_best, others, mask, place, boosted
):
    index, vectors, attributes = indexes[kind]
    n, query, boost = len(vectors), QUERIES[place], boost_of(boosted)
    best = np.argsort(-(vectors @ query))[:n_best]
    exclude = np.concatenate([best, others, others[:3]]).astype(np.int64)
    kept = None if MASKS[mask] is None else MASKS[mask][:n]
    rows, scores = search(index, query, k, exclude, allowed(mask, attributes, n), boost)
    permitted = np.ones(n, bool) if kept is None else kept.copy()
    permitted[exclude] = False
    assert len(rows) == len(scores) == min(k, permitted.sum())
    assert permitted[rows].all()
    assert len(np.unique(rows)) == len(rows)
    if kind != "hnsw":
        want, their = oracle(vectors, query, k, exclude, kept, boost)
        np.testing.assert_allclose(scores, their, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(rows, want)


conditions = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.one_of(
            st.sampled_from(ODD),
            st.dictionaries(
                st.sampled_from(["any", "all", "none"]),
                st.lists(st.sampled_from([*ODD, "unknown"]), max_size=4),
                min_size=1,
            ),
        ),
        'or "1" == "1': st.one_of(
            st.integers(1950, 2020),
            st.dictionaries(
                st.sampled_from(["gt", "gte", "lt", "lte"]),
                st.one_of(st.integers(1940, 2030), st.floats(allow_nan=False, allow_infinity=True)),
                min_size=1,
                max_size=2,
            ),
            st.dictionaries(
                st.sampled_from(["any", "none"]),
                st.lists(st.integers(1950, 2020), max_size=4),
                min_size=1,
            ),
        ),
        "new": st.booleans(),
    },
)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(filters=conditions, most=st.none() | st.integers(0, 40), place=st.integers(0, 4))
def test_conditions_mean_what_masks_mean(indexes, kind, filters, most, place):
    """Labels with quotes, backslashes and an injection among them; numbers of all sizes."""
    index, vectors, attributes = indexes[kind]
    n = len(vectors)
    checked = tuple((name, attributes[name].condition(value)) for name, value in filters.items())
    counts = None if most is None else Condition(bounds=(("lte", float(most)), ("gte", 2.0)))
    mask = np.ones(n, bool) if counts is None else counts.within(COUNTS[:n])
    for name, condition in checked:
        mask &= attributes[name].mask(condition)
    limits = Allowed(conditions=checked, counts=counts, make_mask=lambda: mask)
    query = IndexQuery(vector=QUERIES[place], allowed=limits)
    [(rows, scores)] = index.search([query], 50)
    assert not index.complaint
    want, their = oracle(vectors, QUERIES[place], 50, mask=mask)
    assert mask[rows].all()
    if kind != "hnsw" or mask.sum() <= 100:
        np.testing.assert_array_equal(rows, want)
        np.testing.assert_allclose(scores, their, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_many_exclusions_are_dropped_here(indexes, kind):
    index, vectors, _ = indexes[kind]
    order = np.argsort(-(vectors @ QUERIES[0]))
    for n_excluded in (len(vectors) // 2, len(vectors) - 5):
        rows, _ = search(index, QUERIES[0], 10, order[:n_excluded])
        want = order[n_excluded : n_excluded + 10]
        assert len(rows) == len(want)
        if kind != "hnsw":
            np.testing.assert_array_equal(rows, want)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_different_queries_is_answered_each(indexes, kind):
    index, vectors, attributes = indexes[kind]
    limits = [allowed(name, attributes, len(vectors)) for name in MASKS]
    queries = [
        IndexQuery(vector=QUERIES[i], boost=boost_of({i: 3}), allowed=limits[i % len(limits)])
        for i in range(12)
    ]
    lists, complaint = index.search_within(queries, 10, Deadline.within(2_000))
    assert complaint == ""
    for query, (rows, scores) in zip(queries, lists, strict=True):
        [(alone, same)] = index.search([query], 10)
        np.testing.assert_array_equal(rows, alone)
        np.testing.assert_allclose(scores, same, rtol=1e-6)


def test_the_most_popular_come_exactly_from_here(indexes):
    """A query of the counted columns alone: a graph by inner products finds them badly."""
    index, vectors, attributes = indexes["hnsw"]
    query = np.zeros(vectors.shape[1], np.float32)
    query[-1] = 2
    half = allowed("half", attributes, N)
    rows, scores = search(index, query, 50, np.array([3, 4]), half)
    want, their = oracle(vectors, query, 50, np.array([3, 4]), MASKS["half"])
    np.testing.assert_array_equal(rows, want)
    np.testing.assert_allclose(scores, their, rtol=1e-6)


def test_limits_that_leave_few_rows_are_answered_here(indexes):
    index, vectors, attributes = indexes["hnsw"]
    near = opened(index.collection, vectors, attributes, gathered=30)
    few = allowed("few", attributes, N)
    [(rows, scores)], complaint = near.search_within(
        [IndexQuery(vector=QUERIES[0], allowed=few)], 10, Deadline.within(0)
    )
    assert complaint == ""
    want, their = oracle(vectors, QUERIES[0], 10, mask=MASKS["few"])
    np.testing.assert_array_equal(rows, want)
    np.testing.assert_allclose(scores, their, rtol=1e-5)


def test_without_time_the_best_known_rows_answer(indexes):
    index, vectors, _ = indexes["flat"]
    [(rows, scores)], complaint = index.search_within(
        [IndexQuery(vector=QUERIES[0], excluded=np.array([1]))], 10, Deadline.within(0)
    )
    assert complaint == "no answer in time"
    known = np.isin(np.arange(N), index.local.rows)
    want, their = oracle(vectors, QUERIES[0], 10, np.array([1]), known)
    np.testing.assert_array_equal(rows, want)
    np.testing.assert_allclose(scores, their, rtol=1e-5)


def test_what_nothing_satisfies_is_not_asked_for():
    fields = fields_of(attributes_of(10))
    for condition in (Condition(any=()), Condition(any=(-1.0,)), Condition(all=(0.0, -1.0))):
        limits = Allowed(conditions=(("labels", condition),), make_mask=lambda: np.zeros(10, bool))
        assert expression(limits, fields) is None
    assert expression(None, fields) == ""


# --- publishing ---


def test_publishing_again_writes_nothing(server, indexes):
    index, vectors, attributes = indexes["flat"]
    client = index.collection.server.client(5)
    before = client.describe_collection(index.collection.name)["collection_id"]
    said = publish_rows(
        index.collection,
        rows_of(vectors, attributes, COUNTS),
        {"real": QUERIES},
        progress=silent,
    )
    assert (said["engine"], said["breadth"]) == ("flat", 0)
    assert said["rows"] == N
    assert client.describe_collection(index.collection.name)["collection_id"] == before


def test_a_broken_off_publication_goes_on_where_it_was(server, monkeypatch):
    from semrec.index import publishing

    vectors = VECTORS[:900]
    collection = collection_of(server, vectors, "semrec_contract_broken")
    monkeypatch.setattr(publishing, "PART_ROWS", 200)
    parts = []

    def broken_off(stage, done, total, detail=""):
        if stage == "write" and done >= 600:
            raise KeyboardInterrupt
        parts.append(done)

    def publish(progress):
        return publish_rows(
            collection, rows_of(vectors), {"real": QUERIES[:5]}, engine="flat", progress=progress
        )

    with pytest.raises(KeyboardInterrupt):
        publish(broken_off)
    with pytest.raises(EngineError, match="half published: semrec publish ARTIFACT --index"):
        opened(collection, vectors, {})
    client = collection.server.client(5)
    client.delete(collection.name, filter="row >= 250 and row < 300")  # and a part half written
    said = publish(silent)
    assert said["rows"] == 900
    index = opened(collection, vectors, {})
    np.testing.assert_array_equal(
        search(index, QUERIES[0], 50)[0], oracle(vectors, QUERIES[0], 50)[0]
    )


def test_a_graph_that_finds_too_little_gives_way_to_a_look_at_everything(server, monkeypatch):
    from semrec.index import publishing

    monkeypatch.setattr(publishing, "FLAT_MOST", 1_000)
    monkeypatch.setattr(publishing, "BREADTHS", (1, 2))
    monkeypatch.setattr("semrec.index.milvus_server.MORE", 0)
    monkeypatch.setattr(publishing, "LINKS", 4)
    monkeypatch.setattr(publishing, "EF_CONSTRUCTION", 4)
    collection = collection_of(server, VECTORS, "semrec_contract_poor")
    said = publish_rows(
        collection, rows_of(VECTORS), {"real": QUERIES}, recall=0.9999, progress=silent
    )
    assert [(of["engine"], of["breadth"]) for of in said["tried"]] == [
        ("hnsw", 1),
        ("hnsw", 2),
        ("flat", 0),
    ]
    assert said["engine"] == "flat"
    index = opened(collection, VECTORS, {})
    np.testing.assert_array_equal(
        search(index, QUERIES[0], 50)[0], oracle(VECTORS, QUERIES[0], 50)[0]
    )
    assert said["recall"] == {"real": 1.0}


# --- what is wrong is said in one line ---


def test_another_artifacts_collection_is_refused(indexes):
    index, vectors, attributes = indexes["flat"]
    another = collection_of(
        index.collection.server, vectors, index.collection.name, checksum="d" * 64
    )
    with pytest.raises(EngineError, match="is of artifact 'cccccccccccc', 32 dimensions") as caught:
        opened(another, vectors, attributes)
    assert "\n" not in str(caught.value)
    narrow = collection_of(index.collection.server, vectors[:, :16], index.collection.name)
    with pytest.raises(EngineError, match="expected 'cccccccccccc', 16"):
        opened(narrow, vectors[:, :16], attributes)
    with pytest.raises(EngineError, match="has other vectors than the artifact"):
        opened(index.collection, vectors + 1, attributes)


def test_what_was_never_published_is_refused(server):
    missing = collection_of(server, VECTORS, "semrec_nothing")
    with pytest.raises(EngineError, match="has no collection semrec_nothing: semrec publish"):
        opened(missing, VECTORS, {})


def test_nobody_there_is_no_refusal_but_a_complaint():
    collection = collection_of("http://127.0.0.1:9", VECTORS, "semrec_away")
    index = opened(collection, VECTORS, {})
    assert "127.0.0.1:9" in index.complaint
    assert "\n" not in index.complaint
    rows, _ = search(index, QUERIES[0], 10)
    assert np.isin(rows, index.local.rows).all()
    with pytest.raises(EngineError):
        publish_rows(collection, rows_of(VECTORS), {"real": QUERIES}, progress=silent)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1:19530",
        "milvus+http://127.0.0.1",
        "milvus+ftp://h:1",
        "milvus+http://h:x",
    ],
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match=r"milvus\+http://HOST:PORT"):
        server_at(url)


def test_a_token_in_an_address_is_refused_and_never_shown():
    with pytest.raises(ConfigError, match="its token is MILVUS_TOKEN") as caught:
        server_at("milvus+http://root:secret@127.0.0.1:19530")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Server(uri="http://h:1", token="secret"))


def test_a_wrong_token_is_refused_in_one_line(tmp_path):
    guarded = MilvusServer(tmp_path / "guarded", authorization_enabled=True)
    try:
        right = Server(uri=guarded.uri, token="root:Milvus")
        assert right.client(5).list_collections() == []
        with pytest.raises(EngineError, match="MILVUS_TOKEN") as caught:
            Server(uri=guarded.uri, token="root:guess").client(5).list_collections()
        assert not caught.value.is_away
        assert "guess" not in str(caught.value)
    finally:
        guarded.kill()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 400 MB, some 25 of which Milvus leaves."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(mounted)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield mounted
    subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def test_a_full_disk_is_one_line_and_so_is_no_answer_after_it(small_disk, monkeypatch):
    from semrec.index import publishing

    monkeypatch.setattr(publishing, "WRITE_S", 3.0)
    monkeypatch.setattr(publishing, "INDEX_S", 3.0)
    server = MilvusServer(small_disk / "milvus")
    try:
        left = shutil.disk_usage(small_disk).free
        (small_disk / "filler").write_bytes(bytes(left))
        collection = collection_of(server, VECTORS, "semrec_contract_full")
        for _ in range(2):  # at first it says so; then it may not answer any more
            with pytest.raises(EngineError, match=r"No space left|no answer in time") as caught:
                publish_rows(collection, rows_of(VECTORS), {"real": QUERIES}, progress=silent)
            assert "\n" not in str(caught.value)
    finally:
        server.kill()
