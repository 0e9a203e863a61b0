"""The command line: what each command prints, writes and ends with."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import run, run_process
from conftest import THEMES, item_id, world_tables, write_world

import semrec
from semrec.sessions.log import Log, served_list

FORMER = Path(__file__).parent / "artifact_of_format_1"  # its manifest as it was, and a few files
CONFIG = """
encoder: {kind: hashing, dim: 64}
behaviour:
  {kind: als, factors: 12, regularization: 1, alpha: 5, decay: 1, neighbours: {kind: none}}
fusion: {max_cases: 100}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a dataset, a configuration, an artifact and requests."""
    folder = tmp_path_factory.mktemp("cli")
    write_world(folder / "data")
    (folder / "quick.yaml").write_text(CONFIG)
    options = ("--config", "quick.yaml", "--set", "split.test=time")
    run("build", "data", "--out", "artifact", *options, cwd=folder)
    rows = range(0, 60, 2)
    pq.write_table(
        pa.table(
            {
                "intent_id": [f"q{row}" for row in rows],
                "dialog_id": [f"d{row // 4}" for row in rows],
                "turn": [row % 4 for row in rows],
                "text": [f"a {THEMES[row % 6]} story" for row in rows],
                "session": [[item_id(row // 10 * 10 + (row + 1) % 10)] for row in rows],
                "relevant": [[item_id(row)] if row else [] for row in rows],
            }
        ),
        folder / "asked.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "intent_id": [f"t{number}" for number in range(6)],
                "dialog_id": [f"g{number}" for number in range(6)],
                "text": [f"a {word} story" for word in THEMES],
                "session": [[]] * 6,
                "relevant": [[item_id(row) for row in range(t, 60, 6)] for t in range(6)],
                "topic": THEMES,
            }
        ),
        folder / "topics.parquet",
    )
    return folder


def test_help_and_version(place):
    top = run_process("--help", cwd=place).stdout
    for command in (
        "demo",
        "data",
        "build",
        "recommend",
        "compare",
        "crossfit",
        "bench",
        "serve",
        "replay",
        "models",
    ):
        assert command in top
    assert run_process("--version", cwd=place).stdout.startswith("semrec 0.")


def test_build_says_what_it_learned_and_where_it_lies(place):
    done = run("build", "data", "--out", "again", "--config", "quick.yaml", cwd=place)
    assert "60 items" in done.stdout
    assert "written: again" in done.stdout


@pytest.mark.slow
def test_a_build_whose_output_is_a_file_says_in_lines_how_far_it_is(place):
    options = ("--config", "quick.yaml", "--json")
    with (place / "out").open("w") as out, (place / "log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "semrec", "build", "data", "--out", "lines", *options],
            cwd=place,
            stdout=out,
            stderr=log,
            env={**os.environ, "FORCE_COLOR": "1"},
            check=True,
        )
    assert json.loads((place / "out").read_text())["counts"]["items"] == 60
    lines = (place / "log").read_text().splitlines()
    told = [re.fullmatch(r"\[ *(\d+\.\d) s\] (.+)", line) for line in lines]
    assert all(told), lines
    seconds = [float(one[1]) for one in told]
    assert seconds == sorted(seconds)
    stages = [one[2] for one in told]
    for stage in ("load encoder", "embed items", "tune fusion", "build index"):
        assert any(text == stage or text.startswith(f"{stage} ") for text in stages)
        assert any(text.startswith(f"{stage} done") for text in stages)


def test_an_answer_says_nothing_of_progress_where_nobody_watches(place):
    assert run_process("recommend", "artifact", "--intent", "ghost", cwd=place).stderr == ""


def test_a_failure_ends_the_process_with_1(place):
    assert run_process("recommend", "nowhere", cwd=place, ok=False).returncode == 1


def test_recommend_prints_a_table_or_json(place):
    arguments = ("recommend", "artifact", "--intent", "ghost", "--session", "i01,i02", "-k", "3")
    table = run(*arguments, cwd=place).stdout
    answer = json.loads(run(*arguments, "--json", cwd=place).stdout)
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3]
    assert all(item["item_id"] in table for item in answer["items"])
    assert all(len(line) <= 80 for line in table.splitlines())


def test_recommend_with_filters(place):
    filters = '{"year": {"gte": 2015}}'
    asked = ("recommend", "artifact", "--filters", filters, "-k", "9", "--json", "--session", "i55")
    assert len(json.loads(run(*asked, cwd=place).stdout)["items"]) == 4
    assert len(json.loads(run(*asked, "--include-seen", cwd=place).stdout)["items"]) == 5


def test_compare_shows_one_artifact_beside_the_baselines(place):
    arguments = ("compare", "artifact", "--cases", "asked.parquet", "--out", "report")
    done = run(*arguments, cwd=place)
    for system in ("baseline", "item_knn", "ease", "text", "semantic-only", "fused"):
        assert system in done.stdout
    assert "x the NDCG@10 of behavioural-only" in " ".join(done.stdout.split())
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    report = json.loads((place / "report" / "report.json").read_text())
    assert report["n_cases"] == 29
    assert report["without_relevant"] == 1
    assert "fused" in (place / "report" / "report.md").read_text()


def test_compare_shows_diversified_lists_beside_the_fused_ones(place):
    options = ("--cases", "asked.parquet", "--diversity", "0.9", "--json")
    done = run("compare", "artifact", "popularity", *options, cwd=place)
    systems = {of["system"]: of for of in json.loads(done.stdout)["rows"]}
    assert list(systems) == ["artifact", "popularity", "artifact, diversity 0.9"]
    plain, diverse = systems["artifact"], systems["artifact, diversity 0.9"]
    assert diverse["beyond"]["diversity"] > plain["beyond"]["diversity"]


def test_compare_writes_a_page_with_slices(place):
    options = ("--slice", "year", "--at", "3", "--out", "page")
    done = run("compare", "artifact", "popularity", "--cases", "asked.parquet", *options, cwd=place)
    assert "written: page/report.html" in done.stdout
    report = json.loads((place / "page" / "report.json").read_text())
    assert {part["family"] for part in report["slices"]} >= {"year", "place in the dialog"}
    assert set(report["rows"][0]["at"]) == {"3", "10"}
    assert report["command"].startswith("semrec compare artifact popularity --cases asked.parquet")
    page = (place / "page" / "report.html").read_text()
    assert "semrec compare artifact popularity" in page


def test_compare_by_both_yardsticks(place):
    files = ("--cases", "topics.parquet", "--cases", "asked.parquet", "--groups", "odd")
    done = run("compare", "artifact", "popularity", *files, "--out", "both", cwd=place)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert "asked for: artifact has" in " ".join(done.stdout.split())
    report = json.loads((place / "both" / "report.json").read_text())
    assert (report["n_cases"], report["asked_for"]["n_cases"]) == (29, 3)
    assert [one["kind"] for one in report["yardsticks"]] == ["asked for", "asked for", "liked"]
    assert "only the odd groups" in report["notes"]


def test_compare_on_held_out_events(place):
    done = run("compare", "artifact", "--cases", "test", "--data", "data", "--json", cwd=place)
    assert {row["system"] for row in json.loads(done.stdout)["rows"]} >= {"baseline", "fused"}


def test_compare_of_named_systems(place):
    arguments = ("compare", "artifact", "popularity", "ease", "--cases", "asked.parquet", "--json")
    rows = json.loads(run(*arguments, cwd=place).stdout)["rows"]
    assert [row["system"] for row in rows] == ["artifact", "popularity", "ease"]


@pytest.mark.slow
def test_crossfit(place):
    arguments = ("crossfit", "data", "--cases", "asked.parquet", "--folds", "2")
    done = run(*arguments, "--config", "quick.yaml", "--json", cwd=place)
    assert json.loads(done.stdout)["n_cases"] == 29


def test_bench_latency_prints_every_stage(place):
    done = run("bench", "latency", "artifact", "-n", "5", cwd=place)
    for word in ("p50", "p99", "encode", "search", "without encoder", "cores"):
        assert word in done.stdout


@pytest.mark.slow
def test_bench_scale_measures_every_size_and_draws_them(place):
    pytest.importorskip("matplotlib")
    arguments = ("bench", "scale", "artifact", "--sizes", "1000,50", "--kind", "ivf", "-n", "5")
    done = run(*arguments, "--cases", "asked.parquet", "--out", "scale", cwd=place)
    assert "recall@100" in done.stdout
    small, large = json.loads((place / "scale" / "scale.json").read_text())["sizes"]
    assert (small["items"], large["items"]) == (60, 1000)  # the artifact's own come first
    assert large["recall@100"].keys() == {"0", "gate", "1", "whole"}
    assert min(large["recall@100"].values()) >= 0.9
    assert large["ms"]["total"]["p99"] >= large["ms"]["search"]["p50"] > 0
    assert (place / "scale" / "scale.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_bench_encoders_prints_two_tables_and_writes_both(place):
    arguments = ("bench", "encoders", "hashing", "--data", "data", "--cases", "asked.parquet")
    arguments = (*arguments, "--config", "quick.yaml")
    done = run(*arguments, "--out", "encoders", cwd=place)
    for word in ("behavioural", "hashing semantic", "hashing fused", "p95 ms", "in memory"):
        assert word in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert json.loads((place / "encoders" / "report.json").read_text())["n_cases"] == 29
    (cost,) = json.loads((place / "encoders" / "encoders.json").read_text())
    assert cost["name"] == "hashing-64"
    (printed,) = json.loads(run(*arguments, "--json", cwd=place).stdout)["encoders"]
    assert printed["fingerprint"] == cost["fingerprint"]


def test_doctor_finds_the_encoder(place):
    done = run("doctor", cwd=place)
    assert "sentence-transformers/all-MiniLM-L6-v2" in done.stdout
    assert "faiss-cpu" in done.stdout


def test_prompts_are_listed_shown_and_rendered(place):
    listed = run("prompts", "list", cwd=place).stdout.split()
    names = (
        "chat_act chat_llm chat_reply explanation item item_about limit query read_request"
        " request rerank_likelihood rerank_listwise rerank_request synthesise"
    )
    assert listed == names.split()
    assert "{{ title }}" in run("prompts", "show", "item", cwd=place).stdout
    rendered = run("prompts", "render", "artifact", "--item", "i05", cwd=place).stdout
    assert rendered == "ghost ghost story number5 (1965). ghost, odd\n"
    asked = run("prompts", "render", "artifact", "--intent", "{{ 7 * 7 }}", cwd=place).stdout
    assert asked == "{{ 7 * 7 }}\n"


def test_describe_validate_and_import(place):
    described = json.loads(run("data", "describe", "data", "--json", cwd=place).stdout)
    assert (described["items"], described["users"]) == (60, 180)
    assert "valid: 60 items" in run("data", "validate", "data", cwd=place).stdout
    (place / "films.csv").write_text("movieId,title,genres\n1,Alien,Horror|SF\n2,Heat,Crime\n")
    (place / "seen.csv").write_text("userId,movieId,ts\nu1,1,1500000000\nu1,2,1500000001\n")
    run(
        *("data", "import", "--items", "films.csv", "--interactions", "seen.csv"),
        *("--rename", "movieId=item_id", "--rename", "userId=user_id"),
        *("--rename", "ts=timestamp", "--split", "genres=|", "--out", "films"),
        cwd=place,
    )
    described = json.loads(run("data", "describe", "films", "--json", cwd=place).stdout)
    assert described["items"] == 2
    assert described["attributes"] == ["genres"]


def test_a_logged_list_is_made_again_and_the_log_becomes_a_dataset(place):
    recommender, query = semrec.load(place / "artifact"), semrec.Query(session=["i03"], k=5)
    log = Log(place / "state")
    about = {"version": recommender.version, "artifact": str(place / "artifact")}
    items = recommender.recommend(query).items
    log.add_served(served_list("r1", "s", query, items, **about))
    log.add_served(served_list("r2", "s", query, items[::-1], **about))
    log.add_events({"s": [semrec.Event("i04", "like", None, "e1")]})
    log.close()
    assert "as it was served" in run("replay", "r1", cwd=place).stdout
    again = json.loads(run("replay", "r1", "--json", cwd=place).stdout)
    assert [item_id for item_id, _ in again["now"]] == [item.item_id for item in items]
    assert "it was served as" in run("replay", "r2", cwd=place, ok=False).stdout
    arguments = ("data", "import", "--format", "log", "--interactions", "state")
    run(*arguments, "--items", "data", "--out", "next", cwd=place)
    counts = [
        json.loads(run("data", "describe", name, "--json", cwd=place).stdout)["interactions"]
        for name in ("data", "next")
    ]
    assert counts[1] == counts[0] + 1


def test_recommend_explains_itself(place):
    arguments = (
        "recommend",
        "artifact",
        "--intent",
        "a ghost story",
        "--session",
        "i05",
        "-k",
        "3",
    )
    assert "as you asked" not in run(*arguments, cwd=place).stdout
    assert "Ghost, as you asked" in run(*arguments, "--explain", cwd=place).stdout
    found = json.loads(run(*arguments, "--explain", "--json", cwd=place).stdout)
    assert all(item["explanation"] for item in found["items"])


def test_bench_turns_times_each_turn(place):
    said = [["a", 1, "a ghost story"], ["a", 2, "no jungle"], ["b", 1, "something in space"]]
    lines = [f'{{"dialog_id": "{d}", "turn": {n}, "last_utterance": "{t}"}}' for d, n, t in said]
    (place / "dialogs.jsonl").write_text("\n".join(lines * 20))
    done = run("bench", "turns", "artifact", "--cases", "dialogs.jsonl", "--n-long", "1", cwd=place)
    assert done.stdout.split()[:3] == ["dialogs", "turn", "n"]
    done = run(
        "bench",
        "turns",
        "artifact",
        "--cases",
        "dialogs.jsonl",
        "--n-long",
        "1",
        "--json",
        cwd=place,
    )
    assert len(json.loads(done.stdout)["long"]) == 50


@pytest.mark.slow
def test_bench_load_asks_at_the_given_rates(place):
    arguments = ("bench", "load", "artifact", "--seconds", "3", "--session-per-s", "10")
    done = run(*arguments, "--words-per-s", "5", "--times", "2", "--json", cwd=place)
    found = json.loads(done.stdout)
    assert found["load"]["session"]["sent"] > 10
    assert found["overload"]["words"]["sent"] > 10
    for stage in ("load", "overload"):
        for kind in ("session", "words"):
            one = found[stage][kind]
            assert one["errors"] == 0
            assert one["accepted"]["p50_ms"] <= one["accepted"]["p99_ms"]
        assert 0 < found[stage]["generator_share"] < 1
    assert found["rss_mb"]["after"] > 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "nowhere", "--out", "x"), "no such folder"),
        (("build", "data", "--out", "data"), "isn't a semrec artifact"),
        (("build", "data", "--out", "x", "--config", "defualt"), "did you mean 'default'"),
        (("build", "data", "--out", "x", "--config", "worst"), "no packaged config 'worst'"),
        (("build", "data", "--out", "x", "--set", "behavior.factors=3"), "'behaviour'"),
        (("build", "data", "--out", "x", "--set", "behaviour.factor=3"), "'factors'"),
        (("build", "data", "--out", "x", "--set", "behaviour.factors=many"), "found 'many'"),
        (("build", "data", "--out", "x", "--set", "nonsense"), "expected key=value"),
        (("build", "data", "--out", "x", "--intents", "none.parquet"), "no such file"),
        (("recommend", "nowhere"), "no such folder"),
        (
            ("recommend", FORMER),
            "found format 1 (written by semrec 0.1.0), expected format 2; build",
        ),
        (("recommend", "artifact", "-k", "0"), "expected 1 to 1000"),
        (("recommend", "artifact", "--filters", "{"), "not readable as JSON"),
        (("recommend", "artifact", "--filters", '{"yaer": 1}'), "did you mean 'year'"),
        (("compare", "artifcat", "--cases", "asked.parquet"), "no artifact folder"),
        (("compare", "eas", "--cases", "asked.parquet"), "did you mean 'ease'"),
        (("compare", "ease", "--cases", "asked.parquet"), "--data DATASET"),
        (("compare", "artifact", "--cases", "none.parquet"), "no such file"),
        (("compare", "artifact", "--cases", "asked.parquet", "--slice", "yaer"), "'year'"),
        (("compare", "artifact", "--cases", "topics.parquet", "--groups", "od"), "odd, even"),
        (("compare", "artifact", "--cases", "test", "--data", "data", "--groups", "x"), "odd"),
        (("serve", "nowhere"), "no such folder"),
        (("serve", FORMER), "found format 1 (written by semrec 0.1.0), expected format 2; build"),
        (("serve", "artifact", "--sessions", "mysql"), "setting sessions"),
        (("serve", "artifact", "--workers", "0"), "setting workers"),
        (("serve", "artifact", "--settings", "none.yaml"), "no such file"),
        (("serve", "artifact", "--set", "prot=80"), "did you mean 'port'"),
        (("replay", "r1", "--state", "nowhere"), "--state"),
        (("data", "import", "--format", "log", "--interactions", "x", "--out", "y"), "--items"),
        (("prompts", "show", "itme"), "did you mean 'item'"),
        (("prompts", "render", "artifact", "--item", "nope"), "no item 'nope'"),
        (("data", "fetch", "movielenz"), "did you mean 'movielens'"),
    ],
)
def test_a_failure_is_one_clear_line(place, arguments, message):
    before = sorted(path.name for path in place.iterdir())
    done = run(*arguments, cwd=place, ok=False)
    assert message in " ".join(done.stderr.split())
    *progress, last = done.stderr.strip().splitlines()
    assert last.startswith("error: ")
    assert all(line.startswith("[ ") for line in progress)
    assert sorted(path.name for path in place.iterdir()) == before


def test_a_dataset_with_a_missing_column_is_refused_and_nothing_written(place):
    folder = place / "broken"
    folder.mkdir(exist_ok=True)
    items, events = world_tables()
    pq.write_table(items, folder / "items.parquet")
    pq.write_table(events.drop_columns("timestamp"), folder / "interactions.parquet")
    done = run("build", "broken", "--out", "x", cwd=place, ok=False)
    assert "interactions.parquet: column 'timestamp' is missing" in done.stderr
    assert not Path(place / "x").exists()
