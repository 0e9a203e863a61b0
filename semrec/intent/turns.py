"""A conversation in one text: who said what, and how an offer was taken.

    User: something like Alien (1979)
    Assistant: Have you seen Aliens (1986)?
    User: hated it. Anything older?

What the one who asks says is the request; what the other says is not, but the titles that it
names were offered, and the next answer tells whether they were liked or rejected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from semrec.intent.english import word_set
from semrec.intent.linking import Mention
from semrec.intent.polarity import polarities
from semrec.intent.tokens import CLAUSE, read_tokens

MAX_TURNS = 200
_ASKING = word_set("user seeker customer human me person client visitor")
_ANSWERING = word_set("assistant recommender system bot agent ai model semrec")
_LINE = re.compile(r"^[ \t]*(?:\*\*)?([A-Za-z]{2,12})(?:\*\*)?[ \t]*:[ \t]*(.*)$")
_ANSWER = re.compile(r"^\s*(?:no|yes|yeah|yep|well|hmm|oh|ok|okay)\b[\s,.!]*")
_REFUSALS = (
    ("not", "that"), ("not", "this"), ("not", "those"), ("not", "it"), ("not", "them"),
    ("not", "my"), ("not", "for"), ("no", "thanks"), ("no", "thank"), ("nope",), ("nah",),
    ("something", "else"), ("anything", "else"), ("another", "one"), ("not", "interested"),
)  # fmt: skip
_OPENING = 6  # words in which a refusal stands


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A turn of one speaker: the one who asks (`asks`), or the other."""

    asks: bool
    text: str


def read_turns(text: str) -> list[Turn]:
    """The turns of a conversation; none if the text isn't one.

    It is one if its first line with anything in it names a speaker, and the one who asks says
    something. A line without a speaker goes on with the turn before it.
    """
    turns: list[Turn] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _LINE.match(line)
        speaker = found.group(1).lower() if found else ""
        if found and speaker in _ASKING | _ANSWERING:
            turns.append(Turn(asks=speaker in _ASKING, text=found.group(2)))
        elif turns:
            turns[-1] = Turn(asks=turns[-1].asks, text=f"{turns[-1].text}\n{line}")
        else:
            return []
    return turns[-MAX_TURNS:] if any(turn.asks and turn.text.strip() for turn in turns) else []


def rejects(text: str) -> bool:
    """True if an answer rejects what was offered just before it: "hated it", "not that one"."""
    opening = [word for word in read_tokens(text).words[:_OPENING] if word not in CLAUSE]
    if any(tuple(opening[at : at + len(cue)]) == cue for cue in _REFUSALS for at in range(3)):
        return True
    # What was offered stands for a title in front; "no" to a question is no verdict.
    t = read_tokens(f"it, {_ANSWER.sub('', text.lower())}")
    return polarities(t, [Mention(first=0, end=1, row=-1)]) == ["rejected"]
