"""Fine-tunes a tiny encoder and writes its losses: on two nodes, or alone with twice the batch.

    torchrun --nnodes 2 --node_rank N --master_addr 127.0.0.1 … tests/two_encoder_nodes.py \
        OUT ENCODER FOLDER [KILL_AT]

`FOLDER` is for checkpoints, `{rank}` in it for disks of their own; rank 0 is no more from step
`KILL_AT` on.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file
from test_finetuning import ITEMS, OPTIONS, examples, share_right

from semrec.encoders.finetuning import finetune
from semrec.encoders.masked_loss import MaskedRankingLoss
from semrec.encoders.sentence import load_sentence_encoder
from semrec.errors import ModelError

BATCH, EPOCHS = 5, 12  # of 24 examples two batches a pass are full, the rest is left out


def main(out, encoder, folder, kill_at=None):
    rank, nodes = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    losses, reported = [], []
    forward = MaskedRankingLoss.forward

    def noted(self, *batch):
        loss = forward(self, *batch)
        losses.append(loss.item())
        return loss

    def validate(candidate):
        assert rank == 0
        return share_right(candidate)

    def report(_stage, done, _total, detail):
        reported.append((done, detail))
        if rank == 0 and kill_at is not None and done >= int(kill_at):
            os._exit(7)

    MaskedRankingLoss.forward = noted
    try:
        trained, seen = finetune(
            load_sentence_encoder(str(encoder), device="cpu"),
            examples(),
            ITEMS,
            replace(OPTIONS, epochs=EPOCHS, batch_size=BATCH * 2 // nodes, learning_rate=3e-4),
            validate=validate,
            folder=Path(folder.format(rank=rank)),
            report=report,
        )
    except ModelError as error:
        (out / f"error-{rank}.txt").write_text(str(error))
        raise
    save_file(trained.model.state_dict(), out / f"{nodes}-{rank}.safetensors")
    noted_down = {"losses": losses, "seen": seen, "reported": reported}
    (out / f"{nodes}-{rank}.json").write_text(json.dumps(noted_down))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
