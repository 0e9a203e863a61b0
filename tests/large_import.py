"""Imports and validates millions of interactions, and writes seconds and peak memory.

    python tests/large_import.py 20000000 FOLDER notebooks/results/large-import.json

The files are of MovieLens' shape, drawn from one seed: ratings of 60,000 items by 160,000 people,
one row in a million broken. Each step runs in a process of its own, so that peaks are its own.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SEED, N_USERS, N_ITEMS, CHUNK_ROWS = 1, 160_000, 60_000, 500_000
BROKEN_EVERY = 1_000_000
VALIDATE = """
import sys
from semrec.data.checking import check
from semrec.data.dataset import read_dataset
print(*check(read_dataset(sys.argv[1])), sep="\\n")
"""


def write_files(folder: Path, n_rows: int) -> None:
    rng = np.random.default_rng(SEED)
    with (folder / "movies.csv").open("w", encoding="utf-8") as file:
        file.write("movieId,title,genres\n")
        for item in range(N_ITEMS):
            file.write(f"{item},Film {item} ({1950 + item % 70}),Drama|Comedy\n")
    with (folder / "ratings.csv").open("w", encoding="utf-8") as file:
        file.write("userId,movieId,rating,timestamp\n")
        for first in range(0, n_rows, CHUNK_ROWS):
            n = min(CHUNK_ROWS, n_rows - first)
            columns = (
                rng.integers(1, N_USERS, n).tolist(),
                (N_ITEMS * rng.random(n) ** 3).astype(int).tolist(),
                (rng.integers(1, 11, n) / 2).tolist(),
                rng.integers(800_000_000, 1_600_000_000, n).tolist(),
            )
            rows = ["{},{},{},{}\n".format(*row) for row in zip(*columns, strict=True)]
            if first % BROKEN_EVERY == 0:
                rows[-1] = "1,1,much,1\n"
            file.write("".join(rows))


def measured(*command: str) -> dict[str, int]:
    """Run a command; its seconds, those of its processors, and its peak memory."""
    started = time.monotonic()
    with subprocess.Popen(command) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    cost = {
        "seconds": round(time.monotonic() - started),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }
    print(f"== {cost}: {command[1:4]}", flush=True)  # noqa: T201
    return cost


def main() -> None:
    n_rows, folder, result = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    write_files(folder, n_rows)
    files = [str(folder / name) for name in ("ratings.csv", "movies.csv")]
    out = str(folder / "data")
    report = {
        "items": N_ITEMS,
        "events": n_rows,
        "import": measured(sys.executable, "-m", "semrec", "data", "import", *files, "--out", out),
        "validate": measured(sys.executable, "-c", VALIDATE, out),
    }
    result.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
