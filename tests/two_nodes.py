"""Trains a tiny SASRec without dropout and writes its losses: on two nodes, or alone.

    torchrun --nnodes 2 --node_rank N --master_addr 127.0.0.1 … tests/two_nodes.py OUT

Alone, each batch is what the two nodes have at the same step, one behind the other.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from semrec.behaviour import sequence_training
from semrec.behaviour.sequence_training import Schedule
from semrec.behaviour.sequential import Shape, fit_sequence_model

N_BLOCKS, BLOCK, BATCH, EPOCHS, N_USERS = 3, 6, 4, 2, 96  # 12 steps a pass of two nodes


def main(out):
    rank, nodes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    rng = np.random.default_rng(5)
    sessions = [user % N_BLOCKS * BLOCK + rng.permutation(BLOCK)[:4] for user in range(N_USERS)]
    losses = []
    step, batches = sequence_training._Passes._step, sequence_training._batches

    def noted(self, batch):
        losses.append(step(self, batch))
        return losses[-1]

    def together(sessions, schedule, epoch, processes):
        theirs = batches(sessions, schedule, epoch, 2)
        if processes == 2:
            return theirs
        pairs = zip(theirs[::2], theirs[1::2], strict=True)
        return [np.concatenate(pair) for pair in pairs]

    sequence_training._Passes._step = noted
    sequence_training._batches = together
    shape = Shape(
        kind="sasrec",
        dim=8,
        blocks=1,
        heads=2,
        dropout=0.0,
        decay=1.0,
        max_length=10,
        loss="full",
        negatives=1,
    )
    model = fit_sequence_model(
        sessions,
        N_BLOCKS * BLOCK,
        shape=shape,
        schedule=Schedule(
            epochs=EPOCHS,
            patience=9,
            batch_size=BATCH,
            max_length=10,
            learning_rate=0.01,
            seed=3,
            checkpoint=out / "checkpoint",
        ),
        report=lambda *_: None,
    )
    save_file(model.state(), out / f"weights-{nodes}-{rank}.safetensors")
    (out / f"losses-{nodes}-{rank}.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
