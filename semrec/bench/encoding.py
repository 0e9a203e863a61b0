"""Items encoded a second: as `build` does it, and as sentence-transformers does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from semrec.config import Config
from semrec.data.dataset import Dataset
from semrec.encoders.bulk import BulkEncoder
from semrec.encoders.sentence import clean, load_sentence_encoder
from semrec.errors import ConfigError
from semrec.prompting import ItemTexts, Prompts, load_prompt
from semrec.types import FloatArray, Progress, silent

BLOCK = 1024  # texts that one encodes before the other: both meet the same machine


def encoding_speed(
    dataset: Dataset,
    config: Config,
    *,
    n: int = 10_000,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Items per second, the same texts and weights and the same most tokens on both sides.

    In turns, block by block, the texts go through `SentenceTransformer.encode` with its own
    settings and through what `build` encodes with; the making of its quicker form is in its time.

    Args:
        dataset: Whose items; few are taken more than once, as further texts.
        config: The encoder, of kind sentence, and the item prompt.
        n: How many texts.
        seed: Of their order.
        progress: Called as it proceeds.

    Raises:
        ConfigError: If the encoder is of another kind.
    """
    texts = _texts(dataset, config, n, seed)
    encoder = load_sentence_encoder(
        config.encoder.model, device="cpu", max_length=config.encoder.max_length
    )
    report, model = progress or silent, encoder.model

    sides: dict[str, Callable[[list[str]], FloatArray]] = {
        "semrec": BulkEncoder(encoder).encode_items,
        "sentence-transformers": lambda batch: np.asarray(
            model.encode(batch, normalize_embeddings=True), dtype=np.float32
        ),
    }
    spent, cpu = dict.fromkeys(sides, 0.0), dict.fromkeys(sides, 0.0)
    least = 1.0
    for start in range(0, n, BLOCK):
        block = texts[start : start + BLOCK]
        vectors = {}
        for name, encode in sides.items():
            began, used = time.perf_counter(), time.process_time()
            vectors[name] = encode(block)
            spent[name] += time.perf_counter() - began
            cpu[name] += time.process_time() - used
        ours, true = vectors.values()
        least = min(least, float((ours * true).sum(axis=1).min()))
        report("bench encode", start + len(block), n)
    speeds = {name: n / seconds for name, seconds in spent.items()}
    return {
        "encoder": encoder.name,
        "texts": n,
        "tokens": int(model.max_seq_length or 0),
        "cores": os.cpu_count(),
        "items_per_s": {name: round(speed, 1) for name, speed in speeds.items()},
        "cpu_s": {name: round(seconds, 1) for name, seconds in cpu.items()},
        "times_as_fast": round(speeds["semrec"] / speeds["sentence-transformers"], 2),
        "least_cosine": round(least, 6),
    }


def _texts(dataset: Dataset, config: Config, n: int, seed: int) -> list[str]:
    """`n` texts of items in a random order, over and over if there are fewer."""
    if config.encoder.kind != "sentence":
        raise ConfigError(f"encoder.kind is {config.encoder.kind!r}, expected 'sentence'")
    prompts = Prompts(
        item=load_prompt("item", config.prompts.item),
        query=load_prompt("query", config.prompts.query),
    )
    own = [clean(text) for text in ItemTexts(prompts=prompts, catalog=dataset.catalog) if text]
    if not own:
        raise ConfigError(f"{dataset.name}: no item has a title or a text")
    return [own[i % len(own)] for i in np.random.default_rng(seed).permutation(n)]
