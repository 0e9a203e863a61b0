"""Words of a request that no item has, where only an item's record could answer them.

Most words that no item has are understood all the same, by the encoder: "exciting". Names aren't
("Sandra Bullock", "Netflix"), nor "4K"; and a request of which no item has any word is worth
saying. Precision first: people chat, and misspell.
"""

from __future__ import annotations

import re
from collections.abc import Container

from semrec.data.kinds import words_of_all
from semrec.lexical.analysis import content_tokens, plain_words, request_terms

MAX_UNKNOWN, MAX_ALONE = 8, 8
MAX_SHOUTED = 0.7  # share of words in capitals, above which capitals say nothing
# Before names, in whatever case they are written.
_BEFORE = "|".join(sorted(words_of_all("named_by")))
_BEFORE_NAMES = re.compile(
    rf"\b(?:by|with|about|{_BEFORE})(?: an?| the)?(?: [\w'’]+)?\s$", re.IGNORECASE
)
_OPENS = re.compile(r"(?:^|[.!?:;\n…])[\s\"'“(]*$")
_CODE = re.compile(r"(?=\w*[^\W\d_])\w*\d(?!0?s$)\w*")  # "4K", "PG13"; not "1990", "90s"
_LOOK_BACK = 60  # characters
# Talk that isn't filler: no item is about it.
_TALK = """
though heard hear either agree haha hmm hmmm kinda already recently sometimes yea yup yep especially
exactly alright idk favs fav ooh oh ah eh wow idea ideas genre genres category add put supposed able
familiar particular vein opinion imo anyway anyways however
although since mentioned caught felt guess probably certainly definitely havent hasnt didnt dont
isnt wasnt cant wont im ive thats plz pls lol omg huge option options choose prefer interested
interesting sound sounds recommending trying try tried checked check
"""
_PEOPLE = words_of_all("people")
TALK = _PEOPLE | {f"{word}s" for word in _PEOPLE} | frozenset(_TALK.split())


def unknown_words(text: str, vocabulary: Container[str], kind: str = "") -> tuple[str, ...]:
    """Phrases of a request that no item has, as written, `MAX_UNKNOWN` at most.

        unknown_words("a heist with Steve McQueen", {"heist"}) == ("Steve McQueen",)

    Args:
        text: What the request is about.
        vocabulary: The index terms that items have.
        kind: What the items are, as of `content_words`.
    """
    tokens = [token for token in content_tokens(text, kind) if _is_content(token)]
    if not tokens:
        return ()
    source = tokens[0].string
    unknown = [not _is_known(token, vocabulary) for token in tokens]
    words = [token for token in tokens if not token.group().isdecimal()]
    if all(unknown) and len(words) <= MAX_ALONE:
        return _phrases(words)
    written = source.split()
    shouted = sum(word[0].isupper() for word in written) > MAX_SHOUTED * len(written)
    phrases = []
    for at, token in enumerate(tokens):
        if not unknown[at]:
            continue
        capital = not shouted and token.group()[0].isupper()
        before = source[max(0, token.start() - _LOOK_BACK) : token.start()]
        is_name = capital and _OPENS.search(before) is None
        if is_name or _CODE.fullmatch(token.group()) or _BEFORE_NAMES.search(before):
            first, last = _whole_name(tokens, at) if capital else (at, at)
            phrases.append(source[tokens[first].start() : tokens[last].end()])
    return tuple(dict.fromkeys(phrases))[:MAX_UNKNOWN]


def _phrases(tokens: list[re.Match[str]]) -> tuple[str, ...]:
    """Words as written, those joined that only a blank divides."""
    spans: list[tuple[int, int]] = []
    for token in tokens:
        if spans and token.string[spans[-1][1] : token.start()].isspace():
            spans[-1] = (spans[-1][0], token.end())
        else:
            spans.append(token.span())
    phrases = (tokens[0].string[first:end] for first, end in spans)
    return tuple(dict.fromkeys(phrases))[:MAX_UNKNOWN]


def _whole_name(tokens: list[re.Match[str]], at: int) -> tuple[int, int]:
    """The first and the last of the words in capitals that a word stands among."""
    first = last = at
    while first > 0 and _goes_on(tokens[first - 1], tokens[first]):
        first -= 1
    while last + 1 < len(tokens) and _goes_on(tokens[last], tokens[last + 1]):
        last += 1
    return first, last


def _goes_on(token: re.Match[str], after: re.Match[str]) -> bool:
    both_capital = token.group()[0].isupper() and after.group()[0].isupper()
    return both_capital and token.string[token.end() : after.start()].isspace()


def _is_content(token: re.Match[str]) -> bool:
    return not TALK.issuperset(plain_words(token.group()))


def _is_known(token: re.Match[str], vocabulary: Container[str]) -> bool:
    return all(term in vocabulary for term in request_terms([token.group()]))
