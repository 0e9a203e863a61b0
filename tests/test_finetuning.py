"""Training an encoder: a planted code is learned, and a killed training goes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tiny_bert import write_tiny_bert
from torchrun_nodes import alone, on_two_nodes

from semrec.encoders.finetuning import _arguments, finetune
from semrec.encoders.masked_loss import masked_loss
from semrec.encoders.sentence import load_sentence_encoder
from semrec.encoders.training_examples import Example, Options
from semrec.training.encoder_training import TrainingSet, validation_ndcg
from semrec.types import silent

TOPICS = {
    "zorp": "a pirate ship sails to a treasure island",
    "quix": "a detective solves a murder in the city",
    "blem": "two robots fall in love on the moon",
    "frand": "a football team wins the final",
}
CODES = list(TOPICS)
ITEMS = [f"{text}, part {n}" for text in TOPICS.values() for n in range(6)]
OPTIONS = Options(
    epochs=3,
    batch_size=8,
    learning_rate=1e-4,
    scale=20.0,
    validate_every=0.5,
    seed=3,
    bf16=False,
)


def examples():
    """A code word asks for the items of its topic; the hard negative is of another topic."""
    rng = np.random.default_rng(0)
    made = []
    for row in range(len(ITEMS)):
        other = int(rng.integers(len(ITEMS)))
        if other // 6 == row // 6:
            other = (other + 6) % len(ITEMS)
        code = CODES[row // 6]
        made.append(Example(query=f"I want {code}", row=row, negative=other, group=code))
    return made


def share_right(encoder):
    """Share of codes whose nearest six items are of their topic."""
    items = encoder.encode_items(ITEMS)
    queries = encoder.encode_queries([f"give me {code}" for code in CODES])
    near = np.argsort(-(queries @ items.T), axis=1)[:, :6] // 6
    return float((near == np.arange(len(CODES))[:, None]).mean())


@pytest.fixture(scope="module")
def untrained():
    return load_sentence_encoder("sentence-transformers/all-MiniLM-L6-v2")


@pytest.mark.slow
@pytest.mark.weights
def test_a_planted_code_is_learned_and_the_original_stays(untrained, tmp_path):
    before = untrained.encode_queries(["a pirate"])
    trained, seen = finetune(
        untrained,
        examples(),
        ITEMS,
        OPTIONS,
        validate=share_right,
        folder=tmp_path / "run",
        report=silent,
    )
    assert seen["0"] < 0.9
    assert share_right(trained) == pytest.approx(max(seen.values()))
    assert share_right(trained) > 0.99
    assert trained.fingerprint != untrained.fingerprint
    np.testing.assert_array_equal(untrained.encode_queries(["a pirate"]), before)


@pytest.mark.slow
@pytest.mark.weights
def test_a_killed_training_goes_on_to_the_same_weights(untrained, tmp_path):
    def run(folder, report=silent):
        return finetune(
            untrained,
            examples(),
            ITEMS,
            OPTIONS,
            validate=share_right,
            folder=folder,
            report=report,
        )

    whole, seen = run(tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(_stage, done, total, _detail=""):
        if done == total // 2 + 2:
            raise Killed

    with pytest.raises(Killed):
        run(tmp_path / "killed", kill)
    resumed, again = run(tmp_path / "killed")
    assert again == seen
    assert resumed.fingerprint == whole.fingerprint


class Constant:
    """An encoder whose vectors are all `value`: collapsed, or (NaN) diverged."""

    def __init__(self, value):
        self.value = value

    def encode_items(self, texts):
        return np.full((len(texts), 4), self.value, np.float32)

    encode_queries = encode_items


@pytest.mark.parametrize("value", [0.5, np.nan], ids=["collapsed", "diverged"])
def test_an_encoder_that_tells_nothing_apart_is_judged_worst(value):
    training_set = TrainingSet(
        examples=(),
        item_texts=ITEMS,
        valid_queries=[(f"I want {code}", frozenset([6 * n])) for n, code in enumerate(CODES)],
        pool=range(len(ITEMS)),
    )
    assert validation_ndcg(Constant(value), training_set) == 0


def test_the_loss_is_the_cross_entropy_over_what_is_not_right_elsewhere():
    rng = np.random.default_rng(1)
    requests = rng.standard_normal((3, 5))
    candidates = rng.standard_normal((6, 5))
    # group 0 wants rows 7 and 8, group 1 wants row 9; request 2 belongs to group 0 too
    labels = [[0, 7, 9], [1, 9, 4], [0, 8, 7]]
    rows = [7, 9, 8, 9, 4, 7]
    wanted = [{7, 8}, {9}]
    scale = 4.0

    def unit(v):
        return v / np.linalg.norm(v, axis=1, keepdims=True)

    scores = scale * unit(requests) @ unit(candidates).T
    losses = []
    for i, (group, _, _) in enumerate(labels):
        kept = [j for j in range(6) if j == i or rows[j] not in wanted[group]]
        losses.append(np.log(np.exp(scores[i, kept]).sum()) - scores[i, i])
    found = masked_loss(
        torch.tensor(requests),
        torch.tensor(candidates),
        torch.tensor(labels),
        [torch.tensor(sorted(some)) for some in wanted],
        scale,
    )
    assert float(found) == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.weights
@pytest.mark.slow
def test_a_build_trains_keeps_and_reloads_its_encoder(world, tmp_path):
    """Trained weights lie in the artifact, and the loaded recommender answers as the built one."""
    from conftest import world_config

    import semrec

    training = {"epochs": 1, "made_up": 200, "batch_size": 32, "unjudged": True}
    encoder = {"kind": "sentence", "training": training, "max_length": 32}
    config = world_config(encoder=encoder)
    built = semrec.build(world, config=config, out=tmp_path / "a")
    loaded = semrec.load(tmp_path / "a")
    assert loaded.encoder.fingerprint == built.encoder.fingerprint
    assert loaded.manifest["encoder"]["trained"]
    assert "0" in loaded.manifest["validation"]["encoder"]
    untrained = load_sentence_encoder("sentence-transformers/all-MiniLM-L6-v2", max_length=32)
    assert loaded.encoder.fingerprint != untrained.fingerprint
    asked = {"intent": "a ghost story", "session": ["i03"], "k": 10}
    assert [i.item_id for i in loaded.recommend(**asked).items] == [
        i.item_id for i in built.recommend(**asked).items
    ]


@pytest.mark.weights
def test_what_an_encoder_has_seen_goes_where_it_goes(untrained, world, tmp_path):
    """Built with an encoder that was trained on a dialog, a recommender is no fair test for it."""
    from conftest import world_config
    from test_compare import CASES

    import semrec
    from semrec.data.intents import unit_hash
    from semrec.encoders.checkpoints import save_sentence_encoder
    from semrec.errors import DataError
    from semrec.evaluate.crossfit import crossfit

    save_sentence_encoder(untrained, tmp_path / "taught", [unit_hash(CASES[0].unit)])
    taught = load_sentence_encoder(str(tmp_path / "taught"))
    rec = semrec.build(world, config=world_config(), encoder=taught)
    with pytest.raises(DataError, match="were used to train"):
        semrec.compare({"fused": rec}, CASES)
    with pytest.raises(DataError, match="were used to train 'the encoder taught'"):
        crossfit(world, CASES, config=world_config(), encoder=taught, folds=2)


@pytest.mark.weights
@pytest.mark.slow
def test_the_command_line_trains_an_encoder_that_any_build_takes(world_folder, tmp_path):
    """Nothing but the result goes to stdout; what lies there already is never written over."""
    import subprocess
    import sys

    settings = ["encoder.training.made_up=300", "encoder.training.batch_size=32"]
    settings += ["encoder.training.unjudged=true"]
    settings += ["behaviour.factors=12", "behaviour.neighbours.kind=none"]
    command = [sys.executable, "-m", "semrec", "train", "encoder", str(world_folder)]
    command += [part for setting in settings for part in ("--set", setting)]
    command += ["--out", str(tmp_path / "encoder"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    looks = json.loads(done.stdout)["validation_ndcg"]
    assert "0" in looks
    assert len(looks) >= 4
    encoder = load_sentence_encoder(str(tmp_path / "encoder"))
    assert encoder.encode_queries(["a ghost story"]).shape == (1, 384)
    unjudged = subprocess.run(
        [*command[:6], "--out", str(tmp_path / "other")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert unjudged.returncode == 1
    assert "found 0 real requests to validate the training on" in " ".join(unjudged.stderr.split())
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "already there" in again.stderr


# --- on two nodes ---


NODES = Path(__file__).parent / "two_encoder_nodes.py"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a tiny encoder that knows the words."""
    texts = [*ITEMS, *(f"I want {code}" for code in CODES), *(f"give me {code}" for code in CODES)]
    return write_tiny_bert(tmp_path_factory.mktemp("tiny"), texts)


