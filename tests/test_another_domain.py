"""An outdoor shop from its files to monitoring: nothing here knows that items may be films.

The shop is made by `notebooks/outdoor_shop.py`; what is right is read from its `products.csv`.
"""

import csv
import json
import sys
from pathlib import Path

import pytest
from command_line import run, run_process
from conftest import world_config
from serving import in_thread

import semrec
from semrec.chat.answering import START, respond
from semrec.data.dataset import read_dataset
from semrec.data.intents import read_cases
from semrec.intent.intent_parser import learn_vocabulary

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
sys.path.insert(0, str(NOTEBOOKS))
from outdoor_shop import write_shop  # noqa: E402

SIZES = {"n_products": 400, "n_customers": 250, "n_topics": 30, "learn_share": 1.0}
IMPORT = (
    *("--rename", "launched=year", "--rename", "at=timestamp", "--split", "activities=|"),
    *("--event", "add_to_cart=like", "--event", "purchase=buy"),
)


@pytest.fixture(scope="module")
def files(made_once):
    return made_once("outdoor_files", lambda folder: write_shop(folder, **SIZES))


@pytest.fixture(scope="module")
def data(files, made_once):
    """The shop's two files, imported as a shop would import them."""

    def write(folder):
        tables = ("--items", files / "products.csv", "--interactions", files / "events.csv")
        run("data", "import", *tables, *IMPORT, "--out", folder, cwd=files)

    return made_once("outdoor_data", write)


@pytest.fixture(scope="module")
def products(files):
    """sku → its row of products.csv."""
    with (files / "products.csv").open(encoding="utf-8", newline="") as file:
        return {row["sku"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def shop(data, files, made_once):
    """A recommender that learned from the shop and from earlier searches."""
    return semrec.load(
        made_once(
            "outdoor_artifact",
            lambda out: semrec.build(
                data, config=world_config(), out=out, intents=[files / "learn.csv"]
            ),
        )
    )


@pytest.fixture(scope="module")
def parser(data):
    return learn_vocabulary(read_dataset(data).catalog)


def test_the_same_seed_gives_the_same_bytes(files, tmp_path):
    write_shop(tmp_path / "again", **SIZES)
    write_shop(tmp_path / "other", seed=8, **SIZES)
    for path in sorted(files.glob("*.csv")):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
        assert (tmp_path / "other" / path.name).read_bytes() != path.read_bytes()


def test_the_import_knows_a_shop(data, products):
    dataset = read_dataset(data)
    assert dataset.catalog.kind == "products"
    assert dataset.interactions.clock
    assert set(dataset.catalog.item_ids) == products.keys()
    record = dataset.catalog.record(0)
    row = products[dataset.catalog.item_ids[0]]
    assert record["activities"] == row["activities"].split("|")
    assert (record["price"], record["weight_g"]) == (float(row["price"]), int(row["weight_g"]))
    assert record["waterproof"] is (row["waterproof"] == "true")


def test_topics_are_right_by_the_table_alone(files, products):
    """Of words that the table answers: what is right has it, and nothing else of its kind."""
    checked = 0
    for case in read_cases(files / "topics.csv"):
        if "-after" in case.case_id or " euros" not in case.query.intent:
            continue
        limit = float(case.query.intent.split("under ")[1].split(" euros")[0])
        assert all(float(products[sku]["price"]) < limit for sku in case.relevant)
        checked += 1
    assert checked >= 3


@pytest.mark.parametrize(
    ("words", "filters"),
    [
        ("a tent under 150 euros", {"price": {"lt": 150}}),
        ("boots under €150", {"price": {"lt": 150}}),
        ("boots under 150", {"price": {"lt": 150}}),
        ("no more than 200 euros", {"price": {"lte": 200}}),
        ("not more expensive than 200 euros", {"price": {"lte": 200}}),
        ("it shouldn't cost more than 80", {"price": {"lte": 80}}),
        ("my budget is 200 euros", {"price": {"lte": 200}}),
        ("between 50 and 100 euros", {"price": {"gte": 50, "lte": 100}}),
        ("a daypack for €50-100", {"price": {"gte": 50, "lte": 100}}),
        ("less than a kilo", {"weight_g": {"lte": 999}}),
        ("at most 1.2 kg", {"weight_g": {"lte": 1200}}),
        ("500 g to 1 kg", {"weight_g": {"gte": 500, "lte": 1000}}),
        ("weight under a kilo", {"weight_g": {"lte": 999}}),
        ("waterproof boots", {"waterproof": {"any": [True]}}),
        ("boots that aren't waterproof", {"waterproof": {"none": [True]}}),
        ("trousers in black or grey", {"colour": {"any": ["black", "grey"]}}),
        ("a red tent", {"colour": {"any": ["red"]}}),
        ("a stove made of titanium", {"material": {"any": ["titanium"]}}),
        ("a tent by Hvitur", {"brand": {"any": ["Hvitur"]}}),
        ("a winter sleeping bag", {"season": {"any": ["winter"]}}),
    ],
)
def test_limits_of_a_shop(parser, words, filters):
    parsed = parser.parse_intent(words)
    assert dict(parsed.filters) == filters
    assert parsed.not_understood == ()


@pytest.mark.parametrize(
    "words",
    [
        "I love my red tent",  # a memory
        "a light for my tent",  # a lamp
        "something about waterproof ratings",
        "for my kids",  # a mood of films
        "a lighter mood",
    ],
)
def test_what_only_looks_like_a_limit(parser, words):
    parsed = parser.parse_intent(words)
    assert (dict(parsed.filters), dict(parsed.moods)) == ({}, {})


def test_what_no_attribute_measures_is_said(parser):
    assert parser.parse_intent("under two hours").not_understood == ("under two hours",)
    assert parser.parse_intent("shorter than 2 m").not_understood == ("shorter than 2 m",)


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("a tent for two", ("Tents",)),
        ("I'm looking for a tent or a tarp", ("Tents", "Tarps")),
        ("boots for wide feet", ("Hiking boots", "Kids' boots")),
        ("a harness easy to use with gloves on", ("Harnesses",)),
        ("something for my tent", ()),
        ("I have a rope", ()),
    ],
)
def test_the_kind_that_is_asked_for(parser, words, kinds):
    of = parser.parse_intent(words).kinds
    assert sorted(label for labels in of.values() for label in labels) == sorted(kinds)


