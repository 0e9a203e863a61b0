"""The encoder that serves: the same vectors as torch's, quicker, or torch itself."""

import copy
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import world_config

import semrec
from semrec.artifact.encoder import make_encoder
from semrec.encoders.cached import uncached
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.onnx import OPTIONS, load_onnx
from semrec.encoders.onnx_export import export_onnx
from semrec.encoders.sentence import SentenceEncoder, load_sentence_encoder
from semrec.errors import ArtifactError, ConfigError, ModelError
from semrec.training import runtime as choosing

pytestmark = pytest.mark.weights

TEXTS = [
    "a quiet heist film",
    "",
    "侍の映画 🎬",
    "I'm looking for something dark and slow, like Alien, but no war films please " * 3,
    "cats " * 900 + "and at last the sea",
    "half an emoji \ud83c",
]


@pytest.fixture(scope="module")
def torch_encoder():
    return load_sentence_encoder("minilm", device="cpu")


def config_of(kind="auto", **encoder):
    return world_config(encoder={"kind": "sentence", "model": "minilm", "runtime": kind, **encoder})


def test_in_single_precision_the_vectors_are_torchs(torch_encoder, exported):
    fast = load_onnx(exported / "float32")
    for role in ("encode_queries", "encode_items"):
        found, want = getattr(fast, role)(TEXTS), getattr(torch_encoder, role)(TEXTS)
        np.testing.assert_allclose(found, want, atol=2e-5)


def test_in_int8_they_are_near(torch_encoder, exported):
    fast = load_onnx(exported / "int8")
    cosines = (fast.encode_queries(TEXTS) * torch_encoder.encode_queries(TEXTS)).sum(axis=1)
    assert cosines.mean() > 0.985
    assert fast.fingerprint != load_onnx(exported / "float32").fingerprint


def test_prompt_and_length_go_with_it(tmp_path):
    ours = load_sentence_encoder(
        "minilm", device="cpu", query_prompt="Represent this request: ", max_length=24
    )
    export_onnx(ours, tmp_path / "float32")
    fast = load_onnx(tmp_path / "float32")
    for role in ("encode_queries", "encode_items"):
        found, want = getattr(fast, role)(TEXTS), getattr(ours, role)(TEXTS)
        np.testing.assert_allclose(found, want, atol=2e-5)


@pytest.mark.slow
def test_an_artifact_serves_with_it_and_says_what_was_found(world, tmp_path):
    out = tmp_path / "a"
    built = semrec.build(world, config=config_of(), out=out)
    told = built.manifest["encoder"]
    assert told["runtime"] in ("onnx int8", "onnx float32")
    assert told["cosine"]["float32"]["least"] >= choosing.FLOAT_COSINE
    assert set(told["ndcg"]) == {"torch", "float32", "int8"}
    loaded = semrec.load(out)
    asked = {"intent": "a ghost in the jungle", "session": ["i03"], "k": 8}
    found = loaded.recommend(**asked)
    assert [i.item_id for i in found.items] == [i.item_id for i in built.recommend(**asked).items]
    # Torch itself is still to be had, and so is the check of what the artifact was made with.
    given = semrec.load(out, encoder="minilm")
    assert type(given.encoder).__name__ == "SentenceEncoder"
    options = out / "runtime" / OPTIONS
    options.write_text(json.dumps({**json.loads(options.read_text()), "source": "other"}))
    with pytest.raises(ArtifactError):
        semrec.load(out)


@pytest.mark.slow
def test_serving_loads_no_torch(world, tmp_path):
    semrec.build(world, config=config_of("onnx"), out=tmp_path / "a")
    code = (
        "import sys, semrec\n"
        f"semrec.load({str(tmp_path / 'a')!r}).recommend(intent='a ghost story')\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_where_the_vectors_differ_torch_is_kept(world, tmp_path, monkeypatch):
    monkeypatch.setattr(choosing, "FLOAT_COSINE", 1.1)
    monkeypatch.setattr(choosing, "INT8_COSINE", 1.1)
    built = semrec.build(world, config=config_of(), out=tmp_path / "a")
    assert built.manifest["encoder"]["runtime"] == "torch"
    assert "cosine" in built.manifest["encoder"]
    assert not (tmp_path / "a" / "runtime").exists()
    loaded = semrec.load(tmp_path / "a")
    assert isinstance(uncached(loaded.encoder), SentenceEncoder)
    assert loaded.pipeline.stand_in is not None, "torch is slow: short budgets have another"


def test_torch_can_be_asked_for(world, tmp_path):
    built = semrec.build(world, config=config_of("torch"), out=tmp_path / "a")
    assert built.manifest["encoder"]["runtime"] == "torch"


def test_what_cannot_be_exported_is_said(world, tmp_path):
    built = semrec.build(world, config=world_config(), out=tmp_path / "a")
    told = built.manifest["encoder"]
    assert told["runtime"] == "torch"
    assert "no sentence-transformers model" in told["why"]
    with pytest.raises(ConfigError, match="set it to auto or torch"):
        semrec.build(world, config=world_config(encoder={"runtime": "onnx"}), out=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_model_that_a_graph_would_not_follow_is_refused(torch_encoder, tmp_path):
    with pytest.raises(ModelError, match="fast tokenizer"):
        export_onnx(replace(torch_encoder, ending=None), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_model_that_cannot_be_traced_is_refused_with_its_reason(torch_encoder, tmp_path):
    class Raises(torch.nn.Module):
        def forward(self, features):
            raise NotImplementedError("no such thing in a graph")

    model = copy.deepcopy(torch_encoder.model)
    model.append(Raises())
    with pytest.raises(ModelError, match="can't be exported: no such thing in a graph"):
        export_onnx(replace(torch_encoder, model=model), tmp_path / "x")


def test_a_broken_graph_is_named(exported, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    for name in (OPTIONS, "tokenizer.json"):
        (tmp_path / name).write_bytes((exported / "float32" / name).read_bytes())
    with pytest.raises(ModelError, match=r"model\.onnx: not loadable"):
        load_onnx(tmp_path)


def test_the_hashing_encoder_needs_none():
    assert isinstance(make_encoder(world_config().encoder), HashingEncoder)
