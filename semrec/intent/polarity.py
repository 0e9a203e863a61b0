"""Polarity of a title that a text names: liked, rejected, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from semrec.intent.english import word_set
from semrec.intent.linking import Mention
from semrec.intent.tokens import CLAUSE, SENTENCE, Tokens

Polarity = Literal["liked", "rejected", "neither"]
REACH = 10

_AGAINST = word_set(
    "hated hate hates disliked dislike dislikes unlike avoid despise despised detest loathe sick"
    " tired bored disappointed skip"
)
_FOR = word_set(
    "liked loved love loves like likes enjoyed enjoy adored adore favorite favourite fan fans into"
    " close similar vein stand bear care finish lines such"
)
_SEEN = word_set("seen saw watched")
_AHEAD = word_set("see watch watching try rent")
_NOT = word_set(
    "not didnt dont doesnt never nothing isnt wasnt werent couldnt cant cannot havent hasnt hadnt"
    " hardly wouldnt no nor neither aint"
)
_BAD = word_set(
    "awful boring terrible bad horrible stupid dumb overrated disappointing meh dull lame annoying"
    " weak trash garbage worst tedious"
)
_VERDICT = word_set("sucked sucks bored disappointed annoyed")
_GOOD = word_set("good great my for fun funny really it very that impressed enjoyable much")
_AND = word_set("and but though although because which") | {","}
_IT = word_set("it that this them either very much at one")
_BEING = word_set("was is were are felt seemed got")


def polarities(t: Tokens, mentions: Sequence[Mention]) -> list[Polarity]:
    """The polarity of each mention, read from the words around it.

    A list ("I hated Cats and Gigli") has one polarity. Words behind a title ("… was awful")
    count more than those before it. A title that is only said not to have been seen, or that
    somebody still wants to see, is neither.
    """
    found: list[Polarity] = []
    for n, mention in enumerate(mentions):
        floor = mentions[n - 1].end if n else 0
        ceiling = mentions[n + 1].first if n + 1 < len(mentions) else len(t)
        before = _before(t, mention, floor)
        if before is None and n and _joined(t, floor, mention.first):
            before = found[-1]
        found.append(_behind(t, mention, ceiling) or before or "liked")
    return found


def _joined(t: Tokens, end: int, first: int) -> bool:
    joints = ("and", "or", ",", "/", "nor")
    return first - end <= 3 and all(word in joints for word in t.words[end:first])


def _before(t: Tokens, mention: Mention, floor: int) -> Polarity | None:
    at = mention.first - 1
    if at >= floor and t.word(at) in ("not", "no", "nor"):
        seen = any(t.word(place) in _SEEN for place in range(max(0, at - REACH), at))
        return "neither" if seen and t.word(at) == "not" else "rejected"
    while at >= max(floor, mention.first - REACH) and t.word(at) not in (SENTENCE, "but"):
        word = t.word(at)
        is_negated = any(t.word(place) in _NOT for place in range(max(floor, at - 3), at))
        if word in _AGAINST:
            return "liked" if is_negated else "rejected"
        if word in _FOR and not (word == "into" and t.word(at - 1).startswith("look")):
            return "rejected" if is_negated else "liked"
        if word in _SEEN or (word == "see" and t.word(at - 1) in ("did", "just")):
            return "neither" if is_negated else None
        if word in _AHEAD:
            return "neither"
        if t.capitals[at] and word != "i":
            break  # chats often run on: a capital begins something new
        at -= 1
    return None


def _behind(t: Tokens, mention: Mention, ceiling: int) -> Polarity | None:
    end = min(mention.end + REACH, ceiling)
    is_judged = False
    for at in range(mention.end, end):
        word = t.word(at)
        before = t.word(at - 1) if at > mention.end else ""
        if word == SENTENCE or (t.capitals[at] and not (word[0] == "i" and before in _AND)):
            break
        is_negated = any(t.word(place) in _NOT for place in range(max(mention.end, at - 3), at))
        if at <= mention.end + 1 and word in _BEING | _NOT:
            is_judged = True
        if word in ("it", "that") and at > mention.end and t.word(at + 1) in _BEING | _NOT:
            is_judged = True
        is_of_it = t.word(at + 1) in _IT or t.word(at + 1) in CLAUSE
        if word in ("liked", "like", "enjoyed", "enjoy") and is_negated and is_of_it:
            return "rejected"
        if (word in ("hated", "disliked") and is_of_it) or (word in _VERDICT and not is_negated):
            return "rejected"
        is_too_much = word == "too" and before in _BEING and t.word(at + 1) not in CLAUSE
        if is_judged and (word in _BAD or is_too_much) and not is_negated:
            return "rejected"
        if is_judged and word in _GOOD and is_negated:
            return "rejected"
    return None
