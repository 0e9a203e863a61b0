"""A real `semrec serve`, started and asked from outside: how soon it is ready, what it bears."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import psutil

from semrec.artifact.stored import load
from semrec.bench.latency import new_queries
from semrec.errors import ArtifactError
from semrec.metrics.significance import percentiles
from semrec.types import Progress, silent

CLIENTS = (1, 2, 4, 8)
TURNS = 4  # each side is asked its requests in so many parts, in turns with the other
LOOK_EVERY_S = 0.02
START_TIMEOUT_S = 300.0
PLAIN = "semrec.serve.reference_service"
WORKER_READY = "Application startup complete"  # uvicorn's word, one of each worker


def starting(artifact: Path, *, n: int = 5, progress: Progress = silent) -> dict[str, Any]:
    """Seconds from the start of a `semrec serve` process until `/health/ready` says that it is.

    Args:
        artifact: What is served.
        n: How many times; the files are in the system's cache from the second on.
        progress: Called as it proceeds.

    Raises:
        ArtifactError: If it doesn't start.
    """
    taken = []
    for done in range(n):
        with served(artifact) as service:
            taken.append(round(service.start_s, 3))
        progress("bench start", done + 1, n)
    return {
        "starts_s": taken,
        "median_s": round(float(np.median(taken)), 3),
        "most_s": max(taken),
        "cores": os.cpu_count(),
    }


def throughput(
    artifact: Path,
    *,
    n: int = 400,
    clients: Sequence[int] = CLIENTS,
    workers: int = 1,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Requests per second by the number of clients, beside the plain script as a service.

    Each client asks its next request as soon as it has the answer to the last one. Every intent
    is a new one, the same on both sides, which are asked in turns.

    Args:
        artifact: What is served; its encoder is a sentence encoder.
        n: Requests of each side for each number of clients.
        clients: The numbers of clients.
        workers: Processes of each of the two services.
        seed: Of the intents.
        progress: Called as it proceeds.

    Raises:
        ArtifactError: If a service doesn't start, or refuses a request.
    """
    known, rng = load(artifact, verify="size"), np.random.default_rng(seed)
    queries = new_queries(known.catalog, known.interactions, rng, words=True, session=False)
    result: dict[str, Any] = {
        "requests": n,
        "workers": workers,
        "cores": os.cpu_count(),
        "clients": {},
    }
    with (
        served(artifact, workers=workers) as ours,
        served(artifact, PLAIN, workers=workers) as plain,
    ):
        sides = {"semrec": ours, "plain": plain}
        for service in sides.values():
            service.answer(["a warm-up request"] * 40 * workers, 4 * workers)
        for done, at_once in enumerate(clients):
            laps: dict[str, list[float]] = {name: [] for name in sides}
            seconds = dict.fromkeys(sides, 0.0)
            for _ in range(TURNS):
                intents = [query.intent for query in islice(queries, max(at_once, n // TURNS))]
                for name, service in sides.items():
                    began = time.perf_counter()
                    laps[name] += service.answer(intents, at_once)
                    seconds[name] += time.perf_counter() - began
            rates = {name: round(len(ms) / seconds[name], 1) for name, ms in laps.items()}
            row: dict[str, Any] = {
                name: {"requests_per_s": rates[name], **percentiles(ms)}
                for name, ms in laps.items()
            }
            row["times_as_many"] = round(rates["semrec"] / rates["plain"], 2)
            result["clients"][str(at_once)] = row
            progress("bench throughput", done + 1, len(clients))
    return result


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service that is ready.

    Attributes:
        process: Its own; workers are children of it.
        port: Where it listens.
        start_s: Seconds from its process's start until it was ready.
        path: Where it is asked.
        fields: Of every request, beside its `intent`.
    """

    process: psutil.Process
    port: int
    start_s: float
    path: str = "/v1/recommend"
    fields: Mapping[str, Any] = field(default_factory=lambda: {"k": 10})

    def answer(self, intents: Sequence[str], clients: int) -> list[float]:
        """Milliseconds that each intent took, shared out to so many clients."""
        with ThreadPoolExecutor(clients) as pool:
            parts = pool.map(self._ask, [intents[i::clients] for i in range(clients)])
            return [ms for part in parts for ms in part]

    def _ask(self, intents: Sequence[str]) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        taken = []
        for intent in intents:
            body = json.dumps({"intent": intent, **self.fields})
            began = time.perf_counter()
            connection.request("POST", self.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status != 200:
                raise ArtifactError(f"{self.path} answered {answer.status}: {content[:200]!r}")
        connection.close()
        return taken


@contextmanager
def served(artifact: Path, module: str = "semrec", *, workers: int = 1) -> Iterator[Service]:
    """A process that serves an artifact, until the block ends; its state is thrown away.

    Args:
        artifact: What it serves.
        module: ``semrec``, or that of the plain script's service.
        workers: Processes that answer.

    Raises:
        ArtifactError: If it ends, or isn't ready within `START_TIMEOUT_S`.
    """
    port = _free_port()
    command = [sys.executable, "-m", module, "serve", str(artifact.resolve()), "--port", str(port)]
    command += ["--workers", str(workers)]
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            while not (_is_ready(port) and _workers_ready(log) >= workers):
                taken = time.perf_counter() - began
                if process.poll() is not None or taken > START_TIMEOUT_S:
                    log.seek(0)
                    last = (log.read().strip().splitlines() or ["it said nothing"])[-1]
                    raise ArtifactError(f"{artifact}: not served after {taken:.0f} s: {last}")
                time.sleep(LOOK_EVERY_S)
            start_s = time.perf_counter() - began
            yield Service(process=psutil.Process(process.pid), port=port, start_s=start_s)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _workers_ready(log: IO[str]) -> int:
    log.seek(0)
    return log.read().count(WORKER_READY)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
