"""A static encoder: distilled on a catalogue's texts, near its teacher, read by Model2Vec too."""

import numpy as np
import pytest
from conftest import THEMES, world_config

import semrec
from semrec.encoders.distillation import distil
from semrec.encoders.sentence import load_sentence_encoder
from semrec.encoders.static import load_static
from semrec.errors import ConfigError, DataError
from semrec.training.encoder_distillation import distilled_encoder
from semrec.training.job import Job
from semrec.training.shards import encode_shard

TEXTS = [f"a {word} story of {other}" for word in THEMES for other in THEMES]


@pytest.mark.slow
def test_model2vec_reads_what_is_written(distilled):
    model2vec = pytest.importorskip("model2vec")
    own = load_static(distilled, "static")
    theirs = model2vec.StaticModel.from_pretrained(distilled)
    np.testing.assert_allclose(theirs.encode(TEXTS), own.encode_items(TEXTS), atol=1e-5)


@pytest.mark.slow
@pytest.mark.weights
def test_texts_point_where_the_teacher_says():
    """Tokens whose own vectors say nothing are bent by the texts; that is all they have here."""
    teacher = load_sentence_encoder("minilm", device="cpu")
    n_tokens = teacher.model.tokenizer.backend_tokenizer.get_vocab_size()
    alone = np.random.default_rng(0).standard_normal((n_tokens, teacher.dim)).astype(np.float32)
    targets = teacher.encode_items(TEXTS)
    found = distil(teacher, alone / 100, TEXTS, targets).encode_items(TEXTS)
    goal = targets - targets.mean(axis=0)
    goal /= np.linalg.norm(goal, axis=1, keepdims=True)
    assert (found * goal).sum(axis=1).mean() > 0.9


@pytest.mark.slow
def test_a_built_artifact_has_it_in_itself(world, tmp_path):
    config = world_config(encoder={"kind": "static"})
    built = semrec.build(world, config=config, out=tmp_path / "artifact")
    loaded = semrec.load(tmp_path / "artifact")
    assert loaded.manifest["encoder"]["runtime"] == "static"
    assert loaded.encoder.name == "sentence-transformers/all-MiniLM-L6-v2:static"
    assert loaded.encoder.fingerprint == built.encoder.fingerprint
    for word in THEMES:
        found = loaded.recommend(intent=f"a {word} story", k=5)
        assert found.items == built.recommend(intent=f"a {word} story", k=5).items
        assert all(word in item.title for item in found.items)


def test_it_isnt_made_by_shards(world, tmp_path):
    config = world_config(encoder={"kind": "static"})
    with pytest.raises(ConfigError, match="by `semrec build` alone"):
        encode_shard(world, config, tmp_path)


@pytest.mark.weights
def test_a_catalogue_without_text_is_told():
    config = world_config(encoder={"kind": "static"}).encoder
    with pytest.raises(DataError, match=r"take encoder\.kind hashing"):
        distilled_encoder(["", ""], config, Job(seed=0))
