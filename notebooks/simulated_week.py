"""A week of a service whose visitors' taste shifts, simulated: python simulated_week.py OUT.

Two services answer the same visitors over HTTP. One is left alone. For the other this is run
every night, as by cron::

    semrec flow run data --log STATE --if-drift --promote artifacts/current

Who visits, what they ask for, what they look at and what they like is drawn from ``--seed``.
Quality is NDCG@10 by what visitors would truly love; semrec sees only what they liked.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import uvicorn
import yaml

from semrec.data.sources import fetch
from semrec.flow.log_drift import read_log_state
from semrec.serve.app import make_app
from semrec.serve.settings import Settings

MONDAY_S = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
DAY_S, WINDOW_S = 86_400.0, 6 * 3_600.0
# A light configuration: the words are subjects, which stand in the catalogue as they are said.
LIGHT = {
    "encoder": {"kind": "hashing"},
    "behaviour": {
        "kind": "pure_svd",
        "factors": 32,
        "decay": 1.0,
        "max_cases": 500,
        "neighbours": {"kind": "item_knn", "shrink": 10, "decay": 1.0},
    },
}
OPENERS = (
    "hi, I am looking for a good movie with {} in it, what would you recommend?",
    "can you suggest something with {} for tonight? I have seen so many already",
    "my friends and I want to watch a movie, we like {}",
    "do you know any great movies about {}? I really enjoy those",
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the simulation is.

    Attributes:
        films: The most watched ones.
        people: Whose ratings were there before the service opened.
        visitors: On each day, the opening's as on any other.
        subjects: That are asked for, before and after the shift.
        days: Of the week.
        shift_day: On which taste shifts.
        shifted: Share of the visitors whose taste it is from then on.
    """

    films: int = 1_500
    people: int = 200
    visitors: int = 500
    subjects: int = 16
    days: int = 7
    shift_day: int = 4
    shifted: float = 0.8


DEFAULT = Size()


@dataclass(frozen=True, kw_only=True)
class World:
    """What visitors want, and what nobody but the simulation knows.

    Attributes:
        before: Subjects that are asked for before the shift; `after`: from then on.
        about: Subject → films that have it.
        loved: Subject → those of them that its visitors love: a third of the films is loved before
            the shift, another third after it, and no word, label or rating tells which.
    """

    before: Sequence[str]
    after: Sequence[str]
    about: Mapping[str, frozenset[str]]
    loved: Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of both services.

    Attributes:
        day: From 1; 0 is the day of the opening.
        quality: With the loop; `alone`: without.
        alarms: Signals that drift at midnight with the loop; `alarms_alone`: without.
        promoted: The version that the loop promoted that night, or "".
        verdict: Of the night: ``quiet``, ``promoted`` or ``refused``.
        seconds: That the night's command took.
    """

    day: int
    quality: float
    alone: float
    alarms: Sequence[str] = ()
    alarms_alone: Sequence[str] = ()
    promoted: str = ""
    verdict: str = "quiet"
    seconds: float = field(default=0.0, compare=False)


class Clock:
    """The time that a service's log goes by."""

    def __init__(self) -> None:
        self.now_s = MONDAY_S

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now_s


def make_world(folder: Path, seed: int, size: Size) -> World:
    """Write the dataset that the service opens with, and draw what its visitors will love."""
    fetch("movielens", folder.with_name("movielens"))
    films = pd.read_parquet(folder.with_name("movielens") / "items.parquet")
    ratings = pd.read_parquet(folder.with_name("movielens") / "interactions.parquet")
    rng = np.random.default_rng(seed)
    often = ratings["item_id"].value_counts(sort=False).sort_index()
    often = often.sort_values(ascending=False, kind="stable").index[: size.films]
    films = films[films["item_id"].isin(often)]
    people = rng.permutation(np.unique(ratings["user_id"]))[: size.people]
    ratings = ratings[ratings["item_id"].isin(often) & ratings["user_id"].isin(people)]
    folder.mkdir(parents=True)
    films.to_parquet(folder / "items.parquet", index=False)
    ratings.to_parquet(folder / "interactions.parquet", index=False)
    (folder / "dataset.yaml").write_text("name: films\ntime: clock\npositive_weight: 3.5\n")
    shuffled = rng.permutation(np.sort(films["item_id"]))
    third = {item_id: number % 3 for number, item_id in enumerate(shuffled.tolist())}
    about: dict[str, set[str]] = {}
    for item_id, keywords in zip(films["item_id"], films["keywords"], strict=True):
        for keyword in keywords:
            about.setdefault(keyword, set()).add(item_id)
    usual = sorted(word for word, of in about.items() if 24 <= len(of) <= 80)
    drawn = [str(word) for word in rng.permutation(usual)[: 2 * size.subjects]]
    before, after = drawn[: size.subjects], drawn[size.subjects :]
    loved = {
        word: frozenset(item for item in about[word] if third[item] == (word in after))
        for word in drawn
    }
    about_drawn = {word: frozenset(about[word]) for word in drawn}
    return World(before=before, after=after, about=about_drawn, loved=loved)


