"""Encoders compared on the planted world, where words say an item's theme."""

import pytest
from conftest import world_config
from test_compare import CASES

from semrec.bench.encoders import _shorts, encoder_config, encoders_report
from semrec.config import EncoderConfig
from semrec.errors import DataError, ModelError
from semrec.evaluate.compare import compare
from semrec.evaluate.runners import SemanticOnly

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def both(world):
    return encoders_report(world, ["hashing", "minilm"], CASES, config=world_config())


@pytest.mark.weights
def test_the_behavioural_half_is_shown_once_and_each_encoder_twice(both):
    report, costs = both
    assert [row.system for row in report.rows] == [
        "behavioural",
        "hashing semantic",
        "hashing fused",
        "text",
        "all-MiniLM-L6-v2 semantic",
        "all-MiniLM-L6-v2 fused",
    ]
    assert [cost.encoder for cost in costs] == ["hashing", "all-MiniLM-L6-v2"]
    assert report.behavioural_only == "behavioural"
    assert not [note for note in report.notes if "chosen otherwise" in note]


@pytest.mark.weights
def test_its_figures_are_those_of_a_build_with_that_encoder(both, rec):
    systems = {"behavioural": rec.baseline(), "hashing semantic": SemanticOnly(recommender=rec)}
    want = compare({**systems, "hashing fused": rec}, CASES)
    ours = [row for row in both[0].rows if row.system in [w.system for w in want.rows]]
    for found, expected in zip(ours, want.rows, strict=True):
        assert (found.system, found.metrics) == (expected.system, expected.metrics)
        assert found.coverage == expected.coverage
    fused = {row.system: row.metrics["ndcg"].mean for row in both[0].rows}
    assert fused["all-MiniLM-L6-v2 fused"] > fused["behavioural"] + 0.1


@pytest.mark.weights
def test_each_encoder_says_what_it_costs(both):
    hashing, minilm = both[1]
    assert (hashing.name, hashing.dim, hashing.weights_mb) == ("hashing-64", 64, 0)
    assert (minilm.name, minilm.dim) == (MINILM, 384)
    assert minilm.weights_mb == pytest.approx(90.9, abs=0.1)
    assert minilm.timed_queries == 31  # 36 cases less the warm-up
    assert 0 < minilm.query_ms["p50"] <= minilm.query_ms["p95"]
    assert (hashing.quantisation, minilm.quantisation) == ("", "")


def test_an_encoder_is_made_of_what_its_name_means():
    config = EncoderConfig(dim=64, batch_size=7)
    hashing = encoder_config("hashing", config)
    assert (hashing.kind, hashing.dim, hashing.batch_size) == ("hashing", 64, 7)
    with pytest.raises(ModelError, match="nobody/has-such-a-model"):
        encoder_config("nobody/has-such-a-model", config)


@pytest.mark.slow
def test_a_decoder_is_known_by_its_weights(smollm2):
    found = encoder_config("smollm2", EncoderConfig())
    assert (found.kind, found.model) == ("decoder", "smollm2")
    assert list(_shorts(["smollm2", "hashing"])) == ["SmolLM2-135M-Instruct:Q4_1", "hashing"]


def test_names_must_differ_and_there_must_be_one(world):
    for names in ([], ["hashing", "hashing"]):
        with pytest.raises(DataError, match="name each of them once"):
            encoders_report(world, names, CASES, config=world_config())


def test_cases_that_are_learned_from_are_refused_before_anything_is_built(world):
    with pytest.raises(DataError, match="take other cases"):
        encoders_report(world, ["hashing"], CASES, config=world_config(), intents=[CASES])
