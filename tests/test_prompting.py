"""Prompts: what they say to the letter, and that data in them stays data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semrec import ConfigError
from semrec.environment.packaged import packaged_names
from semrec.prompting import EXAMPLES, Prompt, Prompts, load_prompt

ITEM, QUERY, REQUEST = (load_prompt(kind, kind) for kind in ("item", "query", "request"))
PROMPTS = Prompts(item=ITEM, query=QUERY)


def test_the_packaged_prompts_are_these():
    names = (
        "chat_act chat_llm chat_reply explanation item item_about limit query read_request"
        " request rerank_likelihood rerank_listwise rerank_request synthesise"
    )
    assert packaged_names("prompts") == names.split()


@pytest.mark.parametrize(
    ("title", "text", "attributes", "want"),
    [
        ("Alien", "", {}, "Alien"),
        ("Alien", "", {"year": 1979}, "Alien (1979)"),
        ("Alien", "A crew answers.", {"year": 1979}, "Alien (1979). A crew answers."),
        ("Alien", "", {"year": 1979, "genres": ["Horror", "SF"]}, "Alien (1979). Horror, SF"),
        ("Alien", "", {"year": 1979, "language": "en", "length": 117}, "Alien (1979)"),
        (
            "Alien",
            "A crew\n  answers.",
            {"year": 1979, "genres": ["Horror"], "tags": ["slow", "dark"]},
            "Alien (1979). Horror. slow, dark. A crew answers.",
        ),
    ],
)
def test_an_item_in_words(title, text, attributes, want):
    assert PROMPTS.item_text(title, text, attributes) == want


@pytest.mark.parametrize(("title", "text"), [("", ""), (" ", "\n\t")])
def test_an_item_without_title_and_text_has_no_words(title, text):
    assert PROMPTS.item_text(title, text, {"year": 1979, "genres": ["Horror"]}) == ""


def test_a_request_is_its_intent():
    assert PROMPTS.query_text("a quiet film", ["Alien"]) == "a quiet film"
    assert PROMPTS.query_text("  a quiet\n\nfilm ", []) == "a quiet film"
    assert PROMPTS.query_text("", ["Alien"]) == ""


@pytest.mark.parametrize(
    ("values", "want"),
    [
        (
            {"labels": ["horror", "sf"], "tags": ["slow"], "decade": 1970},
            "I'm looking for something horror, sf, slow from the 1970s",
        ),
        (
            {"labels": ["horror"], "tags": [], "decade": None},
            "I'm looking for something horror",
        ),
        (
            {"labels": [], "tags": ["slow burn"], "decade": None},
            "I'm looking for something slow burn",
        ),
    ],
)
def test_a_made_up_request(values, want):
    assert REQUEST.render(**values) == want


@pytest.mark.parametrize(
    "value",
    [["a", "b"], ("a", "b"), np.array(["a", "b"]), (letter for letter in "ab"), {"a": 1, "b": 2}],
    ids=lambda value: type(value).__name__,
)
def test_words_joins_whatever_holds_several(value):
    assert ITEM.render(title="T", text="", attributes={"labels": value}, tags=[]) == "T. a, b"


@pytest.mark.parametrize(
    ("value", "want"),
    [("one text", "one text"), (3, "3"), (np.float32(0.5), "0.5"), ([], ""), (None, "None")],
)
def test_words_leaves_a_single_value_as_it_is(value, want):
    assert Prompt(kind="query", source="{{ intent | words }}").render(intent=value) == want


@pytest.mark.parametrize(
    ("kind", "source", "message"),
    [
        ("item", "{{ titel }}", "item prompt: unknown variable 'titel'; did you mean 'title'?"),
        (
            "item",
            "{{ title }} {{ qqq }}",
            "unknown variable 'qqq'; known: attributes, tags, text, title",
        ),
        ("query", "{{ title }}", "query prompt: unknown variable 'title'; known: intent, session"),
        ("query", "{% for x in sessions %}{{ x }}{% endfor %}", "did you mean 'session'?"),
        ("item", "one\ntwo {{ title", "item prompt, line 2: unexpected end of template"),
        ("item", "{% if %}", "item prompt, line 1: Expected an expression"),
        ("item", "one\n\n{{ title | wrds }}", "item prompt, line 3: No filter named 'wrds'"),
        ("item", "{{ attributes.director }}", "can't be rendered: 'dict object' has no attribute"),
        ("item", "{% include 'other' %}", "item prompt: can't be rendered: no loader"),
        ("item", "{{ 1 // 0 }}", "item prompt: can't be rendered: integer division"),
        ("item", "{{ title.encode('x') }}", "can't be rendered: unknown encoding"),
    ],
)
def test_a_wrong_template_is_refused_when_it_is_made(kind, source, message):
    with pytest.raises(ConfigError) as caught:
        Prompt(kind=kind, source=source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{{ title.__class__ }}",
        "{{ title.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ title.format.__globals__ }}",
        "{{ '{0.__class__}'.format(title) }}",
        "{{ attributes.update({'year': 3}) }}",
        "{{ attributes.clear() }}",
        "{% for n in range(10 ** 9) %}x{% endfor %}",
    ],
)
def test_the_sandbox_keeps_templates_away_from_python(source):
    with pytest.raises(ConfigError, match="can't be rendered"):
        Prompt(kind="item", source=source)


@pytest.mark.parametrize(
    "words",
    ["{{ 7*7 }}", "{% for x in y %}", "{# no comment #}", "<b> & 'so' on", "侍の映画 🎬", "%s"],
)
def test_data_stays_data(words):
    assert PROMPTS.query_text(words, [words]) == words
    attributes = {"year": words, "labels": [words]}
    assert PROMPTS.item_text(words, words, attributes) == f"{words} ({words}). {words}. {words}"


@given(intent=st.text())
def test_any_words_come_through_on_one_line(intent):
    assert PROMPTS.query_text(intent, []) == " ".join(intent.split())


def test_half_a_surrogate_pair_becomes_a_question_mark():
    assert PROMPTS.query_text("a \ud800 film", []) == "a ? film"


@pytest.mark.parametrize("unit", ["x", "x ", "word\n\n"])
def test_a_prompt_has_at_most_8000_characters(unit):
    rendered = PROMPTS.query_text(unit * 20_000, [])
    assert len(rendered) <= 8_000
    assert rendered == " ".join((unit * 20_000).split())[: len(rendered)]
    assert len(rendered) > 7_990


def test_a_failure_on_other_values_than_the_examples_names_the_prompt():
    prompt = Prompt(kind="item", source="{{ title }} {{ attributes.year + 1 }}")
    assert prompt.render(title="Alien", attributes={"year": 1979}) == "Alien 1980"
    with pytest.raises(ConfigError, match=r"item prompt: can't be rendered: .*'year'"):
        prompt.render(title="Alien", attributes={})
    with pytest.raises(ConfigError, match="item prompt: can't be rendered"):
        prompt.render(title="Alien", attributes={"year": "1979"})


def test_every_example_renders():
    for prompt in (ITEM, QUERY, REQUEST):
        assert prompt.render(**EXAMPLES[prompt.kind])


def test_the_hash_tells_kinds_and_sources_apart():
    one = Prompt(kind="item", source="one")
    assert one.hash == Prompt(kind="item", source="one").hash
    assert len({one.hash, Prompt(kind="query", source="one").hash, ITEM.hash}) == 3


def test_a_prompt_is_loaded_from_a_path(tmp_path):
    path = tmp_path / "mine.j2"
    path.write_text("about {{ intent }}", encoding="utf-8")
    assert load_prompt("query", path).render(intent="ghosts") == "about ghosts"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"one\n{{ intnet }}", r"mine\.j2: query prompt: unknown variable 'intnet'; .* 'intent'"),
        (b"one\n{% endif %}", r"mine\.j2: query prompt, line 2: "),
        ("é".encode("latin-1"), r"mine\.j2: not UTF-8 text"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, content, message):
    path = tmp_path / "mine.j2"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_prompt("query", path)


def test_an_unknown_name_names_the_nearest_and_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no packaged prompt 'items'; did you mean 'item'"):
        load_prompt("item", "items")
    with pytest.raises(ConfigError, match=r"none\.j2: no such file"):
        load_prompt("item", tmp_path / "none.j2")
