"""Writes the results from the result files: ``python tests/write_results.py``.

README gets one row per question, `notebooks/RESULTS.md` all the tables. The files come from these
commands, run on a machine that does nothing else:

    semrec build ../shared/data/movielens-small --config default --out X
    semrec compare X --cases ../shared/data/movie-intents/redial_valid.parquet --json \
        > notebooks/results/movie_requests.json
    semrec compare X --cases ../shared/data/movie-topics/topics.parquet \
        --cases ../shared/data/movie-intents/redial_valid.parquet --groups odd --json \
        > notebooks/results/yardsticks.json
    semrec build ../shared/data/movielens-small --config default --set split.test=time --out T
    python tests/topics_within_taste.py ../shared/data/movielens-small \
        ../shared/data/movie-topics/topics.parquet taste.parquet
    semrec compare T --cases taste.parquet --json > notebooks/results/within_taste.json
    semrec bench latency X --json > notebooks/results/latency.json
    semrec crossfit ../shared/data/movielens-small --config best --set ranking.enabled=false \
        --folds 3 --cases ../shared/data/movie-intents/redial_valid.parquet \
        --intents ../shared/data/movie-intents/iard_train.parquet --json \
        > notebooks/results/movie_dialogs.json
    semrec crossfit ../shared/data/movielens-small --set ranking.enabled=true --folds 3 \
        --cases ../shared/data/movie-intents/redial_valid.parquet \
        --intents ../shared/data/movie-intents/iard_train.parquet --json \
        > notebooks/results/movie_dialogs_ranked.json
    semrec bench cold ../shared/data/movielens-small --json > notebooks/results/cold.json
    semrec build ../shared/data/D --config configs/leaderboard/D-C.yaml --out Y
    semrec compare Y --cases test --data ../shared/data/D --json > notebooks/results/next-D-C.json
    semrec ablate ../shared/data/movielens-small --config default --groups odd \
        --cases ../shared/data/movie-topics/topics.parquet \
        --cases ../shared/data/movie-intents/redial_valid.parquet --json \
        > notebooks/results/ablation.json
    semrec bench throughput A -n 600 --json > notebooks/results/throughput.json
    semrec build ../shared/data/movielens-small --set rerank.kind=causal_lm --out J
    semrec bench scale A --sizes 1000000 -n 300 \
        --cases ../shared/data/movie-intents/redial_valid.parquet --out notebooks/results
    python tests/large_import.py 20000000 FOLDER notebooks/results/large-import.json
    python tests/large_build.py 20000000 FOLDER notebooks/results/large-build.json
    semrec bench load A --workers 2 --seconds 60 --json > notebooks/results/load.json
    semrec bench rerank J --cases ../shared/data/movie-intents/redial_valid.parquet -n 120 \
        --budgets 0,25,50,100,250,500,1000,none --json > notebooks/results/rerank.json
    semrec bench rerank J --cases ../shared/data/movie-intents/redial_valid.parquet --clients 4 \
        --budgets 0,5,10,25,50,100,250,500,1000 --json > notebooks/results/punctual-smollm2.json
    semrec bench rerank J --cases ../shared/data/movie-intents/redial_valid.parquet --clients 4 \
        --broken hanging --budgets 0,10,50,250,1000 --json > notebooks/results/punctual-hanging.json
    (the same with failing and nonsense, and with --unchecked for a trained cross-encoder)
    semrec demo --json > notebooks/results/demo.json
    semrec bench behaviour ../shared/data/D --config configs/leaderboard/D-X.yaml \
        --config configs/leaderboard/D-Y.yaml … --json > notebooks/results/leaderboard-D.json
"""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
# Goes with the next measurement of all.
OLDER = (
    "The row of dialogs learned from without a ranker was measured before the lexical part and the "
    "new gate; all else is of 2026-11-29."
)
FIRST, RESULTS = "first look", "results"  # README's parts that are written here


def read(name):
    return json.loads((HERE / "notebooks" / "results" / f"{name}.json").read_text("utf-8"))


def has(name):
    return (HERE / "notebooks" / "results" / f"{name}.json").is_file()


