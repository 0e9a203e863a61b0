"""A model that reads requests beside the rules: what it adds is checked, nobody waits for it."""

import json
import time

import pytest
from conftest import world_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_server import serving
from serving import in_thread

import semrec
from semrec.endpoint import Address, Addresses
from semrec.errors import ModelError
from semrec.intent.chat_reader import ChatReader, attributes_of
from semrec.intent.model_reading import joined
from semrec.prompting import load_prompt


def ids(recs):
    return [item.item_id for item in recs.items]


class Model:
    """An endpoint that answers with a text, after a while."""

    def __init__(self, text, ms=0.0):
        self.text, self.ms, self.payloads = text, ms, []

    def post(self, payload, deadline):
        self.payloads.append(payload)
        if self.ms > deadline.left_ms:
            time.sleep(deadline.left_ms / 1000)
            return None
        time.sleep(self.ms / 1000)
        if self.text is None:
            raise ModelError("it fails")
        return {"choices": [{"message": {"content": self.text}}]}


@pytest.fixture(scope="module")
def rec(world):
    return semrec.build(world, config=world_config())


def reading(rec, said, ms=0.0, **options):
    model = Model(said if said is None or isinstance(said, str) else json.dumps(said), ms)
    prompt = load_prompt("read_request", "read_request")
    reader = ChatReader(model, "m", prompt, attributes_of(rec.catalog), **options)
    return rec.with_parts(reader=reader), model


def parsed(rec, text):
    return rec.intent_parser.parse_intent(text)


def test_what_it_reads_is_added_and_said(rec):
    title = rec.catalog.titles[5]
    said = {"query": "ghost", "filters": {"year": {"max": 1985}}, "disliked": [title]}
    reads, model = reading(rec, said)
    recs = reads.recommend(intent="something spooky my father would have seen as a boy", k=10)
    years = [rec.catalog.record(rec.catalog.row(of))["year"] for of in ids(recs)]
    assert years
    assert max(years) <= 1985
    assert recs.trace.understood["filters"] == {"year": {"lte": 1985}}
    assert recs.trace.understood["read_by_model"] == {
        "filters": {"year": {"lte": 1985}},
        "titles": [title],
        "query": "ghost",
    }
    assert rec.catalog.item_ids[5] not in ids(recs)
    assert not recs.trace.degraded
    [payload] = model.payloads
    assert "my father would have seen" in payload["messages"][0]["content"]
    assert payload["response_format"]["type"] == "json_schema"


def test_the_rules_come_first_and_nothing_stated_is_widened(rec):
    said = {"query": "ghost", "filters": {"year": {"min": 1900}, "labels": {"any": ["wedding"]}}}
    reads, _ = reading(rec, said)
    recs = reads.recommend(intent="ghost stories before 1985", k=10)
    assert recs.trace.understood["filters"]["year"] == {"lte": 1984}
    assert recs.trace.understood["filters"]["labels"] == {"any": ["wedding"]}


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"query": "", "filters": {"labels": {"any": ["gothic"]}}}, "'gothic', which no item has"),
        ({"query": "", "filters": {"mood": {"any": ["dark"]}}}, "'mood', which no item has"),
        ({"query": "", "filters": {"year": {"min": 3000}}}, "year to what no item has"),
        ({"query": "what to search for, in a few content words, " * 3}, "more than was said"),
        ({"query": "", "liked": ["The Nowhere Film"]}, "'The Nowhere Film', which no item is"),
    ],
)
def test_what_the_catalogue_does_not_know_is_dropped_and_said(rec, said, note):
    reads, _ = reading(rec, said)
    recs = reads.recommend(intent="a ghost story", k=5)
    assert any(note in of for of in recs.trace.notes)
    assert ids(recs) == ids(rec.recommend(intent="a ghost story", k=5))
    assert "read_by_model" not in recs.trace.understood


@pytest.mark.parametrize("said", ["", "no object", "[1, 2]", "{", "{}", '{"query": 3}', None])
def test_nonsense_leaves_the_rules_alone(rec, said):
    reads, _ = reading(rec, said)
    recs = reads.recommend(intent="a ghost story, nothing before 1980", k=5)
    assert ids(recs) == ids(rec.recommend(intent="a ghost story, nothing before 1980", k=5))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
