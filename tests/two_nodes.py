"""Trains a tiny sequence model without dropout and writes its losses: on two nodes, or alone.

    torchrun --nnodes 2 --node_rank N --master_addr 127.0.0.1 … tests/two_nodes.py \
        OUT KIND LOSS [KILL_AT]

Each has a checkpoint of its own, as on two machines. Rank 0 is no more from step `KILL_AT` on.
Alone, each batch is what the two nodes have at the same step, one behind the other. Sessions have
two to four events, and the last batch of a pass is a half: no two nodes have as much to learn from.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tiny_training import fit, in_blocks, shaped

from semrec.behaviour import sequence_training

BATCH, EPOCHS, N_USERS = 4, 2, 90  # 23 batches, so 12 steps a pass of two nodes


def main(out, kind, loss, kill_at=None):
    rank, nodes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    losses, n_targets = [], []
    step, batches = sequence_training._Passes._step, sequence_training._batches

    def noted(self, batch):
        losses.append(step(self, batch))
        n_targets.append(sum(len(self.sessions[index]) - 1 for index in batch))
        return losses[-1]

    def together(sessions, schedule, epoch, processes):
        theirs = batches(sessions, schedule, epoch, 2)
        if processes == 2:
            return theirs
        pairs = zip(theirs[::2], theirs[1::2], strict=True)
        return [np.concatenate(pair) for pair in pairs]

    def report(_stage, done, _total, _detail=""):
        if rank == 0 and kill_at is not None and done >= int(kill_at):
            os._exit(7)

    sequence_training._Passes._step = noted
    sequence_training._batches = together
    model = fit(
        shaped(kind, loss=loss, dropout=0.0),
        [rows[: 2 + user // 3 % 3] for user, rows in enumerate(in_blocks(N_USERS))],
        epochs=EPOCHS,
        batch_size=BATCH,
        report=report,
        checkpoint=out / f"{kind}-{nodes}-{rank}.checkpoint",
    )
    save_file(model.state(), out / f"{kind}-{nodes}-{rank}.safetensors")
    noted_down = {"losses": losses, "n_targets": n_targets}
    (out / f"{kind}-{nodes}-{rank}.json").write_text(json.dumps(noted_down))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