def yardsticks():
    """Both yardsticks, with which the results begin; nothing where they weren't measured."""
    if not has("yardsticks"):
        return []
    report = read("yardsticks")
    lines = [
        "| yardstick | cases | measure | the one to beat | fused | fused over it | |",
        "|---|---|---|---|---|---|---|",
    ]
    for told in report["yardsticks"]:
        if told["kind"] == "liked" or told["part"]:  # of what was asked for its parts
            lines.append(yardstick(f"{told['kind']} {told['part']}".strip(), told))
    if has("within_taste"):
        taste = read("within_taste")
        lines.append(yardstick("a topic within taste", taste["yardsticks"][-1]))
        over_text = taste["worded"]["over"]["text"]
        lines.append(f"| the same, over `text` | | | | | {times(*over_text)} | |")
    came_to = report["verdict"].rpartition(": ")[2]
    return ["\n".join(lines), f"Fused is {came_to}."]


def yardstick(about, told):
    ratio = told["ratio"]
    over = times(ratio["mean"], ratio["low"], ratio["high"]) if ratio else ""
    mean = told["base"] + told["difference"]["mean"]
    return (
        f"| {about} | {told['n_cases']:,} | {told['measure']} | {told['base']:.4f} "
        f"({told['reference']}) | {mean:.4f} | {over} | {told['verdict']} |"
    )


def times(mean, low, high):
    return f"**{mean:.2f} ×** ({low:.2f} to {high:.2f})"


def two_yardsticks():
    """The tables of all systems by both yardsticks."""
    if not has("yardsticks"):
        return []
    report = read("yardsticks")
    asked_for = report["asked_for"]
    cut = [part for part in asked_for["slices"] if part["family"] == "session"]
    header = [cell for part in cut for cell in (f"P@10 {part['name']}", "over text")]
    lines = [f"| system | {' | '.join(header)} |", f"|---|{'---|---|' * len(cut)}"]
    for row in asked_for["rows"]:
        cells = [row["system"]]
        for part in cut:
            over = part["ratios"].get(row["system"])
            cells.append(f"{part['systems'][row['system']]['mean']:.4f}")
            cells.append(times(over["mean"], over["low"], over["high"]) if over else "")
        lines.append(f"| {' | '.join(cells)} |")
    return [
        "**Two yardsticks**: what the words ask for (topics; all films that carry one are right; "
        "against `text`, a plain text search whose definition is frozen), and what somebody liked "
        "(against behavioural-only). A system is better only if it is better by one and not worse "
        "by the other:",
        *yardsticks(),
        "\n".join(lines),
        f"{asked_for['n_cases']:,} requests from {asked_for['n_units']:,} groups of topics. "
        "What was liked:",
        table(report) + verdict(report),
    ]


def trained():
    """What is reached with dialogs to learn from: with an encoder that may learn, with a ranker."""
    plain, ranked = read("movie_dialogs"), read("movie_dialogs_ranked")
    about = (
        "**Movie requests, dialogs learned from** (`semrec crossfit … --config best --set "
        "ranking.enabled=false --folds 3`: each fold's dialogs are answered by a recommender that "
        "learned from the others'):"
    )
    about_ranked = (
        "**The same with a ranker** (`semrec crossfit … --set ranking.enabled=true --folds 3`; the "
        'encoder as it comes; "before reranking": neither ranked nor reranked):'
    )
    return [
        *(about, table(plain) + verdict(plain), slices(plain), first_turns(plain)),
        *(about_ranked, table(ranked) + verdict(ranked) + lifted(ranked)),
        *(slices(ranked), first_turns(ranked)),
    ]


def lifted(report):
    """What the ranker adds to the fused list."""
    [pair] = [
        pair
        for pair in report["pairs"]
        if {pair["first"], pair["second"]} == {"fused", "fused, before reranking"}
    ]
    ends = sorted(abs(pair[end]) for end in ("low", "high"))
    assert pair["low"] * pair["high"] > 0, "the text says that it is better"
    return (
        f"\n\nRanked, a list has {abs(pair['difference']):.4f} more than before "
        f"({ends[0]:.4f} to {ends[1]:.4f})."
    )


def first_turns(report):
    """Requests with nothing before them, against popularity in the same training dialogs."""
    [part] = [part for part in report["slices"] if part["name"] == "no session"]
    mean, low, high = part["over"]["domain popularity"]
    return (
        f"The {part['n_cases']} first turns, with nothing before them: fused {part['fused']:.4f}, "
        f"{mean:.2f} × popularity in the same training dialogs ({low:.2f} to {high:.2f})."
    )


