"""Every index against an oracle: ids and scores, whatever is excluded or filtered."""

from dataclasses import replace
from functools import cache

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resident import linux_only, resident_kb

from semrec.errors import DataError
from semrec.index.coarse import build_coarse
from semrec.index.exact import ExactIndex
from semrec.index.faiss import build_faiss, load_faiss, save_faiss
from semrec.index.grown import grown
from semrec.index.ivf import build_ivf, load_ivf, save_ivf
from semrec.index.selection import HnswOptions, choose_index, kth_scores, recalled
from semrec.index.subset import SubsetIndex
from semrec.types import NO_BOOST, Allowed, IndexQuery, SparseScores

N, DIM = 2_000, 32
NOTHING = np.array([], np.int64)
RNG = np.random.default_rng(9)
VECTORS = RNG.standard_normal((N, DIM)).astype(np.float32)
QUERIES = RNG.standard_normal((50, DIM)).astype(np.float32)
# Small whole numbers: sums are the same in any order, and hundreds of rows tie.
TIED = RNG.integers(-1, 2, (N, 4)).astype(np.float32)
TIED_QUERIES = RNG.integers(-2, 3, (30, 4)).astype(np.float32)

EXACT = ("exact", "flat", "grown")
NEARLY = ("hnsw", "ivf")
ALL = (*EXACT, *NEARLY, "hasty")