def test_cheap_is_cheap_for_its_kind(parser, products):
    for noun, category in (("rope", "Ropes"), ("mug", "Mugs")):
        bound = parser.parse_intent(f"a cheap {noun}").filters["price"]["lte"]
        prices = [float(p["price"]) for p in products.values() if p["category"] == category]
        share = sum(price <= bound for price in prices) / len(prices)
        assert 0.2 < share < 0.5, noun


def test_a_list_keeps_to_what_was_asked(shop, products):
    items = shop.recommend(intent="a waterproof jacket under 200 euros, not black", k=5).items
    assert items
    for item in items:
        of = products[item.item_id]
        assert of["waterproof"] == "true"
        assert float(of["price"]) < 200
        assert of["colour"] != "black"
        assert of["category"].endswith("jackets")


def test_where_nothing_of_the_kind_is_left_it_is_said(shop):
    answer = shop.recommend(intent="a tent under 10 euros", k=2)
    assert answer.items
    assert answer.trace.notes == ("no Tents within the limits: other kinds are listed",)
    turn = respond(shop, "a tent under 10 euros")
    assert "No Tents within the limits: other kinds are listed." in turn.reply


def test_a_conversation_in_a_shop(shop, products):
    """Each answer is the table's; each list keeps to what was said so far."""

    def of(turn, at):
        return products[turn.recommendations.items[at].item_id]

    turn = respond(shop, "hiking boots", START, k=6)
    assert {of(turn, at)["category"] for at in range(6)} == {"Hiking boots"}
    second = of(turn, 1)
    asked = {
        "what is the second one made of?": second["material"],
        "who makes the second one?": second["brand"],
        "what colour is it?": second["colour"],
        "how heavy is it?": f"weight {second['weight_g']} g",
        "is it waterproof?": "is waterproof" if second["waterproof"] == "true" else "isn’t",
        "how much is it?": f"price {float(second['price']):g}",
    }
    for question, answer in asked.items():
        turn = respond(shop, question, turn.conversation, k=6)
        assert answer in turn.reply, question
        assert second["name"] in turn.reply
    turn = respond(shop, "something like the second one but cheaper", turn.conversation, k=6)
    assert turn.conversation.filters == {"price": {"lt": float(second["price"])}}
    assert {of(turn, 0)["category"]} == {"Hiking boots"}
    first = of(turn, 0)
    turn = respond(shop, "lighter than the first one", turn.conversation, k=6)
    assert turn.conversation.filters["weight_g"] == {"lte": int(first["weight_g"]) - 1}
    before, now = turn.conversation.filters, of(turn, 0)
    turn = respond(shop, "from the same brand", turn.conversation, k=6)
    assert turn.conversation.filters["brand"] == {"any": [now["brand"]]}
    turn = respond(shop, "undo", turn.conversation, k=6)
    assert turn.conversation.filters == before
    bought = turn.recommendations.items[0]
    turn = respond(shop, "I bought the first one", turn.conversation, k=6)
    assert [(e.item_id, e.type) for e in turn.update.events] == [(bought.item_id, "buy")]
    assert f"“{bought.title}” bought" in turn.reply
    assert bought.item_id not in [item.item_id for item in turn.recommendations.items]
    assert "welcome" in respond(shop, "thanks", turn.conversation).reply