def main_slices(report):
    """Those that README tells of; a report cuts in more ways."""
    told = ("", "session", "words", "cold items")
    return [part for part in report.get("slices", ()) if part.get("family", "") in told]


def slices(report):
    told = [
        f"{part['name']} ({part['n_units']:,} units) {part['fused'] / part['behavioural']:.2f} × "
        f"({part['verdict']})"
        for part in main_slices(report)
        if part["n_units"] >= 200 and part["behavioural"] > 0
    ]
    return f"Fused over behavioural-only, slice by slice: {'; '.join(told)}." if told else ""


def wordless():
    """Next items without words: what texts add to a behavioural model."""
    lines = [
        "| data (cases) | behaviour | system | R@10 | NDCG@10 | 95 % interval "
        "| fused over behavioural-only |",
        "|---|---|---|---|---|---|---|",
    ]
    worse = []
    for path in sorted((HERE / "notebooks" / "results").glob("next-*.json")):
        report = json.loads(path.read_text("utf-8"))
        data, _, config = path.stem.removeprefix("next-").rpartition("-")
        best, ratio = report["behavioural_only"], report["ratios"]["fused"]
        about = f"{data} ({report['n_cases']:,}) | {config}"
        for row in report["rows"]:
            if row["system"] not in (best, "fused"):
                continue
            ndcg, recall = row["metrics"]["ndcg"], row["metrics"]["recall"]
            over = f"{ratio['mean']:.2f} × ({ratio['low']:.2f} to {ratio['high']:.2f})"
            lines.append(
                f"| {about} | {row['system']} | {recall['mean']:.4f} | {ndcg['mean']:.4f} "
                f"| {ndcg['low']:.4f} to {ndcg['high']:.4f} "
                f"| {over if row['system'] == 'fused' else ''} |"
            )
            about = " | "
        told = ", ".join(f"{part['name']} {part['verdict']}" for part in main_slices(report))
        worse.append(f"{data}: {told}")
    return [
        "**What did each user touch next?** (leave-one-out, no words; texts are categories and "
        "brands on amazon-beauty, names and categories on yelp):",
        "\n".join(lines),
        f"Fused, slice by slice: {'; '.join(worse)}.",
    ]


def ablation():
    """What each ingredient adds, by both yardsticks."""
    report = read("ablation")
    asked_for = report["asked_for"]
    cut = [part for part in asked_for["slices"] if part["family"] == "session"]
    header = [f"P@10 {part['name']}" for part in cut]
    lines = [f"| | {' | '.join(header)} | NDCG@10 | p |", f"|---|{'---|' * len(cut)}---|---|"]
    for row in report["rows"]:
        asked = [part["systems"][row["system"]]["mean"] for part in cut]
        p = [
            pair["p_holm"]
            for pair in report["pairs"]
            if {pair["first"], pair["second"]} == {"fused", row["system"]}
        ]
        cells = [*(f"{mean:.4f}" for mean in asked), f"{row['metrics']['ndcg']['mean']:.4f}"]
        lines.append(f"| {row['system']} | {' | '.join(cells)} | {f'{p[0]:.3f}' if p else ''} |")
    return [
        "**What each ingredient adds** (`semrec ablate … --config default`, asked the topics and "
        "the movie requests above; each is left out in turn, p of the requests after Holm against "
        "the whole):",
        "\n".join(lines),
    ]


