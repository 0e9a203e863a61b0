"""Ablation: each variant lacks what its name says, and the planted loss is seen."""

import pytest
from conftest import world_config
from test_compare import CASES

from semrec.encoders.hashing import HashingEncoder
from semrec.errors import ConfigError, DataError
from semrec.evaluate.ablate import INGREDIENTS, ablate

OTHERS = [case for case in CASES if int(case.unit[1:]) % 2]
ASKED = [case for case in CASES if int(case.unit[1:]) % 2 == 0]


def run(world, **options):
    return ablate(world, ASKED, config=world_config(), encoder=HashingEncoder(dim=64), **options)


@pytest.mark.slow
def test_what_is_needed_is_missed_and_what_is_not_in_is_not_shown(world, without_minilm):
    report = run(world, intents=[OTHERS])
    means = {row.system: row.metrics["ndcg"].mean for row in report.rows}
    assert list(means)[:3] == ["baseline", "text (hashing-64)", "fused"]
    assert "`text` is left out" in report.notes[-1]
    assert means["without words and texts"] < means["fused"] - 0.1
    assert means["without behaviour"] < means["fused"] - 0.1
    assert "without encoder training" not in means  # it wasn't in to begin with
    assert {name.removeprefix("without ") for name in list(means)[3:]} <= set(INGREDIENTS)
    assert report.behavioural_only == "baseline"


def test_single_ingredients_can_be_asked_for(world, without_minilm):
    report = run(world, without=["understanding"])
    assert [row.system for row in report.rows][2:] == ["fused", "without understanding"]


def test_an_unknown_ingredient_is_named(world):
    with pytest.raises(ConfigError, match="did you mean 'behaviour'"):
        run(world, without=["behavior"])


def test_cases_that_were_learned_from_are_refused(world, without_minilm):
    with pytest.raises(DataError, match="were used to train"):
        run(world, intents=[ASKED], without=["understanding"])
