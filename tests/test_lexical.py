"""Words matched as words: filler goes, content stays, and the scores are BM25's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.lexical.analysis import MAX_REQUEST_TERMS, content_words, terms_of
from semrec.lexical.postings import K1, SCALE, B, extended, fit_bm25, load_bm25, save_bm25
from semrec.types import SparseScores

TEXTS = [
    "A quiet heist in Paris",
    "",
    "Robots fall in love with robots",
    "The heist of the century: a heist film",
    "Amélie walks through Paris",
]


def untitled(texts):
    return [("", text) for text in texts]


@pytest.fixture(scope="module")
def model():
    return fit_bm25(untitled(TEXTS))


@pytest.mark.parametrize(
    ("request_", "want"),
    [
        ("Hi! I'm looking for a good movie about time loops", ["time", "loops"]),
        ("can you recommend feel-good films?", ["feel", "good"]),
        ("a film about love", ["love"]),
        ("I'd love to watch a love story", ["love", "story"]),
        ("a leather watch", ["leather", "watch"]),
        ("movies about movies", ["movies"]),
        ("a film about a child", ["child"]),
        ("something good, please", []),
        ("", []),
        ("¿Una película de robos?", ["Una", "película", "de", "robos"]),
    ],
)
def test_the_content_of_a_request_is_left(request_, want):
    assert content_words(request_) == want


def test_terms_are_stems_without_case_accents_and_possessives():
    assert terms_of("Amélie's ROBOTS, running") == ["ameli", "robot", "run"]
    assert terms_of("Ame\u0301lie") == terms_of("Amélie")
    assert terms_of("宇宙の旅") == ["宇宙", "宙の", "の旅"]


def test_scores_are_those_of_the_formula(model):
    n, frequency, length, mean = 4, 2, 8, (5 + 6 + 8 + 4) / 4
    idf = np.log1p((n - frequency + 0.5) / (frequency + 0.5)) / np.log1p((n - 0.5) / 1.5)
    count = 2
    want = SCALE * idf * count * (K1 + 1) / (count + K1 * (1 - B + B * length / mean))
    match = model.match("a heist")
    np.testing.assert_array_equal(match.scores.rows, [0, 3])
    assert match.scores.scores[1] == pytest.approx(want, rel=1e-6)


def test_several_words_add_up_and_the_match_says_what_is_known(model):
    both, one, other = (model.match(text) for text in ("Paris heist", "Paris", "heist"))
    every = np.arange(len(TEXTS))
    np.testing.assert_allclose(
        both.scores.at(every), one.scores.at(every) + other.scores.at(every), rtol=1e-6
    )
    assert (both.n_words, both.n_known) == (2, 2)
    half = model.match("heist zyzzyva heist")
    assert (half.n_words, half.n_known) == (2, 1)
    assert half.specificity == pytest.approx(other.specificity / 2)


@pytest.mark.parametrize("text", ["", "something good, please", "zyzzyva", "!!!", "the of and"])
def test_what_no_item_has_matches_nothing(model, text):
    assert len(model.match(text).scores.rows) == 0
    assert model.match(text).specificity == 0


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=300))
def test_any_text_is_matched_without_an_error(model, text):
    match = model.match(text)
    assert (match.scores.scores > 0).all()
    assert (np.diff(match.scores.rows) > 0).all()
    assert 0 <= match.n_known <= match.n_words <= MAX_REQUEST_TERMS


def test_a_long_request_counts_its_last_words(model):
    text = " ".join(f"word{n}" for n in range(50_000)) + " heist"
    assert model.match(text).n_words == MAX_REQUEST_TERMS
    np.testing.assert_array_equal(model.match(text).scores.rows, [0, 3])


def test_few_postings_and_many_are_summed_alike():
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in range(40)]
    texts = [" ".join(rng.choice(words, 5)) for _ in range(300)]
    one, padded = fit_bm25(untitled(texts)), fit_bm25(untitled([*texts, *[""] * 20_000]))
    for query in ("w1 w2 w3", "w7 w30 w9 w11"):
        np.testing.assert_array_equal(one.match(query).scores.rows, padded.match(query).scores.rows)
        np.testing.assert_allclose(
            one.match(query).scores.scores, padded.match(query).scores.scores, rtol=1e-5
        )


def test_added_items_are_found_by_words_known_and_new(model):
    grown = extended(model, untitled(["a heist on a submarine", ""]))
    assert 5 in grown.match("heist").scores.rows
    np.testing.assert_array_equal(grown.match("submarine").scores.rows, [5])
    assert len(model.match("submarine").scores.rows) == 0, "the old one stays as it was"
    np.testing.assert_allclose(
        grown.match("heist").scores.at(np.arange(5)), model.match("heist").scores.at(np.arange(5))
    )


def test_a_saved_model_is_the_same(model, tmp_path):
    save_bm25(model, tmp_path)
    again = load_bm25(tmp_path)
    for text in ("quiet heist in Paris", "robots", "Amélie"):
        found, want = again.match(text), model.match(text)
        np.testing.assert_array_equal(found.scores.rows, want.scores.rows)
        np.testing.assert_array_equal(found.scores.scores, want.scores.scores)
    assert load_bm25(tmp_path / "none") is None


@pytest.mark.parametrize("texts", [[], ["", ""], ["one"], ["same", "same", "same"]])
def test_catalogues_that_say_nothing_are_silent(texts):
    model = fit_bm25(untitled(texts))
    assert np.isfinite(model.match("same one").scores.scores).all()


def test_a_word_of_the_title_counts_less_than_one_of_the_rest():
    model = fit_bm25([("Warm Bodies", "zombies"), ("Amélie", "warm and sweet"), ("Warm", "")])
    scores = model.match("something warm").scores.at(np.arange(3))
    assert scores[1] > scores[0] > 0
    assert scores[2] > scores[0], "where there is nothing but a title, it counts in full"


def test_boosts_add_up_over_the_rows_of_either():
    """Against a plain dictionary, with few rows into many and many into few."""
    rng = np.random.default_rng(0)
    for n, m in [(5, 60), (60, 5), (30, 30), (1, 1)]:
        pair = [
            SparseScores(
                rows=np.sort(rng.permutation(80)[:size]).astype(np.int64),
                scores=rng.random(size).astype(np.float32),
            )
            for size in (n, m)
        ]
        want: dict[int, float] = {}
        for boost in pair:
            for row, score in zip(boost.rows.tolist(), boost.scores.tolist(), strict=True):
                want[row] = want.get(row, 0.0) + score
        both = pair[0].plus(pair[1])
        assert both.rows.tolist() == sorted(want)
        np.testing.assert_allclose(both.scores, [want[row] for row in sorted(want)], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a heist with Steve McQueen", ("Steve McQueen",)),
        ("a heist with steve mcqueen", ("steve", "mcqueen")),
        ("a heist in 4K", ("4K",)),
        ("an exciting heist", ()),  # the encoder reads it
        ("a heist, though I havent seen any", ()),
        ("a heist from 1990 or the 90s", ()),
        ("A HEIST FOR EXCITING PEOPLE", ()),
        ("something exciting", ("exciting",)),  # nothing else is known
        (
            "flurbles in 4K by Tarkovsky or Ang Lee, with zorbs, grumbles, morks and snorks",
            ("4K", "Tarkovsky", "Ang Lee", "zorbs"),
        ),
        ("haha alright", ()),
        ("hi, thanks!", ()),
    ],
)
def test_names_that_no_item_has_are_told(text, unknown):
    assert fit_bm25([("Rififi", "a quiet heist")]).match(text).unknown == unknown
