"""A trained encoder is kept only where the fused lists of real requests are better with it."""

from pathlib import Path

import numpy as np
import pytest
from conftest import GROUP, themed_requests, world_config

from semrec.encoders.hashing import HashingEncoder
from semrec.training.encoder_selection import select_encoder
from semrec.training.encoder_training import FinetunedEncoder, finetune_encoder
from semrec.training.job import Job
from semrec.training.preparation import prepare

CLEAR, JOB = HashingEncoder(dim=64), Job(seed=0)


class Blurred(HashingEncoder):
    """Nearly the same vector for every text."""

    def encode_items(self, texts):
        return CLEAR.encode_items(["always the same"] * len(texts))


def requests(n):
    """Requests for the theme of an item in the words of its title; one session event each."""
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 6 * GROUP, n)
    return themed_requests(rows.tolist())


@pytest.fixture(scope="module")
def prepared(world):
    config = world_config(fusion={"named": False, "gate": "fixed"})
    return prepare(world, config, [requests(150)], JOB)


@pytest.fixture(scope="module")
def unasked(world):
    return prepare(world, world_config(fusion={"gate": "fixed"}), [], JOB)


def taught(encoder):
    return FinetunedEncoder(encoder=encoder, looks={"0": 0.1, "8": 0.9}, folder=Path("checkpoints"))


def test_a_training_that_spoils_the_fused_lists_is_thrown_away(prepared):
    blurred = Blurred(dim=64)
    found = select_encoder(prepared, CLEAR, taught(blurred), JOB)
    assert found.encoder is CLEAR
    assert not found.sets.made_up & {"both"}
    fused = found.tuned["fused_with_encoder"]
    assert fused["untrained"] > fused["trained"]
    assert found.ndcg_of_requests(None).mean() == pytest.approx(fused["untrained"], abs=1e-6)
    assert found.tuned["encoder"] == {"0": 0.1, "8": 0.9}


def test_one_that_makes_them_better_is_kept(prepared):
    found = select_encoder(prepared, Blurred(dim=64), taught(CLEAR), JOB)
    assert found.encoder is CLEAR
    fused = found.tuned["fused_with_encoder"]
    assert fused["gain"][0] > 0
    assert found.ndcg_of_requests(None).mean() == pytest.approx(fused["trained"], abs=1e-6)


def test_of_equals_the_one_that_wasnt_trained_stays(prepared):
    again = HashingEncoder(dim=64)
    assert select_encoder(prepared, CLEAR, taught(again), JOB).encoder is CLEAR


def test_without_real_requests_nobody_can_say(unasked):
    """Made-up requests judge every encoder that has learned from such ones too well."""
    blurred = Blurred(dim=64)
    found = select_encoder(unasked, CLEAR, taught(blurred), JOB)
    assert found.encoder is blurred
    assert not len(found.ndcg_of_requests(None))
    assert "fused_with_encoder" not in found.tuned


def test_an_encoder_that_wasnt_trained_is_looked_at_once(prepared):
    found = select_encoder(prepared, CLEAR, FinetunedEncoder(encoder=CLEAR), JOB)
    assert found.encoder is CLEAR
    assert found.tuned["encoder"] == {}


def test_training_changes_nothing_that_validation_draws(prepared, monkeypatch):
    """Or a variant without it would be asked other requests than the whole."""
    trains = {"encoder": {"training": {"epochs": 1, "batch_size": 8}}}
    config = world_config(fusion={"named": False, "gate": "fixed"}, **trains)
    taught_once = prepare(prepared.dataset, config, [requests(150)], JOB)
    lessons = []
    monkeypatch.setattr(
        "semrec.training.encoder_training.train_encoder",
        lambda encoder, lesson, *_: lessons.append(lesson) or taught(encoder),
    )
    finetune_encoder(taught_once, CLEAR, JOB)
    assert lessons
    untaught, whole = (
        select_encoder(one, CLEAR, FinetunedEncoder(encoder=CLEAR), JOB).sets
        for one in (prepared, taught_once)
    )
    for kind in ("words", "both"):
        texts, same = ([case.text for case in getattr(s, kind)] for s in (untaught, whole))
        assert texts
        assert texts == same
