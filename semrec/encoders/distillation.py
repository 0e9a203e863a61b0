"""A static encoder distilled from a sentence encoder, for the texts of one catalogue.

    tokens, each alone → weighed by how rare they are here → bent until the mean of a text's tokens
                       points where the teacher's vector of the text does

Model2Vec's own distillation (Tulkens and van Dongen 2024) encodes tokens alone and takes their
frequencies for Zipf's law. Here frequencies are counted in the catalogue's texts (smooth inverse
frequency; Arora et al. 2017, "A simple but tough-to-beat baseline for sentence embeddings"), and a
ridge regression on its texts follows. How far it bends is chosen on texts that are held out. By the
words alone topics then get as many right films as by the teacher, instead of half of them (LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags

from semrec.encoders.sentence import SentenceEncoder, clean
from semrec.encoders.static import SUFFIX, StaticEncoder
from semrec.errors import ModelError
from semrec.protocols import Encoder
from semrec.types import FloatArray

SIF = 2e-4  # smooths frequencies: of 3e-5 to 1e-3 the best on half of the topics (LOG.md)
PENALTIES = (0.1, 0.3, 1.0, 3.0)  # on what a token's vector is bent
STEPS = 20  # of conjugate gradients; more change no list
BATCH = 1024  # tokens
MAX_WORDS, MIN_COUNT, UNKNOWN = 10_000, 2, "[UNK]"


def distil(
    teacher: SentenceEncoder, alone: FloatArray, texts: Sequence[str], targets: FloatArray
) -> StaticEncoder:
    """The static encoder of a sentence encoder, for texts such as these.

    Args:
        teacher: Gives the tokenizer.
        alone: (n_tokens, dim) float32, as `tokens_alone`.
        texts: Of the catalogue.
        targets: (len(texts), dim) float32 unit rows, as the teacher encodes them.

    Raises:
        ModelError: If the tokenizer can't be had alone.
    """
    tokenizer = tokenizer_of(teacher)
    goal = _unit(targets - targets.mean(axis=0))
    start = np.asarray(alone - alone.mean(axis=0), dtype=np.float32)
    vectors, _ = _token_vectors(start, texts, tokenizer, goal)
    return StaticEncoder(vectors=vectors, tokenizer=tokenizer, name=teacher.name + SUFFIX)


def distil_words(
    encoder: Encoder, texts: Sequence[str], targets: FloatArray
) -> tuple[StaticEncoder, float]:
    """A static encoder whose requests are near those of another encoder, to search its items.

    Second comes how near: the mean cosine, about their centre, of texts that are held out.

    Nothing but vectors need be known of the other: the tokens are the catalogue's words, and it
    encodes each of them alone.

    Args:
        encoder: The other.
        texts: Of the catalogue.
        targets: (len(texts), dim) float32 unit rows, as the other encodes them.
    """
    tokenizer = _word_tokenizer(texts)
    words = [tokenizer.id_to_token(token) for token in range(tokenizer.get_vocab_size())]
    alone = encoder.encode_items(words)
    start = np.asarray(alone - alone.mean(axis=0), dtype=np.float32)
    start[tokenizer.token_to_id(UNKNOWN)] = 0
    mean = targets.mean(axis=0)
    goal = targets - mean
    spread = max(float(np.linalg.norm(goal, axis=1).mean()), 1e-9)
    vectors, agreed = _token_vectors(start, texts, tokenizer, _unit(goal))
    vectors[tokenizer.token_to_id(UNKNOWN)] = 0
    centre = np.asarray(mean / spread, dtype=np.float32)
    name = encoder.name + SUFFIX
    made = StaticEncoder(vectors=vectors, tokenizer=tokenizer, name=name, centre=centre)
    return made, agreed


def _word_tokenizer(texts: Sequence[str]) -> Any:  # noqa: ANN401
    """A `tokenizers.Tokenizer` of the words that `MIN_COUNT` places of some texts have."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordLevel(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordLevelTrainer(
        vocab_size=MAX_WORDS, min_frequency=MIN_COUNT, special_tokens=[UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(map(clean, texts), trainer)
    return tokenizer


def tokenizer_of(teacher: SentenceEncoder) -> Any:  # noqa: ANN401
    """A copy of a sentence encoder's tokenizer that neither cuts nor pads.

    Raises:
        ModelError: If it can't be had alone.
    """
    own = getattr(teacher.model.tokenizer, "backend_tokenizer", None)
    if own is None:
        raise ModelError(f"{teacher.name}: its tokenizer can't be used without it")
    tokenizer = type(own).from_str(own.to_str())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def tokens_alone(teacher: SentenceEncoder) -> FloatArray:
    """(n_tokens, dim) float32: each token as the teacher reads it, between its special tokens."""
    import torch

    model, tokenizer = teacher.model, tokenizer_of(teacher)
    whole, bare = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
    before = next(at for at in range(len(whole)) if whole[at : at + len(bare)] == bare)
    after = before + len(bare)
    parts, n_tokens = [], tokenizer.get_vocab_size()
    for start in range(0, n_tokens, BATCH):
        own = range(start, min(start + BATCH, n_tokens))
        ids = [[*whole[:before], token, *whole[after:]] for token in own]
        inputs = torch.tensor(ids, device=model.device)
        with torch.inference_mode():
            out = model({"input_ids": inputs, "attention_mask": torch.ones_like(inputs)})
        parts.append(out["sentence_embedding"].float().cpu().numpy())
    return np.asarray(np.concatenate(parts), dtype=np.float32)


def _token_vectors(
    start: FloatArray,
    texts: Sequence[str],
    tokenizer: Any,  # noqa: ANN401
    goal: FloatArray,
) -> tuple[FloatArray, float]:
    """(n_tokens, dim) float32: `start`, bent and weighed; how far held-out texts agree."""
    shares, weights = _shares(texts, tokenizer)
    lengths = np.linalg.norm(shares @ start, axis=1)
    whole = (diags(1 / np.maximum(lengths, 1e-9)) @ shares).astype(np.float32)
    bent, agreed = _best_bent(start, whole, goal)
    return bent * weights[:, None], agreed


def _shares(
    texts: Sequence[str],
    tokenizer: Any,  # noqa: ANN401
) -> tuple[csr_matrix, FloatArray]:
    """(n_texts, n_tokens) each text's tokens by their weights; (n_tokens,) these weights."""
    n_tokens = tokenizer.get_vocab_size()
    encoded = tokenizer.encode_batch_fast([clean(t) for t in texts], add_special_tokens=False)
    ids = [encoding.ids for encoding in encoded]
    columns = np.concatenate([np.asarray(own, dtype=np.int64) for own in ids])
    rows = np.repeat(np.arange(len(ids)), [len(own) for own in ids])
    counts = np.bincount(columns, minlength=n_tokens) + 1.0
    weights = np.asarray(SIF / (SIF + counts / counts.sum()), dtype=np.float32)
    return csr_matrix((weights[columns], (rows, columns)), shape=(len(ids), n_tokens)), weights


def _best_bent(start: FloatArray, shares: csr_matrix, goal: FloatArray) -> tuple[FloatArray, float]:
    """As `_bent`, by the penalty that agrees best with every tenth text, held out; how far."""
    apart = np.arange(len(goal)) % 10 == 9
    if not apart.any():
        return _bent(start, shares, goal, PENALTIES[0]), 0.0
    agreed = {
        penalty: _agreement(
            _bent(start, shares[~apart], goal[~apart], penalty), shares[apart], goal[apart]
        )
        for penalty in PENALTIES
    }
    penalty = max(agreed, key=agreed.__getitem__)
    return _bent(start, shares, goal, penalty), agreed[penalty]


def _bent(start: FloatArray, shares: csr_matrix, goal: FloatArray, penalty: float) -> FloatArray:
    """(n_tokens, dim) float32: v with the least |shares · v - goal|² + penalty · |v - start|².

    By conjugate gradients, for all columns at once.
    """
    change = np.zeros_like(start)
    rest = shares.T @ (goal - shares @ start)
    direction, size = rest.copy(), (rest * rest).sum(axis=0)
    for _ in range(STEPS):
        image = shares.T @ (shares @ direction) + penalty * direction
        step = size / np.maximum((direction * image).sum(axis=0), 1e-30)
        change += step * direction
        rest -= step * image
        size, before = (rest * rest).sum(axis=0), size
        direction = rest + size / np.maximum(before, 1e-30) * direction
    return np.asarray(start + change, dtype=np.float32)


def _agreement(vectors: FloatArray, shares: csr_matrix, goal: FloatArray) -> float:
    """Mean cosine between texts' vectors and where they should point."""
    return float((_unit(shares @ vectors) * goal).sum(axis=1).mean())


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)
