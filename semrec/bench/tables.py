"""Benchmarks' figures as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semrec.evaluate.table import Column, Table

if TYPE_CHECKING:
    from semrec.bench.cold import ColdStart
    from semrec.bench.encoders import EncoderCost


def rerank_curve(measured: Mapping[str, Any]) -> list[Table]:
    """Quality and punctuality by budget."""
    columns = (
        Column("budget ms", "{0[budget]}"),
        Column("NDCG@10", "{0[ndcg][mean]:.4f}"),
        Column("gain, 95 %", "{0[gain][low]:+.4f} {0[gain][high]:+.4f}", optional=True),
        Column("scored", "{0[scored]:.1f}", optional=True),
        Column("complete", "{0[complete]:.0%}", optional=True),
        Column("p50 ms", "{0[spent_ms][p50]:.1f}"),
        Column("p99 ms", "{0[spent_ms][p99]:.1f}"),
        Column("late p99", "{0[over_ms][p99]:.1f}", optional=True),
    )
    rows = [{"budget": "no reranking", **measured["plain"]}]
    for row in measured["rows"]:
        budget = "none" if row["budget_ms"] is None else f"{row['budget_ms']:g}"
        rows.append({"budget": budget, "complete": row["statuses"].get("complete", 0), **row})
    note = (
        f"{measured['n_cases']} cases, {measured['n_units']} independent units, "
        f"{measured['clients']} at once"
    )
    return [Table(columns=columns, rows=rows, notes=[note])]


def load(measured: Mapping[str, Any]) -> list[Table]:
    """A service under load: what was asked, how fast it was, what was refused."""
    columns = (
        Column("", "{0[name]}"),
        Column("sent", "{0[sent]:,}"),
        Column("errors", "{0[errors]:,}"),
        Column("503", "{0[refused_share]:.1%}"),
        Column("p50", "{0[accepted][p50_ms]:.1f}", optional=True),
        Column("p99", "{0[accepted][p99_ms]:.1f}", optional=True),
        Column("503 p99", "{0[refused][p99_ms]:.1f}", optional=True),
        Column("late p99", "{0[late][p99_ms]:.1f}", optional=True),
    )
    stages = {stage: measured[stage] for stage in ("load", "overload")}
    rows = [
        {"name": f"{stage}: {kind}", **of[kind]}
        for stage, of in stages.items()
        for kind in measured["rates_per_s"]
    ]
    cores = "the service took {0[service_cores]} cores, the generator {0[generator_cores]}"
    notes = [f"{stage}: {cores.format(of)}" for stage, of in stages.items()]
    memory = measured["rss_mb"]
    notes.append(f"memory: {memory['before']} MB before, {memory['after']} after")
    return [Table(columns=columns, rows=rows, notes=notes)]


def turns(measured: Mapping[str, Any]) -> list[Table]:
    """CPU milliseconds by turn of conversations."""
    columns = (
        Column("turn", "{0[0]:>}"),
        Column("n", "{0[1][n]:.0f}"),
        Column("p50 ms", "{0[1][p50]:.1f}"),
        Column("p95 ms", "{0[1][p95]:.1f}"),
    )
    return [
        Table(title=name, columns=columns, rows=list(of.items())) for name, of in measured.items()
    ]


def latency(measured: Mapping[str, Any]) -> list[Table]:
    """Milliseconds by kind of request and stage."""
    tables = []
    for kind, stages in measured.items():
        if kind == "encoder" or not isinstance(stages, Mapping):
            continue
        percentiles = next(iter(stages.values()))
        columns = [Column("ms", "{0[stage]}")]
        columns += [Column(p, f"{{0[{p}]:.2f}}") for p in percentiles]
        rows = [{"stage": stage.replace("_", " "), **ms} for stage, ms in stages.items()]
        tables.append(Table(title=kind, columns=columns, rows=rows))
    notes = [
        f"{measured['requests']} requests of each kind, {measured['items']:,} items, "
        f"{measured['dim']} dimensions, {measured['index']}, {measured['cores']} cores"
    ]
    encoder = measured["encoder"]
    if "runtime" in encoder:
        reached = ", ".join(f"{of} {ndcg:.4f}" for of, ndcg in encoder.get("ndcg", {}).items())
        notes.append(
            f"encoder {encoder['name']}, served by {encoder['runtime']}"
            + (f"; validation NDCG {reached}" if reached else "")
        )
    return [*tables, Table(columns=(), rows=(), notes=notes)]


def throughput(measured: Mapping[str, Any]) -> list[Table]:
    """Requests per second and milliseconds by the number of clients."""
    columns = (
        Column("clients", "{0[clients]:>}"),
        Column("service", "{0[service]}"),
        Column("requests/s", "{0[requests_per_s]:.1f}"),
        *(Column(f"{p} ms", f"{{0[{p}]:.1f}}") for p in ("p50", "p95", "p99")),
        Column("", "{0[times]:.2f} ×", optional=True),
    )
    rows: list[dict[str, Any]] = []
    for clients, rates in measured["clients"].items():
        ours = {"service": "semrec", **rates["semrec"], "times": rates["times_as_many"]}
        rows += [{"clients": clients, **ours}, {"clients": clients, "service": "plain"}]
        rows[-1] |= rates["plain"]
    note = (
        f"{measured['requests']} new intents for each number of clients, workers of each service: "
        f"{measured['workers']}, {measured['cores']} cores"
    )
    return [Table(columns=columns, rows=rows, notes=[note])]


def scale(measured: Mapping[str, Any]) -> list[Table]:
    """One line for each size of catalogue."""
    rows = [
        {**row, **{f"at {weight}": share for weight, share in row["recall@100"].items()}}
        for row in measured["sizes"]
    ]
    weights = list(measured["sizes"][0]["recall@100"])
    columns = (
        Column("items", "{0[items]:,}"),
        Column("index", "{0[index][kind]}"),
        Column("build s", "{0[build_s]:.1f}"),
        Column("load s", "{0[load_s]:.2f}"),
        Column("MB", "{0[resident_after_mb]:.0f}", optional=True),
        Column("p50 ms", "{0[ms][total][p50]:.1f}"),
        Column("p99 ms", "{0[ms][total][p99]:.1f}"),
        *(Column(f"at {weight}", f"{{0[at {weight}]:.3f}}") for weight in weights),
    )
    note = (
        f"{measured['requests']} requests with words, from {measured['requests_from']}; "
        f"{measured['own_items']:,} items resampled with noise {measured['noise']:g}, "
        f"seed {measured['seed']}; {measured['dim']} dimensions, {measured['cores']} cores; "
        "memory is what this process holds beyond artifact and encoder after all requests, "
        "the last columns are recall@100 of an exact search at these semantic weights, and of "
        "whole requests with their lexical matches"
    )
    return [Table(columns=columns, rows=rows, notes=[note])]


def simulated(measured: Mapping[str, Any]) -> list[Table]:
    """Two measured sizes, the wanted one, and the assumptions between them."""
    wanted = {**measured, "what": "follows", "load": measured["load_s"]}
    mb = measured["worker_mb"]
    wanted["mb"] = None if mb is None else mb["index, words, titles"]
    rows = [
        {
            **row,
            "what": "measured",
            "mb": row["resident_after_mb"],
            "load": row["load_s"],
            "ms": row["ms"]["total"],
        }
        for row in measured["measured"]["sizes"]
    ]
    columns = (
        Column("", "{0[what]}"),
        Column("items", "{0[items]:,}"),
        Column("load s", "{0[load]:.1f}"),
        Column("MB", "{0[mb]:.0f}", optional=True),
        Column("processor ms", "{0[processor_ms]:.1f}"),
        Column("p50 ms", "{0[ms][p50]:.1f}"),
        Column("p99 ms", "{0[ms][p99]:.1f}"),
    )
    waited, cores = measured["ms_with_waiting"], f"{measured['cores']} cores"
    answered = f"{cores} can't keep up"
    if waited is not None:
        answered = f"with {cores} p50 is {waited['p50']:.1f} ms, p99 {waited['p99']:.1f}"
    load = f"{measured['requests_per_s']:g} requests a second keep {measured['busy_cores']} cores"
    notes = [f"{load} busy; {answered}"]
    if mb is not None:
        parts = ", ".join(f"{name} {value:,.0f}" for name, value in mb.items())
        notes.append(f"a worker's MB: {parts}")
    notes.append(
        f"vectors of {measured['dim']} numbers: a file of {measured['vectors_file_gb']:g} GB, "
        "which the workers of a machine share"
    )
    notes += [f"assumed: {text}" for text in measured["assumptions"]]
    return [Table(columns=columns, rows=[*rows, wanted], notes=notes)]


def encoders(costs: Sequence[EncoderCost], cores: int | None) -> list[Table]:
    """Memory and time of each encoder."""
    columns = (
        Column("encoder", "{0.encoder}"),
        Column("dim", "{0.dim:d}"),
        Column("weights", "{0.quantisation:>}"),
        Column("in memory", "{0.weights_mb:,.0f} MB"),
        Column("p50 ms", "{0.query_ms[p50]:.1f}", optional=True),
        Column("p95 ms", "{0.query_ms[p95]:.1f}", optional=True),
    )
    queries = max(cost.timed_queries for cost in costs)
    note = f"{queries} requests encoded one at a time, {cores} cores"
    return [Table(columns=columns, rows=costs, notes=[note])]


def cold(measured: Sequence[ColdStart]) -> list[Table]:
    """Withheld items, draw by draw."""
    columns = (
        Column("seed", "{0.seed:d}"),
        Column("withheld", "{0.n_items:d}"),
        Column("cases", "{0.n_cases:d}"),
        Column("fused R@50", "{0.fused:.4f}"),
        Column("by text", "{0.semantic:.4f}"),
        Column("chance", "{0.chance:.4f}"),
        Column("known NDCG@10", "{0.known:.4f}"),
        Column("alone", "{0.known_alone:.4f}"),
    )
    return [Table(columns=columns, rows=measured)]


def index_speed(measured: Mapping[str, Any]) -> list[Table]:
    """An index elsewhere beside the local one."""
    columns = (
        Column("queries", "{0[kind]}"),
        Column("recall@100", "{0[recall@100]:.3f}"),
        Column("p50 ms", "{0[ms][milvus][p50]:.1f}"),
        Column("p99 ms", "{0[ms][milvus][p99]:.1f}"),
        Column("local p50", "{0[ms][local][p50]:.1f}"),
        Column("local p99", "{0[ms][local][p99]:.1f}", optional=True),
    )
    rows = [{"kind": kind, **of} for kind, of in measured["kinds"].items()]
    breadth = f", breadth {measured['breadth']}" if measured["breadth"] else ""
    note = (
        f"{measured['items']:,} rows of {measured['dim']}, k {measured['k']}, "
        f"{measured['engine']}{breadth}; {measured['queries']} queries of each kind, "
        f"{measured['cores']} cores; local: a look at everything"
    )
    return [Table(columns=columns, rows=rows, notes=[note])]
