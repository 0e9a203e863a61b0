"""`semrec compare` against an evaluation that shares no code with it."""

import math

import pyarrow.parquet as pq
import pytest
from conftest import world_config

import semrec
from semrec.data.dataset import read_dataset
from semrec.evaluate.compare import compare
from semrec.evaluate.systems import cases_for

K = 10


def independent(recommender, folder):
    """Recall, NDCG, MRR, hit and MAP at 10, leave-one-out, from the table as it lies on disk."""
    table = pq.read_table(folder / "interactions.parquet").to_pylist()
    histories = {}
    for place, event in enumerate(table):
        touched = (event["timestamp"], place, str(event["item_id"]))
        histories.setdefault(str(event["user_id"]), []).append(touched)
    asked = []
    for history in histories.values():
        *before, target = [item for _, _, item in sorted(history)]
        if before:
            asked.append((before, target))
    answers = recommender.recommend_many(
        semrec.Query(session=before[-50:], exclude=before[:-50], k=K) for before, _ in asked
    )
    sums = dict.fromkeys(("recall", "ndcg", "mrr", "hit", "map"), 0.0)
    for (before, target), answer in zip(asked, answers, strict=True):
        shown = [item.item_id for item in answer.items]
        if target in shown and target not in before:
            rank = shown.index(target) + 1
            sums["recall"] += 1
            sums["hit"] += 1
            sums["ndcg"] += math.log(2) / math.log(rank + 1)
            sums["mrr"] += 1 / rank
            sums["map"] += 1 / rank
    return {name: total / len(asked) for name, total in sums.items()}, len(asked)


def check(folder, config, out, n_cases):
    artifact = semrec.build(read_dataset(folder), config=config, out=out)
    cases = cases_for("test", {"fused": artifact}, folder)
    report = compare({"baseline": artifact.baseline(), "fused": artifact}, cases, timed=0)
    for name, system in (("baseline", artifact.baseline()), ("fused", artifact)):
        want, n = independent(system, folder)
        assert report.n_cases == n == n_cases
        assert want["ndcg"] > 0
        for metric, value in want.items():
            assert report.row(name).metrics[metric].mean == pytest.approx(value, abs=1e-9)


def test_figures_on_the_planted_world_are_those_of_an_independent_evaluation(
    world_folder, tmp_path
):
    check(world_folder, world_config(split={"test": "last"}), tmp_path / "planted", 180)


@pytest.mark.slow
def test_figures_on_amazon_beauty_are_those_of_an_independent_evaluation(shared_data, tmp_path):
    config = world_config(
        split={"test": "last"},
        behaviour={
            "kind": "pure_svd",
            "factors": 64,
            "decay": [0.8],
            "neighbours": {"kind": "none"},
        },
        fusion={"gate": "fixed", "max_cases": 200},
    )
    check(shared_data / "amazon-beauty", config, tmp_path / "beauty", 22_363)
