"""Requests put into a person's words: what is kept, dropped, and found again."""

from types import SimpleNamespace

import numpy as np
import pytest

from semrec.choosing.examples import made_up_drafts
from semrec.choosing.writing import BATCH, Writer, usable
from semrec.prompting import Prompts, load_prompt
from semrec.types import silent


class Says:
    """A tiny language model: answers each request by a function, and counts."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.read = SimpleNamespace(weights=f"fake-{id(self)}")

    def write(self, requests, *, max_tokens, temperature, seed):
        self.asked += requests
        return [self.answer(request) for request in requests]


@pytest.fixture
def writer(world, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMREC_CACHE", str(tmp_path))

    def with_(model, **options):
        prompt = load_prompt("synthesise_intent", "synthesise_intent")
        given = {"most": 100, "seed": 0, "report": silent, **options}
        return Writer(model=model, prompt=prompt, catalog=world.catalog, **given)

    return with_


MADE = [(row, f"a story about number {row}") for row in range(2 * BATCH + 3)]


def test_what_was_written_takes_the_requests_place(writer):
    model = Says(lambda _: "hey, anything fun tonight?")
    assert writer(model, most=5)(MADE) == ["hey, anything fun tonight?"] * 5 + [
        t for _, t in MADE[5:]
    ]
    assert len(model.asked) == 5
    assert "a story about number 3" in model.asked[3]


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ('"Something dark and slow, please."', "Something dark and slow, please."),
        ("\n\nI want a heist.\n\nSure! Here is one: Heat.", "I want a heist."),
        ("I loved The Long Heist, more of that", ""),
        ("I loved THE LONG HEIST", ""),
        ("", ""),
        ("ok", ""),
        ("word " * 200, ""),
    ],
)
def test_an_answer_that_names_the_item_or_will_not_do_is_dropped(answer, kept):
    assert usable(answer, "The Long Heist") == kept


def test_a_title_that_is_an_ordinary_word_may_be_said():
    assert usable("give it to me up front", "It") == "give it to me up front"


def test_a_killed_build_goes_on_where_it_was(writer, tmp_path):
    def dies(request):
        if len(model.asked) > BATCH:
            raise KeyboardInterrupt
        return "hey, anything fun tonight?"

    model = Says(dies)
    with pytest.raises(KeyboardInterrupt):
        writer(model)(MADE)
    [file] = (tmp_path / "semrec" / "written").iterdir()
    with file.open("a") as opened:
        opened.write('["half')  # killed in the middle of a line
    model.asked.clear()
    model.answer = lambda _: "and something slow?"
    found = writer(model)(MADE)
    assert len(model.asked) == len(MADE) - BATCH
    assert found[:BATCH] == ["hey, anything fun tonight?"] * BATCH
    assert set(found[BATCH:]) == {"and something slow?"}
    model.asked.clear()
    assert writer(model)(MADE) == found
    assert not model.asked


def test_when_the_time_is_up_the_rest_stays_as_it_was(writer):
    model = Says(lambda _: "hey, anything fun tonight?")
    assert writer(model, deadline=0.0)(MADE) == [text for _, text in MADE]


def test_drafts_carry_what_was_written(world):
    prompts = Prompts(item=load_prompt("item", "item"), query=load_prompt("query", "query"))
    drafts = made_up_drafts(
        20,
        world.positives,
        world.catalog,
        {},
        prompts,
        load_prompt("synthesise", "synthesise"),
        np.random.default_rng(0),
        lambda made: [f"please: {text}" for _, text in made],
    )
    assert drafts
    assert all(draft.query.startswith("please: ") for draft in drafts)


@pytest.fixture(scope="module")
def model(smollm2):
    from semrec.encoders.language_model import load_language_model

    return load_language_model("smollm2", device="cpu")


@pytest.mark.slow
def test_a_real_model_writes_and_the_seed_decides_what(model, writer):
    ask = {"max_tokens": 24, "temperature": 0.8}
    requests = ["Ask a friend for a funny film.", "Say that you want a quiet ghost story."]
    first = model.write(requests, seed=1, **ask)
    assert first == model.write(requests, seed=1, **ask)
    assert first != model.write(requests, seed=2, **ask)
    assert all(answer and "<|im" not in answer for answer in first)
    found = writer(model, most=3)(MADE[:3])
    assert len(found) == 3
    assert all(found)
