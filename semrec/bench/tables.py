"""Benchmarks' figures as tables for a terminal, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

Shown = Iterator[RenderableType]


def rerank_curve(measured: Mapping[str, Any]) -> Shown:
    """Quality and punctuality by budget."""
    table = Table(box=None, pad_edge=False)
    table.add_column("budget ms")
    for name in ("NDCG@10", "gain, 95 %", "judged", "complete", "p50 ms", "p99 ms", "late p99"):
        table.add_column(name, justify="right")
    plain = measured["plain"]
    spent = plain["spent_ms"]
    table.add_row(
        "no judge",
        f"{plain['ndcg']['mean']:.4f}",
        "",
        "",
        "",
        f"{spent['p50']:.1f}",
        f"{spent['p99']:.1f}",
        "",
    )
    for row in measured["rows"]:
        budget, gain, spent = row["budget_ms"], row["gain"], row["spent_ms"]
        table.add_row(
            "none" if budget is None else f"{budget:g}",
            f"{row['ndcg']['mean']:.4f}",
            f"{gain['low']:+.4f} {gain['high']:+.4f}",
            f"{row['scored']:.1f}",
            f"{row['statuses'].get('complete', 0):.0%}",
            f"{spent['p50']:.1f}",
            f"{spent['p99']:.1f}",
            f"{row['over_ms']['p99']:.1f}" if "over_ms" in row else "",
        )
    yield (table)
    yield (
        f"{measured['n_cases']} cases, {measured['n_units']} independent units, "
        f"{measured['clients']} at once"
    )


def load(measured: Mapping[str, Any]) -> Shown:
    """A service under load: what was asked, how fast it was, what was refused."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("sent", "errors", "503", "p50", "p99", "503 p99", "late p99"):
        table.add_column(name, justify="right")
    for stage in ("load", "overload"):
        for kind in measured["rates_per_s"]:
            one = measured[stage][kind]
            times = [one["accepted"].get("p50_ms"), one["accepted"].get("p99_ms")]
            times += [one["refused"].get("p99_ms"), one["late"].get("p99_ms")]
            table.add_row(
                f"{stage}: {kind}",
                str(one["sent"]),
                str(one["errors"]),
                f"{one['refused_share']:.1%}",
                *("" if ms is None else f"{ms:.1f}" for ms in times),
            )
    yield (table)
    for stage in ("load", "overload"):
        one = measured[stage]
        yield (
            f"[dim]{stage}: the service took {one['service_cores']} cores, the generator "
            f"{one['generator_cores']}[/]"
        )
    memory = measured["rss_mb"]
    yield (f"[dim]memory: {memory['before']} MB before, {memory['after']} after[/]")


def turns(measured: Mapping[str, Any]) -> Shown:
    """CPU milliseconds by turn of conversations."""
    for name, turns in measured.items():
        table = Table(box=None, pad_edge=False, title=name, title_justify="left")
        for column in ("turn", "n", "p50 ms", "p95 ms"):
            table.add_column(column, justify="right")
        for turn, spent in turns.items():
            numbers = (f"{spent['n']:.0f}", f"{spent['p50']:.1f}", f"{spent['p95']:.1f}")
            table.add_row(str(turn), *numbers)
        yield (table)


def latency(measured: Mapping[str, Any]) -> Shown:
    """Milliseconds by kind of request and stage."""
    for kind, stages in measured.items():
        if kind == "encoder" or not isinstance(stages, Mapping):
            continue
        table = Table(box=None, pad_edge=False, title=kind, title_justify="left")
        table.add_column("ms")
        for percentile in next(iter(stages.values())):
            table.add_column(percentile, justify="right")
        for stage, spent in stages.items():
            table.add_row(stage.replace("_", " "), *(f"{value:.2f}" for value in spent.values()))
        yield (table)
    yield (
        f"{measured['requests']} requests of each kind, {measured['items']:,} items, "
        f"{measured['dim']} dimensions, {measured['index']}, {measured['cores']} cores"
    )
    encoder = measured["encoder"]
    if "runtime" in encoder:
        reached = ", ".join(f"{of} {ndcg:.4f}" for of, ndcg in encoder.get("ndcg", {}).items())
        yield (
            f"encoder {escape(encoder['name'])}, served by {encoder['runtime']}"
            + (f"; validation NDCG {reached}" if reached else "")
        )


def throughput(measured: Mapping[str, Any]) -> Shown:
    """Requests per second and milliseconds by the number of clients."""
    table = Table(box=None, pad_edge=False)
    for name in ("clients", "service", "requests/s", "p50 ms", "p95 ms", "p99 ms", ""):
        table.add_column(name, justify="left" if name == "service" else "right")
    for clients, told in measured["clients"].items():
        for name in ("semrec", "plain"):
            spent = [f"{told[name][p]:.1f}" for p in ("p50", "p95", "p99")]
            times = f"{told['times_as_many']:.2f} ×" if name == "semrec" else ""
            rate = f"{told[name]['requests_per_s']:.1f}"
            table.add_row(clients, name, rate, *spent, times)
    yield (table)
    yield (
        f"{measured['requests']} new intents for each number of clients, workers of each service: "
        f"{measured['workers']}, {measured['cores']} cores"
    )


def scale(measured: Mapping[str, Any]) -> Shown:
    """One line for each size of catalogue."""
    table = Table(box=None, pad_edge=False)
    weights = list(measured["sizes"][0]["recall@100"])
    percentiles = ("p50", "p99")
    names = ("items", "index", "build s", "load s", "MB", *(f"{p} ms" for p in percentiles))
    for name in (*names, *(f"at {weight}" for weight in weights)):
        table.add_column(name, justify="left" if name == "index" else "right")
    for row in measured["sizes"]:
        memory = row["resident_after_mb"]
        table.add_row(
            f"{row['items']:,}",
            row["index"]["kind"],
            f"{row['build_s']:.1f}",
            f"{row['load_s']:.2f}",
            "" if memory is None else f"{memory:.0f}",
            *(f"{row['ms']['total'][percentile]:.1f}" for percentile in percentiles),
            *(f"{row['recall@100'][weight]:.3f}" for weight in weights),
        )
    yield (table)
    yield (
        f"{measured['requests']} requests with words, from {measured['requests_from']}; "
        f"{measured['own_items']:,} items resampled with noise {measured['noise']:g}, "
        f"seed {measured['seed']}; {measured['dim']} dimensions, {measured['cores']} cores; "
        "memory is what this process holds beyond artifact and encoder after all requests, "
        "the last columns are recall@100 of an exact search at these semantic weights, and of "
        "whole requests with their lexical matches"
    )
