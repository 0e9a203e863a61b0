"""Times of a conversation's turns: what has been said before must not cost more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semrec.chat.answering import START, respond
from semrec.data.formats import read_table, require_columns, strings
from semrec.metrics.significance import percentiles
from semrec.recommender import Recommender
from semrec.types import Progress, silent

LONG = 50  # turns of the long conversations
COLUMNS = ("dialog_id", "turn", "last_utterance")


def read_dialogs(path: Path) -> list[list[str]]:
    """The messages of each dialog, turn by turn, from a file of requests.

    Raises:
        DataError: If the file has no `dialog_id`, `turn`, `last_utterance`.
    """
    table = read_table(path)
    require_columns(path, table, COLUMNS)
    messages: dict[str, list[tuple[float, str]]] = {}
    dialogs, texts = (strings(path, table, name) for name in ("dialog_id", "last_utterance"))
    for dialog, turn, text in zip(dialogs, table["turn"].to_pylist(), texts, strict=True):
        messages.setdefault(dialog, []).append((float(turn), text))
    return [[text for _, text in sorted(of)] for of in messages.values()]


def turn_times(
    recommender: Recommender,
    dialogs: Sequence[Sequence[str]],
    *,
    n_long: int = 10,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """CPU milliseconds by turn: of dialogs as they were, and of long ones made of several.

    Args:
        recommender: Answers.
        dialogs: What is said, turn by turn.
        n_long: How many conversations of `LONG` turns; dialogs one after the other fill them.
        progress: Called as work proceeds.

    Returns:
        Plain values: ``dialogs`` and ``long``, each turn → n, p50, p95.
    """
    tell = progress or silent
    utterances = [text for dialog in dialogs for text in dialog]
    long = [utterances[LONG * n : LONG * (n + 1)] for n in range(n_long)]
    long = [dialog for dialog in long if len(dialog) == LONG]
    for dialog in dialogs[:10]:  # everything is loaded
        respond(recommender, dialog[0])
    measured = {}
    for name, of in (("dialogs", dialogs), ("long", long)):
        spent: dict[int, list[float]] = {}
        for done, dialog in enumerate(of):
            tell(name, done, len(of))
            conversation = START
            for turn, text in enumerate(dialog, start=1):
                began = time.process_time()  # what else the machine does counts for no turn
                conversation = respond(recommender, text, conversation).conversation
                spent.setdefault(turn, []).append((time.process_time() - began) * 1000)
        measured[name] = {
            turn: {"n": len(ms), **percentiles(ms, (50, 95))} for turn, ms in sorted(spent.items())
        }
    return measured