@contextmanager
def serving(artifact: Path, state: Path, clock: Clock) -> Iterator[httpx.Client]:
    """A client of a service in a thread, whose log goes by a clock of ours."""
    settings = Settings(artifact=artifact, state=state, sessions="memory", monitor_every=1)
    config = uvicorn.Config(make_app(settings, clock=clock), port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the service didn't start")
            time.sleep(0.05)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def visit(
    client: httpx.Client,
    clock: Clock,
    world: World,
    subject: str,
    name: str,
    rng: np.random.Generator,
) -> float:
    """A visitor's session, up to two requests; the mean true quality of its lists.

    The film at rank r is looked at with probability r^-0.7. Of those that are looked at, loved
    ones are liked with .7, others about the subject with .08, the rest with .01. With .4 a loved
    film is found elsewhere, by a friend's tip, say. Half of those who liked something ask again.
    """
    words = OPENERS[rng.integers(len(OPENERS))].format(subject)
    loved, about = world.loved[subject], world.about[subject]
    touched: list[str] = []
    qualities = []
    for turn in range(2):
        asked = {"intent": words, "session_id": name, "k": 10}
        answer = client.post("/v1/recommend", json=asked).raise_for_status().json()
        items = [item["item_id"] for item in answer["items"]]
        qualities.append(ndcg(items, loved - set(touched)))
        liked = []
        for rank, item_id in enumerate(items, start=1):
            chance = 0.7 if item_id in loved else 0.08 if item_id in about else 0.01
            if rng.random() < rank**-0.7 and rng.random() < chance:
                liked.append(item_id)
        elsewhere = sorted(loved - set(touched) - set(liked))
        if rng.random() < 0.4 and elsewhere:
            liked.append(elsewhere[rng.integers(len(elsewhere))])
        if not liked:
            break
        events = [
            {
                "event_id": f"{name}-{turn}-{n}",
                "session_id": name,
                "item_id": item_id,
                "type": "like",
                "timestamp": clock.now_s + 10.0 * (n + 1),
            }
            for n, item_id in enumerate(liked)
        ]
        client.post("/v1/events", json={"events": events}).raise_for_status()
        touched += liked
        if rng.random() < 0.5:
            break
        clock.now_s += 180.0
    return float(np.mean(qualities))


def ndcg(items: Sequence[str], loved: frozenset[str]) -> float:
    """NDCG@10 of a list, where a film is loved or not; 1 if nothing is left to love."""
    if not loved:
        return 1.0
    gains = [(item_id in loved) / np.log2(rank + 1) for rank, item_id in enumerate(items, start=1)]
    return float(sum(gains) / sum(1 / np.log2(r + 1) for r in range(1, min(10, len(loved)) + 1)))


def live_day(
    client: httpx.Client, clock: Clock, world: World, day: int, seed: int, size: Size
) -> float:
    """All visitors of a day, one after another; the mean quality of their lists."""
    moments = np.random.default_rng([seed, day]).uniform(0, DAY_S - 900, size.visitors)
    moments = np.sort(moments)
    qualities = []
    for number, moment_s in enumerate(moments.tolist()):
        rng = np.random.default_rng([seed, day, number])
        shifted = day >= size.shift_day and rng.random() < size.shifted
        subjects = world.after if shifted else world.before
        subject = subjects[rng.integers(len(subjects))]
        clock.now_s = MONDAY_S + (day - 1) * DAY_S + moment_s
        qualities.append(visit(client, clock, world, subject, f"day{day}-{number}", rng))
    return float(np.mean(qualities))


def semrec(out: Path, *words: str, codes: Sequence[int] = (0,)) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "semrec", *words]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


FLOW = (
    *("flow", "run", "data", "--config", "light.yaml"),
    *("--promote", "artifacts/current", "--json"),
)


