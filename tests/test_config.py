"""Configurations: closed, checked, and the packaged one says what the code says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semrec import ConfigError
from semrec.config import Config, load_config, make_config


@pytest.fixture
def file(tmp_path):
    def _file(text, name="mine.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _file


def test_the_packaged_default_says_the_same_as_the_code():
    assert load_config() == load_config("default") == Config()
    assert load_config().hash == Config().hash


def test_a_file_changes_only_what_it_says(file):
    config = load_config(file("behaviour:\n  factors: 64\nseed: 3\n"))
    changed = Config().behaviour.model_copy(update={"factors": 64})
    assert config == Config().model_copy(update={"behaviour": changed, "seed": 3})
    assert config.hash != Config().hash


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file_is_the_default(file, text):
    assert load_config(file(text)) == Config()


def test_set_overrides_the_file(file):
    path = file("behaviour: {factors: 64, alpha: [1, 5]}\n")
    config = load_config(path, ["behaviour.factors=32", "encoder.kind=hashing", "seed=7"])
    assert config.behaviour.factors == 32
    assert config.behaviour.alpha == [1.0, 5.0]
    assert (config.encoder.kind, config.seed) == ("hashing", 7)


def test_the_last_set_wins():
    assert load_config(settings=["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("behaviour.alpha=[1, 5.5]", lambda c: c.behaviour.alpha == [1.0, 5.5]),
        ("behaviour.alpha=4", lambda c: c.behaviour.alpha == [4.0]),
        ("behaviour.regularization=0.01", lambda c: c.behaviour.regularization == [0.01]),
        ("behaviour.decay=1", lambda c: c.behaviour.decay == [1.0]),
        ("fusion.fill=0", lambda c: c.fusion.fill is False),
        ("encoder.device=null", lambda c: c.encoder.device is None),
        ("encoder.device=cuda:0", lambda c: c.encoder.device == "cuda:0"),
        ("encoder.model=a=b", lambda c: c.encoder.model == "a=b"),
        ("split={test: time, test_share: 0.2}", lambda c: c.split.test_share == 0.2),
    ],
)
def test_set_takes_yaml_values_and_a_number_is_a_list_of_one(setting, found):
    assert found(load_config(settings=[setting]))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("behavior.factors=3", "unknown key 'behavior'; did you mean 'behaviour'?"),
        ("behaviour.factor=3", "unknown key 'behaviour.factor'; did you mean 'factors'?"),
        ("sed=3", "unknown key 'sed'; did you mean 'seed'?"),
        (
            "index.qqq=3",
            "unknown key 'index.qqq'; known: ef_construction, ef_search, kind",
        ),
        (
            "encoder.training.written=9",
            "unknown key 'encoder.training.written'; requests are no",
        ),
        ("rerank.mode=head", "unknown key 'rerank.mode'; a local language model judges by likel"),
        ("behaviour.kind=bpr", "behaviour.kind: found 'bpr'; Input should be 'auto', 'als', "),
        ("behaviour.factors=0", "behaviour.factors: found 0; Input should be greater"),
        ("behaviour.factors=many", "behaviour.factors: found 'many'; Input should be a valid int"),
        ("behaviour.factors=1.5", "behaviour.factors: found 1.5; Input should be a valid integer"),
        ("behaviour.alpha=[]", "behaviour.alpha: found []; Value error, expected one or more"),
        ("behaviour.alpha=[3, 0]", "behaviour.alpha: found [3, 0]"),
        ("behaviour.alpha=[3, x]", "behaviour.alpha.1: found 'x'; Input should be a valid number"),
        ("behaviour.decay=-1", "behaviour.decay: found -1; Value error, expected one or more"),
        ("behaviour.regularization=.nan", "behaviour.regularization.0: found nan; Input should be"),
        ("fusion.fill=[1, 2]", "fusion.fill: found [1, 2]; Input should be a valid boolean"),
        ("fusion.decay=1.1", "fusion.decay: found 1.1; Input should be less than or equal to 1"),
        ("encoder.kind=magic", "encoder.kind: found 'magic'; Input should be 'sentence', 'dec"),
        ("encoder.model=null", "encoder.model: found None; Input should be a valid string"),
        ("split.valid_share=1", "split.valid_share: found 1; Input should be less than 1"),
        ("encoder=hashing", "encoder: found 'hashing'; Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_refused_with_its_key_and_what_was_expected(setting, message):
    with pytest.raises(ConfigError) as caught:
        load_config(settings=[setting])
    assert f"default.yaml: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("factors", "--set 'factors': expected key=value, such as behaviour.factors=64"),
        ("=3", "--set '=3': expected key=value"),
        ("seed.x=3", "--set 'seed.x=3': 'seed' is a value, not a section"),
        ("seed=[1", "--set 'seed=[1': not readable as YAML"),
    ],
)
def test_what_is_no_setting_is_refused(setting, message):
    with pytest.raises(ConfigError) as caught:
        load_config(settings=[setting])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("behaviour: {factor: 3}\n", "unknown key 'behaviour.factor'; did you mean 'factors'?"),
        ("- seed\n", "found list, expected `key: value` lines"),
        ("seed: [1\n", "not readable as YAML"),
        ("encoder:\n", "encoder: found None; Input should be a valid dictionary"),
        ("3: 4\n", "unknown key '3'"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(file, text, message):
    with pytest.raises(ConfigError) as caught:
        load_config(file(text))
    assert f"mine.yaml: {message}" in str(caught.value)


def test_an_unknown_name_names_the_nearest_and_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no packaged config 'defualt'; did you mean 'default'"):
        load_config("defualt")
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file"):
        load_config(tmp_path / "none.yaml")


def test_a_config_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        Config().seed = 3


@given(factors=st.integers(1, 2048), alpha=st.lists(st.floats(0.001, 1e6), min_size=1))
def test_a_config_is_the_same_after_writing_it_out(factors, alpha):
    config = make_config({"behaviour": {"factors": factors, "alpha": alpha}}, "here")
    again = make_config(config.model_dump(mode="json"), "here")
    assert again == config
    assert again.hash == config.hash


def test_best_is_default_with_another_encoder_a_ranker_and_minutes_for_a_network():
    """What best.yaml leaves out are the models' own defaults, and default.yaml spells those out."""
    best, default = load_config("best"), load_config("default")
    assert best.encoder != default.encoder
    assert best.ranking.enabled
    assert best.behaviour.network_minutes
    behaviour = best.behaviour.model_copy(update={"network_minutes": None})
    same = {"encoder": default.encoder, "ranking": default.ranking, "behaviour": behaviour}
    assert best.model_copy(update=same) == default
