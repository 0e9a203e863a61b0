"""Ranking a list: what a language model is shown, and what its answer says.

Knows nothing of models. An answer is somebody's text: anything may stand in it, and what can't be
read as a ranking scores nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from semrec.prompting import MAX_CHARS, Prompt
from semrec.types import RerankScores

MAX_REQUEST_CHARS = 1_500  # of its end: what was said last matters most
MAX_TEXT_CHARS = 200

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_LIST = re.compile(r'\[\s*"?[0-9]{1,6}"?(?:\s*,\s*"?[0-9]{1,6}"?)+')  # its end may be cut off
_BRACKETED = re.compile(r"\[\s*([0-9]{1,6})\s*\]")
_CHAIN = re.compile(r"[0-9]{1,6}(?:\s*[>,]\s*[0-9]{1,6})+")
_NUMBER = re.compile(r"[0-9]{1,6}")


def listed_prompt(prompt: Prompt, request: str, labels: Sequence[str], texts: Sequence[str]) -> str:
    """A prompt of kind ``rerank_listwise`` with the first texts, one per label.

    Texts are cut so that all fit. Brackets in them become parentheses: only labels have brackets.
    """
    room = (MAX_CHARS - MAX_REQUEST_CHARS - 1_000) // max(len(labels), 1)
    longest = min(MAX_TEXT_CHARS, max(room - 8, 1))
    plain = str.maketrans("[]", "()")
    shortened = [text[:longest].translate(plain) for text in texts[: len(labels)]]
    return prompt.render(
        request=request[-MAX_REQUEST_CHARS:], candidates=list(zip(labels, shortened, strict=True))
    )


def parse_ranking(answer: str, n: int) -> RerankScores:
    """The ranking of texts 1 to n in an answer such as ``[3] > [1] > [2]`` or ``[3, 1, 2]``.

    The first named has score n, the next n − 1, and so on.
    """
    named = _numbers(_THOUGHT.sub(" ", answer))
    real = [number for number in named if 1 <= number <= n]
    order = list(dict.fromkeys(real))
    return RerankScores(
        positions=np.array(order, dtype=np.int64) - 1,
        scores=np.arange(n, n - len(order), -1, dtype=np.float32),
        missing=n - len(order),
        doubled=len(real) - len(order),
        invented=len(named) - len(real),
    )


def _numbers(answer: str) -> list[int]:
    """The numbers of the ranking in an answer, in its order."""
    lists = _LIST.findall(answer)
    bracketed = _BRACKETED.findall(answer)
    if lists and len(longest := _NUMBER.findall(max(lists, key=len))) >= len(bracketed):
        return list(map(int, longest))
    if bracketed:
        return list(map(int, bracketed))
    # Bare numbers only where nothing else explains them: in prose a number may be a year.
    chains = _CHAIN.findall(answer) or [answer] * answer.strip().isdecimal()
    return list(map(int, _NUMBER.findall(max(chains, key=len)))) if chains else []


def clean(text: str) -> str:
    """A text without half surrogate pairs: tokenizers and JSON refuse them."""
    return text.encode("utf-8", "replace").decode("utf-8")
