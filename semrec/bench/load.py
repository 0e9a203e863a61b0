"""A service under load: requests come when they come, whether it keeps up or not.

    semrec serve in a process of its own ← requests at random moments (open loop) ← this process

Times count from the moment at which a request was due, so that a service that falls behind can't
hide it.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from semrec.bench.client import Client
from semrec.bench.latency import new_queries
from semrec.bench.serving import served
from semrec.data.catalog import load_catalog
from semrec.data.interactions import load_interactions
from semrec.metrics.significance import percentiles
from semrec.types import Progress, silent

HOST = "127.0.0.1"
TIMEOUT_S = 10.0
WARM_UP_S = 5.0
REFUSED = 503
PATIENT_PER_S = 1.0  # where there is a reranker: requests without a budget, in everybody's way


@dataclass(kw_only=True)
class Outcomes:
    """Outcomes of one kind of requests.

    Attributes:
        accepted_ms: Milliseconds from when each was due to the end of its answer.
        refused_ms: The same of those with a 503.
        errors: How many had neither.
        late_ms: How late each was sent: the generator's own delay, in the times above too.
    """

    accepted_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    errors: int = 0
    late_ms: list[float] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        sent = len(self.accepted_ms) + len(self.refused_ms) + self.errors
        return {
            "sent": sent,
            "errors": self.errors,
            "refused_share": round(len(self.refused_ms) / max(sent, 1), 4),
            "accepted": _percentiles(self.accepted_ms),
            "refused": _percentiles(self.refused_ms),
            "late": _percentiles(self.late_ms),
        }


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Requests a second, and for how long.

    Attributes:
        seconds: How long each of the two loads lasts.
        session_per_s: Requests a second with a session and no words.
        words_per_s: Requests a second with a session and words never seen before.
        times: By how much the second load is heavier.
        budget_ms: The artifact's reranker has it for what comes with words; and once a
            second a request of kind ``patient``, which has no budget. None: no reranking.
    """

    seconds: float = 60.0
    session_per_s: float = 200.0
    words_per_s: float = 25.0
    times: float = 4.0
    budget_ms: float | None = None

    @property
    def by_kind(self) -> dict[str, float]:
        """Requests a second of each kind."""
        rates = {"session": self.session_per_s, "words": self.words_per_s}
        return rates if self.budget_ms is None else rates | {"patient": PATIENT_PER_S}


def load_test(
    artifact: Path,
    rates: Rates,
    *,
    workers: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Serve an artifact, ask it at given rates, then at several times these.

    Args:
        artifact: What is served.
        rates: What it is asked.
        workers: Of the service.
        seed: Of moments and requests.
        progress: Told as time passes.

    Raises:
        ArtifactError: If the service doesn't start.
    """
    report = progress or silent
    bodies = _bodies(artifact, rates.budget_ms, seed)
    result: dict[str, Any] = {
        "cores": os.cpu_count(),
        "workers": workers,
        "seconds": rates.seconds,
        "rates_per_s": rates.by_kind,
        "times": rates.times,
        "budget_ms": rates.budget_ms,
    }
    with served(artifact, workers=workers) as started:
        service, port = started.process, started.port

        def run(stage: str, factor: float, for_s: float) -> dict[str, Any]:
            report(stage, 0, 1)
            heavier = {kind: rate * factor for kind, rate in rates.by_kind.items()}
            before = _cpu_s(service)
            own = time.process_time()
            outcomes = asyncio.run(_ask(port, heavier, bodies, for_s, np.random.default_rng(seed)))
            own = time.process_time() - own
            theirs = _cpu_s(service) - before
            report(stage, 1, 1)
            return {
                **{kind: outcome.to_dict() for kind, outcome in outcomes.items()},
                "service_cores": round(theirs / for_s, 2),
                "generator_cores": round(own / for_s, 2),
                "generator_share": round(own / (own + theirs), 3),
            }

        run("warm up", 0.5, WARM_UP_S)
        before = _rss_mb(service)
        result["load"] = run("load", 1.0, rates.seconds)
        result["overload"] = run("overload", rates.times, rates.seconds)
        result["rss_mb"] = {"before": before, "after": _rss_mb(service)}
    return result


async def _ask(
    port: int,
    rates: dict[str, float],
    bodies: dict[str, Iterator[bytes]],
    seconds: float,
    rng: np.random.Generator,
) -> dict[str, Outcomes]:
    """Send every kind at its rate for so long; moments are those of a Poisson process."""
    due = sorted(
        (moment, kind)
        for kind, rate in rates.items()
        for moment in rng.uniform(0, seconds, rng.poisson(rate * seconds)).tolist()
    )
    requests = [(moment, kind, next(bodies[kind])) for moment, kind in due]
    outcomes = {kind: Outcomes() for kind in rates}
    client = Client(HOST, port)
    loop = asyncio.get_running_loop()
    start = loop.time() + 0.1

    async def send(at: float, kind: str, body: bytes) -> None:
        outcomes[kind].late_ms.append((loop.time() - at) * 1000)
        try:
            status = await client.post("/v1/recommend", body, TIMEOUT_S)
        except (OSError, ValueError):
            status = 0
        spent = (loop.time() - at) * 1000
        if status == 200:
            outcomes[kind].accepted_ms.append(spent)
        elif status == REFUSED:
            outcomes[kind].refused_ms.append(spent)
        else:
            outcomes[kind].errors += 1

    async with asyncio.TaskGroup() as tasks:
        for moment, kind, body in requests:
            wait_s = start + moment - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            tasks.create_task(send(start + moment, kind, body))
    client.close()
    return outcomes


def _bodies(artifact: Path, budget_ms: float | None, seed: int) -> dict[str, Iterator[bytes]]:
    """Requests of each kind, without end."""
    catalog = load_catalog(artifact)
    interactions = load_interactions(artifact / "interactions.npz")
    rng = np.random.default_rng(seed)

    def written(*, words: bool, **fields: Any) -> Iterator[bytes]:  # noqa: ANN401
        for query in new_queries(catalog, interactions, rng, words=words, session=True):
            session = [event.item_id for event in query.events]
            body = {"intent": query.intent, "session": session, "k": query.k, **fields}
            yield json.dumps(body).encode()

    reranked = {"rerank": budget_ms is not None}
    in_time = reranked if budget_ms is None else reranked | {"budget_ms": budget_ms}
    return {
        "session": written(words=False, rerank=False),
        "words": written(words=True, **in_time),
        "patient": written(words=True, **reranked),
    }


def _family(service: psutil.Process) -> list[psutil.Process]:
    return [service, *service.children(recursive=True)]


def _cpu_s(service: psutil.Process) -> float:
    times = [process.cpu_times() for process in _family(service)]
    return float(sum(cpu.user + cpu.system for cpu in times))


def _rss_mb(service: psutil.Process) -> float:
    return round(sum(process.memory_info().rss for process in _family(service)) / 1e6, 1)


def _percentiles(spent_ms: list[float]) -> dict[str, float]:
    return {f"{p}_ms": ms for p, ms in percentiles(spent_ms, (50, 99)).items()}