readings = st.fixed_dictionaries(
    {},
    optional={
        "query": json_values,
        "filters": st.dictionaries(
            st.sampled_from(["labels", "year", "language", "other"]),
            json_values
            | st.fixed_dictionaries(
                {},
                optional={
                    "any": st.lists(st.sampled_from(["ghost", "wedding", "x"]) | json_values),
                    "none": st.lists(st.sampled_from(["ghost", "even"]) | json_values),
                    "min": st.integers(1900, 2050) | json_values,
                    "max": st.floats() | json_values,
                },
            ),
            max_size=4,
        ),
        "liked": json_values,
        "disliked": st.lists(st.sampled_from(["ghost ghost story number17", "x"]), max_size=3),
    },
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(said=readings)
def test_any_reading_narrows_and_never_raises(rec, said):
    rules = parsed(rec, "a ghost story after 1980, nothing odd")
    both = joined(rules, said, rec.catalog, rec.intent_parser.titles)
    for name, condition in rules.filters.items():
        assert both.parsed.filters[name] == condition
    before, after = rec.catalog.mask(rules.filters), rec.catalog.mask(both.parsed.filters)
    assert not (after & ~before).any()
    assert after.any()
    assert set(rules.rejected) <= set(both.parsed.rejected)


def test_it_is_asked_once_for_the_same_words(rec):
    reads, model = reading(rec, {"query": "ghost"})
    lists = [ids(reads.recommend(intent="boo", k=5)) for _ in range(3)]
    assert lists[0] == lists[1] == lists[2]
    assert len(model.payloads) == 1


def test_a_late_answer_serves_the_next_request(rec):
    reads, model = reading(rec, {"query": "ghost"}, ms=300)
    started = time.perf_counter()
    recs = reads.recommend(intent="boo", k=5, budget_ms=100)
    assert (time.perf_counter() - started) * 1000 < 250
    assert recs.trace.degraded
    assert any("no answer in time" in note for note in recs.trace.notes)
    time.sleep(0.4)
    recs = reads.recommend(intent="boo", k=5, budget_ms=100)
    assert not recs.trace.degraded
    assert recs.trace.understood["read_by_model"] == {"query": "ghost"}
    assert len(model.payloads) == 1


def test_one_that_fails_is_left_alone_until_it_is_well(rec):
    reads, model = reading(rec, None, again_s=0.2)
    assert reads.recommend(intent="one", k=5).trace.degraded
    for number in range(5):
        assert reads.recommend(intent=f"number {number}", k=5).items
    assert len(model.payloads) <= 2  # the request's, and a check
    model.text = '{"query": "ghost"}'
    end = time.monotonic() + 5
    while reads.recommend(intent="two", k=5).trace.degraded:
        assert time.monotonic() < end
        time.sleep(0.05)


def answering(said):
    content = {"choices": [{"message": {"content": json.dumps(said)}}]}
    return json.dumps(content).encode()


def test_a_service_with_it_loses_no_request(world, tmp_path):
    """The endpoint answers, hangs, fails, is gone, and is there again: every status is 200."""
    config = world_config(intent={"interpreter": "chat", "llm": "m"})
    semrec.build(world, config=config, out=tmp_path / "a")
    with serving() as server:
        url = f"{server.url}/chat/completions"
        server.mode = answering({"query": "ghost", "filters": {"year": {"max": 1985}}})
        with in_thread(tmp_path / "a", tmp_path / "state", intent_url=url) as client:
            seen = []
            for number, mode in enumerate((server.mode, "slow", "error", "truncated", "hang up")):
                server.mode = mode
                body = {"intent": f"boo {number}", "budget_ms": 400}
                started = time.perf_counter()
                answer = client.post("/v1/recommend", json=body)
                assert answer.status_code == 200
                assert time.perf_counter() - started < 1.5
                seen.append(answer.json()["degraded"])
            assert seen[0] is False
            assert all(seen[1:])
            settings_shown = client.get("/v1/config").text
            assert url not in settings_shown
        assert server.asked[0][2]["model"] == "m"


def test_without_an_address_the_rules_read_alone(world, tmp_path, caplog):
    config = world_config(intent={"interpreter": "chat"})
    semrec.build(world, config=config, out=tmp_path / "a")
    rec = semrec.load(tmp_path / "a", addresses=Addresses())
    assert rec.reader is None
    assert "SEMREC_INTENT_URL" in caplog.text
    assert not rec.recommend(intent="a ghost story").trace.degraded
    there = Addresses(intent=Address(url="http://127.0.0.1:9/v1/chat/completions"))
    rec = semrec.load(tmp_path / "a", addresses=there)
    assert rec.recommend(intent="a ghost story").trace.degraded


def test_the_prompt_shows_attributes_and_keeps_the_request(rec):
    shown = dict(attributes_of(rec.catalog))
    assert shown["year"] == []
    assert "ghost" in shown["labels"]
    long = [(name, [f"a long label {n}" for n in range(40)]) for name in shown]
    prompt = load_prompt("read_request", "read_request")
    assert "a quiet film" in prompt.render(message="a quiet film", attributes=long)
