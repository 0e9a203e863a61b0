"""Speed changes no answer; and what measures it asks real services."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import item_id, world_config

import semrec
from semrec.bench.latency import new_queries
from semrec.bench.serving import served, starting, throughput
from semrec.errors import ArtifactError
from semrec.index.exact import ExactIndex


def test_the_lists_are_those_of_an_exact_search(rec):
    exact = rec.with_parts(index=ExactIndex(vectors=rec.fusion.items()))
    rng = np.random.default_rng(4)
    for words, session in ((True, True), (True, False), (False, True)):
        queries = new_queries(rec.catalog, rec.interactions, rng, words=words, session=session)
        for k in (1, 10, 25, 60):
            asked = replace(next(queries), k=k, exclude=[item_id(row) for row in range(0, k, 7)])
            assert rec.recommend(asked).items == exact.recommend(asked).items


def test_no_two_requests_have_the_same_words(rec):
    rng = np.random.default_rng(0)
    queries = new_queries(rec.catalog, rec.interactions, rng, words=True, session=False)
    assert len({next(queries).intent for _ in range(200)}) == 200


def test_a_start_is_measured_on_a_real_process(artifact):
    found = starting(artifact, n=1)
    assert found["starts_s"] == [found["median_s"]]
    assert found["median_s"] > 0


def test_what_cannot_be_served_says_why(artifact, tmp_path):
    with pytest.raises(ArtifactError, match="expected an artifact"), served(tmp_path / "none"):
        pass
    # The planted world's encoder hashes: nobody writes a script around that.
    with (
        pytest.raises(ArtifactError, match="expected a sentence-transformers model"),
        served(artifact, "semrec.serve.reference_service"),
    ):
        pass


@pytest.mark.slow
@pytest.mark.weights
def test_both_services_answer_any_number_of_clients(world, tmp_path):
    config = world_config(encoder={"kind": "sentence", "model": "minilm"})
    semrec.build(world, config=config, out=tmp_path / "a")
    found = throughput(tmp_path / "a", n=12, clients=(1, 3))
    assert list(found["clients"]) == ["1", "3"]
    for told in found["clients"].values():
        for name in ("semrec", "plain"):
            assert told[name]["requests_per_s"] > 0
            assert told[name]["p50"] <= told[name]["p99"]
