"""A small cross-encoder trained on a dataset, and an artifact that carries it."""

import json

import pytest
from conftest import GROUP, themed_requests, world_config

import semrec
from semrec.training.reranker_training import RerankerOptions, finetune_reranker
from semrec.types import silent

pytestmark = [pytest.mark.slow, pytest.mark.weights]


def requests(n):
    return themed_requests([step * 7 % (6 * GROUP) for step in range(n)])


def test_a_trained_reranker_is_weighed_stored_and_loaded(world, tmp_path):
    config = world_config(fusion={"gate": "fixed"})
    schooling = RerankerOptions(base="minilm", layers=2, epochs=1, made_up=60, teacher="")
    out = tmp_path / "reranker"
    told = finetune_reranker(world, config, [requests(120)], schooling, out, report=silent)
    assert told["lists"] > 100
    assert {path.name for path in out.iterdir()} >= {"model.onnx", "tokenizer.json"}
    assert told["judged"]["both"]["cases"] > 0

    rerank = {"kind": "cross_encoder", "model": str(out), "words": "text"}
    config = world_config(fusion={"gate": "fixed"}, rerank=rerank)
    built = semrec.build(world, config=config, out=tmp_path / "a")
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["config"]["rerank"]["model"] == "reranker"  # it lies in the artifact
    assert str(tmp_path) not in json.dumps(manifest["config"])
    taught = set(json.loads((out / "dialogs.json").read_text()))
    assert taught
    assert taught <= set(manifest["training_dialogs"])
    loaded = semrec.load(tmp_path / "a")
    assert loaded.reranking.weights == built.reranking.weights
    asked = {"intent": "a ghost story", "session": ["i03"], "k": 5}
    assert loaded.recommend(**asked).items == built.recommend(**asked).items
    assert loaded.recommend(**asked, budget_ms=0).trace.rerank.status in ("skipped", "off")
