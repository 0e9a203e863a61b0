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
from tiny_training import fit, in_blocks, shaped

from semrec.behaviour import sequence_training

BATCH, EPOCHS, N_USERS = 4, 2, 96  # 12 steps a pass of two nodes


def main(out):
    rank, nodes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
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
    model = fit(
        shaped(dropout=0.0),
        in_blocks(N_USERS),
        epochs=EPOCHS,
        batch_size=BATCH,
        checkpoint=out / "checkpoint",
    )
    save_file(model.state(), out / f"weights-{nodes}-{rank}.safetensors")
    (out / f"losses-{nodes}-{rank}.json").write_text(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
