"""What the tools cost beside the route: `python tests/mcp_latency.py ARTIFACT` prints a line each.

Milliseconds of `recommend` at /mcp and of /v1/recommend, over a connection each that stays open, in
turns, words that were never asked before. Then the same as the official client sees it, beside the
route by the HTTP client that it uses itself.
"""

import http.client
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import numpy as np
from mcp_client import HTTP, over_http, over_stdio
from serving import Process

import semrec
from semrec.bench.latency import new_queries

N_CALLS, N_FIRST = 100, 30
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def route(body):
    return "/v1/recommend", body, {}


def tool_2026(body):
    call = {"name": "recommend", "arguments": body, "_meta": META}
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": "recommend"}
    return "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}, headers


def tool_2025(body):
    call = {"name": "recommend", "arguments": body}
    headers = {"mcp-protocol-version": "2025-11-25"}
    return "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}, headers


def took_ms(ask, body):
    began_s = time.perf_counter()
    ask(body)
    return (time.perf_counter() - began_s) * 1000


def over(port, form):
    """Asks by a form of request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(body):
        path, message, headers = form(body)
        headers = {"content-type": "application/json", "accept": "application/json", **headers}
        connection.request("POST", path, json.dumps(message), headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 200, content
        result = content.get("result", {})
        assert content.get("items") or result["structuredContent"]["items"], content

    return ask


def compare(sides, bodies):
    """Print each side's times; they are asked in turns, each time in another order."""
    times_ms = {name: [] for name in sides}
    for number in range(N_FIRST + N_CALLS):
        for name in np.roll(list(sides), number):
            ms = took_ms(sides[name], next(bodies))
            if number >= N_FIRST:
                times_ms[name].append(ms)
    for name, of in times_ms.items():
        p50, p99 = np.quantile(of, [0.5, 0.99])
        line = f"{name}: {p50:.1f} ms (p50), {p99:.1f} ms (p99) of {len(of)} calls"
        sys.stdout.write(f"{line}; load average {os.getloadavg()[0]:.1f}\n")


def main(artifact):
    recommender = semrec.load(artifact, verify="size")
    rng = np.random.default_rng(0)
    queries = new_queries(
        recommender.catalog, recommender.interactions, rng, words=True, session=True
    )
    bodies = (
        {"intent": query.intent, "session": [event.item_id for event in query.events], "k": 10}
        for query in queries
    )
    with tempfile.TemporaryDirectory() as folder:
        command = ("-m", "semrec", "mcp", artifact.resolve())
        with (
            Process(artifact, Path(folder) / "state", "--mcp") as service,
            over_http(service.url, HTTP[0]) as modern,
            over_http(service.url, HTTP[1]) as legacy,
            over_stdio(*command, log=Path(folder) / "log") as stdio,
        ):
            forms = {"/v1/recommend": route, "/mcp, 2026": tool_2026, "/mcp, 2025": tool_2025}
            compare({name: over(service.port, form) for name, form in forms.items()}, bodies)
            clients = {"client, 2026": modern, "client, 2025": legacy, "client, stdio": stdio}
            sides = {
                name: lambda body, client=client: client.call("recommend", **body)
                for name, client in clients.items()
            }
            plain = httpx2.AsyncClient(base_url=service.url, timeout=60)
            with modern.portal.wrap_async_context_manager(plain):
                sides["its HTTP client, /v1/recommend"] = lambda body: modern.portal.call(
                    lambda: plain.post("/v1/recommend", json=body)
                ).json()["items"]
                compare(sides, bodies)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
