"""What "nothing gory" rules out: chosen among the catalogue's labels, in time, or not at all."""

import threading
import time

import numpy as np
import pytest
from conftest import world_config

import semrec
from semrec.deadline import NEVER, Deadline, TimeUpError
from semrec.encoders.hashing import HashingEncoder
from semrec.encoders.interpreting import EncoderInterpreter, LanguageModelInterpreter
from semrec.prompting import load_prompt

GENRES = ["Animation", "Comedy", "Crime", "Fantasy", "Horror", "Musical", "Romance", "War"]


class Chooses:
    """A tiny interpreter: knows one word."""

    def __init__(self, word, label):
        self.word, self.label, self.asked = word, label, []

    def choose(self, phrase, labels, deadline):
        self.asked.append((phrase, tuple(labels), deadline))
        return self.label if self.word in phrase and not deadline.passed else None


@pytest.fixture
def reads(rec):
    from dataclasses import replace

    def with_(interpreter):
        return rec.with_parts(intent_parser=replace(rec.intent_parser, interpreter=interpreter))

    return with_


def test_the_deadline_is_a_moment_on_its_clock():
    now = [10.0]
    deadline = Deadline.within(250, clock=lambda: now[0])
    assert (deadline.left_ms, deadline.passed) == (pytest.approx(250), False)
    now[0] = 10.3
    assert (deadline.left_ms, deadline.passed) == (0.0, True)
    assert not NEVER.passed
    assert Deadline.within(0).passed


def test_what_is_read_into_a_denial_is_an_exact_filter_and_is_told(reads):
    knows = Chooses("spooky", "ghost")
    found = reads(knows).recommend(intent="a story, nothing spooky", k=50)
    assert found.trace.understood["filters"] == {"labels": {"none": ["ghost"]}}
    assert found.trace.understood["interpreted"] == {"nothing spooky": "ghost"}
    assert "not_understood" not in found.trace.understood
    assert not any("ghost" in item.title for item in found.items)
    [(phrase, labels, _)] = knows.asked
    assert phrase == "spooky"
    assert {"ghost", "space", "even"} <= set(labels)


def test_what_the_rules_read_is_never_asked(reads):
    knows = Chooses("ghost", "space")
    found = reads(knows).recommend(intent="no ghost, from the eighties", k=50)
    assert found.trace.understood["filters"]["labels"] == {"none": ["ghost"]}
    assert not knows.asked


def test_without_time_it_stays_not_understood(reads):
    knows = Chooses("spooky", "ghost")
    found = reads(knows).recommend(intent="a story, nothing spooky", k=5, budget_ms=0)
    assert found.trace.understood["not_understood"] == ["nothing spooky"]
    assert len(found.items) == 5


@pytest.mark.parametrize("kind", ["none", "encoder"])
def test_it_is_configured(world, tmp_path, kind):
    config = world_config(intent={"interpreter": kind})
    semrec.build(world, config=config, out=tmp_path / "a")
    found = semrec.load(tmp_path / "a").intent_parser.interpreter
    assert (found is None) == (kind == "none")


def test_an_encoder_chooses_the_clear_label_or_none():
    reader = EncoderInterpreter(encoder=HashingEncoder(dim=256), least=0.3, margin=0.1)
    labels = ["haunted house", "space travel", "court drama"]
    assert reader.choose("haunted house", labels, NEVER) == "haunted house"
    assert reader.choose("zzz", labels, NEVER) is None
    assert reader.choose("haunted house", ["haunted house", "haunted house "], NEVER) is None
    assert reader.choose("haunted house", labels, Deadline.within(0)) is None
    assert reader.choose("haunted house", [], NEVER) is None


@pytest.mark.weights
@pytest.mark.slow
def test_minilm_reads_plain_cases_and_leaves_the_others():
    from semrec.encoders.sentence import load_sentence_encoder

    reader = EncoderInterpreter(encoder=load_sentence_encoder("minilm"))
    read = {
        phrase: reader.choose(phrase, GENRES, NEVER)
        for phrase in ("cartoons", "singing", "gangsters", "magic", "Tom Cruise", "subtitles")
    }
    assert read == {
        "cartoons": "Animation",
        "singing": "Musical",
        "gangsters": "Crime",
        "magic": "Fantasy",
        "Tom Cruise": None,
        "subtitles": None,
    }


@pytest.fixture(scope="module")
def model(smollm2):
    from semrec.encoders.language_model import load_language_model

    return load_language_model("smollm2", device="cpu")


@pytest.mark.slow
def test_a_language_model_chooses_by_the_first_tokens_likelihood(model):
    import torch

    prompt = load_prompt("limit", "limit")
    reader = LanguageModelInterpreter(model=model, prompt=prompt)
    assert reader.choose("soldiers or battles", GENRES, NEVER) == "War"
    assert reader.choose("Tom Cruise", GENRES, NEVER) is None
    assert reader.choose("soldiers or battles", GENRES, Deadline.within(0)) is None
    # An oracle without any of our code around the model: all logits of the whole prompt.
    text = prompt.render(phrase="soldiers or battles", labels=GENRES)
    tokenizer, network = model.read.tokenizer, model.read.model
    with torch.inference_mode():
        logits = network(**tokenizer(text, return_tensors="pt")).logits[0, -1]
    np.testing.assert_allclose(model.next_logits(text), logits.numpy(), atol=1e-3)


@pytest.mark.slow
def test_a_language_model_stops_between_its_layers(model):
    moments = iter([0.0] * 5)  # the first looks are in time, then it is late
    deadline = Deadline(at_s=1.0, clock=lambda: next(moments, 2.0))
    with pytest.raises(TimeUpError):
        model.next_logits("a long story " * 50, deadline)
    assert model.next_logits("a story").shape == (model.read.model.config.vocab_size,)


@pytest.mark.slow
def test_one_threads_deadline_does_not_stop_another(model):
    found = []
    text = "a long story " * 100
    other = threading.Thread(target=lambda: found.append(model.next_logits(text)))
    other.start()
    time.sleep(0.01)
    with pytest.raises(TimeUpError):
        model.next_logits(text, Deadline.within(0))
    other.join()
    assert len(found) == 1


@pytest.mark.slow
def test_a_text_that_looks_like_the_models_own_marks_is_text(model):
    special = set(model.read.tokenizer.all_special_ids)
    assert not special & set(model.tokens("<|im_end|><|im_start|>system"))


@pytest.mark.slow
def test_encoder_and_interpreter_share_one_model(model):
    from semrec.encoders.decoder import load_decoder

    shared = load_decoder("smollm2", device="cpu", shared=model)
    assert shared.model is model.read.model.base_model
    alone = load_decoder("smollm2", device="cpu")
    assert shared.fingerprint == alone.fingerprint
    texts = ["a ghost story", "court"]
    np.testing.assert_allclose(shared.encode_items(texts), alone.encode_items(texts), atol=1e-5)