def rerank():
    """What a budget buys, and whether answers were late."""
    report = read("rerank")
    plain, judge = report["plain"], report["reranker"]
    lines = [
        "| budget, ms | NDCG@10 | gain, 95 % interval | judged, of "
        f"{judge['top']} | complete | p50 ms | p99 ms | p99 past the budget, ms |",
        "|---|---|---|---|---|---|---|---|",
        f"| not judged | {plain['ndcg']['mean']:.4f} | | | | {plain['spent_ms']['p50']:.0f} "
        f"| {plain['spent_ms']['p99']:.0f} | |",
    ]
    for row in report["rows"]:
        budget, gain, spent = row["budget_ms"], row["gain"], row["spent_ms"]
        late = f"{row['over_ms']['p99']:.1f}" if "over_ms" in row else ""
        lines.append(
            f"| {'none' if budget is None else f'{budget:g}'} | {row['ndcg']['mean']:.4f} "
            f"| {gain['low']:+.4f} to {gain['high']:+.4f} | {row['scored']:.1f} "
            f"| {row['statuses'].get('complete', 0):.0%} | {spent['p50']:.0f} | {spent['p99']:.0f} "
            f"| {late} |"
        )
    return [
        f"**Reranking under a budget** ({judge['model']}, {judge['mode']}, zero-shot; "
        f"{report['n_cases']} of the movie requests, nothing learned from dialogs; weight "
        f"{report['weights']['both']:g} beside the list's own scores; the machine had other work; "
        "`semrec build … --set rerank.kind=causal_lm`, `semrec bench rerank … -n 120`). "
        "The last column is measured from the budget, or from the 99th percentile without a judge "
        "where that is longer:",
        "\n".join(lines),
    ]


def punctual():
    """How late answers were, reranker by reranker, with four who ask at once."""
    found = sorted((HERE / "notebooks" / "results").glob("punctual-*.json"))
    reports = {path.stem.removeprefix("punctual-"): read(path.stem) for path in found}
    budgets = sorted({row["budget_ms"] for told in reports.values() for row in told["rows"]})
    lines = [
        f"| reranker | {' | '.join(f'{budget:g}' for budget in budgets)} |",
        f"|---|{'---|' * len(budgets)}",
    ]
    for name, report in reports.items():
        late = {row["budget_ms"]: f"{row['over_ms']['p99']:.1f}" for row in report["rows"]}
        lines.append(f"| {name} | {' | '.join(late.get(budget, '') for budget in budgets)} |")
    one = next(iter(reports.values()))
    return [
        "**How late answers are** (`semrec bench rerank … --clients "
        f"{one['clients']}`, {one['n_cases']} of the movie requests, hanging, failing and "
        "nonsensical rerankers by `--broken`): milliseconds past the budget at p99, by budget in "
        "ms; below 0 where they were earlier (the budget counts as no less than the line's own p99 "
        "without a judge):",
        "\n".join(lines),
    ]


def throughput():
    """Clients that ask as fast as they are answered."""
    report = read("throughput")
    lines = [
        "| clients | semrec a second | p50, p99 ms | the plain script | p50, p99 ms | times |",
        "|---|---|---|---|---|---|",
    ]
    for clients, told in report["clients"].items():
        ours, plain = told["semrec"], told["plain"]
        lines.append(
            f"| {clients} | {ours['requests_per_s']:.0f} | {ours['p50']:.0f}, {ours['p99']:.0f} "
            f"| {plain['requests_per_s']:.0f} | {plain['p50']:.0f}, {plain['p99']:.0f} "
            f"| {told['times_as_many']:.2f} × |"
        )
    return [
        f"**Throughput** (`semrec bench throughput A`, {report['requests']} new intents for each "
        f"number of clients, one process each; the plain script is sentence-transformers and FAISS "
        "behind one FastAPI route):",
        "\n".join(lines),
    ]


def load():
    """A service asked at given rates, then at several times these."""
    report = read("load")
    rates, times = report["rates_per_s"], report["times"]
    lines = [
        "| asked | a second | errors | refused (503) | accepted p50, p99 ms | refused p99 ms |",
        "|---|---|---|---|---|---|",
    ]
    for stage, factor in (("load", 1), ("overload", times)):
        for kind, rate in rates.items():
            one = report[stage][kind]
            done, refused = one["accepted"], one["refused"].get("p99_ms")
            lines.append(
                f"| {kind} | {rate * factor:g} | {one['errors']} | {one['refused_share']:.0%} "
                f"| {done['p50_ms']:.0f}, {done['p99_ms']:.0f} "
                f"| {'' if refused is None else f'{refused:.0f}'} |"
            )
    return [
        f"**The service under load** (`semrec bench load A --workers {report['workers']} --seconds "
        f"{report['seconds']:.0f}`, open loop, movielens-small, sessions and new words at the same "
        f"time; the generator took {report['load']['generator_cores']:.2f} of "
        f"{report['cores']} cores, memory went from {report['rss_mb']['before']:.0f} to "
        f"{report['rss_mb']['after']:.0f} MB):",
        "\n".join(lines),
    ]