def close_loop(out: Path, *options: str) -> tuple[str, str, float]:
    """The night's command: its verdict, the version that it promoted, and its seconds."""
    began = time.perf_counter()
    result = json.loads(semrec(out, *FLOW, *options, codes=(0, 3)))
    took_s = round(time.perf_counter() - began, 1)
    if not result.get("drifted", True):
        return "quiet", "", took_s
    promoted = result["values"].get("promoted", "")
    return ("promoted" if promoted else "refused"), promoted, took_s


def open_service(out: Path, world: World, seed: int, size: Size) -> Day:
    """The opening: a first artifact of ratings alone, a day's visitors, and the first run."""
    (out / "light.yaml").write_text(yaml.safe_dump(LIGHT))
    semrec(out, "build", "data", "--config", "light.yaml", "--out", "artifacts/opening")
    semrec(out, "flow", "promote", "artifacts/opening", "artifacts/current")
    clock = Clock()
    with serving(out / "artifacts" / "current", out / "state", clock) as client:
        quality = live_day(client, clock, world, 0, seed, size)
    verdict, version, took_s = close_loop(out, "--log", "state")
    shutil.copytree(out / "state", out / "state-alone")
    (out / "artifacts" / "alone").symlink_to((out / "artifacts" / "current").readlink())
    return Day(
        day=0, quality=quality, alone=quality, verdict=verdict, promoted=version, seconds=took_s
    )


def line(day: Day) -> str:
    """A day in words."""
    moment = datetime.fromtimestamp(MONDAY_S + day.day * DAY_S - 1, UTC)
    return (
        f"{moment:%a %d %b %H:%M}  NDCG@10 {day.quality:.3f}, alone {day.alone:.3f}  "
        f"{day.verdict} {day.promoted} ({day.seconds:.0f} s)  "
        f"alarms: {', '.join(day.alarms) or 'none'}; alone: {', '.join(day.alarms_alone) or 'none'}"
    )


def live_week(
    out: Path, seed: int = 7, size: Size = DEFAULT, show: Callable[[Day], object] = line
) -> list[Day]:
    """The opening and the week, in a folder that is absent or empty; shows each day at its end."""
    out.mkdir(parents=True, exist_ok=True)
    world = make_world(out / "data", seed, size)
    days = [open_service(out, world, seed, size)]
    show(days[0])
    link, alone = out / "artifacts" / "current", out / "artifacts" / "alone"
    with ExitStack() as stack:
        clock, clock_alone = Clock(), Clock()
        ours = stack.enter_context(serving(link, out / "state", clock))
        theirs = stack.enter_context(serving(alone, out / "state-alone", clock_alone))
        for number in range(1, size.days + 1):
            quality = live_day(ours, clock, world, number, seed, size)
            quality_alone = live_day(theirs, clock_alone, world, number, seed, size)
            states = [
                read_log_state(out / "state", link, WINDOW_S),
                read_log_state(out / "state-alone", alone, WINDOW_S),
            ]
            night = ("--log", "state", "--if-drift", "--window", "6h")
            verdict, version, took_s = close_loop(out, *night)
            while version and ours.get("/health/ready").json().get("version") != version:
                time.sleep(0.1)  # the service sees by itself that the link was turned
            alarms = [sorted(alarm.signal for alarm in state.alarms or ()) for state in states]
            days.append(
                Day(
                    day=number,
                    quality=quality,
                    alone=quality_alone,
                    alarms=alarms[0],
                    alarms_alone=alarms[1],
                    promoted=version,
                    verdict=verdict,
                    seconds=took_s,
                )
            )
            show(days[-1])
    return days


def recovery(days: Sequence[Day], shift_day: int) -> dict[str, float]:
    """Quality before the shift, after it, and after the loop's last promotion; what came back."""
    week = [day for day in days if day.day]
    promoted = max(day.day for day in week if day.promoted)
    before = float(np.mean([day.quality for day in week if day.day < shift_day]))
    after = float(np.mean([day.alone for day in week if day.day >= shift_day]))
    again = float(np.mean([day.quality for day in week if day.day > promoted]))
    return {
        "before the shift": before,
        "after it, alone": after,
        "after the promotion": again,
        "of the quality before": again / before,
        "of what was lost": (again - after) / (before - after),
    }


def main() -> None:
    """Live a week, and say each day as it ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path, help="A folder, absent or empty.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--visitors", type=int, default=Size.visitors, help="On each day.")
    given = parser.parse_args()
    if given.out.exists() and any(given.out.iterdir()):
        parser.error(f"{given.out}: isn't empty, expected an absent or empty folder")
    size = Size(visitors=given.visitors)
    days = live_week(given.out, given.seed, size, lambda day: print(line(day), flush=True))
    for name, value in recovery(days, size.shift_day).items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()