@pytest.mark.parametrize(
    "said",
    [
        "I already have the first one",
        "I own that one",
        "we've already got the first",
        "I already have the first one at home",
    ],
)
def test_what_somebody_has_is_bought(shop, said):
    turn = respond(shop, "hiking boots under 250 euros", START, k=6)
    first = turn.recommendations.items[0].item_id
    turn = respond(shop, said, turn.conversation, k=6)
    assert [(event.item_id, event.type) for event in turn.update.events] == [(first, "buy")]
    assert "hiking boots" in turn.conversation.intent.lower()
    assert turn.conversation.filters == {"price": {"lt": 250}}
    assert first not in [item.item_id for item in turn.recommendations.items]


@pytest.mark.slow
def test_a_service_with_a_shop_and_what_monitoring_says(shop, files, tmp_path):
    """Usual searches are quiet; a winter that nobody has asked for before is an alarm."""
    usual = [case.query.intent for case in read_cases(files / "learn.csv")] * 2
    winter = [f"{noun} for ski touring in winter" for noun in ("gloves", "snowshoes", "a hat")]
    asked = [*enumerate(usual[:200]), *enumerate(winter * 60, start=1_000)]
    state = tmp_path / "state"
    with in_thread(shop.path, state) as client:
        reply = client.post(
            "/v1/chat", json={"session_id": "ada", "message": "a red tent", "explain": True}
        ).json()
        assert reply["understood"]["filters"] == {"colour": {"any": ["red"]}}
        for number, words in asked[:200]:
            body = {"intent": words, "session_id": f"s{number}"}
            assert client.post("/v1/recommend", json=body).status_code == 200
        run("monitor", state, shop.path, "--window", "1d", cwd=tmp_path)
        for number, words in asked[200:]:
            body = {"intent": words, "session_id": f"s{number}"}
            assert client.post("/v1/recommend", json=body).status_code == 200
        after = run("monitor", state, shop.path, "--window", "1d", cwd=tmp_path, ok=False)
    assert after.returncode == 3
    assert after.stdout.startswith("Alarms")
    assert "none" not in after.stdout.split("Windows")[0]


@pytest.mark.slow
@pytest.mark.weights
def test_the_flow_promotes_a_shop_and_is_better_on_both_yardsticks(data, files, tmp_path):
    """With real weights, in a process for each step, as people run it."""
    pytest.importorskip("metaflow")
    settings = ("encoder.runtime=torch", "split.test=time", "behaviour.kind=als")
    settings += ("behaviour.factors=16", "behaviour.regularization=30", "fusion.max_cases=100")
    run_process(
        *("flow", "run", data, "--intents", files / "learn.csv"),
        *("--cases", files / "topics.csv", "--cases", files / "searches.csv"),
        *("--out", tmp_path / "models", "--promote", tmp_path / "live"),
        *(part for setting in settings for part in ("--set", setting)),
        cwd=tmp_path,
    )
    assert (tmp_path / "live" / "manifest.json").is_file()
    [path] = (tmp_path / "models" / ".flow" / "reports").glob("*/report.json")
    yardsticks = json.loads(path.read_text("utf-8"))["yardsticks"]
    ratios = {(of["kind"], of["part"]): of["ratio"]["low"] for of in yardsticks}
    assert ratios["asked for", "without a session"] > 1
    assert ratios["asked for", "after a session"] > 1
    assert ratios["liked", ""] > 1