def scale():
    """Larger catalogues of resampled items."""
    report = read("scale")
    lines = [
        "| items | index | built in s | loaded in s | MB | p50, p99 ms "
        "| recall@100 at semantic weight 0 | as gated | 1 | whole, with the lexical part |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in report["sizes"]:
        spent, recall = row["ms"]["total"], row["recall@100"]
        lines.append(
            f"| {row['items']:,} | {row['index']['kind']} | {row['build_s']:.0f} "
            f"| {row['load_s']:.1f} | {row['resident_after_mb']:.0f} "
            f"| {spent['p50']:.0f}, {spent['p99']:.0f} "
            f"| {' | '.join(f'{recall[one]:.3f}' for one in ('0', 'gate', '1'))} "
            f"| {recall.get('whole', '')} |"
        )
    return [
        f"**Larger catalogues** (`semrec bench scale`; movielens-small's {report['own_items']:,} "
        f"fused vectors resampled with noise {report['noise']:g}, {report['dim']} dimensions, "
        f"{report['requests']} movie requests in words; memory beyond artifact and encoder, mapped "
        "pages counted; other work ran on the machine):",
        "\n".join(lines),
    ]


def large():
    """Twenty million interactions: imported, validated, built on; nothing where it wasn't run."""
    rows = []
    if has("large-import"):
        report = read("large-import")
        rows += [(step, report, report[step]) for step in ("import", "validate")]
    if has("large-build"):
        rows.append(("build", read("large-build"), read("large-build")))
    if not rows:
        return []
    lines = [
        "| step | interactions | items | processor s | wall s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for step, report, cost in rows:
        lines.append(
            f"| {step} | {report['events']:,} | {report['items']:,} "
            f"| {cost['processor_seconds']:,} | {cost['seconds']:,} | {cost['peak_mb']:,} |"
        )
    left = [f"The build says: {note}." for _, report, _ in rows for note in report.get("notes", ())]
    return [
        "**Twenty million interactions**, made from a seed with MovieLens 25M's shape "
        "(`python tests/large_import.py`, `tests/large_build.py`; two processor cores without AMX, "
        "of which other work had most: wall time says how busy they were):",
        "\n".join(lines),
        *left,
    ]


def cold():
    path = HERE / "notebooks" / "results" / "cold.json"
    if not path.is_file():
        return []
    lines = [
        "**Items that nobody has touched** (movielens-small, no words; a tenth of the touched "
        "films withheld with all their events, three draws):",
        "| draw | R@50 of the withheld, fused | by text alone | by chance "
        "| NDCG@10 of the known, fused | had the withheld never come back |\n"
        "|---|---|---|---|---|---|\n"
        + "\n".join(
            f"| {one['seed']} | {one['fused']:.4f} | {one['semantic']:.4f} | {one['chance']:.4f} "
            f"| {one['known']:.4f} | {one['known_alone']:.4f} |"
            for one in read("cold")
        ),
    ]
    return lines


def table(report):
    lines = ["| system | R@10 | NDCG@10 | 95 % interval | coverage |", "|---|---|---|---|---|"]
    for row in report["rows"]:
        ndcg, recall = row["metrics"]["ndcg"], row["metrics"]["recall"]
        lines.append(
            f"| {row['system']} | {recall['mean']:.4f} | {ndcg['mean']:.4f} "
            f"| {ndcg['low']:.4f} to {ndcg['high']:.4f} | {row['coverage']:.1%} |"
        )
    counts = f"{report['n_cases']:,} cases from {report['n_units']:,} independent units"
    return "\n".join([*lines, "", counts])


def verdict(report):
    best, ratio = report["behavioural_only"], report["ratios"].get("fused")
    if ratio is None:
        return ""
    sure = "" if ratio["low"] > 1 or ratio["high"] < 1 else ": no difference shown"
    return (
        f"; fused has **{ratio['mean']:.2f} ×** the NDCG@10 of behavioural-only ({best}), "
        f"interval {ratio['low']:.2f} to {ratio['high']:.2f}{sure}."
    )


def recall_of(report, system):
    [row] = [row for row in report["rows"] if row["system"] == system]
    return row["metrics"]["recall"]["mean"]


def milliseconds(latency):
    spent = latency["words and session"]
    return ", ".join(
        f"{name} p50 {spent[stage]['p50']:.1f} and p99 {spent[stage]['p99']:.1f} ms"
        for name, stage in (
            ("in all", "total"),
            ("the encoder", "encode"),
            ("the rest", "without_encoder"),
        )
    )


PROTOCOLS = {
    "last": "leave-one-out: each user's last item",
    "time": "each user's next items after three cuts in time",
}


def leaderboard():
    """One row per configuration, data set by data set."""
    lines = [
        "| data (cases; what is asked) | configuration | R@10 | NDCG@10 | 95 % interval "
        "| fitted in | a session |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in sorted((HERE / "notebooks" / "results").glob("leaderboard-*.json")):
        report = json.loads(path.read_text("utf-8"))
        data = path.stem.removeprefix("leaderboard-")
        protocol = next(
            what for name, what in PROTOCOLS.items() if f"split.test {name}" in report["notes"][0]
        )
        about = f"{data} ({report['n_cases']:,}; {protocol})"
        for row in report["rows"]:
            ndcg, recall = row["metrics"]["ndcg"], row["metrics"]["recall"]
            fits = [one for one in report["systems"] if one["system"] == row["system"]]
            minutes = sum(one["fit_s"] for one in fits) / 60
            session_ms = max(one["session_vector_ms"] for one in fits)
            lines.append(
                f"| {about} | {row['system'].removeprefix(data + '-')} | {recall['mean']:.4f} "
                f"| {ndcg['mean']:.4f} | {ndcg['low']:.4f} to {ndcg['high']:.4f} "
                f"| {minutes:.1f} min | {session_ms:.1f} ms |"
            )
            about = ""
    return "\n".join(lines)


def summary():
    """One row per question: behavioural-only against fused."""
    asked = [
        ("Movie requests in words, nothing learned from dialogs", read("movie_requests")),
        ("The same, dialogs learned from (cross-fitted)", read("movie_dialogs")),
        ("The same with a ranker that learned from them", read("movie_dialogs_ranked")),
    ]
    for path in sorted((HERE / "notebooks" / "results").glob("next-*.json")):
        data, _, _ = path.stem.removeprefix("next-").rpartition("-")
        asked.append((f"Next item without words, {data}", json.loads(path.read_text("utf-8"))))
    asked.append(("Next film by the clock, without words", read("demo")["time_split"]))
    lines = [
        "| what is asked | cases | R@10 | NDCG@10, behavioural-only | fused | fused over it |",
        "|---|---|---|---|---|---|",
    ]
    for about, report in asked:
        best, ratio = report["behavioural_only"], report["ratios"]["fused"]
        means = {
            row["system"]: {name: one["mean"] for name, one in row["metrics"].items()}
            for row in report["rows"]
        }
        unsure = ratio["low"] <= 1 <= ratio["high"]
        lines.append(
            f"| {about} | {report['n_cases']:,} | {means[best]['recall']:.4f} → "
            f"{means['fused']['recall']:.4f} | {means[best]['ndcg']:.4f} ({best}) "
            f"| {means['fused']['ndcg']:.4f} | **{ratio['mean']:.2f} ×** "
            f"({ratio['low']:.2f} to {ratio['high']:.2f}{'; no difference shown' * unsure}) |"
        )
    latency, demo = read("latency"), read("demo")
    return "\n\n".join(
        [
            *yardsticks(),
            "\n".join(lines),
            f"One warm request with new words and a session, {latency['items']:,} items of "
            f"{latency['dim']} dimensions: {milliseconds(latency)}; the twenty lines of "
            "sentence-transformers and FAISS that one would write take "
            f"{latency['words alone, for reference']['plain script']['p50']:.1f} ms at p50. "
            f"The whole demo took {demo['seconds']:.0f} s.",
            OLDER,
        ]
    )


def results():
    requests, demo = read("movie_requests"), read("demo")
    everywhere, among = demo["cold_items"], demo["cold_items_among_themselves"]
    parts = [
        *two_yardsticks(),
        "**Movie requests** (ReDial dialogs over movielens-small; nothing learned from dialogs):",
        table(requests) + verdict(requests),
        slices(requests),
        *trained(),
        *ablation(),
        *wordless(),
        "**And on the clock?** (the demo's MovieLens, global time split, no words; "
        "titles, genres and keywords are the only text):",
        table(demo["time_split"]) + verdict(demo["time_split"]),
        "**Cold start** (the demo's MovieLens, a tenth of the films withheld with all their "
        "events), ranked among the withheld films:",
        table(among) + ".",
        "Among all films, where they stand against everything known, R@10 of the withheld ones is "
        f"{recall_of(everywhere, 'semantic-only'):.4f} semantic-only, "
        f"{recall_of(everywhere, 'fused'):.4f} fused and "
        f"{recall_of(everywhere, 'baseline'):.4f} behavioural-only.",
        *cold(),
        *rerank(),
        *punctual(),
        *throughput(),
        *load(),
        *scale(),
        *large(),
        "**Behavioural models alone**, options chosen on validation, refitted, asked once; the "
        "whole catalogue is ranked; seed 0. `both` is the best vector model with EASE beside it; "
        "on amazon-beauty it goes on from `sasrec-labels`, whose training isn't in its minutes. "
        "Other work ran on the machine at the time. Each row: "
        "`semrec bench behaviour ../shared/data/DATA "
        "--config configs/leaderboard/DATA-CONFIGURATION.yaml`.",
        leaderboard(),
    ]
    return "\n\n".join(parts)


HEAD = """# Results

Written from `results/*.json` by `python tests/write_results.py`, which also says what made each of
these files; 2 cores. "Behavioural-only" is the best of the recommender's own baseline, EASE and
item-kNN (the demo leaves EASE out, for time), each tuned on validation with sessions as long as
those that are asked. Rankings are over the full catalogue. Intervals are over dialogs or users,
never over single cases; a gain whose interval crosses 1 is not called one. What was tried and
didn't help is in [`LOG.md`](LOG.md).

"""


def first_look():
    """A printed answer of the demo, and three benefits with their figures."""
    answer = read("demo")["answers"][1]
    lines = [f"“{answer['intent']}”, after {' and '.join(answer['session_titles'])}", ""]
    for item in answer["items"]:
        title = f"{item['title']} ({item['year']})"
        lines.append(f"{item['rank']}  {title:<24} {', '.join(item['labels'])}")
    weights = [
        f"{name} {answer['weights'][name]:.2f}"
        for name in ("semantic", "behavioural", "popularity")
    ]
    lines += ["", f"{', '.join(weights)}; {answer['total_ms']:.1f} ms"]
    parts = read("yardsticks")["yardsticks"]
    topics = next(one for one in parts if one["part"] == "without a session")
    liked = next(one for one in parts if one["kind"] == "liked")
    latency = read("latency")
    spent = latency["words and session"]["total"]
    return "\n".join(
        [
            "```",
            *lines,
            "```",
            "",
            f"- **It answers the words.** Of {topics['n_cases']} topics, precision at 10 is "
            f"{over(topics)} that of plain text search.",
            f"- **It knows taste.** Of {liked['n_cases']:,} requests that people made in "
            f"conversations, NDCG@10 is {over(liked)} that of the best list without words.",
            f"- **It is quick.** A new request over {latency['items']:,} items takes "
            f"{spent['p50']:.1f} ms at p50 and {spent['p99']:.1f} ms at p99 on two cores, its "
            "encoder included.",
        ]
    )


def over(yardstick):
    ratio = yardstick["ratio"]
    return times(ratio["mean"], ratio["low"], ratio["high"])


def with_results(readme):
    for part, text in ((FIRST, first_look()), (RESULTS, summary())):
        before, rest = readme.split(f"<!-- {part} -->")
        _, after = rest.split(f"<!-- /{part} -->")
        readme = f"{before}<!-- {part} -->\n{text}\n<!-- /{part} -->{after}"
    return readme


def details():
    return f"{HEAD}{results()}\n"


if __name__ == "__main__":
    path = HERE / "README.md"
    path.write_text(with_results(path.read_text("utf-8")), encoding="utf-8")
    (HERE / "notebooks" / "RESULTS.md").write_text(details(), encoding="utf-8")
