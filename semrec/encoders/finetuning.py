"""Training a sentence encoder on who asked what and got what: SentenceTransformerTrainer.

Contrastive (van den Oord et al. 2018, arXiv 1807.03748): a request should lie nearer to the item
that was right than to the other items of the batch and to a hard negative. An item that is right
for the same dialog or user is no negative, wherever in the batch it stands: it is masked.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semrec.encoders.checkpoints import trained_fingerprint
from semrec.encoders.sentence import SentenceEncoder
from semrec.encoders.silence_progress import quietly
from semrec.encoders.training_callbacks import Validate, Watch
from semrec.encoders.training_examples import Example, Options
from semrec.environment.ranks import from_main_rank, n_ranks
from semrec.errors import ModelError
from semrec.types import Progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.trainer import SentenceTransformerTrainer
    from torch import nn


def finetune(
    encoder: SentenceEncoder,
    examples: Sequence[Example],
    item_texts: Sequence[str],
    options: Options,
    *,
    validate: Validate,
    folder: Path,
    report: Progress,
) -> tuple[SentenceEncoder, Mapping[str, float]]:
    """A copy of `encoder` trained on `examples`; `encoder` itself stays as it is.

    Killed, it goes on from the last checkpoint in `folder` when it is called again. On several
    ranks all call it with the same examples, and each takes its share of every step.

    Args:
        encoder: To start from.
        examples: At least two, and as many as there are ranks.
        item_texts: For each row its text.
        options: How.
        validate: Validation NDCG of an encoder; the best of those it saw is given back, the
            untrained one among them.
        folder: For checkpoints, which rank 0 writes (of the others' each its generators' states);
            its caller removes it when the result is stored.
        report: Called at every step, with validation NDCG.

    Returns:
        The encoder, and validation NDCG by step (``"0"``: untrained).

    Raises:
        ModelError: If the library that feeds the trainer isn't installed (extra ``train``), or
            a rank doesn't see the checkpoint that rank 0 goes on from.
    """
    from semrec.encoders.masked_loss import MaskedRankingLoss

    model = _trainable(encoder)
    columns, wanted = _columns(examples, item_texts, encoder.ending or str)
    arguments = _arguments(options, len(examples), folder, model.device.type)
    with quietly(), warnings.catch_warnings():
        # On several ranks: the libraries say how they will call one another one day.
        libraries = "accelerate|sentence_transformers"
        warnings.filterwarnings("ignore", category=FutureWarning, module=libraries)
        watch = Watch(
            replace(encoder, model=model),
            validate=validate,
            folder=folder,
            every=arguments["save_steps"],
            report=report,
            deadline=options.deadline,
        )
        loss = MaskedRankingLoss(model, scale=options.scale, wanted=wanted)
        trainer = _trainer(model, arguments, columns, loss, watch)
        _run(trainer, folder)
        # For half precision accelerate has put another forward in the model's place: out with it,
        # or the encoder would answer otherwise than when it is loaded again.
        trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
    watch.restore_best()
    model.eval()
    trained = replace(encoder, model=model)
    return replace(trained, fingerprint=trained_fingerprint(trained)), watch.seen


def _trainable(encoder: SentenceEncoder) -> SentenceTransformer:
    """A copy of the model, in training mode."""
    model = copy.deepcopy(encoder.model)
    model.model_card_data.widget = [{"text": ""}]  # or it would look for examples, with a bar
    return model.train()


def _trainer(
    model: SentenceTransformer,
    arguments: dict[str, Any],
    columns: dict[str, list[Any]],
    loss: nn.Module,
    watch: Watch,
) -> SentenceTransformerTrainer:
    try:
        from datasets import Dataset, disable_progress_bars
    except ImportError as error:
        raise ModelError(
            "training an encoder needs the extra `train`: pip install 'semrec[train]'"
        ) from error
    from sentence_transformers.sentence_transformer.trainer import SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.training_args import (
        SentenceTransformerTrainingArguments,
    )

    class OneWriter(SentenceTransformerTrainer):  # type: ignore[misc]
        def _save(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
            if self.args.should_save:  # or every rank writes the model's card and its tokenizer
                super()._save(*args, **options)

    disable_progress_bars()
    return OneWriter(
        model=model,
        args=SentenceTransformerTrainingArguments(**arguments),
        train_dataset=Dataset.from_dict(columns),
        loss=loss,
        callbacks=[watch],
    )


def _run(trainer: SentenceTransformerTrainer, folder: Path) -> None:
    """Train, from the last checkpoint if there is one."""
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)  # it prints to stdout, where results go
    checkpoints = sorted(folder.glob("checkpoint-*"), key=lambda path: path.stat().st_mtime)
    last = from_main_rank(checkpoints[-1].name if checkpoints else None)
    if last is not None and n_ranks() > 1:
        _check_all_have(folder / last)
    trainer.train(resume_from_checkpoint=None if last is None else str(folder / last))


def _check_all_have(checkpoint: Path) -> None:
    """Raise a ModelError on all ranks if one doesn't see the checkpoint: each reads it itself."""
    from accelerate.utils import gather_object

    has_it = gather_object([(checkpoint / "trainer_state.json").is_file()])
    if not all(has_it):
        raise ModelError(
            f"found the checkpoint {checkpoint} of a training that was broken off on rank 0, but "
            f"not on rank {has_it.index(False)}; set SEMREC_CACHE to a folder that all machines "
            f"share, or remove {checkpoint.parent} on rank 0 to train anew"
        )


def _columns(
    examples: Sequence[Example], item_texts: Sequence[str], shortened: Callable[[str], str]
) -> tuple[dict[str, list[Any]], list[set[int]]]:
    """The trainer's columns; and for each group the rows that are right.

    Args:
        examples: To learn from.
        item_texts: For each row its text.
        shortened: Cuts a query's beginning; the trainer would cut its end.
    """
    groups = {group: n for n, group in enumerate(dict.fromkeys(e.group for e in examples))}
    wanted: list[set[int]] = [set() for _ in groups]
    for example in examples:
        wanted[groups[example.group]].add(example.row)
    columns: dict[str, list[Any]] = {
        "query": [shortened(example.query) for example in examples],
        "item": [item_texts[example.row] for example in examples],
        "negative": [item_texts[example.negative] for example in examples],
        "label": [[groups[e.group], e.row, e.negative] for e in examples],
    }
    return columns, wanted


def _arguments(options: Options, n_examples: int, folder: Path, device: str) -> dict[str, Any]:
    """The trainer's arguments: a warm-up, then down to 0; a checkpoint at each validation.

    All ranks' batches are full: of fewer examples than that takes each rank has an equal share.
    """
    import torch

    ranks = n_ranks()
    steps = max(1, round(options.epochs * n_examples / (options.batch_size * ranks)))
    return {
        "output_dir": str(folder),
        "max_steps": steps,
        "per_device_train_batch_size": min(options.batch_size, max(1, n_examples // ranks)),
        "learning_rate": options.learning_rate,
        "warmup_steps": max(1, steps // 10),
        "lr_scheduler_type": "linear",
        "bf16": options.bf16 if options.bf16 is not None else bf16_pays(device),
        "use_cpu": device == "cpu",
        "seed": options.seed,
        "data_seed": options.seed,
        "save_strategy": "steps",
        "save_steps": max(1, round(options.validate_every * steps)),
        "save_total_limit": 1,
        "logging_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "dataloader_drop_last": True,
    }


def bf16_pays(device: str) -> bool:
    """True if this device multiplies bfloat16 faster than single precision."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