@pytest.fixture(scope="module")
def in_one_process(tiny, tmp_path_factory):
    """A folder with what one process comes to on twice the batch."""
    out = tmp_path_factory.mktemp("alone")
    alone(NODES, out, tiny, out / "run")
    return out


def assert_same_weights(out, in_one_process):
    first, second = (load_file(out / f"2-{rank}.safetensors") for rank in (0, 1))
    for name, array in load_file(in_one_process / "1-0.safetensors").items():
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        np.testing.assert_allclose(first[name], array, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_two_nodes_train_what_one_process_does_on_twice_the_batch(tiny, in_one_process, tmp_path):
    """Each against the candidates of both; the first alone validates and writes."""
    done = on_two_nodes(NODES, tmp_path, tiny, tmp_path / "disk-{rank}")
    assert [node.returncode for node in done] == [0, 0], done
    first, second = (json.loads((tmp_path / f"2-{rank}.json").read_text()) for rank in (0, 1))
    whole = json.loads((in_one_process / "1-0.json").read_text())
    assert len(whole["losses"]) >= 20
    assert np.abs(np.subtract(first["losses"], second["losses"])).max() > 0.1
    means = np.mean([first["losses"], second["losses"]], axis=0)
    np.testing.assert_allclose(means, whole["losses"], atol=1e-4)
    assert np.mean(whole["losses"][-5:]) < whole["losses"][0] - 0.3
    assert first["seen"] == second["seen"] == whole["seen"]
    assert_same_weights(tmp_path, in_one_process)
    written = [[path.name for path in (tmp_path / f"disk-{rank}").rglob("*.*")] for rank in (0, 1)]
    assert written[0].count("model.safetensors") == 1
    assert "best.safetensors" in written[0]
    assert set(written[1]) == {"rng_state_1.pth"}
    assert not any("Warning" in node.stderr for node in done)


@pytest.mark.slow
def test_two_nodes_go_on_where_the_first_was_killed_from_a_disk_that_both_see(
    tiny, in_one_process, tmp_path
):
    done = on_two_nodes(NODES, tmp_path, tiny, tmp_path / "disk-{rank}", 20)
    assert 0 not in [node.returncode for node in done]
    assert not list(tmp_path.glob("*.json"))
    done = on_two_nodes(NODES, tmp_path, tiny, tmp_path / "disk-{rank}")
    assert 0 not in [node.returncode for node in done]
    for rank in (0, 1):
        error = (tmp_path / f"error-{rank}.txt").read_text()
        assert "broken off on rank 0, but not on rank 1; set SEMREC_CACHE" in error
    shutil.copytree(tmp_path / "disk-1", tmp_path / "disk-0", dirs_exist_ok=True)
    done = on_two_nodes(NODES, tmp_path, tiny, tmp_path / "disk-0")
    assert [node.returncode for node in done] == [0, 0], done
    seen = [json.loads((tmp_path / f"2-{rank}.json").read_text())["reported"] for rank in (0, 1)]
    assert seen[0] == seen[1]
    assert seen[0][0][0] == 14
    assert_same_weights(tmp_path, in_one_process)


def test_of_few_examples_every_rank_takes_an_equal_share(monkeypatch, tmp_path):
    def taken(n_examples, n_ranks):
        monkeypatch.setenv("WORLD_SIZE", str(n_ranks))
        made = _arguments(OPTIONS, n_examples, tmp_path, "cpu")
        return made["per_device_train_batch_size"], made["max_steps"]

    assert (OPTIONS.batch_size, OPTIONS.epochs) == (8, 3)
    assert taken(24, 1) == (8, 9)
    assert taken(24, 2) == (8, 4)
    assert taken(13, 2) == (6, 2)
    assert taken(7, 1) == (7, 3)
    assert taken(2, 3) == (1, 1)


@pytest.mark.slow
def test_on_two_nodes_the_command_writes_and_prints_once(world_folder, tmp_path):
    """SASRec, which `best` chooses from, is trained on both too; the second's disk stays empty."""
    import pyarrow.parquet as pq

    rows = pq.read_table(world_folder / "items.parquet").to_pylist()
    tiny = write_tiny_bert(tmp_path, [str(value) for row in rows for value in row.values()])
    settings = ["encoder.training.made_up=300", "encoder.training.batch_size=16"]
    settings += ["encoder.training.unjudged=true", f"encoder.model={tiny}"]
    settings += ["behaviour.factors=12", "behaviour.neighbours.kind=none"]
    command = ["-m", "semrec", "train", "encoder", world_folder, "--out", tmp_path / "out"]
    command += [part for setting in settings for part in ("--set", setting)]
    caches = [tmp_path / f"cache-{rank}" for rank in (0, 1)]
    done = on_two_nodes(
        *command, "--json", environments=[{"SEMREC_CACHE": str(cache)} for cache in caches]
    )
    assert [node.returncode for node in done] == [0, 0], done
    looks = json.loads(done[0].stdout)["validation_ndcg"]
    assert len(set(looks.values())) > 1
    assert list(looks)[-1] == "9"  # 300 requests in steps of twice 16
    assert (done[1].stdout, done[1].stderr) == ("", "")
    assert load_sentence_encoder(str(tmp_path / "out")).dim == 32
    first, second = ([path.suffix for path in cache.rglob("*.*")] for cache in caches)
    assert (first, second) == ([".safetensors"], [])  # SASRec's; the encoder's are done with
    assert "train sasrec" in done[0].stderr
