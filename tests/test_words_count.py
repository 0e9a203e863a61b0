"""Asked in words, a list answers the words: what an item says of itself, and the exact sum."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import world_config

import semrec
from semrec.data.dataset import read_dataset
from semrec.prompting import ItemTexts, Prompts, load_prompt
from semrec.training.synthetic_queries import frequent_tags

PROMPTS = Prompts(
    item=load_prompt("item", "item"),
    query=load_prompt("query", "query"),
    about=load_prompt("item_about", "item_about"),
)
WORDS = [
    "ant",
    "bee",
    "cat",
    "dog",
    "elk",
    "fox",
    "gnu",
    "hen",
    "ibis",
    "jay",
    "kite",
    "lark",
    "mole",
    "newt",
    "owl",
    "puma",
]


def dataset_of(folder, items, n_users=60, seed=0, tags=None):
    """Random events over some items: behaviour that says nothing."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    ids = items["item_id"]
    users, rows, times = [], [], []
    for user in range(n_users):
        for place, row in enumerate(rng.permutation(len(ids))[:6]):
            users.append(f"u{user}")
            rows.append(ids[row])
            times.append(1_500_000_000 + 86_400 * user + 60 * place)
    events = pa.table({"user_id": users, "item_id": rows, "timestamp": times})
    pq.write_table(pa.table(items), folder / "items.parquet")
    pq.write_table(events, folder / "interactions.parquet")
    if tags is not None:
        pq.write_table(pa.table(tags), folder / "tags.parquet")
    (folder / "dataset.yaml").write_text("name: planted\ntime: clock\n")
    return read_dataset(folder)


def test_a_text_column_of_few_values_is_a_label_and_codes_are_not(tmp_path):
    items = {
        "item_id": [f"i{n}" for n in range(60)],
        "title": [f"t{n}" for n in range(60)],
        "category": [("travel", "music", "garden", "kitchen")[n % 4] for n in range(60)],
        "language": ["en" if n % 2 else "fr" for n in range(60)],
        "maker": [f"maker number {n}" for n in range(60)],
    }
    dataset = dataset_of(tmp_path / "d", items)
    assert dataset.catalog.label_columns == {"category"}
    texts = ItemTexts(prompts=PROMPTS, catalog=dataset.catalog)
    assert texts[0] == "t0. travel"
    rec = semrec.build(dataset, config=world_config())
    found = rec.recommend(intent="something for travel", k=10)
    assert {rec.catalog.record(rec.catalog.row(i.item_id))["category"] for i in found.items} == {
        "travel"
    }


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_words_cant_be_tuned_away(tmp_path, seed):
    """120 items with one label for all, titles of two words, events at random."""
    rng = np.random.default_rng(seed)
    items = {
        "item_id": [f"i{n}" for n in range(120)],
        "title": [" ".join(rng.choice(WORDS, 2, replace=False)) for _ in range(120)],
        "category": [["Books"]] * 120,
    }
    rec = semrec.build(dataset_of(tmp_path / "d", items, 200, seed), config=world_config())
    lists = set()
    for word in WORDS:
        found = rec.recommend(intent=f"I want {word}", k=5)
        n_right = sum(word in title.split() for title in items["title"])
        assert sum(word in i.title.split() for i in found.items) >= min(5, n_right) - 1
        lists.add(tuple(i.item_id for i in found.items))
        weights = found.trace.weights
        dense = weights["semantic"] * (1 - weights["lexical_share"])
        said = weights["semantic"] * weights["lexical_share"] + dense * weights["intent_share"]
        assert said >= 0.2 - 1e-9
    assert len(lists) == len(WORDS)


def test_an_item_is_found_by_its_tags_of_before_the_cut(tmp_path):
    items = {"item_id": ["a", "b", "c"] * 1, "title": ["one", "two", "three"]}
    tags = {
        "user_id": ["u1", "u2", "u2"],
        "item_id": ["a", "a", "b"],
        "tag": ["Slow Burn", "slow burn", "robots"],
        "timestamp": [100, 200, 300],
    }
    dataset = dataset_of(tmp_path / "d", items, n_users=8, tags=tags)
    assert frequent_tags(dataset.tags, None) == {0: ["slow burn"], 1: ["robots"]}
    assert frequent_tags(dataset.tags, 250.0) == {0: ["slow burn"]}
    rec = semrec.build(dataset, config=world_config())
    assert rec.recommend(intent="robots", k=1).items[0].item_id == "b"


def test_an_items_vector_is_the_mean_of_its_two_views(world):
    rec = semrec.build(world, config=world_config())
    views = [ItemTexts(prompts=PROMPTS, catalog=world.catalog, about=about) for about in (0, 1)]
    assert views[0][0].startswith("space space story number0 (1960). ")
    assert views[1][0] == "space, even."
    whole, about = (rec.encoder.encode_items(list(view)) for view in views)
    mean = (whole + about) / np.linalg.norm(whole + about, axis=1, keepdims=True)
    np.testing.assert_allclose(
        rec.fusion.semantic.vectors, mean - rec.fusion.semantic.mean, atol=1e-5
    )


@pytest.mark.parametrize("session", [[], ["i03", "i31"]])
@pytest.mark.parametrize("filters", [{}, {"language": "fr"}])
def test_a_list_is_the_best_of_one_exact_sum(world, session, filters):
    """Every item, scored by hand: the index's product, the neighbours', the words' match."""
    rec = semrec.build(world, config=world_config())
    rec.add_items([{"item_id": "new", "title": "ghost submarine", "language": "fr"}])
    rec.remove_items(["i05"])
    intent = "a ghost story on a submarine"
    found = rec.recommend(intent=intent, session=session, filters=filters, k=8)
    match = rec.lexical.match(intent)
    from semrec.pipeline.resolve import in_words, resolve
    from semrec.types import Query

    query = Query(intent=intent, session=session, filters=filters)
    resolved = resolve(query, rec.catalog, rec.interactions)
    text = in_words(intent, resolved.session, rec.catalog, rec.prompts)
    vector = rec.encoder.encode_queries([text])[0]
    named = rec.intent_parser.parse_intent(intent).named
    fused = rec.fusion.query(vector, resolved.session, None, match, named)
    every = np.arange(len(rec.catalog))
    scores = rec.fusion.items() @ fused.vector + fused.boost.at(every)
    scores[resolved.excluded] = -np.inf
    scores[rec.removed] = -np.inf
    if resolved.allowed is not None:
        scores[~resolved.allowed.mask] = -np.inf
    best = np.lexsort((every, -scores))[:8]
    assert [i.item_id for i in found.items] == [rec.catalog.item_ids[row] for row in best]
    assert "new" in [i.item_id for i in found.items]
    np.testing.assert_allclose([i.score for i in found.items], scores[best], atol=1e-5)


def test_without_a_lexical_part_the_gate_still_counts_words(world):
    rec = semrec.build(world, config=world_config(lexical={"enabled": False}))
    assert rec.lexical is None
    long = "a calm story, old houses, long corridors, family secrets, slow endings, winter nights"
    reasons = [rec.recommend(intent=text).trace.reason for text in ("a ghost story", long)]
    assert "a topic" in reasons[0]
    assert "a conversation" in reasons[1]
    assert rec.recommend(intent=long).trace.weights["lexical_share"] == 0
