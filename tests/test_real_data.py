"""Real requests on real data; skipped where ../shared/data isn't there."""

import pytest
from templated_requests import templated_requests

import semrec
from semrec.data.intents import read_cases
from semrec.evaluate.systems import load_artifacts, make_systems

pytestmark = [pytest.mark.slow, pytest.mark.weights]


@pytest.fixture(scope="module")
def movies(shared_data, made_once):
    data = shared_data / "movielens-small"
    return made_once("movies", lambda out: semrec.build(data, config="default", out=out))


def test_words_make_movie_requests_better_than_any_behavioural_list(movies, shared_data):
    """Nothing is learned from dialogs; the ratio holds with room (1.25 is the bar)."""
    names = [str(movies)]
    cases = read_cases(shared_data / "movie-intents" / "redial_valid.parquet")
    systems = make_systems(names, load_artifacts(names), cases, None)
    report = semrec.compare(systems, cases)
    assert (report.n_cases, report.n_units) == (2159, 953)
    assert report.behavioural_only in ("baseline", "ease", "item_knn")
    assert report.ratios["fused"].mean >= 1.25
    assert report.ratios["fused"].low > 1


def test_no_limit_that_is_stated_is_violated_in_the_first_ten(movies):
    rec = semrec.load(movies)
    violated = []
    for request in templated_requests():
        found = rec.recommend(intent=request.text, session=["260", "2571"], k=10)
        permitted = rec.catalog.mask(request.filters)
        rows = rec.catalog.rows(item.item_id for item in found.items)
        assert rows
        if permitted is not None and not permitted[rows].all():
            violated.append(request.text)
    assert violated == []


@pytest.mark.parametrize("name", ["amazon-beauty", "yelp", "lastfm"])
def test_the_leave_one_out_sets_are_read(shared_data, name):
    from semrec.data.dataset import describe, read_dataset
    from semrec.data.splits import leave_out_last

    dataset = read_dataset(shared_data / name)
    described = describe(dataset)
    assert described["time"] == "order"
    sizes = {"amazon-beauty": 22_363, "yelp": 30_431, "lastfm": 1_090}
    assert len(leave_out_last(dataset.positives).test) == sizes[name]