def build(kind, vectors):
    if kind == "exact":
        return ExactIndex(vectors=vectors)
    if kind == "grown":  # three quarters as they were, the others beside them
        n = max(1, 3 * len(vectors) // 4)
        return grown(SubsetIndex(vectors=vectors[:n], rows=np.arange(n)), n, vectors[n:])
    if kind == "hasty":  # a graph so poor that it hardly finds anything
        return build_faiss(vectors, kind="hnsw", links=4, ef_construction=8, breadth=8)
    if kind == "ivf":  # filters that leave half and more go by the codes
        return build_ivf(vectors, vectors[:50], n_counted=1, breadth=40, gathered=600)
    return build_faiss(vectors, kind=kind)


@cache
def shared(kind, world="random"):
    return build(kind, {"random": VECTORS, "tied": TIED}[world])


def oracle(vectors, query, k, exclude=NOTHING, mask=None, boost=NO_BOOST):
    """Every permitted row's boosted inner product, sorted in Python: best first, ties by row."""
    scores = vectors.astype(np.float64) @ query.astype(np.float64)
    scores[boost.rows] += boost.scores
    forbidden = set(exclude.tolist())
    permitted = [
        row for row in range(len(vectors)) if row not in forbidden and (mask is None or mask[row])
    ]
    best = sorted(permitted, key=lambda row: (-scores[row], row))[:k]
    return np.asarray(best, np.int64), scores[best]


def allowed(mask):
    if mask is None:
        return None
    return Allowed(make_mask=lambda: mask)


def search(index, query, k, exclude=NOTHING, mask=None, boost=NO_BOOST):
    asked = IndexQuery(vector=query, boost=boost, excluded=exclude, allowed=allowed(mask))
    return index.search([asked], k)[0]


def plain(queries):
    return [IndexQuery(vector=query) for query in queries]


def boost_of(scores):
    rows = np.asarray(sorted(scores), np.int64)
    return SparseScores(rows=rows, scores=np.asarray([scores[row] for row in rows], np.float32))


def assert_like_oracle(found, want):
    np.testing.assert_array_equal(found[0], want[0])
    np.testing.assert_allclose(found[1], want[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("k", [1, 10, 100, 1_500, N, N + 1, 5 * N])
def test_ids_and_scores_are_the_oracles(kind, k):
    for query in QUERIES[:5]:
        assert_like_oracle(search(shared(kind), query, k), oracle(VECTORS, query, k))


@pytest.mark.parametrize("kind", NEARLY)
def test_an_approximate_index_finds_nearly_all_and_scores_it_exactly(kind):
    found = shared(kind).search(plain(QUERIES), 10)
    hits = 0
    for query, (rows, scores) in zip(QUERIES, found, strict=True):
        hits += len(np.intersect1d(rows, oracle(VECTORS, query, 10)[0]))
        np.testing.assert_allclose(scores, VECTORS[rows] @ query, rtol=1e-4, atol=1e-5)
    assert hits / 500 >= 0.95


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("k", [1, 10, 50, 200, 1_000])
def test_ties_are_broken_by_row_also_where_the_list_is_cut(kind, k):
    for query in TIED_QUERIES:
        rows, scores = search(shared(kind, "tied"), query, k)
        want = oracle(TIED, query, k)
        np.testing.assert_array_equal(rows, want[0])
        np.testing.assert_array_equal(scores, want[1])


MASKS = {
    "none": None,
    "half": np.arange(N) % 2 == 0,
    "few": np.arange(N) % 97 == 0,
    "one": np.arange(N) == 1_234,
    "no row": np.zeros(N, bool),
    "all": np.ones(N, bool),
}


@pytest.mark.parametrize("world", ["random", "tied"])
@pytest.mark.parametrize("kind", ALL)
@settings(deadline=None)
@given(
    k=st.integers(1, 2 * N),
    n_best=st.integers(0, N),
    others=st.lists(st.integers(0, N - 1), max_size=20),
    mask=st.sampled_from(list(MASKS)),
    place=st.integers(0, 4),
    boosted=st.dictionaries(st.integers(0, N - 1), st.integers(0, 12), max_size=60),
)
def test_exactly_what_is_permitted_comes_back(world, kind, k, n_best, others, mask, place, boosted):
    """Excluded: some of the best, and any others, some of them twice. A few rows are boosted."""
    boost = boost_of(boosted)
    index = shared(kind, world)
    vectors, queries = (VECTORS, QUERIES) if world == "random" else (TIED, TIED_QUERIES)
    query = queries[place]
    best = np.argsort(-(vectors @ query))[:n_best]
    exclude = np.concatenate([best, others, others[:3]]).astype(np.int64)
    rows, scores = search(index, query, k, exclude, MASKS[mask], boost)
    permitted = np.ones(N, bool) if MASKS[mask] is None else MASKS[mask].copy()
    permitted[exclude] = False
    assert len(rows) == len(scores) == min(k, permitted.sum())
    assert len(np.unique(rows)) == len(rows)
    assert rows.min(initial=0) >= 0
    assert permitted[rows].all()
    np.testing.assert_array_equal(np.lexsort((rows, -scores)), np.arange(len(rows)))
    if kind in EXACT or (MASKS[mask] is not None and (kind != "ivf" or permitted.sum() <= 600)):
        want = oracle(vectors, query, k, exclude, MASKS[mask], boost)
        assert_like_oracle((rows, scores), want)


@pytest.mark.parametrize("kind", ALL)
def test_a_boosted_row_is_found_wherever_it_ranks(kind):
    """The worst row of all, lifted over the best, or in between, or not far enough."""
    order = np.argsort(-(VECTORS @ QUERIES[0]))
    scores = VECTORS @ QUERIES[0]
    for lifted_over in (0, 5, 500):
        lift = float(scores[order[lifted_over]] - scores[order[-1]]) + 0.01
        boost = boost_of({int(order[-1]): lift})
        rows, found = search(shared(kind), QUERIES[0], 10, boost=boost)
        assert (order[-1] in rows) == (lifted_over < 10)
        if lifted_over < 10:
            place = rows.tolist().index(order[-1])
            assert found[place] == pytest.approx(scores[order[-1]] + lift, rel=1e-4)
        without, _ = search(shared(kind), QUERIES[0], 10, order[-1:], boost=boost)
        assert order[-1] not in without


@pytest.mark.parametrize("kind", ALL)
def test_the_first_row_is_a_row_like_others(kind):
    found = search(shared(kind), VECTORS[0], 1)
    assert found[0].tolist() == [0]


def test_vectors_of_an_odd_width_are_searched_like_others():
    vectors, query = VECTORS[:, :31], QUERIES[0, :31]
    index = build_ivf(vectors, vectors[:50], breadth=40, gathered=600)
    found, scores = search(index, query, 10)
    best = oracle(vectors, query, 10)[0]
    assert len(set(found) & set(best)) >= 8
    np.testing.assert_allclose(scores, vectors[found] @ query, rtol=1e-4, atol=1e-5)


def test_the_strongest_boosts_join_where_more_are_boosted_than_fetched():
    """A thousand boosted rows, 200 fetched by their codes: the best ten are among the strongest."""
    rows = np.arange(0, N, 2)
    scores = np.random.default_rng(4).permutation(len(rows)).astype(np.float32)
    boost = SparseScores(rows=rows, scores=scores)
    found, _ = search(shared("ivf"), QUERIES[0], 10, boost=boost)
    np.testing.assert_array_equal(found, oracle(VECTORS, QUERIES[0], 10, boost=boost)[0])


@pytest.mark.parametrize("kind", ALL)
def test_excluding_the_1500_best_of_2000_still_gives_k(kind):
    order = np.argsort(-(VECTORS @ QUERIES[0]))
    rows, _ = search(shared(kind), QUERIES[0], 10, order[:1_500])
    np.testing.assert_array_equal(rows, order[1_500:1_510])


@pytest.mark.parametrize("kind", ALL)
def test_a_single_permitted_row_is_found_wherever_it_ranks(kind):
    for row in np.argsort(VECTORS @ QUERIES[0])[[0, 1_000, -1]]:
        rows, _ = search(shared(kind), QUERIES[0], 10, mask=np.arange(N) == row)
        assert rows.tolist() == [row]


@pytest.mark.parametrize("kind", ALL)
def test_nothing_permitted_gives_nothing(kind):
    for exclude, mask in ((NOTHING, np.zeros(N, bool)), (np.arange(N), None)):
        rows, scores = search(shared(kind), QUERIES[0], 10, exclude, mask)
        assert len(rows) == len(scores) == 0


@pytest.mark.parametrize("kind", ALL)
def test_a_batch_equals_one_by_one_bit_for_bit(kind):
    """Whatever stands beside it: other exclusions, other filters."""
    index = shared(kind)
    order = np.argsort(-(QUERIES @ VECTORS.T), axis=1)
    exclude = [order[place, : place % 7 * place] for place in range(50)]
    masks = [list(MASKS.values())[place % 6] for place in range(50)]
    boosts = [boost_of({place: 3, 7 * place: 9}) for place in range(50)]
    batch = index.search(
        [
            IndexQuery(
                vector=QUERIES[n], boost=boosts[n], excluded=exclude[n], allowed=allowed(masks[n])
            )
            for n in range(50)
        ],
        10,
    )
    for place, (rows, scores) in enumerate(batch):
        one = search(index, QUERIES[place], 10, exclude[place], masks[place], boosts[place])
        np.testing.assert_array_equal(rows, one[0])
        np.testing.assert_array_equal(scores, one[1])


def test_exact_and_flat_agree_bit_for_bit():
    for query in QUERIES:
        one, other = (search(shared(kind), query, 20) for kind in ("exact", "flat"))
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("kind", ALL)
def test_masks_and_exclusions_are_left_as_they_were(kind):
    exclude, mask = np.array([5, 5, 3]), MASKS["half"].copy()
    search(shared(kind), QUERIES[0], 10, exclude, mask)
    assert exclude.tolist() == [5, 5, 3]
    np.testing.assert_array_equal(mask, MASKS["half"])


@pytest.mark.parametrize("kind", ALL)
def test_one_vector_alone(kind):
    index = build(kind, VECTORS[:1])
    rows, scores = search(index, QUERIES[0], 10)
    assert rows.tolist() == [0]
    assert scores[0] == pytest.approx(VECTORS[0] @ QUERIES[0], rel=1e-5)


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_a_saved_index_answers_the_same(kind, tmp_path):
    path = str(tmp_path / "index.faiss")
    save_faiss(shared(kind), path)
    loaded = load_faiss(path)
    np.testing.assert_array_equal(loaded.vectors, VECTORS)
    assert loaded.exact == (kind == "flat")
    for query in QUERIES[:10]:
        before, after = search(shared(kind), query, 10), search(loaded, query, 10)
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])


def test_rows_that_are_not_searchable_never_come_back():
    searchable = np.arange(N) % 3 > 0
    index = ExactIndex(vectors=VECTORS, searchable=searchable)
    for mask in (None, MASKS["half"]):
        found = search(index, QUERIES[0], N, mask=mask)
        both = searchable if mask is None else searchable & mask
        assert_like_oracle(found, oracle(VECTORS, QUERIES[0], N, mask=both))


# --- rows that are added ---


@pytest.mark.parametrize("kind", ALL)
def test_added_rows_are_found_and_the_old_index_is_as_it_was(kind):
    half = build(kind, VECTORS[: N // 2])
    before = search(half, QUERIES[0], 10)
    whole = half.with_items(VECTORS[N // 2 :])
    assert_like_oracle(search(half, QUERIES[0], 10), before)
    if kind in EXACT:
        for query in QUERIES[:5]:
            assert_like_oracle(search(whole, query, 20), oracle(VECTORS, query, 20))
    # A filter is exact in every index.
    mask = np.arange(N) >= N - 40
    for query in QUERIES[:5]:
        want = oracle(VECTORS, query, 10, mask=mask)
        assert_like_oracle(search(whole, query, 10, mask=mask), want)


def test_rows_added_to_an_index_that_shows_only_some_are_not_shown():
    searchable = np.ones(100, dtype=bool)
    index = ExactIndex(vectors=VECTORS[:100], searchable=searchable)
    grown = index.with_items(VECTORS[100:120])
    rows, _ = search(grown, QUERIES[0], 200)
    assert sorted(rows) == list(range(100))


# --- lists of codes ---


def test_a_wide_filter_is_answered_by_codes_and_finds_nearly_all():
    hits = 0
    for query in QUERIES:
        rows, _ = search(shared("ivf"), query, 10, mask=MASKS["half"])
        hits += len(np.intersect1d(rows, oracle(VECTORS, query, 10, mask=MASKS["half"])[0]))
    assert hits / 500 >= 0.95


@pytest.mark.parametrize("mask", ["none", "half", "few"])
def test_a_query_of_counted_columns_alone_is_answered_exactly_ties_and_all(mask):
    """The most popular items: hundreds of rows tie in one column, and lists don't know that."""
    index = build_ivf(TIED, TIED_QUERIES, n_counted=1, breadth=1, gathered=0)
    query = np.array([0, 0, 0, 2], np.float32)
    boost = boost_of({3: 1, 900: 5})
    want = oracle(TIED, query, 50, np.array([1, 2]), MASKS[mask], boost)
    rows, scores = search(index, query, 50, np.array([1, 2]), MASKS[mask], boost)
    np.testing.assert_array_equal(rows, want[0])
    np.testing.assert_array_equal(scores, want[1])


@pytest.fixture
def mapped(tmp_path):
    """Codes read from a file, vectors mapped from another."""
    save_ivf(shared("ivf"), str(tmp_path / "index.faiss"))
    np.save(tmp_path / "vectors.npy", VECTORS)
    vectors = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    built = shared("ivf")
    return load_ivf(str(tmp_path / "index.faiss"), vectors, built.scale, built.counted, 40)


def test_mapped_vectors_give_the_same_answers_bit_for_bit(mapped):
    for query in QUERIES[:10]:
        for mask in (None, MASKS["few"]):
            in_memory, in_file = (search(i, query, 10, mask=mask) for i in (shared("ivf"), mapped))
            np.testing.assert_array_equal(in_memory[0], in_file[0])
            np.testing.assert_array_equal(in_memory[1], in_file[1])


@linux_only
def test_a_search_leaves_no_page_of_the_file_in_this_process(mapped, tmp_path):
    assert np.asarray(mapped.vectors).any()
    assert resident_kb(tmp_path / "vectors.npy") > 0
    search(mapped, QUERIES[0], 10)
    assert resident_kb(tmp_path / "vectors.npy") == 0


def test_a_mapped_index_says_that_it_doesnt_grow(mapped):
    assert shared("ivf").grows
    assert not mapped.grows
    with pytest.raises(DataError, match="mapped"):
        mapped.with_items(VECTORS[:3])


# --- which index ---


def test_a_small_catalogue_is_looked_at_as_a_whole():
    assert choose_index(VECTORS, {}, kind="auto").info == {"kind": "flat"}


@pytest.mark.parametrize("kind", ["auto", "hnsw"])
def test_the_search_is_as_broad_as_the_wanted_recall_takes(kind):
    """Also for queries that say nothing in some columns, and for others than those that judged."""
    half = np.where(np.arange(DIM) < DIM // 2, QUERIES, 0).astype(np.float32)
    queries = {"all": QUERIES[:25], "half": half[:25]}
    narrow = HnswOptions(ef_search=8)
    chosen = choose_index(VECTORS, queries, kind=kind, recall=0.9, flat_most=100, hnsw=narrow)
    assert chosen.info["kind"] == ("ivf" if kind == "auto" else "hnsw")
    assert min(chosen.info["recall"].values()) >= 0.9
    assert all(min(one["recall"].values()) < 0.9 for one in chosen.info["tried"][:-1])
    assert chosen.index.breadth == chosen.info["breadth"]
    for others in (QUERIES[25:], half[25:]):
        worst = kth_scores(VECTORS, others, 100)
        assert recalled(chosen.index, others, worst, 100).mean() >= 0.85


def test_what_cant_be_reached_is_told():
    """A graph so poor that no breadth leads everywhere."""
    poor = HnswOptions(links=4, ef_construction=8, ef_search=1_024)
    told = choose_index(VECTORS, {"all": QUERIES}, kind="hnsw", recall=1.0, hnsw=poor).info
    assert told["wanted"] == 1.0
    assert told["recall"]["all"] < 1
    assert [one["breadth"] for one in told["tried"]] == [1_024, 2_048, 4_000]


def test_without_queries_the_items_are_asked():
    assert choose_index(VECTORS, {}, kind="ivf").info["recall"].keys() == {"items"}


def test_the_kth_score_is_the_oracles():
    for k in (1, 100, N, 2 * N):
        want = [oracle(VECTORS, query, k)[1][-1] for query in QUERIES[:5]]
        np.testing.assert_allclose(kth_scores(VECTORS, QUERIES[:5], k), want, rtol=1e-4)


def test_what_16_bits_leave_out_is_under_the_ceiling():
    coarse = build_coarse(VECTORS)
    for query in QUERIES:
        exact = VECTORS.astype(np.float64) @ query.astype(np.float64)
        for width in (1, 40, N):
            rows, ceiling = coarse.fetch(query, width)
            assert len(set(rows.tolist())) == width
            assert np.delete(exact, rows).max(initial=-np.inf) <= ceiling


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_of_permitted_rows_too_and_no_others_are_looked_at(share):
    coarse = build_coarse(VECTORS)
    permitted = np.random.default_rng(3).random(N) < share
    for query in QUERIES[:10]:
        exact = VECTORS.astype(np.float64) @ query.astype(np.float64)
        rows, ceiling = coarse.fetch(query, 40, permitted)
        assert len(set(rows.tolist())) == min(40, permitted.sum())
        assert permitted[rows].all()
        permitted_left = np.setdiff1d(np.flatnonzero(permitted), rows)
        assert not len(permitted_left) or exact[permitted_left].max() <= ceiling


@pytest.mark.parametrize(
    "boost", [NO_BOOST, SparseScores(rows=np.array([7]), scores=np.ones(1, np.float32))]
)
def test_a_list_is_exact_where_16_bits_tell_nothing_apart(boost):
    close = np.float32(1) + np.arange(300, dtype=np.float32)[:, None] * np.float32(1e-5)
    vectors = np.vstack([RNG.permutation(close), VECTORS[:200, :1] / 100]).repeat(20, axis=1)
    index, query = build("flat", vectors), np.ones(20, np.float32)
    rows, scores = search(index, query, 10, boost=boost)
    want, _ = oracle(vectors, query, 10, boost=boost)
    np.testing.assert_array_equal(rows, want)
    unaided = replace(index, coarse=None)
    unaided_rows, unaided_scores = search(unaided, query, 10, boost=boost)
    np.testing.assert_array_equal(unaided_rows, rows)
    np.testing.assert_array_equal(unaided_scores, scores)


def test_under_a_filter_too():
    close = np.float32(1) + np.arange(600, dtype=np.float32)[:, None] * np.float32(1e-5)
    vectors = np.vstack([RNG.permutation(close), VECTORS[:200, :1] / 100]).repeat(20, axis=1)
    query, mask = np.ones(20, np.float32), np.arange(800) % 3 > 0
    rows, _ = search(build("flat", vectors), query, 10, mask=mask)
    np.testing.assert_array_equal(rows, oracle(vectors, query, 10, mask=mask)[0])


def test_one_query_leaves_the_threads_of_faiss_as_they_were():
    before = faiss.omp_get_max_threads()
    search(shared("flat"), QUERIES[0], 10)
    assert faiss.omp_get_max_threads() == before


def test_few_and_many_queries_get_the_same_lists_after_growth():
    index = build("flat", VECTORS[:1_500]).with_items(VECTORS[1_500:] * 3)
    together = index.search(plain(QUERIES), 20)
    for query, (rows, scores) in zip(QUERIES, together, strict=True):
        for found, want in zip(search(index, query, 20), (rows, scores), strict=True):
            np.testing.assert_array_equal(found, want)
