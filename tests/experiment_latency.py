"""What an interleaved request costs beside a plain one: python tests/experiment_latency.py X [N].

One service of artifact X, whose experiment takes half of the sessions; their requests are sent in
turn, and the process's own time is read, the client's part in it.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from serving import in_thread

TEXTS = ("a quiet heist film", "space opera with robots", "french comedies", "a ghost story")


def main(artifact, n=400):
    experiment = {"name": "cost", "kind": "interleave", "b": {"diversity": 0.3}, "share": 0.5}
    spent_ms = {True: [], False: []}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "experiments.yaml"
        file.write_text(yaml.safe_dump({"experiments": [experiment]}))
        with in_thread(artifact, Path(folder) / "state", experiments=file) as client:
            for number in range(n):
                body = {"intent": TEXTS[number % len(TEXTS)], "session_id": f"s{number}", "k": 10}
                busy = time.process_time()
                client.post("/v1/recommend", json=body).raise_for_status()
                busy = time.process_time() - busy
                with client.app.state.service.log.reading() as rows:
                    [[is_part]] = rows.execute(
                        "SELECT experiment IS NOT NULL FROM served WHERE session_id = ?",
                        (f"s{number}",),
                    ).fetchall()
                spent_ms[bool(is_part)].append(busy * 1000)
    for is_part, of in spent_ms.items():
        name = "interleaved" if is_part else "plain"
        p50, p99 = np.percentile(of[len(TEXTS) :], (50, 99))
        sys.stdout.write(f"{name}: {len(of)} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
