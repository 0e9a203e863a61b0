"""Trains a tiny SASRec in each process it is started in; each writes what it ended with.

    python -m torch.distributed.run --standalone --nproc_per_node 2 tests/two_processes.py OUT

What is in `test_training.py` starts it, and reads what it wrote.
"""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from semrec.behaviour.sequence_training import Schedule
from semrec.behaviour.sequential import Shape, fit_sequence_model

N_BLOCKS, BLOCK, BATCH = 3, 6, 4


def planted(n_users=90):
    rng = np.random.default_rng(5)
    return [user % N_BLOCKS * BLOCK + rng.permutation(BLOCK)[:4] for user in range(n_users)]


def main(out):
    rank = int(os.environ.get("RANK", 0))
    shape = Shape(
        kind="sasrec",
        dim=8,
        blocks=1,
        heads=2,
        dropout=0.1,
        decay=1.0,
        max_length=10,
        loss="full",
        negatives=1,
    )

    def fit(name, *, deadline=None):
        # Each process finds other scores: what the first one finds must count for all.
        scores = iter([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.75, 0.7])
        told = []
        model = fit_sequence_model(
            planted(),
            N_BLOCKS * BLOCK,
            shape=shape,
            schedule=Schedule(
                epochs=10,
                patience=9,
                batch_size=BATCH,
                max_length=10,
                learning_rate=0.01,
                seed=3,
                deadline=deadline,
                checkpoint=out / name / "checkpoint" if deadline is None else None,
            ),
            validate=lambda _model: next(scores) if rank == 0 else 0.0,
            report=lambda stage, done, total, detail="": told.append((stage, done, total, detail)),
        )
        save_file(model.state(), out / f"{name}-{rank}.safetensors")
        (out / f"{name}-{rank}.json").write_text(
            json.dumps({"trained": asdict(model.trained), "told": told})
        )

    fit("whole")
    # The time is up for one of them only: they have to stop together, or they wait forever.
    fit("timed", deadline=time.monotonic() + (1000 if rank == 0 else -1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
